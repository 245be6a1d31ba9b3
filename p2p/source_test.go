package p2p_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// One wait for whichever of two peers answers first, or for time.
func ExampleSource() {
	ctx := context.Background()
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		var peers []*p2p.Source
		for _, name := range []p2p.PeerID{"alice", "bob"} {
			mine, theirs := p2ptest.Pipe(ctx)
			s.Go("responder", func(ctx context.Context) error { return echo(ctx, p2p.Conn{Peer: "me", Stream: theirs}) })
			session := p2p.NewSession(ctx, Echo(), table.Initiator, p2p.Conn{Peer: name, Stream: mine})
			peers = append(peers, p2p.NewSource(s.Go, session, 1))
		}
		if err := peers[1].Send(ctx, &Say{word{Text: "anybody?"}}); err != nil {
			return err
		}
		timer := env.NewTimer(ctx, time.Minute)
		defer timer.Stop()
		m, err := stm.Atomically(ctx, func(tx *stm.Tx) (table.Message, error) {
			return stm.Select(tx, peers[0].Take, peers[1].Take, func(tx *stm.Tx) (table.Message, error) {
				tx.Check(timer.Fired(tx))
				return nil, errors.New("nobody")
			})
		})
		if err != nil {
			return err
		}
		fmt.Println(m.(*Echoed).Text)
		for _, p := range peers {
			if err := errors.Join(p.Send(ctx, &Bye{}), p.Close(ctx, time.Second)); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// anybody?
	// <nil>
}

// numbers is a protocol in which the responder sends as long as it likes.
func numbers(made *atomic.Int64) *table.Protocol {
	return &table.Protocol{
		Name: "numbers", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 64, Timeout: time.Minute},
			{Name: "Busy", Agency: table.Responder, BytesMax: 64, Timeout: 10 * time.Second},
			{Name: "Done"},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Say", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(Say) }},
			{Tag: 1, Name: "Echoed", From: []table.StateID{"Busy"}, To: "Busy", New: func() table.Message { made.Add(1); return new(Echoed) }},
			{Tag: 2, Name: "Bye", From: []table.StateID{"Busy"}, To: "Done", New: func() table.Message { return new(Bye) }},
		},
	}
}

// streamed runs one side that sends n numbers, and f on the other.
func streamed(ctx context.Context, n, ahead int, made *atomic.Int64, f func(ctx context.Context, src *p2p.Source) error) error {
	a, b := link(ctx).Pipe()
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("responder", func(ctx context.Context) error {
			me := p2p.NewSession(ctx, numbers(new(atomic.Int64)), table.Responder, p2p.Conn{Peer: "a", Stream: b})
			if _, err := me.Recv(); err != nil {
				return nil
			}
			for i := range n {
				if me.Send(&Echoed{word{Text: fmt.Sprint(i)}}) != nil {
					return nil
				}
			}
			_ = errors.Join(me.Send(&Bye{}), me.Close(time.Minute))
			return nil
		})
		src := p2p.NewSource(s.Go, p2p.NewSession(ctx, numbers(made), table.Initiator, p2p.Conn{Peer: "b", Stream: a}), ahead)
		return f(ctx, src)
	})
}

var errUndone = errors.New("undone")

