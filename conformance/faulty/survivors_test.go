package faulty_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/faulty"
)

var update = flag.Bool("update", false, "write testdata/survivors anew, which takes minutes")

// byChance are the faults that show only when goroutines or hashes meet, when the
// garbage collector has come by, or when there is time for a hundred thousand
// keys, beside all of the group concurrent. Whether one survives says as much
// about luck as about a trait, so that they are not pinned.
const byChance = "PutInTwoSteps ValueAndTTLApart LateRemoval SweepInTwoSteps StatsSweepInTwoSteps TimerOfTheOldEntry ClosersRace CloseDoesNotWait " +
	"WeaklyHeld CountersLoseUpdates RemovedReturns QueuedDelTakesNextSet RacersOvershoot RacersMiscount AllRepeatsUnderWrites KeySeeded32 SizeIn16Bits KeepsKeyPointer"

// pinned are the faults whose survival is in the golden file.
func pinned() []faulty.Fault {
	return slices.DeleteFunc(faults(), func(f faulty.Fault) bool {
		return strings.HasPrefix(f.Rule, "concurrent/") || slices.Contains(strings.Fields(byChance), f.Name)
	})
}

// survives reports whether the whole suite accepts a fault in a backend that
// declares traits. Most are caught by the rule they break, which is asked first.
func survives(f faulty.Fault, traits backend.Traits) bool {
	return check(f.Name, f.Needs, traits, f.Rule).OK() && check(f.Name, f.Needs, traits).OK()
}

// What a relaxed trait lets through is known: its golden file lists it. A run
// tries the faults that are listed, and one in nine of the others; all are tried
// with -long.
func TestSurvivors(t *testing.T) {
	if raceEnabled {
		t.Skip("what tells faults apart is not what the race detector sees")
	}
	for i, x := range relaxed {
		t.Run(x.name, func(t *testing.T) {
			golden := filepath.Join("testdata", "survivors", x.name+".golden")
			if *update {
				var b strings.Builder
				for _, f := range pinned() {
					if survives(f, x.traits) {
						fmt.Fprintf(&b, "%s %s\n", f.Rule, f.Name)
					}
				}
				if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			data, err := os.ReadFile(golden)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip("not generated yet: run with -update")
			}
			if err != nil {
				t.Fatal(err)
			}
			listed := strings.Fields(string(data)) // rules and names in turn
			for j, f := range pinned() {
				at := slices.Index(listed, f.Name)
				if want := at > 0; want || *long || i == j%len(relaxed) {
					if got := survives(f, x.traits); got != want {
						t.Errorf("%s (%s) survives: %v, want %v; if that is right, run with -update", f.Name, f.Rule, got, want)
					}
				}
				if at > 0 {
					listed = slices.Delete(listed, at-1, at+1)
				}
			}
			if len(listed) > 0 && *only == "" {
				t.Errorf("%s lists what is not pinned: %v", golden, listed)
			}
		})
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
