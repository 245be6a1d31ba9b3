// Package helper: functions without a transaction that bodies call.
package helper

import (
	"os"
	"sync"
	"time"

	"kit/stm"
)

type cache struct {
	mu sync.Mutex
	m  map[int]int
	v  stm.Var[int]
}

func (c *cache) look(k int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[k]
}

func (c *cache) deep(k int) int {
	if k == 0 {
		return c.deep(1)
	}
	return func() int { return c.look(k) }()
}

func generic[T any](x T) T { time.Sleep(1); return x }

type list[T any] struct{ mu sync.Mutex }

func (l *list[T]) len() int { l.mu.Lock(); return 0 }

func pure(k int) int { return k + 1 }

func plans() func() { return func() { os.Remove("x") } }

func body(tx *stm.Tx, c *cache, l *list[int]) {
	_ = c.look(c.v.Get(tx)) // want `look in a transaction comes to Mutex.Lock \(helper.go:\d+\): keep the state in a Var, and wait with tx.Check \[lock\]`
	_ = c.deep(1)           // want `deep in a transaction comes to Mutex.Lock`
	_ = generic(1)          // want `generic in a transaction comes to time.Sleep`
	_ = l.len()             // want `len in a transaction comes to Mutex.Lock`
	_ = pure(1)
	tx.OnCommit(plans())
	tx.OnCommit(func() { c.look(1) })
	func() {
		c.look(2) // want `look in a transaction`
	}()
}

func outside(c *cache) { c.look(1) }
