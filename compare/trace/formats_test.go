package trace

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// requests returns the requests of a trace.
func requests(t *testing.T, content string, o Options) ([]Request, string, error) {
	t.Helper()
	r, err := NewReader("file", strings.NewReader(content), o)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	all, err := ReadAll(r)
	return all, r.Format(), err
}

func hash(text string) uint64 { return KeyOf([]byte(text)) }

// oracleRecord writes a record of oracleGeneral.
func oracleRecord(seconds uint32, key uint64, size uint32, next int64) string {
	b := binary.LittleEndian.AppendUint32(nil, seconds)
	b = binary.LittleEndian.AppendUint64(b, key)
	b = binary.LittleEndian.AppendUint32(b, size)
	return string(binary.LittleEndian.AppendUint64(b, uint64(next)))
}

func be32(numbers ...uint32) string {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return string(b)
}

func be64(numbers ...uint64) string {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return string(b)
}

const big = 0xfedcba9876543210

func TestFormats(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name, content, format string
		o                     Options
		want                  []Request
	}{
		{
			"twitter", "7,a:b,3,50,1,get,0\n8,a:b,3,60,1,set,600\r\n9,x,3,0,2,delete,0\n9,y,3,1,2,gets,0\n9,y,3,1,2,cas,5\n10,n,1,1,1,incr,0",
			"twitter",
			Options{},
			[]Request{
				{Key: hash("a:b"), Time: 7 * s, Size: 50, Group: groupOf([]byte("a"))},
				{Key: hash("a:b"), Time: 8 * s, Size: 60, Op: Set, TTL: 600 * s, Group: groupOf([]byte("a"))},
				{Key: hash("x"), Time: 9 * s, Op: Delete},
				{Key: hash("y"), Time: 9 * s, Size: 1},
				{Key: hash("y"), Time: 9 * s, Size: 1, Op: Set, TTL: 5 * s},
				{Key: hash("n"), Time: 10 * s, Size: 1, Op: Update},
			},
		},
		{"meta 202206", "key,op,size,op_count,key_size\n12,GET,5,2,8\n12,SET,6,1,8\n", "meta", Options{}, []Request{
			{Key: 12, Size: 5}, {Key: 12, Size: 5}, {Key: 12, Size: 6, Op: Set},
		}},
		{"meta, other columns in another order", "op_time,key,key_size,op_count,op,size,cache_hits,ttl,usecase,sub_usecase\n" +
			"3,k,48,1,GET_LEASE,0,0,0,1,1\n4,k,48,1,SET_LEASE,9,0,30,1,1\n5,k,48,1,DELETE,0,0,0,1,1\n", "meta", Options{}, []Request{
			{Key: hash("k"), Time: 3 * s, Group: groupOf([]byte("1"))},
			{Key: hash("k"), Time: 4 * s, Size: 9, Op: Set, TTL: 30 * s, Group: groupOf([]byte("1"))},
			{Key: hash("k"), Time: 5 * s, Op: Delete, Group: groupOf([]byte("1"))},
		}},
		{"csv, groups", "key,group\n7,x\n8,\n", "csv", Options{}, []Request{{Key: 7, Group: groupOf([]byte("x"))}, {Key: 8}}},
		{"csv", "time,key,op,size,ttl\n1.5,a,get,,\n2,\"x,\"\"y\"\"\",set,10,0.25\n", "csv", Options{}, []Request{
			{Key: hash("a"), Time: 1500 * time.Millisecond},
			{Key: hash(`x,"y"`), Time: 2 * s, Op: Set, Size: 10, TTL: 250 * time.Millisecond},
		}},
		{"csv of two columns", "Size, Key\n3,a\n", "csv", Options{}, []Request{{Key: hash("a"), Size: 3}}},
		{"csv of one column", "key\na\n", "csv", Options{Format: "csv"}, []Request{{Key: hash("a")}}},
		{"libcachesim, the sample's header", "version,time,op,size,lbn\n1,5633898611441,28,1024,42932745\n", "libcachesim-csv", Options{}, []Request{
			{Key: 42932745, Time: 5633898611441 * time.Microsecond, Size: 1024},
		}},
		{"libcachesim, another header", "timestamp\tobj_id\tobj_size\ttenant\n1\ta\t5\t0\n", "libcachesim-csv", Options{}, []Request{
			{Key: hash("a"), Time: s, Size: 5},
		}},
		{"libcachesim, columns named", "1,a,5\n2,b,6", "libcachesim-csv", Options{Columns: "time=1,id=2,size=3"}, []Request{
			{Key: hash("a"), Time: s, Size: 5}, {Key: hash("b"), Time: 2 * s, Size: 6},
		}},
		{
			"libcachesim, everything named", "at;what;n;how;life\n1500;a;2;set;9\n", "libcachesim-csv",
			Options{Columns: "time=1,obj-id=2,cnt=3,op=4,ttl=5,delimiter=semicolon,header=true,unit=ms"},
			[]Request{
				{Key: hash("a"), Time: 1500 * time.Millisecond, Op: Set, TTL: 9 * s},
				{Key: hash("a"), Time: 1500 * time.Millisecond, Op: Set, TTL: 9 * s},
			},
		},
		{"libcachesim, a header guessed", "what|when\na|1\n", "libcachesim-csv", Options{Columns: "id=1,time=2"}, []Request{{Key: hash("a"), Time: s}}},
		{"oraclegeneral", oracleRecord(1, big, 5, 3) + oracleRecord(1, 7, 0, -1) + oracleRecord(2, big, 6, math.MaxInt64), "oraclegeneral", Options{}, []Request{
			{Key: big, Time: s, Size: 5}, {Key: 7, Time: s}, {Key: big, Time: 2 * s, Size: 6},
		}},
		{"cache2k", be32(0, 1, 2, 0, 1<<24-1), "cache2k", Options{}, []Request{{Key: 0}, {Key: 1}, {Key: 2}, {Key: 0}, {Key: 1<<24 - 1}}},
		{"cache2k, large numbers", be32(1<<32 - 1), "cache2k", Options{Format: "cache2k"}, []Request{{Key: 1<<32 - 1}}},
		{"corda", be64(big, big+1, big), "corda", Options{}, []Request{{Key: big}, {Key: big + 1}, {Key: big}}},
		{"corda, small numbers", be64(1, 2), "corda", Options{}, []Request{{Key: 1}, {Key: 2}}},
		{"redis", "OK\n" +
			`1339518083.107412 [0 127.0.0.1:60866] "keys" "*"` + "\n" +
			`1.5 [0 127.0.0.1:1] "GET" "a"` + "\n" +
			`2.0 [1 127.0.0.1:1] "get" "a"` + "\n" +
			`3.0 [0 [::1]:1] "set" "a \"b\" \x01\n" "val" "EX" "60" "NX"` + "\r\n" +
			`4.0 [0 lua] "setex" "s" "5" "xy"` + "\n" +
			`5.0 [0 1:1] "mget" "m" "n"` + "\n" +
			`6.0 [0 1:1] "set" "p" "" "px" "1500"` + "\n" +
			`7.0 [0 1:1] "set" "q" "" "EXAT" "9"` + "\n" +
			`8.0 [0 1:1] "set" "r" "" "keepttl"` + "\n" +
			`9.0 [0 1:1] "del" "m" "n"` + "\n" +
			`9.0 [0 1:1] "getdel" "m"` + "\n" +
			`9.0 [0 1:1] "mset" "m" "1" "n" "22"` + "\n" +
			`9.0 [0 1:1] "incrby" "i" "2"` + "\n" +
			`9.0 [0 1:1] "get"` + "\n", "redis", Options{}, []Request{
			{Key: hash("a"), Time: 1500 * time.Millisecond},
			{Key: hash("1\x00a"), Time: 2 * s},
			{Key: hash("a \"b\" \x01\n"), Time: 3 * s, Op: Set, Size: 3, TTL: 60 * s},
			{Key: hash("s"), Time: 4 * s, Op: Set, Size: 2, TTL: 5 * s},
			{Key: hash("m"), Time: 5 * s},
			{Key: hash("n"), Time: 5 * s},
			{Key: hash("p"), Time: 6 * s, Op: Set, TTL: 1500 * time.Millisecond},
			{Key: hash("q"), Time: 7 * s, Op: Set, TTL: 2 * s},
			{Key: hash("r"), Time: 8 * s, Op: Set},
			{Key: hash("m"), Time: 9 * s, Op: Delete},
			{Key: hash("n"), Time: 9 * s, Op: Delete},
			{Key: hash("m"), Time: 9 * s},
			{Key: hash("m"), Time: 9 * s, Op: Delete},
			{Key: hash("m"), Time: 9 * s, Op: Set, Size: 1},
			{Key: hash("n"), Time: 9 * s, Op: Set, Size: 2},
			{Key: hash("i"), Time: 9 * s, Op: Update},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, format, err := requests(t, tt.content, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if format != tt.format {
				t.Errorf("Format() = %q; want %q", format, tt.format)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("requests\n%v; want\n%v", got, tt.want)
			}
			for name, packed := range pack(t, tt.content) {
				if got, _, err := requests(t, packed, tt.o); err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("%s: %v, %v; want the same", name, got, err)
				}
			}
		})
	}
}

