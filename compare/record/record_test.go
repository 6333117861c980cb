package record_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/record"
	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/conformance"
)

// A recorded cache keeps the contract that the cache keeps.
func TestConformance(t *testing.T) {
	dir, n := t.TempDir(), 0
	conformance.Run(t, conformance.Subject[string, []byte]{
		Only: onlyIfShort(),
		New: func(o conformance.Options) (backend.Backend[string, []byte], error) {
			b, err := memory.New[string, []byte](memory.Options{Capacity: o.Capacity})
			if err != nil {
				return nil, err
			}
			n++
			return record.New(b, record.Options[[]byte]{File: filepath.Join(dir, fmt.Sprint(n)), Buffer: 1 << 10})
		},
	})
}

func onlyIfShort() []string {
	if testing.Short() {
		return []string{"close", "hit/put"}
	}
	return nil
}

// open returns a recorded cache, and the file that it is recorded to.
func open[V any](t *testing.T, o record.Options[V]) (*record.Backend[string, V], string) {
	t.Helper()
	if o.File == "" {
		o.File = filepath.Join(t.TempDir(), "file")
	}
	b, err := memory.New[string, V](memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.New(b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, o.File
}

// read returns the requests in a file, with the keys numbered in order of
// appearance, and what is missing.
func read(t *testing.T, file string) (all []trace.Request, keys []uint64, warnings []string) {
	t.Helper()
	r, err := trace.Open(file, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if all, err = trace.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	for i, q := range all {
		n := slices.Index(keys, q.Key)
		if n < 0 {
			n = len(keys)
			keys = append(keys, q.Key)
		}
		all[i].Key = uint64(n)
	}
	return all, keys, r.Warnings()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What a program does is what compare reads.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b, _ := open(t, record.Options[string]{File: file})
		for _, do := range []func() error{
			func() error { _, _, err := b.Get(ctx, "a"); return err },
			func() error { return b.Put(ctx, "a", "value", nil) },
			func() error { _, _, err := b.Get(ctx, "a"); return err },
			func() error { return b.Put(ctx, "b", "longer value", new(5*time.Minute)) },
			func() error { return b.Put(ctx, "a", "x", new(time.Duration(0))) },
			func() error { return backend.InvalidateKey(ctx, b, "b") },
			func() error { return backend.InvalidateAll(ctx, b) },
			func() error {
				return b.PutMany(ctx, []backend.Item[string, string]{{Key: "c", Value: "22", TTL: new(time.Hour)}})
			},
			func() error { _, err := b.GetMany(ctx, []string{"e"}); return err },
			func() error { _, _, err := b.GetEntry(ctx, "c"); return err },
			b.Close,
		} {
			must(t, do())
			time.Sleep(time.Second)
		}
	})
	got, _, warnings := read(t, file)
	want := []trace.Request{
		{Key: 0},
		{Key: 0, Op: trace.Set, Size: 5},
		{Key: 0, Hit: true, Size: 5},
		{Key: 1, Op: trace.Set, Size: 12, TTL: 5 * time.Minute},
		{Key: 0, Op: trace.Delete},
		{Key: 1, Op: trace.Delete},
		{Time: time.Second, Key: 2, Op: trace.Set, Size: 2, TTL: time.Hour},
		{Time: time.Second, Key: 3},
		{Time: time.Second, Key: 2, Hit: true, Size: 2},
	}
	for i := range want {
		want[i].Time += time.Duration(i) * time.Second
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "1 times all keys were invalidated") {
		t.Errorf("warnings %q; want one, of the keys invalidated", warnings)
	}
}

// What failed did not happen, and is not recorded.
func TestErrorsAreNotRecorded(t *testing.T) {
	b, err := memory.New[any, int](memory.Options{})
	must(t, err)
	file := filepath.Join(t.TempDir(), "file")
	r, err := record.New(b, record.Options[int]{File: file})
	must(t, err)
	if err := r.Put(t.Context(), []int{1}, 1, nil); !errors.Is(err, backend.ErrKey) {
		t.Errorf("Put of a key that is none: %v; want %v", err, backend.ErrKey)
	}
	must(t, r.Put(t.Context(), "k", 1, nil))
	must(t, r.Close())
	if all, _, _ := read(t, file); len(all) != 1 {
		t.Errorf("%d requests; want 1", len(all))
	}
}

// Each file has hashes of its own, and no key in it.
func TestSecret(t *testing.T) {
	const key = "a key that must not be found"
	var hashes []uint64
	for range 2 {
		b, file := open(t, record.Options[string]{})
		must(t, b.Put(t.Context(), key, "a value that must not be found", nil))
		must(t, b.Close())
		data, err := os.ReadFile(file)
		must(t, err)
		if strings.Contains(string(data), "must not") {
			t.Error("the file contains a key or a value")
		}
		_, keys, _ := read(t, file)
		hashes = append(hashes, keys...)
	}
	if hashes[0] == hashes[1] {
		t.Error("a key has the same hash in two files")
	}
}

// Full files are renamed and the oldest removed. Each can be read alone, and has
// hashes of its own.
func TestRotation(t *testing.T) {
	const keys, files = 40_000, 3
	b, file := open(t, record.Options[int]{MaxBytes: 64 << 10, MaxFiles: files, Buffer: 1 << 17})
	for i := range keys {
		must(t, b.Put(t.Context(), fmt.Sprint("key ", i), i, nil))
	}
	must(t, b.Put(t.Context(), "key 0", 0, nil))
	must(t, b.Close())
	names, err := filepath.Glob(file + "*")
	must(t, err)
	if want := []string{file, file + ".1", file + ".2"}; !slices.Equal(names, want) {
		t.Fatalf("files %q; want %q", names, want)
	}
	total := 0
	seen := map[uint64]string{}
	for _, name := range names {
		all, hashes, warnings := read(t, name)
		total += len(all)
		for _, h := range hashes {
			if seen[h] != "" {
				t.Errorf("a hash is in %s and in %s", seen[h], name)
			}
			seen[h] = name
		}
		if len(warnings) > 0 {
			t.Errorf("%s: warnings %q; want none", name, warnings)
		}
	}
	s := b.Recording()
	if s.Written != keys+1 || s.Dropped != 0 || s.Err != nil || s.Bytes < 64<<10*files {
		t.Errorf("status %+v; want %d written", s, keys+1)
	}
	if total >= keys || total == 0 {
		t.Errorf("%d requests in the files that are left; want some of %d", total, keys)
	}
}

// A file that is there when recording begins is not lost.
func TestKeepsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("precious"), 0o600))
	b, _ := open(t, record.Options[int]{File: file})
	must(t, b.Close())
	if data, err := os.ReadFile(file + ".1"); err != nil || string(data) != "precious" {
		t.Errorf("file.1 is %q, %v; want what file was", data, err)
	}
}

