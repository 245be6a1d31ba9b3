package stm

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// versionsKept counts the values that v keeps for pinned runs.
func versionsKept[T any](v *Var[T]) (n int) {
	if x := v.c.extra.Load(); x != nil {
		for k := x.kept.Load(); k != nil; k = k.older.Load() {
			n++
		}
	}
	return n
}

// onItsOwn runs f on another goroutine and waits for it: inside a body that is a transaction of somebody else.
func onItsOwn(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

// A long transaction that only reads needs a stated number of runs, however often others get in first: the last one is
// pinned, sees one moment, and holds up nobody.
func TestAuditNeitherStarvesNorBlocks(t *testing.T) {
	vs := make([]*Var[int], 100)
	for i := range vs {
		vs[i] = NewVar(1)
	}
	move := func(i, j int) func() {
		return func() {
			_ = Do(bg, func(tx *Tx) error { _ = add(vs[i], -1)(tx); return add(vs[j], 1)(tx) })
		}
	}
	runs, kept := 0, 0
	sum, err := Query(bg, func(tx *Tx) int {
		runs++
		sum := 0
		for i, v := range vs {
			sum += v.Get(tx)
			if i < len(vs)-1 {
				for range 3 { // what was read changes, and what will be read
					onItsOwn(move(i, len(vs)-1))
				}
			}
		}
		kept = versionsKept(vs[0])
		return sum
	})
	require.NoError(t, err)
	require.Equal(t, len(vs), sum)
	require.Equal(t, 2, runs)
	require.Equal(t, 1, kept, "no more is kept than the one pinned run can want")
	requireQuiet(t, vs...)
}

// The same with writers that run freely: nobody waits for anybody, and nothing is kept in the end.
func TestAuditsAmongWriters(t *testing.T) {
	vs := make([]*Var[int], long.N(100, 1_000))
	for i := range vs {
		vs[i] = NewVar(1)
	}
	var wg, writers sync.WaitGroup
	var stop atomic.Bool
	for g := range 2 {
		writers.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(g), 3)); !stop.Load(); {
				i, j := r.IntN(len(vs)), r.IntN(len(vs))
				_ = Do(bg, func(tx *Tx) error { _ = add(vs[i], -1)(tx); return add(vs[j], 1)(tx) })
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for range long.N(100, 2_000) {
				runs := 0
				sum, err := Query(bg, func(tx *Tx) int {
					sum := 0
					runs++
					for i, v := range vs {
						if sum += v.Get(tx); i%16 == 0 {
							runtime.Gosched()
						}
					}
					return sum
				})
				if err != nil || sum != len(vs) || runs > pinAfter+1 {
					t.Error(sum, runs, err)
				}
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	writers.Wait()
	requireQuiet(t, vs...)
}

// A pinned run that wants to write after all, or to wait, becomes an ordinary one.
func TestPinnedRunThatDoesMore(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	modes := []mode{}
	lose := func(tx *Tx) {
		modes = append(modes, tx.mode)
		b.Get(tx)
		onItsOwn(func() {
			_ = Do(bg, func(tx *Tx) error { _ = add(a, 1)(tx); return add(b, 1)(tx) })
		})
		a.Get(tx)
	}
	require.NoError(t, Do(bg, func(tx *Tx) error {
		if len(modes) <= pinAfter {
			lose(tx)
		}
		return add(b, 100)(tx)
	}))
	require.Equal(t, []mode{running, running, running, running, pinned}, modes)
	require.Equal(t, []int{5, 105}, []int{a.Load(bg), b.Load(bg)})
	requireQuiet(t, a, b)

	modes = nil
	require.NoError(t, Do(bg, func(tx *Tx) error {
		if len(modes) <= pinAfter {
			lose(tx)
			tx.Retry()
		}
		require.Equal(t, running, tx.mode, "what the pinned run has read has changed since: no wait, and a new beginning")
		return nil
	}))
	requireQuiet(t, a, b)
}

// A pinned run takes reservations as they are, as every reader does.
func TestPinnedReadsReserved(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	require.NoError(t, inSerial(t, a, func(tx *Tx) error {
		b.Set(tx, b.Get(tx)+1)
		a.Set(tx, 0)
		onItsOwn(func() {
			runs, c := 0, NewVar(0)
			n, err := Query(bg, func(tx *Tx) int {
				n := c.Get(tx)
				if runs++; runs <= pinAfter {
					provoke(t, c)
					tx.doom(aborted)
				}
				return n + b.Get(tx)
			})
			require.NoError(t, err)
			require.Equal(t, pinAfter, n)
		})
		return nil
	}))
	requireQuiet(t, a, b)
}

// Nothing of the user's stays in a Tx at rest.
func TestNothingIsRetained(t *testing.T) {
	type big struct{ bytes [1 << 16]byte }
	var gone []weak.Pointer[big]
	use := func(body func(tx *Tx, v *Var[*big]) error) {
		x := new(big)
		gone = append(gone, weak.Make(x))
		v := NewVar(x)
		_ = Do(bg, func(tx *Tx) error { return body(tx, v) })
	}
	bodies := []func(tx *Tx, v *Var[*big]) error{
		func(tx *Tx, v *Var[*big]) error { v.Get(tx); return nil },
		func(tx *Tx, v *Var[*big]) error {
			x := v.Get(tx)
			for range 40 {
				NewVar(x).Get(tx)
			}
			return nil
		},
		func(tx *Tx, v *Var[*big]) error { v.Set(tx, v.Get(tx)); return nil },
		func(tx *Tx, v *Var[*big]) error { v.Set(tx, v.Get(tx)); return errBoom },
		func(tx *Tx, v *Var[*big]) error {
			x := v.Get(tx)
			v.Set(tx, nil)
			_ = Try(tx, func(tx *Tx) error { v.Set(tx, x); return nil })
			return Try(tx, func(tx *Tx) error { v.Set(tx, x); NewVar(x).Set(tx, x); return errBoom })
		},
		func(tx *Tx, v *Var[*big]) error {
			x := v.Get(tx)
			tx.OnCommit(func() { _ = x })
			for range 40 {
				NewVar(x).Set(tx, x)
			}
			return nil
		},
	}
	for _, body := range bodies {
		use(body)
	}
	use(func(tx *Tx, v *Var[*big]) error { // a plain transaction, and the next one reads less
		NewVar(1).Get(tx)
		v.Set(tx, v.Get(tx))
		return nil
	})
	n, err := Query(bg, func(tx *Tx) int { return NewVar(1).Get(tx) })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	runtime.GC()
	runtime.GC()
	for i, w := range gone {
		require.True(t, w.Value() == nil, "body %d", i)
	}
}

// pinnedRun makes f part of a run that is pinned.
func pinnedRun(t *testing.T, f func(tx *Tx)) {
	t.Helper()
	runs := 0
	require.NoError(t, Do(bg, func(tx *Tx) error {
		if runs++; runs <= pinAfter {
			tx.doom(aborted)
		}
		require.Equal(t, pinned, tx.mode)
		f(tx)
		return nil
	}))
}

// What the oldest pinned run cannot want any more goes with the next commit.
func TestKeptIsTrimmed(t *testing.T) {
	v := NewVar(0)
	commit := func() { onItsOwn(func() { _ = Do(bg, add(v, 1)) }) }
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		pinnedRun(t, func(tx *Tx) { // the oldest: it leaves first
			close(held)
			<-hold
			require.Equal(t, 0, v.Get(tx))
		})
	})
	<-held
	commit()
	commit()
	require.Equal(t, 1, versionsKept(v))
	pinnedRun(t, func(tx *Tx) {
		commit()
		require.Equal(t, 2, versionsKept(v))
		require.Equal(t, 2, v.Get(tx))
		close(hold)
		wg.Wait()
		require.Equal(t, 2, versionsKept(v), "nobody has come by")
		pinnedRun(t, func(tx *Tx) {
			commit()
			require.Equal(t, 3, v.Get(tx))
		})
		require.Equal(t, 2, v.Get(tx))
		require.Equal(t, 2, versionsKept(v), "the first run's is gone, two may be wanted")
	})
	requireQuiet(t, v)
}

