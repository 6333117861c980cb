package trace

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzRead reads anything as any format. A reader may refuse, but it must end,
// and it must not fill more than it says.
func FuzzRead(f *testing.F) {
	for _, content := range []string{
		"1 1 0 0\n2 3 0 1\n", "1\n*\n\n2\r\n", "a\nb\n", "", "\x00\x00\x00\x01", "BZh91AY&SY",
	} {
		for i := range len(formats) + 1 {
			f.Add([]byte(content), uint8(i))
		}
		for _, packed := range pack(f, content) {
			f.Add([]byte(packed), uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, format uint8) {
		var o Options
		if i := int(format) % (len(formats) + 1); i > 0 {
			o.Format = formats[i-1].name
		}
		r, err := NewReader("fuzz", bytes.NewReader(content), o)
		if err != nil {
			return
		}
		defer r.Close()
		total := 0
		batch := make([]Request, 7)
		for err == nil && total < 1<<16 {
			var n int
			n, err = r.Read(batch)
			if n < 0 || n > len(batch) || (n == 0 && err == nil) {
				t.Fatalf("Read = %d, %v", n, err)
			}
			total += n
		}
		if errors.Is(err, io.EOF) && total == 0 {
			t.Fatal("a trace without requests is no error")
		}
	})
}
