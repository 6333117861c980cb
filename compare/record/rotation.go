package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/cachepact/cachepact/compare/internal/recording"
)

// A rotation is the current file and the earlier files.
type rotation struct {
	path     string
	maxBytes int64
	maxFiles int

	file   *os.File // nil: the last next failed
	size   int64
	synced int64 // when, by the recorder's clock
	start  int64 // of the file, by the recorder's clock
	secret *secret
}

// next closes the file, renames the files, and begins a file with a new secret.
func (r *rotation) next(now int64) error {
	if err := r.close(); err != nil {
		return err
	}
	secret, err := newSecret()
	if err != nil {
		return err
	}
	if err := r.shift(); err != nil {
		return err
	}
	// Only the owner may read a program's traffic.
	f, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	r.start = now
	head := recording.AppendHeader(nil, time.Now())
	if _, err := f.Write(head); err != nil {
		return errors.Join(err, f.Close(), os.Remove(r.path))
	}
	r.file, r.size, r.secret = f, int64(len(head)), secret
	return nil
}

// shift renames the files so that the name of the current file is free. It overwrites the oldest file if there are too
// many.
func (r *rotation) shift() error {
	if _, err := os.Lstat(r.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if r.maxFiles == 1 {
		return os.Remove(r.path)
	}
	for i := r.maxFiles - 1; i > 0; i-- {
		if err := os.Rename(r.name(i-1), r.name(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// name returns the name of the i'th file before the current one.
func (r *rotation) name(i int) string {
	if i == 0 {
		return r.path
	}
	return fmt.Sprintf("%s.%d", r.path, i)
}

// write appends a whole block, or nothing.
func (r *rotation) write(block []byte) error {
	if r.file == nil {
		return errors.New("no file to write to")
	}
	if _, err := r.file.WriteAt(block, r.size); err != nil {
		return errors.Join(err, r.file.Truncate(r.size))
	}
	r.size += int64(len(block))
	return nil
}

// full reports whether the file is full.
func (r *rotation) full() bool { return r.file == nil || r.size >= r.maxBytes }

// sync flushes the file to the disk if the last flush is long ago.
func (r *rotation) sync(now int64) error {
	if r.file == nil || now-r.synced < int64(interval) {
		return nil
	}
	r.synced = now
	return r.file.Sync()
}

func (r *rotation) close() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return errors.Join(f.Sync(), f.Close())
}

// A secret maps hashes to other hashes; the mapping cannot be computed without the secret. It is not safe for
// concurrent use.
type secret struct {
	cipher cipher.Block
	block  [aes.BlockSize]byte
}

func newSecret() (*secret, error) {
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	c, err := aes.NewCipher(key[:])
	return &secret{cipher: c}, err
}

// hash returns half of a block of AES, which cannot be told from random bits.
func (s *secret) hash(key uint64) uint64 {
	s.block = [aes.BlockSize]byte{}
	binary.LittleEndian.PutUint64(s.block[:], key)
	s.cipher.Encrypt(s.block[:], s.block[:])
	return binary.LittleEndian.Uint64(s.block[:])
}
