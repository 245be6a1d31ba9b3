package keepalive

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
)

const (
	everyDefault = 15 * time.Second
	everyMax     = time.Minute
	pingLimit    = 5 * time.Minute
	pongLimit    = time.Minute
	closeLimit   = 5 * time.Second
)

// The states.
const (
	StateClient table.StateID = "Client"
	StateServer table.StateID = "Server"
	StateDone   table.StateID = "Done"
)

// Protocol is the table.
func Protocol() *table.Protocol {
	client, server := []table.StateID{StateClient}, []table.StateID{StateServer}
	return &table.Protocol{
		Name: "keepalive", Version: 1, Initial: StateClient,
		States: []table.State{
			{Name: StateClient, Agency: table.Initiator, BytesMax: 8, Timeout: pingLimit},
			{Name: StateServer, Agency: table.Responder, BytesMax: 8, Timeout: pongLimit},
			{Name: StateDone},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Ping", From: client, To: StateServer, New: func() table.Message { return new(MsgPing) }},
			{Tag: 1, Name: "Pong", From: server, To: StateClient, New: func() table.Message { return new(MsgPong) }},
			{Tag: 2, Name: "Done", From: client, To: StateDone, New: func() table.Message { return new(MsgDone) }},
		},
	}
}

// MsgPing asks for its cookie back.
type MsgPing struct {
	_      struct{} `cbor:",toarray"`
	Cookie uint16
}

// MsgPong gives the cookie back.
type MsgPong struct {
	_      struct{} `cbor:",toarray"`
	Cookie uint16
}

// MsgDone ends the session.
type MsgDone struct{ table.Empty }

// Tag implements table.Message.
func (*MsgPing) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgPong) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgDone) Tag() byte { return 2 }

// AppendTo implements table.Message.
func (m *MsgPing) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgPong) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgPing) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgPong) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

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
	s := p2p.NewSession(ctx, Protocol(), table.Initiator, c)
	defer func() { _ = s.Close(closeLimit) }() // its error has been returned
	for {
		if err := ping(ctx, s, cfg.RTT); err != nil {
			return err
		}
		next := cfg.next(env.Now(ctx))
		_, err := p2p.Wait(ctx, s, func(tx *stm.Tx) bool {
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

// ping is one round trip.
func ping(ctx context.Context, s *p2p.Session, rtt *RTT) error {
	cookie := uint16(env.Rand(ctx).Uint32())
	sent := env.Now(ctx)
	if err := s.Send(&MsgPing{Cookie: cookie}); err != nil {
		return err
	}
	m, err := s.Recv()
	if err != nil {
		return err
	}
	if got := m.(*MsgPong).Cookie; got != cookie {
		return s.Invalid(fmt.Errorf("keepalive: cookie %d came back as %d", cookie, got))
	}
	if rtt == nil {
		return nil
	}
	took := max(env.Now(ctx).Sub(sent), 0)
	return stm.Do(ctx, func(tx *stm.Tx) error { rtt.last.Set(tx, took); return nil })
}

// Answer runs the responder's side until the peer says Done (nil) or the session ends otherwise.
func Answer(ctx context.Context, c p2p.Conn) error {
	s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
	for {
		m, err := s.Recv()
		if err != nil {
			_ = s.Close(0) // ended already
			return err
		}
		ping, ok := m.(*MsgPing)
		if !ok {
			return s.Close(closeLimit)
		}
		if err := s.Send(&MsgPong{Cookie: ping.Cookie}); err != nil {
			_ = s.Close(0)
			return err
		}
	}
}
