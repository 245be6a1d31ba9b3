package persist_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
)

// A Trie in a Var: a reader keeps the version it has seen, whatever writers do.
func ExampleTrie() {
	ctx := context.Background()
	ports := stm.NewVar(persist.Trie[string, int]{}.Set("http", 80).Set("ssh", 22))

	seen, _ := stm.Query(ctx, ports.Get)
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		ports.Update(tx, func(p persist.Trie[string, int]) persist.Trie[string, int] { return p.Set("http", 8080).Delete("ssh") })
		return nil
	})
	now, _ := stm.Query(ctx, ports.Get)

	before, _ := seen.Get("http")
	after, _ := now.Get("http")
	fmt.Println(before, seen.Len(), after, now.Len())
	// Output: 80 2 8080 1
}

// A key that is a struct needs a hash of its own.
func ExampleNewTrie() {
	type place struct {
		file string
		line uint64
	}
	notes := persist.NewTrie[place, string](func(p place) uint64 { return persist.Combine(persist.HashString(p.file), p.line) })
	notes = notes.Set(place{"seq.go", 7}, "why 32?")
	note, ok := notes.Get(place{"seq.go", 7})
	fmt.Println(note, ok)
	// Output: why 32? true
}

// Many changes at once: what the edit has made is changed in place.
func ExampleTrieEdit() {
	var squares persist.Trie[int, int]
	edit := squares.Edit()
	for i := range 1000 {
		edit.Set(i, i*i)
	}
	squares = edit.Trie()
	v, _ := squares.Get(31)
	fmt.Println(squares.Len(), v)
	// Output: 1000 961
}

// A window over a growing log, in which one entry is taken out.
func ExampleSeq() {
	log := persist.NewSeq[string](100)
	for _, entry := range []string{"a", "b", "c", "d"} {
		log = log.Append(entry)
	}
	fork := log.Cut(102).Append("x")
	log = log.Drop(101).Delete(102)
	for n, entry := range log.All() {
		fmt.Print(n, entry, " ")
	}
	fmt.Println(log.Lo(), log.Hi(), log.Len())
	for n, entry := range fork.Backward() {
		fmt.Print(n, entry, " ")
	}
	// Output:
	// 101b 103d 101 104 2
	// 102x 101b 100a
}

// What a block removes from a pool, in one batch.
func ExampleSeqEdit() {
	var pool persist.Seq[string]
	for i := range 100 {
		pool = pool.Append(fmt.Sprint("tx", i))
	}
	edit := pool.Edit()
	for n := range uint64(98) {
		edit.Delete(n)
	}
	edit.Append("late")
	for n, tx := range edit.Seq().All() {
		fmt.Print(n, tx, " ")
	}
	fmt.Println(pool.Len())
	// Output: 98tx98 99tx99 100late 100
}
