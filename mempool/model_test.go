package mempool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// model is the pool as its package comment says it, without any thought of cost or concurrency.
type model struct {
	k       int
	limits  Limits
	state   *book // of the tip
	path    []chain.Block
	pending []*known
	locals  []*known      // the journal, in its order
	horizon chain.BlockNo // blocks up to this one were not read
}

// known is a transaction that the model has.
type known struct {
	op
	local bool
	stage Stage
	at    chain.Tip
}

func (m *model) find(id chain.Hash) *known {
	for _, k := range slices.Concat(m.pending, m.locals) {
		if k.id() == id {
			return k
		}
	}
	return nil
}

func (m *model) tip() chain.Tip {
	if len(m.path) == 0 {
		return genesis
	}
	return m.path[len(m.path)-1].Header.Tip()
}

// included finds a transaction on the chain.
func (m *model) included(id chain.Hash) (chain.Tip, bool) {
	for _, b := range m.path {
		if slices.ContainsFunc(opsOf(b), func(o op) bool { return o.id() == id }) {
			return b.Header.Tip(), true
		}
	}
	return chain.Tip{}, false
}

func opsOf(b chain.Block) (out []op) {
	raws, _ := bank{}.Transactions(b)
	for _, raw := range raws {
		o, _ := bank{}.Parse(raw)
		out = append(out, o)
	}
	return out
}

// valid keeps what is valid in order, and gives the rest to refused.
func (m *model) valid(ks []*known, refused func(*known)) (*book, []*known) {
	s, out := m.state, []*known(nil)
	for _, k := range ks {
		if next, err := (bank{}).Check(s, k.op); err == nil {
			s, out = next, append(out, k)
		} else {
			refused(k)
		}
	}
	return s, out
}

func bytesOf(ks []*known) (n int) {
	for _, k := range ks {
		n += len(k.raw())
	}
	return n
}

// add is Submit or Offer.
func (m *model) add(o op, own bool) error {
	id := o.id()
	k := m.find(id)
	at, on := m.included(id)
	on = on && at.BlockNo > m.horizon
	switch {
	case k != nil && k.stage == Refused:
		return ErrRefused
	case !own && (k != nil || on):
		return ErrKnown
	case k != nil && k.local, k == nil && on && int(m.tip().BlockNo-at.BlockNo) >= m.k:
		return nil
	}
	fits := len(m.locals) < m.limits.LocalMax && bytesOf(m.locals)+len(o.raw()) <= m.limits.BytesMax
	if k == nil && !on {
		if len(m.pending) >= m.limits.CountMax || bytesOf(m.pending)+len(o.raw()) > m.limits.BytesMax || own && !fits {
			return ErrFull
		}
		if o.Bad {
			return ErrMalformed
		}
		s, _ := m.valid(m.pending, nil)
		if _, err := (bank{}).Check(s, o); err != nil {
			return ErrRefused
		}
		k = &known{op: o, stage: Pending}
		m.pending = append(m.pending, k)
	} else if own && !fits {
		return ErrFull
	}
	if own {
		if k == nil {
			k = &known{op: o, stage: Included, at: at}
		}
		k.local = true
		m.locals = append(m.locals, k)
	}
	return nil
}

