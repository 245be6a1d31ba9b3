package p2p_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/sim"
)

// echoing is a session whose peer answers everything at once.
func echoing() *p2p.Session {
	answer := p2ptest.FrameOf(&Echoed{word{Text: "yes"}})
	return start(context.Background(), table.Initiator, &answering{answer: answer})
}

func TestTurnsTakeSteps(t *testing.T) {
	s := echoing()
	turn, err := s.Turn().Send(&Say{word{Text: "yes"}})
	require.NoError(t, err)
	m, turn, err := turn.Recv()
	require.NoError(t, err)
	require.Equal(t, "yes", m.(*Echoed).Text)
	_, err = turn.Send(&Bye{})
	require.NoError(t, err)
	require.Equal(t, table.StateID("Done"), s.State())
}

// Each way to use a turn twice is noticed, also where the message would be legal again.
func TestStaleTurns(t *testing.T) {
	for name, misuse := range map[string]func(s *p2p.Session) error{
		"sent twice": func(s *p2p.Session) error {
			first := s.Turn()
			return errors.Join(second(first.Send(blob(1))), second(first.Send(blob(1))))
		},
		"a round later, in the same state": func(s *p2p.Session) error {
			first := s.Turn()
			busy, err := first.Send(blob(1))
			_, idle, err2 := busy.Recv()
			_, err3 := first.Send(blob(1))
			require.NotEqual(t, first, idle)
			return errors.Join(err, err2, err3)
		},
		"received twice": func(s *p2p.Session) error {
			busy, err := s.Turn().Send(blob(1))
			_, _, err2 := busy.Recv()
			_, _, err3 := busy.Recv()
			return errors.Join(err, err2, err3)
		},
		"behind the session's own step": func(s *p2p.Session) error {
			first := s.Turn()
			return errors.Join(s.Send(blob(1)), second(first.Send(blob(1))))
		},
	} {
		s := echoing()
		err := misuse(s)
		require.ErrorIs(t, err, p2p.ErrStale, name)
		require.ErrorIs(t, s.Send(blob(1)), p2p.ErrStale, "%s: it ends the session", name)
		require.Zero(t, kind(err), "%s: it is not the peer's fault", name)
	}
}

func TestZeroTurn(t *testing.T) {
	require.ErrorIs(t, second(p2p.Turn{}.Send(blob(1))), p2p.ErrStale)
	_, _, err := p2p.Turn{}.Recv()
	require.ErrorIs(t, err, p2p.ErrStale)
	require.ErrorIs(t, p2p.Turn{}.Misfit(blob(1)), p2p.ErrStale)
}

// A session that has ended says why it did, not that the turn is old.
func TestTurnAfterTheEnd(t *testing.T) {
	s := echoing()
	first := s.Turn()
	end := s.Invalid(errors.New("a lie"))
	require.Equal(t, end, second(first.Send(blob(1))))
	s = echoing()
	require.ErrorContains(t, s.Turn().Misfit(blob(1)), "run go generate")
	require.ErrorContains(t, s.Send(blob(1)), "run go generate")
}

// counted is Echo with a rule: a word is at most as long as the one before it was allowed to be.
func counted() *table.Protocol {
	length := func(m table.Message) uint64 {
		switch m := m.(type) {
		case *Say:
			return uint64(len(m.Text))
		case *Echoed:
			return uint64(len(m.Text))
		}
		return 0
	}
	p := Echo()
	p.Values = []table.Value{{Name: "said", Max: 8}}
	p.Messages[0].Rules = []table.Rule{{Op: table.Set, Field: "len(Text)", Of: length, Value: "said"}}
	p.Messages[1].Rules = []table.Rule{{Op: table.Equals, Field: "len(Text)", Of: length, Value: "said"}}
	return p
}

// The driver holds both sides to the rules: breaking one is the peer's violation, or our own bug.
func TestRules(t *testing.T) {
	require.NoError(t, counted().Validate())
	asking := func(answer string) *p2p.Session {
		st := &answering{answer: p2ptest.FrameOf(&Echoed{word{Text: answer}})}
		return p2p.NewSession(context.Background(), counted(), table.Initiator, p2p.Conn{Stream: st})
	}
	require.NoError(t, ask(asking("yes"), "yes"))

	s := asking("no")
	require.NoError(t, s.Send(&Say{word{Text: "yes"}}))
	_, err := s.Recv()
	var v *p2p.Violation
	require.ErrorAs(t, err, &v)
	require.Equal(t, []any{p2p.Invalid, table.StateID("Busy")}, []any{v.Kind, v.State})
	require.EqualError(t, v.Err, "Echoed.len(Text) is 2, and said is 3")

	s = asking("no")
	err = s.Send(blob(9))
	require.ErrorContains(t, err, "Send of *p2p_test.Say: Say.len(Text) is 9, and said at most 8")
	require.Zero(t, kind(err))
}

// A Spread gives each session its own limit, within the range.
func TestSpread(t *testing.T) {
	const limit, spread = time.Minute, 2 * time.Minute
	p := Echo()
	p.States[1].Timeout, p.States[1].Spread = limit, spread
	require.NoError(t, p.Validate())
	least, most := time.Hour, time.Duration(0)
	for seed := range uint64(40) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			a, _ := p2ptest.Pipe(ctx)
			s := p2p.NewSession(ctx, p, table.Initiator, p2p.Conn{Stream: a})
			began := env.Now(ctx)
			err := s.Send(blob(1))
			_, late := s.Recv()
			took := env.Now(ctx).Sub(began)
			least, most = min(least, took), max(most, took)
			return errors.Join(err, check(kind(late) == p2p.Timeout, "ended by %v", late))
		})
		require.NoError(t, rep.Err)
	}
	require.GreaterOrEqual(t, least, limit)
	require.LessOrEqual(t, most, (limit+spread)*5/4)
	require.Greater(t, most-least, spread/2, "the limits are spread")
}

// BenchmarkTurn is a request and its answer with the check of turns, and without; and the check alone.
func BenchmarkTurn(b *testing.B) {
	b.Run("kind=check", func(b *testing.B) {
		turn := echoing().Turn()
		for b.Loop() {
			if turn.Fresh() != nil {
				b.Fatal("stale")
			}
		}
	})
	say := blob(3)
	b.Run("kind=session", func(b *testing.B) {
		b.ReportAllocs()
		s := echoing()
		for b.Loop() {
			if err := s.Send(say); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kind=turn", func(b *testing.B) {
		b.ReportAllocs()
		turn := echoing().Turn()
		for b.Loop() {
			var err error
			if turn, err = turn.Send(say); err != nil {
				b.Fatal(err)
			}
			if _, turn, err = turn.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
