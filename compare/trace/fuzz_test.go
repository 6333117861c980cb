package trace

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzRead reads anything as any format. A reader may refuse, but it must end,
// and it must not fill more than it says.
func FuzzRead(f *testing.F) {
	for _, content := range []string{
		"1 1 0 0\n2 3 0 1\n", "1\n*\n\n2\r\n", "a\nb\n", "", "BZh91AY&SY",
		"7,a:b,3,50,1,get,0\n8,a:b,3,60,1,set,600\n",
		"op_time,key,key_size,op,op_count,size,ttl\n1,k,1,GET,3,5,0\n",
		"time,key,op,size,ttl\n1.5,\"a,\"\"b\",get,,\n",
		"version,time,op,size,lbn\n1,5,28,1024,7\n",
		"OK\n1.5 [0 1:1] \"set\" \"a\\x01\" \"b\" \"EX\" \"5\"\n1.6 [1 1:1] \"mget\" \"a\" \"b\"\n",
		oracleRecord(1, 2, 3, 2) + oracleRecord(1, 2, 3, -1), be32(0, 1, 2), be64(big, 1, big),
	} {
		for i := range len(formats) + 1 {
			f.Add([]byte(content), uint8(i))
		}
		for _, packed := range pack(f, content) {
			f.Add([]byte(packed), uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, format uint8) {
		var o Options
		if i := int(format) % (len(formats) + 1); i > 0 {
			o.Format = formats[i-1].name
		}
		r, err := NewReader("fuzz", bytes.NewReader(content), o)
		if err != nil {
			return
		}
		defer r.Close()
		total := 0
		batch := make([]Request, 7)
		for err == nil && total < 1<<16 {
			var n int
			n, err = r.Read(batch)
			if n < 0 || n > len(batch) || (n == 0 && err == nil) {
				t.Fatalf("Read = %d, %v", n, err)
			}
			total += n
		}
		if errors.Is(err, io.EOF) && total == 0 {
			t.Fatal("a trace without requests is no error")
		}
	})
}
