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
	"github.com/synodkit/synod/sim"
)

// A liar's session ends as a violation; nothing it should not have sent reaches the pool, and an honest peer brings the rest.
func TestLyingServer(t *testing.T) {
	all, bad := sequence(3, 8000), []byte("bad")
	other := transaction(9, 0, 8000)
	big := loose(1, WindowMax, 8192) // two requests of half a window
	short := &MsgReplyIDs{IDs: []Announced{{ID: chain.HashOf(all[0]), Bytes: 7999}}}
	long := &MsgReplyIDs{IDs: []Announced{{ID: chain.HashOf(all[0]), Bytes: 200000}}}
	for name, c := range map[string]struct {
		says  []table.Message
		state table.StateID
		taken int // from the liar
	}{
		"no ids after a wait":         {[]table.Message{announce()}, StateIDsWait, 0},
		"more ids than asked for":     {[]table.Message{announce(big...), bring(big[:32]...), announce(loose(100, 33, 100)...)}, StateIDsNow, 32},
		"a transaction not asked for": {[]table.Message{announce(all...), bring(other)}, StateTxs, 0},
		"one of them not asked for":   {[]table.Message{announce(all...), bring(all[0], other)}, StateTxs, 0},
		"one twice":                   {[]table.Message{announce(all...), bring(all[0], all[0])}, StateTxs, 0},
		"the wrong order":             {[]table.Message{announce(all...), bring(all[1], all[0])}, StateTxs, 0},
		"a longer one than announced": {[]table.Message{short, bring(all[0])}, StateTxs, 0},
		"a shorter one":               {[]table.Message{long, bring(all[0])}, StateTxs, 0},
		"one too many":                {[]table.Message{announce(all...), bring(all[0], all[1], all[2], all[2])}, StateTxs, 0},
		"a malformed one":             {[]table.Message{announce(all[0], bad), bring(all[0], bad)}, StateTxs, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				rep := sim.Run(seed, func(ctx context.Context) error {
					us := newPool()
					later := newPool()
					r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
						err := env.Sleep(ctx, time.Second)
						if got := len(us.state.Load(ctx).known); got != c.taken {
							err = errors.Join(err, fmt.Errorf("%d transactions from the liar", got))
						}
						last := transaction(10000, 0, 100)
						return errors.Join(err, later.add(ctx, all...), later.add(ctx, last), us.has(ctx, append(all, last)...))
					}, dictate(c.says...), serving(later))
					return errors.Join(err, violates(r.ended[0], p2p.Invalid, c.state), result{ended: r.ended[1:]}.honest())
				})
				require.NoError(t, rep.Err)
			}
		})
	}
}

// A peer that stalls keeps nobody waiting beyond LeaseFor, and is noticed by its own limit.
func TestStallingServer(t *testing.T) {
	all := sequence(20, 100)
	rep := sim.Run(1, func(ctx context.Context) error {
		us, honest := newPool(), newPool()
		start := env.Now(ctx)
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			err := errors.Join(env.Sleep(ctx, 100*time.Millisecond), honest.add(ctx, all...), us.knows(ctx, 20))
			if took := env.Now(ctx).Sub(start); took < leaseDefault || took > leaseDefault+100*time.Millisecond {
				err = errors.Join(err, fmt.Errorf("all transactions after %v", took))
			}
			return errors.Join(err, env.Sleep(ctx, 2*txsLimit))
		}, dictate(announce(all...)), serving(honest))
		return errors.Join(err, violates(r.ended[0], p2p.Timeout, StateTxs), result{ended: r.ended[1:]}.honest())
	})
	require.NoError(t, rep.Err)
}

// laggard writes transactions late, and everything else at once.
type laggard struct {
	p2p.Stream
	takes func() error
}

func (l *laggard) Write(b []byte) (int, error) {
	if b[4] == (&MsgReplyTxs{}).Tag() {
		if err := l.takes(); err != nil {
			return 0, err
		}
	}
	return l.Stream.Write(b)
}