// checkOrder takes 20 messages and the last one through take, each after one Take that is undone.
func checkOrder(ctx context.Context, src *p2p.Source, take func(tx *stm.Tx) (table.Message, error)) error {
	if err := src.Send(ctx, &Say{word{Text: "go"}}); err != nil {
		return err
	}
	if err := src.Send(ctx, &Say{word{Text: "again"}}); err == nil || !strings.Contains(err.Error(), "not ours") {
		return fmt.Errorf("sent while the peer has agency: %v", err)
	}
	for i := range 20 {
		undone := stm.Do(ctx, func(tx *stm.Tx) error {
			if _, err := take(tx); err != nil {
				return err
			}
			return errUndone
		})
		m, err := stm.Atomically(ctx, take)
		if word, ok := m.(*Echoed); err != nil || !errors.Is(undone, errUndone) || !ok || word.Text != fmt.Sprint(i) {
			return fmt.Errorf("message %d: %v, %v, %v", i, m, err, undone)
		}
	}
	m, err := prop.Recv(ctx, prop.Source[table.Message](src))
	if _, bye := m.(*Bye); !bye {
		return fmt.Errorf("%v, %v instead of the last", m, err)
	}
	if _, err := stm.Atomically(ctx, take); err != prop.ErrClosed {
		return fmt.Errorf("after the last: %v", err)
	}
	return errors.Join(src.Close(ctx, time.Minute), src.Close(ctx, time.Minute))
}

// Messages come in order and once, also those whose Take was undone; the last is followed by ErrClosed, and then by an end in order.
func TestSourceOrder(t *testing.T) {
	for _, ahead := range []int{1, 3} {
		inBoth(t, func(ctx context.Context) error {
			return streamed(ctx, 20, ahead, new(atomic.Int64), func(ctx context.Context, src *p2p.Source) error {
				return checkOrder(ctx, src, src.Take)
			})
		})
	}
}

// Sources that lose, double or swap messages are found.
func TestSourceOrderPlanted(t *testing.T) {
	for name, broken := range map[string]func(src *p2p.Source) func(tx *stm.Tx) (table.Message, error){
		"gives one twice": func(src *p2p.Source) func(tx *stm.Tx) (table.Message, error) {
			last := stm.NewVar[table.Message](nil)
			return func(tx *stm.Tx) (table.Message, error) {
				if m, ok := last.Get(tx).(*Echoed); ok && m.Text == "7" {
					last.Set(tx, nil)
					return m, nil
				}
				m, err := src.Take(tx)
				last.Set(tx, m)
				return m, err
			}
		},
		"loses one": func(src *p2p.Source) func(tx *stm.Tx) (table.Message, error) {
			return func(tx *stm.Tx) (table.Message, error) {
				m, err := src.Take(tx)
				if word, ok := m.(*Echoed); ok && word.Text == "7" {
					return src.Take(tx)
				}
				return m, err
			}
		},
		"swaps two": func(src *p2p.Source) func(tx *stm.Tx) (table.Message, error) {
			held := stm.NewVar[table.Message](nil)
			return func(tx *stm.Tx) (table.Message, error) {
				if m := held.Get(tx); m != nil {
					held.Set(tx, nil)
					return m, nil
				}
				m, err := src.Take(tx)
				if word, ok := m.(*Echoed); ok && word.Text == "7" {
					held.Set(tx, m)
					return src.Take(tx)
				}
				return m, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := sim.Run(1, func(ctx context.Context) error {
				return streamed(ctx, 20, 3, new(atomic.Int64), func(ctx context.Context, src *p2p.Source) error {
					return checkOrder(ctx, src, broken(src))
				})
			})
			require.ErrorContains(t, r.Err, "message ")
		})
	}
}

// aheadOf is how many messages a source has made of what a peer floods it with, while nobody takes any.
func aheadOf(t *testing.T, ahead int) int64 {
	made := new(atomic.Int64)
	r := sim.Run(1, func(ctx context.Context) error {
		return streamed(ctx, 10_000, ahead, made, func(ctx context.Context, src *p2p.Source) error {
			err := errors.Join(src.Send(ctx, &Say{word{Text: "go"}}), env.Sleep(ctx, time.Minute))
			return errors.Join(err, src.Close(ctx, time.Second))
		})
	})
	require.ErrorContains(t, r.Err, "by us", "closed while the peer was sending")
	return made.Load()
}

