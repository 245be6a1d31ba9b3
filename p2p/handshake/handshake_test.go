package handshake

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
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func config(network, genesis string, versions ...uint16) Config {
	return Config{Network: network, Genesis: chain.HashOf([]byte(genesis)), Versions: versions, Accepted: NewAccepted()}
}

type outcome struct {
	version uint16
	err     error
}

// shake runs both sides over a pair of streams.
func shake(ctx context.Context, mine, theirs Config, a, b p2p.Stream) (me, them outcome, err error) {
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("answer", func(ctx context.Context) error {
			them.version, them.err = Answer(ctx, p2p.Conn{Peer: "initiator", Stream: b}, theirs)
			return nil
		})
		me.version, me.err = Propose(ctx, p2p.Conn{Peer: "responder", Stream: a}, mine)
		return nil
	})
	return me, them, err
}

// Nodes of other networks are told apart before anything else is said.
func Example() {
	ctx := context.Background()
	a, b := p2ptest.Pipe(ctx)
	me, them, _ := shake(ctx, config("main", "g", 1, 2), config("main", "g", 2, 3), a, b)
	fmt.Println(me, them)
	a, b = p2ptest.Pipe(ctx)
	me, them, _ = shake(ctx, config("main", "g", 1), config("test", "g", 1), a, b)
	fmt.Println(me.err)
	fmt.Println(them.err)
	// Output:
	// {2 <nil>} {2 <nil>}
	// handshake: refused: peer responder has network "test", we have "main"
	// handshake: refused: peer initiator has network "main", we have "test"
}

func TestShake(t *testing.T) {
	for name, c := range map[string]struct {
		mine, theirs Config
		version      uint16
		refused      Field
	}{
		"same":               {config("n", "g", 1), config("n", "g", 1), 1, 0},
		"highest common":     {config("n", "g", 1, 2, 3, 9), config("n", "g", 2, 3, 4), 3, 0},
		"other network":      {config("n", "g", 1), config("m", "g", 1), 0, FieldNetwork},
		"other genesis":      {config("n", "g", 1), config("n", "h", 1), 0, FieldGenesis},
		"no common version":  {config("n", "g", 1, 3), config("n", "g", 2, 4), 0, FieldVersion},
		"everything differs": {config("n", "g", 1), config("m", "h", 2), 0, FieldNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(ctx context.Context) error {
				c := c
				c.theirs.Accepted = NewAccepted()
				a, b := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond}).Pipe()
				me, them, err := shake(ctx, c.mine, c.theirs, a, b)
				if err != nil {
					return err
				}
				version, ok := accepted(ctx, c.theirs.Accepted)
				if c.refused == 0 {
					if me.err != nil || them.err != nil || me.version != c.version || them.version != c.version || !ok || version != c.version {
						return fmt.Errorf("%v, %v, %v", me, them, version)
					}
					c.theirs.Accepted.Forget(ctx, "initiator")
					if _, ok := accepted(ctx, c.theirs.Accepted); ok {
						return errors.New("not forgotten")
					}
					return nil
				}
				var mine, theirs *RefusedError
				if !errors.As(me.err, &mine) || !errors.As(them.err, &theirs) || !errors.Is(me.err, ErrRefused) || ok {
					return fmt.Errorf("%v, %v, accepted %v", me, them, ok)
				}
				if mine.Field != c.refused || theirs.Field != c.refused || mine.Ours != theirs.Theirs || mine.Theirs != theirs.Ours || mine.Ours == mine.Theirs {
					return fmt.Errorf("%v, %v", mine, theirs)
				}
				return nil
			}
			for seed := range uint64(5) {
				require.NoError(t, sim.Run(seed, run).Err)
			}
			require.NoError(t, run(context.Background()))
		})
	}
}

func accepted(ctx context.Context, a *Accepted) (version uint16, ok bool) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error { version, ok = a.Version(tx, "initiator"); return nil })
	return version, ok
}

// A responder that accepts what was not proposed is at fault.
func TestAcceptsOtherVersion(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := p2ptest.Pipe(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("liar", func(ctx context.Context) error {
				_, err := b.Write(p2ptest.FrameOf(&MsgAccept{Version: 7}))
				return err
			})
			_, err := Propose(ctx, p2p.Conn{Peer: "liar", Stream: a}, config("n", "g", 1, 2))
			var v *p2p.Violation
			if !errors.As(err, &v) || v.Kind != p2p.Invalid || v.State != StateConfirm {
				return fmt.Errorf("ended by %v", err)
			}
			return nil
		})
	})
	require.NoError(t, rep.Err)
}

// Who is in Accepted is there before our Accept can have arrived, so a peer's next stream is never refused by a race.
func TestAcceptedBeforeAccept(t *testing.T) {
	for seed := range uint64(50) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			a, b := p2ptest.Pipe(ctx)
			cfg := config("n", "g", 1)
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("answer", func(ctx context.Context) error {
					_, err := Answer(ctx, p2p.Conn{Peer: "initiator", Stream: b}, cfg)
					return err
				})
				session := p2p.NewSession(ctx, Protocol(), table.Initiator, p2p.Conn{Stream: a})
				err := session.Send(&MsgPropose{Network: cfg.Network, Genesis: cfg.Genesis, Versions: cfg.Versions})
				if err != nil {
					return err
				}
				if _, err := session.Recv(); err != nil {
					return err
				}
				if _, ok := accepted(ctx, cfg.Accepted); !ok {
					return errors.New("Accept came first")
				}
				return session.Close(time.Second)
			})
		})
		require.NoError(t, rep.Err, "seed %d", seed)
	}
}

// Both sides end when cancelled, and when the other never speaks.
func TestSilence(t *testing.T) {
	sides := map[string]func(context.Context, p2p.Conn) error{
		"Propose": func(ctx context.Context, c p2p.Conn) error {
			_, err := Propose(ctx, c, config("n", "g", 1))
			return err
		},
		"Answer": func(ctx context.Context, c p2p.Conn) error { _, err := Answer(ctx, c, config("n", "g", 1)); return err },
	}
	for name, side := range sides {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, sim.Run(1, func(ctx context.Context) error {
				a, _ := p2ptest.Pipe(ctx)
				var v *p2p.Violation
				if err := side(ctx, p2p.Conn{Stream: a}); !errors.As(err, &v) || v.Kind != p2p.Timeout {
					return fmt.Errorf("ended by %v", err)
				}
				short, cancel := env.WithTimeout(ctx, time.Second)
				defer cancel()
				a, _ = p2ptest.Pipe(ctx)
				if err := side(short, p2p.Conn{Stream: a}); !errors.Is(err, context.DeadlineExceeded) {
					return fmt.Errorf("ended by %v", err)
				}
				return nil
			}).Err)
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{config("", "g", 1), config("n", "g"), config("n", "g", 2, 1)} {
		a, _ := p2ptest.Pipe(context.Background())
		_, err := Propose(context.Background(), p2p.Conn{Stream: a}, cfg)
		require.ErrorContains(t, err, "handshake: ")
		_, err = Answer(context.Background(), p2p.Conn{Stream: a}, cfg)
		require.ErrorContains(t, err, "handshake: ")
	}
}
