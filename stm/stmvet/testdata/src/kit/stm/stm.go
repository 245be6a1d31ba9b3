// Package stm has the shape of the real one, and what its engine may do.
package stm

import (
	"context"
	"iter"
	"sync"
	"time"
)

type Tx struct {
	mu    sync.Mutex
	after []func()
}

type Var[T any] struct{ x T }

type Waiter struct{}

var last *Tx

// The engine is not looked at: it locks, keeps transactions and returns them.
func keep(tx *Tx) *Tx {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	last = tx
	return tx
}

func NewVar[T any](x T) *Var[T]                       { return &Var[T]{x} }
func (v *Var[T]) Get(tx *Tx) T                        { keep(tx); return v.x }
func (v *Var[T]) Set(tx *Tx, x T)                     { v.x = x }
func (v *Var[T]) Update(tx *Tx, f func(T) T)          { v.x = f(v.x) }
func (v *Var[T]) Load(ctx context.Context) T          { return v.x }
func (tx *Tx) Retry()                                 {}
func (tx *Tx) Check(cond bool)                        {}
func (tx *Tx) OnCommit(f func())                      { tx.after = append(tx.after, f) }
func (tx *Tx) Now() time.Time                         { return time.Now() }
func Try(tx *Tx, f func(tx *Tx) error) error          { return f(tx) }
func Do(ctx context.Context, f func(*Tx) error) error { return f(&Tx{}) }

func Atomically[T any](ctx context.Context, f func(*Tx) (T, error)) (T, error) { return f(&Tx{}) }
func Query[T any](ctx context.Context, q func(*Tx) T) (T, error)               { return q(&Tx{}), nil }

func Poll[T any](ctx context.Context, q func(*Tx) T) (T, *Waiter, error) { return q(&Tx{}), nil, nil }

func Watch[T comparable](ctx context.Context, q func(*Tx) T) iter.Seq2[T, error] { return nil }

func OrElse[T any](tx *Tx, first, second func(*Tx) T) T { return first(tx) }

func Select[T any](tx *Tx, alternatives ...func(*Tx) (T, error)) (T, error) {
	return alternatives[0](tx)
}
