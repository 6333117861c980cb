package compare

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/report"
)

// liar is a contestant that holds more than it says.
func liar() Contestant {
	return Contestant{Name: "liar", LRU: true, New: func(o Options) (backend.Backend[uint64, uint64], error) {
		return memory.New[uint64, uint64](memory.Options{Capacity: 4 * o.Capacity})
	}}
}

const small = "zipf:keys=500,requests=3000"

// TestStrict ends with 3 on a finding, and only then.
func TestStrict(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
	}{
		{"--adapters golanglru --strict", 0},
		{"--adapters golanglru,liar", 0},
		{"--adapters golanglru,liar --strict", 3},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"compare", "hits", "--workload", small}, strings.Fields(tt.args)...)
		if code := Run(t.Context(), args, &out, &errs, liar()); code != tt.code {
			t.Errorf("%s: exit code %d, stderr %q; want %d", tt.args, code, &errs, tt.code)
		}
		found := strings.Contains(out.String(), "! liar, ")
		if want := strings.Contains(tt.args, "liar"); found != want {
			t.Errorf("%s: a finding on liar: %v; want %v in\n%s", tt.args, found, want, &out)
		}
		if tt.code == 3 && (!strings.Contains(errs.String(), "liar above-opt") || strings.Count(errs.String(), "\n") != 1) {
			t.Errorf("%s: stderr %q; want one line that names the check", tt.args, &errs)
		}
	}
}

// TestOutputs writes the report to files, and compares with one of them.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	args := []string{"compare", "--workload", small, "--adapters", "golanglru", "--pace", "flat"}
	code, stdout, stderr := command(t, append(args, "--html", file("r.html"), "--json", file("r.json"), "--csv", file("r.csv.gz"))...)
	if code != 0 || strings.Count(stderr, "cachepact: wrote ") != 3 || !strings.Contains(stderr, file("r.html")) || !strings.Contains(stdout, "capacity ") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for name, begins := range map[string]string{"r.html": "<!DOCTYPE html>", "r.json": "{", "r.csv.gz": "\x1f\x8b"} {
		data, err := os.ReadFile(file(name))
		if err != nil || !strings.HasPrefix(strings.ToLower(string(data)), strings.ToLower(begins)) {
			t.Errorf("%s: %.20q, %v; want it to begin with %q", name, data, err, begins)
		}
	}
	f, err := os.Open(file("r.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil || r.Hits == nil || len(r.Hits.Tables) != 3 || !strings.HasPrefix(strings.Join(r.Command, " "), "cachepact compare --") {
		t.Errorf("report %+v, %v", r, err)
	}
	code, stdout, _ = command(t, append(args, "--baseline", file("r.json"))...)
	if code != 0 || strings.Contains(stdout, "capacity ") || !strings.Contains(stdout, "No change") {
		t.Errorf("compared with itself: exit code %d, %q", code, stdout)
	}
	code, stdout, _ = command(t, append(args, "--mode", "fill", "--json", "-")...)
	if code != 0 || !strings.HasPrefix(stdout, "{") || strings.Contains(stdout, "\ncapacity ") {
		t.Errorf("JSON on standard output: exit code %d, %.50q", code, stdout)
	}
	code, stdout, _ = command(t, append(args, "--quiet")...)
	if code != 0 || strings.Contains(stdout, "cache  ") || !strings.Contains(stdout, "golanglru") {
		t.Errorf("quiet: exit code %d, %q; want the answer alone", code, stdout)
	}
}

func TestColor(t *testing.T) {
	args := []string{"compare", "hits", "--workload", small, "--pace", "flat"}
	for _, tt := range []struct {
		args, env string
		want      bool
	}{
		{"--color=always", "", true},
		{"--color=always", "1", false},
		{"--color=never", "", false},
		{"--color=auto", "", false},
	} {
		t.Setenv("NO_COLOR", tt.env)
		var out, errs bytes.Buffer
		if code := Run(t.Context(), append(args, tt.args), &out, &errs, liar()); code != 0 {
			t.Fatal(&errs)
		}
		if got := strings.Contains(out.String(), "\x1b[31m! liar"); got != tt.want {
			t.Errorf("%s, NO_COLOR=%q: a finding in red: %v; want %v", tt.args, tt.env, got, tt.want)
		}
	}
}

