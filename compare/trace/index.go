package trace

import "errors"

// An Index numbers keys from zero in the order of their first appearance. Data about keys then fits into a slice.
type Index struct {
	ids map[uint64]uint32
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{ids: map[uint64]uint32{}}
}

// maxKeys leaves the largest number free, which means "no key".
const maxKeys = 1<<32 - 1

// ID returns the number of key.
func (x *Index) ID(key uint64) (uint32, error) {
	if id, ok := x.ids[key]; ok {
		return id, nil
	}
	id := uint32(len(x.ids))
	if len(x.ids) >= maxKeys {
		return 0, errors.New("trace: more than 2³² distinct keys")
	}
	x.ids[key] = id
	return id, nil
}

// Len returns the number of distinct keys.
func (x *Index) Len() int { return len(x.ids) }
