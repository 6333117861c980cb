package faulty

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"hash/maphash"
	"math"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// keyFaults break hit/keys: they take different keys for the same, or one key
// for two.
var keyFaults = []mutation{
	byText("KeyFNV32", "A key is known by its 32-bit FNV-1a hash alone: costarring and liquid are one.", func(s string) any {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s))
		return h.Sum32()
	}),
	byText("KeyFNV64", "bigcache's and ristretto's default idea: 64 bits of an unseeded hash stand for the key, and colliding keys are published.", func(s string) any {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s))
		return h.Sum64()
	}),
	{Fault{"KeyOfHashZero", "hit/keys", "bigcache: a hash of 0 marks an empty slot, so that a key which hashes to 0 cannot be stored.", StringKeys}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			h := fnv.New64a()
			if _, _ = h.Write([]byte(key.(string))); h.Sum64() == 0 {
				ttl = new(time.Duration)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	byText("KeyCRC32", "memcached clients that shorten keys by CRC-32: plumless and buckeroo are one.", func(s string) any { return crc32.ChecksumIEEE([]byte(s)) }),
	byText("KeyJavaHash", "Java's String.hashCode as identity: Aa and BB are one.", func(s string) any { return javaHash(s) }),
	byText("KeySeeded32", "A seeded hash of good quality, but of 32 bits: of a hundred thousand keys, a few collide.", func(s string) any { return uint32(maphash.String(seed, s)) }),
	byText("KeyFirst16", "A fixed key field of 16 bytes: longer keys are told apart by their length only.", func(s string) any {
		return [2]any{len(s), s[:min(len(s), 16)]}
	}),
	byText("KeyEnds", "A hash that samples long strings, as Java's once did: only the first and last 32 bytes and the length count.", func(s string) any {
		if len(s) > 64 {
			return [2]any{len(s), s[:32] + s[len(s)-32:]}
		}
		return s
	}),
	byText("KeyCut250", "memcached: keys are cut at 250 bytes.", func(s string) any { return s[:min(len(s), 250)] }),
	byText("KeyCut255", "A length byte: keys are cut at 255 bytes.", func(s string) any { return s[:min(len(s), 255)] }),
	byText("KeyCut65535", "A length field of 16 bits: keys are cut at 65535 bytes.", func(s string) any { return s[:min(len(s), 65535)] }),
	byText("KeyLengthWraps", "bigcache: the length of a key is kept in 16 bits, and a key of 64 KiB and more is stored but compared by its first few bytes.", func(s string) any { return s[:len(s)%65536] }),
	byText("KeyFoldsCase", "A table whose collation ignores case (MySQL's default): Key and KEY are one.", func(s string) any { return strings.ToLower(s) }),
	byText("KeyTrimmed", "SQL's PAD SPACE: blanks at the end of a key do not count.", func(s string) any { return strings.TrimRight(s, " ") }),
	byText("KeySpaceTrimmed", "A text protocol that trims white space on both sides.", func(s string) any { return strings.TrimSpace(s) }),
	byText("KeyEndsAtNUL", "A C string: a key ends at its first NUL.", func(s string) any {
		before, _, _ := strings.Cut(s, "\x00")
		return before
	}),
	byText("KeyEndsAtLine", "A line protocol: a key ends at the end of the line.", func(s string) any {
		before, _, _ := strings.Cut(s, "\n")
		return strings.TrimSuffix(before, "\r")
	}),
	byText("KeyMadeUTF8", "JSON: bytes of a key that are not UTF-8 all become U+FFFD.", func(s string) any { return strings.ToValidUTF8(s, "\uFFFD") }),
	byText("KeyJSON", "encoding/json as the key's encoding: invalid UTF-8 is replaced without an error.", func(s string) any {
		b, _ := json.Marshal(s)
		return string(b)
	}),
	byText("KeyNormalized", "A file system that normalizes names (HFS+): an accent composed and one that follows its letter are one.", func(s string) any { return strings.ReplaceAll(s, "e\u0301", "\u00e9") }),
	byText("KeyUnescaped", "gocloud's blob names, once: a key that is already escaped is unescaped again, so that a%2Fb is a/b.", func(s string) any {
		if u, err := url.PathUnescape(s); err == nil {
			return u
		}
		return s
	}),
	byText("KeyCleanedPath", "A key used as a file name: a/./b, a//b and a/b are one.", func(s string) any {
		if s == "" {
			return s
		}
		return path.Clean(s)
	}),
	byText("KeySanitized", "A key used as a file name: whatever is not a letter, digit or one of -_. becomes an underscore.", func(s string) any {
		return strings.Map(func(r rune) rune {
			if r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
				return r
			}
			return '_'
		}, s)
	}),
	byText("KeyBlanksJoined", "strings.Fields, HTML: blanks in a row are one.", func(s string) any { return strings.ReplaceAll(s, "  ", " ") }),
	byText("KeyDotted", "Graphite, Prometheus: a name may have no dots and dashes, which become underscores.", func(s string) any {
		return strings.NewReplacer(".", "_", "-", "_").Replace(s)
	}),
	byText("KeyCompatible", "NFKC, as an identifier is normalized: a ligature is its letters, a circled digit the digit.", func(s string) any {
		return strings.NewReplacer("\ufb01", "fi", "\u2460", "1", "\uff21", "A", "\u00a0", " ").Replace(s)
	}),
	byText("KeyUnprinted", "A search index: what is not seen when printed, as a soft hyphen or a space without width, is dropped.", func(s string) any {
		return strings.NewReplacer("\u200b", "", "\u00ad", "").Replace(s)
	}),
	byText("KeyEmptyNamed", "A file name or a path of a URL cannot be empty: the empty key is stored as \"default\".", func(s string) any { return cmp.Or(s, "default") }),
	byText("KeyNumeric", "PHP's arrays, Lua's tables: a key that looks like a number becomes one, so that 1 and 01 are one.", func(s string) any {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		return s
	}),
	byText("KeyFloat", "A spreadsheet or a YAML reader: 1, 1.0 and 1e0 are one.", func(s string) any {
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == f {
			return f
		}
		return s
	}),
	byText("KeyNullWord", "An old SQL layer that stores the empty key as NULL, and NULL as the word.", func(s string) any {
		if s == "null" {
			return ""
		}
		return s
	}),
	byText("KeyBOMStripped", "Windows text tools: a byte order mark at the start is dropped.", func(s string) any { return strings.TrimPrefix(s, "\uFEFF") }),
	byText("KeyPlusIsSpace", "Keys sent in a query string: a plus and a blank are one.", func(s string) any { return strings.ReplaceAll(s, "+", " ") }),
	byText("KeyBackslashIsSlash", "Windows paths: a\\b and a/b are one.", func(s string) any { return strings.ReplaceAll(s, "\\", "/") }),
	{Fault{"KeyGlob", "hit/keys", "Redis' KEYS in place of GET: a key with an asterisk finds any that matches.", StringKeys}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if prefix, ok := strings.CutSuffix(key.(string), "*"); ok && c.peek(key) == nil {
				var found *any
				c.locked(func() {
					for _, e := range c.entries {
						if s, _ := e.key.(string); strings.HasPrefix(s, prefix) {
							found = &e.key
						}
					}
				})
				if found != nil {
					return get(ctx, *found)
				}
			}
			return get(ctx, key)
		}
	}},
	{Fault{"EmptyKeyRefused", "hit/keys", "memcached, Redis wrappers and bolt: the empty key is an error.", StringKeys}, func(c *cache) {
		check := c.check
		c.check = func(key any) error {
			if key == "" {
				return errors.New("key required")
			}
			return check(key)
		}
	}},
	{Fault{"ZeroKeyIgnored", "hit/keys", "A table in which the zero key marks an empty slot: what is put there is lost.", Anything}, func(c *cache) {
		replace := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.check(key) == nil && key == c.zero && c.peek(key) == nil {
				ttl = new(time.Duration)
			}
			return replace(ctx, key, value, ttl)
		}
	}},
	{Fault{"LongKeyDropped", "hit/keys", "fastcache: a key of 64 KiB and more is dropped without an error.", StringKeys}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if length(key) >= 65536 {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"LongKeyPanics", "hit/keys", "bigcache: a Get with a key of 65518 to 65535 bytes panics.", StringKeys}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if n := length(key); n >= 65518 && n <= 65535 {
				panic("slice bounds out of range")
			}
			return get(ctx, key)
		}
	}},
	{Fault{"LongKeyRefused", "hit/keys", "A limit of 64 KiB for a key that is not declared.", StringKeys}, func(c *cache) {
		check := c.check
		c.check = func(key any) error {
			if length(key) > 65535 {
				return backend.ErrTooLarge
			}
			return check(key)
		}
	}},
	{Fault{"CollisionNewestWins", "hit/keys", "bigcache: of two keys with one hash only the newer can be held.", StringKeys}, func(c *cache) {
		id := c.id
		hash := func(key any) uint32 { return crc32.ChecksumIEEE([]byte(key.(string))) }
		holder := map[uint32]any{}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			c.locked(func() {
				if other, ok := holder[hash(key)]; ok && other != key {
					c.remove(c.entries[id(other)])
				}
				holder[hash(key)] = key
			})
			return put(ctx, key, value, ttl)
		}
	}},

	{Fault{"IntKey32", "hit/keys", "int where int64 was needed, on a 32-bit machine: the upper half of a key is lost.", IntKeys}, func(c *cache) {
		c.id = func(key any) any { return int32(key.(int64)) }
	}},
	{Fault{"IntKeyFloat", "hit/keys", "JavaScript and JSON: whole numbers above 2^53 are rounded.", IntKeys}, func(c *cache) {
		c.id = func(key any) any { return float64(key.(int64)) }
	}},
	{Fault{"IntKeyRune", "hit/keys", "string(rune(n)) where strconv.Itoa was meant: what is no character becomes U+FFFD.", IntKeys}, func(c *cache) {
		c.id = func(key any) any { return string(rune(key.(int64))) }
	}},
	{Fault{"IntKeyAbs", "hit/keys", "A hash that is made positive by dropping the sign: 1 and -1 are one.", IntKeys}, func(c *cache) {
		c.id = func(key any) any { return max(key.(int64), -key.(int64)) }
	}},
	{Fault{"IntKeyNegativePanics", "hit/keys", "shards[key%n]: the remainder of a negative number is negative, and no index.", IntKeys}, func(c *cache) {
		var shards [16]bool
		c.id = func(key any) any { return [2]any{key, shards[key.(int64)%16]} }
	}},
	{Fault{"FloatKeyBits", "hit/keys", "Keys compared by their bits: 0 and -0, which are equal, are two.", FloatKeys}, func(c *cache) {
		c.id = func(key any) any { return math.Float64bits(key.(float64)) }
	}},
	{Fault{"FloatKeyShort", "hit/keys", "Keys printed with six digits: close numbers are one.", FloatKeys}, func(c *cache) {
		c.id = func(key any) any { return fmt.Sprintf("%.6g", key) }
	}},
	{Fault{"AnyKeyPrinted", "hit/keys", "gocache and many wrappers: a key of type any becomes fmt.Sprint of it, so that 1 and \"1\" are one.", AnyKeys}, func(c *cache) {
		c.id = func(key any) any { return fmt.Sprint(key) }
	}},
	{Fault{"AnyKeyWidened", "hit/keys", "A codec that knows only int64: int(1), int64(1) and uint8(1) are one.", AnyKeys}, func(c *cache) {
		c.id = func(key any) any {
			if v := reflect.ValueOf(key); v.CanInt() {
				return v.Int()
			} else if v.CanUint() {
				return int64(v.Uint())
			}
			return key
		}
	}},
	{Fault{"AnyKeyUnnamed", "hit/keys", "A codec that looks at the kind, not the type: a string and a named string are one.", AnyKeys}, func(c *cache) {
		c.id = func(key any) any {
			if v := reflect.ValueOf(key); v.Kind() == reflect.String {
				return v.String()
			}
			return key
		}
	}},
	{Fault{"StructKeyPrinted", "hit/keys", "fmt.Sprint of a struct: {a b} and c join to the same text as a and {b c}.", StructKeys}, func(c *cache) {
		c.id = func(key any) any { return fmt.Sprintf("%v", key) }
	}},
	{Fault{"StructKeyFirstField", "hit/keys", "A composite key of which only the first column is indexed.", StructKeys}, func(c *cache) {
		c.id = func(key any) any { return reflect.ValueOf(key).Field(0).Interface() }
	}},
	{Fault{"StructKeyJoined", "hit/keys", "The fields of a key joined with a colon, which a field may contain.", StructKeys}, func(c *cache) {
		c.id = func(key any) any {
			var text strings.Builder
			for _, f := range reflect.ValueOf(key).Fields() {
				text.WriteString(fmt.Sprint(f.Interface()) + ":")
			}
			return text.String()
		}
	}},
	{Fault{"PointerKeyByContents", "hit/keys", "Pointers compared by what they point to: two that are different but alike are one.", PointerKeys}, func(c *cache) {
		c.id = func(key any) any {
			if v := reflect.ValueOf(key); !v.IsNil() {
				return fmt.Sprint(v.Elem().Interface())
			}
			return key
		}
	}},
	{Fault{"NilKeyRefused", "hit/keys", "sync.Map-like tables with a nil sentinel: a nil pointer or interface is no key.", PointerKeys}, func(c *cache) {
		check := c.check
		c.check = func(key any) error {
			if key == c.zero {
				return backend.ErrKey
			}
			return check(key)
		}
	}},
}

var seed = maphash.MakeSeed()

// byText makes a fault that tells string keys apart by f of them.
func byText(name, doc string, f func(s string) any) mutation {
	return mutation{Fault{name, "hit/keys", doc, StringKeys}, func(c *cache) {
		c.id = func(key any) any { return f(key.(string)) }
	}}
}
