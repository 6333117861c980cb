package adaptertest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cachepact/cachepact"

// libraries names the cache library of each adapter.
var libraries = map[string]string{
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

// TestCompilesOneLibrary checks that a program which imports one adapter
// compiles no other cache library.
func TestCompilesOneLibrary(t *testing.T) {
	for _, name := range adapters(t) {
		out := run(t, root(t), "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", module+"/adapters/"+name)
		checkLibraries(t, name, "compiles", strings.Fields(out))
	}
}

// TestConsumerModule makes a module that imports one adapter, and tidies it: its
// go.mod names no other cache library, not even as an indirect requirement.
func TestConsumerModule(t *testing.T) {
	for _, name := range adapters(t) {
		dir := t.TempDir()
		write(t, dir, "go.mod", "module example.com/consumer\n\ngo 1.26\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root(t)+"\n")
		write(t, dir, "main.go", "package main\n\nimport _ \""+module+"/adapters/"+name+"\"\n\nfunc main() {}\n")
		sums, err := os.ReadFile(filepath.Join(root(t), "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "go.sum", string(sums))
		run(t, dir, "mod", "tidy")
		run(t, dir, "build", "-o", os.DevNull, ".")
		tidied, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		checkLibraries(t, name, "has in go.mod", strings.Fields(string(tidied)))
	}
}

// checkLibraries checks that of all cache libraries words has only that of the
// adapter.
func checkLibraries(t *testing.T, adapter, what string, words []string) {
	t.Helper()
	var got []string
	for _, library := range libraries {
		if slices.Contains(words, library) {
			got = append(got, library)
		}
	}
	if want := []string{libraries[adapter]}; !slices.Equal(got, want) {
		t.Errorf("a program that imports only adapters/%s %s %v, want %v", adapter, what, got, want)
	}
}

// adapters returns the directories in adapters.
func adapters(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root(t), "adapters"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "internal" {
			continue
		}
		if libraries[e.Name()] == "" {
			t.Errorf("adapters/%s: add its library to the list", e.Name())
		}
		names = append(names, e.Name())
	}
	return names
}

// run runs the go command. What this module's go.sum covers comes from the module
// cache, without the network, once this module's tests have been built.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("go")
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("NOT CHECKED: the go command is missing")
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GONOSUMDB=*", "GOTOOLCHAIN=local", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// root returns the directory of this module.
func root(t *testing.T) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no caller")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
