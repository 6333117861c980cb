package bytecache

import (
	"encoding/binary"
	"sync"
	"unsafe"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// An entry begins with its deadline: eight bytes with the top bit set, or one zero byte if it has no deadline. The
// encoded value follows.

const (
	// Header is the most bytes that an entry has before the encoded value, without the library's Lead.
	Header = 8
	// Small is enough for the key of a number, and for the entry of a number with any Lead.
	Small = 64

	maxLead     = 8
	hasDeadline = 1 << 7 // in the first byte
)

func appendDeadline(dst []byte, deadline int64) []byte {
	if deadline == expiry.Never {
		return append(dst, 0)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(deadline)|hasDeadline<<56)
}

// Split returns the deadline of an entry and the bytes of its value.
func Split(entry []byte) (deadline int64, data []byte) {
	switch {
	case len(entry) > 0 && entry[0] == 0:
		return expiry.Never, entry[1:]
	case len(entry) >= Header:
		return int64(binary.BigEndian.Uint64(entry) &^ (hasDeadline << 56)), entry[Header:]
	}
	return expiry.Never, nil // unreachable: Put wrote the entry
}

// A Buffer is scratch memory for one call.
type Buffer struct {
	key, entry []byte
	// Spare is for an entry that is read.
	Spare []byte
}

var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// GetBuffer returns a buffer that no other call uses.
func GetBuffer() *Buffer { return buffers.Get().(*Buffer) }

// Release gives b back. The caller must not use memory of b any more.
func (b *Buffer) Release() {
	if cap(b.key)+cap(b.entry)+cap(b.Spare) <= maxKept {
		buffers.Put(b)
	}
}

// maxKept is the largest buffer that is kept.
const maxKept = 256 << 10

// Bytes returns the bytes of name. The caller must not change them.
func Bytes(name string) []byte { return unsafe.Slice(unsafe.StringData(name), len(name)) }

// unescaped returns b. It hides from the compiler that b is passed to a library, so that b stays on the stack. The
// library must not keep b.
func unescaped(b []byte) []byte { return unsafe.Slice(noescape(unsafe.SliceData(b)), cap(b))[:len(b)] }

// noescape hides p from escape analysis. checkptr is off, because its call could move the stack while the address is
// only in u.
//
//go:nocheckptr
func noescape(p *byte) *byte {
	u := uintptr(unsafe.Pointer(p))
	return *(**byte)(unsafe.Pointer(&u))
}
