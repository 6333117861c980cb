module github.com/cachepact/cachepact

go 1.26
