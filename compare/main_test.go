package compare

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// command runs the command as a process would.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBadInput(t *testing.T) {
	good := write(t, "good", "1\n2\n1\n")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(strings.Repeat("1\n2\n3\n", 10_000))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	torn := write(t, "torn.gz", packed.String()[:packed.Len()-20])
	tests := []struct {
		name, args, want string
	}{
		{"nothing to replay", "compare", "expected --trace FILE or --workload SPEC"},
		{"two things to replay", "compare --trace " + good + " --workload zipf", "not both"},
		{"absent file", "compare --trace /no/such/file", "/no/such/file: no such file"},
		{"directory", "compare --trace " + t.TempDir(), "is a directory"},
		{"empty file", "compare --trace " + write(t, "empty", ""), "empty: expected at least one request"},
		{"torn file", "compare --trace " + torn, "torn.gz: line"},
		{"torn file, cause", "compare --trace " + torn, "gzip data is torn"},
		{"unknown content", "compare --trace " + write(t, "binary", "\x00\x01\x02"), "not recognised"},
		{"bad line", "compare --trace " + write(t, "bad", "1 1 0 0\n1 1\n"), "line 2: expected 4 numbers"},
		{"unknown format", "compare --format nope --trace " + good, `unknown format "nope"`},
		{"capacity of zero", "compare --capacity 0 --trace " + good, `capacity "0"`},
		{"capacity of zero percent", "compare --capacity 1%,0% --trace " + good, `capacity "0%"`},
		{"capacity that is none", "compare --capacity many --trace " + good, `capacity "many"`},
		{"unknown adapter", "compare --adapters golanglru,nope --trace " + good, `unknown adapter "nope": expected one of golanglru, `},
		{"unknown workload", "compare --workload nope", `unknown kind "nope"`},
		{"bad parameter", "compare --workload zipf:s=-1", "s=-1: expected a number"},
		{"skip everything", "compare --skip 3 --trace " + good, "skip 3"},
		{"skip less than nothing", "compare --skip -1 --trace " + good, "skip -1: expected 0 or more"},
		{"sample of nothing", "compare --sample 0 --trace " + good, "sample 0: expected"},
		{"sample of too much", "compare --sample 1.5 --trace " + good, "sample 1.5: expected"},
		{"less than one entry", "compare --sample 0.999 --capacity 1 --sample 0.4 --workload uniform", "at least one entry in the sample"},
		{"format of a workload", "compare --format arc --workload zipf", "expected --trace"},
		{"columns", "compare --columns id=x --trace " + good, "columns"},
		{"capacity in bytes", "compare --capacity 0MiB --trace " + good, `capacity "0MiB"`},
		{"bytes without sizes", "compare --capacity 1MiB --trace " + good, "expected --value"},
		{"value", "compare --value -1 --trace " + good, "value -1: negative"},
		{"pace", "compare --pace flat,fast --trace " + good, `pace "fast": unknown; use flat, settled or paced`},
		{"mode", "compare --mode write --trace " + good, `mode "write": unknown; use fill or trace`},
		{"mode without writes", "compare --mode trace --trace " + good, "no writes"},
		{"ttl", "compare --ttl 5 --trace " + good, `ttl "5": expected trace, none or a time`},
		{"negative ttl", "compare --ttl -5s --trace " + good, `ttl "-5s"`},
		{"ttl without times", "compare --ttl 5s --trace " + good, "have no times"},
		{"runs", "compare --runs 0 --trace " + good, "runs 0: out of range; use 1 or more"},
		{"load", "compare --load 0s --trace " + good, "load 0s: out of range; use a duration above 0"},
		{"work", "compare --work -1s --trace " + good, "work -1s: out of range; use a duration from 0"},
		{"clients", "compare --clients 0 --trace " + good, "clients 0: out of range; use a number from 1"},
		{"points", "compare --points 1 --trace " + good, "points 1: out of range; use a number from 2"},
		{"seed", "compare --seed -1 --trace " + good, "seed"},
		{"color", "compare --color red --trace " + good, `color "red": expected auto, always or never`},
		{"progress", "compare --progress yes --trace " + good, `progress "yes": expected auto, always or never`},
		{"html nowhere", "compare --html /no/such/dir/r.html --trace " + good, "/no/such/dir"},
		{"two on standard output", "compare --html - --json - --trace " + good, "one report on standard output"},
		{"absent baseline", "compare --baseline /no/such/file --trace " + good, "/no/such/file"},
		{"baseline that is none", "compare --baseline " + good + " --trace " + good, "baseline"},
		{"speed: --cases fast", "compare speed --cases fast", `cases "fast"`},
		{"speed: --rounds 0", "compare speed --rounds 0", "rounds 0"},
		{"speed: --slice 1us", "compare speed --slice 1us", "slice 1µs"},
		{"speed: --latency -1s", "compare speed --latency -1s", "latency -1s"},
		{"speed: --procs 0", "compare speed --procs 0", `procs "0"`},
		{"speed: --goroutines xP", "compare speed --goroutines xP", `goroutines "xP"`},
		{"speed: --mix 90/10", "compare speed --mix 90/10", `mix "90/10"`},
		{"speed: --mix 0/1/0", "compare speed --mix 0/1/0", "no Gets; use a share"},
		{"speed: --against nobody", "compare speed --against nobody", `against "nobody"`},
		{"speed: --bench /no/such/file", "compare speed --bench /no/such/file", "/no/such/file"},
		{"memory: --entries 1000", "compare memory --entries 1000", "two different numbers"},
		{"memory: --entries 1000,1000", "compare memory --entries 1000,1000", "two different numbers"},
		{"memory: --entries 5,1000", "compare memory --entries 5,1000", "entries 5: out of range"},
		{"memory: --entries many,1000", "compare memory --entries many,1000", `entries "many"`},
		{"memory: --value -1", "compare memory --value -1", "value -1"},
		{"ttl: --lifetimes 0s", "compare ttl --lifetimes 0s", "lifetimes 0s"},
		{"ttl: --lifetimes never", "compare ttl --lifetimes never", "never"},
		{"ttl: --lifetime-keys 0", "compare ttl --lifetime-keys 0", "lifetime-keys 0"},
		{"ttl: --lifetime-wait 0s", "compare ttl --lifetime-wait 0s", "lifetime-wait 0s"},
		{"unknown part", "compare hitz --trace " + good, "unknown command"},
		{"all without requests", "compare all", "expected --trace FILE or --workload SPEC"},
		{"unknown flag", "compare --nope", "unknown flag: --nope"},
		{"unknown command", "comparr", `unknown command "comparr"`},
		{"argument", "compare " + good, "unknown command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := command(t, strings.Fields(tt.args)...)
			if code != 2 {
				t.Errorf("exit code %d; want 2", code)
			}
			if stdout != "" {
				t.Errorf("stdout %q; want nothing", stdout)
			}
			if !strings.Contains(stderr, tt.want) {
				t.Errorf("stderr %q; want it to contain %q", stderr, tt.want)
			}
			if !strings.HasPrefix(stderr, "cachepact: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
				t.Errorf("stderr %q; want one line of cachepact's", stderr)
			}
		})
	}
}

// TestTable compares what the command prints with a file. Times, which differ, are
// replaced.
func TestTable(t *testing.T) {
	file := write(t, "small.lirs", "1\n2\n3\n1\n2\n3\n4\n1\n2\n*\n\n5\n1\n2\n3\n4\n")
	code, got, stderr := command(t, "compare", "--trace", file, "--capacity", "2,60%,80%", "--adapters", "golanglru,gocache")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	got = regexp.MustCompile(` *(time|[0-9.]+ [mµn]?s)  `).ReplaceAllString(got, " TIME ")
	got = regexp.MustCompile(` v[0-9]\S*`).ReplaceAllString(got, "")
	got = regexp.MustCompile(`; go.*`).ReplaceAllString(got, "; MACHINE")
	golden := filepath.Join("testdata", "table.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the table has changed: run go test -update and look at the difference. Got:\n%s", got)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"", "--help", "compare --help", "compare hits --help", "compare all --help"} {
		code, stdout, stderr := command(t, strings.Fields(args)...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("cachepact %s: exit code %d, stdout %q, stderr %q; want the help", args, code, stdout, stderr)
		}
	}
}
