package trace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// read returns the keys of a trace, or its error.
func read(t *testing.T, content string, o Options) ([]uint64, string, error) {
	t.Helper()
	r, err := NewReader("file", strings.NewReader(content), o)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	all, err := ReadAll(r)
	var keys []uint64
	for _, q := range all {
		keys = append(keys, q.Key)
	}
	return keys, r.Format(), err
}

func TestRead(t *testing.T) {
	hash := func(text string) uint64 { return KeyOf([]byte(text)) }
	tests := []struct {
		name, content, format string
		want                  []uint64
	}{
		{"arc", "7 1 0 0\n9 3 0 1\n", "arc", []uint64{7, 9, 10, 11}},
		{"arc without last newline", "7 1 0 0\n8 1 0 1", "arc", []uint64{7, 8}},
		{"arc with CRLF, tabs and blank lines", "7\t1 0 0\r\n\r\n  8  1 0 1 \r\n", "arc", []uint64{7, 8}},
		{"arc without blocks", "7 0 0 0\n8 1 0 0\n", "arc", []uint64{8}},
		{"arc at the last block", "18446744073709551614 2 0 0\n", "arc", []uint64{1<<64 - 2, 1<<64 - 1}},
		{"lirs", "1\n2\n1\n", "lirs", []uint64{1, 2, 1}},
		{"lirs without last newline", "1\n2", "lirs", []uint64{1, 2}},
		{"lirs with markers, blank lines and CRLF", "0\r\n*\r\n\r\n2\r\n  \n*\n3\r\n\n", "lirs", []uint64{0, 2, 3}},
		{"lirs with one request", "5", "lirs", []uint64{5}},
		{"lirs of 64 bits", "18446744073709551615\n", "lirs", []uint64{1<<64 - 1}},
		{"keys", "user:1\nuser:2\n\nuser:1", "keys", []uint64{hash("user:1"), hash("user:2"), hash("user:1")}},
		{"keys with CRLF", "a\r\nb\r\n", "keys", []uint64{hash("a"), hash("b")}},
		{"keys with blanks", "GET /a b\nGET /c\n", "keys", []uint64{hash("GET /a b"), hash("GET /c")}},
		{"keys of which some are numbers", "12\nx\n", "keys", []uint64{12, hash("x")}},
		{"keys that only look like numbers", "007\n7\n", "keys", []uint64{hash("007"), 7}},
		{"keys beyond 64 bits", "18446744073709551616\n", "keys", []uint64{hash("18446744073709551616")}},
		{"keys in another script", "ключ\n鍵\n", "keys", []uint64{hash("ключ"), hash("鍵")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, format, err := read(t, tt.content, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if format != tt.format {
				t.Errorf("Format() = %q; want %q", format, tt.format)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("keys = %v; want %v", got, tt.want)
			}
			// Whatever is recognised can also be named, and read from any
			// compression.
			got, _, err = read(t, tt.content, Options{Format: tt.format})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("with the format named: keys = %v, %v; want %v", got, err, tt.want)
			}
			for name, packed := range pack(t, tt.content) {
				got, _, err := read(t, packed, Options{})
				if err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("%s: keys = %v, %v; want %v", name, got, err, tt.want)
				}
			}
		})
	}
}

func TestReadForced(t *testing.T) {
	got, _, err := read(t, "1\n2\n1\n", Options{Format: "keys"})
	if want := []uint64{1, 2, 1}; err != nil || !slices.Equal(got, want) {
		t.Errorf("numbers as keys: %v, %v; want %v", got, err, want)
	}
	got, _, err = read(t, "007\n7\n", Options{Format: "lirs"})
	if want := []uint64{7, 7}; err != nil || !slices.Equal(got, want) {
		t.Errorf("keys as numbers: %v, %v; want %v", got, err, want)
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("1\n", 100_000)
	tests := []struct {
		name, content string
		o             Options
		want          []string // parts of the error
	}{
		{"empty", "", Options{}, []string{"file: ", "empty"}},
		{"only blank lines", "\n\n", Options{Format: "keys"}, []string{"empty"}},
		{"only markers", "*\n*\n", Options{Format: "lirs"}, []string{"empty"}},
		{"no blocks", "7 0 0 0\n", Options{}, []string{"empty"}},
		{"unknown format", "1\n", Options{Format: "nope"}, []string{`"nope"`, "arc, lirs"}},
		{"binary", "\x00\x01\x02", Options{}, []string{"not recognised"}},
		{"three numbers", "1 2 3\n", Options{}, []string{"not recognised"}},
		{"a table", "a,b\nc,d\n", Options{}, []string{"not recognised"}},
		{"arc, too few numbers", "7 1 0 0\n7 1 0\n", Options{}, []string{"file: line 2: expected 4 numbers"}},
		{"arc, too many numbers", "7 1 0 0\n7 1 0 0 0\n", Options{}, []string{"line 2: expected 4 numbers"}},
		{"arc, no number", "7 1 0 0\n7 x 0 0\n", Options{}, []string{"line 2: expected 4 numbers"}},
		{"arc, negative", "7 -1 0 0\n", Options{Format: "arc"}, []string{"line 1: expected 4 numbers"}},
		{"arc, absurd number of blocks", "7 99999999999 0 0\n", Options{}, []string{"line 1: expected at most 16777216 blocks"}},
		{"arc, beyond the last block", "18446744073709551615 2 0 0\n", Options{}, []string{"line 1: expected block numbers of at most 64 bits"}},
		{"lirs, no number", long + "x\n", Options{}, []string{"line 100001: expected a block number"}},
		{"lirs, two numbers", long + "1 2\n", Options{}, []string{"line 100001: expected a block number"}},
		{"lirs, beyond 64 bits", "18446744073709551616\n", Options{Format: "lirs"}, []string{"line 1: expected a block number"}},
		{"a line without end", "a\n" + strings.Repeat("x", maxLine+1), Options{}, []string{"line 2: expected a line of at most 1048576 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, _, err := read(t, tt.content, tt.o)
			if err == nil {
				t.Fatalf("read %d requests; want an error", len(keys))
			}
			for _, part := range append(tt.want, "trace: file: ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q; want it to contain %q", err, part)
				}
			}
		})
	}
}

