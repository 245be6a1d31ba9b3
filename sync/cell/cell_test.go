package cell_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
)

func inTx(t *testing.T, f func(tx *stm.Tx)) {
	t.Helper()
	require.NoError(t, stm.Do(context.Background(), func(tx *stm.Tx) error { f(tx); return nil }))
}

func TestMVarReadAndSwap(t *testing.T) {
	ctx := context.Background()
	m := cell.NewFullMVar(1)
	v, err := stm.Atomically(ctx, m.Read)
	require.NoError(t, err)
	require.Equal(t, 1, v)
	inTx(t, func(tx *stm.Tx) {
		old, err := m.Swap(tx, 2)
		require.NoError(t, err)
		require.Equal(t, 1, old)
		m.Close(tx)
	})
	v, err = prop.Recv(ctx, m)
	require.NoError(t, err)
	require.Equal(t, 2, v)
	for _, act := range []func(tx *stm.Tx) (int, error){m.Read, m.Take, func(tx *stm.Tx) (int, error) { return m.Swap(tx, 3) }} {
		_, err = stm.Atomically(ctx, act)
		require.ErrorIs(t, err, prop.ErrClosed)
	}
}

// TestPromiseNeverHangs ends the maker of a promise in every way that there is, before and after its ctx has ended. Those
// who wait get a value or an error.
func TestPromiseNeverHangs(t *testing.T) {
	boom := errors.New("boom")
	ways := map[string]struct {
		make func(ctx context.Context) (int, error)
		want error
	}{
		"value":   {func(context.Context) (int, error) { return 7, nil }, nil},
		"error":   {func(context.Context) (int, error) { return 0, boom }, boom},
		"panic":   {func(context.Context) (int, error) { panic(boom) }, cell.ErrAbandoned},
		"goexit":  {func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, cell.ErrAbandoned},
		"context": {func(ctx context.Context) (int, error) { return 0, env.Sleep(ctx, time.Hour) }, context.Canceled},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := cell.NewPromise[int]()
			ctx, cancel := env.WithCancel(context.Background())
			defer cancel()
			_ = registry.Run(context.Background(), func(_ context.Context, s *registry.Scope) error {
				s.Go("maker", func(context.Context) error { return p.Fulfil(ctx, way.make) })
				cancel()
				return nil
			})
			v, err := stm.Atomically(context.Background(), p.Await)
			if way.want == nil {
				require.NoError(t, err)
				require.Equal(t, 7, v)
				return
			}
			require.ErrorIs(t, err, way.want)
			if way.want == cell.ErrAbandoned {
				require.ErrorIs(t, err, prop.ErrClosed)
			}
			told := false
			for _, err := range prop.All(context.Background(), p.Reader()) {
				require.ErrorIs(t, err, way.want)
				told = true
			}
			require.True(t, told, "a loop does not end as if all were well")
			inTx(t, func(tx *stm.Tx) {
				_, err := p.Put(tx, 1)
				require.ErrorIs(t, err, prop.ErrClosed, "too late")
			})
		})
	}
}

// TestPromiseHangs has a maker that goes away without Fulfil: who waits is found hanging, so the test above can fail.
func TestPromiseHangs(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		p := cell.NewPromise[int]()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("maker", func(ctx context.Context) error { return env.Sleep(ctx, time.Second) })
			_, err := stm.Atomically(ctx, p.Await)
			return err
		})
	})
	var d *sim.DeadlockError
	require.ErrorAs(t, r.Err, &d)
	require.ErrorContains(t, r.Err, "promise")
}

// TestPromiseKeptByAnother lets somebody else keep the promise while it is being fulfilled: his value stands.
func TestPromiseKeptByAnother(t *testing.T) {
	ctx := context.Background()
	p := cell.NewPromise[int]()
	require.NoError(t, p.Fulfil(ctx, func(ctx context.Context) (int, error) {
		_, err := prop.Send(ctx, p, 1)
		return 2, err
	}))
	v, err := stm.Atomically(ctx, p.Await)
	require.NoError(t, err)
	require.Equal(t, 1, v)
}

