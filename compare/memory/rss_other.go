//go:build !unix

package memory

// residentBytes is not known.
func residentBytes() int64 { return 0 }

// residentExact says that residentBytes falls when memory is given back.
const residentExact = false
