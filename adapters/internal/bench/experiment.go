package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An Impl is what is measured: a raw library or its adapter.
type Impl string

// The two that each experiment has.
const (
	RawImpl     Impl = "raw"
	AdapterImpl Impl = "adapter"
)

// An Experiment is a case for one library and one type of keys and values.
type Experiment struct {
	Library, Key, Value string
	Case                Case
	open                func(Impl) (Job, error)
}

// ErrNone says that there is nothing to measure: the raw library has no TTLs.
var ErrNone = errors.New("bench: nothing to measure")

// Open makes a cache ready for the experiment. It fails with an error that wraps
// [ErrNone] if there is none.
func (e Experiment) Open(impl Impl) (Job, error) {
	job, err := e.open(impl)
	if err != nil {
		return nil, fmt.Errorf("bench: %s, %s: %w", e, impl, err)
	}
	return job, nil
}

// String returns the experiment's name as that of a benchmark.
func (e Experiment) String() string {
	return fmt.Sprintf("%s/lib=%s/key=%s/value=%s", e.Case, e.Library, e.Key, e.Value)
}

// Experiments returns all there are: each case for each library and pair of types.
// Those of one pair share their keys, so only one may be prepared at a time.
func Experiments() []Experiment {
	return append(experimentsOf[string]("string"), experimentsOf[uint64]("uint64")...)
}

func experimentsOf[K Key](key string) (all []Experiment) {
	all = append(all, pair[K](key, "int", 8, func(i int) int { return 1_000_000 + i })...)
	all = append(all, pair[K](key, "bytes", 128, func(i int) []byte {
		return binary.LittleEndian.AppendUint64(make([]byte, 120, 128), uint64(i))
	})...)
	return append(all, pair[K](key, "struct", 64, func(i int) Record {
		return Record{ID: uint64(i), Name: fmt.Sprintf("record %d", i), Score: float64(i) / 3, Tags: []string{"a", "b"}}
	})...)
}

// pair returns the experiments of a type of keys and one of values, which as bytes
// take size.
func pair[K Key, V any](key, value string, size int, valueOf func(int) V) (all []Experiment) {
	d := newData[K](valueOf)
	for _, l := range libraries[K, V]() {
		for _, c := range Cases() {
			all = append(all, Experiment{
				Library: l.name, Key: key, Value: value, Case: c,
				open: func(impl Impl) (Job, error) { return l.job(impl, c, d, size) },
			})
		}
	}
	return all
}

// job opens a cache and loads what the case needs.
func (l library[K, V]) job(impl Impl, c Case, d *data[K, V], size int) (Job, error) {
	f := facts[l.name]
	room := capacity
	if c.Name == mixed {
		room = mixRoom
	}
	o := optionsFor(f, room, size)
	if c.TTL {
		o.TTL = lifetime
	}
	driven, err := l.open(impl, o)
	if err != nil {
		return nil, err
	}
	w := work[K, V]{driver: driven, data: d, facts: f}
	if c.TTL {
		w.ttl = new(lifetime)
	}
	job, err := start(w, c, o, size)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return job, nil
}

// open opens the raw library or its adapter.
func (l library[K, V]) open(impl Impl, o Options) (driver[K, V], error) {
	switch {
	case impl == RawImpl && o.TTL > 0 && !facts[l.name].TTL:
		return nil, fmt.Errorf("%w: the library has no TTLs", ErrNone)
	case impl == RawImpl:
		c, err := l.raw(o)
		return rawDriver[K, V]{c}, err
	}
	c, err := l.adapter(o)
	return adapterDriver[K, V]{c}, err
}

// optionsFor returns options for so many entries with values of so many bytes. A
// library that counts bytes has room for its own and the adapter's headers.
func optionsFor(f Facts, entries, size int) Options {
	const header = 64
	return Options{Capacity: entries, Bytes: max(f.Floor, entries*(keyLen+header+size))}
}

// start loads the cache of w and returns the job.
func start[K Key, V any](w work[K, V], c Case, o Options, size int) (Job, error) {
	switch c.Name {
	case getHit, getTTL:
		return &reading[K, V]{work: w, keys: w.data.hot, want: 1}, w.load(w.data.hot)
	case getMiss:
		return &reading[K, V]{work: w, keys: w.data.absent}, w.load(w.data.hot)
	case putOverwrite, putTTL:
		return &overwriting[K, V]{w}, w.load(w.data.hot)
	case putNew:
		job := &inserting[K, V]{work: w}
		return job, job.fill(fillOf(w.facts, o, size))
	case invalidate:
		return &removing[K, V]{work: w}, nil
	}
	m, err := w.data.mixes[c.Writes]()
	if err != nil {
		return nil, err
	}
	return &mixing[K, V]{work: w, steps: m, kind: c}, w.readThrough(m)
}

// fillOf returns how many entries are sure to fill a cache.
func fillOf(f Facts, o Options, size int) int {
	const shortKey, shortHeader = 8, 4 // no library stores an entry in less
	if f.Bytes {
		return o.Bytes / (shortKey + shortHeader + size) * 11 / 10
	}
	return o.Capacity + o.Capacity/8
}
