package mycache_test

import (
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"

	"example.com/mycache"
)

func TestCache(t *testing.T) {
	conformance.Run(t, conformance.Subject[string, string]{
		New: func(conformance.Options) (backend.Backend[string, string], error) { return mycache.New(), nil },
	})
}
