package gate

import (
	"context"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Mode is what a RAWLock is held for.
type Mode int

// The modes. Readers share with readers and the appender, the appender with readers, the writer with nobody.
const (
	Read Mode = iota
	Append
	Write
)

// RAWLock is a lock for readers, one appender or one writer.
type RAWLock struct {
	held *stm.Var[held]
	line *prop.Line
}

// held is who has the lock. It is one word.
type held struct {
	readers  int32
	appender int16
	writer   int16
}

// NewRAWLock makes a lock that nobody has.
func NewRAWLock() *RAWLock {
	return &RAWLock{stm.NewVar(held{}).Label("lock.held"), prop.NewLine("lock")}
}

// Label names the lock's Vars for dumps and traces, and returns the lock, which nobody uses yet.
func (l *RAWLock) Label(name string) *RAWLock {
	l.held.Label(name + ".held")
	l.line.Label(name)
	return l
}

// Props is the lock's contract. Its Capacity is that of the mode Write.
func (l *RAWLock) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: 1, Full: prop.Waits, Fair: true}
}

// Acquire takes the lock in a mode, and waits for it in line. With an error it has not taken it.
func (l *RAWLock) Acquire(ctx context.Context, m Mode) error {
	_, err := prop.InLine(ctx, l.line, func(tx *stm.Tx) (none struct{}, err error) {
		if !l.take(tx, m) {
			return none, stm.ErrRetry
		}
		return none, nil
	})
	return err
}

// TryAcquire takes the lock in a mode if that is possible at once and nobody waits.
func (l *RAWLock) TryAcquire(tx *stm.Tx, m Mode) bool { return l.line.Empty(tx) && l.take(tx, m) }

func (l *RAWLock) take(tx *stm.Tx, m Mode) bool {
	h := l.held.Get(tx)
	switch {
	case h.writer > 0, m == Write && h != held{}, m == Append && h.appender > 0:
		return false
	}
	l.held.Set(tx, h.plus(m, 1))
	return true
}

func (h held) plus(m Mode, n int16) held {
	switch m {
	case Read:
		h.readers += int32(n)
	case Append:
		h.appender += n
	case Write:
		h.writer += n
	default:
		panic("gate: no such mode")
	}
	return h
}

// Release gives the lock back.
func (l *RAWLock) Release(tx *stm.Tx, m Mode) {
	h := l.held.Get(tx).plus(m, -1)
	if h.readers < 0 || h.appender < 0 || h.writer < 0 {
		panic("gate: released a lock that was not held so")
	}
	l.held.Set(tx, h)
}

// With runs f with the lock in a mode.
func (l *RAWLock) With(ctx context.Context, m Mode, f func(ctx context.Context) error) error {
	if err := l.Acquire(ctx, m); err != nil {
		return err
	}
	defer surely(ctx, func(tx *stm.Tx) { l.Release(tx, m) })
	return f(ctx)
}

// RWLock is a lock for readers or one writer. A Lock that nobody reads is a mutex.
type RWLock struct{ raw *RAWLock }

// NewRWLock makes a lock that nobody has.
func NewRWLock() *RWLock { return &RWLock{NewRAWLock()} }

// Label names the lock's Vars for dumps and traces, and returns the lock, which nobody uses yet.
func (l *RWLock) Label(name string) *RWLock {
	l.raw.Label(name)
	return l
}

// Props is the lock's contract. Its Capacity is that of the writer.
func (l *RWLock) Props() prop.Props { return l.raw.Props() }

// Lock takes the lock alone, and waits for it in line. With an error it has not taken it.
func (l *RWLock) Lock(ctx context.Context) error { return l.raw.Acquire(ctx, Write) }

// RLock takes the lock for reading, and waits for it in line: not only for a writer that has the lock, but also for one
// that came before. With an error it has not taken it.
func (l *RWLock) RLock(ctx context.Context) error { return l.raw.Acquire(ctx, Read) }

// TryLock takes the lock alone if that is possible at once and nobody waits.
func (l *RWLock) TryLock(tx *stm.Tx) bool { return l.raw.TryAcquire(tx, Write) }

// TryRLock takes the lock for reading if that is possible at once and nobody waits.
func (l *RWLock) TryRLock(tx *stm.Tx) bool { return l.raw.TryAcquire(tx, Read) }

// Unlock gives back what Lock took.
func (l *RWLock) Unlock(tx *stm.Tx) { l.raw.Release(tx, Write) }

// RUnlock gives back what RLock took.
func (l *RWLock) RUnlock(tx *stm.Tx) { l.raw.Release(tx, Read) }

// With runs f with the lock, alone.
func (l *RWLock) With(ctx context.Context, f func(ctx context.Context) error) error {
	return l.raw.With(ctx, Write, f)
}

// WithRead runs f with the lock for reading.
func (l *RWLock) WithRead(ctx context.Context, f func(ctx context.Context) error) error {
	return l.raw.With(ctx, Read, f)
}
