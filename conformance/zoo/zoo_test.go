// Package zoo holds caches of many architectures, each written as somebody would
// write it who has never seen this module's own, and each with switches for the
// mistakes that its architecture invites. The suite must accept them all as they
// are, and catch every mistake by the rule it breaks.
//
// There are only tests here, so that no program links any of it.
package zoo

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

var long = flag.Bool("long", false, "run the whole suite over a cache whose Stats is slow, which takes minutes")

// bug is the mistake that a cache of the zoo makes; the empty bug is none.
type bug string

type (
	cache   = backend.Backend[string, []byte]
	builder func(bug, conformance.Options) cache
)

// An animal is an architecture.
type animal struct {
	name   string
	traits backend.Traits
	real   bool // it cannot live in a bubble
	build  builder
	bugs   map[bug]string // the rules they break
}

var animals = []animal{
	{"sharded", backend.Traits{Bound: backend.BoundApproximate}, false, newSharded, shardedBugs},
	{"sharded-tight", backend.Traits{Bound: backend.BoundApproximate}, false, newTight, nil},
	{"syncmap", backend.Traits{Bound: backend.BoundNone, SizeLag: time.Second}, false, newSyncMap, syncMapBugs},
	{"actor", backend.Traits{}, false, newActor, actorBugs},
	{"copy-on-write", backend.Traits{Values: backend.ByReference}, false, newCopied, copiedBugs},
	{"ring", backend.Traits{Bound: backend.BoundApproximate, MaxKey: 1<<16 - 1, MaxValue: 3 << 20}, false, newRing, ringBugs},
	{"admission", backend.Traits{Rejects: true, Values: backend.ByReference}, false, newAdmitting, admittingBugs},
	{"write-behind", backend.Traits{NeedsSync: true, Bound: backend.BoundNone}, false, newBehind, behindBugs},
	{"timers", backend.Traits{Bound: backend.BoundNone, Values: backend.ByReference}, false, newTimers, timerBugs},
	{"tiers", backend.Traits{Bound: backend.BoundNone, Values: backend.ByReference}, false, newTiers, tierBugs},
	{"remote", backend.Traits{Bound: backend.BoundNone}, false, newPiped, remoteBugs},
	{"remote-tcp", backend.Traits{Bound: backend.BoundNone}, true, newDialed, nil},
	{"decorated", backend.Traits{Values: backend.ByReference}, false, newDecorated, decoratedBugs},
	{"seconds", backend.Traits{ExpiryLag: time.Second, SizeLag: 2 * time.Second, Bound: backend.BoundNone, Values: backend.ByReference}, false, newSeconds, secondsBugs},
	{"doorkept", backend.Traits{Rejects: true, Values: backend.ByReference}, false, newDoorkept, nil},
	{"tallied", backend.Traits{Values: backend.ByReference}, false, newTallied, nil},
	{"weighed", backend.Traits{Values: backend.ByReference}, true, newWeighed, nil},
}

// brief has what is run of a slow animal without -long.
var brief = map[string][]string{"weighed": {"stats/counters", "ttl/overwrite/refresh-races-stats"}}

func (a animal) subject(b bug) conformance.Subject[string, []byte] {
	return conformance.Subject[string, []byte]{
		Name: strings.TrimSuffix(a.name+" "+string(b), " "), Traits: a.traits, RealTime: a.real,
		New: func(o conformance.Options) (cache, error) { return a.build(b, o), nil },
	}
}

// The suite raises no false alarm over any architecture.
func TestCorrect(t *testing.T) {
	for _, a := range animals {
		t.Run(a.name, func(t *testing.T) {
			s := a.subject("")
			if !*long {
				s.Only = brief[a.name]
			}
			conformance.Run(t, s)
		})
	}
}

// Every mistake is caught by the rule it breaks.
func TestBugs(t *testing.T) {
	if raceEnabled {
		t.Skip("what tells mistakes apart is not what the race detector sees")
	}
	for _, a := range animals {
		for b, rules := range a.bugs {
			t.Run(a.name+"/"+string(b), func(t *testing.T) { caught(t, a, b, strings.Fields(rules)) })
		}
	}
}

func caught(t *testing.T, a animal, b bug, rules []string) {
	t.Helper()
	s := a.subject(b)
	s.Timeout = 3 * time.Second
	s.Only = rules
	if !slices.Contains(rules, "hit/keys") {
		s.Keys.N = 50_000 // spares the check for weak hashes, which is slow
	}
	for try := range 5 { // some show only when goroutines meet
		r := conformance.Check(s)
		if r.Error != "" {
			t.Fatalf("the suite could not test it: %s", r.Error)
		}
		if !r.OK() {
			t.Logf("at try %d: %s", try, r.Failed()[0].Detail)
			return
		}
	}
	t.Errorf("not caught by %v", rules)
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

func past(deadline int64) bool { return deadline != never && time.Now().UnixNano() >= deadline }

// fail makes the error of a method.
func fail(what string, err error) error { return fmt.Errorf("zoo: %s: %w", what, err) }

var errCrossed = errors.New("connection reset")

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
