//go:build unix && !linux

package memory

import (
	"runtime"
	"syscall"
)

// residentBytes returns the most memory of the process that was ever in RAM, which
// is the nearest that this system tells.
func residentBytes() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss) // bytes; elsewhere KiB
	}
	return int64(u.Maxrss) << 10
}

// residentExact says that residentBytes falls when memory is given back.
const residentExact = false
