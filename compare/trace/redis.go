package trace

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// redis reads the output of Redis' command MONITOR:
//
//	1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value" "EX" "60"
//
// Commands on strings are requests. All other commands are skipped, for example those
// that read several keys at once or a part of a value.
type redis struct {
	*lines
	args    [][]byte
	pending []Request // of the current line
}

const wantRedis = `a line of MONITOR: time [database client] "command" "argument"...`

func (x *redis) Read(batch []Request) (int, error) {
	for n := range batch {
		for len(x.pending) == 0 {
			if err := x.parse(); err != nil {
				return n, err
			}
		}
		batch[n] = x.pending[0]
		x.pending = x.pending[1:]
	}
	return len(batch), nil
}

func (x *redis) parse() error {
	line, err := x.next()
	if err != nil {
		return err
	}
	if len(line) == 0 || string(line) == "OK" || string(line) == "+OK" {
		return nil
	}
	line = bytes.TrimPrefix(line, []byte{'+'}) // as it comes from the network
	stamp, rest, ok := bytes.Cut(line, []byte(" ["))
	now, isTime := parseDuration(stamp, time.Second)
	client, rest, found := bytes.Cut(rest, []byte("] "))
	database, _, _ := bytes.Cut(client, []byte{' '})
	if !ok || !isTime || !found {
		return x.bad(wantRedis)
	}
	if x.args, ok = arguments(x.args[:0], rest); !ok || len(x.args) == 0 {
		return x.bad(wantRedis)
	}
	x.pending = x.command(x.pending[:0], now, database)
	return nil
}

// arguments appends the quoted arguments of a line to args. It unquotes them in place.
func arguments(args [][]byte, line []byte) ([][]byte, bool) {
	for len(line) > 0 {
		if line[0] != '"' {
			return args, false
		}
		arg := line[1:1]
		i := 1
		for ; i < len(line) && line[i] != '"'; i++ {
			c := line[i]
			if c == '\\' {
				if i++; i == len(line) {
					return args, false
				}
				switch c = line[i]; c {
				case 'n':
					c = '\n'
				case 'r':
					c = '\r'
				case 't':
					c = '\t'
				case 'a':
					c = '\a'
				case 'b':
					c = '\b'
				case 'x':
					if i+2 >= len(line) {
						return args, false
					}
					c = hex(line[i+1])<<4 | hex(line[i+2])
					i += 2
				}
			}
			arg = append(arg, c)
		}
		if i == len(line) {
			return args, false
		}
		args = append(args, arg)
		line = bytes.TrimPrefix(line[i+1:], []byte{' '})
	}
	return args, true
}

func hex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// command appends the requests of a command. A command with too few arguments is an error in Redis, so it is no
// request.
func (x *redis) command(to []Request, now time.Duration, database []byte) []Request {
	name, args := strings.ToLower(string(x.args[0])), x.args[1:]
	add := func(op Op, key []byte, size int, ttl time.Duration) {
		k := KeyOf(key)
		if string(database) != "0" {
			k = KeyOf([]byte(string(database) + "\x00" + string(key)))
		}
		to = append(to, Request{Op: op, Key: k, Time: now, Size: int64(size), TTL: ttl, Group: prefixGroup(key)})
	}
	need := func(n int) bool { return len(args) >= n }
	switch name {
	case "get", "getex", "mget":
		if name != "mget" {
			args = args[:min(len(args), 1)]
		}
		for _, key := range args {
			add(Get, key, 0, 0)
		}
	case "del", "unlink":
		for _, key := range args {
			add(Delete, key, 0, 0)
		}
	case "getdel":
		if need(1) {
			add(Get, args[0], 0, 0)
			add(Delete, args[0], 0, 0)
		}
	case "getset":
		if need(2) {
			add(Get, args[0], 0, 0)
			add(Set, args[0], len(args[1]), 0)
		}
	case "set":
		if need(2) {
			add(Set, args[0], len(args[1]), expiry(args[2:], now))
		}
	case "setnx":
		if need(2) {
			add(Set, args[0], len(args[1]), 0)
		}
	case "setex", "psetex":
		if need(3) {
			unit := map[string]time.Duration{"setex": time.Second, "psetex": time.Millisecond}[name]
			ttl, _ := parseDuration(args[1], unit)
			add(Set, args[0], len(args[2]), ttl)
		}
	case "mset", "msetnx":
		for i := 0; i+1 < len(args); i += 2 {
			add(Set, args[i], len(args[i+1]), 0)
		}
	case "incr", "decr", "incrby", "decrby", "incrbyfloat", "append", "setrange", "setbit":
		if need(1) {
			add(Update, args[0], 0, 0)
		}
	}
	return to
}

// expiry returns the TTL in the options of SET.
func expiry(options [][]byte, now time.Duration) time.Duration {
	for i := 0; i+1 < len(options); i++ {
		unit, absolute := time.Second, false
		switch strings.ToLower(string(options[i])) {
		case "ex":
		case "px":
			unit = time.Millisecond
		case "exat":
			absolute = true
		case "pxat":
			unit, absolute = time.Millisecond, true
		default:
			continue
		}
		ttl, _ := parseDuration(options[i+1], unit)
		if absolute {
			ttl = max(ttl-now, 1) // an expired entry gets the shortest TTL
		}
		return ttl
	}
	return 0
}

func openRedis(r io.Reader, _ Options) (Source, error) {
	return &redis{lines: newLines(r)}, nil
}

func sniffRedis(b beginning) bool {
	for _, line := range b.lines {
		if string(line) == "OK" || string(line) == "+OK" {
			continue
		}
		line = bytes.TrimPrefix(line, []byte{'+'})
		stamp, rest, _ := bytes.Cut(line, []byte(" ["))
		_, ok := parseDuration(stamp, time.Second)
		return ok && bytes.Contains(rest, []byte(`] "`))
	}
	return false
}
