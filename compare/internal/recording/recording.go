// Package recording is the file format that compare/record writes and
// compare/trace reads.
//
// A file begins with [Magic] and the time of its start, in nanoseconds since 1970
// (8 bytes, little-endian like all that follows). Then come blocks: the length of
// a payload and its CRC-32C (4 bytes each), and the payload. A block is written at
// once, so that a crash costs no more than the last one.
//
// A payload begins with three unsigned varints: the number of operations that the
// recorder had to leave out before this block, of distinct keys, and of
// operations. The keys follow, 8 bytes each, then the operations:
//
//	1 byte   kind in the lower 3 bits; bit 3: there is a size; bit 4: there is a TTL
//	uvarint  number of the key; absent for Clear
//	varint   microseconds since the operation before, or since the file's start
//	uvarint  size of the value in bytes, if any
//	uvarint  TTL in nanoseconds, if any
package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"
)

// Magic is the beginning of a file. Its last digit is the version of the format.
const Magic = "\x89CPREC1\n"

const (
	// HeaderSize is the number of bytes before the first block.
	HeaderSize = len(Magic) + 8
	// MaxPayload is the largest payload.
	MaxPayload = 1 << 20
	// MaxOps is the largest number of operations that always fits into a payload.
	MaxOps = 1 << 13

	blockHead = 8
	// maxStep is the largest number of microseconds between two operations: a century.
	maxStep = 100 * 365 * 24 * 3600 * 1e6
)

// A Kind is the kind of an operation and its result.
type Kind uint8

// The kinds.
const (
	Miss   Kind = iota // a Get that missed
	Hit                // a Get that hit
	Set                // a Put
	Delete             // an Invalidate of one key
	Clear              // an Invalidate of all keys
	kinds
)

const (
	kindBits = 1<<3 - 1
	hasSize  = 1 << 3
	hasTTL   = 1 << 4
)

// An Op is one operation.
type Op struct {
	Key  uint64
	Time time.Duration // since the file's start, in whole microseconds
	TTL  time.Duration // zero: none
	Size int64         // zero: none, or not known
	Kind Kind
}

var table = crc32.MakeTable(crc32.Castagnoli)

// AppendHeader appends the beginning of a file.
func AppendHeader(dst []byte, start time.Time) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, Magic...), uint64(start.UnixNano()))
}

// An Encoder makes blocks. Its memory is bounded.
type Encoder struct {
	// Hash is applied to the keys if it is not nil. It is called once for each key in a
	// block.
	Hash func(key uint64) uint64

	before time.Duration // time of the last operation
	number map[uint64]int
	keys   []byte
	ops    []byte
	count  int
}

// Reset removes the operations that were added and begins a file.
func (e *Encoder) Reset() {
	e.before = 0
	e.clear()
}

func (e *Encoder) clear() {
	if e.number == nil {
		e.number = map[uint64]int{}
	}
	clear(e.number)
	e.keys, e.ops, e.count = e.keys[:0], e.ops[:0], 0
}

// Len returns the number of operations in the current block.
func (e *Encoder) Len() int { return e.count }

// Add adds an operation to the current block, which holds at most [MaxOps].
func (e *Encoder) Add(op Op) {
	flags := byte(op.Kind)
	if op.Size > 0 {
		flags |= hasSize
	}
	if op.TTL > 0 {
		flags |= hasTTL
	}
	e.ops = append(e.ops, flags)
	if op.Kind != Clear {
		e.ops = binary.AppendUvarint(e.ops, uint64(e.key(op.Key)))
	}
	now := op.Time.Truncate(time.Microsecond)
	e.ops = binary.AppendVarint(e.ops, int64((now-e.before)/time.Microsecond))
	e.before = now
	if op.Size > 0 {
		e.ops = binary.AppendUvarint(e.ops, uint64(op.Size))
	}
	if op.TTL > 0 {
		e.ops = binary.AppendUvarint(e.ops, uint64(op.TTL))
	}
	e.count++
}

func (e *Encoder) key(key uint64) int {
	n, ok := e.number[key]
	if !ok {
		n = len(e.number)
		e.number[key] = n
		if e.Hash != nil {
			key = e.Hash(key)
		}
		e.keys = binary.LittleEndian.AppendUint64(e.keys, key)
	}
	return n
}

