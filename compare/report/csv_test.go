package report_test

import (
	"bytes"
	"encoding/csv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/report"
)

// fields are the columns of a line of the CSV, by title.
type fields = map[string]string

// table returns the lines of the CSV.
func table(t *testing.T, r *report.Report) []fields {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteCSV(&out, r); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []fields
	for _, record := range all[1:] {
		line := fields{}
		for i, name := range all[0] {
			line[name] = record[i]
		}
		lines = append(lines, line)
	}
	return lines
}

func TestCSV(t *testing.T) {
	r := reporttest.Full(1)
	lines := table(t, r)
	find := func(want fields) fields {
		var found []fields
		for _, l := range lines {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(k string) bool { return l[k] != want[k] }) {
				found = append(found, l)
			}
		}
		if len(found) != 1 {
			t.Fatalf("%d lines match %v, want 1", len(found), want)
		}
		return found[0]
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

	row := r.Hits.Tables[2].Rows[3] // otter, flat
	got := find(fields{
		"part": "hits", "name": row.Name, "pace": string(row.Pace), "capacity": "1869", "metric": "hit_ratio",
	})
	for column, want := range (fields{
		"value": number(row.HitRatio), "low": number(row.Low), "high": number(row.High), "unit": "ratio", "bytes": "",
		"procs": "",
	}) {
		if got[column] != want {
			t.Errorf("%s of the hit ratio is %q, want %q", column, got[column], want)
		}
	}
	fast := r.Speed.Cases[3].Rows[2]
	got = find(fields{"part": "speed", "case": "workload", "name": fast.Name, "goroutines": "8", "metric": "wall"})
	if got["value"] != number(fast.Wall.Median) || got["unit"] != "ns/op" || got["procs"] != "4" {
		t.Errorf("the wall time is %v, want %v", got, fast.Wall)
	}
	find(fields{"part": "memory", "name": "otter", "metric": "heap_per_entry", "unit": "B/entry"})
	find(fields{"part": "memory", "name": "otter", "metric": "heap", "at": "200000", "unit": "B"})
	find(fields{"part": "ttl", "case": "idle 2 s", "name": "theine", "metric": "p99", "unit": "ns"})
	find(fields{"part": "latency", "case": "open all at 80 % load", "name": "theine", "metric": "p999", "unit": "ns"})
	find(fields{"part": "reference", "name": "LRU", "capacity": "187", "metric": "hit_ratio"})
	find(fields{"part": "curve", "name": "otter", "pace": "settled", "capacity": "187", "metric": "miss_ratio"})
	find(fields{"part": "finding", "name": "bigcache", "metric": "wrong-value", "case": "hits at 5,606 entries"})
	series := 0
	for _, l := range lines {
		if l["part"] == "series" && l["name"] == "otter" && l["pace"] == "flat" && l["capacity"] == "187" {
			series++
		}
		if l["part"] == "memory" && l["name"] == "ttlcache" {
			t.Errorf("a row that failed has a figure: %v", l)
		}
		x, err := strconv.ParseFloat(l["value"], 64)
		if err != nil || math.IsNaN(x) || l["metric"] == "" || l["unit"] == "" {
			t.Errorf("not a figure: %v", l)
		}
	}
	if series != 40 {
		t.Errorf("the series has %d lines, want 40", series)
	}
}

func TestCSV_UniqueKeys(t *testing.T) {
	for name, r := range samples() {
		seen := map[string]bool{}
		for _, l := range table(t, r) {
			var key []string
			for c := range strings.FieldsSeq("part case name pace capacity bytes procs goroutines at metric") {
				key = append(key, l[c])
			}
			k := strings.Join(key, "\x00")
			if seen[k] && l["part"] != "finding" {
				t.Errorf("%s: two lines have the key %q", name, key)
			}
			seen[k] = true
		}
	}
}
