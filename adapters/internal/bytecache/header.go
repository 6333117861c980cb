package bytecache

import (
	"encoding/binary"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// An entry begins with its deadline: eight bytes, of which the first bit is set,
// or a single zero byte if it has none. The encoded value follows.

const (
	// Header is the most bytes that an entry has before the encoded value.
	Header = 8

	hasDeadline = 1 << 7 // of the first byte
)

func appendDeadline(dst []byte, deadline int64) []byte {
	if deadline == expiry.Never {
		return append(dst, 0)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(deadline)|hasDeadline<<56)
}

// Split returns the deadline of an entry and the bytes of its value.
func Split(entry []byte) (deadline int64, data []byte) {
	switch {
	case len(entry) > 0 && entry[0] == 0:
		return expiry.Never, entry[1:]
	case len(entry) >= Header:
		return int64(binary.BigEndian.Uint64(entry) &^ (hasDeadline << 56)), entry[Header:]
	}
	return expiry.Never, nil // unreachable: Entry wrote it
}
