package compare

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/trace"
)

// convert writes l to a file, or to stdout if it is called -. It goes through
// everything before it writes anything, so that a failure leaves nothing behind.
func convert(l *load.Load, file string, stdout io.Writer, o trace.WriteOptions) error {
	o.Groups = l.Grouped
	var future []uint32
	if o.Format == "oraclegeneral" {
		var err error
		if future, err = nextRequests(l); err != nil {
			return err
		}
	}
	pass := func(w io.Writer) error {
		left := future
		o.Future = func() uint64 {
			next := left[0]
			left = left[1:]
			return uint64(next)
		}
		return writeTrace(l, w, o)
	}
	if err := pass(io.Discard); err != nil {
		return err
	}
	if file == "-" {
		return pass(stdout)
	}
	return create(file, pass)
}

func writeTrace(l *load.Load, w io.Writer, o trace.WriteOptions) error {
	t, err := trace.NewWriter(w, o)
	if err != nil {
		return err
	}
	for batch, err := range l.Batches() {
		if err == nil {
			err = t.Write(batch)
		}
		if err != nil {
			return err
		}
	}
	return t.Close()
}

// nextRequests returns for each Get the number, from 1, of the next one for its key
// among the Gets, or 0.
func nextRequests(l *load.Load) ([]uint32, error) {
	var next []uint32
	last := make([]uint32, l.Distinct)
	for batch, err := range l.Batches() {
		if err != nil {
			return nil, err
		}
		for _, q := range batch {
			if q.Op != trace.Get {
				continue
			}
			id, err := l.Index.ID(q.Key)
			if err != nil {
				return nil, err
			}
			if len(next) == math.MaxUint32 {
				return nil, errors.New("more than 2³² requests, whose future does not fit into memory")
			}
			next = append(next, 0)
			if last[id] > 0 {
				next[last[id]-1] = uint32(len(next))
			}
			last[id] = uint32(len(next))
		}
	}
	return next, nil
}

// create writes a file as a whole or not at all. What it writes is packed as the
// name says.
func create(file string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	z, err := packer(file, f)
	if err != nil {
		return err
	}
	if err := write(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return f.Close()
}

// packer returns what packs into w by the extension of a file's name.
func packer(file string, w io.Writer) (io.WriteCloser, error) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".gz":
		return gzip.NewWriter(w), nil
	case ".zst":
		return zstd.NewWriter(w)
	case ".xz":
		return xz.NewWriter(w)
	case ".bz2":
		return nil, fmt.Errorf("%s: expected a name that ends in .gz, .zst, .xz or none of them: bzip2 can only be read", file)
	}
	return plain{w}, nil
}

type plain struct {
	io.Writer
}

func (plain) Close() error { return nil }
