package persist_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
)

// together runs f n times at once and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// Many make their own versions of one value at once, in every way: each sees what it alone has made, and the value stays.
// With -race this is the test that values are never written.
func TestVersionsOfOneValue(t *testing.T) {
	for _, size := range []int{0, 1, 17, 32, 95, 1100} {
		var s persist.Seq[int]
		var tr persist.Trie[int, int]
		for i := range size {
			s, tr = s.Append(i), tr.Set(i, i)
		}
		for range long.N(20, 2000) {
			together(4, func(g int) {
				mine, edit := s, s.Edit()
				theirs, batch := tr, tr.Edit()
				for i := range 50 {
					mine = mine.Append(g*1000 + i)
					edit.Append(-g*1000 - i)
					theirs = theirs.Set(g*1000+i, i)
					batch.Set(-g*1000-i, i)
				}
				for i := range 50 {
					v, _ := mine.Get(uint64(size + i))
					w, _ := edit.Get(uint64(size + i))
					if v != g*1000+i || w != -v {
						t.Errorf("another's value: %d, %d", v, w)
					}
				}
				edit.Delete(0)
				mine = mine.Drop(uint64(size / 2)).Cut(uint64(size + 3)).Append(1)
				for _, err := range []error{mine.Check(), edit.Seq().Check(), theirs.Check(), batch.Trie().Check()} {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		require.NoError(t, s.Check())
		require.Equal(t, size, s.Len())
		require.Equal(t, size, tr.Len())
		for n, v := range s.All() {
			require.Equal(t, int(n), v)
		}
	}
}

// Transactions that append to one Seq in a Var, of which some fail: nothing is lost, doubled or out of its writer's order,
// although runs that were undone have taken slots.
func TestAppendInTransactions(t *testing.T) {
	ctx := context.Background()
	var v stm.Var[persist.Seq[[2]int]]
	failed := errors.New("failed")
	const writers = 4
	each := long.N(2000, 200_000)
	together(writers, func(g int) {
		for i := range each {
			err := stm.Do(ctx, func(tx *stm.Tx) error {
				s := v.Get(tx)
				if i%5 == 0 {
					v.Set(tx, s.Append([2]int{g, -1}))
					return failed
				}
				v.Set(tx, s.Append([2]int{g, i}))
				return nil
			})
			if err != nil && !errors.Is(err, failed) {
				t.Error(err)
			}
		}
	})
	s := v.Load(ctx)
	require.NoError(t, s.Check())
	var next [writers]int
	for _, x := range s.All() {
		for next[x[0]]%5 == 0 {
			next[x[0]]++
		}
		require.Equal(t, next[x[0]], x[1], fmt.Sprint("writer ", x[0]))
		next[x[0]]++
	}
	require.Equal(t, writers*(each-(each+4)/5), s.Len())
}