// A flood is not read further than what waits to be taken; the peer feels it.
func TestSourceIsBounded(t *testing.T) {
	require.EqualValues(t, 1, aheadOf(t, 1))
	require.EqualValues(t, 5, aheadOf(t, 5))
	require.EqualValues(t, 50, aheadOf(t, 50), "the test sees a source that reads further")
}

// A breach ends the source after what came before it, and every later call tells of it.
func TestSourceViolation(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		a, b := link(ctx).Pipe()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			src := p2p.NewSource(s.Go, p2p.NewSession(ctx, numbers(new(atomic.Int64)), table.Initiator, p2p.Conn{Peer: "b", Stream: a}), 4)
			if err := src.Send(ctx, &Say{word{Text: "go"}}); err != nil {
				return err
			}
			if _, err := b.Write(append(p2ptest.FrameOf(&Echoed{word{Text: "fine"}}), p2ptest.Frame(9)...)); err != nil {
				return err
			}
			m, err := stm.Atomically(ctx, src.Take)
			if err != nil || m.(*Echoed).Text != "fine" {
				return fmt.Errorf("%v, %v before the breach", m, err)
			}
			for range 2 {
				if _, err := stm.Atomically(ctx, src.Take); kind(err) != p2p.WrongTag {
					return fmt.Errorf("Take: %v", err)
				}
			}
			if err := src.Send(ctx, &Say{}); kind(err) != p2p.WrongTag {
				return fmt.Errorf("Send: %v", err)
			}
			return check(kind(src.Close(ctx, time.Second)) == p2p.WrongTag, "Close did not tell")
		})
	})
}

// Cancelling ends the wait of whoever takes with the cause, wherever the task is; nothing is left behind.
func TestSourceCancelled(t *testing.T) {
	for _, ask := range []bool{false, true} {
		inBoth(t, func(ctx context.Context) error {
			outer, cancel := env.WithCancelCause(ctx)
			err := streamed(outer, 10, 1, new(atomic.Int64), func(ctx context.Context, src *p2p.Source) error {
				if ask {
					if err := src.Send(ctx, &Say{word{Text: "go"}}); err != nil {
						return err
					}
				}
				cancel(errWhy)
				for {
					if _, err := stm.Atomically(env.WithoutCancel(ctx), src.Take); err != nil {
						return check(errors.Is(err, errWhy), "Take: %v", err)
					}
				}
			})
			return check(err == nil || errors.Is(err, context.Canceled), "%v", err)
		})
	}
}

// endless is a transport that costs nothing and gives the same frame for ever, until it is reset.
type endless struct {
	script
	frame, left []byte
	over        atomic.Bool
}

func (e *endless) Read(p []byte) (int, error) {
	if e.over.Load() {
		return 0, &p2p.ResetError{}
	}
	if len(e.left) == 0 {
		e.left = e.frame
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

func (e *endless) Reset(p2p.Code) { e.over.Store(true) }

// BenchmarkSource is a message of a stream through a source, beside Recv: what the task and its two transactions cost.
func BenchmarkSource(b *testing.B) {
	ctx := context.Background()
	session := func() *p2p.Session {
		s := p2p.NewSession(ctx, numbers(new(atomic.Int64)), table.Initiator, p2p.Conn{Stream: &endless{frame: p2ptest.FrameOf(&Echoed{word{Text: "thirty bytes and a few more yet"}})}})
		if err := s.Send(&Say{}); err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Run("kind=recv", func(b *testing.B) {
		b.ReportAllocs()
		s := session()
		for b.Loop() {
			_, _ = s.Recv()
		}
	})
	for _, ahead := range []int{1, 64} {
		b.Run(fmt.Sprintf("kind=source/ahead=%d", ahead), func(b *testing.B) {
			b.ReportAllocs()
			_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				src := p2p.NewSource(s.Go, session(), ahead)
				for b.Loop() {
					_, _ = stm.Atomically(ctx, src.Take)
				}
				return src.Close(ctx, time.Second)
			})
		})
	}
}