// A pinned run sees what was committed before it, also what was never in a snapshot.
func TestPinnedAfterCommits(t *testing.T) {
	v := NewVar(0)
	for i := range 100 {
		require.NoError(t, Do(bg, add(v, 1)))
		pinnedRun(t, func(tx *Tx) { require.Equal(t, i+1, v.Get(tx)) })
	}
	requireQuiet(t, v)
}

// A commit that finds at its end that nobody is pinned any more takes back what it has kept.
func TestLateKeeper(t *testing.T) {
	v := NewVar(0)
	clock.pins.add(&v.c, new(kept))
	require.Equal(t, 1, versionsKept(v))
	new(Tx).keepReplaced()
	requireQuiet(t, v)
}

// Pinned runs that overlap for ever leave no more than some of them can want: neither of a Var that is written all the
// time, nor Vars that were written once.
func TestKeptIsPruned(t *testing.T) {
	v := NewVar(0)
	commit := func() { onItsOwn(func() { _ = Do(bg, add(v, 1)) }) }
	listed := func() (n int) {
		for k := clock.pins.keep.Load(); k != nil; k = k.next {
			n++
		}
		return n
	}
	for _, long := range []bool{true, false} { // one stays, or each stays until the next is there
		first := newTx()
		first.pin()
		want := v.Load(bg)
		for i := range 4 * pruneAfter {
			once := NewVar(0)
			next := newTx()
			next.pin()
			if !long { // the one that stays might want its old value: nobody knows that it is younger
				onItsOwn(func() { set(t, once, i) })
			}
			commit()
			if long {
				next.unpin()
			} else {
				first.unpin()
				first, want = next, v.Load(bg)-1
			}
			require.LessOrEqual(t, versionsKept(v), pruneAfter+3)
			require.LessOrEqual(t, listed(), pruneAfter+3)
			first.begin()
			first.mode, first.fast, first.snap = pinned, 0, 0
			require.Equal(t, want, v.Get(first))
		}
		first.unpin()
		requireQuiet(t, v)
		require.Zero(t, listed())
	}
}