// What does not fit into memory is left out and counted, and the program goes on.
func TestDropped(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a writer on another core can keep up with the program
	file := filepath.Join(t.TempDir(), "file")
	synctest.Test(t, func(t *testing.T) { // no interval ends while the program runs
		b, _ := open(t, record.Options[int]{File: file, Buffer: 1 << 10})
		for range 1000 {
			_, _, err := b.Get(t.Context(), "one key")
			must(t, err)
		}
		if s := b.Recording(); s.Written+s.Dropped > 1000 || s.Dropped == 0 {
			t.Errorf("status %+v; want some of 1000 left out", s)
		}
		must(t, b.Close())
		if s := b.Recording(); s.Written+s.Dropped != 1000 || s.Err != nil {
			t.Errorf("status %+v; want 1000 operations", s)
		}
	})
	all, _, warnings := read(t, file)
	if len(all) == 0 || len(warnings) != 1 || !strings.Contains(warnings[0], "left out") {
		t.Errorf("%d requests, warnings %q; want one, of those left out", len(all), warnings)
	}
}

func TestNoDirectory(t *testing.T) {
	b, err := memory.New[string, int](memory.Options{})
	must(t, err)
	if _, err := record.New(b, record.Options[int]{File: filepath.Join(t.TempDir(), "no", "file")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("New in no directory: %v; want %v", err, fs.ErrNotExist)
	}
}

func TestBadOptions(t *testing.T) {
	b, err := memory.New[string, int](memory.Options{})
	must(t, err)
	file := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		o    record.Options[int]
		want string
	}{
		{record.Options[int]{}, "no File is given"},
		{record.Options[int]{File: file, MaxBytes: -1}, "MaxBytes is -1"},
		{record.Options[int]{File: file, MaxBytes: 1000}, "MaxBytes is 1000"},
		{record.Options[int]{File: file, MaxFiles: -1}, "MaxFiles is -1"},
		{record.Options[int]{File: file, Buffer: 7}, "Buffer is 7"},
		{record.Options[int]{File: file, Buffer: 1 << 40}, "Buffer is"},
	} {
		if _, err := record.New(b, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v): %v; want an error with %q", tt.o, err, tt.want)
		}
	}
	if _, err := record.New[string, int](nil, record.Options[int]{File: file}); err == nil {
		t.Error("New(nil): no error")
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("New with bad options made a file: %v", err)
	}
}

