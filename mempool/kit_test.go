package mempool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// op is a transaction of the tests: the next operation of an account, for a price. A signature that is not "ok" is malformed.
type op struct {
	Account string `json:"a"`
	Nonce   int    `json:"n"`
	Price   int    `json:"p"`
	Pad     string `json:"pad,omitempty"`
	Bad     bool   `json:"bad,omitempty"`
}

func (o op) raw() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return b
}

func (o op) id() chain.Hash { return chain.HashOf(o.raw()) }

// book is a persistent ledger state: accounts with the next nonce and how much was spent. Newest entry first; one that is deeper is older.
type book struct {
	account string
	nonce   int
	spent   int
	older   *book
}

func (b *book) of(account string) (nonce, spent int) {
	for ; b != nil; b = b.older {
		if b.account == account {
			return b.nonce, b.spent
		}
	}
	return 0, 0
}

// purse is what an account can spend.
const purse = 1000

var (
	errSignature = errors.New("bad signature")
	errNonce     = errors.New("wrong nonce")
	errFunds     = errors.New("not enough funds")
)

// bank is the ledger of the tests. A block's body is a list of transactions.
type bank struct{}

func (bank) Parse(raw []byte) (op, error) {
	var o op
	if err := json.Unmarshal(raw, &o); err != nil {
		return o, err
	}
	if string(o.raw()) != string(raw) {
		return o, errors.New("not canonical")
	}
	if o.Bad {
		return o, errSignature
	}
	return o, nil
}

func (bank) Check(s *book, o op) (*book, error) {
	nonce, spent := s.of(o.Account)
	if o.Nonce != nonce {
		return s, fmt.Errorf("%w: %d instead of %d", errNonce, o.Nonce, nonce)
	}
	if spent += o.Price; spent > purse {
		return s, errFunds
	}
	return &book{o.Account, nonce + 1, spent, s}, nil
}

func (bank) Transactions(b chain.Block) (out [][]byte, err error) {
	return out, json.Unmarshal(b.Body, &out)
}

func (l bank) apply(s *book, b chain.Block) (*book, error) {
	raws, err := l.Transactions(b)
	if err != nil {
		return nil, err
	}
	for _, raw := range raws {
		o, err := l.Parse(raw)
		if err != nil {
			return nil, err
		}
		if s, err = l.Check(s, o); err != nil {
			return nil, err
		}
	}
	return s, nil
}

var genesis = chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}}

// world is a chain that the test moves as it likes: a tree of blocks, of which a tip is selected.
type world struct {
	k      int
	blocks *stm.Var[map[chain.Hash]chain.Block]
	states *stm.Var[map[chain.Hash]*book]
	hidden *stm.Var[map[chain.Hash]bool] // cannot be read any more
	now    *stm.Var[*selected]
}

type selected struct {
	fragment chain.Fragment
	state    *book
}

func newWorld(k int) *world {
	return &world{
		k:      k,
		blocks: stm.NewVar(map[chain.Hash]chain.Block{}),
		states: stm.NewVar(map[chain.Hash]*book{genesis.Point.Hash: nil}),
		hidden: stm.NewVar(map[chain.Hash]bool{}),
		now:    stm.NewVar(&selected{fragment: chain.NewFragment(genesis)}),
	}
}

func (w *world) selection(tx *stm.Tx) (chain.Fragment, *book) {
	s := w.now.Get(tx)
	return s.fragment, s.state
}

var errNoBlock = errors.New("no such block")

func (w *world) block(ctx context.Context, p chain.Point) (chain.Block, error) {
	b, ok := w.blocks.Load(ctx)[p.Hash]
	if !ok || w.hidden.Load(ctx)[p.Hash] {
		return b, errNoBlock
	}
	return b, nil
}

func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	out := map[K]V{k: v}
	for a, b := range m {
		if a != k {
			out[a] = b
		}
	}
	return out
}

// after makes a block with transactions on a tip; its slot tells blocks with the same ones apart.
func (w *world) after(ctx context.Context, t chain.Tip, slots int, raws ...[]byte) (chain.Tip, error) {
	if raws == nil {
		raws = [][]byte{}
	}
	body, err := json.Marshal(raws)
	if err != nil {
		return t, err
	}
	h := chain.NewHeader(chain.Fields{
		Slot: t.Point.Slot + chain.Slot(slots), BlockNo: t.BlockNo + 1, Prev: t.Point.Hash,
		BodyHash: chain.HashOf(body), BodySize: uint32(len(body)),
	}, nil)
	b, err := chain.NewBlock(h, body)
	if err != nil {
		return t, err
	}
	return h.Tip(), stm.Do(ctx, func(tx *stm.Tx) error {
		s, err := bank{}.apply(w.states.Get(tx)[t.Point.Hash], b)
		if err != nil {
			return err
		}
		w.blocks.Set(tx, with(w.blocks.Get(tx), h.Hash(), b))
		w.states.Set(tx, with(w.states.Get(tx), h.Hash(), s))
		return nil
	})
}

