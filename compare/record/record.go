// Package record records the operations of a program on its cache, for compare to replay.
//
//	users, err := record.New(cache, record.Options[User]{File: "users.rec"})
//
// The program uses users in place of cache. Later, or on another machine:
//
//	cachepact compare hits --trace users.rec
//
// # What is written
//
// The file has one record for each Get, Put and Invalidate that returned no error: a hash of the key, the operation,
// whether a Get hit, the size of the value, the TTL and the time. It contains no keys and no values. The hashes depend
// on a random secret for each file, which is never written. A key can therefore not be computed from a file, and not
// be recognised in another file.
//
// # What it costs
//
// Operations pass through a buffer of fixed size to one goroutine, which writes them. The program never waits for the
// file: if the buffer is full, operations are left out and counted, in [Status] and in the file. The file is written
// in blocks, at least once a second while there are operations. A crash loses at most the last block.
package record

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/recording"
)

// Options tells where and how to record.
type Options[V any] struct {
	// File is the path of the file to write. It is required. An existing file of this
	// name is kept and renamed by rotation.
	File string

	// MaxBytes is the size at which a file is full. The recorder then renames File to
	// File.1, File.1 to File.2 and so on, and begins a new File. Zero means 256 MiB.
	MaxBytes int64

	// MaxFiles is the largest number of files, File included. The recorder removes the
	// oldest file. Zero means 8.
	MaxFiles int

	// Size returns the size of a value in bytes. The default is the length of a string
	// or byte slice, and the size in memory of a type without pointers. For other types
	// no size is recorded.
	Size func(V) int

	// Buffer is the largest number of operations that wait to be written. Each takes 64
	// bytes. Zero means 32,768.
	Buffer int
}

const (
	defaultBytes  = 256 << 20
	defaultFiles  = 8
	defaultBuffer = 1 << 15
	minBytes      = 64 << 10
	maxFiles      = 1000
	minBuffer     = 1 << 10
	maxBuffer     = 1 << 26
)

// Backend is a [backend.Backend] whose operations are recorded. [backend.As] finds the optional interfaces of the
// wrapped backend. Backend itself implements those that read or write entries, so that their use is recorded too.
type Backend[K comparable, V any] struct {
	inner  backend.Backend[K, V]
	seed   maphash.Seed
	size   func(V) int
	rec    *recorder
	closed atomic.Bool
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Batcher[string, any]     = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns a recording decorator of b. It fails if an option is out of range or the file cannot be written. The
// caller must call Close, which also closes b.
func New[K comparable, V any](b backend.Backend[K, V], o Options[V]) (*Backend[K, V], error) {
	if b == nil {
		return nil, errors.New("record: new: the backend is nil")
	}
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("record: new: %w", err)
	}
	rec, err := newRecorder(&rotation{path: o.File, maxBytes: o.MaxBytes, maxFiles: o.MaxFiles}, o.Buffer)
	if err != nil {
		return nil, fmt.Errorf("record: new: %w", err)
	}
	return &Backend[K, V]{inner: b, seed: maphash.MakeSeed(), size: o.Size, rec: rec}, nil
}

// complete checks the options and sets the defaults.
func (o *Options[V]) complete() error {
	if o.File == "" {
		return errors.New("no File is given")
	}
	if o.Size == nil {
		o.Size = sizeOf[V]()
	}
	return errors.Join(
		complete("MaxBytes", &o.MaxBytes, defaultBytes, minBytes, math.MaxInt64),
		complete("MaxFiles", &o.MaxFiles, defaultFiles, 1, maxFiles),
		complete("Buffer", &o.Buffer, defaultBuffer, minBuffer, maxBuffer),
	)
}

func complete[N int | int64](name string, n *N, standard, least, most N) error {
	if *n == 0 {
		*n = standard
	}
	if *n < least || *n > most {
		return fmt.Errorf("%s is %d, not in [%d, %d]", name, *n, least, most)
	}
	return nil
}

// sizeOf returns the default of [Options.Size].
func sizeOf[V any]() func(V) int {
	t := reflect.TypeFor[V]()
	size := int(t.Size())
	switch {
	case t.Kind() == reflect.String:
		return func(v V) int { return len(*(*string)(unsafe.Pointer(&v))) }
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return func(v V) int { return len(*(*[]byte)(unsafe.Pointer(&v))) }
	case flat(t):
		return func(V) int { return size }
	}
	return func(V) int { return 0 }
}

