package trace

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Options tells how to read a trace. The zero Options reads all requests.
type Options struct {
	// Format is the name of the format, one of [Formats]. If Format is empty, the format
	// is recognised.
	Format string
	// Columns states the columns of a libcachesim-csv in the notation of libCacheSim:
	// "time=2,id=5,size=4" with positions from 1, and op=, ttl=, count=, delimiter=tab,
	// header=true and unit=us, the unit of the time, where needed. Columns without Format
	// selects that format too.
	Columns string
	Limits
}

// A Reader reads a trace.
type Reader struct {
	name   string
	format string
	src    Source
	warn   func() []string
	read   int64 // requests returned
	close  []func() error
}

// Open opens the trace in a file.
func Open(name string, o Options) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	r, err := NewReader(name, f, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.close = append(r.close, f.Close)
	return r, nil
}

// NewReader reads a trace from r. Errors contain name. Close does not close r.
func NewReader(name string, r io.Reader, o Options) (*Reader, error) {
	t := &Reader{name: name}
	if err := t.open(r, o); err != nil {
		return nil, errors.Join(t.wrap(err), t.Close())
	}
	return t, nil
}

func (t *Reader) open(r io.Reader, o Options) error {
	plain, err := t.decompress(r)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(plain, sniffSize)
	data, err := in.Peek(sniffSize)
	if len(data) == 0 {
		if !errors.Is(err, io.EOF) {
			return err
		}
		return errEmpty
	}
	if o.Columns != "" && o.Format == "" {
		o.Format = "libcachesim-csv"
	}
	f, err := pick(o.Format, newBeginning(data, errors.Is(err, io.EOF)))
	if err != nil {
		return err
	}
	t.format = f.name
	if t.src, err = f.open(in, o); err != nil {
		return err
	}
	if w, ok := t.src.(interface{ warnings() []string }); ok {
		t.warn = w.warnings
	}
	t.src, err = Limit(t.src, o.Limits)
	return err
}

var errEmpty = errors.New("empty: expected at least one request")

// Format returns the name of the trace's format.
func (t *Reader) Format() string { return t.format }

// Warnings returns a sentence for each known gap in the requests read so far. The requests are correct nevertheless.
func (t *Reader) Warnings() []string {
	if t.warn == nil {
		return nil
	}
	return t.warn()
}

// Read implements [Source]. A trace without requests is an error.
func (t *Reader) Read(batch []Request) (int, error) {
	n, err := t.src.Read(batch)
	t.read += int64(n)
	if errors.Is(err, io.EOF) {
		if t.read == 0 {
			return 0, t.wrap(errEmpty)
		}
		if n > 0 {
			err = nil // the next call returns it
		}
		return n, err
	}
	if err != nil {
		err = t.wrap(err)
	}
	return n, err
}

// Close closes the file and frees the decompressor.
func (t *Reader) Close() error {
	var errs []error
	for _, c := range t.close {
		errs = append(errs, c())
	}
	t.close = nil
	return errors.Join(errs...)
}

func (t *Reader) wrap(err error) error {
	return fmt.Errorf("trace: %s: %w", t.name, err)
}

// decompress returns the decompressed content of r. It recognises a compression by the first bytes.
func (t *Reader) decompress(r io.Reader) (io.Reader, error) {
	end := &tail{r: r}
	in := bufio.NewReaderSize(end, sniffSize)
	head, err := in.Peek(10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, c := range compressions {
		if c.match(head) {
			z, closer, err := c.open(in, end)
			if err != nil {
				return nil, damaged{c.name, err}
			}
			t.close = append(t.close, closer)
			return &compressed{r: z, name: c.name}, nil
		}
	}
	return in, nil
}

type compression struct {
	name  string
	magic string // in which ? is any byte
	open  func(io.Reader, *tail) (io.Reader, func() error, error)
}

func (c compression) match(head []byte) bool {
	if len(head) < len(c.magic) {
		return false
	}
	for i := range len(c.magic) {
		if c.magic[i] != '?' && c.magic[i] != head[i] {
			return false
		}
	}
	return true
}

var compressions = []compression{
	{"gzip", "\x1f\x8b", func(r io.Reader, _ *tail) (io.Reader, func() error, error) {
		z, err := gzip.NewReader(r)
		return z, nothing, err
	}},
	{"xz", "\xfd7zXZ\x00", func(r io.Reader, end *tail) (io.Reader, func() error, error) {
		z, err := newXZ(r, end)
		return z, nothing, err
	}},
	{"zstd", "\x28\xb5\x2f\xfd", func(r io.Reader, _ *tail) (io.Reader, func() error, error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nothing, err
		}
		return z, func() error { z.Close(); return nil }, nil
	}},
	{"bzip2", "BZh?1AY&SY", func(r io.Reader, _ *tail) (io.Reader, func() error, error) {
		return bzip2.NewReader(r), nothing, nil
	}},
}

func nothing() error { return nil }

// compressed adds the name of the compression to the error of its reader, and returns the same error again.
type compressed struct {
	r    io.Reader
	name string
	err  error
}

func (c *compressed) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		err = damaged{c.name, err}
	}
	c.err = err
	return n, err
}

// damaged returns an error about compressed data.
type damaged struct {
	compression string
	err         error
}

func (d damaged) Error() string {
	if errors.Is(d.err, io.ErrUnexpectedEOF) || errors.Is(d.err, io.EOF) {
		return d.compression + " data is torn: expected more of it"
	}
	return d.compression + " data is damaged: " + d.err.Error()
}

func (d damaged) Unwrap() error { return d.err }
