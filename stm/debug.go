package stm

import "sync/atomic"

type extraTx struct{}

var debugging atomic.Pointer[extraTx]

// debugTx is a Tx whose bodies go through checked.
func debugTx() *Tx { tx := newTx(); tx.extra = new(extraTx); return tx }

func checked[T any](f func(*Tx) (T, error)) func(*Tx) (T, error) { return f }

func (v *Var[T]) lookup(tx *Tx) T {
	w, p := tx.read(&v.c)
	return decode[T](v.c.kind, w, p)
}

func (v *Var[T]) assign(tx *Tx, x T) {
	e := tx.writeTo(&v.c)
	e.w, e.p = encode(v.c.kind, x)
}

func (tx *Tx) contended() {}

func (tx *Tx) misuse() string { return "stm: Tx used outside its function" }
