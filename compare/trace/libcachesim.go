package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// libCacheSim's csv has no fixed columns: the user states their positions. A header can state them too.

// idNames are the names in a header for the column of keys.
var idNames = []string{"id", "obj_id", "obj-id", "object_id", "lbn"}

func openLibCacheSim(r io.Reader, o Options) (Source, error) {
	t := &table{lines: newLines(r)}
	line, err := t.next()
	if err != nil {
		return nil, err
	}
	line = bytes.Clone(line)
	t.layout = newLayout()
	t.separator = guessSeparator(line)
	head := letters(line)
	if o.Columns == "" {
		if !head || !t.named(header(line, t.separator)) {
			return nil, t.bad("a header with a column " + strings.Join(idNames, ", ") + ", or the columns to be named")
		}
		return t, nil
	}
	if head, err = t.parseColumns(o.Columns, head); err != nil {
		return nil, fmt.Errorf("columns %q: %w", o.Columns, err)
	}
	if !head { // the first line is a request
		t.lines = newLines(io.MultiReader(bytes.NewReader(append(line, '\n')), bytes.NewReader(t.buf[t.start:t.end]), r))
	}
	return t, nil
}

// named finds the columns by their names in a header.
func (l *layout) named(names []string) bool {
	for i, name := range names {
		switch {
		case slices.Contains(idNames, name):
			l.key = i
		case name == "time" || name == "timestamp":
			l.time = i
		case name == "size" || name == "obj_size":
			l.size = i
		case name == "ttl":
			l.ttl = i
		}
	}
	if slices.Equal(names, []string{"version", "time", "op", "size", "lbn"}) {
		l.unit = time.Microsecond // the sample that comes with libCacheSim, of vscsi
	}
	return l.key >= 0
}

// parseColumns reads a list such as "time=2,id=5,size=4,delimiter=tab,header=true,unit=us". Positions count from 1. It
// reports whether there is a header.
func (l *layout) parseColumns(list string, head bool) (bool, error) {
	columns := l.columns()
	columns["id"], columns["obj-id"], columns["cnt"] = &l.key, &l.key, &l.count
	for item := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(item, "=")
		var err error
		switch name {
		case "delimiter":
			var ok bool
			if l.separator, ok = separators[value]; !ok {
				err = errors.New("expected tab, comma, pipe, colon, semicolon or space")
			}
		case "header":
			head, err = strconv.ParseBool(value)
		case "unit":
			if l.unit = shortUnits[value]; l.unit == 0 {
				err = errors.New("expected s, ms, us or ns")
			}
		default:
			column := columns[name]
			if column == nil {
				return false, fmt.Errorf("%q: expected id, time, size, op, ttl, count, delimiter, header or unit", name)
			}
			var n int
			if n, err = strconv.Atoi(value); err == nil && (n < 1 || n > maxLine) {
				err = errors.New("expected a position from 1 on")
			}
			*column = n - 1
		}
		if err != nil {
			return false, fmt.Errorf("%q: %w", item, err)
		}
	}
	if l.key < 0 {
		return false, errors.New("expected id=, the position of the key")
	}
	return head, nil
}

var shortUnits = map[string]time.Duration{
	"s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond,
}

var separators = map[string]byte{
	"tab": '\t', "comma": ',', "pipe": '|', "colon": ':', "semicolon": ';', "space": ' ',
	"|": '|', ":": ':', ";": ';', "\t": '\t', " ": ' ',
}

// guessSeparator returns the most frequent separator of a line.
func guessSeparator(line []byte) byte {
	best, most := byte(','), 0
	for _, c := range []byte("\t,|:") {
		if n := bytes.Count(line, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

// letters reports whether line has more letters than digits, like a header.
func letters(line []byte) bool {
	n := 0
	for _, c := range string(line) {
		switch {
		case unicode.IsLetter(c):
			n++
		case unicode.IsDigit(c):
			n--
		}
	}
	return n > 0
}

func sniffLibCacheSim(b beginning) bool {
	if len(b.lines) < 2 || !letters(b.lines[0]) {
		return false
	}
	separator := guessSeparator(b.lines[0])
	names := header(b.lines[0], separator)
	l := newLayout()
	return len(names) > 1 && l.named(names)
}
