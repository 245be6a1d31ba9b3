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
	"github.com/synodkit/synod/stm"
)

// Requests are as large as may be and no larger; one transaction is always allowed. The tap of every session checks the limit.
func TestBytesInFlight(t *testing.T) {
	const count, bytes = 50, 1000
	for bytesMax, want := range map[int]int{1: 1000, 1999: 1000, 2000: 2000, 10500: 10000, RequestBytesMax: 50000} {
		t.Run(fmt.Sprint(bytesMax), func(t *testing.T) {
			rep := sim.Run(1, func(ctx context.Context) error {
				us := newPool()
				cfg := config(us)
				cfg.BytesMax = bytesMax
				r, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return us.knows(ctx, count) }, serving(newPool(sequence(count, bytes)...)))
				if r.taps[0].most != want {
					err = errors.Join(err, fmt.Errorf("at most %d bytes in flight", r.taps[0].most))
				}
				return errors.Join(err, r.honest())
			})
			require.NoError(t, rep.Err)
		})
	}
}

// A planted bug: a client that asks for more is caught by the tap, and by an honest server.
func TestTooMuchInFlightIsCaught(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool()
		c := client(config(us))
		greedy := client(config(us))
		greedy.cfg.BytesMax, greedy.leases = 10*RequestBytesMax, c.leases
		c.decide = func(p *pull, tx *stm.Tx) plan {
			q := *p
			q.client = greedy
			return q.decide(tx)
		}
		r, err := pulling(ctx, c, func(ctx context.Context) error { return env.Sleep(ctx, time.Second) }, serving(newPool(sequence(40, 8000)...)))
		var reset *p2p.ResetError
		if !errors.As(r.ended[0], &reset) || reset.Code != p2p.CodeViolation || !reset.Remote {
			return fmt.Errorf("ended by %v", r.ended[0])
		}
		return err
	})
	require.ErrorContains(t, rep.Err, "320000 bytes in flight")
}

// A refused transaction does not end the session. It is asked for again when it is announced again: after a rollback, say, behind what it needs.
func TestRefused(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us, theirs := newPool(), newPool(sequence(3, 100)[1:]...) // the first is missing
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			err := errors.Join(env.Sleep(ctx, time.Second), us.tally(ctx, 2, 2))
			return errors.Join(err, theirs.add(ctx, sequence(3, 100)...), us.knows(ctx, 3), env.Sleep(ctx, time.Second), us.tally(ctx, 5, 2))
		}, serving(theirs))
		if got, most := r.asked(); got != 3 || most != 2 {
			err = errors.Join(err, fmt.Errorf("%d transactions asked for, one of them %d times", got, most))
		}
		return errors.Join(err, r.honest())
	})
	require.NoError(t, rep.Err)
}

// One that is taken takes back a refusal: an honest peer's few cost it little.
func TestPauseEnds(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us, theirs := newPool(), newPool()
		start := env.Now(ctx)
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			for i := 1; i <= 100; i += 2 {
				if err := errors.Join(theirs.add(ctx, transaction(i, 1000, 100), transaction(i+1, 0, 100)), us.knows(ctx, (i+1)/2)); err != nil {
					return err
				}
			}
			if took := env.Now(ctx).Sub(start); took > 3*time.Second {
				return fmt.Errorf("it took %v", took)
			}
			return nil
		}, serving(theirs))
		return errors.Join(err, r.honest(), us.tally(ctx, 100, 50))
	})
	require.NoError(t, rep.Err)
}

// A transaction that is gone when it is asked for is forgotten, and asked for again when it is announced again.
func TestGone(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		all := loose(1, 10, 100)
		us, theirs := newPool(), newPool(all...)
		removed := false
		vanishing := &vanishing{theirs, func(tx *stm.Tx, id chain.Hash) bool { return !removed && id == chain.HashOf(all[4]) }}
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			err := errors.Join(us.knows(ctx, 9), theirs.remove(ctx, all[4]))
			if err != nil {
				return err
			}
			return errors.Join(theirs.add(ctx, all[4], transaction(11, 0, 100)), us.has(ctx, transaction(11, 0, 100)))
		}, serving(vanishing))
		if us.state.Load(ctx).known[chain.HashOf(all[4])] || r.taps[0].asked[chain.HashOf(all[4])] != 2 {
			err = errors.Join(err, errors.New("not asked for twice in vain"))
		}
		return errors.Join(err, r.honest())
	})
}

// vanishing is a source that has announced what it then does not have.
type vanishing struct {
	*pool
	gone func(tx *stm.Tx, id chain.Hash) bool
}

func (v *vanishing) Bytes(tx *stm.Tx, id chain.Hash) ([]byte, bool) {
	if v.gone(tx, id) {
		return nil, false
	}
	return v.pool.Bytes(tx, id)
}

// mismeasured is a source that announces a wrong size.
type mismeasured struct{ *pool }

func (m *mismeasured) After(tx *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool) {
	next, id, bytes, ok = m.pool.After(tx, ticket)
	return next, id, bytes + 1, ok
}

// A server does not send what would look like a lie.
func TestMismeasured(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool()
		src := &mismeasured{newPool(loose(1, 5, 100)...)}
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error { return env.Sleep(ctx, time.Minute) }, serving(src))
		return errors.Join(err, r.honest(), us.tally(ctx, 0, 0))
	})
	require.NoError(t, rep.Err)
}