func TestFormatErrors(t *testing.T) {
	tests := []struct {
		name, content string
		o             Options
		want          string
	}{
		{"twitter, columns", "7,a,3,50,1,get,0\n7,a,3,50,1,get\n", Options{}, "line 2: expected 7 columns"},
		{"twitter, time", "7,a,3,50,1,get,0\nx,a,3,50,1,get,0\n", Options{}, "line 2: expected a time as a number of seconds, below 292 years, in column 1"},
		{"twitter, operation", "7,a,3,50,1,get,0\n7,a,3,50,1,jump,0\n", Options{}, "line 2: expected an operation such as get, set or delete in column 6"},
		{"twitter, size", "7,a,3,50,1,get,0\n7,a,3,-50,1,get,0\n", Options{}, "line 2: expected a size in bytes in column 4"},
		{"twitter, TTL", "7,a,3,50,1,get,0\n7,a,3,50,1,get,99999999999\n", Options{}, "line 2: expected a TTL as a number of seconds"},
		{"meta without op_count", "key,op,size,key_size\n1,GET,1,1\n", Options{}, "line 1: expected the names of the columns, among them key, op and op_count"},
		{"meta, op_count of 0", "key,op,size,op_count,key_size\n1,GET,1,0,1\n", Options{}, "line 2: expected a count from 1 to 16777216 in column 4"},
		{"meta, op_count that is none", "key,op,size,op_count,key_size\n1,GET,1,x,1\n", Options{}, "line 2: expected a count"},
		{"meta, op_count that is absurd", "key,op,size,op_count,key_size\n1,GET,1,99999999999,1\n", Options{}, "line 2: expected a count"},
		{"meta, header only", "key,op,size,op_count,key_size\n", Options{}, "empty"},
		{"csv, unknown column", "key,colour\na,b\n", Options{}, "line 1: expected the names of the columns"},
		{"csv, column twice", "key,key\na,b\n", Options{}, "line 1: expected the names of the columns"},
		{"csv without key", "op,size\nget,1\n", Options{Format: "csv"}, "line 1: expected the names of the columns"},
		{"csv, too many columns", "key,op\na,get,1\n", Options{}, "line 2: expected 2 columns"},
		{"csv, open quote", "key,op\n\"a,get\n", Options{}, "line 2: expected a quote"},
		{"csv, text behind a quote", "key,op\n\"a\"b,get\n", Options{}, "line 2: expected a quote"},
		{"csv, count is no column of it", "key,count\na,2\n", Options{}, "line 1: expected the names of the columns"},
		{"libcachesim without names", "1,2,3\n", Options{Format: "libcachesim-csv"}, "line 1: expected a header with a column id"},
		{"libcachesim, no id", "1,2,3\n", Options{Columns: "time=1"}, "expected id="},
		{"libcachesim, position", "1,2,3\n", Options{Columns: "id=0"}, "expected a position from 1 on"},
		{"libcachesim, name", "1,2,3\n", Options{Columns: "id=1,colour=2"}, `"colour": expected id, time`},
		{"libcachesim, delimiter", "1,2,3\n", Options{Columns: "id=1,delimiter=tap"}, "expected tab, comma"},
		{"libcachesim, unit", "1,2,3\n", Options{Columns: "id=1,unit=h"}, "expected s, ms, us or ns"},
		{"libcachesim, too few columns", "1,2,3\n1\n", Options{Columns: "id=2"}, "line 2: expected at least 2 columns"},
		{"oraclegeneral, torn", oracleRecord(1, 2, 3, -1) + "1234567", Options{Format: "oraclegeneral"}, "offset 24: expected a record of 24 bytes, found only 7"},
		{"oraclegeneral, time goes back", oracleRecord(2, 2, 3, -1) + oracleRecord(1, 2, 3, -1), Options{}, "not recognised"},
		{"oraclegeneral, next request of another key", oracleRecord(1, 2, 3, 2) + oracleRecord(1, 9, 3, -1) + oracleRecord(1, 8, 3, -1), Options{}, "not recognised"},
		{"cache2k, torn", be32(1, 2) + "\x00", Options{Format: "cache2k"}, "offset 8: expected a record of 4 bytes, found only 1"},
		{"corda, torn", be64(1, 2) + "\x00\x00", Options{Format: "corda"}, "offset 16: expected a record of 8 bytes, found only 2"},
		{"redis, no time", "OK\n1.0 [0 1:1] \"get\" \"a\"\nnow [0 1:1] \"get\" \"a\"\n", Options{}, "line 3: expected a line of MONITOR"},
		{"redis, torn", "1.0 [0 1:1] \"get\" \"a\"\n1.0 [0 1:1] \"get\" \"a", Options{}, "line 2: expected a line of MONITOR"},
		{"redis, nothing of a cache", "1.0 [0 1:1] \"ping\"\n", Options{}, "empty"},
		{"random bytes", "\x93\x01\xfe\x87\x12\xe1\x90\x03" + "\x53\x11\xbe\x47\x13\xf1\x80\x23", Options{}, "not recognised"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, format, err := requests(t, tt.content, tt.o)
			if err == nil {
				t.Fatalf("read %d requests of %s; want an error", len(got), format)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "trace: file: ") {
				t.Errorf("error %q; want it to contain %q", err, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	var content strings.Builder
	for range 10 {
		content.WriteString("0 1000 0 0\n")
	}
	read := func(l Limits) []Request {
		t.Helper()
		all, _, err := requests(t, content.String(), Options{Limits: l})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, tt := range []struct {
		l                Limits
		n                int
		first, last, end uint64
	}{
		{Limits{}, 10_000, 0, 999, 0},
		{Limits{Skip: 2}, 9998, 2, 999, 0},
		{Limits{Skip: 1999}, 8001, 999, 999, 0},
		{Limits{Max: 3}, 3, 0, 2, 0},
		{Limits{Skip: 998, Max: 3}, 3, 998, 0, 0},
		{Limits{Skip: 9999, Max: 3}, 1, 999, 999, 0},
		{Limits{Max: 99_999}, 10_000, 0, 999, 0},
		{Limits{Sample: 1}, 10_000, 0, 999, 0},
	} {
		all := read(tt.l)
		if len(all) != tt.n || all[0].Key != tt.first || all[len(all)-1].Key != tt.last {
			t.Errorf("%+v: %d requests from %d to %d; want %d from %d to %d",
				tt.l, len(all), all[0].Key, all[len(all)-1].Key, tt.n, tt.first, tt.last)
		}
	}
	// A sample has all requests of some keys.
	requestsOf := map[uint64]int{}
	for _, q := range read(Limits{Sample: 0.1}) {
		requestsOf[q.Key]++
	}
	if n := len(requestsOf); n < 70 || n > 130 {
		t.Errorf("a sample of 0.1 has %d of 1000 keys", n)
	}
	for key, n := range requestsOf {
		if n != 10 {
			t.Errorf("the sample has %d of 10 requests for %d", n, key)
		}
	}
	for _, l := range []Limits{{Skip: -1}, {Max: -1}, {Sample: -0.1}, {Sample: 1.1}, {Sample: math.NaN()}, {Skip: 10_000}, {Max: 1, Sample: 1e-9}} {
		if all, _, err := requests(t, content.String(), Options{Limits: l}); err == nil {
			t.Errorf("%+v: %d requests; want an error", l, len(all))
		}
	}
}
