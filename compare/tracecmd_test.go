package compare

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/record"
)

func TestTraceStat(t *testing.T) {
	file := write(t, "small.csv", "time,key,op,size,ttl\n"+
		"10,a,get,100,\n11,a,get,120,\n12,b,set,50,60\n12.5,b,get,50,\n13,c,delete,,\n14,a,get,120,\n15,d,get,,\n")
	code, got, stderr := command(t, "trace", "stat", file)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	want := `small.csv (csv): 7 requests, 4 keys
  requests to get                   5, 71.43 %
  requests to set                   1, 14.29 %
  requests to delete                1, 14.29 %
  keys asked for once               2, 50.00 %
  requests for the most popular key 3, 42.86 %
  time                              5s
  requests with a size              5, 71.43 %
  bytes of all keys                 170; mean 85, largest 120
  requests with a TTL               1, 14.29 %; shortest 1m0s, longest 1m0s
  hit ratio at capacity 1           OPT with bypass 40.00 %, OPT 40.00 %, LRU 40.00 %, FIFO 40.00 %, CLOCK 40.00 %
  hit ratio without a bound         60.00 %
`
	if squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s; want\n%s", got, want)
	}
	for _, args := range [][]string{{"--trace", file}, {"--workload", "zipf:keys=10,requests=100,ttl=1m,size=5"}} {
		if code, got, stderr := command(t, append([]string{"trace", "stat"}, args...)...); code != 0 || !strings.Contains(got, "hit ratio at") {
			t.Errorf("stat %v: exit code %d, %q, %q", args, code, got, stderr)
		}
	}
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestTraceConvert converts there and back.
func TestTraceConvert(t *testing.T) {
	dir := t.TempDir()
	csv := "time,key,op,size,ttl\n1,5,get,100,0\n2,6,get,1,0\n3,5,get,100,0\n"
	file := write(t, "from.csv", csv)
	for _, out := range []string{"a.bin", "a.bin.gz", "a.bin.zst", "a.bin.xz"} {
		out = filepath.Join(dir, out)
		code, stdout, stderr := command(t, "trace", "convert", file, "--to", "oraclegeneral", "--out", out)
		if code != 0 || stdout != "" || stderr != "" {
			t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		code, stdout, stderr = command(t, "trace", "convert", "--trace", out)
		if code != 0 || stdout != csv || stderr != "" {
			t.Errorf("%s back: exit code %d, stdout %q, stderr %q; want %q", out, code, stdout, stderr, csv)
		}
	}
	code, stdout, _ := command(t, "trace", "generate", "loop:keys=2,requests=4", "--max-requests", "3", "--to", "arc")
	if lines := strings.Split(stdout, "\n"); code != 0 || len(lines) != 4 || !strings.HasSuffix(lines[2], " 1 0 2") {
		t.Errorf("generate: exit code %d, stdout %q", code, stdout)
	}
}

func TestTraceBadInput(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	good := write(t, "good", "1\n2\n")
	sets := write(t, "sets.csv", "key,op\na,get\na,set\n")
	for _, tt := range []struct {
		args, want string
	}{
		{"trace stat", "expected --trace FILE or --workload SPEC"},
		{"trace stat /no/such/file", "no such file"},
		{"trace stat a b", "accepts at most 1 arg"},
		{"trace stat --trace a b", "not both"},
		{"trace nope", "unknown command"},
		{"trace convert", "expected --trace FILE"},
		{"trace convert --to nope " + good, `unknown format "nope"`},
		{"trace convert --to lirs --out " + out + " " + sets, "request 2: lirs cannot hold operations"},
		{"trace convert --out " + out + ".bz2 " + good, "bzip2 can only be read"},
		{"trace convert --out " + dir + "/no/such/dir " + good, "no such file"},
		{"trace convert --to cache2k --out " + out + " " + write(t, "hash", "a\nb\n"), "more than 32 bits"},
		{"trace generate", "expected --workload SPEC"},
		{"trace generate nope", `unknown kind "nope"`},
	} {
		code, stdout, stderr := command(t, strings.Fields(tt.args)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 2, nothing, one line with %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRecording_Missing cuts a recording short and keeps what can be read of it;
// every command says what is missing.
func TestRecording_Missing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "traffic")
	cache, err := memory.New[string, string](memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := record.New(cache, record.Options[string]{File: file})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for i := range 20_000 {
		key := fmt.Sprint(i % 100)
		if _, _, err := recorded.Get(ctx, key); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 { // a moment for the writer, so that there are several blocks
			time.Sleep(time.Millisecond)
			if err := recorded.Invalidate(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := recorded.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data[:len(data)*2/3], 0o666); err != nil {
		t.Fatal(err)
	}
	const torn, cleared = "ends within a block", "all keys were invalidated"
	for _, args := range [][]string{{"stat", file}, {"convert", file, "--to", "csv"}} {
		code, _, stderr := command(t, append([]string{"trace"}, args...)...)
		if code != 0 || !strings.Contains(stderr, torn) || !strings.Contains(stderr, cleared) {
			t.Errorf("trace %v: exit code %d, stderr %q; want %q and %q", args, code, stderr, torn, cleared)
		}
	}
	code, stdout, stderr := command(t, "compare", "hits", "--trace", file, "--capacity", "10", "--adapters", "golanglru")
	if code != 0 || !strings.Contains(stdout, torn) || !strings.Contains(stdout, cleared) {
		t.Errorf("hits: exit code %d, stderr %q, stdout\n%s; want %q and %q", code, stderr, stdout, torn, cleared)
	}
}
