package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// BenchmarkRead reads text that is in memory: what it reports is the speed of
// the parsers alone.
func BenchmarkRead(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	write := map[string]func(io.Writer){
		"arc":  func(w io.Writer) { fmt.Fprintf(w, "%d 1 0 %d\n", rng.IntN(1e6), rng.IntN(1e6)) },
		"lirs": func(w io.Writer) { fmt.Fprintf(w, "%d\n", rng.IntN(1e5)) },
		"keys": func(w io.Writer) { fmt.Fprintf(w, "user:%d\n", rng.IntN(1e5)) },
	}
	for _, format := range []string{"arc", "lirs", "keys"} {
		b.Run(format, func(b *testing.B) {
			var text bytes.Buffer
			for text.Len() < 8<<20 {
				write[format](&text)
			}
			b.SetBytes(int64(text.Len()))
			batch := make([]Request, batchSize)
			for b.Loop() {
				r, err := NewReader("bench", bytes.NewReader(text.Bytes()), Options{Format: format})
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = r.Read(batch)
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}
