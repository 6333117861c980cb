package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// code matches code in Markdown: text between backquotes, and indented lines after a blank line.
var code = regexp.MustCompile("(?s)```.*?```|`[^`]+`|\n\n    [^\n]+")

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every relative link of a document leads to a file. So every adapter has a page, which the generated tables link.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links %s, which does not exist", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The commands that the README names exist.
func TestMakeTargets(t *testing.T) {
	makefile, readme := read(t, "Makefile"), read(t, "README.md")
	commands := strings.Join(code.FindAllString(readme, -1), "\n")
	for _, m := range regexp.MustCompile(`\bmake ([a-z-]+)`).FindAllStringSubmatch(commands, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("README.md names make %s, which the Makefile lacks", m[1])
		}
	}
}
