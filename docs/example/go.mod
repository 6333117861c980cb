module example.com/mycache

go 1.26.0

require github.com/cachepact/cachepact v0.0.0

replace github.com/cachepact/cachepact => ../..
