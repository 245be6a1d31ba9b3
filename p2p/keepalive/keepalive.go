package keepalive

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

const (
	everyDefault = 15 * time.Second
	everyMax     = time.Minute
	closeLimit   = 5 * time.Second
)

// RTT is a peer's round trip time, written by Ping: a query for whoever chooses between peers.
type RTT struct{ last *stm.Var[time.Duration] }

// NewRTT is an RTT without a measurement.
func NewRTT() *RTT { return &RTT{stm.NewVar(time.Duration(-1)).Label("keepalive.rtt")} }

// Last is the newest measurement; false before the first.
func (r *RTT) Last(tx *stm.Tx) (time.Duration, bool) {
	d := r.last.Get(tx)
	return max(d, 0), d >= 0
}

// Config configures Ping. The zero value is ready.
type Config struct {
	Every time.Duration // the period, default 15 s, at most 1 min
	RTT   *RTT          // may be nil
}

// Ping runs the initiator's side until ctx or the session ends; it never returns nil.
func Ping(ctx context.Context, c p2p.Conn, cfg Config) error {
	if cfg.Every == 0 {
		cfg.Every = everyDefault
	}
	if cfg.Every < 0 || cfg.Every > everyMax {
		return fmt.Errorf("keepalive: Config.Every %v, of more than 0 to %v", cfg.Every, everyMax)
	}
	idle, s := NewInitiator(ctx, c)
	defer func() { _ = s.Close(closeLimit) }() // its error has been returned
	for {
		var err error
		if idle, err = ping(ctx, idle, cfg.RTT); err != nil {
			return err
		}
		next := cfg.next(env.Now(ctx))
		_, err = p2p.Wait(ctx, s, func(tx *stm.Tx) bool {
			tx.Check(env.Reached(tx, next))
			return true
		})
		if err != nil {
			return err
		}
	}
}

// next is the first multiple of the period that is at least half a period away.
func (c Config) next(now time.Time) time.Time {
	return now.Add(c.Every * 3 / 2).Truncate(c.Every)
}

// ping is one round trip. That the same cookie comes back is a rule of the table.
func ping(ctx context.Context, idle InitiatorIdle, rtt *RTT) (InitiatorIdle, error) {
	sent := env.Now(ctx)
	pinged, err := idle.Ping(&MsgPing{Cookie: uint16(env.Rand(ctx).Uint32())})
	if err != nil {
		return InitiatorIdle{}, err
	}
	_, idle, err = pinged.Recv()
	if err != nil || rtt == nil {
		return idle, err
	}
	took := max(env.Now(ctx).Sub(sent), 0)
	return idle, stm.Do(ctx, func(tx *stm.Tx) error { rtt.last.Set(tx, took); return nil })
}

// Answer runs the responder's side until the peer says Done (nil) or the session ends otherwise.
func Answer(ctx context.Context, c p2p.Conn) error {
	idle, s := NewResponder(ctx, c)
	for {
		m, err := idle.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *ResponderIdleDone:
			return s.Close(closeLimit)
		case *ResponderIdlePing:
			if idle, err = m.Next.Pong(&MsgPong{Cookie: m.Cookie}); err != nil {
				return err
			}
		}
	}
}
