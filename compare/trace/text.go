package trace

import (
	"bytes"
	"io"
	"math"
)

// arc reads the format of the ARC paper (Megiddo and Modha, FAST 2003). A line
//
//	start count ignored number
//
// requests count consecutive blocks from start.
type arc struct {
	*lines
	block uint64 // next to ask for
	left  uint64 // blocks of the current line
}

// maxBlocks bounds the blocks of one line. A damaged number then cannot become a trace without end. It is 8 GiB of
// blocks of the usual size.
const maxBlocks = 1 << 24

const wantARC = "4 numbers: first block, number of blocks, ignored, request number"

func (a *arc) Read(batch []Request) (int, error) {
	for n := range batch {
		for a.left == 0 {
			if err := a.parse(); err != nil {
				return n, err
			}
		}
		batch[n] = Request{Key: a.block}
		a.block++
		a.left--
	}
	return len(batch), nil
}

func (a *arc) parse() error {
	var field [4]uint64
	if a.numbers(field[:]) {
		return a.set(field)
	}
	line, err := a.next()
	if err != nil {
		return err
	}
	n := 0
	for i := 0; i < len(line); {
		if isBlank(line[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(line) && !isBlank(line[end]) {
			end++
		}
		v, ok := parseUint(line[i:end])
		if !ok || n == len(field) {
			return a.bad(wantARC)
		}
		field[n] = v
		n++
		i = end
	}
	if n == 0 {
		return nil
	}
	if n < len(field) {
		return a.bad(wantARC)
	}
	return a.set(field)
}

func (a *arc) set(field [4]uint64) error {
	a.block, a.left = field[0], field[1]
	if a.left > maxBlocks {
		return a.bad("at most 16777216 blocks")
	}
	if a.left > 0 && a.block > math.MaxUint64-(a.left-1) {
		return a.bad("block numbers of at most 64 bits")
	}
	return nil
}

// lirs reads the format of the LIRS authors: one block number per line. Blank lines and lines of an asterisk are
// skipped.
type lirs struct {
	*lines
}

const wantLIRS = "a block number, an asterisk or nothing"

func (l *lirs) Read(batch []Request) (int, error) {
	var field [1]uint64
	for n := range batch {
		for {
			if l.numbers(field[:]) {
				batch[n] = Request{Key: field[0]}
				break
			}
			line, err := l.next()
			if err != nil {
				return n, err
			}
			line = bytes.TrimSpace(line)
			if key, ok := parseUint(line); ok {
				batch[n] = Request{Key: key}
				break
			}
			if len(line) > 0 && string(line) != "*" {
				return n, l.bad(wantLIRS)
			}
		}
	}
	return len(batch), nil
}

// keys reads one key per line, any text. Blank lines are skipped.
type keys struct {
	*lines
}

func (k *keys) Read(batch []Request) (int, error) {
	for n := range batch {
		line, err := k.next()
		for err == nil && len(line) == 0 {
			line, err = k.next()
		}
		if err != nil {
			return n, err
		}
		batch[n] = Request{Key: KeyOf(line)}
	}
	return len(batch), nil
}

func isBlank(c byte) bool {
	return c == ' ' || c == '\t'
}

func openARC(r io.Reader, _ Options) (Source, error)  { return &arc{lines: newLines(r)}, nil }
func openLIRS(r io.Reader, _ Options) (Source, error) { return &lirs{newLines(r)}, nil }
func openKeys(r io.Reader, _ Options) (Source, error) { return &keys{newLines(r)}, nil }
