package gate

import (
	"context"
	"math"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Limiter is a bucket of tokens, full at first, to which one is added every so often. It is a token bucket.
type Limiter struct {
	every time.Duration
	burst int
	paid  *stm.Var[time.Time] // when the bucket will be full again
	line  *prop.Line
}

// NewLimiter makes a limiter of one token every so often, of which at most burst are saved.
func NewLimiter(every time.Duration, burst int) *Limiter {
	checkRate(every, burst)
	return &Limiter{every, burst, stm.NewVar(time.Time{}).Label("limiter"), prop.NewLine("limiter")}
}

func checkRate(every time.Duration, n int) {
	if every <= 0 || n < 1 || time.Duration(n) > math.MaxInt64/4/every {
		panic("gate: a rate or a capacity out of range")
	}
}

// Props is the limiter's contract.
func (l *Limiter) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: l.burst, Full: prop.Waits, Fair: true}
}

// Wait takes n tokens, and waits for them in line. With an error it has taken none.
func (l *Limiter) Wait(ctx context.Context, n int) error {
	if checkTokens(n); n > l.burst {
		return ErrNever
	}
	_, err := prop.InLine(ctx, l.line, func(tx *stm.Tx) (none struct{}, err error) {
		if at := l.take(tx, n); !at.IsZero() {
			env.Reached(tx, at) // wakes the transaction then
			return none, stm.ErrRetry
		}
		return none, nil
	})
	return err
}

// Allow takes n tokens if they are there and nobody waits.
func (l *Limiter) Allow(tx *stm.Tx, n int) bool {
	checkTokens(n)
	return n <= l.burst && l.line.Empty(tx) && l.take(tx, n).IsZero()
}

// take takes n tokens, or tells when there will be so many.
func (l *Limiter) take(tx *stm.Tx, n int) (at time.Time) {
	now := env.Time(tx)
	paid := later(l.paid.Get(tx), now).Add(time.Duration(n) * l.every)
	at = paid.Add(-time.Duration(l.burst) * l.every)
	if at.After(now) {
		return at
	}
	l.paid.Set(tx, paid)
	return time.Time{}
}

// Return gives n tokens back that were taken and not used.
func (l *Limiter) Return(tx *stm.Tx, n int) {
	checkTokens(n)
	l.paid.Set(tx, l.paid.Get(tx).Add(-time.Duration(n)*l.every))
}

// Tokens is how many whole tokens there are.
func (l *Limiter) Tokens(tx *stm.Tx) int {
	missing := max(l.paid.Get(tx).Sub(env.Time(tx)), 0)
	return l.burst - int((missing+l.every-1)/l.every)
}

func checkTokens(n int) {
	if n < 1 {
		panic("gate: less than one token")
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
