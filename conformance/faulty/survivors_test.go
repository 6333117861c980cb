package faulty_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/faulty"
)

var update = flag.Bool("update", false, "write testdata/survivors.golden anew, which takes a quarter of an hour")

// byChance are the faults that show only when goroutines meet, beside all of the
// group concurrent. Whether one survives says as much about luck as about a
// trait, so that they are not pinned.
const byChance = "PutInTwoSteps ValueAndTTLApart LateRemoval SweepInTwoSteps StatsSweepInTwoSteps TimerOfTheOldEntry ClosersRace CloseDoesNotWait " +
	"WeaklyHeld CountersLoseUpdates RemovedReturns QueuedDelTakesNextSet RacersOvershoot RacersMiscount"

// pinned are the faults whose survival is in the golden file.
func pinned() []faulty.Fault {
	return slices.DeleteFunc(faults(), func(f faulty.Fault) bool {
		return strings.HasPrefix(f.Rule, "concurrent/") || slices.Contains(strings.Fields(byChance), f.Name)
	})
}

// survives reports whether the whole suite accepts a fault in a backend that
// declares a trait. Most are caught by the rule they break, which is asked first.
func survives(f faulty.Fault, i int) bool {
	x := relaxed[i]
	if r := check(f.Name, f.Needs, x.traits, f.Rule); !r.OK() {
		return false
	}
	return check(f.Name, f.Needs, x.traits).OK()
}

// What a relaxed trait lets through is known: the golden file lists it. A run
// tries the pairs that are listed, and one trait for each other fault; all pairs
// are tried with -long.
func TestSurvivors(t *testing.T) {
	golden := filepath.Join("testdata", "survivors.golden")
	if *update {
		var b strings.Builder
		for i, x := range relaxed {
			for _, f := range pinned() {
				if survives(f, i) {
					fmt.Fprintf(&b, "%s\t%s\t%s\n", x.name, f.Name, f.Rule)
				}
			}
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if raceEnabled {
		t.Skip("what tells faults apart is not what the race detector sees")
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		trait, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		name, _, _ := strings.Cut(rest, "\t")
		want[trait+" "+name] = true
	}
	for j, f := range pinned() {
		for i, x := range relaxed {
			pair := x.name + " " + f.Name
			if want[pair] || *long || i == j%len(relaxed) {
				if got := survives(f, i); got != want[pair] {
					t.Errorf("with the trait %s, %s (%s) survives: %v, want %v; if that is right, run with -update", x.name, f.Name, f.Rule, got, want[pair])
				}
			}
			delete(want, pair)
		}
	}
	for pair := range want {
		if *only == "" {
			t.Errorf("%s lists %s, which is not pinned", golden, pair)
		}
	}
}

// Each rule is broken by at least one fault.
func TestFaults_CoverEveryRule(t *testing.T) {
	for _, rule := range conformanceRules() {
		if !slices.ContainsFunc(faulty.Faults(), func(f faulty.Fault) bool { return f.Rule == rule }) {
			t.Errorf("no fault breaks %s", rule)
		}
	}
	if n := len(faulty.Faults()); n < 80 {
		t.Errorf("%d faults, want at least 80", n)
	}
}

func conformanceRules() []string {
	var ids []string
	for _, r := range conformance.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}