// The same transaction may be announced twice within the window: it was rolled back meanwhile.
func TestAnnouncedTwice(t *testing.T) {
	all := loose(1, 3, 100)
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool()
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error { return us.knows(ctx, 3) },
			dictate(announce(all[0], all[1], all[0], all[2]), bring(all[1]), bring(all[0], all[2])))
		if got, most := r.asked(); got != 3 || most != 2 {
			err = errors.Join(err, fmt.Errorf("%d transactions asked for, one of them %d times", got, most))
		}
		ended, heard, err2 := asking(ctx, &twice{newPool(all...)}, &MsgAwaitIDs{Max: 6}, ids(all[0]), ids(all[0], all[1]), ids(all[1]), ids(all[1]))
		if len(heard) != 4 {
			err = errors.Join(err, fmt.Errorf("%d answers", len(heard)))
		}
		return errors.Join(err, r.honest(), err2, violates(ended, p2p.Invalid, StateIdle))
	})
	require.NoError(t, rep.Err)
}

// twice is a source that has everything two times.
type twice struct{ *pool }

func (s *twice) After(tx *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool) {
	const round = 1 << 32
	if next, id, bytes, ok = s.pool.After(tx, ticket%round); !ok && ticket < round {
		next, id, bytes, ok = s.pool.After(tx, 0)
		return round + next, id, bytes, ok
	}
	return ticket/round*round + next, id, bytes, ok
}

// Transactions larger than the sink takes are passed over, and do not block those behind.
func TestTooLarge(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool()
		us.bytesMax = 500
		cfg := config(us)
		cfg.TxBytesMax = 400
		large, small := loose(1, 3, 401), loose(4, 1, 400)
		r, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return us.has(ctx, small...) }, serving(newPool(append(large, small...)...)))
		return errors.Join(err, r.honest(), us.tally(ctx, 1, 0))
	})
	require.NoError(t, rep.Err)
}

// Cancelled at whatever it waits for, Pull ends and leases nothing. pulling checks the second half.
func TestCancelPull(t *testing.T) {
	all := sequence(3, 100)
	for name, c := range map[string]struct {
		serve responder
		set   func(p *pool, cfg *Config)
	}{
		"in IDsWait": {serving(newPool()), nil},
		"in IDsNow":  {dictate(announce(loose(1, WindowMax, 8192)...), bring(loose(1, 32, 8192)...)), nil},
		"in Txs":     {dictate(announce(all...)), nil},
		"in Offer": {serving(newPool(all...)), func(_ *pool, cfg *Config) {
			cfg.offer(func(ctx context.Context, _ []byte) error { return env.Sleep(ctx, time.Hour) })
		}},
		"waiting for room to ask":   {serving(newPool(all...)), func(p *pool, _ *Config) { p.bytesMax = 1 }},
		"waiting for room to offer": {serving(newPool(all...)), func(p *pool, _ *Config) { p.countMax = 2 }},
		"pausing":                   {serving(newPool(loose(1, WindowMax, 100)...)), func(_ *pool, cfg *Config) { cfg.offer(func(context.Context, []byte) error { return errRefused }) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context) error {
				us := newPool()
				cfg := config(us)
				if c.set != nil {
					c.set(us, &cfg)
				}
				r, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return env.Sleep(ctx, 50*time.Millisecond) }, c.serve)
				if !errors.Is(r.ended[0], errEnough) || !errors.Is(r.ended[0], context.Canceled) {
					err = errors.Join(err, fmt.Errorf("ended by %v", r.ended[0]))
				}
				return err
			})
		})
	}
}

// A session that waits behind a lease goes on at once when the holder dies.
func TestHolderDies(t *testing.T) {
	all := sequence(5, 100)
	rep := sim.Run(1, func(ctx context.Context) error {
		us, honest := newPool(), newPool()
		cfg := config(us)
		cfg.LeaseFor = time.Hour
		dying := func(ctx context.Context, c p2p.Conn) error {
			s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
			_, err := s.Recv()
			err = errors.Join(err, s.Send(announce(all...)))
			if _, e := s.Recv(); e != nil {
				return e
			}
			err = errors.Join(err, env.Sleep(ctx, time.Second))
			c.Stream.Reset(p2p.CodeShutdown)
			return err
		}
		start := env.Now(ctx)
		_, err := pulling(ctx, client(cfg), func(ctx context.Context) error {
			return errors.Join(env.Sleep(ctx, 100*time.Millisecond), honest.add(ctx, all...), us.knows(ctx, 5))
		}, dying, serving(honest))
		if took := env.Now(ctx).Sub(start); took > 1100*time.Millisecond {
			err = errors.Join(err, fmt.Errorf("all transactions after %v", took))
		}
		return err
	})
	require.NoError(t, rep.Err)
}

func TestConfig(t *testing.T) {
	for field, spoil := range map[string]func(*Config){
		"Sink": func(c *Config) { c.Sink = nil },
		"Full": func(c *Config) { c.Full = nil }, "Blame": func(c *Config) { c.Blame = nil },
		"TxBytesMax": func(c *Config) { c.TxBytesMax = TxBytesMax + 1 }, "BytesMax": func(c *Config) { c.BytesMax = -1 },
		"LeaseFor": func(c *Config) { c.LeaseFor = -1 }, "PauseMax": func(c *Config) { c.PauseMax = -1 },
	} {
		cfg := config(newPool())
		spoil(&cfg)
		_, err := NewClient(cfg)
		require.ErrorContains(t, err, "Config."+field)
	}
}
