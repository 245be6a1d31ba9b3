package mempool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Whatever is sent, and however much of it, the pool stays within its limits.
func TestFloodStaysWithinLimits(t *testing.T) {
	for name, plant := range map[string]func(p *testPool){"": nil, "a limit that is ignored": func(p *testPool) { p.cfg.Limits.CountMax *= 2 }} {
		w := newWorld(3)
		cfg := w.config(store.NewMemory())
		cfg.Limits = Limits{CountMax: 20, BytesMax: 2000, LocalMax: 8, HistoryMax: 10, TxBytesMax: 200}
		withPool(t, cfg, func(ctx context.Context, p *testPool) {
			if plant != nil {
				plant(p)
			}
			within := true
			for i := range 200 {
				o := op{Account: fmt.Sprint(i), Pad: strings.Repeat("x", i*7%250)}
				err := p.Offer(ctx, o.raw())
				if i%3 == 0 {
					_, err = p.Submit(ctx, o.raw())
				}
				if len(o.raw()) > 200 {
					require.ErrorIs(t, err, ErrMalformed)
				} else if err != nil && !errors.Is(err, ErrFull) {
					t.Fatal(err)
				}
				st := query(ctx, p.Stats)
				within = within && st.Count <= 20 && st.SizeBytes <= 2000 && st.Local <= 8 && st.LocalBytes <= 2000
			}
			require.Equal(t, plant == nil, within, name)
			if plant != nil {
				return
			}
			s := query(ctx, p.Snapshot)
			require.Positive(t, s.Len)
			require.Positive(t, query(ctx, p.Stats).Local)

			for i := range 60 { // a flood of included ones
				_, err := w.grow(ctx, op{Account: fmt.Sprint("b", i)}.raw())
				require.NoError(t, err)
				_, err = settle(ctx, p)
				require.NoError(t, err)
			}
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
				n := 0
				for _, b := range p.index.buckets {
					for r := b.Get(tx); r != nil; r = r.next {
						n++
					}
				}
				tx.Check(n <= p.Snapshot(tx).Len+10+8)
				return nil
			}))
		})
	}
}

// An error of Submit or Offer leaves everything as it was.
func TestErrorsChangeNothing(t *testing.T) {
	w := newWorld(3)
	cfg := w.config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 3, LocalMax: 1}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		own, known := op{Account: "own"}, op{Account: "known"}
		_, err := p.Submit(ctx, own.raw())
		require.NoError(t, err)
		require.NoError(t, p.Offer(ctx, known.raw()))
		was, uses := p.content.Load(ctx), p.journal.usage.Load(ctx)
		refused := func(raw []byte, submit bool, want error) {
			t.Helper()
			var err error
			if submit {
				_, err = p.Submit(ctx, raw)
			} else {
				err = p.Offer(ctx, raw)
			}
			require.ErrorIs(t, err, want)
			require.Same(t, was, p.content.Load(ctx))
			require.Equal(t, uses, p.journal.usage.Load(ctx))
			require.Zero(t, query(ctx, p.journal.queue.Len))
		}
		for _, submit := range []bool{true, false} {
			if !submit {
				refused(nil, submit, ErrMalformed)
				refused([]byte("{}"), submit, ErrMalformed)
				refused(op{Account: "own", Nonce: 1, Bad: true}.raw(), submit, errSignature)
				refused(op{Account: "own", Nonce: 5}.raw(), submit, errNonce)
				refused(op{Account: "own", Nonce: 1, Price: 2000}.raw(), submit, errFunds)
				refused(known.raw(), submit, ErrKnown)
				refused(own.raw(), submit, ErrKnown)
				continue
			}
			refused(op{Account: "own", Nonce: 1}.raw(), submit, ErrFull) // the journal is
			refused(known.raw(), submit, ErrFull)
		}
		require.NoError(t, p.Offer(ctx, op{Account: "last"}.raw()))
		was = p.content.Load(ctx)
		require.False(t, query(ctx, func(tx *stm.Tx) bool { return p.Room(tx, 1) }))
		refused(op{Account: "more"}.raw(), false, ErrFull)
		refused(op{Account: "more"}.raw(), true, ErrFull)
		var malformed *MalformedError
		require.ErrorAs(t, p.Offer(ctx, make([]byte, 1<<20)), &malformed)
	})
}

