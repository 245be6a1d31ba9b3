package p2p_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func echoSamples() []table.Message {
	return []table.Message{&Say{word{Text: "word"}}, &Echoed{word{Text: "word"}}, &Bye{}}
}

func TestHostile(t *testing.T) { p2ptest.HostileSuite(t, Echo(), echoSamples()...) }

// inBoth runs f in a simulation, under many seeds, and in production.
func inBoth(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	t.Run("simulation", func(t *testing.T) {
		for seed := range uint64(10) {
			require.NoError(t, sim.Run(seed, f).Err, "seed %d", seed)
		}
	})
	t.Run("production", func(t *testing.T) { require.NoError(t, f(context.Background())) })
}

func link(ctx context.Context) *simnet.Link {
	return simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond, Jitter: time.Millisecond, WindowBytes: 4 << 10})
}

func start(ctx context.Context, role table.Agency, s p2p.Stream) *p2p.Session {
	return p2p.NewSession(ctx, Echo(), role, p2p.Conn{Peer: "peer", Stream: s})
}

// ask is one exchange, seen by the initiator.
func ask(s *p2p.Session, text string) error {
	if err := s.Send(&Say{word{Text: text}}); err != nil {
		return err
	}
	m, err := s.Recv()
	if err != nil {
		return err
	}
	if got := m.(*Echoed).Text; got != text {
		return fmt.Errorf("%q came back as %q", text, got)
	}
	return nil
}

func kind(err error) p2p.ViolationKind {
	var v *p2p.Violation
	if errors.As(err, &v) {
		return v.Kind
	}
	return 0
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// conversation is one whole session, both sides.
func conversation(ctx context.Context) error {
	a, b := link(ctx).Pipe()
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("responder", func(ctx context.Context) error { return echo(ctx, p2p.Conn{Peer: "a", Stream: b}) })
		me := start(ctx, table.Initiator, a)
		for i := range 10 {
			if err := ask(me, fmt.Sprint("word ", i)); err != nil {
				return err
			}
		}
		return errors.Join(me.Send(&Bye{}), me.Close(time.Minute))
	})
}

func TestConversation(t *testing.T) { inBoth(t, conversation) }

// The same seed gives the same trace, bit for bit, 300 times; other seeds give others.
func TestSameTraceTwice(t *testing.T) {
	hashes := map[uint64]uint64{}
	for i := range 300 {
		seed := uint64(i % 15)
		rep := sim.Run(seed, conversation)
		require.NoError(t, rep.Err)
		require.Greater(t, rep.Steps, 50)
		if h, ok := hashes[seed]; ok {
			require.Equal(t, h, rep.Hash, "seed %d", seed)
		}
		hashes[seed] = rep.Hash
	}
	distinct := map[uint64]bool{}
	for _, h := range hashes {
		distinct[h] = true
	}
	require.Len(t, distinct, len(hashes))
}

var errWhy = errors.New("the reason")

// A cancelled session ends at whatever it waits for, says why, and the peer is told.
func TestCancelAtEveryWait(t *testing.T) {
	waits := map[string]func(ctx context.Context, s *p2p.Session) error{
		"Recv": func(_ context.Context, s *p2p.Session) error {
			return errors.Join(s.Send(&Say{}), second(s.Recv()))
		},
		"Wait": func(ctx context.Context, s *p2p.Session) error {
			return second(p2p.Wait(ctx, s, func(tx *stm.Tx) int { tx.Retry(); return 0 }))
		},
		"Close": func(_ context.Context, s *p2p.Session) error {
			return errors.Join(s.Send(&Bye{}), s.Close(time.Hour))
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context) error { return cancelled(ctx, wait) })
		})
	}
}

func second[T any](_ T, err error) error { return err }

func cancelled(ctx context.Context, wait func(context.Context, *p2p.Session) error) error {
	a, b := link(ctx).Pipe()
	inner, cancel := env.WithCancelCause(ctx)
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("canceller", func(ctx context.Context) error {
			err := env.Sleep(ctx, 20*time.Millisecond)
			cancel(errWhy)
			return err
		})
		me := start(inner, table.Initiator, a)
		err := wait(inner, me)
		if e := check(errors.Is(err, context.Canceled) && errors.Is(err, errWhy), "ended by %v", err); e != nil {
			return e
		}
		return check(errors.Is(me.Close(time.Hour), errWhy), "Close gives another error")
	})
	if err != nil {
		return err
	}
	if err := env.Sleep(ctx, 10*time.Millisecond); err != nil { // the reset is on its way
		return err
	}
	_, err = io.Copy(io.Discard, b)
	var r *p2p.ResetError
	return check(errors.As(err, &r) && r.Code == p2p.CodeShutdown && r.Remote, "the peer reads %v", err)
}

