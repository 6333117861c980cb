// Package bytecache makes a backend of a cache library that stores bytes under strings or bytes. It encodes keys and
// values, provides scratch memory for them, and decides when to look for expired entries.
package bytecache

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/keycode"
	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// A Library is a cache library. Names are encoded keys. Names and entries may be on the caller's stack, so the
// methods must not keep them. After Close all methods return [backend.ErrClosed].
type Library interface {
	// Get returns the entry of a name. It may return memory of buf.
	Get(name string, buf []byte) (entry []byte, hit bool, err error)
	// Set stores an entry. It may change the first Config.Lead bytes of the entry. The moment is that of the Put.
	Set(name string, entry []byte, deadline int64, moment expiry.Reading) error
	// Remove removes the entry of a name, if there is one.
	Remove(name string) error
	// Clear removes all entries.
	Clear() error
	// Stats returns the statistics without hits, and counts as misses the Gets that returned no hit.
	Stats() (backend.Stats, error)
	// Close removes all entries for good. It is called once.
	Close() error
}

// A Lister is a Library that can list its entries.
type Lister interface {
	Library
	// Names returns the names of all entries.
	Names() []string
	// Peek is Get, but it counts nothing and returns new memory.
	Peek(name string) (entry []byte, hit bool)
}

// A Config says what a Backend must know of its Library.
type Config struct {
	Name   string       // of the adapter's package, for errors
	Clock  expiry.Clock // of the deadlines
	Limits Limits
	Bound  backend.Bound
	Lead   int // bytes of each entry that belong to the library; they come first

	// KeepsNames says that code of the user may keep the names, so that they must not be on the stack.
	KeepsNames bool
	// NewMemory says that the library's Get always returns new memory.
	NewMemory bool
}

// Limits are the largest key and the largest value in bytes. One entry may have both.
type Limits struct{ Key, Value int }