func TestConfigNamesTheField(t *testing.T) {
	for field, spoil := range map[string]func(*Config[*book, op]){
		"Ledger":                func(c *Config[*book, op]) { c.Ledger = nil },
		"Selection":             func(c *Config[*book, op]) { c.Selection = nil },
		"Block":                 func(c *Config[*book, op]) { c.Block = nil },
		"Store":                 func(c *Config[*book, op]) { c.Store = nil },
		"K":                     func(c *Config[*book, op]) { c.K = 0 },
		"Prefix":                func(c *Config[*book, op]) { c.Prefix = strings.Repeat("x", 1000) },
		"Limits.CountMax":       func(c *Config[*book, op]) { c.Limits.CountMax = -1 },
		"Limits.BytesMax":       func(c *Config[*book, op]) { c.Limits.BytesMax = 1 << 40 },
		"Limits.TxBytesMax":     func(c *Config[*book, op]) { c.Limits.BytesMax, c.Limits.TxBytesMax = 10, 11 },
		"Limits.RemoteMax":      func(c *Config[*book, op]) { c.Limits.RemoteMax = c.Limits.CountMax + 1 },
		"Limits.RemoteBytesMax": func(c *Config[*book, op]) { c.Limits.TxBytesMax, c.Limits.RemoteBytesMax = 10, 9 },
		"Limits.LocalMax":       func(c *Config[*book, op]) { c.Limits.LocalMax = c.Limits.CountMax + 1 },
		"Limits.HistoryMax":     func(c *Config[*book, op]) { c.Limits.HistoryMax = -1 },
	} {
		cfg := newWorld(3).config(store.NewMemory())
		spoil(&cfg)
		_, err := Open(context.Background(), nil, cfg)
		require.ErrorContains(t, err, "mempool: Config."+field+" ", field)
	}
}

// What returns may be more than there is room for: remote ones give way, the newest first, and local ones stay.
func TestReturnedOnesPushOutRemoteOnes(t *testing.T) {
	w := newWorld(3)
	cfg := w.config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 4, LocalMax: 2}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		a, b := op{Account: "a"}, op{Account: "b"}
		_, err := p.Submit(ctx, a.raw())
		require.NoError(t, err)
		require.NoError(t, p.Offer(ctx, b.raw()))
		_, err = w.grow(ctx, a.raw(), b.raw())
		require.NoError(t, err)
		_, err = settle(ctx, p)
		require.NoError(t, err)
		own := op{Account: "own"}
		for _, name := range []string{"1", "2", "3"} {
			require.NoError(t, p.Offer(ctx, op{Account: name}.raw()))
		}
		_, err = p.Submit(ctx, own.raw())
		require.NoError(t, err)
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{a.id(), b.id(), op{Account: "1"}.id(), own.id()}, ids(s))
		require.ErrorIs(t, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, op{Account: "3"}.id()) }).Err, ErrFull)
		require.EqualValues(t, 2, query(ctx, p.Stats).Dropped)
	})
}

// failing is a store that fails from some time on.
type failing struct {
	*store.Memory
	fails *stm.Var[bool]
}

func (f failing) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	if f.fails.Load(ctx) {
		return store.DoneTicket(store.ErrFailed), nil
	}
	return f.Memory.Apply(ctx, b, d)
}

func TestAFailedStoreEndsTheScope(t *testing.T) {
	w := newWorld(3)
	f := failing{store.NewMemory(), stm.NewVar(false)}
	var submitted, offered error
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		p, err := Open(ctx, s, w.config(f))
		require.NoError(t, err)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { f.fails.Set(tx, true); return nil }))
		_, submitted = p.Submit(ctx, op{Account: "a"}.raw())
		offered = p.Offer(context.Background(), op{Account: "b"}.raw())
		return nil
	})
	require.ErrorIs(t, err, store.ErrFailed)
	require.Error(t, submitted)
	if offered != nil {
		require.ErrorIs(t, offered, ErrClosed)
	}
}

// A block of the selection that cannot be read ends the scope too, unless the selection turns out to be leaving it.
func TestAnUnreadableBlockEndsTheScope(t *testing.T) {
	for leaves, want := range map[time.Duration]error{0: nil, movesWithin - time.Millisecond: nil, movesWithin + time.Millisecond: errNoBlock} {
		r := sim.Run(1, func(ctx context.Context) error {
			w := newWorld(3)
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				p, err := Open(ctx, s, w.config(store.NewMemory()))
				if err != nil {
					return err
				}
				tip, err := w.after(ctx, genesis, 1)
				if err != nil {
					return err
				}
				next, err := w.after(ctx, genesis, 2)
				if err != nil {
					return err
				}
				if err := stm.Do(ctx, func(tx *stm.Tx) error {
					w.hidden.Set(tx, map[chain.Hash]bool{tip.Point.Hash: true})
					f, err := chain.NewFragment(genesis).Append(w.blocks.Get(tx)[tip.Point.Hash].Header)
					w.now.Set(tx, &selected{f, nil})
					return err
				}); err != nil {
					return err
				}
				if err := errors.Join(env.Sleep(ctx, leaves), w.choose(ctx, next, true)); err != nil {
					return err
				}
				if _, err := settle(ctx, p); err != nil {
					return err
				}
				return errDone
			})
		})
		if want == nil {
			want = errDone
		}
		require.ErrorIs(t, r.Err, want, leaves)
	}
}

