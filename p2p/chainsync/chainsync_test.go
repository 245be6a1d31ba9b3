package chainsync

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
	"github.com/synodkit/synod/stm"
)

// produce moves a chain about: it grows, rolls back, and grows to the same height again.
func produce(ctx context.Context, n *node) (chain.Fragment, error) {
	now := chain.NewFragment(genesis())
	for round := range 12 {
		now = grow(now, 4, 0)
		if err := n.set(ctx, now); err != nil {
			return now, err
		}
		if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).IntN(12))*time.Millisecond); err != nil {
			return now, err
		}
		back, _ := now.RollbackTo(now.At(now.Len() - 4).Point())
		now = grow(back, 3, byte(round+1))
		if err := n.set(ctx, now); err != nil {
			return now, err
		}
	}
	return now, nil
}

// scenario follows a moving chain to its end.
func scenario(follower func(*node) Follower) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		server := newNode(chain.NewFragment(genesis()))
		cfg := clientOf(newNode(chain.NewFragment(genesis())))
		cfg.Ahead = 100
		ended, err := follows(ctx, cfg, func(ctx context.Context, c p2p.Conn) error {
			return Serve(ctx, c, follower(server))
		}, func(ctx context.Context) error {
			last, err := produce(ctx, server)
			if err != nil {
				return err
			}
			return until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Tip() == last.Tip() })
		})
		if !errors.Is(ended, errEnough) {
			err = errors.Join(err, fmt.Errorf("Follow ended by %w", ended))
		}
		return err
	}
}

func right(n *node) Follower { return n.follower() }

func TestFollowsAMovingChain(t *testing.T) { inBoth(t, scenario(right)) }

// A follower that keeps a height serves a header that does not link, or nothing: the client ends it as a violation, or stays behind.
func TestFollowerByHeightIsCaught(t *testing.T) {
	caught := 0
	for seed := range uint64(50) {
		if err := sim.Run(seed, scenario(func(n *node) Follower { return n.heightFollower() })).Err; err != nil {
			caught++
		}
		require.NoError(t, sim.Run(seed, scenario(right)).Err)
	}
	require.Positive(t, caught)
	t.Logf("caught by %d of 50 seeds", caught)
}

func TestSameTraceTwice(t *testing.T) {
	hashes := map[uint64]uint64{}
	for i := range 300 {
		seed := uint64(i % 15)
		rep := sim.Run(seed, scenario(right))
		require.NoError(t, rep.Err)
		require.Greater(t, rep.Steps, 100)
		if h, ok := hashes[seed]; ok {
			require.Equal(t, h, rep.Hash, "seed %d", seed)
		}
		hashes[seed] = rep.Hash
	}
	distinct := map[uint64]bool{}
	for _, h := range hashes {
		distinct[h] = true
	}
	require.Len(t, distinct, 15)
}

var errBadProof = errors.New("bad proof")

