package conformance

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

type opKind int

const (
	opGet opKind = iota
	opPut
	opInvalidate
	opClear
	opStats
	opSleep
)

// An op is one call and its answer.
type op[K comparable, V any] struct {
	kind opKind
	key  K
	val  V
	ttl  *time.Duration
	hit  bool
	size int64
	d    time.Duration
	err  error
	done bool // with a context that was done
}

func (o op[K, V]) String() string {
	if o.done {
		o.done = false
		call, answer, _ := strings.Cut(o.String(), " → ")
		return call + " with a context that is done → " + cmp.Or(answer, "nil")
	}
	result := ""
	if o.err != nil {
		result = fmt.Sprintf(" → error %q", o.err)
	}
	switch o.kind {
	case opGet:
		if o.err == nil {
			result = " → miss"
			if o.hit {
				result = " → hit " + show(o.val)
			}
		}
		return fmt.Sprintf("Get(%s)%s", show(o.key), result)
	case opPut:
		ttl := "nil"
		if o.ttl != nil {
			ttl = o.ttl.String()
		}
		return fmt.Sprintf("Put(%s, %s, %s)%s", show(o.key), show(o.val), ttl, result)
	case opInvalidate:
		return fmt.Sprintf("Invalidate(%s)%s", show(o.key), result)
	case opClear:
		return "Invalidate(nil)" + result
	case opStats:
		if o.err == nil {
			result = fmt.Sprintf(" → size %d", o.size)
		}
		return "Stats()" + result
	}
	return fmt.Sprintf("time.Sleep(%v)", o.d)
}