// path are the blocks from the genesis to a tip.
func (w *world) path(tx *stm.Tx, tip chain.Tip) []chain.Block {
	var out []chain.Block
	for at := tip.Point.Hash; at != genesis.Point.Hash; {
		b := w.blocks.Get(tx)[at]
		out = append(out, b)
		at = b.Header.Prev()
	}
	slices.Reverse(out)
	return out
}

// choose selects a chain. What is rolled back for it is hidden if asked for.
func (w *world) choose(ctx context.Context, tip chain.Tip, hide bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		hidden, f := w.hidden.Get(tx), chain.NewFragment(genesis)
		if hide {
			for _, b := range w.path(tx, w.now.Get(tx).fragment.Tip()) {
				hidden = with(hidden, b.Header.Hash(), true)
			}
		}
		for _, b := range w.path(tx, tip) {
			var err error
			if f, err = f.Append(b.Header); err != nil {
				return err
			}
			if hidden[b.Header.Hash()] {
				hidden = with(hidden, b.Header.Hash(), false)
			}
		}
		w.hidden.Set(tx, hidden)
		w.now.Set(tx, &selected{f.Trim(w.k), w.states.Get(tx)[tip.Point.Hash]})
		return nil
	})
}

// crash loses what is not selected.
func (w *world) crash(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		hidden := map[chain.Hash]bool{}
		for h := range w.blocks.Get(tx) {
			hidden[h] = true
		}
		for _, b := range w.path(tx, w.now.Get(tx).fragment.Tip()) {
			hidden[b.Header.Hash()] = false
		}
		w.hidden.Set(tx, hidden)
		return nil
	})
}

// onChain are the transactions of the selected chain.
func (w *world) onChain(tx *stm.Tx) map[chain.Hash]chain.Tip {
	out := map[chain.Hash]chain.Tip{}
	for _, b := range w.path(tx, w.now.Get(tx).fragment.Tip()) {
		raws, _ := bank{}.Transactions(b)
		for _, raw := range raws {
			out[chain.HashOf(raw)] = b.Header.Tip()
		}
	}
	return out
}

// grow selects a block with transactions on the selected tip.
func (w *world) grow(ctx context.Context, raws ...[]byte) (chain.Tip, error) {
	tip, err := w.after(ctx, w.now.Load(ctx).fragment.Tip(), 1, raws...)
	if err == nil {
		err = w.choose(ctx, tip, false)
	}
	return tip, err
}

type testPool = Pool[*book, op]

func (w *world) config(s store.Store) Config[*book, op] {
	return Config[*book, op]{Ledger: bank{}, Selection: w.selection, Block: w.block, Store: s, K: w.k, Limits: Limits{CountMax: 100, HistoryMax: 100}}
}

// withPool runs f with an open pool.
func withPool(t require.TestingT, cfg Config[*book, op], f func(ctx context.Context, p *testPool)) {
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		p, err := Open(ctx, s, cfg)
		if err == nil {
			f(ctx, p)
		}
		return err
	}))
}

// settle waits until the pool stands on the selection and has written everything.
func settle(ctx context.Context, p *testPool) (Snapshot[*book, op], error) {
	return stm.Query(ctx, func(tx *stm.Tx) Snapshot[*book, op] {
		f, _ := p.cfg.Selection(tx)
		s := p.Snapshot(tx)
		tx.Check(s.Tip == f.Tip())
		return s
	})
}

func ids(s Snapshot[*book, op]) []chain.Hash {
	out := []chain.Hash{}
	for e := range s.All() {
		out = append(out, e.ID)
	}
	return out
}

func query[T any](ctx context.Context, q func(*stm.Tx) T) T {
	x, err := stm.Query(ctx, q)
	if err != nil {
		panic(err)
	}
	return x
}

// holds reports whether a value is stored.
func holds(s store.Store, value []byte) bool {
	for e, err := range s.Scan(nil, nil) {
		if err == nil && bytes.Equal(e.Value, value) {
			return true
		}
	}
	return false
}
