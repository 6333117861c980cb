package freecache

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/coocood/freecache"
)

// A Put that moves entries of a segment, after walk has left the segment, does not make walk return an entry twice.
func TestWalk(t *testing.T) {
	const first, next = 5, 6 // segments
	var last []string        // names in the last slot of the first segment (cache.go and segment.go)
	var other string         // a name in the next segment
	for i := uint64(0); len(last) < 4 || other == ""; i++ {
		name := binary.LittleEndian.AppendUint64(nil, i)
		switch hash := xxhash.Sum64(name); {
		case hash&0xffff == 255<<8|first:
			last = append(last, string(name))
		case hash%segments == next:
			other = string(name)
		}
	}
	slices.SortFunc(last, func(a, b string) int { // in the order of the slot
		return int(uint16(xxhash.Sum64String(a)>>16)) - int(uint16(xxhash.Sum64String(b)>>16))
	})
	var l library
	l.cache.Store(freecache.NewCache(MinBytes))
	set := func(name string) {
		if err := l.cache.Load().Set([]byte(name), []byte{0}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range append(last[1:], other) {
		set(name)
	}

	l.locks.Of(next).Lock() // walk stops here, between the two segments
	atLast, done := make(chan bool), make(chan bool)
	seen := map[string]int{}
	go func() {
		l.walk(l.cache.Load(), func(e *freecache.Entry) bool {
			if seen[string(e.Key)]++; string(e.Key) == last[len(last)-1] && seen[string(e.Key)] == 1 {
				atLast <- true
			}
			return false
		})
		close(done)
	}()
	<-atLast
	l.locks.Of(first).Lock() // waits until walk has left the segment
	set(last[0])
	l.locks.Of(first).Unlock()
	l.locks.Of(next).Unlock()
	<-done
	for _, name := range append(last[1:], other) {
		if seen[name] != 1 {
			t.Errorf("walk returns a name %d times, want once", seen[name])
		}
	}
}
