package ristcore

import (
	"math"
	"reflect"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// never is the due time of an entry without a deadline. It is later than every other due time.
const never int64 = math.MaxInt64

// An Entry is the value that the library stores under a hash. It holds the key, because the library knows only the
// hash. It points to the payload, so that a Put over the entry swaps the pointer and need not call the library.
type Entry[K comparable, V any] struct {
	key  K
	hash uint64

	// payload becomes nil when the entry is dropped, and stays nil.
	payload atomic.Pointer[payload[V]]
	// first is the initial payload. The entry and its first payload are one allocation.
	first payload[V]

	// cell is where the stripe lists the entry. The goroutine that drops the entry clears the cell.
	cell *atomic.Pointer[Entry[K, V]]

	// due is the entry's key in the stripe's heap: no later than its deadline, or never if the entry is not in the
	// heap. It is written under the index lock.
	due atomic.Int64
	at  int // position in the heap or -1; guarded by the index lock

	// The next two fields belong to the list of pending entries.
	older atomic.Pointer[Entry[K, V]]
	order uint64 // the library has the entry once it has applied this many inserts; guarded by the insert lock
}

type payload[V any] struct {
	value    V
	deadline int64
}

// Hash returns the hash of the entry's key.
func (e *Entry[K, V]) Hash() uint64 { return e.hash }

// due returns the due time of a deadline.
func due(deadline int64) int64 {
	if deadline == expiry.Never {
		return never
	}
	return deadline
}

// hasPointers reports whether a value of type t can keep other memory alive.
func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if hasPointers(f.Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.String,
		reflect.UnsafePointer:
		return true
	default:
		return false
	}
}

// cells list entries. One goroutine at a time adds. Any goroutine may clear a cell at any time, without a lock.
type cells[K comparable, V any] struct {
	pages [][]atomic.Pointer[Entry[K, V]]
	rest  []atomic.Pointer[Entry[K, V]] // the part of the current page that add has not tried yet
	page  int                           // index of the current page
	n     int                           // cells in all pages
}

// probes is the number of cells that add tries before it adds a page. When as many entries are added as removed,
// about one cell in eight stays free.
const probes = 32

func (c *cells[K, V]) add(e *Entry[K, V]) {
	for range probes {
		if len(c.rest) == 0 {
			if c.n == 0 {
				break
			}
			c.page = (c.page + 1) % len(c.pages)
			c.rest = c.pages[c.page]
		}
		cell := &c.rest[0]
		c.rest = c.rest[1:]
		if cell.Load() == nil {
			e.cell = cell
			cell.Store(e)
			return
		}
	}
	c.rest = make([]atomic.Pointer[Entry[K, V]], max(8, c.n/8))
	c.n += len(c.rest)
	c.page = len(c.pages)
	c.pages = append(c.pages, c.rest)
	c.add(e)
}
