//go:build !unix

package speed

import "time"

// cpuTime is not known.
func cpuTime() time.Duration { return 0 }