// Backend is a [backend.Backend] over a Library. Each adapter's Backend embeds one.
type Backend[K comparable, V any] struct {
	config Config
	lib    Library
	once   sync.Once // closes lib; a second Close waits for the first
	closed atomic.Bool

	keys   *keycode.Encoder[K]
	values codec.Codec[V]
	decode func(data []byte) (V, error) // may keep data
	given  bool                         // the codec is the user's
	read   memory
	// smallKeys and smallValues say that a key, or a whole entry, has at most Small bytes.
	smallKeys, smallValues bool

	hits    spread.Tally
	expired atomic.Uint64 // Gets that found an expired entry
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// memory says which memory Get reads an entry into.
type memory uint8

const (
	onStack   memory = iota // entries have at most Small bytes, and values do not keep them
	newMemory               // values keep the memory of their entries
	pooled                  // values do not keep the memory of their entries
)

// New returns a backend that encodes values with the codec, or with the default codec for V if it is nil. It fails if
// a K cannot be a key or if the default codec cannot carry a V. It calls open last. The argument of open says whether
// all entries have at most [Small] bytes.
func New[K comparable, V any](
	config Config, values codec.Codec[V], open func(small bool) (Library, error),
) (*Backend[K, V], error) {
	b := &Backend[K, V]{config: config, values: values, given: values != nil}
	var err error
	if b.keys, err = keycode.New[K](); err != nil {
		return nil, b.fail("new", err)
	}
	if !b.given {
		if b.values, err = codec.Default[V](); err != nil {
			return nil, b.fail("new", err)
		}
	}
	b.decode = codec.Owned(b.values)
	b.smallKeys = b.keys.Fixed() > 0 && b.keys.Fixed() <= Small
	b.smallValues = codec.Fixed(b.values)
	switch {
	case config.NewMemory || codec.Owns(b.values):
		b.read = newMemory
	case !b.smallValues:
		b.read = pooled
	}
	if b.lib, err = open(b.smallValues); err != nil {
		return nil, b.fail("new", err)
	}
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (V, bool, error) {
	value, _, hit, err := b.get(key)
	return value, hit, err
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	value, deadline, hit, err := b.get(key)
	if !hit {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: value, Deadline: b.config.Clock.Time(deadline)}, true, nil
}

func (b *Backend[K, V]) get(key K) (value V, deadline int64, hit bool, err error) {
	if name, ok := b.keys.Raw(key); ok {
		return b.getName(name)
	}
	var scratch [Small]byte
	name, err := b.keys.Append(scratch[:0], key)
	if err != nil {
		return value, 0, false, b.fail("get", err)
	}
	return b.getName(b.shown(name))
}

func (b *Backend[K, V]) getName(name string) (value V, deadline int64, hit bool, err error) {
	if len(name) > b.config.Limits.Key {
		return value, 0, false, b.fail("get", b.checkKey(name))
	}
	var entry []byte
	switch b.read {
	case newMemory:
		entry, hit, err = b.lib.Get(name, nil)
	case onStack:
		var scratch [Small]byte
		entry, hit, err = b.lib.Get(name, unescaped(scratch[:0]))
	default:
		return b.getPooled(name) // apart, because defer slows down the other cases
	}
	if err != nil {
		return value, 0, false, b.fail("get", err)
	}
	if !hit {
		return value, 0, false, nil
	}
	return b.valueOf(entry)
}

func (b *Backend[K, V]) getPooled(name string) (value V, deadline int64, hit bool, err error) {
	buf := GetBuffer()
	defer buf.Release()
	entry, hit, err := b.lib.Get(name, buf.Spare[:0])
	if cap(entry) > cap(buf.Spare) {
		buf.Spare = entry
	}
	if !hit || err != nil {
		return value, 0, false, b.fail("get", err)
	}
	return b.valueOf(entry)
}

// valueOf returns the value and the deadline of an entry that the library has found.
func (b *Backend[K, V]) valueOf(entry []byte) (value V, deadline int64, hit bool, err error) {
	deadline, data := Split(entry[b.config.Lead:])
	if b.config.Clock.Expired(deadline) {
		b.expired.Add(1)
		return value, 0, false, nil
	}
	if value, err = b.decode(data); err != nil {
		return value, 0, false, b.fail("get", b.hide("decode", err))
	}
	b.hits.Add()
	return value, deadline, true, nil
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if b.closed.Load() {
		return b.fail("put", backend.ErrClosed)
	}
	return b.fail("put", b.put(key, value, ttl))
}

func (b *Backend[K, V]) put(key K, value V, ttl *time.Duration) error {
	if name, ok := b.keys.Raw(key); ok {
		return b.putName(name, value, ttl)
	}
	if !b.smallKeys {
		return b.withName(key, func(name string) error { return b.putName(name, value, ttl) })
	}
	var scratch [Small]byte
	name, err := b.keys.Append(scratch[:0], key)
	if err != nil {
		return err
	}
	return b.putName(b.shown(name), value, ttl)
}

func (b *Backend[K, V]) putName(name string, value V, ttl *time.Duration) error {
	if err := b.checkKey(name); err != nil {
		return err
	}
	deadline, moment := expiry.Never, b.config.Clock.Reading()
	if ttl != nil {
		if *ttl <= 0 {
			return b.lib.Remove(name)
		}
		deadline = moment.Deadline(*ttl)
	}
	if !b.smallValues {
		return b.putLarge(name, value, deadline, moment)
	}
	var scratch [Small]byte
	head := appendDeadline(scratch[:b.config.Lead], deadline)
	// A codec of numbers does not keep its argument, does not fail, and appends at most eight bytes.
	entry, _ := b.values.Append(unescaped(head), value)
	return b.setOrRemove(name, entry, deadline, moment)
}

// putLarge is putName for values whose entries may have any size.
func (b *Backend[K, V]) putLarge(name string, value V, deadline int64, moment expiry.Reading) error {
	buf := GetBuffer()
	defer buf.Release()
	var lead [maxLead]byte
	head := appendDeadline(append(buf.entry[:0], lead[:b.config.Lead]...), deadline)
	entry, err := b.values.Append(head, value)
	if err != nil {
		err = b.hide("encode", err)
	} else {
		buf.entry = entry
		if size := len(entry) - len(head); size > b.config.Limits.Value {
			err = tooLarge("value", size, b.config.Limits.Value)
		}
	}
	if err != nil {
		_ = b.lib.Remove(name) // fails only after Close
		return err
	}
	return b.setOrRemove(name, entry, deadline, moment)
}

// setOrRemove leaves no earlier entry if the library does not store the entry.
func (b *Backend[K, V]) setOrRemove(name string, entry []byte, deadline int64, moment expiry.Reading) error {
	err := b.lib.Set(name, entry, deadline, moment)
	if err != nil {
		_ = b.lib.Remove(name)
	}
	return err
}

// Invalidate implements [backend.Backend].
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key == nil {
		return b.fail("invalidate", b.lib.Clear())
	}
	if b.closed.Load() {
		return b.fail("invalidate", backend.ErrClosed)
	}
	if name, ok := b.keys.Raw(*key); ok {
		return b.fail("invalidate", b.remove(name))
	}
	return b.fail("invalidate", b.withName(*key, b.remove))
}

func (b *Backend[K, V]) remove(name string) error {
	if err := b.checkKey(name); err != nil {
		return err
	}
	return b.lib.Remove(name)
}

// withName calls f with the name of a key in memory of a buffer.
func (b *Backend[K, V]) withName(key K, f func(name string) error) error {
	buf := GetBuffer()
	defer buf.Release()
	name, err := b.keys.Append(buf.key[:0], key)
	if err != nil {
		return err
	}
	buf.key = name
	return f(b.shown(name))
}

// Stats implements [backend.Backend].
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	s, err := b.lib.Stats()
	if err != nil {
		return backend.Stats{}, b.fail("stats", err)
	}
	s.Counters[backend.CounterHits] = b.hits.Sum()
	s.Counters[backend.CounterMisses] += b.expired.Load()
	return s, nil
}

