// Package zoo has correct caches of many architectures, each written without a look at
// the caches of this module. The conformance suite must accept all of them: they test
// that it raises no false alarm.
//
// The package has only tests, so that no program can import it.
package zoo

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

var long = flag.Bool("long", false, "run the whole suite over the cache whose Stats is slow, which takes minutes")

type cache = backend.Backend[string, []byte]

// An architecture is a cache that the suite must accept.
type architecture struct {
	name   string
	traits backend.Traits
	real   bool // it cannot live in a bubble
	build  func(conformance.Options) cache
}

var architectures = []architecture{
	{"sharded", backend.Traits{Bound: backend.BoundApproximate}, false, newSharded},
	{"sharded-tight", backend.Traits{Bound: backend.BoundApproximate}, false, newTight},
	{"syncmap", backend.Traits{Bound: backend.BoundNone, SizeLag: time.Second}, false, newSyncMap},
	{"actor", backend.Traits{}, false, newActor},
	{"copy-on-write", backend.Traits{Values: backend.ByReference}, false, newCopied},
	{"ring", backend.Traits{Bound: backend.BoundApproximate, MaxKey: 1<<16 - 1, MaxValue: 3 << 20}, false, newRing},
	{"admission", backend.Traits{Rejects: true, Values: backend.ByReference}, false, newAdmitting},
	{"write-behind", backend.Traits{NeedsSync: true, Bound: backend.BoundNone}, false, newBehind},
	{"timers", backend.Traits{Bound: backend.BoundNone, Values: backend.ByReference}, false, newTimers},
	{"tiers", backend.Traits{Bound: backend.BoundNone, Values: backend.ByReference}, false, newTiers},
	{"remote", backend.Traits{Bound: backend.BoundNone}, false, newPiped},
	{"remote-tcp", backend.Traits{Bound: backend.BoundNone}, true, newDialed},
	{"decorated", backend.Traits{Values: backend.ByReference}, false, newDecorated},
	{"seconds", backend.Traits{ExpiryLag: time.Second, SizeLag: 2 * time.Second, Bound: backend.BoundNone, Values: backend.ByReference}, false, newSeconds},
	{"doorkept", backend.Traits{Rejects: true, Values: backend.ByReference}, false, newDoorkept},
	{"tallied", backend.Traits{Values: backend.ByReference}, false, newTallied},
	{"weighed", backend.Traits{Values: backend.ByReference}, true, newWeighed},
}

// brief are the checks of a slow architecture that run without -long.
var brief = map[string][]string{"weighed": {"stats/counters", "ttl/overwrite/refresh-races-stats"}}

// With -short only these architectures are tested.
var short = []string{"sharded", "actor", "admission"}

// The suite accepts every architecture.
func TestCorrect(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			if testing.Short() && !slices.Contains(short, a.name) {
				t.Skip("slow")
			}
			s := conformance.Subject[string, []byte]{
				Name: a.name, Traits: a.traits, RealTime: a.real,
				New: func(o conformance.Options) (cache, error) { return a.build(o), nil },
			}
			if !*long {
				s.Only = brief[a.name]
			}
			conformance.Run(t, s)
		})
	}
}

// never is a deadline that does not come.
const never = math.MaxInt64

// until returns the moment at which a TTL ends.
func until(ttl *time.Duration) int64 {
	if ttl == nil {
		return never
	}
	now := time.Now().UnixNano()
	if int64(*ttl) > never-now {
		return never
	}
	return now + int64(*ttl)
}

func over(ttl *time.Duration) bool { return ttl != nil && *ttl <= 0 }
func past(deadline int64) bool     { return deadline != never && time.Now().UnixNano() >= deadline }

// fail makes the error of a method.
func fail(what string, err error) error { return fmt.Errorf("zoo: %s: %w", what, err) }

// background does on each tick what f does, until the returned function ends it.
func background(every time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				f()
			}
		}
	}()
	return func() { close(quit); <-done }
}
