package ristcore

import "sync"

// nothing is a library that takes no entry, for one that could not be made.
type nothing[K comparable, V any] struct {
	lock  *sync.Mutex
	hooks Hooks[K, V]
}

func (n nothing[K, V]) Set(e *Entry[K, V]) bool {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.hooks.Applying(e)
	n.hooks.Rejected(e)
	return true
}

func (nothing[K, V]) Get(uint64) *Entry[K, V]  { return nil }
func (nothing[K, V]) Peek(uint64) *Entry[K, V] { return nil }
func (nothing[K, V]) Del(*Entry[K, V])         {}
func (nothing[K, V]) Wait()                    {}
func (nothing[K, V]) Close()                   {}
