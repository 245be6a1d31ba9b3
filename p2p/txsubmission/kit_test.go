package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func config(p *pool) Config {
	return Config{
		Sink:  func(p2p.PeerID) Sink { return p },
		Full:  func(err error) bool { return errors.Is(err, errFull) },
		Blame: func(err error) bool { return errors.Is(err, errMalformed) },
	}
}

// offering is a sink that is offered transactions in another way.
type offering struct {
	Sink
	offer func(ctx context.Context, raw []byte) error
}

func (o offering) Offer(ctx context.Context, raw []byte) error { return o.offer(ctx, raw) }

// offer makes cfg offer transactions in another way.
func (cfg *Config) offer(f func(ctx context.Context, raw []byte) error) {
	sink := cfg.Sink
	cfg.Sink = func(peer p2p.PeerID) Sink { return offering{sink(peer), f} }
}

func client(cfg Config) *Client {
	c, err := NewClient(cfg)
	if err != nil {
		panic(err)
	}
	return c
}

type responder func(context.Context, p2p.Conn) error

func serving(src Source) responder {
	return func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, src) }
}

// answering is a server that makes each answer of a function; nil is a stall.
func answering(answer func(asked table.Message) table.Message) responder {
	return func(ctx context.Context, c p2p.Conn) error {
		s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
		for {
			asked, err := s.Recv()
			if err != nil {
				return err
			}
			m := answer(asked)
			if m == nil {
				_, err := p2p.Wait(ctx, s, stm.Retry[int])
				return err
			}
			if err := s.Send(m); err != nil {
				return err
			}
		}
	}
}

// dictate answers by a script, whatever is asked, and then stalls.
func dictate(answers ...table.Message) responder {
	return answering(func(table.Message) table.Message {
		if len(answers) == 0 {
			return nil
		}
		m := answers[0]
		answers = answers[1:]
		return m
	})
}

func announce(raws ...[]byte) *MsgReplyIDs {
	m := &MsgReplyIDs{}
	for _, raw := range raws {
		m.IDs = append(m.IDs, Announced{ID: chain.HashOf(raw), Bytes: uint32(len(raw))})
	}
	return m
}

func bring(raws ...[]byte) *MsgReplyTxs { return &MsgReplyTxs{Txs: raws} }

var errEnough = errors.New("the test has seen enough")

// result is what became of some sessions of one client.
type result struct {
	taps  []*tap
	ended []error
}

// asked is how many transactions were asked for, and how often the most wanted one.
func (r result) asked() (count, most int) {
	times := map[chain.Hash]int{}
	for _, t := range r.taps {
		for id, n := range t.asked {
			times[id] += n
		}
	}
	for _, n := range times {
		count, most = count+1, max(most, n)
	}
	return count, most
}

// honest says what ended otherwise than by the test's end.
func (r result) honest() error {
	var err error
	for _, e := range r.ended {
		if !errors.Is(e, errEnough) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// pulling runs a Pull from each server, peers "0", "1", ..., until watch returns. It checks what holds for every session: no limit was
// passed, no lease is left.
func pulling(ctx context.Context, c *Client, watch func(ctx context.Context) error, servers ...responder) (result, error) {
	inner, cancel := env.WithCancelCause(ctx)
	r := result{ended: make([]error, len(servers))}
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i, serve := range servers {
			a, b := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond, Jitter: time.Millisecond, WindowBytes: 8 << 10}).Pipe()
			t := &tap{Stream: a, bytesMax: c.cfg.BytesMax}
			r.taps = append(r.taps, t)
			s.Go("server", func(context.Context) error { _ = serve(inner, p2p.Conn{Peer: "client", Stream: b}); return nil })
			s.Go("client", func(context.Context) error {
				r.ended[i] = c.Pull(inner, p2p.Conn{Peer: p2p.PeerID(fmt.Sprint(i)), Stream: t})
				return nil
			})
		}
		err := watch(ctx)
		cancel(errEnough)
		return err
	})
	for _, t := range r.taps {
		err = errors.Join(err, t.err)
	}
	if left, _ := stm.Query(env.WithoutCancel(ctx), c.leases.Len); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d leases left", left))
	}
	return r, err
}

func inBoth(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	t.Run("simulation", func(t *testing.T) {
		for seed := range uint64(10) {
			require.NoError(t, sim.Run(seed, f).Err, "seed %d", seed)
		}
	})
	t.Run("production", func(t *testing.T) { require.NoError(t, f(context.Background())) })
}

// violates checks that a session ended by the peer's fault, of that kind, in that state.
func violates(err error, kind p2p.ViolationKind, state table.StateID) error {
	var v *p2p.Violation
	if !errors.As(err, &v) || v.Kind != kind || v.State != state {
		return fmt.Errorf("no violation of kind %v in %s but: %v", kind, state, err)
	}
	return nil
}