// delays says how many of 60 transactions took long, when a quick peer and one that is quick with ids alone offer them at the same time.
func delays(ctx context.Context, pauseMax time.Duration) (long int, err error) {
	us, theirs := newPool(), newPool()
	cfg := config(us)
	cfg.PauseMax = pauseMax
	slow := func(ctx context.Context, c p2p.Conn) error {
		c.Stream = &laggard{c.Stream, func() error { return env.Sleep(ctx, 3*time.Second) }}
		return Serve(ctx, c, theirs)
	}
	r, err := pulling(ctx, client(cfg), func(ctx context.Context) error {
		for i, raw := range loose(1, 60, 100) {
			start := env.Now(ctx)
			if err := errors.Join(theirs.add(ctx, raw), us.knows(ctx, i+1)); err != nil {
				return err
			}
			if env.Now(ctx).Sub(start) > time.Second {
				long++
			}
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		return nil
	}, slow, serving(theirs))
	return long, errors.Join(err, r.honest())
}

// A peer that answers only after its leases have run out lets the others go first: it holds them up once, not again and again.
func TestSlowServerYields(t *testing.T) {
	planted := 0
	for seed := range uint64(10) {
		require.NoError(t, sim.Run(seed, func(ctx context.Context) error {
			if long, err := delays(ctx, time.Second); err != nil || long > 2 {
				return errors.Join(err, fmt.Errorf("%d transactions held up", long))
			}
			long, err := delays(ctx, time.Nanosecond) // a planted bug: it does not let them
			planted = max(planted, long)
			return err
		}).Err, "seed %d", seed)
	}
	require.Greater(t, planted, 10)
}

// Neither ids of nothing nor transactions that are refused cost more than a request a second, once there were a few.
func TestUselessServer(t *testing.T) {
	for name, c := range map[string]struct {
		pauseMax time.Duration
		bring    bool
		lasts    time.Duration
		most     int
		planted  bool
	}{
		"ids of nothing":           {time.Second, false, time.Minute, 70, false},
		"refused transactions":     {time.Second, true, time.Minute, 70, false},
		"shorter pauses":           {100 * time.Millisecond, true, 10 * time.Second, 110, false},
		"a planted bug: no pauses": {time.Nanosecond, false, 2 * time.Second, 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				us := newPool()
				cfg := config(us)
				cfg.PauseMax = c.pauseMax
				next := 0
				raws := map[chain.Hash][]byte{}
				r, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return env.Sleep(ctx, c.lasts) }, answering(func(asked table.Message) table.Message {
					if want, ok := asked.(*MsgRequestTxs); ok {
						m := bring()
						for _, id := range want.IDs {
							if c.bring {
								m.Txs = append(m.Txs, raws[id])
							}
							delete(raws, id)
						}
						return m
					}
					next++
					raw := transaction(next, 1<<30, 100)
					raws[chain.HashOf(raw)] = raw
					return announce(raw)
				}))
				if requests := r.taps[0].requests; requests > c.most != c.planted || requests < 10 {
					err = errors.Join(err, fmt.Errorf("%d requests in %v", requests, c.lasts))
				}
				return errors.Join(err, r.honest())
			})
			require.NoError(t, rep.Err)
		})
	}
}

// A valid transaction in each answer does not pay for those that are refused with it, wherever it stands among them.
func TestValidOnesDoNotPayForRefusedOnes(t *testing.T) {
	for name, at := range map[string]int{"first": 0, "in the middle": 30, "last": WindowMax - 1} {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				us := newPool()
				next := 0
				raws := map[chain.Hash][]byte{}
				r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error { return env.Sleep(ctx, time.Minute) }, answering(func(asked table.Message) table.Message {
					if want, ok := asked.(*MsgRequestTxs); ok {
						m := bring()
						for _, id := range want.IDs {
							m.Txs = append(m.Txs, raws[id])
							delete(raws, id)
						}
						return m
					}
					m := announce()
					for i := range WindowMax {
						next++
						raw := transaction(next, 1<<30, 100)
						if i == at {
							raw = transaction(next, 0, 100)
						}
						raws[chain.HashOf(raw)] = raw
						m.IDs = append(m.IDs, announce(raw).IDs...)
					}
					return m
				}))
				if c := us.state.Load(ctx); c.refused > 62*WindowMax || len(c.known) < 50 {
					err = errors.Join(err, fmt.Errorf("%d were refused and %d taken in a minute", c.refused, len(c.known)))
				}
				return errors.Join(err, r.honest())
			})
			require.NoError(t, rep.Err)
		})
	}
}

// Ids that need no fetching do not make a loop either: those of no use cost a request a second, known ones one in 10 ms.
func TestFloodOfIDs(t *testing.T) {
	large, known := announce(), announce()
	for i, raw := range loose(1, WindowMax, 100) {
		large.IDs = append(large.IDs, Announced{ID: chain.Hash{byte(i)}, Bytes: TxBytesMax})
		known.IDs = append(known.IDs, announce(raw).IDs...)
	}
	for name, c := range map[string]struct {
		says     *MsgReplyIDs
		pauseMax time.Duration
		most     int
		planted  bool
	}{
		"too large":          {large, time.Second, 10, false},
		"too large, planted": {large, time.Nanosecond, 10, true},
		"known":              {known, time.Second, 310, false},
		"one known":          {announce(loose(1, 1, 100)...), time.Second, 1000, false},
		"known, planted":     {known, time.Nanosecond, 310, true},
	} {
		t.Run(name, func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				us := newPool(loose(1, WindowMax, 100)...)
				cfg := config(us)
				cfg.PauseMax, cfg.TxBytesMax = c.pauseMax, 1000
				r, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return env.Sleep(ctx, 3*time.Second) },
					answering(func(table.Message) table.Message { return c.says }))
				if rounds := r.taps[0].rounds; rounds > c.most != c.planted || rounds < 5 {
					err = errors.Join(err, fmt.Errorf("%d rounds in 3 s", rounds))
				}
				return errors.Join(err, r.honest())
			})
			require.NoError(t, rep.Err)
		})
	}
}
