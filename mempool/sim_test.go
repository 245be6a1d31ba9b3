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
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

// scene is a pool on a chain that moves, with clients that take note of what was accepted.
type scene struct {
	w        *world
	p        *testPool
	disk     *storetest.Slow
	accepted *stm.Var[[]op]
}

// openScene opens a pool whose disk is slow. prepare spoils the disk, plant the pool.
func openScene(ctx context.Context, s *registry.Scope, w *world, content *store.Memory, spoil spoiling) (*scene, error) {
	disk, err := storetest.NewSlow(ctx, s, content)
	if err != nil {
		return nil, err
	}
	if spoil.disk != nil {
		spoil.disk(disk)
	}
	cfg := w.config(disk)
	cfg.Limits = Limits{CountMax: 40, HistoryMax: 20}
	p, t, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if spoil.pool != nil {
		spoil.pool(p, t)
	}
	return &scene{w, p, disk, stm.NewVar[[]op](nil).Label("accepted")}, p.start(ctx, s, t)
}

type spoiling struct {
	disk func(*storetest.Slow)
	pool func(*testPool, *syncer[*book, op])
}

// submit submits the next operations of an account, each until it is accepted.
func (sc *scene) submit(ctx context.Context, account string, from, n int) error {
	for i := from; i < from+n; i++ {
		o := op{Account: account, Nonce: i, Price: 1}
		for try := 0; ; try++ {
			_, err := sc.p.Submit(ctx, o.raw())
			if _, on := query(ctx, sc.w.onChain)[o.id()]; err == nil || on {
				break
			}
			if try == 300 {
				return fmt.Errorf("%w: never accepted: %w", errLost, err)
			}
			if !errors.Is(err, ErrFull) && !errors.Is(err, ErrRefused) {
				return err
			}
			if err := sc.rest(ctx, 20); err != nil {
				return err
			}
		}
		if query(ctx, sc.disk.Stopped.Get) {
			return nil // whoever asked has crashed
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error {
			sc.accepted.Update(tx, func(os []op) []op { return append(os[:len(os):len(os)], o) })
			return nil
		}); err != nil {
			return err
		}
		if on := query(ctx, sc.w.onChain); !holds(sc.disk.Durable, o.raw()) && on[o.id()] == (chain.Tip{}) {
			return fmt.Errorf("%w: %+v is accepted and not durable", errLost, o)
		}
		if err := sc.rest(ctx, 10); err != nil {
			return err
		}
	}
	return nil
}

var errLost = errors.New("an accepted transaction is lost")

// offer offers operations of an account, some out of order.
func (sc *scene) offer(ctx context.Context, account string, n int) error {
	for i := range n {
		r := env.Rand(ctx)
		o := op{Account: account, Nonce: max(0, i-r.IntN(3)), Price: 1 + r.IntN(2)}
		if err := sc.p.Offer(ctx, o.raw()); err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrKnown) {
			return err
		}
		if err := sc.rest(ctx, 10); err != nil {
			return err
		}
	}
	return nil
}

func (sc *scene) rest(ctx context.Context, most int) error {
	return env.Sleep(ctx, time.Duration(env.Rand(ctx).IntN(most))*time.Millisecond)
}

// forge moves the selection n times: mostly by a block with what the pool has, now and then by a fork.
func (sc *scene) forge(ctx context.Context, n int) error {
	for range n {
		if err := sc.rest(ctx, 15); err != nil {
			return err
		}
		r := env.Rand(ctx)
		path := query(ctx, func(tx *stm.Tx) []chain.Block { return sc.w.path(tx, sc.w.now.Get(tx).fragment.Tip()) })
		back := 0
		if r.IntN(3) == 0 {
			back = min(1+r.IntN(sc.w.k), len(path))
		}
		var raws [][]byte // of what is rolled back and what is pending
		for _, b := range path[len(path)-back:] {
			for _, o := range opsOf(b) {
				raws = append(raws, o.raw())
			}
		}
		for e := range query(ctx, sc.p.Snapshot).All() {
			raws = append(raws, e.Raw)
		}
		tip := genesis
		if k := len(path) - back; k > 0 {
			tip = path[k-1].Header.Tip()
		}
		var err error
		for range max(back, 1) {
			state, take := sc.w.states.Load(ctx)[tip.Point.Hash], [][]byte{}
			for _, raw := range raws[:r.IntN(len(raws)+1)] {
				o, _ := bank{}.Parse(raw)
				if strings.HasPrefix(o.Account, "peer") && r.IntN(6) == 0 { // another transaction takes its place, and it is not valid any more
					o.Price = 3
					raw = o.raw()
				}
				if next, err := (bank{}).Check(state, o); err == nil && r.IntN(4) > 0 {
					state, take = next, append(take, raw)
				}
			}
			if tip, err = sc.w.after(ctx, tip, 1+r.IntN(3), take...); err != nil {
				return err
			}
		}
		if err := sc.w.choose(ctx, tip, r.IntN(3) == 0); err != nil {
			return err
		}
	}
	return nil
}

// watch checks every content it sees.
func (sc *scene) watch(ctx context.Context) error {
	seen := (*content[*book, op])(nil)
	for {
		s, err := stm.Query(ctx, func(tx *stm.Tx) Snapshot[*book, op] {
			c := sc.p.content.Get(tx)
			tx.Check(c != seen)
			seen = c
			return sc.p.Snapshot(tx)
		})
		if err != nil {
			return err
		}
		if err := sc.w.valid(ctx, s); err != nil {
			return err
		}
	}
}

