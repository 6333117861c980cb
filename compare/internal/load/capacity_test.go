package load

import "testing"

func TestCapacities(t *testing.T) {
	got, err := ParseCapacities("10%, 5,0.1%,10,100%,5")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Resolve(got, &Load{profile: profile{Distinct: 50}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 5, 10, 50} {
		if len(entries) != 4 || entries[i].Entries != want {
			t.Fatalf("entries of 50 keys = %v; want 1, 5, 10, 50", entries)
		}
	}
	for _, list := range []string{"", "0", "-1", "0%", "-1%", "101%", "NaN%", "x", "1,,2", "5%%", "1e3", "99999999999", "64MiBs", "0MiB", "-1kB", "MiB", "1e9TB"} {
		if c, err := ParseCapacities(list); err == nil {
			t.Errorf("ParseCapacities(%q) = %v; want an error", list, c)
		}
	}
}
