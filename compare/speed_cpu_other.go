//go:build !unix

package compare

import "time"

// cpuTime is not known.
func cpuTime() time.Duration { return 0 }
