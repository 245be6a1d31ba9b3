package mempool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// words is a ledger that takes each word once, and no word before a shorter one is there.
type words struct{}

func (words) Parse(raw []byte) (string, error) {
	if w := string(raw); w != "" && !strings.Contains(w, " ") {
		return w, nil
	}
	return "", errors.New("not one word")
}

func (words) Check(said []string, w string) ([]string, error) {
	if len(w) != len(said)+1 {
		return said, fmt.Errorf("%q does not come after %d words", w, len(said))
	}
	return append(said[:len(said):len(said)], w), nil
}

func (words) Transactions(b chain.Block) ([][]byte, error) {
	var out [][]byte
	for w := range strings.FieldsSeq(string(b.Body)) {
		out = append(out, []byte(w))
	}
	return out, nil
}

// tape is a chain without forks.
type tape struct {
	blocks *stm.Var[[]chain.Block]
}

func (t tape) selection(tx *stm.Tx) (chain.Fragment, []string) {
	f, said := chain.NewFragment(chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("silence"))}}), []string(nil)
	for _, b := range t.blocks.Get(tx) {
		f, _ = f.Append(b.Header)
		said = append(said, strings.Fields(string(b.Body))...)
	}
	return f, said
}

func (t tape) block(ctx context.Context, p chain.Point) (chain.Block, error) {
	for _, b := range t.blocks.Load(ctx) {
		if b.Point() == p {
			return b, nil
		}
	}
	return chain.Block{}, errors.New("no such block")
}

// add makes a block.
func (t tape) add(ctx context.Context, body string) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		f, _ := t.selection(tx)
		h := chain.NewHeader(chain.Fields{
			Slot: f.Tip().Point.Slot + 1, BlockNo: f.Tip().BlockNo + 1, Prev: f.Tip().Point.Hash,
			BodyHash: chain.HashOf([]byte(body)), BodySize: uint32(len(body)),
		}, nil)
		b, err := chain.NewBlock(h, []byte(body))
		t.blocks.Update(tx, func(bs []chain.Block) []chain.Block { return append(bs[:len(bs):len(bs)], b) })
		return err
	})
}

// The pool takes what is valid behind all that it holds, and follows the chain.
func ExamplePool() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		t := tape{stm.NewVar[[]chain.Block](nil)}
		pool, err := mempool.Open(ctx, s, mempool.Config[[]string, string]{
			Ledger: words{}, Selection: t.selection, Block: t.block, Store: store.NewMemory(), K: 10,
		})
		if err != nil {
			return err
		}
		for _, w := range []string{"a", "be", "sees", "sea", "sees", "two words"} {
			_, err := pool.Submit(ctx, []byte(w)) // durable if there is no error
			fmt.Printf("%q: %v\n", w, err)
		}
		fmt.Println("offered again:", errors.Is(pool.Offer(ctx, []byte("a")), mempool.ErrKnown))

		snapshot, err := stm.Query(ctx, pool.Snapshot)
		if err != nil {
			return err
		}
		body := strings.Join(snapshot.Fit(snapshot.Tip, nil, 4), " ") // at most four bytes of transactions
		if err := t.add(ctx, body); err != nil {
			return err
		}
		text, err := stm.Query(ctx, func(tx *stm.Tx) string {
			s := pool.Snapshot(tx)
			tx.Check(s.Tip.BlockNo == 1)
			return fmt.Sprint(s.Len, " pending; a: ", pool.Status(tx, chain.HashOf([]byte("a"))).Stage)
		})
		fmt.Println(text)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// "a": <nil>
	// "be": <nil>
	// "sees": mempool: refused transaction 83094e0b: "sees" does not come after 2 words
	// "sea": <nil>
	// "sees": <nil>
	// "two words": mempool: malformed transaction a03f1d61: not one word
	// offered again: true
	// 2 pending; a: included
}

// Whoever serves transactions walks along the tickets, and waits at the end.
func ExamplePool_After() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		t := tape{stm.NewVar[[]chain.Block](nil)}
		pool, err := mempool.Open(ctx, s, mempool.Config[[]string, string]{
			Ledger: words{}, Selection: t.selection, Block: t.block, Store: store.NewMemory(), K: 10,
		})
		if err != nil {
			return err
		}
		s.Go("client", func(ctx context.Context) error {
			for _, w := range []string{"a", "be", "sea"} {
				if err := pool.Offer(ctx, []byte(w)); err != nil {
					return err
				}
			}
			return nil
		})
		at := uint64(0)
		for range 3 {
			var raw []byte
			err := stm.Do(ctx, func(tx *stm.Tx) error {
				next, id, _, ok := pool.After(tx, at)
				tx.Check(ok)
				at = next
				raw, _ = pool.Bytes(tx, id)
				return nil
			})
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", raw)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// a
	// be
	// sea
}
