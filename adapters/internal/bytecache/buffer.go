package bytecache

import "sync"

// A Buffer is scratch memory for the key and the entries of one call.
type Buffer struct {
	key, entry []byte
	// Spare is for an entry that is read.
	Spare []byte
}

var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// GetBuffer returns a buffer that nobody else uses.
func GetBuffer() *Buffer { return buffers.Get().(*Buffer) }

// Release gives b back. What was made of b must not be used any more.
func (b *Buffer) Release() {
	if cap(b.key)+cap(b.entry)+cap(b.Spare) <= maxKept {
		buffers.Put(b)
	}
}

// maxKept is the size from which a buffer is not worth keeping.
const maxKept = 256 << 10

// Small is room enough for the key of a number, and for an entry of one with
// whatever an adapter puts before it.
const Small = 64
