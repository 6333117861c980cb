// Package report defines the result of a comparison of caches. It writes a report as
// JSON, as CSV, as text for a terminal and as one HTML file. It also works out which
// cache suits the workload.
//
// # The JSON
//
// The JSON has the fields of [Report]. Durations are in nanoseconds, and ratios and
// shares are fractions of one. A part that was not measured is absent. [Schema] rises
// when the meaning of a field changes; new fields do not change it.
package report

import (
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// Schema is the version of the JSON format.
const Schema = 1

// A Report is the result of a comparison. A part that was not measured is nil.
type Report struct {
	Schema  int       `json:"schema"`
	Command []string  `json:"command"` // the command line that reproduces the report
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
	// Answer is set by [Report.Conclude] from all other fields.
	Answer *Answer `json:"answer,omitempty"`
}

// A Machine describes the computer that ran the comparison.
type Machine struct {
	Go     string `json:"go"` // version of Go
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`             // GOMAXPROCS
	CPU    string `json:"cpu,omitempty"`    // model; empty if unknown
	Memory int64  `json:"memory,omitempty"` // bytes; 0 if unknown
	// Module is the version of cachepact.
	Module string `json:"module,omitempty"`
}

// A Workload describes the requests.
type Workload struct {
	Name     string `json:"name"`             // the trace's file name, or the description of a generated workload
	Format   string `json:"format,omitempty"` // format of the trace; empty for a generated workload
	Requests int64  `json:"requests"`
	Distinct int    `json:"distinct"` // number of distinct keys
	Gets     int64  `json:"gets"`
	Sets     int64  `json:"sets,omitempty"`
	Deletes  int64  `json:"deletes,omitempty"`
	Updates  int64  `json:"updates,omitempty"`
	// Sample is the share of the keys that are replayed; 1 means all keys.
	Sample float64 `json:"sample"`
	// TTLs and Sizes report whether some requests have a TTL or a size.
	TTLs  bool `json:"ttls,omitempty"`
	Sizes bool `json:"sizes,omitempty"`
	// TopKey is the share of the requests for the most popular key. LRU1 is the hit
	// ratio of an exact LRU whose capacity is 1 % of the keys, without TTLs; 0 if it
	// was not computed. Both distinguish workloads of the same name.
	TopKey float64 `json:"topKey"`
	LRU1   float64 `json:"lru1,omitempty"`
	// Value is the mean size of a value in bytes, over the keys whose size is known;
	// 0 if no size is known.
	Value float64 `json:"value,omitempty"`
}

// Bounds names the quantity that a cache's capacity limits.
type Bounds string

// The quantities that a capacity limits.
const (
	BoundsEntries Bounds = "entries"
	BoundsAbout   Bounds = "~entries" // the number of entries, approximately
	BoundsBytes   Bounds = "bytes"
	BoundsNothing Bounds = "nothing"
)

// A Contestant is a cache that took part.
type Contestant struct {
	Name    string `json:"name"`
	Module  string `json:"module,omitempty"` // module path of its library
	Version string `json:"version,omitempty"`
	Bounds  Bounds `json:"bounds,omitempty"`
	// LRU reports whether the cache evicts exactly the least recently used entry.
	LRU bool `json:"lru,omitempty"`
	// Own reports whether the user supplied the cache: it is not an adapter of this module.
	Own bool `json:"own,omitempty"`
}

// A Finding is an integrity check that failed, for a cache or for the measurement.
// Reports show it in red, and a strict run fails.
type Finding struct {
	Name string `json:"name"` // the contestant; empty if the measurement failed the check
	// Check is one of the Check names.
	Check string `json:"check"`
	// Where names the part of the report, such as "hits at 1,000 entries".
	Where string `json:"where"`
	Text  string `json:"text"`
}

// The checks.
const (
	CheckOPT      = "above-opt"     // more hits than any cache of this capacity can have
	CheckCapacity = "over-capacity" // more live entries than the capacity
	CheckValue    = "wrong-value"   // a Get returned a value that was not the last written
	CheckStale    = "stale"         // a Get returned a value after its TTL had passed
	CheckDropped  = "dropped"       // writes that were acknowledged could not be read
	CheckMix      = "mix"           // the mix of executed operations differs from the intended mix
	CheckLRU      = "lru"           // the hits of an exact LRU differ from the simulated LRU's
	CheckEarly    = "early"         // an entry expired before its TTL had passed
	CheckFailed   = "failed"        // an operation returned an error
	CheckNoise    = "noise"         // the machine is too noisy to rank by speed
)

// A Note is a fact that a reader must know about a cache. A note without a name is
// about the whole report.
type Note struct {
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// An Answer states which cache suits the workload.
type Answer struct {
	// Text is one or more sentences.
	Text string `json:"text"`
	// Reasons are sentences with the figures that support Text.
	Reasons []string `json:"reasons"`
}

// A Pace says whether the driver waits after writes and misses.
type Pace string

const (
	// Flat replays in a tight loop. Background goroutines of a cache get little time.
	Flat Pace = "flat"
	// Settled waits after each write until the cache has finished its background work.
	Settled Pace = "settled"
	// Paced replays with several clients that wait for a simulated load after a miss.
	Paced Pace = "paced"
)

// Hits is the part of the report about hit ratios.
type Hits struct {
	// Mode is "fill" (the driver stores a key after a Get that misses, and applies
	// recorded writes too) or "trace" (the driver applies only recorded writes).
	Mode string `json:"mode"`
	// TTL is "trace" (TTLs of the trace), "none" or a duration such as "10s".
	TTL  string `json:"ttl"`
	Runs int    `json:"runs"` // number of runs of a cache whose hits differ from run to run
	// Load, Work and Clients are the settings of Paced. Load is the time of a load
	// after a miss, Work the client's own time per request.
	Load    time.Duration `json:"load,omitempty"`
	Work    time.Duration `json:"work,omitempty"`
	Clients int           `json:"clients,omitempty"`
	Tables  []Table       `json:"tables"`
	// Curve holds the miss-ratio curves; nil if they were not requested.
	Curve *Curve `json:"curve,omitempty"`
}

// A Table compares the caches at one capacity.
type Table struct {
	// Capacity is in entries. If the capacity was given in bytes, Bytes is that
	// number, Capacity is the mean of the capacities that it was converted to, and
	// each row has its own.
	Capacity   int         `json:"capacity"`
	Bytes      int64       `json:"bytes,omitempty"`
	Share      float64     `json:"share"` // Capacity as a share of the distinct keys
	Rows       []Row       `json:"rows"`
	References []Reference `json:"references"`
}

// A Row holds the figures of one cache at one pace.
type Row struct {
	Name   string `json:"name"`
	Pace   Pace   `json:"pace,omitempty"` // empty if the pace makes no difference
	Bounds Bounds `json:"bounds"`
	// Entries is the capacity in entries that the cache was created with; 0 if the
	// cache was created with a capacity in bytes.
	Entries int `json:"entries"`
	// BytesPerEntry converts between bytes and entries. It is the measured heap per
	// entry or, if the capacity is in bytes, the bytes per entry of the full cache.
	BytesPerEntry float64 `json:"bytesPerEntry,omitempty"`

	// HitRatio is the median of the runs, Low the least and High the greatest.
	HitRatio float64 `json:"hitRatio"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Runs     int     `json:"runs"`

	// The fields below are from the median run.
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
	// Peak is the greatest number of live entries seen.
	Peak int64 `json:"peak"`
	// Wrong counts the Gets that returned a value that was not the last written.
	Wrong int64 `json:"wrong,omitempty"`
	// Stale counts the hits on entries whose TTL had passed.
	Stale int64 `json:"stale,omitempty"`
	// Writes counts the Puts.
	Writes int64 `json:"writes"`
	// Probed counts the Puts of new keys that were checked by a Get right after.
	// Dropped counts the misses of these Gets. Rejected counts the Puts that the
	// cache itself reports as rejected.
	Dropped  int64 `json:"dropped,omitempty"`
	Probed   int64 `json:"probed,omitempty"`
	Rejected int64 `json:"rejected,omitempty"`
	// Rejects reports whether the cache declares an admission policy.
	Rejects bool `json:"rejects,omitempty"`
	// Time is the duration of the replay.
	Time time.Duration `json:"time"`
	// Series holds the hit ratios of equally long parts of the requests, in order.
	Series []float64 `json:"series,omitempty"`

	// Failed is the reason why figures are missing; empty if none is.
	Failed string `json:"failed,omitempty"`
	// Ranked reports whether the cache keeps to the table's capacity, so that its
	// hit ratio can be compared.
	Ranked bool `json:"ranked"`
}

// A Reference holds the hits of an exact, simulated policy.
type Reference struct {
	Name     string  `json:"name"`
	Hits     int64   `json:"hits"`
	Misses   int64   `json:"misses"`
	HitRatio float64 `json:"hitRatio"`
	// Bound reports whether Hits is an upper bound instead of an exact count. With
	// TTLs the hits of the optimal policy are not known exactly.
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

// A Curve holds miss ratios at several capacities.
type Curve struct {
	Lines []Line `json:"lines"`
	// SHARDS is the share of the keys in the sample from which the reference lines
	// were computed; 1 means that they are exact.
	SHARDS float64 `json:"shards"`
}

// A Line holds the miss ratios of one cache or of one reference.
type Line struct {
	Name      string  `json:"name"`
	Reference bool    `json:"reference,omitempty"`
	Pace      Pace    `json:"pace,omitempty"`
	Points    []Point `json:"points"` // by ascending capacity
}

// A Point is the miss ratio at a capacity in entries. Low and High are the least and
// the greatest of the runs.
type Point struct {
	Capacity  int     `json:"capacity"`
	MissRatio float64 `json:"missRatio"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

// Speed is the part of the report about times of operations.
type Speed struct {
	Rounds   int           `json:"rounds"` // number of measured rounds
	Slice    time.Duration `json:"slice"`  // time of a contestant in a round
	Baseline string        `json:"baseline"`
	Cases    []SpeedCase   `json:"cases"`
	Latency  []Latency     `json:"latency,omitempty"`
}

// A SpeedCase compares the caches under one load.
type SpeedCase struct {
	// Name is "hit" (every Get hits, nothing is evicted), "miss" (every Get
	// misses and every Put evicts) or "workload" (the requests of the workload).
	Name       string `json:"name"`
	Capacity   int    `json:"capacity"`
	Procs      int    `json:"procs"` // GOMAXPROCS
	Goroutines int    `json:"goroutines"`
	Mix        Mix    `json:"mix"` // intended mix of operations
	// Control is the ratio of the baseline's time to itself: the baseline is measured
	// twice, as two contestants. A difference within this interval is a tie.
	Control stat.Interval `json:"control"`
	// Noisy reports whether Control is wider than 10 %. Then nothing is ranked.
	Noisy bool       `json:"noisy,omitempty"`
	Rows  []SpeedRow `json:"rows"`
	// Floors are times to compare with: the cost of the measurement itself and a map
	// under a lock.
	Floors []SpeedRow `json:"floors,omitempty"`
}

// A Mix holds the shares of the operations, as fractions of one.
type Mix struct {
	Gets        float64 `json:"gets"`
	Puts        float64 `json:"puts"`
	Invalidates float64 `json:"invalidates"`
}

// A SpeedRow holds the figures of one cache in one case.
type SpeedRow struct {
	Name string `json:"name"`
	// Wall and CPU are nanoseconds per operation: medians over the rounds.
	Wall stat.Interval `json:"wall"`
	CPU  stat.Interval `json:"cpu"`
	// Ratio is the wall time per operation divided by the baseline's in the same round.
	Ratio stat.Interval `json:"ratio"`
	// Tie reports whether Ratio differs from 1 by no more than the control does.
	Tie        bool    `json:"tie,omitempty"`
	OpsPerSec  float64 `json:"opsPerSec"`
	HitRatio   float64 `json:"hitRatio"`
	HitsPerSec float64 `json:"hitsPerSec"`
	Executed   Mix     `json:"executed"`
	// Dropped is the share of sampled Puts of new keys that a Get right after missed.
	Dropped     float64 `json:"dropped,omitempty"`
	BytesPerOp  float64 `json:"bytesPerOp"`
	AllocsPerOp float64 `json:"allocsPerOp"`
	// Rounds holds the wall nanoseconds per operation in each round.
	Rounds []float64 `json:"rounds"`
	Failed string    `json:"failed,omitempty"`
}

// A Latency is the distribution of the times of one class of operations.
type Latency struct {
	Name string `json:"name"`
	// Loop is "closed" (an operation starts when the previous one has ended) or "open"
	// (operations are scheduled at a rate, and a time counts from the scheduled start).
	Loop string `json:"loop"`
	// Rate is in operations per second. Share is Rate divided by the greatest rate of
	// the cache. Both are zero for a closed loop.
	Rate  float64 `json:"rate,omitempty"`
	Share float64 `json:"share,omitempty"`
	// Class is "hit", "miss", "put" or "put-evict"; "all" for an open loop.
	Class  string        `json:"class"`
	Count  int64         `json:"count"`
	P50    time.Duration `json:"p50"`
	P99    time.Duration `json:"p99"`
	P999   time.Duration `json:"p999"`
	Max    time.Duration `json:"max"`
	Clock  time.Duration `json:"clock"` // time of reading the clock, which is subtracted
	Steps  []Step        `json:"steps"` // the cumulative distribution
	Failed string        `json:"failed,omitempty"`
}

// A Step is a point of a distribution: Share of the operations took at most Time.
type Step struct {
	Time  time.Duration `json:"time"`
	Share float64       `json:"share"`
}

// Memory is the part of the report about memory and garbage collection.
type Memory struct {
	Value int         `json:"value"` // size of a value in bytes
	Rows  []MemoryRow `json:"rows"`
}

// A MemoryRow holds the memory of one cache, in bytes. A line is fitted to the points:
// the PerEntry fields are its slope, the Fixed fields its intercept.
type MemoryRow struct {
	Name         string        `json:"name"`
	Points       []MemoryPoint `json:"points"`
	HeapPerEntry float64       `json:"heapPerEntry"`
	HeapFixed    float64       `json:"heapFixed"`
	RSSPerEntry  float64       `json:"rssPerEntry"`
	RSSFixed     float64       `json:"rssFixed"`
	// KeptPerEntry is all memory that would be free without the entry, including its
	// value, whether the cache copies values or keeps references.
	KeptPerEntry float64 `json:"keptPerEntry"`
	KeptFixed    float64 `json:"keptFixed"`
	ScanPerEntry float64 `json:"scanPerEntry"` // scanned by the garbage collector
	// Numbers reports whether the values were 8-byte numbers, because the contestant
	// does not store byte slices.
	Numbers bool `json:"numbers,omitempty"`
	// GC is the time of a full collection with the most entries, minus that with an
	// empty cache.
	GC     time.Duration `json:"gc"`
	Failed string        `json:"failed,omitempty"`
}

// A MemoryPoint holds the memory of a cache with one number of entries. Bytes are
// in addition to a process that holds the same keys and values without a cache.
type MemoryPoint struct {
	Entries int   `json:"entries"` // number of entries put
	Present int   `json:"present"` // number of entries that Gets of all keys found
	Heap    int64 `json:"heap"`
	RSS     int64 `json:"rss"`
	// Kept is the memory of the cache and of the values that it holds, on Go's heap
	// or outside of it. The values are not subtracted.
	Kept int64 `json:"kept"`
	Scan int64 `json:"scan"`
	// GC is the time of a full collection.
	GC time.Duration `json:"gc"`
}

// TTL is the part of the report about expiry.
type TTL struct {
	Rows []TTLRow `json:"rows"`
}

// A TTLRow holds the figures of one cache with one TTL and one use.
type TTLRow struct {
	Name string        `json:"name"`
	TTL  time.Duration `json:"ttl"`
	// Use is "idle" (no operation until the deadline), "read" (repeated Gets) or
	// "overwrite" (one more Put with the same TTL, after half of it).
	Use  string `json:"use"`
	Keys int    `json:"keys"`
	// Early counts the keys that missed before their TTL had passed. Earliest is the
	// longest time before the deadline at which a key missed.
	Early    int           `json:"early"`
	Earliest time.Duration `json:"earliest"`
	// P50, P99 and Max are percentiles of the lag: the time from a key's deadline to
	// its first miss. A lag below Resolution cannot be seen.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
	// Stale is the longest time after a deadline at which a Get still hit.
	Stale      time.Duration `json:"stale"`
	Resolution time.Duration `json:"resolution"` // of the measurement
	// SizeLag is the time from the last deadline until Stats.Size was 0, MemoryLag the
	// time until half of the memory was free. Both are negative if this was not seen,
	// or if Use is not "idle": other uses do not measure them.
	SizeLag   time.Duration `json:"sizeLag"`
	MemoryLag time.Duration `json:"memoryLag"`
	// Strip holds the shares of the keys that still hit, at equal steps from StripFrom
	// to StripTo, which are times since the deadline.
	Strip     []float64     `json:"strip,omitempty"`
	StripFrom time.Duration `json:"stripFrom"`
	StripTo   time.Duration `json:"stripTo"`
	Failed    string        `json:"failed,omitempty"`
}