// TestProgress shows how far it is if asked to, on standard error alone.
func TestProgress(t *testing.T) {
	args := []string{"compare", "hits", "--workload", small, "--adapters", "golanglru"}
	_, quiet, none := command(t, args...)
	_, stdout, stderr := command(t, append(args, "--progress", "always")...)
	if none != "" || !strings.Contains(stderr, "0%") || len(stdout) == 0 || len(quiet) == 0 {
		t.Errorf("stderr %q without, %q with --progress", none, stderr)
	}
}

func TestCompletion(t *testing.T) {
	for _, tt := range []struct {
		args, want string
	}{
		{"compare ", "hits\n|all\n"},
		{"compare hits --adapters ", "golanglru\n|bigcache\n"},
		{"compare all --adapters golanglru,b", "golanglru,bigcache\n"},
		{"compare hits --format ", "arc\n|twitter\n"},
		{"compare hits --workload ", "zipf:\n|scan:\n"},
		{"compare hits --pace flat,", "flat,settled\n|flat,paced\n"},
		{"compare hits --mode ", "fill\n|trace\n"},
		{"compare hits --color ", "auto\n|never\n"},
		{"trace convert --to ", "oraclegeneral\n"},
	} {
		words := strings.Split(tt.args, " ")
		code, stdout, _ := command(t, append([]string{"__complete"}, words...)...)
		for want := range strings.SplitSeq(tt.want, "|") {
			if name, _, _ := strings.Cut(want, "\n"); code != 0 || !strings.Contains(stdout, name) {
				t.Errorf("completion of %q: exit code %d, %q; want %q", tt.args, code, stdout, want)
			}
		}
	}
}

// TestHelp_Examples shows three command lines for each subcommand, all of which
// parse.
func TestHelp_Examples(t *testing.T) {
	root := Command()
	root.InitDefaultHelpCmd()
	compare, _, err := root.Find([]string{"compare"})
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range compare.Commands() {
		lines := strings.Split(strings.TrimSpace(sub.Example), "\n")
		if len(lines) != 3 {
			t.Errorf("%s has %d examples; want 3", sub.Name(), len(lines))
		}
		for _, line := range lines {
			words := strings.Fields(line)
			if strings.Join(words[:3], " ") != "cachepact compare "+sub.Name() {
				t.Errorf("example %q is not of %s", line, sub.Name())
			}
			if err := sub.ParseFlags(words[3:]); err != nil {
				t.Errorf("example %q: %v", line, err)
			}
		}
	}
}

func TestSpeed_command(t *testing.T) {
	bench := filepath.Join(t.TempDir(), "bench.txt")
	code, stdout, stderr := command(t, strings.Fields("compare speed --workload zipf:keys=1000,requests=10000 --rounds 2 --slice 2ms --latency 5ms"+
		" --procs 1,2 --goroutines 1,2P --adapters golanglru,gocache --against gocache --bench "+bench)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, want := range []string{
		"speed, hit:", "speed, miss:", "speed, workload:", "GOMAXPROCS 1, 2 goroutines", "GOMAXPROCS 2, 4 goroutines", "of gocache",
		"gocache failed: has no bound", "golanglru, put-evict", "gocache, miss", "golanglru at 80 %",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout does not have %q", want)
		}
	}
	text, err := os.ReadFile(bench)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^BenchmarkSpeed/case=(hit|miss|workload)/goroutines=[124]/cache=\w+-[12]\t\d+\t[0-9.]+ ns/op\t[0-9.]+ cpu-ns/op\t[0-9.]+ hit%\t\d+ hits/s\t[0-9.]+ B/op\t[0-9.]+ allocs/op$`)
	n := 0
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSuffix(l, "\n"); strings.HasPrefix(l, "Bench") {
			n++
			if !line.MatchString(l) {
				t.Errorf("bench has the line %q", l)
			}
		}
	}
	// golanglru, two floors, and gocache twice but for the case miss; 2 rounds, 4 settings
	if want := (5 + 3 + 5) * 2 * 4; n != want {
		t.Errorf("%d benchmarks; want %d", n, want)
	}
}
