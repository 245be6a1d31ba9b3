package stm_test

import (
	"fmt"
	"runtime"
	"testing"

	anacrolix "github.com/anacrolix/stm"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/stm"
)

// memory is what the heap and the stacks hold of n things.
func memory(n int, open func(i int), done func()) (heap, stacks float64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		open(i)
	}
	done()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / float64(n),
		float64(int64(after.StackInuse)-int64(before.StackInuse)) / float64(n)
}

// A Var is small whatever it holds. theirs is for the table in the documents.
func TestSizeOfVar(t *testing.T) {
	if racing {
		t.Skip("sizes are those of the race detector")
	}
	const n = 20_000
	words, pointers, theirs := make([]*stm.Var[int], n), make([]*stm.Var[*int], n), make([]*anacrolix.Var[int], n)
	word, _ := memory(n, func(i int) { words[i] = stm.NewVar(i) }, func() {})
	pointer, _ := memory(n, func(i int) { pointers[i] = stm.NewVar[*int](nil) }, func() {})
	other, _ := memory(n, func(i int) { theirs[i] = anacrolix.NewVar(i) }, func() {})
	t.Logf("bytes a Var: of a word %.0f, of a pointer %.0f; anacrolix/stm %.0f", word, pointer, other)
	require.Positive(t, word)
	require.LessOrEqual(t, word, 56.0)
	require.LessOrEqual(t, pointer, 56.0)
	runtime.KeepAlive(words)
	runtime.KeepAlive(pointers)
	runtime.KeepAlive(theirs)
}

// What one more goroutine that waits in a transaction holds, beside one that waits for a channel.
func TestSizeOfParked(t *testing.T) {
	if racing {
		t.Skip("sizes are those of the race detector")
	}
	const n = 5000
	measured := func(start func(n int) (stop func()), most float64) string {
		var stop func()
		heap, stacks := memory(n, func(int) {}, func() { stop = start(n) })
		stop()
		if heap > most {
			t.Errorf("%.0f bytes beside the stack, at most %.0f", heap, most)
		}
		return fmt.Sprintf("%.0f + %.0f of stack", heap, stacks)
	}
	parkOnChannel(n)() // the runtime keeps what it needs for n goroutines
	t.Logf("bytes a parked transaction: %s", measured(park, 1024))
	t.Logf("bytes a goroutine that waits for a channel: %s", measured(parkOnChannel, 512))
	t.Logf("bytes a parked transaction of anacrolix/stm: %s", measured(parkTheirs, 4096))
}