// Cancelling a wait alone leaves the session usable.
func TestCancelledWaitOfAnotherContext(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		a, b := link(ctx).Pipe()
		return registry.Run(ctx, func(ctx context.Context, sc *registry.Scope) error {
			sc.Go("responder", func(ctx context.Context) error { return echo(ctx, p2p.Conn{Stream: b}) })
			s := start(ctx, table.Initiator, a)
			short, cancel := env.WithTimeout(ctx, 5*time.Millisecond)
			defer cancel()
			_, err := p2p.Wait(short, s, func(tx *stm.Tx) int { tx.Retry(); return 0 })
			if !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("ended by %v", err)
			}
			return errors.Join(ask(s, "still here"), s.Send(&Bye{}), s.Close(time.Minute))
		})
	})
}

// A cancelled context ends a write to a peer that does not read, too.
func TestCancelWhileWriting(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		a, _ := simnet.NewLink(ctx, simnet.Config{WindowBytes: 3}).Pipe()
		inner, cancel := env.WithCancelCause(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("canceller", func(ctx context.Context) error {
				err := env.Sleep(ctx, 20*time.Millisecond)
				cancel(errWhy)
				return err
			})
			me := start(inner, table.Initiator, a)
			err := errors.Join(me.Send(&Say{}), second(me.Recv()))
			return check(errors.Is(err, errWhy) && kind(err) == 0, "ended by %v", err)
		})
	})
}

// While we have agency the peer's end is noticed at once, in virtual time.
func TestWaitNoticesTheEnd(t *testing.T) {
	ends := map[string]struct {
		do   func(l *simnet.Link, ctx context.Context, b p2p.Stream) error
		want func(error) bool
	}{
		"connection lost": {func(l *simnet.Link, ctx context.Context, _ p2p.Stream) error { return l.Cut(ctx) },
			func(err error) bool { return errors.Is(err, p2p.ErrGone) }},
		"reset": {func(_ *simnet.Link, _ context.Context, b p2p.Stream) error { b.Reset(p2p.CodeShutdown); return nil },
			func(err error) bool { var r *p2p.ResetError; return errors.As(err, &r) && r.Remote }},
		"half closed": {func(_ *simnet.Link, _ context.Context, b p2p.Stream) error { return b.CloseWrite() },
			func(err error) bool { return errors.Is(err, io.EOF) }},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				l := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond})
				a, b := l.Pipe()
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					s.Go("peer", func(ctx context.Context) error {
						return errors.Join(env.Sleep(ctx, time.Second), end.do(l, ctx, b))
					})
					me := start(ctx, table.Initiator, a)
					_, err := p2p.Wait(ctx, me, func(tx *stm.Tx) int { tx.Retry(); return 0 })
					return errors.Join(check(end.want(err), "ended by %v", err), check(me.Close(0) == err, "not final"))
				})
			})
			require.NoError(t, rep.Err)
			require.LessOrEqual(t, rep.Elapsed, time.Second+time.Millisecond)
		})
	}
}

// A planted bug: a responder that waits by a bare transaction, with an answer unsent, makes the honest initiator see a timeout.
func TestBareWaitIsCaught(t *testing.T) {
	run := func(wait func(ctx context.Context, s *p2p.Session, at time.Time) error) error {
		return sim.Run(1, func(ctx context.Context) error {
			a, b := link(ctx).Pipe()
			return registry.Run(ctx, func(ctx context.Context, sc *registry.Scope) error {
				sc.Go("responder", func(ctx context.Context) error {
					s := start(ctx, table.Responder, b)
					m, err := s.Recv()
					if err != nil {
						return err
					}
					if err := s.Send(&Echoed{m.(*Say).word}); err != nil {
						return err
					}
					_ = wait(ctx, s, env.Now(ctx).Add(time.Hour)) // ends by the initiator's end
					return nil
				})
				s := start(ctx, table.Initiator, a)
				return errors.Join(ask(s, "hello"), s.Send(&Bye{}), s.Close(0))
			})
		}).Err
	}
	reached := func(at time.Time) func(tx *stm.Tx) bool {
		return func(tx *stm.Tx) bool { tx.Check(env.Reached(tx, at)); return true }
	}
	bare := run(func(ctx context.Context, _ *p2p.Session, at time.Time) error {
		return second(stm.Query(ctx, reached(at)))
	})
	require.Equal(t, p2p.Timeout, kind(bare))
	right := run(func(ctx context.Context, s *p2p.Session, at time.Time) error {
		return second(p2p.Wait(ctx, s, reached(at)))
	})
	require.Zero(t, kind(right))
}

