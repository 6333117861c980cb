// Package layout tests what users of the module rely on and no package can test
// for itself: what they link, and that the documentation tells the truth.
package layout

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/cachepact/cachepact"
	root   = "../.."
)

// goCommand runs the go command in dir and returns what it prints.
func goCommand(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// foreign returns the modules other than our own that the packages link.
func foreign(t *testing.T, dir string, packages ...string) []string {
	t.Helper()
	args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}, packages...)
	modules := slices.DeleteFunc(strings.Fields(string(goCommand(t, dir, args...))), func(path string) bool { return path == module })
	slices.Sort(modules)
	return slices.Compact(modules)
}

// adapters returns the names of the adapters' directories.
func adapters(t *testing.T) []string {
	t.Helper()
	var names []string
	for dir := range strings.FieldsSeq(string(goCommand(t, root, "list", "./adapters/..."))) {
		if name := strings.TrimPrefix(dir, module+"/adapters/"); !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("no adapters")
	}
	return names
}

// What a program links for its contract and its tests is Go alone.
func TestStandardLibraryOnly(t *testing.T) {
	for _, pattern := range []string{"./backend/...", "./conformance/..."} {
		if got := foreign(t, root, pattern); len(got) != 0 {
			t.Errorf("%s links %v, want only the standard library", pattern, got)
		}
	}
}

// An adapter links one cache library, its own.
func TestAdaptersLinkOneLibrary(t *testing.T) {
	libraries := map[string]string{
		"bigcache":   "github.com/allegro/bigcache/v3",
		"fastcache":  "github.com/VictoriaMetrics/fastcache",
		"freecache":  "github.com/coocood/freecache",
		"gocache":    "github.com/patrickmn/go-cache",
		"golanglru":  "github.com/hashicorp/golang-lru/v2",
		"otter":      "github.com/maypok86/otter/v2",
		"ristretto":  "github.com/dgraph-io/ristretto",
		"ristretto2": "github.com/dgraph-io/ristretto/v2",
		"theine":     "github.com/Yiling-J/theine-go",
		"ttlcache":   "github.com/jellydator/ttlcache/v3",
	}
	var all []string
	for _, library := range libraries {
		all = append(all, library)
	}
	for _, name := range adapters(t) {
		if libraries[name] == "" {
			t.Errorf("adapters/%s: this test does not know its library", name)
		}
		got := slices.DeleteFunc(foreign(t, root, "./adapters/"+name), func(path string) bool { return !slices.Contains(all, path) })
		if !slices.Equal(got, []string{libraries[name]}) {
			t.Errorf("adapters/%s links the cache libraries %v, want only %s", name, got, libraries[name])
		}
	}
}

// A program that uses one adapter is not told about the libraries of others.
func TestConsumerOfOneAdapter(t *testing.T) {
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.sum": string(sums),
		"go.mod": "module example.com/consumer\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + strconv.Quote(here) + "\n",
		"main.go": `package main

import "` + module + `/adapters/golanglru"

func main() {
	if _, err := golanglru.New[string, int](1); err != nil {
		panic(err)
	}
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, "mod", "tidy")

	library := "github.com/hashicorp/golang-lru/v2"
	if got := foreign(t, dir, "."); !slices.Equal(got, []string{library}) {
		t.Errorf("the consumer links %v, want only %s", got, library)
	}
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal(goCommand(t, dir, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, r := range mod.Require {
		required = append(required, r.Path)
	}
	slices.Sort(required)
	if want := []string{module, library}; !slices.Equal(required, want) {
		t.Errorf("the consumer's go.mod requires %v, want %v", required, want)
	}
}
