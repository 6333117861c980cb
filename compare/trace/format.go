package trace

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A format is a file format for requests.
type format struct {
	name string
	// sniff reports whether the beginning of a trace has this format.
	sniff func(beginning) bool
	open  func(io.Reader, Options) (Source, error)
}

// formats are all formats in the order in which they are tried: the most specific format first.
var formats = []format{
	{"recording", sniffRecording, openRecording},
	{"redis", sniffRedis, openRedis},
	{"meta", sniffMeta, openMeta},
	{"csv", sniffCSV, openCSV},
	{"libcachesim-csv", sniffLibCacheSim, openLibCacheSim},
	{"twitter", sniffTwitter, openTwitter},
	{"arc", sniffARC, openARC},
	{"lirs", sniffLIRS, openLIRS},
	{"keys", sniffKeys, openKeys},
	{"oraclegeneral", sniffOracle, openOracle},
	{"cache2k", sniffCache2k, openCache2k},
	{"corda", sniffCorda, openCorda},
}

// Formats returns the names of the formats.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// pick returns the named format, or the format that b looks like.
func pick(name string, b beginning) (format, error) {
	if name != "" {
		i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
		if i < 0 {
			return format{}, fmt.Errorf("unknown format %q: expected one of %s", name, strings.Join(Formats(), ", "))
		}
		return formats[i], nil
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.sniff(b) })
	if i < 0 {
		return format{}, fmt.Errorf("not recognised: expected one of the formats %s", strings.Join(Formats(), ", "))
	}
	return formats[i], nil
}

// sniffSize is the number of bytes from which a format is recognised.
const sniffSize = 64 << 10

// A beginning is the first sniffSize bytes of a trace.
type beginning struct {
	data     []byte
	complete bool     // there is no more
	text     bool     // no bytes but those of text
	lines    [][]byte // that are complete and not blank
}

func newBeginning(data []byte, complete bool) beginning {
	b := beginning{data: data, complete: complete, text: isText(data)}
	if !b.text {
		return b
	}
	for line := range bytes.Lines(data) {
		if !complete && line[len(line)-1] != '\n' {
			break
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			b.lines = append(b.lines, line)
		}
	}
	return b
}

// isText reports whether data has no control bytes other than separators.
func isText(data []byte) bool {
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// sniffARC reads the first line only. A later line of another form is an error.
func sniffARC(b beginning) bool {
	return len(b.lines) > 0 && numbers(b.lines[0]) == 4
}

func sniffLIRS(b beginning) bool {
	seen := false
	for _, line := range b.lines {
		if string(line) == "*" {
			continue
		}
		if _, ok := parseUint(line); !ok || line[0] == '0' && len(line) > 1 {
			return false
		}
		seen = true
	}
	return seen
}

// sniffKeys accepts any text that does not look like a table.
func sniffKeys(b beginning) bool {
	if len(b.lines) == 0 || numbers(b.lines[0]) > 1 {
		return false
	}
	for _, separator := range []byte{',', '\t'} {
		if columns(b.lines, separator) > 1 {
			return false
		}
	}
	return true
}

// numbers returns the number of blank-separated numbers in line, or 0 if line has anything else.
func numbers(line []byte) int {
	fields := bytes.Fields(line)
	for _, f := range fields {
		if _, ok := parseUint(f); !ok {
			return 0
		}
	}
	return len(fields)
}

// columns returns the number of columns of the lines, or 0 if lines differ.
func columns(lines [][]byte, separator byte) int {
	n := 0
	for _, line := range lines {
		switch c := bytes.Count(line, []byte{separator}) + 1; n {
		case 0, c:
			n = c
		default:
			return 0
		}
	}
	return n
}
