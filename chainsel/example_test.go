package chainsel_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// story is a ledger whose state is a text; blocks add words to it.
type story struct{}

func (story) Apply(s string, b chain.Block) (string, error) {
	if len(b.Body) == 0 {
		return s, errors.New("a block without a word")
	}
	return s + " " + string(b.Body), nil
}

// next makes the block of one more word.
func next(t chain.Tip, word string) chain.Block {
	h := chain.NewHeader(chain.Fields{
		Slot: t.Point.Slot + 1, BlockNo: t.BlockNo + 1, Prev: t.Point.Hash,
		BodyHash: chain.HashOf([]byte(word)), BodySize: uint32(len(word)),
	}, nil)
	b, err := chain.NewBlock(h, []byte(word))
	if err != nil {
		panic(err)
	}
	return b
}

var root = chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("once"))}}

// run opens a chain and runs f with it.
func run(f func(ctx context.Context, c *chainsel.Chain[string]) error) {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := chainsel.Open(ctx, s, chainsel.Config[string]{
			Genesis: root, Initial: "once", K: 10, Ledger: story{}, Store: store.NewMemory(),
		})
		if err != nil {
			return err
		}
		return f(ctx, c)
	})
	if err != nil {
		fmt.Println(err)
	}
}

// decide hands in a block and waits for what becomes of it.
func decide(ctx context.Context, c *chainsel.Chain[string], b chain.Block) chainsel.Result {
	added, err := c.AddBlock(ctx, b)
	if err != nil {
		return chainsel.Result{Verdict: chainsel.Invalid, Err: err}
	}
	r, err := added.Wait(ctx)
	if err != nil {
		panic(err)
	}
	return r
}

// The longest valid chain wins; everything else has a verdict.
func ExampleChain() {
	run(func(ctx context.Context, c *chainsel.Chain[string]) error {
		a := next(root, "upon")
		b := next(root, "there")
		c1, d1 := next(b.Header.Tip(), "was"), next(b.Header.Tip(), "")
		for _, x := range []chain.Block{a, c1, b, next(d1.Header.Tip(), "end"), d1, next(c1.Header.Tip(), "")} {
			fmt.Printf("%q: %v\n", x.Body, decide(ctx, c, x).Verdict)
		}
		story, err := stm.Query(ctx, func(tx *stm.Tx) string {
			last, _ := c.LastSwitch(tx)
			return fmt.Sprintf("%q after %d rollback of %d", c.Selection(tx).State, c.Rollbacks(tx), last.Depth)
		})
		fmt.Println(story)
		return err
	})
	// Output:
	// "upon": extended
	// "was": waiting
	// "there": switched
	// "end": waiting
	// "": invalid
	// "": invalid
	// "once there was" after 1 rollback of 1
}

// A follower gives its consumer, step by step, what the consumer needs to have the selected chain.
func ExampleFollower() {
	run(func(ctx context.Context, c *chainsel.Chain[string]) error {
		f, err := c.NewFollower(ctx)
		if err != nil {
			return err
		}
		defer f.Close(ctx)
		follow := func() error {
			for {
				var step chain.Step
				more := false
				if err := stm.Do(ctx, func(tx *stm.Tx) error { step, more = f.Next(tx); return nil }); err != nil || !more {
					return err
				}
				if step.Header == nil {
					fmt.Println("back to slot", step.To.Slot)
				} else {
					fmt.Println("block", step.Header.BlockNo())
				}
			}
		}
		a := next(root, "upon")
		b := next(a.Header.Tip(), "a")
		decide(ctx, c, a)
		decide(ctx, c, b)
		if err := follow(); err != nil {
			return err
		}
		x := next(a.Header.Tip(), "the")
		y := next(x.Header.Tip(), "time")
		decide(ctx, c, y)
		decide(ctx, c, x)
		return follow()
	})
	// Output:
	// block 1
	// block 2
	// back to slot 1
	// block 2
	// block 3
}

// Bodies are served from the disk or from memory, wherever the block is.
func ExampleChain_Range() {
	run(func(ctx context.Context, c *chainsel.Chain[string]) error {
		tip := root
		var points []chain.Point
		for _, word := range []string{"upon", "a", "time"} {
			b := next(tip, word)
			decide(ctx, c, b)
			tip, points = b.Header.Tip(), append(points, b.Point())
		}
		for b, err := range c.Range(ctx, points[1], points[2]) {
			fmt.Printf("%q %v\n", b.Body, err)
		}
		for _, err := range c.Range(ctx, points[2], points[1]) {
			fmt.Println(errors.Is(err, chainsel.ErrNotFound))
		}
		return nil
	})
	// Output:
	// "a" <nil>
	// "time" <nil>
	// true
}

func ExampleLongest() {
	low := chain.Tip{BlockNo: 1, Point: chain.Point{Hash: chain.Hash{1}}}
	other := chain.Tip{BlockNo: 1, Point: chain.Point{Hash: chain.Hash{2}}}
	high := chain.Tip{BlockNo: 2, Point: chain.Point{Hash: chain.Hash{3}}}
	var o chainsel.Longest
	fmt.Println(o.Compare(high, low) > 0, o.Compare(low, other) > 0, o.Compare(low, low))
	// Output: true true 0
}
