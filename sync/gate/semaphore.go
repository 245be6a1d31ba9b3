package gate

import (
	"context"
	"errors"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// ErrNever is what waiting for more than there will ever be fails with.
var ErrNever = errors.New("gate: more than there will ever be")

// Semaphore is a number of permits, given to those who come in the order in which they come.
type Semaphore struct {
	size int
	free *stm.Var[int]
	line *prop.Line
}

// NewSemaphore makes a semaphore of size permits.
func NewSemaphore(size int) *Semaphore {
	if size < 1 {
		panic("gate: a semaphore without permits")
	}
	return &Semaphore{size, stm.NewVar(size).Label("semaphore.free"), prop.NewLine("semaphore")}
}

// Label names the semaphore's Vars for dumps and traces, and returns the semaphore, which nobody uses yet.
func (s *Semaphore) Label(name string) *Semaphore {
	s.free.Label(name + ".free")
	s.line.Label(name)
	return s
}

// Props is the semaphore's contract.
func (s *Semaphore) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: s.size, Full: prop.Waits, Fair: true}
}

// Acquire takes n permits, and waits for them in line. With an error it has taken none.
func (s *Semaphore) Acquire(ctx context.Context, n int) error {
	if s.check(n); n > s.size {
		return ErrNever
	}
	_, err := prop.InLine(ctx, s.line, func(tx *stm.Tx) (none struct{}, err error) {
		if !s.take(tx, n) {
			return none, stm.ErrRetry
		}
		return none, nil
	})
	return err
}

// TryAcquire takes n permits if they are free and nobody waits.
func (s *Semaphore) TryAcquire(tx *stm.Tx, n int) bool {
	s.check(n)
	return s.line.Empty(tx) && s.take(tx, n)
}

func (s *Semaphore) take(tx *stm.Tx, n int) bool {
	free := s.free.Get(tx)
	if free < n {
		return false
	}
	s.free.Set(tx, free-n)
	return true
}

// Release gives n permits back.
func (s *Semaphore) Release(tx *stm.Tx, n int) {
	s.check(n)
	free := s.free.Get(tx) + n
	if free > s.size {
		panic("gate: released more permits than were acquired")
	}
	s.free.Set(tx, free)
}

// With runs f with n permits.
func (s *Semaphore) With(ctx context.Context, n int, f func(ctx context.Context) error) error {
	if err := s.Acquire(ctx, n); err != nil {
		return err
	}
	defer surely(ctx, func(tx *stm.Tx) { s.Release(tx, n) })
	return f(ctx)
}

// Free is how many permits nobody has.
func (s *Semaphore) Free(tx *stm.Tx) int { return s.free.Get(tx) }

func (s *Semaphore) check(n int) {
	if n < 1 {
		panic("gate: less than one permit")
	}
}

// surely commits f, which never waits, also after the end of ctx.
func surely(ctx context.Context, f func(tx *stm.Tx)) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { f(tx); return nil })
}