// flat reports whether a type has no pointers.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	case reflect.Array:
		return flat(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if !flat(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(ctx context.Context, key K) (value V, hit bool, err error) {
	if b.closed.Load() {
		return value, false, fail("get")
	}
	value, hit, err = b.inner.Get(ctx, key)
	if err == nil {
		b.got(key, value, hit)
	}
	return value, hit, err
}

// Put implements [backend.Backend]. A Put with a TTL of zero or less is recorded as an Invalidate.
func (b *Backend[K, V]) Put(ctx context.Context, key K, value V, ttl *time.Duration) error {
	if b.closed.Load() {
		return fail("put")
	}
	err := b.inner.Put(ctx, key, value, ttl)
	if err == nil {
		b.stored(key, value, ttl)
	}
	return err
}

// Invalidate implements [backend.Backend].
func (b *Backend[K, V]) Invalidate(ctx context.Context, key *K) error {
	if b.closed.Load() {
		return fail("invalidate")
	}
	err := b.inner.Invalidate(ctx, key)
	switch {
	case err != nil:
	case key == nil:
		b.rec.add(op{kind: recording.Clear})
	default:
		b.rec.add(op{key: b.hash(*key), kind: recording.Delete})
	}
	return err
}

// Stats implements [backend.Backend]. Calls are not recorded.
func (b *Backend[K, V]) Stats(ctx context.Context) (backend.Stats, error) {
	if b.closed.Load() {
		return backend.Stats{}, fail("stats")
	}
	return b.inner.Stats(ctx)
}

// GetEntry implements [backend.EntryGetter]. It is recorded as a Get. If the wrapped backend is not an EntryGetter, the
// error wraps [errors.ErrUnsupported].
func (b *Backend[K, V]) GetEntry(ctx context.Context, key K) (backend.Entry[V], bool, error) {
	if b.closed.Load() {
		return backend.Entry[V]{}, false, fail("get entry")
	}
	entry, hit, err := backend.GetEntry(ctx, b.inner, key)
	if err == nil {
		b.got(key, entry.Value, hit)
	}
	return entry, hit, err
}

// GetMany implements [backend.Batcher]. It is recorded as a Get of each key, if
// there is no error.
func (b *Backend[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	if b.closed.Load() {
		return nil, fail("get many")
	}
	hits, err := backend.GetMany(ctx, b.inner, keys)
	if err == nil {
		for _, key := range keys {
			value, hit := hits[key]
			b.got(key, value, hit)
		}
	}
	return hits, err
}

// PutMany implements [backend.Batcher]. It is recorded as a Put of each item, if
// there is no error.
func (b *Backend[K, V]) PutMany(ctx context.Context, items []backend.Item[K, V]) error {
	if b.closed.Load() {
		return fail("put many")
	}
	err := backend.PutMany(ctx, b.inner, items)
	if err == nil {
		for _, it := range items {
			b.stored(it.Key, it.Value, it.TTL)
		}
	}
	return err
}

// Unwrap returns the wrapped backend.
func (b *Backend[K, V]) Unwrap() backend.Backend[K, V] { return b.inner }

// Close closes the wrapped backend, writes the remaining operations and closes the file. It returns the error of the
// wrapped backend or of the file; [Status] has the latter too. Operations that run during Close may be missing from
// the file.
func (b *Backend[K, V]) Close() error {
	if b.closed.Swap(true) {
		b.rec.wait()
		return nil
	}
	err := backend.Close(b.inner)
	b.rec.close()
	return errors.Join(err, b.Recording().Err)
}

// A Status describes a recording.
type Status struct {
	// Written counts the operations in the files. Dropped counts the operations that are
	// missing because they came too fast or could not be written.
	Written, Dropped uint64
	// Bytes is the number of bytes written, those in removed files included.
	Bytes int64
	// Err is the first error of writing, or nil. The recorder tries again with each block.
	Err error
}

// Recording returns the status of the recording.
func (b *Backend[K, V]) Recording() Status { return b.rec.status() }

func (b *Backend[K, V]) got(key K, value V, hit bool) {
	if hit {
		b.rec.add(op{key: b.hash(key), kind: recording.Hit, size: b.sizeOf(value)})
	} else {
		b.rec.add(op{key: b.hash(key), kind: recording.Miss})
	}
}

func (b *Backend[K, V]) stored(key K, value V, ttl *time.Duration) {
	switch o := (op{key: b.hash(key), kind: recording.Set}); {
	case ttl != nil && *ttl <= 0:
		o.kind = recording.Delete
		b.rec.add(o)
	case ttl != nil:
		o.ttl = *ttl
		fallthrough
	default:
		o.size = b.sizeOf(value)
		b.rec.add(o)
	}
}

// hash returns a hash that the recorder turns into the hash of the file.
func (b *Backend[K, V]) hash(key K) uint64 { return maphash.Comparable(b.seed, key) }

func (b *Backend[K, V]) sizeOf(value V) uint32 {
	return uint32(min(max(b.size(value), 0), math.MaxUint32))
}

func fail(what string) error {
	return fmt.Errorf("record: %s: %w", what, backend.ErrClosed)
}
