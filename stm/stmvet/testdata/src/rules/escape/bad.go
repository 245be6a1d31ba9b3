package escape

import (
	"context"

	"kit/registry"
	"kit/stm"
)

type view struct{ tx *stm.Tx }

var leaked *stm.Tx

var hooks []func() int

func bad(ctx context.Context, w *view, ch chan *stm.Tx, v *stm.Var[int], s *registry.Scope, fv *stm.Var[func() int]) {
	var saved *stm.Tx
	var later func() int
	var all []*stm.Tx
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		leaked = tx // want `tx is stored: it is valid in its body alone; pass it as a parameter, and take values out \[escape\]`
		saved = tx  // want `tx is stored`
		w.tx = tx   // want `tx is stored`
		var own view
		own.tx = tx                                                      // want `tx is stored`
		_ = view{tx}                                                     // want `tx is stored`
		_ = &view{tx: tx}                                                // want `tx is stored`
		all = append(all, tx)                                            // want `the append` `tx is stored`
		ch <- tx                                                         // want `a send` `tx is sent on a channel`
		go use(tx)                                                       // want `a go` `tx is given to another goroutine`
		go func() { v.Get(tx) }()                                        // want `a go` `tx is used in a function that is given to another goroutine`
		tx.OnCommit(func() { v.Get(tx) })                                // want `tx is used in a function that is given to OnCommit, which runs it when the transaction is over`
		later = func() int { return v.Get(tx) }                          // want `tx is used in a function that is stored`
		hooks = append(hooks, func() int { return v.Get(tx) })           // want `the append` `tx is used in a function that is stored`
		fv.Set(tx, func() int { return v.Get(tx) })                      // want `tx is used in a function that is given to a function that keeps it`
		s.Go("x", func(context.Context) error { v.Get(tx); return nil }) // want `Scope.Go` `tx is used in a function that is given to another goroutine`
		f := func() int { return v.Get(tx) }                             // want `tx is used in a function that is stored`
		later = f
		retry := tx.Retry // a method value is a function like any other
		_ = retry
		return nil
	})
	_, _ = saved, later
}

func returned(tx *stm.Tx) (*stm.Tx, func()) {
	return tx, tx.Retry // want `tx is returned` `tx is returned`
}

func closure(tx *stm.Tx, v *stm.Var[int]) func() int {
	return func() int { return v.Get(tx) } // want `tx is used in a function that is returned`
}

func use(tx *stm.Tx) {}