// TestWatchLast has a writer that ends in the same moment as its last value, and readers that are slow. All see the last
// value, and versions only grow.
func TestWatchLast(t *testing.T) {
	for seed := range uint64(long.N(200, 20_000)) {
		w := cell.NewWatch(0)
		const last = 9
		seen := make([][]int, 3)
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				for i := range seen {
					r := w.Reader()
					s.Go("reader", func(ctx context.Context) error {
						for v, err := range prop.All(ctx, r) {
							if err != nil {
								return err
							}
							seen[i] = append(seen[i], v)
							if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "slow", 4))); err != nil {
								return err
							}
						}
						return nil
					})
				}
				for v := 1; v <= last; v++ {
					if err := stm.Do(ctx, func(tx *stm.Tx) error {
						_, err := w.Put(tx, v)
						if v == last {
							w.Close(tx)
						}
						return err
					}); err != nil {
						return err
					}
					if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "quick", 3))); err != nil {
						return err
					}
				}
				return nil
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
		for _, vs := range seen {
			require.Equal(t, last, vs[len(vs)-1], "seed %d: %v", seed, vs)
			require.True(t, slices.IsSorted(vs), "seed %d: %v", seed, vs)
		}
	}
}

// numbers are a run of numbers put for a key.
type numbers struct{ key, from, to int }

// diligence is a simulation of workers that take their time, fail and panic. Work on one key must not overlap, nothing
// that was put may be forgotten, and the values of a key must be seen in order.
type diligence struct {
	box  *cell.Mailbox[int, numbers]
	busy [3]bool
	done [3]int // numbers seen of each key
}

var errBoom = errors.New("boom")

func (d *diligence) work(ctx context.Context, n numbers) error {
	switch {
	case d.busy[n.key]:
		return errors.New("two on one key")
	case n.from != d.done[n.key]:
		return errors.New("a number is missing")
	}
	d.busy[n.key] = true
	defer func() { d.busy[n.key] = false }()
	if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "work", 5))); err != nil {
		return err
	}
	d.done[n.key] = n.to
	switch env.Choose(ctx, "end", 4) {
	case 0:
		return errBoom
	case 1:
		panic(errBoom)
	}
	return nil
}

// toil works until the mailbox is closed, however single pieces of work end.
func (d *diligence) toil(ctx context.Context, once func(ctx context.Context) error) error {
	for {
		err := func() (err error) {
			defer func() {
				if r := recover(); r == any(errBoom) {
					err = errBoom
				} else if r != nil {
					panic(r)
				}
			}()
			return once(ctx)
		}()
		switch {
		case errors.Is(err, prop.ErrClosed):
			return nil
		case err != nil && !errors.Is(err, errBoom):
			return err
		}
	}
}

func (d *diligence) run(ctx context.Context, once func(ctx context.Context) error) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 3 {
			s.Go("worker", func(ctx context.Context) error { return d.toil(ctx, once) })
		}
		for n := range 6 {
			for k := range d.done {
				if _, err := prop.Send(ctx, d.box, numbers{k, n, n + 1}); err != nil {
					return err
				}
				if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "put", 3))); err != nil {
					return err
				}
			}
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { d.box.Close(tx); return nil })
	})
}

func newDiligence() *diligence {
	return &diligence{box: cell.NewMailbox(4, func(n numbers) int { return n.key },
		func(old, new numbers) numbers { return numbers{old.key, old.from, new.to} })}
}

func TestMailboxWork(t *testing.T) {
	found := 0
	for seed := range uint64(long.N(200, 20_000)) {
		d := newDiligence()
		r := sim.Run(seed, func(ctx context.Context) error {
			return d.run(ctx, func(ctx context.Context) error { return d.box.Work(ctx, d.work) })
		})
		require.NoError(t, r.Err, "seed %d", seed)
		require.Equal(t, [3]int{6, 6, 6}, d.done, "seed %d", seed)

		planted := newDiligence() // takes where it should check out
		r = sim.Run(seed, func(ctx context.Context) error {
			return planted.run(ctx, func(ctx context.Context) error {
				n, err := prop.Recv(ctx, planted.box)
				if err != nil {
					return err
				}
				return planted.work(ctx, n)
			})
		})
		if r.Err != nil {
			found++
		}
	}
	require.NotZero(t, found, "the planted bug")
}

