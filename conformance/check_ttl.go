package conformance

import (
	"math"
	"time"

	"github.com/cachepact/cachepact/backend"
)

const day = 24 * time.Hour

// rangeTTLs are TTLs that counters of seconds, of milliseconds and of 32 bits get wrong.
var rangeTTLs = []struct {
	name string
	ttl  time.Duration
}{
	{"1ns", 1},
	{"999ns", 999},
	{"1us", time.Microsecond},
	{"999us", 999 * time.Microsecond},
	{"1ms", time.Millisecond},
	{"1.5ms", 1500 * time.Microsecond},
	{"10ms", 10 * time.Millisecond},
	{"100ms", 100 * time.Millisecond},
	{"999ms", 999 * time.Millisecond},
	{"1s", time.Second},
	{"1.5s", 1500 * time.Millisecond},
	{"1.999999999s", 2*time.Second - 1},
	{"59.9s", 59900 * time.Millisecond},
	{"1h", time.Hour},
	{"1d", day},
	{"24.9d", math.MaxInt32 * time.Millisecond},
	{"25d", 25 * day},
	{"30d", 30 * day},
	{"30d1s", 30*day + time.Second},
	{"49.8d", math.MaxUint32*time.Millisecond + time.Second},
	{"1y", 365 * day},
	{"68y", math.MaxInt32*time.Second + time.Second},
	{"100y", 100 * 365 * day},
	{"136y", math.MaxUint32*time.Second + time.Second},
	{"140y", 140 * 365 * day},
	{"max-1s", math.MaxInt64 - time.Second},
	{"max-1ns", math.MaxInt64 - 1},
	{"max", math.MaxInt64},
}

// checkTTLRangeKeeps checks one TTL on either side of its deadline, as far as the clock
// allows.
func checkTTLRangeKeeps[K comparable, V any](p *probe[K, V], ttl time.Duration) {
	p.putTTL(p.key(0), ttl)
	if p.r.bubble || ttl >= time.Second {
		p.get(p.key(0))
	}
	switch {
	case p.affords(ttl):
		if p.r.bubble || ttl >= 20*time.Millisecond {
			p.nearDeadline(p.key(0))
			p.get(p.key(0))
		}
		p.miss(p.key(0))
		p.wantSizeLagging(0)
	case p.affords(time.Hour):
		p.sleep(time.Hour)
		p.get(p.key(0))
	default:
		p.sleep(p.tick() * 5)
		p.get(p.key(0))
	}
	// Overwrite an entry that had another lifetime.
	p.putTTL(p.key(1), ttl)
	p.putTTL(p.key(1), p.unit())
	p.putTTL(p.key(1), ttl)
	p.get(p.key(1))
	if ttl > 10*p.unit() {
		p.sleep(2 * p.unit())
		p.get(p.key(1))
	}
}

// slow is the factor by which long waits are shortened in real time.
func (p *probe[K, V]) slow() time.Duration {
	if p.r.bubble {
		return 1
	}
	return 10
}

// lag is how long after its deadline an entry may be counted.
func (p *probe[K, V]) lag() time.Duration { return max(p.r.traits.SizeLag, p.r.traits.ExpiryLag) }

// wantSizeLagging checks Size after the declared lag.
func (p *probe[K, V]) wantSizeLagging(want int64) {
	if lag := p.lag(); lag > 0 {
		p.settle()
		p.sleep(lag + p.tick())
	}
	p.wantSize(want)
}

// entry checks the deadline that GetEntry returns.
func (p *probe[K, V]) entry(k K) {
	e, hit, err := backend.GetEntry(p.ctx, p.b, k)
	c := p.cell(k)
	if err != nil || !hit {
		if err != nil || !p.r.traits.Rejects {
			p.failf("GetEntry(%s) = hit %v, error %v", show(k), hit, err)("a hit, as Get answers")
		}
		return
	}
	if !p.same(e.Value, c.val) {
		p.failf("GetEntry(%s) = %s", show(k), show(e.Value))("%s, as Get answers", show(c.val))
	}
	if c.ttl == 0 {
		if !e.Deadline.IsZero() {
			p.failf("GetEntry(%s) has the deadline %v", show(k), e.Deadline)("the zero time: the entry never expires")
		}
		return
	}
	if from, to := c.put0.Add(c.ttl), c.put1.Add(c.ttl); e.Deadline.Before(from) || e.Deadline.After(to.Add(p.r.traits.ExpiryLag)) {
		p.failf("GetEntry(%s) has a deadline %v from the TTL's end", show(k), e.Deadline.Sub(to))(
			"the moment of the Put plus the TTL of %v", c.ttl)
	}
}

func checkTTLZeroAtCapacity[K comparable, V any](p *probe[K, V]) {
	p.keepsAll(func(i int) { p.putTTL(p.key(100+i), time.Duration(-i)) })
}

