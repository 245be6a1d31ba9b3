package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/store"
)

// An image stays what it was, whatever is made from it.
func ExampleImage() {
	b := new(store.Batch)
	b.Put([]byte("b"), []byte("2"))
	b.Put([]byte("a"), []byte("1"))
	before := store.Image{}.With(b.Ops())
	b = new(store.Batch)
	b.Delete([]byte("a"))
	after := before.With(b.Ops())
	for _, i := range []store.Image{before, after} {
		for e := range i.Scan(nil, nil) {
			fmt.Printf("%s=%s ", e.Key, e.Value)
		}
		_, ok := i.Get([]byte("a"))
		fmt.Println(ok)
	}
	// Output:
	// a=1 b=2 true
	// b=2 false
}

func TestImageScanStops(t *testing.T) {
	b := new(store.Batch)
	for i := range 100 {
		b.Put(fmt.Appendf(nil, "%02d", i), nil)
	}
	var got []string
	for e := range (store.Image{}).With(b.Ops()).Scan([]byte("40"), []byte("60")) {
		if got = append(got, string(e.Key)); len(got) == 3 {
			break
		}
	}
	require.True(t, slices.Equal([]string{"40", "41", "42"}, got), "%v", got)
}