// valid checks that a snapshot is a valid sequence on its tip.
func (w *world) valid(ctx context.Context, s Snapshot[*book, op]) error {
	state, n, bytes, ticket := w.states.Load(ctx)[s.Tip.Point.Hash], 0, 0, uint64(0)
	for e := range s.All() {
		next, err := (bank{}).Check(state, e.X)
		if err != nil {
			return fmt.Errorf("content on %v: %+v: %w", s.Tip, e.X, err)
		}
		if e.ID != e.X.id() || string(e.Raw) != string(e.X.raw()) || e.Ticket <= ticket {
			return fmt.Errorf("wrong entry %+v after ticket %d", e, ticket)
		}
		state, n, bytes, ticket = next, n+1, bytes+len(e.Raw), e.Ticket
		a, b := s.State.of(e.X.Account)
		if c, d := state.of(e.X.Account); c > a || d > b {
			return fmt.Errorf("state of account %q: %d, %d", e.X.Account, a, b)
		}
	}
	if n != s.Len || bytes != s.SizeBytes {
		return fmt.Errorf("%d transactions of %d bytes instead of %d of %d", n, bytes, s.Len, s.SizeBytes)
	}
	return nil
}

// found checks that everything accepted is on the chain or pending.
func (sc *scene) found(ctx context.Context, accepted []op) error {
	if _, err := settle(ctx, sc.p); err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		on := sc.w.onChain(tx)
		for _, o := range accepted {
			if _, ok := on[o.id()]; !ok && sc.p.Status(tx, o.id()).Stage != Pending {
				return fmt.Errorf("%w: %+v: %+v", errLost, o, sc.p.Status(tx, o.id()))
			}
		}
		return nil
	})
}

// errDone ends a scope at once, as a crash does.
var errDone = errors.New("done")

func simulate(seed uint64, spoil spoiling, opts ...sim.Option) *sim.Report {
	return sim.Run(seed, func(ctx context.Context) error {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			sc, err := openScene(ctx, s, newWorld(4), store.NewMemory(), spoil)
			if err != nil {
				return err
			}
			s.Go("watcher", sc.watch)
			var work []*registry.Task[struct{}]
			do := func(name string, f func(context.Context) error) {
				work = append(work, registry.Fork(s, name, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) }))
			}
			for i := range 3 {
				do(fmt.Sprint("client ", i), func(ctx context.Context) error { return sc.submit(ctx, fmt.Sprint("client", i%2), 0, 8) })
				do(fmt.Sprint("peer ", i), func(ctx context.Context) error { return sc.offer(ctx, fmt.Sprint("peer", i%2), 12) })
			}
			do("forger", func(ctx context.Context) error { return sc.forge(ctx, 25) })
			for _, t := range work {
				if _, err := t.Wait(ctx); err != nil {
					return err
				}
			}
			if err := sc.found(ctx, query(ctx, sc.accepted.Get)); err != nil {
				return err
			}
			return errDone
		})
		if errors.Is(err, errDone) {
			return nil
		}
		return err
	}, opts...)
}

// TestSimulated runs clients, peers and a chain with forks in many schedules: every content is valid, and nothing accepted is lost.
func TestSimulated(t *testing.T) {
	for seed := range uint64(long.N(100, 5000)) {
		r := simulate(seed, spoiling{})
		require.NoError(t, r.Err, "seed %d", seed)
		if seed < 5 {
			require.Equal(t, r.Hash, simulate(seed, spoiling{}).Hash, "seed %d", seed)
		}
	}
}

func TestPlantedBugsInSimulations(t *testing.T) {
	for name, spoil := range map[string]spoiling{
		"accepted before it is durable": {pool: func(p *testPool, _ *syncer[*book, op]) {
			p.journal.accepted = func(*stm.Tx, *local[op]) bool { return true }
		}},
		"a store that acknowledges too early": {disk: func(d *storetest.Slow) { d.Eager = true }},
		"what returns is lost": {pool: func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				m.returned = nil
				t.inOrder(q, m, base)
			}
		}},
		"content in another order": {pool: func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				t.inOrder(q, m, base)
				var tickets []uint64
				for n := range q.order(0).All() {
					tickets = append(tickets, n)
				}
				if last := len(tickets) - 1; last > 0 { // the first and the last in each other's place
					a, _ := q.built.Get(tickets[0])
					b, _ := q.built.Get(tickets[last])
					q.built.Set(tickets[0], b)
					q.built.Set(tickets[last], a)
				}
			}
		}},
		"content that was not checked again": {pool: func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				was := q.check
				q.check = func(s *book, o op) (*book, error) {
					if next, err := was(s, o); err == nil {
						return next, nil
					}
					return s, nil
				}
				t.inOrder(q, m, base)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			caught, seeds := 0, long.N(20, 400)
			for seed := range uint64(seeds) {
				if simulate(seed, spoil).Err != nil {
					caught++
				}
			}
			t.Logf("caught by %d of %d seeds", caught, seeds)
			require.Greater(t, caught, seeds/10)
		})
	}
}
