package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line a text format may have.
const maxLine = 1 << 20

// lines splits a text into lines that end in LF or CR LF. The last line may have no end.
type lines struct {
	r          io.Reader
	buf        []byte
	start, end int   // of what is buffered and not yet returned
	number     int64 // of the line returned last, from 1
	err        error // what r returned; final
}

func newLines(r io.Reader) *lines {
	return &lines{r: r, buf: make([]byte, 128<<10)}
}

// next returns the next line without its end. The line is valid until the next call.
func (l *lines) next() ([]byte, error) {
	scanned := 0
	for {
		if i := bytes.IndexByte(l.buf[l.start+scanned:l.end], '\n'); i >= 0 {
			i += scanned
			line := l.buf[l.start : l.start+i]
			l.start += i + 1
			l.number++
			if i > 0 && line[i-1] == '\r' {
				line = line[:i-1]
			}
			return line, nil
		}
		scanned = l.end - l.start
		if l.err != nil {
			return l.last()
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// last returns the text after the last line end, or the error of the input. If the input is torn, the text before the
// tear may be half a line and is not returned.
func (l *lines) last() ([]byte, error) {
	if !errors.Is(l.err, io.EOF) {
		return nil, fmt.Errorf("line %d: %w", l.number+1, l.err)
	}
	line := l.buf[l.start:l.end]
	if len(line) == 0 {
		return nil, io.EOF
	}
	l.start = l.end
	l.number++
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}

// fill reads more of the input into the buffer.
func (l *lines) fill() error {
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) {
		if len(l.buf) >= maxLine {
			return &malformed{line: l.number + 1, want: fmt.Sprintf("a line of at most %d bytes", maxLine)}
		}
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	var n int
	n, l.err = l.r.Read(l.buf[l.end:])
	l.end += n
	return nil
}

// numbers reads a line of exactly len(fields) numbers with one space between them. It returns false without reading if
// the line has another form or is not buffered. It is three times as fast as next and parsing.
func (l *lines) numbers(fields []uint64) bool {
	var v uint64
	f, digits := 0, 0
	for i, c := range l.buf[l.start:l.end] {
		if d := c - '0'; d <= 9 {
			v = v*10 + uint64(d)
			digits++
			continue
		}
		if digits == 0 || digits > 19 {
			return false
		}
		fields[f] = v
		f++
		switch {
		case c == ' ' && f < len(fields):
			v, digits = 0, 0
		case c == '\n' && f == len(fields):
			l.start += i + 1
			l.number++
			return true
		default:
			return false
		}
	}
	return false
}

// bad returns an error about the last line that was returned.
func (l *lines) bad(want string) error {
	return &malformed{line: l.number, want: want}
}
