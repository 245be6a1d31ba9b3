package blockfetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// share fetches a chain from three peers that all have it.
func share(claimFor time.Duration) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		all := blocks(100, 0)
		n := newNode()
		cfg := n.config()
		cfg.RangeMax, cfg.ClaimFor = 7, claimFor
		ended, err := fetching(ctx, client(cfg), func(ctx context.Context) error {
			for _, p := range []p2p.PeerID{"0", "1", "2"} {
				if err := n.offer(ctx, p, fragment(all)); err != nil {
					return err
				}
			}
			return n.selected(ctx, 100)
		}, serving(source(all)), serving(source(all)), serving(source(all)))
		for _, e := range ended {
			if !errors.Is(e, errEnough) {
				err = errors.Join(err, e)
			}
		}
		if count, most := n.deliveries(ctx); count != 100 || most != 1 {
			err = errors.Join(err, fmt.Errorf("%d blocks delivered, one of them %d times", count, most))
		}
		return err
	}
}

// Peers share the work, and no body comes twice.
func TestPeersShare(t *testing.T) { inBoth(t, share(time.Minute)) }

// A planted bug: without claims bodies come twice, and the test above notices.
func TestNoClaimsIsCaught(t *testing.T) {
	require.ErrorContains(t, sim.Run(1, share(time.Nanosecond)).Err, "one of them")
}

func TestSameTraceTwice(t *testing.T) {
	hashes := map[uint64]uint64{}
	for i := range 300 {
		seed := uint64(i % 15)
		rep := sim.Run(seed, share(time.Minute))
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

// A liar's session ends as a violation; nothing false is delivered, and an honest peer brings the blocks.
func TestLyingServer(t *testing.T) {
	all := blocks(4, 0)
	body := func(i int) table.Message { return &MsgBlock{Body: all[i].Body} }
	start, done := &MsgStartBatch{}, &MsgBatchDone{}
	for name, says := range map[string][]table.Message{
		"another body":         {start, body(1)},
		"a body of other size": {start, &MsgBlock{Body: []byte("x")}},
		"an empty body":        {start, &MsgBlock{}},
		"an empty batch":       {start, done},
		"too few":              {start, body(0), body(1), body(2), done},
		"too many":             {start, body(0), body(1), body(2), body(3), body(3)},
		"the wrong order":      {start, body(0), body(2)},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				rep := sim.Run(seed, func(ctx context.Context) error {
					n := newNode()
					ended, err := fetching(ctx, client(n.config()), func(ctx context.Context) error {
						return errors.Join(
							n.offer(ctx, "0", fragment(all)), env.Sleep(ctx, time.Second),
							n.offer(ctx, "1", fragment(all)), env.Sleep(ctx, time.Second), n.selected(ctx, 4),
						)
					}, dictate(says...), serving(source(all)))
					var v *p2p.Violation
					if !errors.As(ended[0], &v) || v.Kind != p2p.Invalid || v.State != StateStreaming || v.Peer != "0" {
						err = errors.Join(err, fmt.Errorf("the liar's session ended by %v", ended[0]))
					}
					if !errors.Is(ended[1], errEnough) {
						err = errors.Join(err, fmt.Errorf("the honest session ended by %v", ended[1]))
					}
					if count, most := n.deliveries(ctx); count != 4 || most != 1 {
						err = errors.Join(err, fmt.Errorf("%d blocks delivered, one of them %d times", count, most))
					}
					return err
				})
				require.NoError(t, rep.Err)
			}
		})
	}
}

// A peer that stalls keeps nobody waiting beyond ClaimFor, and is noticed by its own limit.
func TestStallingServer(t *testing.T) {
	all := blocks(20, 0)
	for name, says := range map[string][]table.Message{"at once": nil, "after one block": {&MsgStartBatch{}, &MsgBlock{Body: all[0].Body}}} {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				n := newNode()
				start := env.Now(ctx)
				ended, err := fetching(ctx, client(n.config()), func(ctx context.Context) error {
					err := errors.Join(n.offer(ctx, "0", fragment(all)), env.Sleep(ctx, time.Second), n.offer(ctx, "1", fragment(all)), n.selected(ctx, 20))
					if took := env.Now(ctx).Sub(start); took > claimDefault+100*time.Millisecond {
						err = errors.Join(err, fmt.Errorf("all blocks after %v", took))
					}
					return errors.Join(err, env.Sleep(ctx, 2*answerLimit))
				}, dictate(says...), serving(source(all)))
				var v *p2p.Violation
				if !errors.As(ended[0], &v) || v.Kind != p2p.Timeout {
					err = errors.Join(err, fmt.Errorf("the stalling session ended by %v", ended[0]))
				}
				return err
			})
			require.NoError(t, rep.Err)
		})
	}
}

