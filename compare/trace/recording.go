package trace

import (
	"bytes"
	"fmt"
	"io"

	"github.com/cachepact/cachepact/compare/internal/recording"
)

// recorded reads a file that compare/record has written. It leaves out every Invalidate of all keys, because a Request
// has one key.
type recorded struct {
	*recording.Decoder
	clears int64
}

func (r *recorded) Read(batch []Request) (int, error) {
	for n := 0; n < len(batch); {
		op, err := r.Next()
		if err != nil {
			return n, err
		}
		q := Request{Key: op.Key, Time: op.Time, TTL: op.TTL, Size: op.Size}
		switch op.Kind {
		case recording.Hit:
			q.Hit = true
		case recording.Set:
			q.Op = Set
		case recording.Delete:
			q.Op = Delete
		case recording.Clear:
			r.clears++
			continue
		}
		batch[n] = q
		n++
	}
	return len(batch), nil
}

// warnings returns the known gaps of a recording.
func (r *recorded) warnings() (all []string) {
	if r.Torn {
		all = append(all, "the recording ends within a block, as after a crash: up to a second of requests is missing at its end")
	}
	if r.Dropped > 0 {
		all = append(all, fmt.Sprintf("the recorder left out %d operations that came too fast", r.Dropped))
	}
	if r.clears > 0 {
		all = append(all, fmt.Sprintf("%d times all keys were invalidated, which is not replayed", r.clears))
	}
	return all
}

func openRecording(r io.Reader, _ Options) (Source, error) {
	d, err := recording.NewDecoder(r)
	if err != nil {
		return nil, err
	}
	return &recorded{Decoder: d}, nil
}

func sniffRecording(b beginning) bool { return bytes.HasPrefix(b.data, []byte(recording.Magic)) }
