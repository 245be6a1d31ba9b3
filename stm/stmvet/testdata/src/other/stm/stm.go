// Package stm is another author's.
package stm

type Tx struct{}

func Atomically(f func(*Tx)) { f(nil) }