func checkTTLOverwriteForgottenByEviction[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for i := range 20 {
		p.putTTL(p.key(i), p.unit())
	}
	for i := range 60 {
		p.put(p.key(100 + i))
	}
	for i := range 20 { // evicted, and put again without a TTL
		p.put(p.key(i))
	}
	p.settle()
	var held []K
	for i := range 20 {
		if _, hit := p.get(p.key(i)); hit {
			held = append(held, p.key(i))
		}
	}
	p.sleep(2 * p.unit())
	p.settle()
	for _, k := range held {
		if _, hit := p.get(k); !hit {
			p.hinted("its earlier lifetime was not forgotten when it was evicted",
				"a hit: it was put again without a TTL, and only time has passed",
				"Get(%s) = miss", show(k))
		}
	}
}

func checkTTLOverwriteRefreshRacesGet[K comparable, V any](p *probe[K, V]) {
	parallel(func() { p.refreshRaces(func(k K) { _, _, _ = p.b.Get(p.ctx, k) }) })
}

func checkTTLOverwriteRefreshRacesStats[K comparable, V any](p *probe[K, V]) {
	parallel(func() { p.refreshRaces(func(K) { _, _ = p.b.Stats(p.ctx) }) })
}

func noFakeSweep[K comparable, V any](r *runner[K, V]) string {
	if !r.bubble {
		return "real time cannot be made to fall on a sweep"
	}
	return ""
}

func checkTTLOverwriteRefreshRacesSweep[K comparable, V any](p *probe[K, V]) {
	parallel(p.refreshAtSweep)
}

func noFakeHour[K comparable, V any](r *runner[K, V]) string {
	if !r.bubble {
		return "an hour of real time is too long"
	}
	return ""
}

func checkTTLOverwriteTwoPutsMeet[K comparable, V any](p *probe[K, V]) { parallel(p.mixedLifetimes) }

func checkTTLZeroSync[K comparable, V any](p *probe[K, V]) {
	p.queued(func(k K) error { return p.b.Put(p.ctx, k, p.val(), new(time.Duration)) })
}

func checkTTLNoneBesideOthers[K comparable, V any](p *probe[K, V]) {
	n := min(40, p.r.keys.N)
	for i := range n { // those with and without a TTL put in turn
		if i%2 == 0 {
			p.put(p.key(i))
		} else {
			p.putTTL(p.key(i), p.unit())
		}
	}
	p.sleep(p.unit() + p.tick())
	p.miss(p.key(1))
	for i := 0; i < n; i += 2 {
		p.hit(p.key(i))
	}
	p.wantSizeLagging(int64(n+1) / 2)
	p.hit(p.key(0))
}

func checkTTLNoneForLong[K comparable, V any](p *probe[K, V]) {
	n := min(20, p.r.keys.N)
	for i := range n {
		p.put(p.key(i))
	}
	for _, d := range []time.Duration{p.unit(), time.Hour, 11 * time.Hour, 13 * time.Hour, 30 * day, 365 * day, 100 * 365 * day} {
		if !p.affords(d) {
			continue
		}
		p.sleep(d)
		p.hit(p.key(0))
		for i := range n {
			p.hit(p.key(i))
		}
		p.put(p.key(1))
	}
	p.wantSize(int64(n))
}

func checkTTLNoneUnread[K comparable, V any](p *probe[K, V]) {
	n := min(50, p.r.keys.N)
	for i := range n {
		p.put(p.key(i))
	}
	d := 40 * day
	for ; !p.affords(d); d /= 4 {
	}
	p.sleep(d)
	for i := range n {
		p.hit(p.key(i))
	}
}

func checkTTLExpiresAfter[K comparable, V any](p *probe[K, V]) {
	for i := range min(10, p.r.keys.N) {
		p.putTTL(p.key(i), p.unit())
		p.hit(p.key(i))
	}
	p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
	for i := range min(10, p.r.keys.N) {
		p.miss(p.key(i))
		p.miss(p.key(i))
	}
}

func checkTTLExpiresUnread[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
	p.miss(p.key(0))
	p.sleep(p.unit())
	p.miss(p.key(0))
	p.settle()
	p.miss(p.key(0))
}

func checkTTLExpiresEachItsOwn[K comparable, V any](p *probe[K, V]) {
	n := min(8, p.r.keys.N)
	for i := range n { // the later ones put first
		p.putTTL(p.key(i), time.Duration(n-i)*p.unit())
	}
	for range n {
		p.sleep(p.unit() + p.tick())
		for i := range n {
			p.get(p.key(i)) // the probe knows which are due
		}
	}
	for i := range n {
		p.miss(p.key(i))
	}
}

