package cell_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
)

// merge keeps the class and is not symmetric.
func merge(old, new int) int { return 2*old + new - 2*proptest.Class(old) }

func kits() []proptest.Kit {
	return []proptest.Kit{
		{Name: "mvar", New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
			m := cell.NewMVar[int]()
			return m, proptest.Same(n, m)
		}},
		{Name: "promise", New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
			p := cell.NewPromise[int]()
			var all []proptest.Source
			for range n {
				all = append(all, proptest.Plain(p.Reader()))
			}
			return p, all
		}},
		{Name: "watch", New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
			w := cell.NewWatch(-1)
			var all []proptest.Source
			for range n {
				r := w.Reader()
				all = append(all, func(tx *stm.Tx) (int, int, error) {
					if _, nth := w.Newest(tx); nth == 1 {
						r.Skip(tx) // the model starts without a value
					}
					v, err := r.Take(tx)
					return v, 0, err
				})
			}
			return w, all
		}},
		mailbox("mailbox", func(m *cell.Mailbox[int, int]) prop.Source[int] { return m }),
		mailbox("checkout", func(m *cell.Mailbox[int, int]) prop.Source[int] { return checkout{m} }),
	}
}

func mailbox(name string, source func(m *cell.Mailbox[int, int]) prop.Source[int]) proptest.Kit {
	return proptest.Kit{Name: name, Merge: merge, New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
		m := cell.NewMailbox(2, proptest.Class, merge)
		return m, proptest.Same(n, source(m))
	}}
}

// checkout takes by Checkout and Done in one transaction.
type checkout struct{ *cell.Mailbox[int, int] }

func (c checkout) Take(tx *stm.Tx) (int, error) {
	v, err := c.Checkout(tx)
	if err == nil {
		c.Done(tx, proptest.Class(v))
	}
	return v, err
}

func TestLaws(t *testing.T) {
	for _, k := range kits() {
		proptest.Run(t, k, simulate, long.N(100, 10_000))
	}
}

func TestShrinkable(t *testing.T) {
	for _, k := range kits() {
		rapid.Check(t, func(rt *rapid.T) {
			choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }
			require.NoError(rt, k.Sequence(context.Background(), choose))
		})
	}
}