func TestMailboxMisuse(t *testing.T) {
	key, merge := func(v int) int { return v }, func(old, new int) int { return new }
	require.Panics(t, func() { cell.NewMailbox(0, key, merge) })
	m := cell.NewMailbox(2, key, merge)
	inTx(t, func(tx *stm.Tx) { require.Panics(t, func() { m.Done(tx, 1) }) })
}

// TestMailboxClosedWhileOut closes a mailbox while its last value waits for a key that is checked out.
func TestMailboxClosedWhileOut(t *testing.T) {
	ctx := context.Background()
	m := cell.NewMailbox(2, func(v int) int { return v % 10 }, func(old, new int) int { return new })
	_, err := prop.Send(ctx, m, 11)
	require.NoError(t, err)
	_, err = stm.Atomically(ctx, m.Checkout)
	require.NoError(t, err)
	inTx(t, func(tx *stm.Tx) {
		_, err := m.Put(tx, 21)
		require.NoError(t, err)
		m.Close(tx)
		v, err := stm.Select(tx, m.Take, func(*stm.Tx) (int, error) { return -1, nil })
		require.NoError(t, err)
		require.Equal(t, -1, v, "it waits")
		m.Done(tx, 1)
		v, err = m.Take(tx)
		require.NoError(t, err)
		require.Equal(t, 21, v)
		_, err = m.Take(tx)
		require.ErrorIs(t, err, prop.ErrClosed)
	})
}

// TestMergePanics has the user's functions panic: the panic passes, and the mailbox is as it was.
func TestMergePanics(t *testing.T) {
	ctx := context.Background()
	m := cell.NewMailbox(2, func(v int) int { return v % 10 }, func(old, new int) int { panic("boom") })
	_, err := prop.Send(ctx, m, 11)
	require.NoError(t, err)
	require.PanicsWithValue(t, "boom", func() { _, _ = prop.Send(ctx, m, 21) })
	v, err := prop.Recv(ctx, m)
	require.NoError(t, err)
	require.Equal(t, 11, v)
}

// TestOutcome looks at promises without waiting.
func TestOutcome(t *testing.T) {
	boom := errors.New("boom")
	open, kept, made, failed := cell.NewPromise[int](), cell.NewPromise[int](), cell.NewKept(8), cell.NewPromise[int]()
	inTx(t, func(tx *stm.Tx) {
		_, err := kept.Put(tx, 7)
		require.NoError(t, err)
		failed.Fail(tx, boom)
		for _, c := range []struct {
			p    *cell.Promise[int]
			v    int
			err  error
			done bool
		}{{open, 0, nil, false}, {kept, 7, nil, true}, {made, 8, nil, true}, {failed, 0, boom, true}, {cell.NewBroken[int](boom), 0, boom, true}} {
			v, err, done := c.p.Outcome(tx)
			require.Equal(t, c.v, v)
			require.Equal(t, c.err, err)
			require.Equal(t, c.done, done)
		}
		_, err = made.Put(tx, 9)
		require.ErrorIs(t, err, prop.ErrClosed)
	})
}

// TestMailboxFind sees a key that waits, one that is checked out, and both at once.
func TestMailboxFind(t *testing.T) {
	m := cell.NewMailbox(4, func(v int) int { return v % 10 }, func(_, new int) int { return new })
	find := func(tx *stm.Tx, want ...any) {
		v, ok := m.Find(tx, 1)
		require.Equal(t, want, []any{v, ok})
	}
	inTx(t, func(tx *stm.Tx) {
		find(tx, 0, false)
		_, err := m.Put(tx, 11)
		require.NoError(t, err)
		find(tx, 11, true)
		out := prop.Rest(tx, m.Checkouts(), 4)
		require.Equal(t, []int{11}, out)
		find(tx, 11, true)
		require.Empty(t, prop.Rest(tx, m, 4))
		_, err = m.Put(tx, 21)
		require.NoError(t, err)
		find(tx, 21, true)
		require.Empty(t, prop.Rest(tx, m.Checkouts(), 4), "its key is checked out")
		m.Done(tx, 1)
		find(tx, 21, true)
		require.Equal(t, []int{21}, prop.Rest(tx, m, 4))
		find(tx, 0, false)
	})
}