type pair struct{ A, B int32 }

func TestSizes(t *testing.T) {
	size := func(t *testing.T, run func(ctx context.Context, file string)) int64 {
		file := filepath.Join(t.TempDir(), "file")
		run(t.Context(), file)
		all, _, _ := read(t, file)
		return all[0].Size
	}
	if got := size(t, put[[]byte](t, []byte("abc"), nil)); got != 3 {
		t.Errorf("size of 3 bytes is %d", got)
	}
	if got := size(t, put(t, pair{}, nil)); got != 8 {
		t.Errorf("size of a struct of 8 bytes is %d", got)
	}
	if got := size(t, put(t, map[int]int{}, nil)); got != 0 {
		t.Errorf("size of a map is %d; want 0, not known", got)
	}
	if got := size(t, put(t, &pair{}, func(*pair) int { return 77 })); got != 77 {
		t.Errorf("size by a function of 77 is %d", got)
	}
	if got := size(t, put(t, 1, func(int) int { return -5 })); got != 0 {
		t.Errorf("size by a function of -5 is %d; want 0", got)
	}
}

func put[V any](t *testing.T, value V, size func(V) int) func(context.Context, string) {
	return func(ctx context.Context, file string) {
		b, _ := open(t, record.Options[V]{File: file, Size: size})
		must(t, b.Put(ctx, "k", value, nil))
		must(t, b.Close())
	}
}

// Many goroutines record while the file is rotated, and nothing is counted twice
// or not at all.
func TestConcurrent(t *testing.T) {
	b, _ := open(t, record.Options[int]{MaxBytes: 64 << 10, Buffer: 1 << 12})
	const goroutines, each = 8, 5000
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				key := fmt.Sprint(g, i%100)
				if err := b.Put(t.Context(), key, i, nil); err != nil {
					t.Error(err)
				}
				if _, _, err := b.Get(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, b.Close())
	if s := b.Recording(); s.Written+s.Dropped != 2*goroutines*each || s.Err != nil {
		t.Errorf("status %+v; want %d operations", s, 2*goroutines*each)
	}
}

// A process that is killed leaves all that was written.
func TestCrash(t *testing.T) {
	const operations = 20_000
	if file := os.Getenv("RECORD_CRASH"); file != "" {
		b, _ := open(t, record.Options[int]{File: file, Buffer: 1 << 17})
		for i := range operations {
			must(t, b.Put(t.Context(), fmt.Sprint(i), i, nil))
		}
		for b.Recording().Written < operations {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("written")
		for i := 0; ; i++ {
			_, _, _ = b.Get(t.Context(), fmt.Sprint(i))
		}
	}
	self, err := os.Executable()
	must(t, err)
	file := filepath.Join(t.TempDir(), "file")
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), "RECORD_CRASH="+file)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var line [8]byte
	_, err = out.Read(line[:])
	must(t, err)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed
	all, _, _ := read(t, file)
	if len(all) < operations || string(line[:7]) != "written" {
		t.Errorf("%d requests after a crash, %q; want at least %d", len(all), line, operations)
	}
	for i, q := range all[:operations] {
		if q.Op != trace.Set {
			t.Fatalf("request %d is %v; want a set", i, q.Op)
		}
	}
}

func TestUnwrap(t *testing.T) {
	b, _ := open(t, record.Options[int]{})
	if got := backend.TraitsOf(b); got.Values != backend.ByReference {
		t.Errorf("traits %+v; want those of the cache behind", got)
	}
	must(t, b.Put(t.Context(), "k", 1, nil))
	all, err := backend.All(b)
	must(t, err)
	n := 0
	for range all {
		n++
	}
	if n != 1 {
		t.Errorf("All yields %d entries; want 1", n)
	}
}
