package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/trace"
)

// unknown is the TTL of a key that was never written.
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

// of returns the TTL with which request i of a Segment stores, and whether it is
// known.
func (t *lifetimes) of(s Segment, i int) (ttl time.Duration, known bool) {
	id := s.IDs[i]
	group := t.group[id]
	if s.Op(i) == trace.Set {
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

// A TTLMode tells which TTLs are honoured.
type TTLMode struct {
	Text  string        // as given
	Trace bool          // the recorded TTLs
	Fixed time.Duration // if not 0, the TTL of every entry
}

// ParseTTLMode reads trace, none or a duration.
func ParseTTLMode(text string) (TTLMode, error) {
	switch text {
	case "trace":
		return TTLMode{Text: text, Trace: true}, nil
	case "none":
		return TTLMode{Text: text}, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return TTLMode{}, fmt.Errorf("ttl %q: expected trace, none or a time such as 30s", text)
	}
	return TTLMode{Text: text, Fixed: d}, nil
}

// Expiring returns l with the deadlines of a mode. It returns l itself if nothing expires.
func (l *Load) Expiring(mode TTLMode) (*Load, error) {
	switch {
	case mode.Fixed > 0 && !l.Timed:
		return nil, errors.New("ttl " + mode.Text + ": the requests have no times, in which it could pass")
	case mode.Fixed == 0 && (!mode.Trace || !l.TTLs || !l.Timed):
		return l, nil
	}
	with := *l
	with.ttlMode = mode
	if !l.Streamed() {
		with.All.Deadlines = make([]time.Duration, len(l.All.Keys))
		with.setDeadlines(with.All, l.lifetimes.start())
	}
	return &with, nil
}

// Expires reports whether the segments of l have deadlines.
func (l *Load) Expires() bool { return l.ttlMode.Trace || l.ttlMode.Fixed > 0 }

// setDeadlines fills the deadlines of a Segment.
func (l *Load) setDeadlines(s Segment, t *lifetimes) {
	for i := range s.Keys {
		ttl := l.ttlMode.Fixed
		if ttl == 0 {
			ttl, _ = t.of(s, i)
		}
		s.Deadlines[i] = policy.Never
		if now := s.time(i); ttl > 0 && ttl < policy.Never-now {
			s.Deadlines[i] = now + ttl
		}
	}
}

// UnknownTTLs returns the number of Gets of keys without a known TTL.
func (l *Load) UnknownTTLs() (n int64, err error) {
	t := l.lifetimes.start()
	for s, err := range l.Segments(BatchSize) {
		if err != nil {
			return n, err
		}
		for i := range s.Keys {
			if _, known := t.of(s, i); !known && s.Op(i) == trace.Get {
				n++
			}
		}
	}
	return n, nil
}