// move is the selection's. Of removed blocks that are hidden only local transactions return.
func (m *model) move(path []chain.Block, state *book, hidden bool) {
	n := 0
	for n < len(path) && n < len(m.path) && path[n].Point() == m.path[n].Point() {
		n++
	}
	if n == len(path) && n == len(m.path) {
		return
	}
	removed, added := m.path[n:], path[n:]
	m.path, m.state = path, state
	rollback := len(removed) > 0
	anchor := max(len(path)-m.k, 0)
	blind := n < anchor // what both chains hold is not in sight
	if blind {
		removed, added, rollback = nil, path[anchor:], true
		m.horizon = chain.BlockNo(anchor)
	}
	var all []*known
	for _, b := range removed {
		for _, k := range m.locals {
			if hidden && k.stage == Included && k.at == b.Header.Tip() {
				all = append(all, k)
			}
		}
		for _, o := range opsOf(b) {
			if k := m.find(o.id()); k != nil && !hidden {
				all = append(all, k)
			} else if !hidden {
				all = append(all, &known{op: o, stage: Included})
			}
		}
	}
	all = append(all, m.pending...)
	for _, k := range m.locals {
		if k.stage == Refused || blind && k.stage == Included {
			all = append(all, k)
		}
	}
	in := map[chain.Hash]chain.Tip{}
	for _, b := range added {
		for _, o := range opsOf(b) {
			in[o.id()] = b.Header.Tip()
		}
	}
	all = slices.DeleteFunc(all, func(k *known) bool {
		at, ok := in[k.id()]
		if ok {
			k.stage, k.at = Included, at
		}
		return ok
	})
	for _, k := range m.locals { // one that an earlier move found included may be in another block now
		if at, ok := in[k.id()]; ok {
			k.stage, k.at = Included, at
		}
	}
	m.settle(all, rollback)
}

// settle makes the new content of what may stay.
func (m *model) settle(all []*known, rollback bool) {
	refuse := func(k *known) {
		if k.stage != Refused || rollback {
			k.at = m.tip()
		}
		k.stage = Refused
	}
	_, m.pending = m.valid(all, refuse)
	n := len(m.pending)
	for i := len(m.pending) - 1; i >= 0 && (n > m.limits.CountMax || bytesOf(m.pending) > m.limits.BytesMax); i-- {
		if k := m.pending[i]; !k.local {
			m.pending = slices.Delete(m.pending, i, i+1)
			k.stage, k.at = Refused, m.tip()
			n--
		}
	}
	_, m.pending = m.valid(m.pending, refuse)
	for _, k := range m.pending {
		k.stage, k.at = Pending, chain.Tip{}
	}
	m.locals = slices.DeleteFunc(m.locals, func(k *known) bool {
		return k.stage != Pending && m.tip().BlockNo-k.at.BlockNo >= chain.BlockNo(m.k) && m.tip().BlockNo >= k.at.BlockNo
	})
}

// restart is a crash: what is not in the journal is gone.
func (m *model) restart() {
	m.pending = nil
	m.horizon = chain.BlockNo(max(int(m.tip().BlockNo)-m.k, 0))
	var all []*known
	for _, k := range m.locals {
		if at, on := m.included(k.id()); on && at.BlockNo > m.horizon {
			k.stage, k.at = Included, at
			continue
		}
		k.stage = Pending
		all = append(all, k)
	}
	m.settle(all, true)
}

// same compares the pool with the model.
func (m *model) same(tx *stm.Tx, p *testPool) error {
	var want []chain.Hash
	for _, k := range m.pending {
		want = append(want, k.id())
	}
	s := p.Snapshot(tx)
	if got := ids(s); !slices.Equal(got, want) {
		var about []string
		for _, k := range slices.Concat(m.pending, m.locals) {
			about = append(about, fmt.Sprintf("%+v: %+v", k, p.Status(tx, k.id())))
		}
		return fmt.Errorf("content %d of %v: %q", len(got), m.tip(), about)
	}
	st := p.Stats(tx)
	if s.SizeBytes != bytesOf(m.pending) || s.Len != len(want) || st.Count != s.Len || st.SizeBytes != s.SizeBytes || st.Local != len(m.locals) {
		return fmt.Errorf("%d pending, %d bytes, %+v instead of %d local", s.Len, s.SizeBytes, st, len(m.locals))
	}
	ticket := uint64(0)
	for _, id := range want {
		next, got, _, ok := p.After(tx, ticket)
		if !ok || got != id || next <= ticket {
			return fmt.Errorf("after ticket %d: %v, ticket %d instead of %v", ticket, got, next, id)
		}
		ticket = next
	}
	if _, _, _, more := p.After(tx, ticket); more {
		return errors.New("a ticket after the last")
	}
	for _, k := range slices.Concat(m.pending, m.locals) {
		if st := p.Status(tx, k.id()); st.Stage != k.stage || st.At != k.at || (st.Err != nil) != (k.stage == Refused) || !p.Has(tx, k.id()) {
			return fmt.Errorf("%+v: %+v", k, st)
		}
	}
	return nil
}