// All implements All for an adapter whose library is a [Lister]. It lists the names at once, and reads each entry
// before it yields it. It skips entries that the codec cannot decode.
func All[K comparable, V any](b *Backend[K, V]) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		lib := b.lib.(Lister)
		for _, name := range lib.Names() {
			if b.closed.Load() {
				return
			}
			entry, hit := lib.Peek(name)
			if !hit {
				continue
			}
			deadline, data := Split(entry[b.config.Lead:])
			if b.config.Clock.Expired(deadline) {
				continue
			}
			key, err := b.keys.Decode(Bytes(name))
			if err != nil {
				continue // unreachable: Put encoded the key
			}
			if value, err := b.decode(data); err == nil && !yield(key, value) {
				return
			}
		}
	}
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Bound: b.config.Bound, MaxKey: b.config.Limits.Key, MaxValue: b.config.Limits.Value}
}

// Close removes all entries and implements [io.Closer].
func (b *Backend[K, V]) Close() (err error) {
	b.once.Do(func() {
		b.closed.Store(true)
		err = b.fail("close", b.lib.Close())
	})
	return err
}

// shown returns a name to pass to the library. The bytes may be on the stack, and stay there unless KeepsNames is
// set.
func (b *Backend[K, V]) shown(name []byte) string {
	if b.config.KeepsNames {
		return string(name)
	}
	return unsafe.String(noescape(unsafe.SliceData(name)), len(name))
}

func (b *Backend[K, V]) checkKey(name string) error {
	if len(name) > b.config.Limits.Key {
		return tooLarge("key", len(name), b.config.Limits.Key)
	}
	return nil
}

func tooLarge(what string, size, limit int) error {
	return fmt.Errorf("%w: %s of %d bytes: want at most %d", backend.ErrTooLarge, what, size, limit)
}

// hide hides the text of an error of the user's codec, because the text may contain the value.
func (b *Backend[K, V]) hide(op string, err error) error {
	if _, ok := err.(*codec.Error); ok || !b.given { //nolint:errorlint // an error that wraps one has its own text
		return err
	}
	return &codec.Error{Op: op, Cause: err}
}

func (b *Backend[K, V]) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", b.config.Name, op, err)
}