func checkTTLExpiresMany[K comparable, V any](p *probe[K, V]) {
	n := min(1000, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), p.unit()+time.Duration(mix(uint64(i))%uint64(p.unit())))
	}
	p.sleep(2*p.unit() + p.r.traits.ExpiryLag + p.tick())
	for i := range n {
		p.miss(p.key(i))
	}
	p.wantSizeLagging(0)
}

func checkTTLExpiresPutAgain[K comparable, V any](p *probe[K, V]) {
	for range 4 {
		p.putTTL(p.key(0), p.unit())
		p.hit(p.key(0))
		p.sleep(p.unit() + p.tick())
		p.miss(p.key(0))
		p.put(p.key(0))
		p.hit(p.key(0))
		p.wantSizeLagging(1)
	}
}

func checkTTLExpiresPutOverTheDead[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() + p.tick())
	p.put(p.key(0)) // not read since
	p.hit(p.key(0))
	p.settle()
	p.sleep(4 * p.unit())
	p.hit(p.key(0))
	p.putTTL(p.key(1), p.unit())
	p.sleep(p.unit() + p.tick())
	p.putTTL(p.key(1), 10*p.unit())
	p.sleep(2 * p.unit())
	p.alive(p.key(1))
}

func checkTTLNotearlyUntilTheEnd[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.miss(p.key(0))
}

func checkTTLNotearlyUnreadAmongOthers[K comparable, V any](p *probe[K, V]) {
	n := min(200, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), time.Duration(1+i%5)*p.unit())
	}
	for step := range 5 {
		p.nearDeadline(p.key(step))
		if c := p.cell(p.key(step)); !p.r.bubble && !c.alive(time.Now()) {
			p.alive(p.key(step))
		}
		for i := range n { // in another order each time
			p.get(p.key((i*[]int{1, 3, 7, 9, 11}[step] + step) % n))
		}
		p.miss(p.key(step))
	}
}

func checkTTLNotearlyAnyOffset[K comparable, V any](p *probe[K, V]) {
	if !p.r.bubble {
		p.putTTL(p.key(0), p.unit())
		p.nearDeadline(p.key(0))
		p.alive(p.key(0))
		return
	}
	for i := range 60 { // at any fraction of a second or tick
		p.sleep(time.Duration(mix(uint64(i)) % uint64(3*time.Second)))
		p.putTTL(p.key(0), time.Second+time.Duration(mix(uint64(i+100))%uint64(2*time.Second)))
		p.nearDeadline(p.key(0))
		p.alive(p.key(0))
		p.miss(p.key(0))
	}
}

func checkTTLZeroStoresNothing[K comparable, V any](p *probe[K, V]) {
	for i, ttl := range []time.Duration{0, -1, -time.Second, -time.Hour, math.MinInt64, -2, -1000} {
		k := p.key(i % p.r.keys.N)
		p.putTTL(k, ttl)
		p.miss(k)
		p.wantSize(0)
	}
	p.settle()
	p.sleep(p.unit())
	for i := range min(7, p.r.keys.N) {
		p.miss(p.key(i))
	}
}

func checkTTLZeroRemoves[K comparable, V any](p *probe[K, V]) {
	for _, ttl := range []time.Duration{0, -1, -2, -time.Second, math.MinInt64} {
		for _, was := range []*time.Duration{nil, new(10 * p.unit())} {
			p.put(p.key(1))
			p.putValue(p.key(0), p.val(), was)
			p.hit(p.key(0))
			p.putTTL(p.key(0), ttl)
			p.miss(p.key(0))
			p.settle()
			p.miss(p.key(0))
			p.hit(p.key(1))
			p.wantSize(1)
		}
	}
}

func checkTTLZeroThenPut[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), 0)
	p.put(p.key(0))
	p.hit(p.key(0))
	p.putTTL(p.key(0), -1)
	p.putTTL(p.key(0), p.unit())
	p.hit(p.key(0))
	p.settle()
	p.alive(p.key(0))
	p.miss(p.key(0))
}

func checkTTLOverwriteExtends[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.putTTL(p.key(0), 3*p.unit())
	p.sleep(2 * p.unit())
	p.alive(p.key(0))
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.miss(p.key(0))
}

func checkTTLOverwriteShortens[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), 10*p.unit())
	p.hit(p.key(0))
	p.putTTL(p.key(0), p.unit())
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.miss(p.key(0))
	p.wantSizeLagging(0)
}

func checkTTLOverwriteAdds[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.hit(p.key(0))
	p.putTTL(p.key(0), p.unit())
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.miss(p.key(0))
}

func checkTTLOverwriteRemoves[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.hit(p.key(0))
	p.put(p.key(0))
	p.sleep(2 * p.unit())
	p.hit(p.key(0))
	p.sleep(10 * p.unit())
	p.settle()
	p.hit(p.key(0))
	p.wantSize(1)
}

