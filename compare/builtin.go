package compare

import (
	"github.com/cachepact/cachepact/adapters"
	"github.com/cachepact/cachepact/backend"
)

// Builtin returns the caches of this module's adapters.
func Builtin() []Contestant {
	var all []Contestant
	bytes := adapters.All[uint64, []byte]()
	for i, a := range adapters.All[uint64, uint64]() {
		all = append(all, Contestant{
			Name: a.Name, Module: a.Module, LRU: a.Eviction == adapters.LRU, Bytes: a.Bound == adapters.Bytes, Note: a.Note,
			New:      func(o Options) (backend.Backend[uint64, uint64], error) { return a.New(adapters.Options(o)) },
			NewBytes: func(o Options) (backend.Backend[uint64, []byte], error) { return bytes[i].New(adapters.Options(o)) },
		})
	}
	return all
}
