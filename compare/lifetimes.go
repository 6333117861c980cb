package compare

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/trace"
)

// unknown is the TTL of what was never written.
const unknown time.Duration = -1

// lifetimes knows the TTL with which a request stores.
//
// A recorded write has its own, and so has a Get for which the trace or the
// workload says one. For the others, which store only what they missed, it is that
// of the key's latest recorded write; before its first write, that of its first;
// for a key that is never written, that of the latest write of its group, or of the
// group's first. What is then still unknown never expires.
type lifetimes struct {
	keys   []time.Duration          // by id
	group  []uint32                 // by id
	groups map[uint32]time.Duration // but not of 0
}

func newLifetimes() *lifetimes {
	return &lifetimes{groups: map[uint32]time.Duration{}}
}

// learn notes the first write of each key and group.
func (t *lifetimes) learn(id uint32, q trace.Request) {
	if int(id) == len(t.keys) {
		t.keys = append(t.keys, unknown)
		t.group = append(t.group, q.Group)
	}
	if q.Op != trace.Set {
		return
	}
	if t.keys[id] == unknown {
		t.keys[id] = q.TTL
	}
	if _, known := t.groups[q.Group]; !known && q.Group != 0 {
		t.groups[q.Group] = q.TTL
	}
}

// start returns the lifetimes at the start of a replay.
func (t *lifetimes) start() *lifetimes {
	return &lifetimes{keys: slices.Clone(t.keys), group: t.group, groups: maps.Clone(t.groups)}
}

// of returns the TTL with which request i of a segment stores, and whether it is
// known.
func (t *lifetimes) of(s segment, i int) (ttl time.Duration, known bool) {
	id := s.ids[i]
	group := t.group[id]
	if s.op(i) == trace.Set {
		ttl = s.ttl(i)
		t.keys[id] = ttl
		if group != 0 {
			t.groups[group] = ttl
		}
		return ttl, true
	}
	if ttl = s.ttl(i); ttl > 0 {
		return ttl, true
	}
	if ttl = t.keys[id]; ttl == unknown {
		ttl, known = t.groups[group]
		return ttl, known
	}
	return ttl, true
}

// A ttlMode says which TTLs are honoured.
type ttlMode struct {
	text  string        // as given
	trace bool          // those recorded
	fixed time.Duration // if not 0, that of everything
}

func parseTTLMode(text string) (ttlMode, error) {
	switch text {
	case "trace":
		return ttlMode{text: text, trace: true}, nil
	case "none":
		return ttlMode{text: text}, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return ttlMode{}, fmt.Errorf("ttl %q: expected trace, none or a time such as 30s", text)
	}
	return ttlMode{text: text, fixed: d}, nil
}

// expiring returns l with the deadlines of a mode. It is l itself if nothing
// expires.
func (l *load) expiring(mode ttlMode) (*load, error) {
	switch {
	case mode.fixed > 0 && !l.timed:
		return nil, errors.New("ttl " + mode.text + ": the requests have no times, in which it could pass")
	case mode.fixed == 0 && (!mode.trace || !l.ttls || !l.timed):
		return l, nil
	}
	with := *l
	with.ttlMode = mode
	if !l.streamed() {
		with.all.deadlines = make([]time.Duration, len(l.all.keys))
		with.setDeadlines(with.all, l.lifetimes.start())
	}
	return &with, nil
}

// expires reports whether the segments of l have deadlines.
func (l *load) expires() bool { return l.ttlMode.trace || l.ttlMode.fixed > 0 }

// setDeadlines fills the deadlines of a segment.
func (l *load) setDeadlines(s segment, t *lifetimes) {
	for i := range s.keys {
		ttl := l.ttlMode.fixed
		if ttl == 0 {
			ttl, _ = t.of(s, i)
		}
		s.deadlines[i] = policy.Never
		if now := s.time(i); ttl > 0 && ttl < policy.Never-now {
			s.deadlines[i] = now + ttl
		}
	}
}

// unknownTTLs returns how many Gets there are for whose key no TTL is known.
func (l *load) unknownTTLs() (n int64, err error) {
	t := l.lifetimes.start()
	for s, err := range l.segments(batchSize) {
		if err != nil {
			return n, err
		}
		for i := range s.keys {
			if _, known := t.of(s, i); !known && s.op(i) == trace.Get {
				n++
			}
		}
	}
	return n, nil
}
