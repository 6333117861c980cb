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

var update = flag.Bool("update", false, "write testdata/survivors; use it with -long")

// byChance are the faults that show only when goroutines or hashes meet, or after a garbage collection. Whether such a
// fault survives depends on chance, so the golden files do not list these faults, nor those of the group concurrent.
const byChance = "PutInTwoSteps StatsSweepInTwoSteps CloseDoesNotWait WeaklyHeld CountersLoseUpdates " +
	"AllRepeatsUnderWrites KeySeeded32 SizeIn16Bits KeepsKeyPointer"

// pinned are the faults whose survival is in the golden file.
func pinned() []faulty.Fault {
	return slices.DeleteFunc(faults(), func(f faulty.Fault) bool {
		return strings.HasPrefix(f.Rule, "concurrent/") || slices.Contains(strings.Fields(byChance), f.Name)
	})
}

// survives reports whether the rule that a fault breaks accepts the fault in a backend that declares traits. With
// -long the whole suite must accept it.
func survives(f faulty.Fault, traits backend.Traits) bool {
	return check(f.Name, f.Needs, traits, f.Rule).OK() && (!*long || check(f.Name, f.Needs, traits).OK())
}

// The golden file of a trait lists the faults that the suite accepts in a backend with that trait. Without -long, a run
// tries the listed faults and one in nine of the others.
func TestSurvivors(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("slow, and the race detector adds nothing")
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
						t.Errorf("%s (%s) survives: %v, want %v; if that is correct, run with -long -update", f.Name, f.Rule, got, want)
					}
				}
				if at > 0 {
					listed = slices.Delete(listed, at-1, at+1)
				}
			}
			if len(listed) > 0 && *only == "" {
				t.Errorf("%s lists unknown faults: %v", golden, listed)
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