// A peer that does not read is given 30 to 37.5 seconds.
func TestStalledReader(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, _ := simnet.NewLink(ctx, simnet.Config{WindowBytes: 3}).Pipe()
		s := start(ctx, table.Initiator, a)
		err := errors.Join(s.Send(&Say{}), second(s.Recv()))
		return check(kind(err) == p2p.Stalled && errors.Is(err, os.ErrDeadlineExceeded), "ended by %v", err)
	})
	require.NoError(t, rep.Err)
	require.GreaterOrEqual(t, rep.Elapsed, 30*time.Second)
	require.LessOrEqual(t, rep.Elapsed, 37500*time.Millisecond)
}

// Our own bugs are errors, not violations, and end the session.
func TestMisuse(t *testing.T) {
	type use func(s *p2p.Session) error
	say := func(n int) use {
		return func(s *p2p.Session) error { return s.Send(&Say{word{Text: string(make([]byte, n))}}) }
	}
	recv := func(s *p2p.Session) error { return second(s.Recv()) }
	for name, c := range map[string]struct {
		role table.Agency
		do   use
	}{
		"Send without agency":       {table.Responder, say(1)},
		"Send of another state's":   {table.Initiator, func(s *p2p.Session) error { return s.Send(&Echoed{}) }},
		"Send of too much":          {table.Initiator, say(64)},
		"Recv with agency":          {table.Initiator, recv},
		"Send of a broken encoding": {table.Initiator, func(s *p2p.Session) error { return s.Send(&unencodable{}) }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			a, b := p2ptest.Pipe(ctx)
			s := p2p.NewSession(ctx, Echo(), c.role, p2p.Conn{Stream: a, Report: func(context.Context, *p2p.Violation) { t.Error("reported") }})
			err := c.do(s)
			require.Error(t, err)
			require.Zero(t, kind(err))
			require.Equal(t, err, s.Close(0))
			_, err = b.Read(make([]byte, 1))
			require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown, Remote: true}, err)
		})
	}
}

type unencodable struct{ Say }

func (*unencodable) AppendTo(b []byte) ([]byte, error) { return b, errWhy }

// Invalid blames the state in which the message was received.
func TestInvalid(t *testing.T) {
	ctx := context.Background()
	a, b := p2ptest.Pipe(ctx)
	require.NoError(t, second(b.Write(p2ptest.FrameOf(&Say{}))))
	var reported *p2p.Violation
	s := p2p.NewSession(ctx, Echo(), table.Responder, p2p.Conn{Peer: "p", Stream: a, Report: func(_ context.Context, v *p2p.Violation) { reported = v }})
	require.NoError(t, second(s.Recv()))
	require.Equal(t, table.StateID("Busy"), s.State())
	err := s.Invalid(errWhy)
	require.Equal(t, &p2p.Violation{Peer: "p", Protocol: "echo", State: "Idle", Kind: p2p.Invalid, Err: errWhy}, err)
	require.Equal(t, reported, err)
	require.ErrorIs(t, err, errWhy)
}

// Close gives up on a peer that does not end, within the limit.
func TestCloseLimit(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := link(ctx).Pipe()
		s := start(ctx, table.Initiator, a)
		err := errors.Join(s.Send(&Bye{}), s.Close(3*time.Second))
		if !errors.Is(err, os.ErrDeadlineExceeded) || kind(err) != 0 {
			return fmt.Errorf("ended by %v", err)
		}
		if err := env.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, b)
		var r *p2p.ResetError
		return check(errors.As(err, &r), "the peer reads %v", err)
	})
	require.NoError(t, rep.Err)
	require.GreaterOrEqual(t, rep.Elapsed, 3*time.Second)
}
