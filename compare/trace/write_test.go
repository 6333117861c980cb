package trace

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// future returns the argument of WriteOptions for requests.
func future(all []Request) func() uint64 {
	i := 0
	return func() uint64 {
		i++
		for n, q := range all[i:] {
			if q.Key == all[i-1].Key {
				return uint64(i + n + 1)
			}
		}
		return 0
	}
}

func written(t *testing.T, all []Request, o WriteOptions) (string, error) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, o)
	if err != nil {
		return "", err
	}
	err = w.Write(all)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	} else if !errors.Is(closeErr, err) {
		t.Errorf("Close() = %v; want what Write returned, %v", closeErr, err)
	}
	return b.String(), err
}

// TestWrite writes in every format, and reads what was written without being told
// the format.
func TestWrite(t *testing.T) {
	keys := []Request{{Key: 5}, {Key: 1<<24 - 1}, {Key: 5}, {Key: 0}}
	hashes := []Request{{Key: big}, {Key: big + 1}, {Key: big}}
	sized := []Request{{Key: big, Time: time.Second, Size: 5}, {Key: 5, Time: 2 * time.Second, Size: 1}, {Key: big, Time: 3 * time.Second, Size: 6}}
	all := []Request{
		{Key: math.MaxUint64, Time: math.MaxInt64 - time.Second, Size: math.MaxInt64, TTL: 1},
		{Key: 7, Op: Set, TTL: 90 * time.Minute, Time: 1500 * time.Millisecond},
		{Key: 7, Op: Delete},
		{Key: 7, Op: Update},
	}
	for _, tt := range []struct {
		format string
		all    []Request
		as     string // what it is recognised as, if something else
	}{
		{"csv", keys, ""},
		{"csv", all, ""},
		{"libcachesim-csv", sized, ""},
		{"oraclegeneral", sized, ""},
		{"arc", keys, ""},
		{"arc", hashes, ""},
		{"lirs", keys, ""},
		{"keys", hashes, "lirs"},
		{"cache2k", keys, ""},
		{"corda", keys, ""},
		{"corda", hashes, ""},
	} {
		content, err := written(t, tt.all, WriteOptions{Format: tt.format, Future: future(tt.all)})
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		got, format, err := requests(t, content, Options{})
		if err != nil || !slices.Equal(got, tt.all) {
			t.Errorf("%s: read %v, %v; want %v", tt.format, got, err, tt.all)
		}
		if want := cmp.Or(tt.as, tt.format); format != want {
			t.Errorf("%s: recognised as %s; want %s", tt.format, format, want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		all  []Request
		o    WriteOptions
		want string
	}{
		{"unknown format", nil, WriteOptions{Format: "nope"}, `unknown format "nope"`},
		{"nothing", nil, WriteOptions{Format: "csv"}, "nothing to write"},
		{"no future", nil, WriteOptions{Format: "oraclegeneral"}, "knowing the future"},
		{"a set", []Request{{Key: 1}, {Key: 1, Op: Set}}, WriteOptions{Format: "lirs"}, "request 2: lirs cannot hold operations"},
		{"a TTL", []Request{{Key: 1, TTL: 1}}, WriteOptions{Format: "arc"}, "request 1: arc cannot hold"},
		{"a large key", []Request{{Key: 1 << 32}}, WriteOptions{Format: "cache2k"}, "a key of more than 32 bits"},
		{"a large size", []Request{{Size: 1 << 32}}, WriteOptions{Format: "oraclegeneral", Future: func() uint64 { return 0 }}, "more than 32 bits"},
	} {
		_, err := written(t, tt.all, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v; want one with %q", tt.name, err, tt.want)
		}
	}
	got, err := written(t, []Request{{Key: 1, TTL: 1}, {Key: 1, Op: Set}, {Key: 2}}, WriteOptions{Format: "lirs", Lossy: true})
	if want := "1\n2\n"; got != want || err != nil {
		t.Errorf("lossy: %q, %v; want %q", got, err, want)
	}
}

// TestWrite_Groups keeps together what belongs together.
func TestWrite_Groups(t *testing.T) {
	all := []Request{{Key: 1, Group: 5}, {Key: 2, Group: 6}, {Key: 3, Group: 5}, {Key: 4}}
	text, err := written(t, all, WriteOptions{Format: "csv", Groups: true})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := requests(t, text, Options{})
	if err != nil || len(got) != 4 || got[0].Group == 0 || got[0].Group != got[2].Group || got[0].Group == got[1].Group || got[3].Group != 0 {
		t.Errorf("read %v, %v; want the groups of %v", got, err, all)
	}
}
