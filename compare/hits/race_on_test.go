//go:build race

package hits

// raceDetector makes everything ten times as slow. Tests that replay long traces on
// one goroutine leave them out under it.
const raceDetector = true
