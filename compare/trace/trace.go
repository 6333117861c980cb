// Package trace reads recorded requests to a cache.
//
// [Open] recognises compression and format by content, never by a file name. It
// streams: memory does not grow with the length of a trace. If it cannot read a trace,
// it returns an error that names the file, the line or offset, and the expected input.
// It never stops early without an error, and never returns a trace without requests.
//
// # Keys
//
// A key has 64 bits. Formats with numeric keys keep them. In formats with text keys,
// [KeyOf] maps a decimal number to that number and any other text to its 64-bit hash.
// Two of n different texts share a key with a probability of n²/2⁶⁵: one in 300 million
// for a million keys.
package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"
)

// An Op is the operation of a request.
type Op uint8

const (
	// Get reads a key.
	Get Op = iota
	// Set writes the value and the lifetime of a key.
	Set
	// Delete removes a key.
	Delete
	// Update changes the value of a present key and not its lifetime, like an increment.
	// It does nothing for an absent key.
	Update
)

// String returns the name of the operation in lower case.
func (o Op) String() string {
	switch o {
	case Get:
		return "get"
	case Set:
		return "set"
	case Delete:
		return "delete"
	case Update:
		return "update"
	}
	return "unknown"
}

// ops are the operations by their names in traces, in lower case.
var ops = map[string]Op{
	"get": Get, "gets": Get, "get_lease": Get,
	"set": Set, "put": Set, "add": Set, "replace": Set, "cas": Set, "set_lease": Set,
	"delete": Delete,
	"update": Update, "append": Update, "prepend": Update, "incr": Update, "decr": Update,
}

// parseOp reads the name of an operation in upper or lower case.
func parseOp(text []byte) (Op, bool) {
	var lower [16]byte
	if len(text) > len(lower) {
		return 0, false
	}
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	op, ok := ops[string(lower[:len(text)])]
	return op, ok
}

// A Request is one operation on one key. A field that a format does not record is zero.
type Request struct {
	Key  uint64
	Time time.Duration // by the trace's own clock, since its own zero
	TTL  time.Duration // of a write; zero means none
	Size int64         // of the value, in bytes
	Op   Op
	Hit  bool // of a Get, when it was recorded
	// Group is equal for keys that belong together. A trace with TTLs states groups by
	// the text before the first colon of a key, or by a column. Zero means unknown.
	Group uint32
}

// A Source yields requests in order.
type Source interface {
	// Read fills batch and returns the number of requests in it. At the end of the trace
	// it returns 0 and [io.EOF]. Any other error is final; the n requests that come with
	// it are valid.
	Read(batch []Request) (n int, err error)
}

// KeyOf returns the key of a text. If the text is the canonical decimal form of a number of 64 bits, the key is that
// number; otherwise it is a hash. "7" and "007" are different keys.
func KeyOf(text []byte) uint64 {
	if n, ok := parseUint(text); ok && (text[0] != '0' || len(text) == 1) {
		return n
	}
	return xxhash.Sum64(text)
}

// groupOf returns the Group of a name.
func groupOf(name []byte) uint32 {
	return uint32(xxhash.Sum64(name)) | 1
}

// prefixGroup returns the Group of a key such as user:7.
func prefixGroup(key []byte) uint32 {
	if i := bytes.IndexByte(key, ':'); i > 0 {
		return groupOf(key[:i])
	}
	return 0
}

// ReadAll returns every request of s.
func ReadAll(s Source) ([]Request, error) {
	var all []Request
	batch := make([]Request, batchSize)
	for {
		n, err := s.Read(batch)
		all = append(all, batch[:n]...)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

const batchSize = 512

// parseUint parses a text of digits only.
func parseUint(text []byte) (uint64, bool) {
	if len(text) == 0 {
		return 0, false
	}
	if len(text) > 19 {
		return parseLong(text)
	}
	var n uint64
	for _, c := range text {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

// parseLong is parseUint for numbers that may exceed 64 bits.
func parseLong(text []byte) (uint64, bool) {
	var n uint64
	for _, c := range text {
		d := uint64(c - '0')
		if d > 9 || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// malformed is the place at which a trace breaks its format.
type malformed struct {
	line   int64 // from 1, or 0 for a format without lines
	offset int64
	want   string
}

func (e *malformed) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("line %d: expected %s", e.line, e.want)
	}
	return fmt.Sprintf("offset %d: expected %s", e.offset, e.want)
}
