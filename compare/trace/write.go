package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Writer writes requests. The caller must call Close, which completes the output and does not close the io.Writer.
type Writer struct {
	out    *bufio.Writer
	line   []byte // the request being written
	format encoding
	lossy  bool
	next   func() uint64 // for oracleGeneral
	n      int64         // requests written
	err    error         // the first
}

// An encoding is a format that a Writer can write.
type encoding struct {
	name   string
	ops    bool // it has operations and TTLs
	header string
	append func(w *Writer, line []byte, q Request) ([]byte, error)
}

var encodings = []encoding{
	{name: "csv", ops: true, header: "time,key,op,size,ttl\n", append: appendCSV},
	{name: "libcachesim-csv", header: "time,obj_id,obj_size\n", append: appendLibCacheSim},
	{name: "oraclegeneral", append: appendOracle},
	{name: "arc", append: appendARC},
	{name: "lirs", append: appendKey},
	{name: "keys", append: appendKey},
	{name: "cache2k", append: appendCache2k},
	{name: "corda", append: appendCorda},
}

// WriteFormats returns the names of the formats that a Writer can write. Only csv holds all fields of a request.
func WriteFormats() []string {
	var all []string
	for _, e := range encodings {
		all = append(all, e.name)
	}
	return all
}

// WriteOptions tells how to write a trace.
type WriteOptions struct {
	// Format is one of [WriteFormats].
	Format string
	// Lossy leaves out requests other than Get, and TTLs, if the format cannot hold
	// them. Without Lossy they are an error.
	Lossy bool
	// Future returns for each request in turn the number, from 1, of the next request
	// for the same key, or 0. The format oraclegeneral needs Future.
	Future func() uint64
	// Groups adds the column group to a csv. A key that is never written has the TTL
	// of its group.
	Groups bool
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer, o WriteOptions) (*Writer, error) {
	i := slices.IndexFunc(encodings, func(e encoding) bool { return e.name == o.Format })
	if i < 0 {
		return nil, fmt.Errorf("trace: unknown format %q: expected one of %s", o.Format, strings.Join(WriteFormats(), ", "))
	}
	if o.Format == "oraclegeneral" && o.Future == nil {
		return nil, errors.New("trace: oraclegeneral cannot be written without knowing the future")
	}
	t := &Writer{out: bufio.NewWriterSize(w, 64<<10), format: encodings[i], lossy: o.Lossy, next: o.Future}
	if o.Groups && o.Format == "csv" {
		t.format.header, t.format.append = "time,key,op,size,ttl,group\n", appendGrouped
	}
	_, t.err = t.out.WriteString(t.format.header)
	return t, nil
}

// Write writes requests.
func (t *Writer) Write(batch []Request) error {
	for _, q := range batch {
		if t.err != nil {
			break
		}
		t.err = t.write(q)
	}
	return t.err
}

func (t *Writer) write(q Request) error {
	if !t.format.ops && (q.Op != Get || q.TTL != 0) {
		if !t.lossy {
			return fmt.Errorf("trace: request %d: %s cannot hold operations other than get, and TTLs", t.n+1, t.format.name)
		}
		if q.Op != Get {
			return nil
		}
	}
	var err error
	if t.line, err = t.format.append(t, t.line[:0], q); err != nil {
		return fmt.Errorf("trace: request %d: %s cannot hold %w", t.n+1, t.format.name, err)
	}
	t.n++
	_, err = t.out.Write(t.line)
	return err
}

// Close writes the buffered data. It fails if nothing was written, because a trace must have requests.
func (t *Writer) Close() error {
	if t.err == nil && t.n == 0 {
		t.err = errors.New("trace: nothing to write: expected at least one request")
	}
	if t.err == nil {
		t.err = t.out.Flush()
	}
	return t.err
}

func appendCSV(_ *Writer, line []byte, q Request) ([]byte, error) {
	line = appendSeconds(line, q.Time)
	line = append(line, ',')
	line = strconv.AppendUint(line, q.Key, 10)
	line = append(line, ',')
	line = append(line, q.Op.String()...)
	line = append(line, ',')
	line = strconv.AppendInt(line, q.Size, 10)
	line = append(line, ',')
	line = appendSeconds(line, q.TTL)
	return append(line, '\n'), nil
}

func appendGrouped(w *Writer, line []byte, q Request) ([]byte, error) {
	line, err := appendCSV(w, line, q)
	line[len(line)-1] = ','
	if q.Group != 0 {
		line = strconv.AppendUint(line, uint64(q.Group), 10)
	}
	return append(line, '\n'), err
}

// appendSeconds writes exactly the digits of d.
func appendSeconds(line []byte, d time.Duration) []byte {
	line = strconv.AppendInt(line, int64(d/time.Second), 10)
	if rest := d % time.Second; rest > 0 {
		line = fmt.Appendf(line, ".%09d", rest)
		for line[len(line)-1] == '0' {
			line = line[:len(line)-1]
		}
	}
	return line
}

func appendLibCacheSim(_ *Writer, line []byte, q Request) ([]byte, error) {
	line = strconv.AppendInt(line, int64(q.Time/time.Second), 10)
	line = append(line, ',')
	line = strconv.AppendUint(line, q.Key, 10)
	line = append(line, ',')
	line = strconv.AppendInt(line, max(q.Size, 1), 10)
	return append(line, '\n'), nil
}

// appendOracle writes a size of 1 for a request without a size, because libCacheSim skips requests with a size of 0.
func appendOracle(w *Writer, line []byte, q Request) ([]byte, error) {
	if q.Time/time.Second > math.MaxUint32 || q.Size > math.MaxUint32 {
		return nil, errors.New("a time or size of more than 32 bits")
	}
	line = binary.LittleEndian.AppendUint32(line, uint32(q.Time/time.Second))
	line = binary.LittleEndian.AppendUint64(line, q.Key)
	line = binary.LittleEndian.AppendUint32(line, uint32(max(q.Size, 1)))
	next := w.next()
	if next == 0 {
		next = math.MaxUint64 // -1, never
	}
	return binary.LittleEndian.AppendUint64(line, next), nil
}

func appendARC(w *Writer, line []byte, q Request) ([]byte, error) {
	line = strconv.AppendUint(line, q.Key, 10)
	line = append(line, " 1 0 "...)
	line = strconv.AppendInt(line, w.n, 10)
	return append(line, '\n'), nil
}

func appendKey(_ *Writer, line []byte, q Request) ([]byte, error) {
	return append(strconv.AppendUint(line, q.Key, 10), '\n'), nil
}

func appendCache2k(_ *Writer, line []byte, q Request) ([]byte, error) {
	if q.Key > math.MaxUint32 {
		return nil, errors.New("a key of more than 32 bits")
	}
	return binary.BigEndian.AppendUint32(line, uint32(q.Key)), nil
}

func appendCorda(_ *Writer, line []byte, q Request) ([]byte, error) {
	return binary.BigEndian.AppendUint64(line, q.Key), nil
}
