// Package report is what a comparison of caches found, and how it is shown: the
// report as JSON, as CSV, as text for a terminal and as one HTML file, and the
// answer to which cache suits the workload.
//
// # The JSON
//
// A [Report] is written as it is declared here. Durations are nanoseconds,
// ratios are fractions of one, and what was not measured is absent. [Schema]
// rises when the meaning of a field changes; new fields do not change it.
package report

import (
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// Schema is the version of the JSON.
const Schema = 1

// A Report is the result of a comparison. A part that was not measured is nil.
type Report struct {
	Schema  int       `json:"schema"`
	Command []string  `json:"command"` // that reproduces it
	Started time.Time `json:"started"`
	// Elapsed is how long the comparison took.
	Elapsed     time.Duration `json:"elapsed"`
	Machine     Machine       `json:"machine"`
	Workload    *Workload     `json:"workload,omitempty"`
	Contestants []Contestant  `json:"contestants"`

	Hits   *Hits   `json:"hits,omitempty"`
	Speed  *Speed  `json:"speed,omitempty"`
	Memory *Memory `json:"memory,omitempty"`
	TTL    *TTL    `json:"ttl,omitempty"`

	Findings []Finding `json:"findings"`
	Notes    []Note    `json:"notes,omitempty"`
	// Answer is worked out from all the rest, by [Report.Conclude].
	Answer *Answer `json:"answer,omitempty"`
}

// A Machine is where the comparison ran.
type Machine struct {
	Go     string `json:"go"` // version
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`             // GOMAXPROCS
	CPU    string `json:"cpu,omitempty"`    // model, as far as the system tells
	Memory int64  `json:"memory,omitempty"` // bytes, as far as the system tells
	// Module is the version of this module.
	Module string `json:"module,omitempty"`
}

// A Workload describes the requests.
type Workload struct {
	Name     string `json:"name"`             // of the trace's file, or the description of a generated one
	Format   string `json:"format,omitempty"` // of a trace
	Requests int64  `json:"requests"`
	Distinct int    `json:"distinct"` // keys
	Gets     int64  `json:"gets"`
	Sets     int64  `json:"sets,omitempty"`
	Deletes  int64  `json:"deletes,omitempty"`
	Updates  int64  `json:"updates,omitempty"`
	// Sample is the share of the keys that was taken; 1 is all.
	Sample float64 `json:"sample"`
	// TTLs and Sizes say that some requests have one.
	TTLs  bool `json:"ttls,omitempty"`
	Sizes bool `json:"sizes,omitempty"`
	// TopKey is the share of the requests that are for the most popular key, LRU1
	// the hit ratio of an LRU of 1 % of the keys that stores what it misses, without
	// TTLs: they tell workloads apart that go by one name. LRU1 is zero if it was
	// not computed.
	TopKey float64 `json:"topKey"`
	LRU1   float64 `json:"lru1,omitempty"`
	// Value is the size of a value in bytes, by mean over the keys whose size is
	// known; 0: none is.
	Value float64 `json:"value,omitempty"`
}

// Bounds is what a cache keeps within its capacity.
type Bounds string

// What a cache can bound.
const (
	BoundsEntries Bounds = "entries"
	BoundsAbout   Bounds = "~entries" // not exactly
	BoundsBytes   Bounds = "bytes"
	BoundsNothing Bounds = "nothing"
)

// A Contestant is a cache that took part.
type Contestant struct {
	Name    string `json:"name"`
	Module  string `json:"module,omitempty"` // path of its library
	Version string `json:"version,omitempty"`
	Bounds  Bounds `json:"bounds,omitempty"`
	// LRU says that it evicts exactly by least recent use.
	LRU bool `json:"lru,omitempty"`
	// Own says that it is not one of this module's adapters.
	Own bool `json:"own,omitempty"`
}

// A Finding is something wrong: a cache does not do what it says, or a figure is
// not what it seems. It is shown in red, and a strict run fails.
type Finding struct {
	Name string `json:"name"` // of the contestant; empty: of the measurement
	// Check is one of the Check names.
	Check string `json:"check"`
	// Where says in what part it was found, such as "hits at 1,000 entries".
	Where string `json:"where"`
	Text  string `json:"text"`
}

// The checks.
const (
	CheckOPT      = "above-opt"     // more hits than any cache of the capacity can have
	CheckCapacity = "over-capacity" // more live entries than the capacity
	CheckValue    = "wrong-value"   // a value returned was not the last written
	CheckStale    = "stale"         // a value was returned after its TTL had passed
	CheckDropped  = "dropped"       // writes that were acknowledged could not be read
	CheckMix      = "mix"           // the executed operations are not those that were due
	CheckLRU      = "lru"           // an exact LRU does not have an exact LRU's hits
	CheckEarly    = "early"         // an entry was gone before its TTL had passed
	CheckFailed   = "failed"        // an operation returned an error
	CheckNoise    = "noise"         // the machine is too noisy to rank by speed
)

// A Note is what a reader must know of a cache, or of the whole if it names none.
type Note struct {
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// An Answer says in words which cache suits the workload.
type Answer struct {
	// Text is a sentence or two.
	Text string `json:"text"`
	// Reasons are sentences, each with the figures it rests on.
	Reasons []string `json:"reasons"`
}

// A Pace is how the driver treats writes and misses.
type Pace string

const (
	// Flat replays in a tight loop, which gives a cache that works in the
	// background no time to.
	Flat Pace = "flat"
	// Settled waits after each write until the cache has done all the work it
	// owes.
	Settled Pace = "settled"
	// Paced replays by several clients for whom a miss costs a simulated load.
	Paced Pace = "paced"
)

// Hits is the part about hit ratios.
type Hits struct {
	// Mode is "fill" (a Get that misses stores the key, and recorded writes apply
	// too) or "trace" (only recorded writes store).
	Mode string `json:"mode"`
	// TTL is "trace", "none" or a duration.
	TTL  string `json:"ttl"`
	Runs int    `json:"runs"` // of a cache whose hits differ from run to run
	// Load, Work and Clients are those of Paced: what a miss costs, what any
	// request costs a client besides, and how many clients there are.
	Load    time.Duration `json:"load,omitempty"`
	Work    time.Duration `json:"work,omitempty"`
	Clients int           `json:"clients,omitempty"`
	Tables  []Table       `json:"tables"`
	// Curve has the miss-ratio curves, if they were asked for.
	Curve *Curve `json:"curve,omitempty"`
}

// A Table compares the caches at one capacity.
type Table struct {
	// Capacity is in entries. If Bytes is not zero, the capacity was given in
	// bytes and Capacity is what a cache of entries holds in them by mean; each
	// row has its own.
	Capacity   int         `json:"capacity"`
	Bytes      int64       `json:"bytes,omitempty"`
	Share      float64     `json:"share"` // of the distinct keys
	Rows       []Row       `json:"rows"`
	References []Reference `json:"references"`
}

// A Row is one cache at one pace.
type Row struct {
	Name   string `json:"name"`
	Pace   Pace   `json:"pace,omitempty"` // empty: the same at each pace
	Bounds Bounds `json:"bounds"`
	// Entries is the capacity that the cache was given, in entries; 0 if it was
	// given bytes.
	Entries int `json:"entries"`
	// BytesPerEntry is what an entry took on the heap when a capacity in bytes was
	// converted, or in a cache that is given bytes, once it was full.
	BytesPerEntry float64 `json:"bytesPerEntry,omitempty"`

	// HitRatio is the median of the runs. Low and High are the least and the
	// greatest.
	HitRatio float64 `json:"hitRatio"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Runs     int     `json:"runs"`

	// The rest is of the median run.
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
	// Peak is the most live entries seen.
	Peak int64 `json:"peak"`
	// Wrong counts the values returned that were not the last written.
	Wrong int64 `json:"wrong,omitempty"`
	// Stale counts the hits after the entry's TTL had passed.
	Stale int64 `json:"stale,omitempty"`
	// Writes counts the Puts, and Dropped those of a new key that could not be
	// read right after. Rejected is what the cache itself says that it refused.
	Writes int64 `json:"writes"`
	// Dropped is of a sample of Probed.
	Dropped  int64 `json:"dropped,omitempty"`
	Probed   int64 `json:"probed,omitempty"`
	Rejected int64 `json:"rejected,omitempty"`
	// Rejects says that the cache declares an admission policy.
	Rejects bool `json:"rejects,omitempty"`
	// Time is what the replay took.
	Time time.Duration `json:"time"`
	// Series is the hit ratio in each of equally long parts of the requests.
	Series []float64 `json:"series,omitempty"`

	// Failed is why there are no or not all figures.
	Failed string `json:"failed,omitempty"`
	// Ranked says that the figures are those of a cache of the table's capacity,
	// so that the row has a place in the order.
	Ranked bool `json:"ranked"`
}

// A Reference is the hits of an exact policy.
type Reference struct {
	Name     string  `json:"name"`
	Hits     int64   `json:"hits"`
	Misses   int64   `json:"misses"`
	HitRatio float64 `json:"hitRatio"`
	// Bound says that the hits are an upper bound: with TTLs, what the best policy
	// would do is not known exactly.
	Bound bool `json:"bound,omitempty"`
}

// The names of the references.
const (
	RefOPTBypass = "OPT with bypass"
	RefOPT       = "OPT"
	RefLRU       = "LRU"
	RefFIFO      = "FIFO"
	RefCLOCK     = "CLOCK"
)

// A Curve is miss ratios over capacities.
type Curve struct {
	Lines []Line `json:"lines"`
	// SHARDS is the share of the keys that the reference lines were computed
	// from; 1 means that they are exact.
	SHARDS float64 `json:"shards"`
}

// A Line is the miss ratios of one cache or of one reference.
type Line struct {
	Name      string  `json:"name"`
	Reference bool    `json:"reference,omitempty"`
	Pace      Pace    `json:"pace,omitempty"`
	Points    []Point `json:"points"` // by ascending capacity
}

// A Point is a miss ratio at a capacity in entries. Low and High are the range of
// the runs.
type Point struct {
	Capacity  int     `json:"capacity"`
	MissRatio float64 `json:"missRatio"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

// Speed is the part about time.
type Speed struct {
	Rounds   int           `json:"rounds"` // measured
	Slice    time.Duration `json:"slice"`  // what a contestant runs in each
	Baseline string        `json:"baseline"`
	Cases    []SpeedCase   `json:"cases"`
	Latency  []Latency     `json:"latency,omitempty"`
}

// A SpeedCase compares the caches in one situation.
type SpeedCase struct {
	// Name is "hit" (every Get hits, nothing is evicted), "miss" (every Get
	// misses and every Put evicts) or "workload" (the workload, at its capacity).
	Name       string `json:"name"`
	Capacity   int    `json:"capacity"`
	Procs      int    `json:"procs"` // GOMAXPROCS
	Goroutines int    `json:"goroutines"`
	Mix        Mix    `json:"mix"` // due
	// Control is the ratio of the baseline to itself, measured as another
	// contestant. A difference within it is a tie.
	Control stat.Interval `json:"control"`
	// Noisy says that Control is wider than 10 %: nothing is ranked.
	Noisy bool       `json:"noisy,omitempty"`
	Rows  []SpeedRow `json:"rows"`
	// Floors are no caches to choose, but what their times are to be seen against:
	// what the measurement itself costs, and a map under a lock.
	Floors []SpeedRow `json:"floors,omitempty"`
}

// A Mix is shares of the operations.
type Mix struct {
	Gets        float64 `json:"gets"`
	Puts        float64 `json:"puts"`
	Invalidates float64 `json:"invalidates"`
}

// A SpeedRow is one cache in one case.
type SpeedRow struct {
	Name string `json:"name"`
	// Wall and CPU are nanoseconds of an operation: the medians over the rounds.
	Wall stat.Interval `json:"wall"`
	CPU  stat.Interval `json:"cpu"`
	// Ratio is the wall time of an operation in terms of the baseline's, paired
	// by round.
	Ratio stat.Interval `json:"ratio"`
	// Tie says that Ratio does not differ from 1 by more than the control does.
	Tie        bool    `json:"tie,omitempty"`
	OpsPerSec  float64 `json:"opsPerSec"`
	HitRatio   float64 `json:"hitRatio"`
	HitsPerSec float64 `json:"hitsPerSec"`
	Executed   Mix     `json:"executed"`
	// Dropped is the share of the Puts of new keys that could not be read right
	// after, in a sample.
	Dropped     float64 `json:"dropped,omitempty"`
	BytesPerOp  float64 `json:"bytesPerOp"`
	AllocsPerOp float64 `json:"allocsPerOp"`
	// Rounds are the wall nanoseconds of an operation in each round.
	Rounds []float64 `json:"rounds"`
	Failed string    `json:"failed,omitempty"`
}

// A Latency is the distribution of the times of one kind of operation.
type Latency struct {
	Name string `json:"name"`
	// Loop is "closed" (the next operation starts when the one before has ended)
	// or "open" (operations are due at a rate, and each time counts from when it
	// was due).
	Loop string `json:"loop"`
	// Rate is operations per second, and Share what part that is of what the
	// cache can do. They are zero for a closed loop.
	Rate  float64 `json:"rate,omitempty"`
	Share float64 `json:"share,omitempty"`
	// Class is "hit", "miss", "put" or "put-evict"; "all" for an open loop.
	Class  string        `json:"class"`
	Count  int64         `json:"count"`
	P50    time.Duration `json:"p50"`
	P99    time.Duration `json:"p99"`
	P999   time.Duration `json:"p999"`
	Max    time.Duration `json:"max"`
	Clock  time.Duration `json:"clock"` // what reading the clock costs, subtracted
	Steps  []Step        `json:"steps"` // the whole distribution
	Failed string        `json:"failed,omitempty"`
}

// A Step says which share of the operations took at most a time.
type Step struct {
	Time  time.Duration `json:"time"`
	Share float64       `json:"share"`
}

// Memory is the part about memory and the garbage collector.
type Memory struct {
	Value int         `json:"value"` // bytes of a value
	Rows  []MemoryRow `json:"rows"`
}

// A MemoryRow is one cache. PerEntry figures are the slope over the points, and
// Fixed ones the intercept, in bytes.
type MemoryRow struct {
	Name         string        `json:"name"`
	Points       []MemoryPoint `json:"points"`
	HeapPerEntry float64       `json:"heapPerEntry"`
	HeapFixed    float64       `json:"heapFixed"`
	RSSPerEntry  float64       `json:"rssPerEntry"`
	RSSFixed     float64       `json:"rssFixed"`
	// KeptPerEntry is all memory that an entry keeps from being free, that of its
	// value included, whether the cache copies values or refers to them.
	KeptPerEntry float64 `json:"keptPerEntry"`
	KeptFixed    float64 `json:"keptFixed"`
	ScanPerEntry float64 `json:"scanPerEntry"` // that the collector must look at
	// Numbers says that the values were numbers of eight bytes, as the contestant
	// takes no byte slices.
	Numbers bool `json:"numbers,omitempty"`
	// GC is what a full collection takes beyond an empty cache's, at the most
	// entries.
	GC     time.Duration `json:"gc"`
	Failed string        `json:"failed,omitempty"`
}

// A MemoryPoint is one size. Bytes are in excess of an empty process with the
// same keys and values.
type MemoryPoint struct {
	Entries int   `json:"entries"` // put
	Present int   `json:"present"` // found by a Get of every key
	Heap    int64 `json:"heap"`
	RSS     int64 `json:"rss"`
	// Kept is in excess of an empty process without the values: the memory of the
	// cache and of the values that it holds, on Go's heap or not.
	Kept int64 `json:"kept"`
	Scan int64 `json:"scan"`
	// GC is what a full collection takes.
	GC time.Duration `json:"gc"`
}

// TTL is the part about lifetimes.
type TTL struct {
	Rows []TTLRow `json:"rows"`
}

// A TTLRow is one cache at one TTL and use.
type TTLRow struct {
	Name string        `json:"name"`
	TTL  time.Duration `json:"ttl"`
	// Use is "idle", "read" (read again and again) or "overwrite" (put again with
	// the same TTL, once, halfway).
	Use  string `json:"use"`
	Keys int    `json:"keys"`
	// Early counts the keys that were gone before their TTL had passed, and
	// Earliest is by how much at most.
	Early    int           `json:"early"`
	Earliest time.Duration `json:"earliest"`
	// The lag of a key is from its deadline to the first miss: less than
	// Resolution is not seen.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
	// Stale is the longest time after its deadline at which a value was returned.
	Stale      time.Duration `json:"stale"`
	Resolution time.Duration `json:"resolution"` // of the measurement
	// SizeLag is from the last deadline until Size was 0, and MemoryLag until
	// half of the memory was free; negative: it was not seen, or Use is not "idle",
	// the only use for which it is looked for.
	SizeLag   time.Duration `json:"sizeLag"`
	MemoryLag time.Duration `json:"memoryLag"`
	// Strip is the shares of the keys still returned, at equal steps from StripFrom
	// to StripTo, times since the deadline.
	Strip     []float64     `json:"strip,omitempty"`
	StripFrom time.Duration `json:"stripFrom"`
	StripTo   time.Duration `json:"stripTo"`
	Failed    string        `json:"failed,omitempty"`
}