// NoBlocks is no violation; the peer is asked again after RetryEvery, or at once when its candidate changes.
func TestNoBlocks(t *testing.T) {
	all := blocks(3, 0)
	rep := sim.Run(1, func(ctx context.Context) error {
		n := newNode()
		asked := 0
		empty := func(ctx context.Context, c p2p.Conn) error {
			s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
			for {
				if _, err := s.Recv(); err != nil {
					return err
				}
				asked++
				if err := s.Send(&MsgNoBlocks{}); err != nil {
					return err
				}
			}
		}
		ended, err := fetching(ctx, client(n.config()), func(ctx context.Context) error {
			err := errors.Join(n.offer(ctx, "0", fragment(all[:2])), env.Sleep(ctx, 10*time.Second))
			if asked < 9 || asked > 11 {
				return fmt.Errorf("asked %d times in 10 s", asked)
			}
			before := asked
			err = errors.Join(err, n.offer(ctx, "0", fragment(all)), env.Sleep(ctx, 20*time.Millisecond))
			if asked == before {
				return errors.New("not asked for the new candidate")
			}
			return err
		}, empty)
		if !errors.Is(ended[0], errEnough) {
			err = errors.Join(err, ended[0])
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// A candidate with a block that is known to be invalid is its peer's fault.
func TestInvalidCandidate(t *testing.T) {
	all := blocks(5, 0)
	rep := sim.Run(1, func(ctx context.Context) error {
		n := newNode()
		ended, err := fetching(ctx, client(n.config()), func(ctx context.Context) error {
			return errors.Join(stm.Do(ctx, func(tx *stm.Tx) error {
				n.invalid.Set(tx, all[2].Header.Hash())
				return nil
			}), n.offer(ctx, "0", fragment(all)), env.Sleep(ctx, time.Second))
		}, serving(source(all)))
		var v *p2p.Violation
		if !errors.As(ended[0], &v) || v.Kind != p2p.Invalid || !errors.Is(v, errInvalid) {
			err = errors.Join(err, fmt.Errorf("ended by %v", ended[0]))
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// Nothing is asked for while there is nothing to gain.
func TestDecideDeclines(t *testing.T) {
	all, fork := blocks(10, 0), blocks(10, 1)
	ctx := context.Background()
	for name, c := range map[string]struct {
		ours, theirs []chain.Block
		have         []chain.Block
		want         int // blocks asked for; 0 is a wait
	}{
		"no better":            {all, all, nil, 0},
		"shorter":              {all, all[:5], nil, 0},
		"a fork as long":       {all, fork, nil, 0},
		"all bodies are here":  {all[:5], all, all, 0},
		"an extension":         {all[:5], all, all[:5], 5},
		"a longer fork":        {all[:5], fork, all[:5], 8},
		"the first are here":   {nil, all[:9], all[:4], 5},
		"one in the middle is": {nil, all[:5], all[2:3], 2},
		"the limit of a range": {nil, all, nil, 8},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode()
			require.NoError(t, n.offer(ctx, "0", fragment(c.theirs)))
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
				have := map[chain.Hash]int{}
				for _, b := range c.have {
					have[b.Header.Hash()]++
				}
				n.have.Set(tx, have)
				n.selection.Set(tx, fragment(c.ours))
				return nil
			}))
			cfg := n.config()
			cfg.RangeMax = 8
			f := &fetch{client: client(cfg), peer: "0"}
			got, err := stm.Query(ctx, func(tx *stm.Tx) []*chain.Header {
				return stm.OrElse(tx, func(tx *stm.Tx) []*chain.Header { return f.decide(tx).run }, func(*stm.Tx) []*chain.Header { return nil })
			})
			require.NoError(t, err)
			require.Len(t, got, c.want)
			for i := 1; i < len(got); i++ {
				require.Equal(t, got[i-1].Hash(), got[i].Prev(), "a run is consecutive")
			}
		})
	}
}

// The bytes of a request are bounded too, but one block is always allowed.
func TestBytesMax(t *testing.T) {
	all := blocks(10, 0) // six bytes each
	for bytesMax, want := range map[int]int{1: 1, 6: 1, 11: 1, 12: 2, 30: 5, 1000: 10} {
		n := newNode()
		require.NoError(t, n.offer(context.Background(), "0", fragment(all)))
		cfg := n.config()
		cfg.BytesMax = bytesMax
		p, err := stm.Query(context.Background(), (&fetch{client: client(cfg), peer: "0"}).decide)
		require.NoError(t, err)
		require.Len(t, p.run, want, "%d bytes", bytesMax)
	}
}

// Cancelled at whatever it waits for, Fetch ends and claims nothing. fetching checks the second half.
func TestCancelFetch(t *testing.T) {
	all := blocks(3, 0)
	for name, c := range map[string]struct {
		serve   server
		deliver func(context.Context, chain.Block) error
		offer   []chain.Block
	}{
		"with nothing to fetch": {serving(source(all)), nil, nil},
		"in Busy":               {dictate(), nil, all},
		"in Streaming":          {dictate(&MsgStartBatch{}), nil, all},
		"in Deliver":            {serving(source(all)), func(ctx context.Context, _ chain.Block) error { return env.Sleep(ctx, time.Hour) }, all},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context) error {
				n := newNode()
				cfg := n.config()
				if c.deliver != nil {
					cfg.Deliver = c.deliver
				}
				ended, err := fetching(ctx, client(cfg), func(ctx context.Context) error {
					return errors.Join(n.offer(ctx, "0", fragment(c.offer)), env.Sleep(ctx, 30*time.Millisecond))
				}, c.serve)
				if !errors.Is(ended[0], errEnough) || !errors.Is(ended[0], context.Canceled) {
					err = errors.Join(err, fmt.Errorf("ended by %v", ended[0]))
				}
				return err
			})
		})
	}
}