// Whatever a lying server says ends its session as a violation, and its header never enters the candidate.
func TestLyingServer(t *testing.T) {
	ours := grow(chain.NewFragment(genesis()), 3, 0)
	long := grow(ours, 2*k, 1)
	found := &MsgIntersectFound{At: ours.Tip().Point}
	script := func(f chain.Fragment, from int, more ...table.Message) (ms []table.Message) {
		ms = append(ms, found)
		for i := from; i < f.Len(); i++ {
			ms = append(ms, forward(f.At(i)))
		}
		return append(ms, more...)
	}
	orphan := after(chain.Tip{Point: chain.Point{Slot: 90, Hash: chain.Hash{9}}, BlockNo: 3}, 0)
	bad := after(ours.Tip(), 66)
	all := grow(chain.NewFragment(genesis()), 20, 0)
	late := all.Trim(k) // anchored at block 15
	for name, c := range map[string]struct {
		says  []table.Message
		state table.StateID
		ours  chain.Fragment
	}{
		"an intersection that was not offered": {[]table.Message{&MsgIntersectFound{At: chain.Point{Slot: 1}}}, StateIntersect, ours},
		"a header that does not link":          {script(ours, 3, forward(orphan)), StateCanAwait, ours},
		"the same, after AwaitReply":           {script(ours, 3, &MsgAwaitReply{}, forward(orphan)), StateMustReply, ours},
		"a header that Check refuses":          {script(ours, 3, forward(bad)), StateCanAwait, ours},
		"a rollback to nowhere":                {script(ours, 3, &MsgRollBackward{To: chain.Point{Slot: 2, Hash: chain.Hash{1}}}), StateCanAwait, ours},
		"a rollback deeper than k":             {script(long, 3, &MsgRollBackward{To: long.At(long.Len() - k - 2).Point()}), StateCanAwait, ours},
		"a rollback past a full candidate": {
			[]table.Message{&MsgIntersectFound{At: all.At(19).Point()}, &MsgRollBackward{To: all.At(9).Point()}}, StateCanAwait, late},
		"a rollback to nowhere after a late anchor": {
			[]table.Message{&MsgIntersectFound{At: all.At(15).Point()}, &MsgRollBackward{To: chain.Point{Slot: 16, Hash: chain.Hash{1}}}}, StateCanAwait, late},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				rep := sim.Run(seed, func(ctx context.Context) error {
					cfg := clientOf(newNode(c.ours))
					cfg.Check = func(_ context.Context, h *chain.Header) error {
						if h.Hash() == bad.Hash() {
							return errBadProof
						}
						return nil
					}
					ended, err := follows(ctx, cfg, dictate(c.says...), func(ctx context.Context) error { return env.Sleep(ctx, time.Minute) })
					var v *p2p.Violation
					if !errors.As(ended, &v) || v.Kind != p2p.Invalid || v.State != c.state {
						err = errors.Join(err, fmt.Errorf("ended by %v", ended))
					}
					return err
				})
				require.NoError(t, rep.Err)
			}
		})
	}
	for _, depth := range []int{1, k} { // and what is allowed
		back, _ := long.RollbackTo(long.At(long.Len() - depth - 1).Point())
		require.NoError(t, sim.Run(1, func(ctx context.Context) error {
			cfg := clientOf(newNode(ours))
			says := script(long, 3, &MsgRollBackward{To: back.Tip().Point})
			_, err := follows(ctx, cfg, dictate(says...), func(ctx context.Context) error {
				err := until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Tip() == long.Tip() })
				return errors.Join(err, until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Tip() == back.Tip() }))
			})
			return err
		}).Err)
	}
}

// A header that is a little early waits for its time, not longer; meanwhile it is not in the candidate.
func TestLater(t *testing.T) {
	server := newNode(grow(chain.NewFragment(genesis()), 2, 0))
	rep := sim.Run(3, func(ctx context.Context) error {
		at := env.Now(ctx).Add(700 * time.Millisecond)
		cfg := clientOf(newNode(chain.NewFragment(genesis())))
		cfg.Check = func(ctx context.Context, h *chain.Header) error {
			if h.BlockNo() == 2 && env.Now(ctx).Before(at) {
				return fmt.Errorf("wrapped: %w", &Later{At: at, Err: errBadProof})
			}
			return nil
		}
		_, err := follows(ctx, cfg, func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, server.follower()) },
			func(ctx context.Context) error {
				if err := until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Len() == 2 }); err != nil {
					return err
				}
				if now := env.Now(ctx); !now.Equal(at) {
					return fmt.Errorf("entered at %v, not at %v", now, at)
				}
				return nil
			})
		return err
	})
	require.NoError(t, rep.Err)
}

