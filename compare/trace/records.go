package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// records splits a binary trace into records of equal size.
type records struct {
	r          io.Reader
	size       int
	buf        []byte
	start, end int
	offset     int64 // of the next record
	err        error // what r returned; final
}

func newRecords(r io.Reader, size int) *records {
	return &records{r: r, size: size, buf: make([]byte, size*(64<<10/size))}
}

// next returns the next record. The record is valid until the next call.
func (r *records) next() ([]byte, error) {
	for r.end-r.start < r.size {
		if r.err != nil {
			return nil, r.last()
		}
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
		var n int
		n, r.err = r.r.Read(r.buf[r.end:])
		r.end += n
	}
	record := r.buf[r.start : r.start+r.size]
	r.start += r.size
	r.offset += int64(r.size)
	return record, nil
}

func (r *records) last() error {
	switch rest := r.end - r.start; {
	case !errors.Is(r.err, io.EOF):
		return fmt.Errorf("offset %d: %w", r.offset, r.err)
	case rest > 0:
		return &malformed{offset: r.offset, want: fmt.Sprintf("a record of %d bytes, found only %d: the trace is torn", r.size, rest)}
	}
	return io.EOF
}

// ids reads records that are big-endian keys: of 4 bytes in the traces of cache2k's benchmarks, of 8 bytes in
// Caffeine's Corda traces.
type ids struct {
	*records
}

func (x *ids) Read(batch []Request) (int, error) {
	for n := range batch {
		record, err := x.next()
		if err != nil {
			return n, err
		}
		if x.size == 4 {
			batch[n] = Request{Key: uint64(binary.BigEndian.Uint32(record))}
		} else {
			batch[n] = Request{Key: binary.BigEndian.Uint64(record)}
		}
	}
	return len(batch), nil
}

func openCache2k(r io.Reader, _ Options) (Source, error) { return &ids{newRecords(r, 4)}, nil }
func openCorda(r io.Reader, _ Options) (Source, error)   { return &ids{newRecords(r, 8)}, nil }

// oracle reads libCacheSim's oracleGeneral. A record is little-endian: time in seconds (4 bytes), key (8), size (4) and
// the number of the next request for the key (8).
type oracle struct {
	*records
}

const oracleSize = 24

func (o *oracle) Read(batch []Request) (int, error) {
	for n := range batch {
		record, err := o.next()
		if err != nil {
			return n, err
		}
		batch[n] = Request{
			Time: time.Duration(binary.LittleEndian.Uint32(record)) * time.Second,
			Key:  binary.LittleEndian.Uint64(record[4:]),
			Size: int64(binary.LittleEndian.Uint32(record[12:])),
		}
	}
	return len(batch), nil
}

func openOracle(r io.Reader, _ Options) (Source, error) {
	return &oracle{newRecords(r, oracleSize)}, nil
}

// sniffOracle checks that the time never decreases, and that each next request is a later request for the same key if
// it is within the beginning.
func sniffOracle(b beginning) bool {
	n := len(b.data) / oracleSize
	if n == 0 || b.complete && len(b.data)%oracleSize != 0 {
		return false
	}
	key := func(i int) uint64 { return binary.LittleEndian.Uint64(b.data[i*oracleSize+4:]) }
	before := uint32(0)
	for i := range n {
		record := b.data[i*oracleSize:]
		now := binary.LittleEndian.Uint32(record)
		next := int64(binary.LittleEndian.Uint64(record[16:]))
		switch {
		case now < before:
			return false
		case next == -1 || next == math.MaxInt64: // never
		case next <= int64(i) || next > 1<<48:
			return false
		case next < int64(n) && key(int(next)) != key(i) && key(int(next)-1) != key(i): // counted from 0 or from 1
			return false
		}
		before = now
	}
	return true
}

// sniffCache2k accepts numbers that fit into 3 of the 4 bytes.
func sniffCache2k(b beginning) bool {
	if b.text || len(b.data) < 4 || b.complete && len(b.data)%4 != 0 || sniffCorda(b) {
		return false
	}
	for i := 0; i+4 <= len(b.data); i += 4 {
		if b.data[i] != 0 {
			return false
		}
	}
	return true
}

// sniffCorda accepts numbers that fit into 4 of the 8 bytes, and hashes of which some repeat. It rejects words of both
// kinds.
func sniffCorda(b beginning) bool {
	if b.text || len(b.data) < 8 || b.complete && len(b.data)%8 != 0 {
		return false
	}
	n, small, hashes, repeated := len(b.data)/8, 0, 0, 0
	seen := map[uint64]bool{}
	for i := range n {
		word := b.data[8*i : 8*i+8]
		if bytes.Count(word, []byte{0})+bytes.Count(word, []byte{0xff}) < 4 {
			hashes++ // but for one in ten thousand
		}
		key := binary.BigEndian.Uint64(word)
		if key>>32 == 0 {
			small++
		}
		if seen[key] {
			repeated++
		}
		seen[key] = true
	}
	return small == n || hashes >= n-n/1000 && repeated > n/50
}