// run is the drawing of a history.
type run struct {
	*rapid.T
	w     *world
	m     *model
	store *store.Memory
	moved *stm.Var[chain.Tip] // of the pool
	ops   []op
}

func (r *run) draw(n int, what string) int { return rapid.IntRange(0, n).Draw(r.T, what) }

func (r *run) op() op {
	if len(r.ops) > 0 && r.draw(3, "again") == 0 {
		return r.ops[r.draw(len(r.ops)-1, "which")]
	}
	s := r.w.now.Load(context.Background()).state
	if r.draw(3, "on pool") > 0 {
		s, _ = r.m.valid(r.m.pending, func(*known) {})
	}
	account := string(rune('a' + r.draw(2, "account")))
	nonce, _ := s.of(account)
	o := op{Account: account, Nonce: nonce, Price: 1 + r.draw(9, "price"), Bad: r.draw(15, "bad") == 0}
	if r.draw(7, "skip") == 0 {
		o.Nonce++
	}
	if r.draw(7, "dear") == 0 {
		o.Price *= 60
	}
	r.ops = append(r.ops, o)
	return o
}

// chain draws a move of the selection: blocks after the tip or up to k before it, with what was ever seen and is valid there.
func (r *run) chain(ctx context.Context) (hide bool, err error) {
	path := query(ctx, func(tx *stm.Tx) []chain.Block { return r.w.path(tx, r.w.now.Get(tx).fragment.Tip()) })
	back := 0
	if r.draw(2, "fork") == 0 {
		back = min(r.draw(r.m.k, "back"), len(path))
	}
	tip := genesis
	if n := len(path) - back; n > 0 {
		tip = path[n-1].Header.Tip()
	}
	for range max(1, back+r.draw(1, "longer")) {
		s := r.w.states.Load(ctx)[tip.Point.Hash]
		var raws [][]byte
		for _, o := range rapid.Permutation(r.ops).Draw(r.T, "ops") {
			if next, err := (bank{}).Check(s, o); err == nil && !o.Bad && r.draw(1, "take") == 0 {
				s, raws = next, append(raws, o.raw())
			}
		}
		if tip, err = r.w.after(ctx, tip, 1+r.draw(1, "slot"), raws...); err != nil {
			return false, err
		}
	}
	hide = r.draw(3, "hide") == 0
	return hide, r.w.choose(ctx, tip, hide)
}

// status checks what is said about transactions that are on the chain, or nowhere.
func (r *run) status(tx *stm.Tx, p *testPool) error {
	for _, o := range r.ops {
		st, has := p.Status(tx, o.id()), p.Has(tx, o.id())
		if at, on := r.m.included(o.id()); on && at.BlockNo > r.m.horizon {
			if want := (Status{Stage: Included, At: at}); st != want || !has {
				return fmt.Errorf("%+v is on the chain at %v: %+v", o, at, st)
			}
		} else if r.m.find(o.id()) == nil && (has || st.Stage == Pending || st.Stage == Included) {
			return fmt.Errorf("%+v is nowhere: %+v", o, st)
		}
	}
	return nil
}

// step does one thing to pool and model.
func (r *run) step(ctx context.Context, p *testPool) error {
	switch r.draw(3, "step") {
	case 0:
		hide, err := r.chain(ctx)
		if err != nil {
			return err
		}
		if _, err := settle(ctx, p); err != nil {
			return err
		}
		now := query(ctx, r.w.now.Get)
		r.m.move(query(ctx, func(tx *stm.Tx) []chain.Block { return r.w.path(tx, now.fragment.Tip()) }), now.state, hide)
	case 1:
		o := r.op()
		if err, want := p.Offer(ctx, o.raw()), r.m.add(o, false); !errors.Is(err, want) || (err == nil) != (want == nil) {
			return fmt.Errorf("offer %+v: %w instead of %v", o, err, want)
		}
	default:
		o := r.op()
		_, err := p.Submit(ctx, o.raw())
		if want := r.m.add(o, true); !errors.Is(err, want) || (err == nil) != (want == nil) {
			return fmt.Errorf("submit %+v: %w instead of %v", o, err, want)
		}
	}
	return nil
}