// TestTorn cuts compressed traces at every length: none may pass for a whole one.
func TestTorn(t *testing.T) {
	short, long := "1\n2\n3\n", strings.Repeat("123456\n7\n", 40_000)
	for name, packed := range pack(t, short) {
		for n := range len(packed) {
			if keys, _, err := read(t, packed[:n], Options{Format: "lirs"}); err == nil {
				t.Errorf("%s cut at %d of %d: read %v; want an error", name, n, len(packed), keys)
			}
		}
	}
	for name, packed := range pack(t, long) {
		_, _, err := read(t, packed[:len(packed)/2], Options{})
		if err == nil || !strings.Contains(err.Error(), name+" data is torn") {
			t.Errorf("half of a long %s: error %v; want one that says it is torn", name, err)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("half of a long %s: error %v; want io.ErrUnexpectedEOF", name, err)
		}
	}
}

// TestDamaged flips bits. The checksums of the formats find every one that
// matters.
func TestDamaged(t *testing.T) {
	for name, packed := range pack(t, "1\n2\n3\n") {
		for i := range packed {
			b := []byte(packed)
			b[i] ^= 0x10
			keys, _, err := read(t, string(b), Options{Format: "lirs"})
			if err == nil && !slices.Equal(keys, []uint64{1, 2, 3}) {
				t.Errorf("%s with byte %d changed: read %v; want the trace or an error", name, i, keys)
			}
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "absent"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of an absent file: %v; want os.ErrNotExist", err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("Open of a directory: %v; want an error that says so", err)
	}
	// The name does not matter.
	file := filepath.Join(dir, "keys.zst")
	if err := os.WriteFile(file, []byte(pack(t, "1\n2\n")["gzip"]), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if all, err := ReadAll(r); err != nil || len(all) != 2 {
		t.Errorf("ReadAll = %v, %v; want two requests", all, err)
	}
}

// pack compresses content in every way there is an encoder for.
func pack(t testing.TB, content string) map[string]string {
	t.Helper()
	packed := map[string]string{}
	for name, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	} {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(name, err)
		}
		packed[name] = b.String()
	}
	return packed
}

func TestKeyOf(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "7": 7, "18446744073709551615": 1<<64 - 1} {
		if got := KeyOf([]byte(text)); got != want {
			t.Errorf("KeyOf(%q) = %d; want %d", text, got, want)
		}
	}
	seen := map[uint64]string{0: "0", 7: "7"}
	for _, text := range []string{"", "00", "07", " 7", "7 ", "+7", "-7", "7.0", "0x7", "7\x00", "18446744073709551616"} {
		k := KeyOf([]byte(text))
		if other, taken := seen[k]; taken {
			t.Errorf("KeyOf(%q) = KeyOf(%q)", text, other)
		}
		seen[k] = text
	}
}

func TestIndex(t *testing.T) {
	x := NewIndex()
	for i, key := range []uint64{9, 1 << 60, 9, 0} {
		id, err := x.ID(key)
		if want := []uint32{0, 1, 0, 2}[i]; id != want || err != nil {
			t.Errorf("ID(%d) = %d, %v; want %d", key, id, err, want)
		}
	}
	if x.Len() != 3 {
		t.Errorf("Len() = %d; want 3", x.Len())
	}
}
