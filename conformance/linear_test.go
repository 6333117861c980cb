package conformance

import (
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
)

// registerModel is the lossy or lossless register in porcupine's terms.
func registerModel(lossy bool) porcupine.NondeterministicModel {
	return porcupine.NondeterministicModel{
		Init: func() []any { return []any{absent} },
		Step: func(state, input, output any) []any {
			o := input.(lop)
			switch {
			case o.kind == opPut:
				return []any{o.val}
			case o.kind == opInvalidate:
				return []any{absent}
			case o.val == absent && (lossy || state == absent):
				return []any{absent}
			case o.val != absent && state == o.val:
				return []any{state}
			}
			return nil
		},
		Equal: func(a, b any) bool { return a == b },
	}
}

func porcupineSays(ops []lop, lossy bool) bool {
	history := make([]porcupine.Operation, len(ops))
	for i, o := range ops {
		history[i] = porcupine.Operation{ClientId: i, Input: o, Output: o.val, Call: o.call, Return: o.ret}
	}
	model := registerModel(lossy)
	return porcupine.CheckOperations(model.ToModel(), history)
}

// randomHistory simulates clients of a register. Each operation takes effect at
// a moment between its call and its return; with some chance an answer is then
// changed, so that about half of the histories are illegal.
func randomHistory(rng *rand.Rand, n int, lossy bool) []lop {
	ops := make([]lop, n)
	free := make([]int64, 1+rng.IntN(5)) // when each client is idle again
	effects := make([]int64, n)
	for i := range ops {
		c := rng.IntN(len(free))
		call := free[c] + int64(1+rng.IntN(20))
		effect := call + int64(rng.IntN(30))
		ret := effect + int64(1+rng.IntN(30))
		free[c], effects[i] = ret, effect
		ops[i] = lop{kind: []opKind{opGet, opGet, opPut, opInvalidate}[rng.IntN(4)], val: i, call: call, ret: ret, client: c}
	}
	state := absent
	for done := make([]bool, n); ; {
		next := -1
		for i := range ops {
			if !done[i] && (next < 0 || effects[i] < effects[next]) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		done[next] = true
		if lossy && rng.IntN(6) == 0 {
			state = absent
		}
		switch o := &ops[next]; o.kind {
		case opPut:
			state = o.val
		case opInvalidate:
			state, o.val = absent, absent
		default:
			o.val = state
		}
	}
	if rng.IntN(2) == 0 {
		for range 1 + rng.IntN(2) {
			if i := rng.IntN(n); ops[i].kind == opGet {
				ops[i].val = rng.IntN(n+1) - 1
			}
		}
	}
	return ops
}

func TestLinearizable_Porcupine(t *testing.T) {
	n := 40_000
	if raceEnabled || testing.Short() {
		n = 4_000
	}
	rng := rand.New(rand.NewPCG(1, 2))
	verdicts := map[bool]int{}
	for i := range n {
		lossy := i%2 == 0
		ops := randomHistory(rng, 2+rng.IntN(14), lossy)
		got, want := linearizable(ops, lossy), porcupineSays(ops, lossy)
		if got != want {
			t.Fatalf("history %d: linearizable(lossy %v) = %v, porcupine says %v: %+v", i, lossy, got, want, ops)
		}
		verdicts[want]++
	}
	if verdicts[true] < n/10 || verdicts[false] < n/10 {
		t.Errorf("%d legal and %d illegal histories: both sides must be tried", verdicts[true], verdicts[false])
	}
}

func TestLinearizable_Table(t *testing.T) {
	put := func(val int, call, ret int64) lop { return lop{kind: opPut, val: val, call: call, ret: ret} }
	get := func(val int, call, ret int64) lop { return lop{kind: opGet, val: val, call: call, ret: ret} }
	inv := func(call, ret int64) lop { return lop{kind: opInvalidate, val: absent, call: call, ret: ret} }
	for _, tt := range []struct {
		name            string
		ops             []lop
		lossless, lossy bool
	}{
		{"empty", nil, true, true},
		{"miss of nothing", []lop{get(absent, 1, 2)}, true, true},
		{"hit", []lop{put(1, 1, 2), get(1, 3, 4)}, true, true},
		{"hit of nothing", []lop{get(1, 1, 2)}, false, false},
		{"lost", []lop{put(1, 1, 2), get(absent, 3, 4)}, false, true},
		{"lost and back", []lop{put(1, 1, 2), get(absent, 3, 4), get(1, 5, 6)}, false, false},
		{"stale", []lop{put(1, 1, 2), put(2, 3, 4), get(1, 5, 6)}, false, false},
		{"either of two", []lop{put(1, 1, 5), put(2, 2, 6), get(1, 7, 8)}, true, true},
		{"both of two", []lop{put(1, 1, 5), put(2, 2, 6), get(1, 7, 8), get(2, 9, 10)}, false, false},
		{"seen before it returns", []lop{put(1, 1, 9), get(1, 2, 3)}, true, true},
		{"seen, then not yet", []lop{put(1, 1, 9), get(1, 2, 3), get(absent, 4, 5)}, false, true},
		{"removed", []lop{put(1, 1, 2), inv(3, 4), get(1, 5, 6)}, false, false},
		{"being removed", []lop{put(1, 1, 2), inv(3, 8), get(1, 4, 5), get(absent, 6, 7)}, true, true},
	} {
		if got := linearizable(tt.ops, false); got != tt.lossless {
			t.Errorf("%s: linearizable, lossless = %v; want %v", tt.name, got, tt.lossless)
		}
		if got := linearizable(tt.ops, true); got != tt.lossy {
			t.Errorf("%s: linearizable, lossy = %v; want %v", tt.name, got, tt.lossy)
		}
	}
}
