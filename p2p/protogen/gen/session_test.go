package gen_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen/testdata/shapes"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
)

// text is a body that names what it answers.
func text(s string) shapes.Text { return shapes.Text{Text: s} }

// respond plays the responder of shapes: it answers Ask by what answers says, in turn.
func respond(ctx context.Context, c p2p.Conn, answers ...string) error {
	open, s := shapes.NewResponder(ctx, c)
	for {
		m, err := open.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *shapes.ResponderOpenPing:
			open, err = m.Next.Pong(&keepalive.MsgPong{Cookie: m.Cookie})
		case *shapes.ResponderOpenHello:
			open, err = m.Next.Welcome()
		case *shapes.ResponderOpenAsk:
			var over bool
			if open, over, err = reply(m.Next, answers[0]); over {
				return errors.Join(err, s.Close(time.Second))
			}
			answers = answers[1:]
		case *shapes.ResponderOpenLast:
			return errors.Join(m.Next.Farewell(&shapes.Farewell{Text: text("after " + m.Text.Text)}), s.Close(time.Second))
		case *shapes.ResponderOpenBow:
			return errors.Join(m.Next.Bowed(), s.Close(time.Second))
		case *shapes.ResponderOpenToss:
			open, err = m.Next.Heads()
		case *shapes.ResponderOpenPlead:
			return errors.Join(m.Next.Guilty(&shapes.Guilty{Text: m.Text}), s.Close(time.Second))
		case *shapes.ResponderOpenDare:
			return errors.Join(m.Next.Ice(), s.Close(time.Second))
		case *shapes.ResponderOpenThrow, *shapes.ResponderOpenQuit:
			return s.Close(time.Second)
		}
		if err != nil {
			return err
		}
	}
}

func reply(choice shapes.ResponderChoice, answer string) (open shapes.ResponderOpen, over bool, err error) {
	switch answer {
	case "no":
		open, err = choice.No()
	case "never":
		return open, true, choice.Never(&shapes.Never{Text: text(answer)})
	case "gone":
		return open, true, choice.Gone()
	default:
		open, err = choice.Yes(&shapes.Yes{Text: text(answer)})
	}
	return open, false, err
}

// ask is one Ask; what comes is a word, and the state that follows if there is one.
func ask(open shapes.InitiatorOpen) (word string, next shapes.InitiatorOpen, over bool, err error) {
	choice, err := open.Ask()
	if err != nil {
		return "", next, true, err
	}
	m, err := choice.Recv()
	switch m := m.(type) {
	case *shapes.InitiatorChoiceYes:
		return m.Text.Text, m.Next, false, nil
	case *shapes.InitiatorChoiceNo:
		return "no", m.Next, false, nil
	case *shapes.InitiatorChoiceNever:
		return m.Text.Text, next, true, nil
	case *shapes.InitiatorChoiceGone:
		return "gone", next, true, nil
	}
	return "", next, true, err
}

// converse runs both sides of shapes in a simulation.
func converse(t *testing.T, initiate func(open shapes.InitiatorOpen, s *p2p.Session) error, answers ...string) {
	t.Helper()
	rep := sim.Run(1, func(ctx context.Context) error {
		mine, theirs := p2ptest.Pipe(ctx)
		return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
			scope.Go("responder", func(ctx context.Context) error { return respond(ctx, p2p.Conn{Stream: theirs}, answers...) })
			open, s := shapes.NewInitiator(ctx, p2p.Conn{Stream: mine})
			return errors.Join(initiate(open, s), s.Close(time.Second))
		})
	})
	require.NoError(t, rep.Err)
}

