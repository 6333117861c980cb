package faulty

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"hash/crc32"
	"reflect"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// valueFaults break hit/values: what comes back is not what was put.
var valueFaults = []mutation{
	inText("ValueMadeUTF8", "A value sent as JSON text: bytes that are not UTF-8 become U+FFFD.", func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }),
	inText("ValueEndsAtNUL", "A C string: a value ends at its first NUL.", func(s string) string {
		before, _, _ := strings.Cut(s, "\x00")
		return before
	}),
	inText("ValueTrimmed", "A text protocol that trims blanks and line ends.", func(s string) string { return strings.TrimRight(s, " \r\n") }),
	inText("ValueLineEnds", "A file opened in text mode: \\r\\n becomes \\n.", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }),
	inText("ValueCut65535", "A length field of 16 bits: a value is cut at 65535 bytes.", func(s string) string { return s[:min(len(s), 65535)] }),
	inText("ValueCut1MiB", "memcached's item of 1 MiB: a larger value loses its end.", func(s string) string { return s[:min(len(s), 1<<20)] }),
	inText("ValueNullWord", "A store that writes nil as the word null, and reads the word as nil.", func(s string) string {
		if s == "null" {
			return ""
		}
		return s
	}),
	inText("ValueBOMStripped", "A reader that drops the byte order mark.", func(s string) string { return strings.TrimPrefix(s, "\uFEFF") }),
	{Fault{"EmptyIsAbsent", "hit/values", "if v != \"\" as the test for presence: a stored zero value is a miss.", Anything}, func(c *cache) {
		c.live = func(e *entry) bool { return before(e) && e.value != nil && !reflect.ValueOf(e.value).IsZero() }
	}},
	{Fault{"LargeDropped", "hit/values", "memcached: a value above 1 MiB is dropped without an error.", StringValues}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if length(value) > 1<<20 {
				ttl = new(time.Duration)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"DedupedByChecksum", "hit/values", "Deduplication by CRC-32: of two values with one checksum, the first is returned for both.", StringValues}, func(c *cache) {
		seen := map[uint32]any{}
		c.in = func(v any) any {
			sum := crc32.ChecksumIEEE([]byte(v.(string))) & 0xffff
			if _, ok := seen[sum]; !ok {
				seen[sum] = v
			}
			return seen[sum]
		}
	}},
	{Fault{"NilBecomesEmpty", "hit/values", "A store of bytes: nil comes back as an empty slice.", BytesValues}, func(c *cache) {
		c.in = func(v any) any { return any(append([]byte{}, v.([]byte)...)) }
	}},
	{Fault{"EmptyBecomesNil", "hit/values", "freecache: an empty value comes back as nil.", BytesValues}, func(c *cache) {
		c.in = func(v any) any { return any(append([]byte(nil), v.([]byte)...)) }
	}},
	{Fault{"KeepsCallersSlice", "hit/values", "Put stores the slice it is given, and the caller fills it again for the next entry.", BytesValues}, func(c *cache) {
		c.in = func(v any) any { return v }
	}},
	{Fault{"HandsOutItsSlice", "hit/values", "Get returns the cache's own slice, and the caller appends or decrypts in place.", BytesValues}, func(c *cache) {
		c.out = func(v any) any { return v }
	}},
	{Fault{"ReusesReadBuffer", "hit/values", "A pooled read buffer: what Get returned changes with the next Get.", BytesValues}, func(c *cache) {
		buf := make([]byte, 0, 4096)
		c.out = func(v any) any {
			if b := v.([]byte); len(b) > 0 && len(b) <= cap(buf) {
				return any(append(buf[:0], b...))
			}
			return c.own(v)
		}
	}},
	{Fault{"ReusesWriteBuffer", "hit/values", "An update written into the old value's memory: what an earlier Get returned changes.", BytesValues}, func(c *cache) {
		c.out = func(v any) any { return v }
		c.replace = func(old *entry, value any) bool {
			if old != nil {
				if o, n := old.value.([]byte), value.([]byte); len(o) == len(n) {
					copy(o, n)
				}
			}
			return true
		}
	}},
	{Fault{"PutAppends", "hit/values", "append(value, sum...) to what the caller gave: where its array goes on, the checksum overwrites what comes next.", BytesValues}, func(c *cache) {
		c.in = func(v any) any {
			b := v.([]byte)
			if framed := append(b, 0xC5); len(b) > 0 { // copied with its checksum, which Get cuts off
				return any(bytes.Clone(framed)[:len(b):len(b)])
			}
			return c.own(v)
		}
	}},
	{Fault{"ReadsShareASlab", "hit/values", "An allocator that cuts values from one slab and leaves them its capacity: who appends to one value overwrites the next.", BytesValues}, func(c *cache) {
		var slab []byte
		c.out = func(v any) any {
			b := v.([]byte)
			if len(b) == 0 {
				return c.own(v)
			}
			if cap(slab)-len(slab) < len(b) {
				slab = make([]byte, 0, len(b)+1<<16)
			}
			slab = append(slab, b...)
			return any(slab[len(slab)-len(b):])
		}
	}},
	{Fault{"IntThroughFloat", "hit/values", "encoding/json into any: whole numbers above 2^53 are rounded.", IntValues}, func(c *cache) {
		c.in = func(v any) any { return any(int64(float64(v.(int64)))) }
	}},
	{Fault{"IntCut32", "hit/values", "A protocol with 32-bit integers.", IntValues}, func(c *cache) {
		c.in = func(v any) any { return any(int64(int32(v.(int64)))) }
	}},
	{Fault{"FloatCut32", "hit/values", "A protocol with 32-bit floats: 0.1 comes back a little different.", FloatValues}, func(c *cache) {
		c.in = func(v any) any { return any(float64(float32(v.(float64)))) }
	}},
	{Fault{"FloatLosesSign", "hit/values", "v + 0, or a codec for whole numbers: minus zero loses its sign.", FloatValues}, func(c *cache) {
		c.in = func(v any) any {
			if v.(float64) == 0 {
				return 0.0
			}
			return v
		}
	}},
	{Fault{"NaNIsAbsent", "hit/values", "A hit is recognized by v == v: a stored NaN is a miss.", FloatValues}, func(c *cache) {
		c.live = func(e *entry) bool { return before(e) && e.value == e.value } //nolint:gocritic // the fault
	}},
	{Fault{"AnyThroughJSON", "hit/values", "gokv and gocache with a JSON codec: every number in an any becomes a float64, and []byte a string.", AnyValues}, throughCodec(func(in, out any) error {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		return json.Unmarshal(data, out)
	})},
	{Fault{"TypedNilIsNil", "hit/values", "A codec that writes any nil as nil: a nil *T in an interface loses its type.", AnyValues}, func(c *cache) {
		c.in = func(v any) any {
			switch x := reflect.ValueOf(v); x.Kind() {
			case reflect.Pointer, reflect.Map, reflect.Slice:
				if x.IsNil() {
					return nil
				}
			}
			return v
		}
	}},
	{Fault{"StoredNilIsAbsent", "hit/values", "PSR-16 wrappers, sync.Map users: a stored nil is taken for a miss.", AnyValues}, func(c *cache) {
		c.live = func(e *entry) bool { return before(e) && e.value != nil }
	}},
	{Fault{"StructThroughJSON", "hit/values", "encoding/json: a field that is not exported, or tagged, is lost.", StructValues}, throughCodec(func(in, out any) error {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		return json.Unmarshal(data, out)
	})},
	{Fault{"StructThroughGob", "hit/values", "encoding/gob: an empty slice in a struct comes back nil, and unexported fields are lost.", StructValues}, throughCodec(func(in, out any) error {
		var data bytes.Buffer
		if err := gob.NewEncoder(&data).Encode(in); err != nil {
			return err
		}
		return gob.NewDecoder(&data).Decode(out)
	})},
	{Fault{"PointerCopied", "hit/values", "A backend that declares ByReference, but copies what the pointer points to.", PointerValues}, func(c *cache) {
		c.in = func(v any) any {
			x := reflect.ValueOf(v)
			if x.IsNil() {
				return v
			}
			fresh := reflect.New(x.Type().Elem())
			fresh.Elem().Set(x.Elem())
			return fresh.Interface()
		}
	}},
	{Fault{"PointerShared", "hit/values", "A backend that declares ByValue, but copies the pointer only.", PointerValues}, func(c *cache) {
		c.traits.Values = backend.ByValue
	}},
	{Fault{"NilPointerIsAbsent", "hit/values", "if p := get(k); p != nil: a stored nil pointer is a miss.", PointerValues}, func(c *cache) {
		c.live = func(e *entry) bool { return before(e) && !reflect.ValueOf(e.value).IsNil() }
	}},
}

// inText makes a fault that stores f of a string.
func inText(name, doc string, f func(s string) string) mutation {
	return mutation{Fault{name, "hit/values", doc, StringValues}, func(c *cache) {
		c.in = func(v any) any { return any(f(v.(string))) }
	}}
}

// throughCodec stores values after a round trip through a codec, and what the
// codec cannot take as it is.
func throughCodec(trip func(in, out any) error) func(c *cache) {
	return func(c *cache) {
		c.traits.Values = backend.ByValue
		c.in = func(v any) any {
			in, back := reflect.New(c.values), reflect.New(c.values)
			if v != nil {
				in.Elem().Set(reflect.ValueOf(v))
			}
			if err := trip(in.Interface(), back.Interface()); err != nil {
				return v
			}
			return back.Elem().Interface()
		}
		c.out = c.in
	}
}