// A server whose range breaks off ends the session: half a range is not passed off as a whole one.
func TestServeBrokenRange(t *testing.T) {
	all := blocks(5, 0)
	rep := sim.Run(1, func(ctx context.Context) error {
		n := newNode()
		ended, err := fetching(ctx, client(n.config()), func(ctx context.Context) error {
			return errors.Join(n.offer(ctx, "0", fragment(all)), env.Sleep(ctx, time.Second))
		}, func(ctx context.Context, c p2p.Conn) error {
			err := Serve(ctx, c, source(slices.Clone(all[:3])))
			if !errors.Is(err, errNotHere) {
				panic(err)
			}
			return err
		})
		var v *p2p.Violation
		if errors.As(ended[0], &v) {
			err = errors.Join(err, v)
		}
		if count, _ := n.deliveries(ctx); count != 3 {
			err = errors.Join(err, fmt.Errorf("%d blocks delivered", count))
		}
		return err
	})
	require.NoError(t, rep.Err)
}

func TestConfig(t *testing.T) {
	for field, spoil := range map[string]func(*Config){
		"Selection": func(c *Config) { c.Selection = nil }, "Candidate": func(c *Config) { c.Candidate = nil },
		"Better": func(c *Config) { c.Better = nil }, "Has": func(c *Config) { c.Has = nil },
		"Invalid": func(c *Config) { c.Invalid = nil }, "Deliver": func(c *Config) { c.Deliver = nil },
		"RangeMax": func(c *Config) { c.RangeMax = -1 }, "BytesMax": func(c *Config) { c.BytesMax = -1 },
		"ClaimFor": func(c *Config) { c.ClaimFor = -1 }, "RetryEvery": func(c *Config) { c.RetryEvery = -1 },
	} {
		cfg := newNode().config()
		spoil(&cfg)
		_, err := NewClient(cfg)
		require.ErrorContains(t, err, "Config."+field)
	}
}
