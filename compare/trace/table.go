package trace

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// A layout has the positions of a table's columns, or -1 for a missing column.
type layout struct {
	key, op, size, ttl, time, count, group int

	separator byte
	quotes    bool          // a column may be in quotes
	width     int           // that every line must have; 0: as many columns as are used
	unit      time.Duration // of the time
}

func newLayout() layout {
	return layout{key: -1, op: -1, size: -1, ttl: -1, time: -1, count: -1, group: -1, separator: ',', unit: time.Second}
}

// columns returns the positions by the column names of our own csv.
func (l *layout) columns() map[string]*int {
	return map[string]*int{"key": &l.key, "op": &l.op, "size": &l.size, "ttl": &l.ttl, "time": &l.time, "count": &l.count, "group": &l.group}
}

// least returns the smallest number of columns of a line.
func (l *layout) least() int {
	return 1 + max(l.key, l.op, l.size, l.ttl, l.time, l.count, l.group)
}

// A table reads one request, or several equal requests, from each line.
type table struct {
	*lines
	layout
	fields  [][]byte
	request Request
	left    uint64 // repetitions of request
}

// maxCount bounds the requests of one line. A damaged number then cannot become a trace without end.
const maxCount = 1 << 24

func (t *table) Read(batch []Request) (int, error) {
	for n := range batch {
		for t.left == 0 {
			if err := t.parse(); err != nil {
				return n, err
			}
		}
		batch[n] = t.request
		t.left--
	}
	return len(batch), nil
}

func (t *table) parse() error {
	line, err := t.next()
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return nil
	}
	var ok bool
	if t.fields, ok = split(t.fields[:0], line, t.separator, t.quotes); !ok {
		return t.bad("a quote that ends before the column does")
	}
	if t.width > 0 && len(t.fields) != t.width {
		return t.bad(fmt.Sprintf("%d columns", t.width))
	}
	if least := t.least(); len(t.fields) < least {
		return t.bad(fmt.Sprintf("at least %d columns", least))
	}
	return t.set()
}

// set makes the request from the fields.
func (t *table) set() error {
	t.request, t.left = Request{Key: KeyOf(t.fields[t.key])}, 1
	switch {
	case t.group >= 0:
		if name := t.fields[t.group]; len(name) > 0 {
			t.request.Group = groupOf(name)
		}
	case t.ttl >= 0:
		t.request.Group = prefixGroup(t.fields[t.key])
	}
	if t.op >= 0 {
		op, ok := parseOp(t.fields[t.op])
		if !ok {
			return t.bad(fmt.Sprintf("an operation such as get, set or delete in column %d", t.op+1))
		}
		t.request.Op = op
	}
	if t.size >= 0 && len(t.fields[t.size]) > 0 {
		size, ok := parseUint(t.fields[t.size])
		if !ok || size > math.MaxInt64 {
			return t.bad(fmt.Sprintf("a size in bytes in column %d", t.size+1))
		}
		t.request.Size = int64(size)
	}
	for _, d := range []struct {
		column int
		unit   time.Duration
		name   string
		to     *time.Duration
	}{{t.time, t.unit, "time", &t.request.Time}, {t.ttl, time.Second, "TTL", &t.request.TTL}} {
		if d.column < 0 || len(t.fields[d.column]) == 0 {
			continue
		}
		var ok bool
		if *d.to, ok = parseDuration(t.fields[d.column], d.unit); !ok {
			return t.bad(fmt.Sprintf("a %s as a number of %s, below 292 years, in column %d", d.name, units[d.unit], d.column+1))
		}
	}
	if t.count >= 0 {
		count, ok := parseUint(t.fields[t.count])
		if !ok || count < 1 || count > maxCount {
			return t.bad(fmt.Sprintf("a count from 1 to %d in column %d", maxCount, t.count+1))
		}
		t.left = count
	}
	return nil
}

var units = map[time.Duration]string{
	time.Second: "seconds", time.Millisecond: "milliseconds", time.Microsecond: "microseconds", time.Nanosecond: "nanoseconds",
}

// parseDuration parses a decimal number of units. It cuts off digits below a nanosecond.
func parseDuration(text []byte, unit time.Duration) (time.Duration, bool) {
	whole, fraction, point := bytes.Cut(text, []byte{'.'})
	n, ok := parseUint(whole)
	if !ok || n >= uint64(math.MaxInt64/unit) {
		return 0, false
	}
	d := time.Duration(n) * unit
	if !point {
		return d, true
	}
	if _, ok := parseUint(fraction); !ok {
		return 0, false
	}
	for _, c := range fraction {
		unit /= 10
		d += time.Duration(c-'0') * unit
	}
	return d, true
}

// split appends the columns of line to fields. A quoted column may contain separators and doubled quotes.
func split(fields [][]byte, line []byte, separator byte, quotes bool) ([][]byte, bool) {
	for {
		if quotes && len(line) > 0 && line[0] == '"' {
			field, rest, ok := unquote(line)
			fields = append(fields, field)
			if !ok || len(rest) > 0 && rest[0] != separator {
				return fields, false
			}
			if len(rest) == 0 {
				return fields, true
			}
			line = rest[1:]
			continue
		}
		i := bytes.IndexByte(line, separator)
		if i < 0 {
			return append(fields, line), true
		}
		fields = append(fields, line[:i])
		line = line[i+1:]
	}
}

// unquote returns the quoted column at the beginning of line, and the rest. It replaces doubled quotes in place.
func unquote(line []byte) (field, rest []byte, ok bool) {
	field = line[1:1]
	for i := 1; i < len(line); i++ {
		if line[i] == '"' {
			if i+1 == len(line) || line[i+1] != '"' {
				return field, line[i+1:], true
			}
			i++
		}
		field = append(field, line[i])
	}
	return field, nil, false
}

// header reads the column names from a line, in lower case.
func header(line []byte, separator byte) []string {
	fields, _ := split(nil, bytes.Clone(line), separator, true)
	var names []string
	for _, f := range fields {
		names = append(names, strings.ToLower(string(bytes.TrimSpace(f))))
	}
	return names
}

// openTable reads the first line and makes a layout from its column names.
func openTable(r io.Reader, separator byte, use func(names []string) (layout, error)) (Source, error) {
	t := &table{lines: newLines(r)}
	line, err := t.next()
	if err != nil {
		return nil, err
	}
	t.layout, err = use(header(line, separator))
	if err != nil {
		return nil, t.bad(err.Error())
	}
	return t, nil
}

// The csv format is our own: a line with the column names, then one request per line. Times and TTLs are in seconds.

func openCSV(r io.Reader, _ Options) (Source, error) {
	return openTable(r, ',', func(names []string) (layout, error) {
		l := newLayout()
		l.quotes, l.width = true, len(names)
		columns := l.columns()
		delete(columns, "count")
		for i, name := range names {
			column := columns[name]
			if column == nil || *column >= 0 {
				return l, errCSV
			}
			*column = i
		}
		if l.key < 0 {
			return l, errCSV
		}
		return l, nil
	})
}

var errCSV = wanted("the names of the columns: key, and what there is of op, size, ttl, time and group, each once")

func sniffCSV(b beginning) bool {
	if len(b.lines) == 0 {
		return false
	}
	names := header(b.lines[0], ',')
	return len(names) > 1 && slices.Contains(names, "key")
}

// A wanted is the expected input that an error names.
type wanted string

func (w wanted) Error() string { return string(w) }