// AppendBlock appends the block and begins the next. Dropped is the number of
// operations left out before it.
func (e *Encoder) AppendBlock(dst []byte, dropped uint64) []byte {
	head := len(dst)
	dst = append(dst, make([]byte, blockHead)...)
	dst = binary.AppendUvarint(dst, dropped)
	dst = binary.AppendUvarint(dst, uint64(len(e.number)))
	dst = binary.AppendUvarint(dst, uint64(e.count))
	dst = append(append(dst, e.keys...), e.ops...)
	payload := dst[head+blockHead:]
	binary.LittleEndian.PutUint32(dst[head:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(dst[head+4:], crc32.Checksum(payload, table))
	e.clear()
	return dst
}

// A Decoder reads a file. Its memory is bounded.
type Decoder struct {
	// Start is when the file was begun.
	Start time.Time
	// Dropped is the number of operations that the recorder left out before what
	// has been read.
	Dropped uint64
	// Torn says that the file ends within a block, as after a crash. What is
	// before that has been read.
	Torn bool

	r      io.Reader
	offset int64         // of the next block
	time   time.Duration // of the last operation, as written
	latest time.Duration // of those so far
	buf    []byte
	block  []byte // what is left of the payload
	keys   []byte
	count  uint64 // operations left in the block
}

// NewDecoder reads the beginning of a file.
func NewDecoder(r io.Reader) (*Decoder, error) {
	head := make([]byte, HeaderSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(Magic)]) != Magic {
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errors.New("offset 0: expected the beginning of a recording")
		}
		return nil, err
	}
	start := int64(binary.LittleEndian.Uint64(head[len(Magic):]))
	return &Decoder{Start: time.Unix(0, start), r: r, offset: int64(HeaderSize)}, nil
}

// Next returns the next operation, or [io.EOF]. Times never go back.
func (d *Decoder) Next() (Op, error) {
	for d.count == 0 {
		if len(d.block) > 0 {
			return Op{}, d.malformed("the end of the block")
		}
		if err := d.next(); err != nil {
			return Op{}, err
		}
	}
	d.count--
	return d.op()
}

// next reads a block.
func (d *Decoder) next() error {
	var head [blockHead]byte
	if n, err := io.ReadFull(d.r, head[:]); err != nil {
		return d.end(n, err)
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size > MaxPayload {
		return d.malformed(fmt.Sprintf("a block of at most %d bytes", MaxPayload))
	}
	if cap(d.buf) < int(size) {
		d.buf = make([]byte, size)
	}
	payload := d.buf[:size]
	if n, err := io.ReadFull(d.r, payload); err != nil {
		return d.end(blockHead+n, err)
	}
	if crc32.Checksum(payload, table) != binary.LittleEndian.Uint32(head[4:]) {
		var more [1]byte
		if _, err := io.ReadFull(d.r, more[:]); err != nil {
			return d.end(1, err) // the last block, of which not all was written
		}
		return d.malformed("a block with its checksum")
	}
	if err := d.begin(payload); err != nil {
		return err
	}
	d.offset += blockHead + int64(size)
	return nil
}

// begin reads what a payload has before its operations.
func (d *Decoder) begin(payload []byte) error {
	d.block = payload
	dropped, ok1 := d.uvarint()
	keys, ok2 := d.uvarint()
	count, ok3 := d.uvarint()
	if !ok1 || !ok2 || !ok3 || keys > uint64(len(d.block))/8 {
		return d.malformed("a block")
	}
	d.Dropped += dropped
	d.keys, d.block, d.count = d.block[:8*keys], d.block[8*keys:], count
	return nil
}

func (d *Decoder) op() (op Op, err error) {
	if len(d.block) == 0 {
		return op, d.malformed("an operation")
	}
	flags := d.block[0]
	d.block = d.block[1:]
	if op.Kind = Kind(flags & kindBits); op.Kind >= kinds || flags>>5 != 0 {
		return op, d.malformed("an operation")
	}
	if op.Kind != Clear {
		i, ok := d.uvarint()
		if !ok || i >= uint64(len(d.keys))/8 {
			return op, d.malformed("the number of a key")
		}
		op.Key = binary.LittleEndian.Uint64(d.keys[8*i:])
	}
	step, w := binary.Varint(d.block)
	if w <= 0 || max(step, -step) > maxStep || d.time > math.MaxInt64/2 {
		return op, d.malformed("a time")
	}
	d.block = d.block[w:]
	d.time += time.Duration(step) * time.Microsecond
	d.latest = max(d.latest, d.time)
	op.Time = d.latest
	for _, f := range []struct {
		bit byte
		to  *int64
	}{{hasSize, &op.Size}, {hasTTL, (*int64)(&op.TTL)}} {
		if flags&f.bit == 0 {
			continue
		}
		n, ok := d.uvarint()
		if !ok || n > math.MaxInt64 {
			return op, d.malformed("a size or a TTL")
		}
		*f.to = int64(n)
	}
	return op, nil
}

func (d *Decoder) uvarint() (uint64, bool) {
	n, w := binary.Uvarint(d.block)
	if w <= 0 {
		return 0, false
	}
	d.block = d.block[w:]
	return n, true
}

// end returns what it means that a block ended after n bytes.
func (d *Decoder) end(n int, err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("offset %d: %w", d.offset, err)
	}
	d.Torn = d.Torn || n > 0
	d.block = nil
	return io.EOF
}

func (d *Decoder) malformed(want string) error {
	return fmt.Errorf("offset %d: expected %s", d.offset, want)
}
