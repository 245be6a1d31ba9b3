package keepalive

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func samples() []table.Message {
	return []table.Message{&MsgPing{Cookie: 7}, &MsgPong{Cookie: 7}, &MsgDone{}}
}

func TestGolden(t *testing.T) {
	p2ptest.Golden(t, samples(), "00000003008107", "00000003018107", "0000000102")
}

func TestGenerated(t *testing.T) {
	files, err := gen.Files(Protocol(), gen.Config{Package: "keepalive"})
	require.NoError(t, errors.Join(err, gen.Check(".", files)))
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Protocol(), samples()...) }

func FuzzMessages(f *testing.F) {
	p2ptest.FuzzMessages(f, Protocol(), samples()...)
}

// A ping now and then gives the round trip time.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := simnet.NewLink(ctx, simnet.Config{Latency: 15 * time.Millisecond}).Pipe()
		rtt := NewRTT()
		inner, stop := env.WithCancel(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("answer", func(context.Context) error { _ = Answer(inner, p2p.Conn{Stream: b}); return nil })
			s.Go("ping", func(context.Context) error { _ = Ping(inner, p2p.Conn{Stream: a}, Config{RTT: rtt}); return nil })
			took, err := stm.Query(ctx, func(tx *stm.Tx) time.Duration {
				d, ok := rtt.Last(tx)
				tx.Check(ok)
				return d
			})
			fmt.Println(took)
			stop()
			return err
		})
	})
	fmt.Println(rep.Err)
	// Output:
	// 30ms
	// <nil>
}

// Ping goes on, in its rhythm, until it is cancelled; the responder then sees the reset, which is nobody's violation.
func TestPingsGoOn(t *testing.T) {
	for seed := range uint64(10) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			a, b := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond}).Pipe()
			short, cancel := env.WithTimeout(ctx, time.Hour)
			defer cancel()
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("answer", func(ctx context.Context) error {
					err := Answer(ctx, p2p.Conn{Stream: b})
					var r *p2p.ResetError
					if !errors.As(err, &r) || r.Code != p2p.CodeShutdown {
						return fmt.Errorf("the responder ended by %v", err)
					}
					return nil
				})
				if err := Ping(short, p2p.Conn{Stream: a}, Config{}); !errors.Is(err, context.DeadlineExceeded) {
					return fmt.Errorf("the initiator ended by %v", err)
				}
				return nil
			})
		})
		require.NoError(t, rep.Err)
		require.Greater(t, rep.Steps, 60*4*4, "four pings a minute")
	}
}

// Sessions that started at different times ping at the same moments, a period apart.
func TestPingsFallTogether(t *testing.T) {
	const every = 8 * time.Second
	var sent [3][]time.Time
	rep := sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for i := range sent {
				a, b := p2ptest.Pipe(ctx)
				s.Go("ping", func(ctx context.Context) error {
					short, cancel := env.WithTimeout(ctx, time.Hour)
					defer cancel()
					if err := env.Sleep(ctx, time.Duration(i)*2900*time.Millisecond); err != nil {
						return err
					}
					_ = Ping(short, p2p.Conn{Stream: a}, Config{Every: every})
					return nil
				})
				s.Go("answer", func(ctx context.Context) error {
					session := p2p.NewSession(ctx, Protocol(), table.Responder, p2p.Conn{Stream: b})
					for {
						m, err := session.Recv()
						if err != nil {
							return nil
						}
						sent[i] = append(sent[i], env.Now(ctx))
						if err := session.Send(&MsgPong{Cookie: m.(*MsgPing).Cookie}); err != nil {
							return err
						}
					}
				})
			}
			return nil
		})
	})
	require.NoError(t, rep.Err)
	for _, at := range sent {
		require.InDelta(t, float64(time.Hour/every), len(at), 3)
		require.GreaterOrEqual(t, at[1].Sub(at[0]), every/2)
		require.LessOrEqual(t, at[1].Sub(at[0]), every*3/2)
		for i, now := range at[1:] {
			require.Equal(t, now, now.Truncate(every), "ping %d", i+1)
		}
		for i := range at[2:] {
			require.Equal(t, every, at[i+2].Sub(at[i+1]))
		}
	}
}

// A peer that dies is noticed while we rest.
func TestPingNoticesTheEnd(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		l := simnet.NewLink(ctx, simnet.Config{})
		a, b := l.Pipe()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("answer", func(ctx context.Context) error { _ = Answer(ctx, p2p.Conn{Stream: b}); return nil })
			s.Go("cut", func(ctx context.Context) error { return errors.Join(env.Sleep(ctx, 25*time.Second), l.Cut(ctx)) })
			if err := Ping(ctx, p2p.Conn{Stream: a}, Config{}); !errors.Is(err, p2p.ErrGone) {
				return fmt.Errorf("ended by %v", err)
			}
			return nil
		})
	})
	require.NoError(t, rep.Err)
	require.Equal(t, 25*time.Second, rep.Elapsed)
}

// Another cookie is a violation; Done is a good end.
func TestWrongCookieAndDone(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := p2ptest.Pipe(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("liar", func(ctx context.Context) error {
				session := p2p.NewSession(ctx, Protocol(), table.Responder, p2p.Conn{Stream: b})
				m, err := session.Recv()
				if err != nil {
					return err
				}
				_, err = b.Write(p2ptest.FrameOf(&MsgPong{Cookie: m.(*MsgPing).Cookie + 1}))
				_, _ = b.Read(make([]byte, 1))
				return err
			})
			var v *p2p.Violation
			if err := Ping(ctx, p2p.Conn{Stream: a}, Config{}); !errors.As(err, &v) || v.Kind != p2p.Invalid || v.State != "Pinged" {
				return fmt.Errorf("ended by %v", err)
			}
			a, b := p2ptest.Pipe(ctx)
			s.Go("done", func(ctx context.Context) error {
				session := p2p.NewSession(ctx, Protocol(), table.Initiator, p2p.Conn{Stream: a})
				return errors.Join(session.Send(&MsgDone{}), session.Close(time.Second))
			})
			return Answer(ctx, p2p.Conn{Stream: b})
		})
	})
	require.NoError(t, rep.Err)
}

func TestConfigIsChecked(t *testing.T) {
	for _, every := range []time.Duration{-1, time.Minute + 1} {
		require.ErrorContains(t, Ping(context.Background(), p2p.Conn{}, Config{Every: every}), "Config.Every")
	}
}