// compare runs some steps, with a restart between each life. plant spoils the pool.
func (r *run) compare(plant func(*testPool, *syncer[*book, op])) error {
	for range 3 {
		cfg := r.w.config(r.store)
		cfg.Limits = r.m.limits
		cfg.Tracer = func(ctx context.Context, e Event) {
			if e.Stage == Unknown {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { r.moved.Set(tx, e.Tip); return nil })
			}
		}
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			p, t, err := open(ctx, cfg)
			if err != nil {
				return err
			}
			plant(p, t)
			if err := p.start(ctx, s, t); err != nil {
				return err
			}
			for range 12 {
				if err := r.calm(ctx, p); err != nil {
					return err
				}
				if err := stm.Do(ctx, func(tx *stm.Tx) error { return errors.Join(r.m.same(tx, p), r.status(tx, p)) }); err != nil {
					return err
				}
				if err := r.step(ctx, p); err != nil {
					return err
				}
			}
			return r.calm(ctx, p)
		})
		if err != nil {
			return err
		}
		if err := r.w.crash(context.Background()); err != nil {
			return err
		}
		r.store = r.store.Reopen()
		r.m.restart()
	}
	return nil
}

// calm waits until the last move is finished and the journal is as long as the model's.
func (r *run) calm(ctx context.Context, p *testPool) error {
	ctx, cancel := env.WithTimeout(ctx, time.Second)
	defer cancel()
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if err := p.failed.Get(tx); err != nil {
			return err
		}
		tx.Check(r.moved.Get(tx) == r.w.now.Get(tx).fragment.Tip() && p.Stats(tx).Local == len(r.m.locals))
		return nil
	})
}

func newRun(t *rapid.T) *run {
	const k = 3
	l := Limits{CountMax: 6, BytesMax: 300, LocalMax: 5, HistoryMax: 1000}
	if rapid.Bool().Draw(t, "few bytes") {
		l.BytesMax = 120
	}
	return &run{T: t, w: newWorld(k), store: store.NewMemory(), moved: stm.NewVar(chain.Tip{}), m: &model{k: k, limits: l}}
}

// TestModel makes random histories of submissions, offers, blocks, rollbacks and restarts: the pool is always what the model is.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, newRun(t).compare(func(*testPool, *syncer[*book, op]) {}))
	})
}

// TestPlantedBugsAreCaught makes the same histories with pools that are broken.
func TestPlantedBugsAreCaught(t *testing.T) {
	for name, plant := range map[string]func(*testPool, *syncer[*book, op]){
		"what returns is lost": func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				m.returned = nil
				t.inOrder(q, m, base)
			}
		},
		"what returns stands behind": func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				back := m.returned
				m.returned = nil
				t.inOrder(q, m, base)
				for _, it := range back {
					q.revive(it)
				}
			}
		},
		"what is aside is not tried again": func(_ *testPool, t *syncer[*book, op]) {
			t.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
				was := t.kept
				t.kept = nil
				t.inOrder(q, m, base)
				t.kept = was
			}
		},
		"a limit in count is ignored": func(p *testPool, _ *syncer[*book, op]) { p.cfg.Limits.CountMax++ },
		"a limit in bytes is ignored": func(p *testPool, _ *syncer[*book, op]) { p.cfg.Limits.BytesMax += 30 },
		"a limit of the journal is ignored": func(p *testPool, _ *syncer[*book, op]) {
			p.journal.limits.LocalMax++
		},
		"entries leave the journal too early": func(p *testPool, _ *syncer[*book, op]) { p.cfg.K-- },
	} {
		t.Run(name, func(t *testing.T) {
			caught := false
			for seed := range long.N(500, 5000) {
				rapid.Custom(func(t *rapid.T) int {
					caught = newRun(t).compare(plant) != nil
					return 0
				}).Example(seed)
				if caught {
					return
				}
			}
			t.Error("not caught")
		})
	}
}