// Pruning at every moment takes nothing from a pinned run: sums over all Vars are right, whatever is moved meanwhile.
func TestPruneAmongWriters(t *testing.T) {
	vs := make([]*Var[int], 40)
	for i := range vs {
		vs[i] = NewVar(1)
	}
	var readers, others sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		readers.Go(func() {
			for range long.N(1_000, 50_000) {
				runs, sum := 0, 0
				_, _ = Query(bg, func(tx *Tx) int {
					if runs++; runs <= pinAfter {
						tx.doom(aborted)
					}
					sum = 0
					for _, i := range rand.Perm(len(vs)) {
						sum += vs[i].Get(tx)
					}
					return sum
				})
				if sum != len(vs) {
					t.Errorf("a sum of %d", sum)
					return
				}
			}
		})
	}
	for range 2 {
		others.Go(func() {
			for !over.Load() {
				i, j := rand.IntN(len(vs)), rand.IntN(len(vs))
				_ = Do(bg, func(tx *Tx) error { _ = add(vs[i], -1)(tx); return add(vs[j], 1)(tx) })
			}
		})
	}
	others.Go(func() {
		for p := &clock.pins; !over.Load(); runtime.Gosched() {
			p.mu.Lock()
			p.prune()
			p.mu.Unlock()
		}
	})
	readers.Wait()
	over.Store(true)
	others.Wait()
	requireQuiet(t, vs...)
}

// What a commit has kept is wanted although the Var still has that version: the commit is about to replace it.
func TestPruneDuringACommit(t *testing.T) {
	v, first, p := NewVar(0), newTx(), &clock.pins
	first.pin()
	l := v.c.lock.Load()
	v.c.lock.Store(l | lockBit)
	p.add(&v.c, &kept{version: l &^ waitBit})
	p.mu.Lock()
	p.prune()
	p.mu.Unlock()
	require.Equal(t, 1, versionsKept(v))
	v.c.lock.Store(l)
	p.mu.Lock()
	p.prune()
	p.mu.Unlock()
	require.Zero(t, versionsKept(v), "it has not been replaced")
	first.unpin()
	requireQuiet(t, v)
}
