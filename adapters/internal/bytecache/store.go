package bytecache

import (
	"time"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A Store is what an adapter does with the names of keys, which have been checked,
// and with entries. It keeps neither.
type Store interface {
	// Set stores an entry, of which it may write the lead. The moment is that of the
	// Put.
	Set(name string, entry []byte, deadline int64, moment expiry.Reading) error
	// Remove removes the entry of a name, if there is one.
	Remove(name string) error
}

// Put stores a value in s, as the contract says of Put.
func (c *Coder[K, V]) Put(s Store, key K, value V, ttl *time.Duration) error {
	if name, ok := c.keys.Raw(key); ok {
		return c.put(s, name, value, ttl)
	}
	if !c.small {
		return c.named(key, func(name string) error { return c.put(s, name, value, ttl) })
	}
	var room [Small]byte
	name, err := c.keys.Append(room[:0], key)
	if err != nil {
		return err
	}
	return c.put(s, c.Shown(name), value, ttl)
}

// named calls f with the bytes of a key in memory of a buffer.
func (c *Coder[K, V]) named(key K, f func(name string) error) error {
	buf := GetBuffer()
	defer buf.Release()
	name, err := c.keys.Append(buf.key[:0], key)
	if err != nil {
		return err
	}
	buf.key = name
	return f(c.Shown(name))
}

func (c *Coder[K, V]) put(s Store, name string, value V, ttl *time.Duration) error {
	if err := c.Limits.CheckKey(name); err != nil {
		return err
	}
	deadline, moment := expiry.Never, c.Clock.Reading()
	if ttl != nil {
		if *ttl <= 0 {
			return s.Remove(name)
		}
		deadline = moment.Deadline(*ttl)
	}
	if c.read != ReadSmall {
		return c.putLarge(s, name, value, deadline, moment)
	}
	var room [Small]byte
	head := appendDeadline(append(room[:0], c.Lead...), deadline)
	entry, _ := c.values.Append(unescaped(head), value) // a codec of numbers keeps nothing, never fails and adds at most eight bytes
	return setOrRemove(s, name, entry, deadline, moment)
}

// putLarge is put for a value whose entry may have any size.
func (c *Coder[K, V]) putLarge(s Store, name string, value V, deadline int64, moment expiry.Reading) error {
	buf := GetBuffer()
	defer buf.Release()
	head := appendDeadline(append(buf.entry[:0], c.Lead...), deadline)
	entry, err := c.values.Append(head, value)
	if err != nil {
		err = c.hide("encode", err)
	} else {
		buf.entry = entry
		err = c.Limits.CheckValue(len(entry) - len(head))
	}
	if err != nil {
		_ = s.Remove(name) // it fails only when closed
		return err
	}
	return setOrRemove(s, name, entry, deadline, moment)
}

func setOrRemove(s Store, name string, entry []byte, deadline int64, moment expiry.Reading) error {
	err := s.Set(name, entry, deadline, moment)
	if err != nil {
		_ = s.Remove(name)
	}
	return err
}

// Invalidate removes the entry of key from s.
func (c *Coder[K, V]) Invalidate(s Store, key K) error {
	if name, ok := c.keys.Raw(key); ok {
		return c.remove(s, name)
	}
	return c.named(key, func(name string) error { return c.remove(s, name) })
}

func (c *Coder[K, V]) remove(s Store, name string) error {
	if err := c.Limits.CheckKey(name); err != nil {
		return err
	}
	return s.Remove(name)
}

// Shown returns a name for others to see. The bytes may be on the stack, where they
// stay unless NamesKept is set.
func (c *Coder[K, V]) Shown(name []byte) string {
	if c.NamesKept {
		return string(name)
	}
	return Unescaped(name)
}
