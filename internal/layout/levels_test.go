package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// levels are the top-level directories. A package imports only packages of its own directory and of earlier ones.
var levels = []string{"backend", "conformance", "adapters", "compare", "cmd"}

// levelOf returns the level of a package of this module. A package outside of the levels is above all of them.
func levelOf(path string) int {
	dir, _, _ := strings.Cut(strings.TrimPrefix(path, module+"/"), "/")
	if i := slices.Index(levels, dir); i >= 0 {
		return i
	}
	return len(levels)
}

func TestImportsPointDown(t *testing.T) {
	out := goCommand(t, root, "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list := json.NewDecoder(bytes.NewReader(out))
	checked := 0
	for {
		var pkg struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		err := list.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		level := levelOf(pkg.ImportPath)
		check := func(imports []string, highest int) {
			for _, path := range imports {
				if !strings.HasPrefix(path, module+"/") {
					continue
				}
				checked++
				if levelOf(path) > highest || levelOf(path) == len(levels) {
					t.Errorf("%s imports %s, which is at a higher level", pkg.ImportPath, path)
				}
			}
		}
		check(pkg.Imports, level)
		tests := level
		if level == 0 {
			tests = 1 // the suite tests the reference backend
		}
		check(slices.Concat(pkg.TestImports, pkg.XTestImports), tests)
	}
	if checked == 0 {
		t.Error("no import was checked")
	}
}

// lintEnv names the environment variable with the path of golangci-lint. make lint sets it.
const lintEnv = "GOLANGCI_LINT"

// TestDepguard plants imports that .golangci.yml forbids in a module of stubs, because a pattern for files that matches
// no file is no error to the linter.
func TestDepguard(t *testing.T) {
	linter := os.Getenv(lintEnv)
	if linter == "" {
		t.Skipf("NOT CHECKED: %s is not set; make lint runs this test", lintEnv)
	}
	dir := t.TempDir()
	plant := func(path, text string) {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	plant("go.mod", "module "+module+"\n\ngo 1.26\n")
	plant(".golangci.yml", read(t, ".golangci.yml"))
	for _, stub := range []string{
		"backend", "conformance", "adapters/stub", "adapters/internal/stub", "compare", "cmd/stub", "internal/stub",
	} {
		plant(stub+"/stub.go", "package stub\n")
	}
	forbidden := map[string][]string{
		"backend/planted/planted.go":                {"conformance", "adapters/stub", "compare", "cmd/stub", "internal/stub"},
		"backend/planted/planted_test.go":           {"adapters/stub", "compare", "cmd/stub", "internal/stub"},
		"conformance/planted/planted.go":            {"adapters/stub", "compare", "cmd/stub", "internal/stub"},
		"conformance/planted/planted_test.go":       {"adapters/stub", "compare", "cmd/stub", "internal/stub"},
		"adapters/planted/planted.go":               {"conformance", "adapters/stub", "compare", "cmd/stub", "internal/stub"},
		"adapters/planted/planted_test.go":          {"compare", "cmd/stub", "internal/stub"},
		"adapters/internal/planted/planted.go":      {"conformance", "compare", "cmd/stub", "internal/stub"},
		"adapters/internal/planted/planted_test.go": {"compare", "cmd/stub", "internal/stub"},
		"compare/planted/planted.go":                {"cmd/stub", "internal/stub"},
		"compare/planted/planted_test.go":           {"cmd/stub", "internal/stub"},
	}
	var want, got []string
	for path, imports := range forbidden {
		var text strings.Builder
		text.WriteString("package planted\n\nimport (\n\t_ \"" + module + "/backend\"\n")
		if strings.HasPrefix(path, "adapters/") {
			text.WriteString("\t_ \"" + module + "/adapters/internal/stub\"\n")
		}
		for _, i := range imports {
			want = append(want, path+" imports "+i)
			text.WriteString("\t_ \"" + module + "/" + i + "\"\n")
		}
		plant(path, text.String()+")\n")
	}
	cmd := exec.CommandContext(t.Context(), linter, "run", "--enable-only", "depguard",
		"--output.text.print-issued-lines=false", "./...")
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // fails because it finds something
	finding := regexp.MustCompile(`(?m)^([^\s:]+):\d+:\d+: import '` + module + `/([^']+)' is not allowed`)
	for _, m := range finding.FindAllStringSubmatch(string(out), -1) {
		got = append(got, m[1]+" imports "+m[2])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("depguard reports\n%s\nwant\n%s\nThe linter printed\n%s",
			strings.Join(got, "\n"), strings.Join(want, "\n"), out)
	}
}