// A candidate stops growing when it is Ahead of our selection, goes on when that moves, and never holds more than K+Ahead headers.
func TestCandidateIsBounded(t *testing.T) {
	all := grow(chain.NewFragment(genesis()), 60, 0)
	server := func() *node { return newNode(all) }
	inBoth(t, func(ctx context.Context) error {
		ours := newNode(chain.NewFragment(genesis()))
		cfg := clientOf(ours)
		cfg.Ahead = 7
		ended, err := follows(ctx, cfg, func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, server().follower()) },
			func(ctx context.Context) error {
				for n := chain.BlockNo(0); n <= 50; n += 10 {
					if err := until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Tip().BlockNo == n+7 }); err != nil {
						return err
					}
					if err := env.Sleep(ctx, 10*time.Millisecond); err != nil {
						return err
					}
					f, _ := stm.Query(ctx, func(tx *stm.Tx) chain.Fragment { f, _ := cfg.Candidates.Of(tx, "peer"); return f })
					if f.Tip().BlockNo != n+7 || f.Len() > k+7 {
						return fmt.Errorf("selection at %d, candidate of %d headers ends at %v", n, f.Len(), f.Tip())
					}
					next, _ := all.RollbackTo(all.At(int(n) + 9).Point())
					if err := ours.set(ctx, next.Trim(k)); err != nil {
						return err
					}
				}
				return nil
			})
		if !errors.Is(ended, errEnough) {
			err = errors.Join(err, ended)
		}
		return err
	})
}

// A peer without a common point is asked again; one that rolls back past what we share loses its candidate and may come back.
func TestPeerOffOurHistory(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		all := grow(chain.NewFragment(genesis()), 20, 0)
		cfg := clientOf(newNode(all.Trim(k))) // anchored at block 15
		behind, _ := all.RollbackTo(all.At(9).Point())
		peer := newNode(behind)
		none := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(cfg.Candidates.All(tx)) == 0); return nil })
		}
		ended, err := follows(ctx, cfg, func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, peer.follower()) },
			func(ctx context.Context) error {
				at16, _ := all.RollbackTo(all.At(15).Point())
				is16 := func(f chain.Fragment) bool { return f.Tip() == at16.Tip() }
				return errors.Join(
					env.Sleep(ctx, 10*time.Second), none(ctx),
					peer.set(ctx, at16), until(ctx, cfg.Candidates, is16),
					peer.set(ctx, behind), none(ctx),
					peer.set(ctx, at16), until(ctx, cfg.Candidates, is16),
				)
			})
		if !errors.Is(ended, errEnough) {
			err = errors.Join(err, ended)
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// Cancelled at whatever it waits for, Follow ends and leaves no candidate. follows checks the second half.
func TestCancelFollow(t *testing.T) {
	full := newNode(grow(chain.NewFragment(genesis()), 3, 0))
	serve := func(n *node) func(context.Context, p2p.Conn) error {
		return func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, n.follower()) }
	}
	silent := func(context.Context, p2p.Conn) error { return nil }
	empty := chain.NewFragment(genesis())
	for name, c := range map[string]struct {
		serve func(context.Context, p2p.Conn) error
		set   func(*ClientConfig)
	}{
		"in Intersect":           {silent, nil},
		"in MustReply":           {serve(newNode(empty)), nil},
		"while there is no room": {serve(full), func(c *ClientConfig) { c.Ahead = 1 }},
		"waiting for a slot": {serve(full), func(c *ClientConfig) {
			c.Check = func(ctx context.Context, _ *chain.Header) error { return &Later{At: env.Now(ctx).Add(time.Hour)} }
		}},
		"between two searches": {serve(newNode(grow(chain.NewFragment(chain.Tip{Point: chain.Point{Hash: chain.Hash{7}}}), 1, 0))), nil},
		"in Check": {serve(full), func(c *ClientConfig) {
			c.Check = func(ctx context.Context, _ *chain.Header) error { return env.Sleep(ctx, time.Hour) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context) error {
				cfg := clientOf(newNode(empty))
				if c.set != nil {
					c.set(&cfg)
				}
				ended, err := follows(ctx, cfg, c.serve, func(ctx context.Context) error { return env.Sleep(ctx, 30*time.Millisecond) })
				var v *p2p.Violation
				if !errors.Is(ended, errEnough) || !errors.Is(ended, context.Canceled) || errors.As(ended, &v) {
					err = errors.Join(err, fmt.Errorf("ended by %v", ended))
				}
				return err
			})
		})
	}
}