// Every transition of the table is taken by generated code, on both sides.
func TestEveryTransition(t *testing.T) {
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
		greeting, err := open.Hello(&shapes.Hello{Text: text("hi")})
		require.NoError(t, err)
		open, err = greeting.Recv()
		require.NoError(t, err)
		pinging, err := open.Ping(&keepalive.MsgPing{Cookie: 9})
		require.NoError(t, err)
		pong, open, err := pinging.Recv()
		require.NoError(t, err)
		require.Equal(t, uint16(9), pong.Cookie)
		for _, want := range []string{"sure", "no"} {
			word, next, over, err := ask(open)
			require.NoError(t, err)
			require.Equal(t, []any{want, false}, []any{word, over})
			open = next
		}
		parting, err := open.Last(&shapes.Last{Text: text("this")})
		require.NoError(t, err)
		farewell, err := parting.Recv()
		require.Equal(t, "after this", farewell.Text.Text)
		return err
	}, "sure", "no")
	for _, last := range []string{"never", "gone"} {
		converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
			word, _, over, err := ask(open) //linvet:ok it is over
			require.Equal(t, []any{last, true}, []any{word, over})
			return err
		}, last)
	}
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
		bowing, err := open.Bow()
		return errors.Join(err, bowing.Recv())
	})
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
		coin, err := open.Toss()
		require.NoError(t, err)
		m, err := coin.Recv()
		require.NoError(t, err)
		verdict, err := m.(*shapes.InitiatorCoinHeads).Next.Plead(&shapes.Plead{Text: text("no")})
		require.NoError(t, err)
		end, err := verdict.Recv()
		require.Equal(t, "no", end.(*shapes.InitiatorVerdictGuilty).Text.Text)
		return err
	})
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
		doom, err := open.Dare()
		require.NoError(t, err)
		end, err := doom.Recv()
		require.IsType(t, new(shapes.InitiatorDoomIce), end)
		return err
	})
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error { return open.Quit() })
	converse(t, func(open shapes.InitiatorOpen, _ *p2p.Session) error {
		return open.Throw(&shapes.Throw{Text: text("x")})
	})
}

// A state that was left is refused, whatever it is tried for, and the peer is not blamed.
func TestStaleStates(t *testing.T) {
	for name, misuse := range map[string]func(open shapes.InitiatorOpen) error{
		"sent again": func(open shapes.InitiatorOpen) error {
			_, err := open.Ask()   //linvet:ok dropped on purpose
			_, again := open.Ask() //linvet:ok stale on purpose
			return errors.Join(err, again)
		},
		"sent again a round later": func(open shapes.InitiatorOpen) error {
			_, _, _, err := ask(open) //linvet:ok dropped on purpose
			_, again := open.Bow()    //linvet:ok stale on purpose
			return errors.Join(err, again)
		},
		"received again": func(open shapes.InitiatorOpen) error {
			choice, err := open.Ask()
			_, err2 := choice.Recv()
			_, again := choice.Recv() //linvet:ok stale on purpose
			return errors.Join(err, err2, again)
		},
		"never given": func(shapes.InitiatorOpen) error { return shapes.InitiatorOpen{}.Quit() },
	} {
		rep := sim.Run(1, func(ctx context.Context) error {
			mine, theirs := p2ptest.Pipe(ctx)
			return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
				scope.Go("responder", func(ctx context.Context) error { _ = respond(ctx, p2p.Conn{Stream: theirs}, "sure"); return nil })
				open, s := shapes.NewInitiator(ctx, p2p.Conn{Stream: mine})
				defer func() { _ = s.Close(0) }()
				err := misuse(open)
				var v *p2p.Violation
				if !errors.Is(err, p2p.ErrStale) || errors.As(err, &v) {
					return fmt.Errorf("%s: %v", name, err)
				}
				return nil
			})
		})
		require.NoError(t, rep.Err)
	}
}

// What Recv gives is made once a session: an exchange with a choice of answers, of which none has a field, allocates nothing.
func TestAnswersAreNotMadeAnew(t *testing.T) {
	frame := p2ptest.FrameOf(&shapes.No{})
	open, _ := shapes.NewInitiator(context.Background(), p2p.Conn{Stream: &answering{answer: frame}})
	allocs := testing.AllocsPerRun(200, func() {
		_, next, _, err := ask(open)
		require.NoError(t, err)
		open = next
	})
	require.Zero(t, allocs)
}
