// Package layout tests what no other package can test for itself: which modules a program links, and that the
// documentation agrees with the code.
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

	"github.com/cachepact/cachepact/adapters"
)

const (
	module = "github.com/cachepact/cachepact"
	root   = "../.."
)

// registry returns the registered adapters with one pair of types.
func registry() []adapters.Adapter[string, int] { return adapters.All[string, int]() }

// goCommand runs the go command in dir and returns its standard output.
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

// foreign returns the modules that the packages link, without the main module and this module.
func foreign(t *testing.T, dir string, packages ...string) []string {
	t.Helper()
	args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}, packages...)
	modules := strings.Fields(string(goCommand(t, dir, args...)))
	modules = slices.DeleteFunc(modules, func(path string) bool { return path == module })
	slices.Sort(modules)
	return slices.Compact(modules)
}

func TestContractAndSuiteLinkOnlyTheStandardLibrary(t *testing.T) {
	for _, pattern := range []string{"./backend/...", "./conformance/..."} {
		if got := foreign(t, root, pattern); len(got) != 0 {
			t.Errorf("%s links %v, want only the standard library", pattern, got)
		}
	}
}

func TestEveryAdapterIsRegistered(t *testing.T) {
	var registered, found []string
	for _, a := range registry() {
		registered = append(registered, a.Name)
	}
	for path := range strings.FieldsSeq(string(goCommand(t, root, "list", "./adapters/..."))) {
		if name, ok := strings.CutPrefix(path, module+"/adapters/"); ok && !strings.Contains(name, "/") {
			found = append(found, name)
		}
	}
	slices.Sort(registered)
	if !slices.Equal(registered, found) {
		t.Errorf("adapters.All has %v, and the directory adapters has %v", registered, found)
	}
}

func TestAnAdapterLinksOneLibrary(t *testing.T) {
	var libraries []string
	for _, a := range registry() {
		libraries = append(libraries, a.Module)
	}
	for _, a := range registry() {
		got := slices.DeleteFunc(foreign(t, root, "./adapters/"+a.Name), func(path string) bool {
			return !slices.Contains(libraries, path)
		})
		if !slices.Equal(got, []string{a.Module}) {
			t.Errorf("adapters/%s links the cache libraries %v, want only %s", a.Name, got, a.Module)
		}
	}
}

// The go.mod of a program that imports one adapter requires only the library of that adapter.
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
	a := registry()[0]
	for name, text := range map[string]string{
		"go.sum": string(sums),
		"go.mod": "module example.com/consumer\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\n" +
			"replace " + module + " => " + strconv.Quote(here) + "\n",
		"main.go": "package main\n\nimport _ \"" + module + "/adapters/" + a.Name + "\"\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, "mod", "tidy")
	if got := foreign(t, dir, "."); !slices.Equal(got, []string{a.Module}) {
		t.Errorf("the program links %v, want only %s", got, a.Module)
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
	if want := []string{module, a.Module}; !slices.Equal(required, want) {
		t.Errorf("the program's go.mod requires %v, want %v", required, want)
	}
}