func checkTTLOverwriteSameTTLRestarts[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), 4*p.unit())
	for range 3 {
		p.sleep(3 * p.unit())
		p.putTTL(p.key(0), 4*p.unit())
	}
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.miss(p.key(0))
}

func checkTTLOverwriteSameValue[K comparable, V any](p *probe[K, V]) {
	v := p.val()
	p.putValue(p.key(0), v, new(p.unit()))
	p.putValue(p.key(0), v, new(3*p.unit()))
	p.nearDeadline(p.key(0))
	p.alive(p.key(0))
	p.putValue(p.key(1), v, new(3*p.unit()))
	p.putValue(p.key(1), v, new(p.unit()))
	p.miss(p.key(1))
}

func checkTTLOverwriteGetDoesNotExtend[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	for range 8 {
		p.sleep(p.unit() / 10)
		p.get(p.key(0))
	}
	p.miss(p.key(0))
}

func checkTTLOverwriteViewsDoNotExtend[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	for range 4 {
		p.sleep(p.unit() / 5)
		p.size()
		if p.r.has.ranger {
			p.all()
		}
		if p.r.has.entries {
			_, _, _ = backend.GetEntry(p.ctx, p.b, p.key(0))
		}
		if p.r.has.batcher {
			_, _ = backend.GetMany(p.ctx, p.b, []K{p.key(0)})
		}
	}
	p.miss(p.key(0))
}

func checkTTLOverwriteForgottenByInvalidate[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.putTTL(p.key(1), p.unit())
	p.invalidate(p.key(0))
	p.put(p.key(0))
	p.clear()
	p.put(p.key(1))
	p.put(p.key(0))
	p.sleep(2 * p.unit())
	p.settle()
	p.hit(p.key(0))
	p.hit(p.key(1))
	p.sleep(20 * p.unit() / p.slow())
	p.hit(p.key(0))
	p.hit(p.key(1))
	p.wantSize(2)
}

func checkTTLOverwriteForgottenByInvalidateAll[K comparable, V any](p *probe[K, V]) {
	n := min(100, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), p.unit())
	}
	p.clear()
	for i := range n {
		p.put(p.key(i))
	}
	for range 6 { // a background sweep may come long after
		p.sleep(2 * p.unit() / p.slow())
		p.settle()
		for i := range n {
			p.hit(p.key(i))
		}
	}
	p.wantSize(int64(n))
}

func checkTTLOverwriteForgottenByZero[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.putTTL(p.key(0), 0)
	p.put(p.key(0))
	p.sleep(3 * p.unit())
	p.settle()
	p.hit(p.key(0))
}

func checkTTLOverwriteSweepSparesRefreshed[K comparable, V any](p *probe[K, V]) {
	n := min(300, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), p.unit())
	}
	p.sleep(p.unit() - p.unit()/8)
	for i := range n { // shortly before they are due
		switch i % 3 {
		case 0:
			p.put(p.key(i))
		case 1:
			p.putTTL(p.key(i), 10*p.unit())
		}
	}
	for range 4 {
		p.sleep(p.unit())
		p.size() // Stats may sweep
		for i := range n {
			p.get(p.key(i))
		}
	}
}

func checkTTLRangeBesideEachOther[K comparable, V any](p *probe[K, V]) {
	for i, x := range rangeTTLs {
		p.putTTL(p.key(i%p.r.keys.N), x.ttl)
	}
	for _, d := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		if !p.affords(d) {
			break
		}
		p.sleep(d)
		for i := range rangeTTLs {
			p.get(p.key(i % p.r.keys.N))
		}
	}
}

func checkTTLRangeDeadline[K comparable, V any](p *probe[K, V]) {
	for _, ttl := range []time.Duration{1500 * time.Millisecond, time.Minute, 30*day + time.Second, 100 * 365 * day} {
		p.putTTL(p.key(0), ttl)
		p.entry(p.key(0))
		p.put(p.key(0))
		p.entry(p.key(0))
	}
	for _, ttl := range []time.Duration{time.Hour, time.Minute, 25 * day, time.Second, math.MaxInt64} { // over each other, and unread
		p.putTTL(p.key(0), ttl)
		if ttl < math.MaxInt64 {
			p.entry(p.key(0))
		}
	}
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() / 4)
	p.entry(p.key(0))
	p.get(p.key(0))
	p.entry(p.key(0))
}

func checkTTLExpiresAll[K comparable, V any](p *probe[K, V]) {
	n := min(20, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), time.Duration(1+i%2*9)*p.unit())
	}
	p.lists()
	p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
	p.lists() // nothing was read since
	p.put(p.key(0))
	p.lists()
}

func checkTTLExpiresEntry[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
	if _, hit, err := backend.GetEntry(p.ctx, p.b, p.key(0)); hit || err != nil {
		p.failf("GetEntry of an expired key = hit %v, error %v", hit, err)("a miss")
	}
}
