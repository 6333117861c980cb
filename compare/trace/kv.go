package trace

import (
	"io"
	"slices"
)

// Twitter's cache traces (Yang, Yue and Rashmi, OSDI 2020) have the columns time in seconds, key, key size, value size,
// client, operation and TTL in seconds, without a header. Keys have no commas.

func openTwitter(r io.Reader, _ Options) (Source, error) {
	l := newLayout()
	l.time, l.key, l.size, l.op, l.ttl, l.width = 0, 1, 3, 5, 6, 7
	return &table{lines: newLines(r), layout: l}, nil
}

func sniffTwitter(b beginning) bool {
	if len(b.lines) == 0 {
		return false
	}
	fields, _ := split(nil, b.lines[0], ',', false)
	if len(fields) != 7 {
		return false
	}
	for _, column := range []int{0, 2, 3, 6} {
		if _, ok := parseUint(fields[column]); !ok {
			return false
		}
	}
	_, ok := parseOp(fields[5])
	return ok
}

// Meta's key-value traces, as CacheLib's cachebench reads them, have a header whose names come in any order. A line
// stands for op_count requests.

func openMeta(r io.Reader, _ Options) (Source, error) {
	return openTable(r, ',', func(names []string) (layout, error) {
		l := newLayout()
		l.width = len(names)
		for i, name := range names {
			switch name {
			case "key":
				l.key = i
			case "op":
				l.op = i
			case "op_count":
				l.count = i
			case "size":
				l.size = i
			case "ttl":
				l.ttl = i
			case "usecase":
				l.group = i
			case "op_time":
				l.time = i
			}
		}
		if l.key < 0 || l.op < 0 || l.count < 0 {
			return l, wanted("the names of the columns, among them key, op and op_count")
		}
		return l, nil
	})
}

// sniffMeta also accepts a header without op_count: the reader then returns an error instead of reading another format.
func sniffMeta(b beginning) bool {
	if len(b.lines) == 0 {
		return false
	}
	names := header(b.lines[0], ',')
	return slices.Contains(names, "key") && slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains([]string{"op_count", "op_time", "key_size", "cache_hits", "usecase", "sub_usecase"}, name)
	})
}
