package main

import (
	"context"
	"encoding/binary"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/allegro/bigcache/v3"
	"github.com/coocood/freecache"

	adapter "github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
)

// keyBytes returns the bytes of key, which the caller must not change: the eight bytes of a number.
func keyBytes[K keyType](buf *[8]byte, key K) []byte {
	switch key := any(key).(type) {
	case string:
		return unsafe.Slice(unsafe.StringData(key), len(key))
	case uint64:
		binary.LittleEndian.PutUint64(buf[:], key)
	}
	return buf[:]
}

// values encodes values as a program would that knows their type: a slice as its bytes and an int as eight bytes. A
// struct goes through the codec of the adapters, because the codec is not measured.
type values[V any] struct{ codec codec.Codec[V] }

func newValues[V any]() (values[V], error) {
	c, err := codec.Default[V]()
	return values[V]{c}, err
}

func (v values[V]) encode(buf *[8]byte, value V) []byte {
	switch value := any(value).(type) {
	case []byte:
		return value
	case int:
		binary.LittleEndian.PutUint64(buf[:], uint64(value))
		return buf[:]
	}
	data, err := v.codec.Append(nil, value)
	if err != nil {
		panic(err) // unreachable: newValues has checked the type
	}
	return data
}

// decode returns the value of data, and may keep data.
func (v values[V]) decode(data []byte) (value V, ok bool) {
	switch p := any(&value).(type) {
	case *[]byte:
		*p = data
		return value, true
	case *int:
		*p = int(binary.LittleEndian.Uint64(data))
		return value, true
	}
	value, err := v.codec.Decode(data)
	return value, err == nil
}

type rawBigCache[K keyType, V any] struct {
	c      *bigcache.BigCache
	values values[V]
}

// openBigCache uses the adapter's configuration, with a lifetime so long that no entry expires.
func openBigCache[K keyType, V any](o capacities) (raw[K, V], error) {
	v, err := newValues[V]()
	if err != nil {
		return nil, err
	}
	config := adapter.NewConfig(o.megabytes())
	config.LifeWindow = 100 * 365 * 24 * time.Hour
	c, err := bigcache.New(context.Background(), config)
	return rawBigCache[K, V]{c, v}, err
}

func (r rawBigCache[K, V]) Get(key K) (value V, ok bool) {
	data, err := r.c.Get(text(new([8]byte), key))
	if err != nil {
		return value, false
	}
	return r.values.decode(data)
}

func (r rawBigCache[K, V]) Put(key K, value V) {
	_ = r.c.Set(text(new([8]byte), key), r.values.encode(new([8]byte), value))
}

func (r rawBigCache[K, V]) Remove(key K) { _ = r.c.Delete(text(new([8]byte), key)) }
func (r rawBigCache[K, V]) Close()       { _ = r.c.Close() }

type rawFreeCache[K keyType, V any] struct {
	c      *freecache.Cache
	values values[V]
}

func openFreeCache[K keyType, V any](o capacities) (raw[K, V], error) {
	v, err := newValues[V]()
	return rawFreeCache[K, V]{freecache.NewCache(o.bytes), v}, err
}

func (r rawFreeCache[K, V]) Get(key K) (value V, ok bool) {
	data, err := r.c.Get(keyBytes(new([8]byte), key))
	if err != nil {
		return value, false
	}
	return r.values.decode(data)
}

func (r rawFreeCache[K, V]) Put(key K, value V) { r.PutTTL(key, value, 0) }

func (r rawFreeCache[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	_ = r.c.Set(keyBytes(new([8]byte), key), r.values.encode(new([8]byte), value), int(ttl/time.Second))
}

func (r rawFreeCache[K, V]) Remove(key K) { r.c.Del(keyBytes(new([8]byte), key)) }

type rawFastCache[K keyType, V any] struct {
	c      *fastcache.Cache
	values values[V]
}

func openFastCache[K keyType, V any](o capacities) (raw[K, V], error) {
	v, err := newValues[V]()
	return rawFastCache[K, V]{fastcache.New(o.bytes), v}, err
}

func (r rawFastCache[K, V]) Get(key K) (value V, ok bool) {
	data, ok := r.c.HasGet(nil, keyBytes(new([8]byte), key))
	if !ok {
		return value, false
	}
	return r.values.decode(data)
}

func (r rawFastCache[K, V]) Put(key K, value V) {
	r.c.Set(keyBytes(new([8]byte), key), r.values.encode(new([8]byte), value))
}

func (r rawFastCache[K, V]) Remove(key K) { r.c.Del(keyBytes(new([8]byte), key)) }
func (r rawFastCache[K, V]) Close()       { r.c.Reset() }
