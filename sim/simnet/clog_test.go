package simnet_test

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
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// wired is two connected nodes and a stream between them.
type wired struct {
	net          *simnet.Net
	a, b         *simnet.Node
	mine, theirs p2p.Stream
}

func wire(ctx context.Context, cfg simnet.Config) (w wired, err error) {
	w.net = simnet.New(cfg)
	if w.a, err = w.net.Join(ctx, "a", simnet.NodeConfig{}); err != nil {
		return w, err
	}
	if w.b, err = w.net.Join(ctx, "b", simnet.NodeConfig{}); err != nil {
		return w, err
	}
	if _, err = w.a.Connect(ctx, "b"); err != nil {
		return w, err
	}
	if w.mine, err = w.a.Open(ctx, "b", "/x/1"); err != nil {
		return w, err
	}
	in, err := w.b.Accept(ctx)
	w.theirs = in.Stream
	return w, err
}

// hears reports what from sends within a second.
func hears(ctx context.Context, from, to p2p.Stream) (string, error) {
	if _, err := from.Write([]byte("x")); err != nil {
		return "", err
	}
	if err := to.SetReadDeadline(env.Now(ctx).Add(time.Second)); err != nil {
		return "", err
	}
	p := make([]byte, 16)
	n, err := to.Read(p)
	return string(p[:n]), err
}

func simulate(t *testing.T, cfg simnet.Config, f func(ctx context.Context, w wired) error) {
	t.Helper()
	for seed := range uint64(10) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w, err := wire(ctx, cfg)
			if err != nil {
				return err
			}
			return f(ctx, w)
		}, sim.Races())
		require.NoError(t, r.Err)
	}
}

var near = simnet.Config{Latency: time.Millisecond, IdleTimeout: time.Minute}

// One way is clogged: the other goes on, what was on its way is held up too, and comes when the way is free.
func TestClogOneWay(t *testing.T) {
	simulate(t, near, func(ctx context.Context, w wired) error {
		if _, err := w.mine.Write([]byte("late,")); err != nil {
			return err
		}
		if err := w.net.Clog(ctx, "a", "b"); err != nil {
			return err
		}
		if got, err := hears(ctx, w.mine, w.theirs); !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("through the clog came %q, %w", got, err)
		}
		if got, err := hears(ctx, w.theirs, w.mine); got != "x" || err != nil {
			return fmt.Errorf("the other way came %q, %w", got, err)
		}
		if err := w.net.Unclog(ctx, "a", "b"); err != nil {
			return err
		}
		p := make([]byte, 6)
		if err := w.theirs.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		if _, err := io.ReadFull(w.theirs, p); string(p) != "late,x" || err != nil {
			return fmt.Errorf("afterwards came %q, %w", p, err)
		}
		return nil
	})
}

// A clog that lasts ends the connection at both ends, after the idle timeout, and new ones wait for its end.
func TestClogTooLong(t *testing.T) {
	simulate(t, near, func(ctx context.Context, w wired) error {
		start := env.Now(ctx)
		if err := w.net.Clog(ctx, "b", "a"); err != nil {
			return err
		}
		for _, s := range []p2p.Stream{w.mine, w.theirs} {
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, p2p.ErrGone) || env.Now(ctx).Sub(start) != time.Minute {
				return fmt.Errorf("after %v: %w", env.Now(ctx).Sub(start), err)
			}
		}
		if got := connected(ctx, w.a) + connected(ctx, w.b); got != "[] <nil>[] <nil>" {
			return fmt.Errorf("connected %s", got)
		}
		if _, err := w.a.Connect(ctx, "b"); !errors.Is(err, simnet.ErrParted) || env.Now(ctx).Sub(start) < 2*time.Minute {
			return fmt.Errorf("connected after %v: %w", env.Now(ctx).Sub(start), err)
		}
		if err := w.net.Unclog(ctx, "b", "a"); err != nil {
			return err
		}
		_, err := w.a.Connect(ctx, "b")
		if got := connected(ctx, w.a) + connected(ctx, w.b); got != "[b] <nil>[a] <nil>" {
			return fmt.Errorf("connected again %s", got)
		}
		return err
	})
}

