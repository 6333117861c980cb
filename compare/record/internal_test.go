package record

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cachepact/cachepact/compare/internal/recording"
)

// A disk that is full does no harm to the program. What it costs is counted, and
// when there is room again recording goes on in the same file.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("SKIPPED: there is no /dev/full here:", err)
	}
	defer full.Close()
	out := &rotation{path: filepath.Join(t.TempDir(), "file"), maxBytes: minBytes, maxFiles: 2}
	r, err := newRecorder(out, minBuffer)
	if err != nil {
		t.Fatal(err)
	}
	r.close() // from here on this goroutine writes
	file, err := os.OpenFile(out.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	record := func(f *os.File, n int) {
		out.file = f
		for i := range n {
			r.add(op{key: uint64(i), kind: recording.Set})
		}
		r.drain()
	}
	record(file, 5)
	record(full, 7)
	record(file, 11)
	if s := r.status(); s.Written != 16 || s.Dropped != 7 || !errors.Is(s.Err, syscall.ENOSPC) {
		t.Errorf("status %+v; want 16 written, 7 dropped, %v", s, syscall.ENOSPC)
	}
	f, err := os.Open(out.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := recording.NewDecoder(f)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil; n++ {
		_, err = d.Next()
	}
	if n-1 != 16 || d.Dropped != 7 || d.Torn {
		t.Errorf("the file has %d operations, %d dropped, torn %v; want 16, 7", n-1, d.Dropped, d.Torn)
	}
}
