package layout

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Every block of Go in the documents is code that compiles: it stands in a Go
// file of the repository, white space aside. A block of the README has the same
// comments too, so that the Output of an Example proves the results it states.
func TestGoBlocks(t *testing.T) {
	var documents, sources []string
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case d != nil && d.Name() == "node_modules":
			return fs.SkipDir
		case path.Ext(file) == ".md":
			documents = append(documents, file)
		case path.Ext(file) == ".go":
			sources = append(sources, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	expected := regexp.MustCompile(`(?s)\n\t// Output:.*?\n}`)
	var plain, commented strings.Builder
	for _, file := range sources {
		text := expected.ReplaceAllString(read(t, file), "\n}")
		plain.WriteString(tokens(text, 0) + "\n")
		commented.WriteString(tokens(text, scanner.ScanComments) + "\n")
	}
	example := strings.NewReplacer("package main", "package layout_test", "func main()", "func Example()")
	for _, file := range documents {
		in, mode := plain.String(), scanner.Mode(0)
		if file == "README.md" {
			in, mode = commented.String(), scanner.ScanComments
		}
		for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, file), -1) {
			code := block[1]
			if !strings.Contains(in, tokens(code, mode)) && !strings.Contains(in, tokens(example.Replace(code), mode)) {
				t.Errorf("%s: no Go file has this code:\n%s", file, code)
			}
		}
	}
}

// tokens returns the tokens of Go code, separated by spaces.
func tokens(code string, mode scanner.Mode) string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(code)), []byte(code), nil, mode)
	var b strings.Builder
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return b.String()
		case tok == token.SEMICOLON && lit == "\n": // a line ends
		case lit != "":
			b.WriteString(" " + lit)
		default:
			b.WriteString(" " + tok.String())
		}
	}
}
