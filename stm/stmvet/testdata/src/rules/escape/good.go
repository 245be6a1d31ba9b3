package escape

import (
	"context"
	"iter"
	"slices"

	"kit/stm"
)

func good(ctx context.Context, v *stm.Var[int], vs []*stm.Var[int]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		same := tx
		use(same)
		get := func(v *stm.Var[int]) int { return v.Get(tx) }
		_ = get(v)
		parts := struct{ get func() int }{func() int { return v.Get(tx) }}
		_ = parts.get()
		defer func() { v.Set(tx, 1) }()
		slices.SortFunc(vs, func(a, b *stm.Var[int]) int { return a.Get(tx) - b.Get(tx) })
		alternatives := []func(*stm.Tx) (int, error){func(tx *stm.Tx) (int, error) { return v.Get(tx), nil }}
		alternatives = append(alternatives, func(tx *stm.Tx) (int, error) { return 1, nil })
		n, err := stm.Select(tx, alternatives...)
		tx.OnCommit(func() { println(n) })
		for x := range all(tx, vs) {
			v.Set(tx, x)
		}
		return err
	})
}

// An iterator over what a transaction sees is used where it is made.
func all(tx *stm.Tx, vs []*stm.Var[int]) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, v := range vs {
			if !yield(v.Get(tx)) {
				return
			}
		}
	}
}

// A part that takes its transaction later.
func part(v *stm.Var[int]) func(tx *stm.Tx) int { return func(tx *stm.Tx) int { return v.Get(tx) } }

func plan(tx *stm.Tx, v *stm.Var[int]) func() int {
	n := v.Get(tx)
	return func() int { return n }
}