// A clogged reset, end or new stream is held up as bytes are.
func TestClogHoldsEverythingUp(t *testing.T) {
	simulate(t, simnet.Config{Latency: time.Millisecond}, func(ctx context.Context, w wired) error {
		other, err := w.a.Open(ctx, "b", "/y/1")
		if err != nil {
			return err
		}
		in, err := w.b.Accept(ctx)
		if err != nil {
			return err
		}
		if err := w.net.Clog(ctx, "a", "b"); err != nil {
			return err
		}
		w.mine.Reset(7)
		if err := other.CloseWrite(); err != nil {
			return err
		}
		if _, err := w.a.Open(ctx, "b", "/z/1"); err != nil {
			return err
		}
		if err := env.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		gone, err := stm.Query(ctx, func(tx *stm.Tx) error { return errors.Join(w.theirs.Gone(tx), in.Stream.Gone(tx)) })
		if gone != nil || err != nil {
			return fmt.Errorf("through the clog: %w, %w", gone, err)
		}
		short, cancel := env.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := w.b.Accept(short); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("a stream through the clog: %w", err)
		}
		if err := w.net.Unclog(ctx, "a", "b"); err != nil {
			return err
		}
		if _, err := w.theirs.Read(make([]byte, 1)); !isReset(err) {
			return fmt.Errorf("afterwards: %w", err)
		}
		if _, err := in.Stream.Read(make([]byte, 1)); err != io.EOF {
			return fmt.Errorf("afterwards: %w", err)
		}
		_, err = w.b.Accept(ctx)
		return err
	})
}

// A peer without power: writes go on, reads wait, until the idle timeout or until it is back.
func TestHalfOpen(t *testing.T) {
	for _, back := range []bool{false, true} {
		simulate(t, near, func(ctx context.Context, w wired) error {
			start := env.Now(ctx)
			if err := w.net.Vanish(ctx, "b"); err != nil {
				return err
			}
			if got := connected(ctx, w.a); got != "[b] <nil>" {
				return fmt.Errorf("noticed at once: %s", got)
			}
			if _, err := w.mine.Write(make([]byte, 1000)); err != nil {
				return err
			}
			if back {
				b, err := w.net.Join(ctx, "b", simnet.NodeConfig{})
				if err == nil {
					_, err = b.Connect(ctx, "a")
				}
				if err != nil {
					return err
				}
			}
			_, err := w.mine.Read(make([]byte, 1))
			took := env.Now(ctx).Sub(start)
			if !errors.Is(err, p2p.ErrGone) || back != (took < time.Second) || !back && took != time.Minute {
				return fmt.Errorf("back %v: %w after %v", back, err, took)
			}
			if got := connected(ctx, w.a); back != (got == "[b] <nil>") {
				return fmt.Errorf("back %v: connected %s", back, got)
			}
			return nil
		})
	}
}

// Cut and Drop are noticed at once; a cut pair can connect again, a dropped node is no more.
func TestCutAndDrop(t *testing.T) {
	simulate(t, near, func(ctx context.Context, w wired) error {
		if err := w.net.Cut(ctx, "b", "a"); err != nil {
			return err
		}
		if _, err := w.theirs.Read(make([]byte, 1)); !errors.Is(err, p2p.ErrGone) {
			return err
		}
		if _, err := w.b.Connect(ctx, "a"); err != nil {
			return err
		}
		if err := w.net.Drop(ctx, "b"); err != nil {
			return err
		}
		if got := connected(ctx, w.a); got != "[] <nil>" {
			return fmt.Errorf("connected %s", got)
		}
		if _, err := w.a.Connect(ctx, "b"); !errors.Is(err, simnet.ErrNoNode) {
			return fmt.Errorf("to who was dropped: %w", err)
		}
		return errors.Join(w.net.Drop(ctx, "b"), w.net.Vanish(ctx, "b"), w.net.Cut(ctx, "a", "b"))
	})
}

// The same on a link of its own.
func TestLinkClog(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		l := simnet.NewLink(ctx, near)
		a, b := l.Pipe()
		if err := l.Clog(ctx, true, false); err != nil {
			return err
		}
		if got, err := hears(ctx, b, a); got != "x" || err != nil {
			return fmt.Errorf("back came %q, %w", got, err)
		}
		if got, err := hears(ctx, a, b); !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("there came %q, %w", got, err)
		}
		if err := l.Unclog(ctx, true, true); err != nil {
			return err
		}
		_, err := hears(ctx, a, b)
		return err
	})
	require.NoError(t, r.Err)
}
