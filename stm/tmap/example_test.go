package tmap_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tmap"
)

// Two maps that always agree: names can be taken at once by many, and each by one alone.
func ExampleMap() {
	ctx := context.Background()
	names := tmap.New[string, int]()
	owners := tmap.New[int, string]()
	errTaken := errors.New("taken")
	claim := func(owner int, name string) error {
		return stm.Do(ctx, func(tx *stm.Tx) error {
			if _, ok := names.Get(tx, name); ok {
				return errTaken
			}
			if old, ok := owners.Get(tx, owner); ok {
				names.Delete(tx, old)
			}
			names.Set(tx, name, owner)
			owners.Set(tx, owner, name)
			return nil
		})
	}
	fmt.Println(claim(1, "ada"), claim(2, "ada"), claim(1, "eve"), claim(2, "ada"))
	n, _ := stm.Query(ctx, names.Len)
	fmt.Println(n)
	// Output:
	// <nil> taken <nil> <nil>
	// 2
}

// A snapshot is one moment of the map, and stays.
func ExampleMap_All() {
	ctx := context.Background()
	stock := tmap.New[string, int]()
	set := func(name string, n int) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			stock.Set(tx, name, n)
			return nil
		})
	}
	set("nut", 3)
	set("bolt", 4)
	before, _ := stm.Query(ctx, stock.All)
	set("bolt", 0)
	set("gear", 9)
	sum := 0
	for _, n := range before {
		sum += n
	}
	fmt.Println(sum)
	// Output: 7
}

// Waiting for a key is waiting for a condition like any other.
func ExampleMap_Get() {
	ctx := context.Background()
	results := tmap.New[int, string]()
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		results.Set(tx, 7, "done")
		return nil
	})
	r, _ := stm.Query(ctx, func(tx *stm.Tx) string {
		r, ok := results.Get(tx, 7)
		tx.Check(ok)
		return r
	})
	fmt.Println(r)
	// Output: done
}