// A newer session's candidate stays when the older one leaves.
func TestCandidatesSupplant(t *testing.T) {
	ctx := context.Background()
	cs := NewCandidates()
	enter := func(peer p2p.PeerID) *Candidate {
		c := &Candidate{peer: peer, fragment: stm.NewVar(chain.NewFragment(genesis()))}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { cs.enter(tx, c); return nil }))
		return c
	}
	old, other, newer := enter("b"), enter("a"), enter("b")
	all := func() []*Candidate { all, err := stm.Query(ctx, cs.All); require.NoError(t, err); return all }
	require.Equal(t, []*Candidate{other, newer}, all())
	cs.leave(ctx, old)
	require.Equal(t, []*Candidate{other, newer}, all())
	cs.leave(ctx, newer)
	require.Equal(t, []*Candidate{other}, all())
}

func TestClientConfig(t *testing.T) {
	for field, spoil := range map[string]func(*ClientConfig){
		"Candidates": func(c *ClientConfig) { c.Candidates = nil },
		"Selection":  func(c *ClientConfig) { c.Selection = nil },
		"Check":      func(c *ClientConfig) { c.Check = nil },
		"K":          func(c *ClientConfig) { c.K = 0 },
		"Ahead":      func(c *ClientConfig) { c.Ahead = -1 },
		"RetryEvery": func(c *ClientConfig) { c.RetryEvery = -1 },
	} {
		cfg := clientOf(newNode(chain.NewFragment(genesis())))
		spoil(&cfg)
		require.ErrorContains(t, Follow(context.Background(), p2p.Conn{}, cfg), "ClientConfig."+field)
	}
}

// On a quiet chain the client knows that it must wait: AwaitReply is not held back until the next block. A server that waits by a bare
// transaction fails here, by the client's limit.
func TestQuietChain(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		server := newNode(chain.NewFragment(genesis()))
		cfg := clientOf(newNode(chain.NewFragment(genesis())))
		one := grow(chain.NewFragment(genesis()), 1, 0)
		ended, err := follows(ctx, cfg, func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, server.follower()) },
			func(ctx context.Context) error {
				return errors.Join(env.Sleep(ctx, 50*time.Minute), server.set(ctx, one),
					until(ctx, cfg.Candidates, func(f chain.Fragment) bool { return f.Tip() == one.Tip() }))
			})
		if !errors.Is(ended, errEnough) {
			err = errors.Join(err, ended)
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// A server that owes the next block notices that its client has gone.
func TestServeNoticesTheEnd(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := pipe(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("client", func(ctx context.Context) error {
				session := p2p.NewSession(ctx, Protocol(), table.Initiator, p2p.Conn{Stream: a})
				if err := session.Send(&MsgRequestNext{}); err != nil {
					return err
				}
				if m, err := session.Recv(); err != nil || m.Tag() != (&MsgAwaitReply{}).Tag() {
					return fmt.Errorf("%T, %w", m, err)
				}
				a.Reset(p2p.CodeShutdown)
				return nil
			})
			err := Serve(ctx, p2p.Conn{Stream: b}, newNode(chain.NewFragment(genesis())).follower())
			var r *p2p.ResetError
			if !errors.As(err, &r) || !r.Remote {
				return fmt.Errorf("ended by %v", err)
			}
			return nil
		})
	})
	require.NoError(t, rep.Err)
	require.Less(t, rep.Elapsed, time.Second)
}
