package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// file returns a file of blocks, and where each ends.
func file(blocks ...[]Op) (data []byte, ends []int) {
	data = AppendHeader(nil, time.Unix(7, 9))
	var e Encoder
	e.Reset()
	for i, ops := range blocks {
		for _, op := range ops {
			e.Add(op)
		}
		data = e.AppendBlock(data, uint64(i))
		ends = append(ends, len(data))
	}
	return data, ends
}

func read(data []byte) (ops []Op, d *Decoder, err error) {
	if d, err = NewDecoder(bytes.NewReader(data)); err != nil {
		return nil, nil, err
	}
	for {
		op, err := d.Next()
		if errors.Is(err, io.EOF) {
			return ops, d, nil
		}
		if err != nil {
			return ops, d, err
		}
		ops = append(ops, op)
	}
}

// random returns operations of every kind with odd numbers in them.
func random(n int) []Op {
	rng := rand.New(rand.NewPCG(1, 2))
	ops, now := make([]Op, n), time.Duration(0)
	odd := []int64{0, 1, 127, 128, 1 << 40, math.MaxInt64}
	for i := range ops {
		now += time.Duration(rng.IntN(1000)) * time.Microsecond
		ops[i] = Op{
			Key: uint64(rng.IntN(100)) * 0x9e3779b97f4a7c15, Kind: Kind(rng.IntN(int(kinds))), Time: now,
			Size: odd[rng.IntN(len(odd))], TTL: time.Duration(odd[rng.IntN(len(odd))]),
		}
		if ops[i].Kind == Clear {
			ops[i].Key = 0
		}
	}
	return ops
}

func TestRoundTrip(t *testing.T) {
	want := random(3 * MaxOps)
	data, _ := file(want[:MaxOps], want[MaxOps:2*MaxOps], want[2*MaxOps:], nil)
	got, d, err := read(data)
	if err != nil || d.Torn || !slices.Equal(got, want) {
		t.Fatalf("read %d operations, torn %v, %v; want the %d written", len(got), d.Torn, err, len(want))
	}
	if d.Dropped != 0+1+2+3 || !d.Start.Equal(time.Unix(7, 9)) {
		t.Errorf("dropped %d, start %v; want 6, %v", d.Dropped, d.Start, time.Unix(7, 9))
	}
}

// The largest block must be one that a Decoder takes.
func TestMaxOps(t *testing.T) {
	ops := make([]Op, MaxOps)
	for i := range ops {
		ops[i] = Op{Key: uint64(i) << 50, Kind: Set, Size: math.MaxInt64, TTL: math.MaxInt64, Time: time.Duration(i) * time.Hour}
	}
	data, _ := file(ops)
	if got, _, err := read(data); err != nil || !slices.Equal(got, ops) {
		t.Errorf("read %d operations, %v; want %d", len(got), err, MaxOps)
	}
}

// Times that go back come out as the latest before.
func TestTimesNeverGoBack(t *testing.T) {
	data, _ := file([]Op{{Time: 5000}, {Time: 3000}, {Time: 4000}, {Time: 9999}})
	ops, _, err := read(data)
	var got []time.Duration
	for _, op := range ops {
		got = append(got, op.Time)
	}
	if want := []time.Duration{5000, 5000, 5000, 9000}; err != nil || !slices.Equal(got, want) {
		t.Errorf("times %v, %v; want %v", got, err, want)
	}
}

// A file that ends anywhere has all blocks that are whole.
func TestTorn(t *testing.T) {
	ops := random(30)
	data, ends := file(ops[:10], ops[10:20], ops[20:])
	for n := HeaderSize; n < len(data); n++ {
		whole, at := 0, slices.Contains(ends, n) || n == HeaderSize
		for _, end := range ends {
			if end <= n {
				whole += 10
			}
		}
		got, d, err := read(data[:n])
		if err != nil || !slices.Equal(got, ops[:whole]) || d.Torn == at {
			t.Fatalf("%d of %d bytes: %d operations, torn %v, %v; want %d, torn %v", n, len(data), len(got), d.Torn, err, whole, !at)
		}
	}
}

// A damaged byte is an error, but in the last block, which a crash may leave
// damaged.
func TestDamaged(t *testing.T) {
	ops := random(30)
	data, ends := file(ops[:10], ops[10:20], ops[20:])
	for i := HeaderSize; i < len(data); i++ {
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		got, d, err := read(bad)
		switch {
		case i < ends[1] && err == nil && !d.Torn:
			t.Fatalf("byte %d is damaged: no error", i)
		case i >= ends[1]+blockHead && (err != nil || !d.Torn || len(got) != 20):
			t.Fatalf("byte %d of the last block is damaged: %d operations, torn %v, %v; want 20, torn", i, len(got), d.Torn, err)
		case len(got) > 20 || !slices.Equal(got, ops[:len(got)]):
			t.Fatalf("byte %d is damaged: operations that were not written", i)
		}
	}
}

// FuzzDecoder reads any payload, with the right checksum.
func FuzzDecoder(f *testing.F) {
	data, ends := file(random(20), random(3))
	f.Add(data[HeaderSize+blockHead : ends[0]])
	f.Add(data[ends[0]+blockHead:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		data := AppendHeader(nil, time.Unix(0, 0))
		data = binary.LittleEndian.AppendUint32(data, uint32(len(payload)))
		data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(payload, table))
		ops, _, err := read(append(data, payload...))
		if err == nil && len(ops) > len(payload) {
			t.Errorf("%d operations in %d bytes", len(ops), len(payload))
		}
		for i, op := range ops {
			if op.Size < 0 || op.TTL < 0 || op.Kind >= kinds || i > 0 && op.Time < ops[i-1].Time {
				t.Fatalf("operation %d is %+v", i, op)
			}
		}
	})
}