// If the chain has gone on by more than its fragment, what is pending is checked on the new state, and what was on the chain is tried again.
func TestTheChainGoesOutOfSight(t *testing.T) {
	w := newWorld(3)
	withPool(t, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		a, b, c := op{Account: "a"}, op{Account: "b"}, op{Account: "c"}
		for _, o := range []op{a, b} {
			_, err := p.Submit(ctx, o.raw())
			require.NoError(t, err)
		}
		require.NoError(t, p.Offer(ctx, c.raw()))
		_, err := w.grow(ctx, a.raw())
		require.NoError(t, err)
		_, err = settle(ctx, p)
		require.NoError(t, err)
		tip := genesis
		for i := range 5 { // another chain, on which a is not and b is long ago
			raws := [][]byte{}
			if i == 0 {
				raws = append(raws, b.raw())
			}
			tip, err = w.after(ctx, tip, 2, raws...)
			require.NoError(t, err)
		}
		require.NoError(t, w.choose(ctx, tip, false))
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{c.id(), a.id()}, ids(s))
		require.Equal(t, Refused, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, b.id()) }).Stage)
		_, err = p.Submit(ctx, b.raw())
		require.ErrorIs(t, err, ErrRefused)
	})
}

// A transaction that came with a block may be submitted too: from then on it is kept like any local one.
func TestSubmitWhatIsOnTheChain(t *testing.T) {
	w := newWorld(3)
	mem := store.NewMemory()
	withPool(t, w.config(mem), func(ctx context.Context, p *testPool) {
		a := op{Account: "a"}
		_, err := w.grow(ctx, a.raw())
		require.NoError(t, err)
		_, err = settle(ctx, p)
		require.NoError(t, err)
		require.ErrorIs(t, p.Offer(ctx, a.raw()), ErrKnown)
		for range 2 {
			_, err = p.Submit(ctx, a.raw())
			require.NoError(t, err)
		}
		require.True(t, holds(mem, a.raw()))
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, true))
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{a.id()}, ids(s), "though its block is gone")

		_, err = w.grow(ctx, a.raw())
		require.NoError(t, err)
		for range 3 {
			_, err = w.grow(ctx)
			require.NoError(t, err)
			_, err = settle(ctx, p)
			require.NoError(t, err)
		}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(p.Stats(tx).Local == 0); return nil }))
		require.False(t, holds(mem, a.raw()))
		_, err = p.Submit(ctx, a.raw())
		require.NoError(t, err, "it is final")
		require.Zero(t, query(ctx, p.Stats).Local)
	})
}

func TestFit(t *testing.T) {
	w := newWorld(3)
	withPool(t, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		var all []op
		for i := range 4 {
			o := op{Account: "a", Nonce: i}
			all = append(all, o)
			require.NoError(t, p.Offer(ctx, o.raw()))
		}
		s := query(ctx, p.Snapshot)
		size := len(all[0].raw())
		require.Equal(t, all, s.Fit(genesis, nil, 4*size))
		require.Equal(t, all[:2], s.Fit(genesis, nil, 3*size-1))
		require.Empty(t, s.Fit(genesis, nil, 0))
		other := chain.Tip{BlockNo: 1}
		require.Equal(t, all[1:3], s.Fit(other, &book{account: "a", nonce: 1}, 2*size))
		require.Empty(t, s.Fit(other, &book{account: "a", nonce: 7}, 4*size))
	})
}

// A restart reads all blocks that may be rolled back, remembers the newest transactions of them, and finds those of the journal.
func TestRestartOnALongChain(t *testing.T) {
	w := newWorld(30)
	mem := store.NewMemory()
	cfg := w.config(mem)
	cfg.Limits.HistoryMax = 5
	own := op{Account: "own"}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		_, err := p.Submit(ctx, own.raw())
		require.NoError(t, err)
		_, err = w.grow(ctx, own.raw())
		require.NoError(t, err)
		for i := range 20 {
			_, err := w.grow(ctx, op{Account: "a", Nonce: i}.raw())
			require.NoError(t, err)
		}
	})
	cfg.Store = mem.Reopen()
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			n := 0
			for i := range 20 {
				if p.Has(tx, op{Account: "a", Nonce: i}.id()) {
					n++
				}
			}
			require.Equal(t, 5, n)
			require.Equal(t, Included, p.Status(tx, own.id()).Stage)
			require.Equal(t, 1, p.Stats(tx).Local)
			require.Zero(t, p.Snapshot(tx).Len)
			return nil
		}))
	})
}
