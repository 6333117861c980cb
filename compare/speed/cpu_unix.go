//go:build unix

package speed

import (
	"syscall"
	"time"
)

// cpuTime returns the processor time that the process has used, of the cache's own
// goroutines and of the collector too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
