package env

import (
	"context"
	"math/rand/v2"
	"time"

	"kit/stm"
)

type Clock struct{}

type Timer struct{}

func Now(ctx context.Context) time.Time                    { return time.Now() }
func ClockOf(ctx context.Context) Clock                    { return Clock{} }
func (Clock) Now() time.Time                               { return time.Now() }
func (Clock) Elapsed() time.Duration                       { return 0 }
func Time(tx *stm.Tx) time.Time                            { return tx.Now() }
func Reached(tx *stm.Tx, at time.Time) bool                { return !tx.Now().Before(at) }
func Sleep(ctx context.Context, d time.Duration) error     { return nil }
func NewTimer(ctx context.Context, d time.Duration) *Timer { return nil }
func (*Timer) Fired(tx *stm.Tx) bool                       { return false }
func (*Timer) Stop() bool                                  { return false }
func Rand(ctx context.Context) *rand.Rand                  { return nil }
func Choose(ctx context.Context, label string, n int) int  { return 0 }
func Fault(ctx context.Context, site string) error         { return nil }
func WithoutCancel(ctx context.Context) context.Context    { return ctx }
