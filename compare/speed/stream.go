package speed

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// A stream is requests worked out beforehand, the same for every contestant. It is a
// whole number of batches long.
type stream struct {
	keys []uint64
	ops  []trace.Op
}

// batch is how many requests in a row a goroutine takes from a stream, and after how
// many it looks at the clock: so many that neither costs anything, and so few that
// the goroutines together keep the order of the requests.
const batch = 256

// streamed is the number of requests of a stream at most. Its slices must not be
// over in one pass through it too soon, and a process for each contestant holds it.
const streamed = 1 << 21

// hitKeys is the number of keys at most in the case in which all requests hit.
const hitKeys = 1 << 16

// workloadStream returns the first requests of a load.
func workloadStream(l *load.Load) (stream, error) {
	var s stream
	for seg, err := range l.Segments(load.BatchSize) {
		if err != nil {
			return stream{}, err
		}
		ops := seg.Ops
		if ops == nil {
			ops = make([]trace.Op, len(seg.Keys))
		}
		s.keys, s.ops = append(s.keys, seg.Keys...), append(s.ops, ops...)
		if len(s.keys) >= streamed {
			break
		}
	}
	return s.whole(), nil
}

// whole makes s a whole number of batches long: it repeats what is shorter than one,
// and cuts off what is over.
func (s stream) whole() stream {
	for n := len(s.keys); n > 0 && len(s.keys) < batch; {
		s.keys, s.ops = append(s.keys, s.keys[:n]...), append(s.ops, s.ops[:n]...)
	}
	n := min(len(s.keys), streamed) / batch * batch
	return stream{s.keys[:n], s.ops[:n]}
}

// hitStream returns requests for keys that a cache can have all, as popular as those
// of the workload are. Each operation is drawn by the mix.
func (s stream) hitStream(mix report.Mix, seed uint64) stream {
	rng := rand.New(rand.NewPCG(seed, 1))
	ids := map[uint64]uint64{}
	hit := stream{make([]uint64, len(s.keys)), make([]trace.Op, len(s.keys))}
	for i, key := range s.keys {
		id, ok := ids[key]
		if !ok {
			id = uint64(len(ids)) % hitKeys
			ids[key] = id
		}
		hit.keys[i], hit.ops[i] = contest.Mix(id), draw(rng, mix)
		if hit.ops[i] == trace.Delete {
			hit.keys[i] = contest.Mix(absent + id) // that no Get asks for
		}
	}
	return hit
}

// missStream returns Gets for keys of which none comes twice.
func missStream(n int) stream {
	s := stream{make([]uint64, n), make([]trace.Op, n)}
	for i := range s.keys {
		s.keys[i] = contest.Mix(uint64(i))
	}
	return s.whole()
}

// absent is above the numbers of all keys of streams.
const absent = 1 << 40

func draw(rng *rand.Rand, mix report.Mix) trace.Op {
	switch x := rng.Float64(); {
	case x < mix.Puts:
		return trace.Set
	case x < mix.Puts+mix.Invalidates:
		return trace.Delete
	}
	return trace.Get
}

// mix returns the shares of the operations. What changes a value counts as Put.
func (s stream) mix() report.Mix {
	var n [4]int
	for _, op := range s.ops {
		n[op]++
	}
	total := max(1, float64(len(s.ops)))
	return report.Mix{
		Gets:        float64(n[trace.Get]) / total,
		Puts:        float64(n[trace.Set]+n[trace.Update]) / total,
		Invalidates: float64(n[trace.Delete]) / total,
	}
}

// save writes s to a file from which processes load it.
func (s stream) save(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	ops := make([]byte, len(s.ops))
	for i, op := range s.ops {
		ops[i] = byte(op)
	}
	for _, part := range []any{uint64(len(s.keys)), s.keys, ops} {
		if err == nil {
			err = binary.Write(w, binary.LittleEndian, part)
		}
	}
	return errors.Join(err, w.Flush(), f.Close())
}

func loadStream(file string) (s stream, err error) {
	f, err := os.Open(file)
	if err != nil {
		return s, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	var n uint64
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil || n == 0 || n > streamed {
		return s, fmt.Errorf("%s: not a stream of requests", file)
	}
	s = stream{make([]uint64, n), make([]trace.Op, n)}
	if err := binary.Read(r, binary.LittleEndian, s.keys); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	ops := make([]byte, n)
	if _, err := io.ReadFull(r, ops); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	for i, op := range ops {
		s.ops[i] = trace.Op(op)
	}
	return s, nil
}
