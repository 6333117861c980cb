package ristcore

import "sync/atomic"

// probes is how many cells are looked at for a free one before there are more. It
// leaves about one in eight free when as many entries come as go.
const probes = 32

// cells lists entries. One goroutine at a time adds; any may clear a cell at any
// time, without a lock.
type cells[K comparable, V any] struct {
	pages [][]atomic.Pointer[Entry[K, V]]
	rest  []atomic.Pointer[Entry[K, V]] // of the page of that number, to be looked at next
	page  int
	n     int
}

// add lists e.
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
	c.grow()
	c.add(e)
}

func (c *cells[K, V]) grow() {
	c.rest = make([]atomic.Pointer[Entry[K, V]], max(8, c.n/8))
	c.n += len(c.rest)
	c.page = len(c.pages)
	c.pages = append(c.pages, c.rest)
}
