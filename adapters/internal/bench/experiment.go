package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An impl says whether the raw library or the adapter is measured.
type impl string

const (
	rawImpl     impl = "raw"
	adapterImpl impl = "adapter"
)

// A scenario is a kind of operation.
type scenario struct {
	name               string // as in the names of benchmarks
	ttl                bool   // the entries have a TTL
	writes, goroutines int    // of a mix: percentage of writes, and number of goroutines
}

// String returns the name. The name of a mix has its parameters.
func (s scenario) String() string {
	if s.name != mixed {
		return s.name
	}
	return fmt.Sprintf("%s/writes=%d/goroutines=%d", s.name, s.writes, s.goroutines)
}

const (
	getHit       = "GetHit"
	getMiss      = "GetMiss"
	getTTL       = "GetTTL"
	putNew       = "PutNew"
	putOverwrite = "PutOverwrite"
	putTTL       = "PutTTL"
	invalidate   = "Invalidate"
	mixed        = "Mixed"
)

var scenarios = []scenario{
	{name: getHit},
	{name: getMiss},
	{name: putNew},
	{name: putOverwrite},
	{name: putTTL, ttl: true},
	{name: getTTL, ttl: true},
	{name: invalidate},
	{name: mixed, writes: 10, goroutines: 1},
	{name: mixed, writes: 0, goroutines: 2},
	{name: mixed, writes: 10, goroutines: 2},
	{name: mixed, writes: 50, goroutines: 2},
	{name: mixed, writes: 10, goroutines: 8},
}

// lifetime is the TTL of entries that have one. No entry expires during an experiment.
const lifetime = time.Hour

// An experiment is a scenario for one library and one pair of types.
type experiment struct {
	library, key, value string
	scenario            scenario
	open                func(impl) (job, error)
}

// errNone says that the raw library cannot do the operations of the experiment.
var errNone = errors.New("nothing to measure")

func (e experiment) String() string {
	return fmt.Sprintf("%s/lib=%s/key=%s/value=%s", e.scenario, e.library, e.key, e.value)
}

// experiments returns each scenario for each library and pair of types. The experiments of one pair share their keys,
// so only one experiment may run at a time.
var experiments = sync.OnceValue(func() []experiment {
	return append(experimentsOf[string]("string"), experimentsOf[uint64]("uint64")...)
})

func experimentsOf[K keyType](key string) (all []experiment) {
	all = append(all, pairOf[K](key, "int", 8, func(i int) int { return 1_000_000 + i })...)
	all = append(all, pairOf[K](key, "bytes", 128, func(i int) []byte {
		return binary.LittleEndian.AppendUint64(make([]byte, 120, 128), uint64(i))
	})...)
	return append(all, pairOf[K](key, "struct", 64, func(i int) record {
		return record{ID: uint64(i), Name: fmt.Sprintf("record %d", i), Score: float64(i) / 3, Tags: []string{"a", "b"}}
	})...)
}

// pairOf returns the experiments of one pair of types. An encoded value has valueSize bytes.
func pairOf[K keyType, V any](key, value string, valueSize int, valueOf func(int) V) (all []experiment) {
	d := newData[K](valueOf)
	for _, l := range libraries[K, V]() {
		for _, s := range scenarios {
			all = append(all, experiment{
				library: l.Name, key: key, value: value, scenario: s,
				open: func(i impl) (job, error) {
					j, err := l.job(i, s, d, valueSize)
					if err != nil {
						return nil, fmt.Errorf("%s, %s: %w", l.Name, i, err)
					}
					return j, nil
				},
			})
		}
	}
	return all
}
