package conformance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// The stack of a panic is the backend's part of it.
func TestMessage_Panic(t *testing.T) {
	s := wrapped(func(b *cache) backend.Backend[string, string] { return panicking{b} })
	s.Only = []string{"ttl/zero/removes"}
	detail := outcome(t, conformance.Check(s), "ttl/zero/removes").Detail
	_, stack, _ := strings.Cut(detail, "stacks:\n")
	if !strings.HasPrefix(stack, "panic(") || !strings.Contains(stack, "panicking.Put(") || strings.Contains(stack, "probe[") {
		t.Errorf("the stack does not lead from the panic to panicking.Put and no further:\n%s", detail)
	}
}

// literal takes the capacity it is given as it is, and so holds nothing for 0.
type literal struct {
	*cache
	capacity int
	panics   bool
}

func (l literal) Put(ctx context.Context, k, v string, ttl *time.Duration) error {
	if l.capacity == 0 {
		if l.panics {
			panic("no room")
		}
		ttl = new(time.Duration)
	}
	return l.cache.Put(ctx, k, v, ttl)
}

func TestMessage_NoRoom(t *testing.T) {
	for _, panics := range []bool{false, true} {
		s := subject{Only: []string{"hit/put/at-once", "hit/put/at-capacity"}, New: func(o conformance.Options) (backend.Backend[string, string], error) {
			b, err := newMemory[string, string](o)
			return literal{b.(*cache), o.Capacity, panics}, err
		}}
		r := conformance.Check(s)
		if got := outcome(t, r, "hit/put/at-once"); !strings.Contains(got.Detail, "hint: Options.Capacity = 0 asks for ample room") {
			t.Errorf("panics %v: the hint is missing:\n%s", panics, got.Detail)
		}
		if got := outcome(t, r, "hit/put/at-capacity"); got.Outcome != conformance.Pass {
			t.Errorf("panics %v: hit/put/at-capacity: %s", panics, got.Detail)
		}
	}
}

// keeping keeps the deadline of an earlier Put where there is no other.
type keeping struct {
	*cache
	end map[string]time.Time
}

func (b keeping) Put(ctx context.Context, k, v string, ttl *time.Duration) error {
	if ttl != nil && *ttl > 0 {
		b.end[k] = time.Now().Add(*ttl)
	} else if end, ok := b.end[k]; ok && ttl == nil {
		ttl = new(time.Until(end))
	}
	return b.cache.Put(ctx, k, v, ttl)
}

func TestMessage_EarlierTTL(t *testing.T) {
	s := wrapped(func(b *cache) backend.Backend[string, string] { return keeping{b, map[string]time.Time{}} })
	s.Only = []string{"ttl/overwrite/removes"}
	if got := outcome(t, conformance.Check(s), "ttl/overwrite/removes"); !strings.Contains(got.Detail, "hint: the TTL of an earlier Put of the key has ended") {
		t.Errorf("the hint is missing:\n%s", got.Detail)
	}
}
