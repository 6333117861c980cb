package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz"
)

// xzReader detects a file that is cut between two blocks, which the library's reader accepts: the input must end in a
// footer.
type xzReader struct {
	z    *xz.Reader
	tail *tail // below r
}

func newXZ(r io.Reader, t *tail) (*xzReader, error) {
	z, err := xz.NewReader(r)
	return &xzReader{z, t}, err
}

func (x *xzReader) Read(p []byte) (int, error) {
	n, err := x.z.Read(p)
	if errors.Is(err, io.EOF) && !isXZFooter(x.tail.last) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// xzFooter is the size of the end of an xz stream: a checksum of the six bytes that follow it, and two letters.
const xzFooter = 12

func isXZFooter(b []byte) bool {
	b = bytes.TrimRight(b, "\x00") // padding
	if len(b) < xzFooter {
		return false
	}
	b = b[len(b)-xzFooter:]
	return string(b[10:]) == "YZ" && binary.LittleEndian.Uint32(b) == crc32.ChecksumIEEE(b[4:10])
}

// A tail keeps the end of the data that was read through it.
type tail struct {
	r    io.Reader
	last []byte
}

// tailSize is large enough for a footer and the zero bytes after it.
const tailSize = 4096

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.last = append(t.last, p[max(0, n-tailSize):n]...)
	if extra := len(t.last) - tailSize; extra > 0 {
		t.last = append(t.last[:0], t.last[extra:]...)
	}
	return n, err
}
