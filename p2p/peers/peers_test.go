package peers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func violation(peer p2p.PeerID) *p2p.Violation {
	return &p2p.Violation{Peer: peer, Protocol: "echo", State: "Idle", Kind: p2p.Garbage, Err: errors.New("noise")}
}

// A violation refuses its peer, in one transaction.
func ExampleLedger() {
	ctx := context.Background()
	ledger := peers.NewLedger(peers.Config{})
	ledger.Report(ctx, violation("mallory"))
	text, _ := stm.Query(ctx, func(tx *stm.Tx) string {
		return fmt.Sprintln(ledger.Refused(tx, "mallory"), ledger.Refused(tx, "alice"), ledger.Total(tx)) + ledger.Violations(tx)[0].Error()
	})
	fmt.Println(text)
	// Output:
	// true false 1
	// p2p: peer mallory: garbage in echo/Idle: noise
}

// The newest session of a peer and protocol supplants the one before.
func ExampleSessions() {
	ctx := context.Background()
	sessions := peers.NewSessions()
	key := peers.Key{Peer: "alice", Protocol: "/synod/echo/1", Role: table.Responder}
	old, oldEnd := p2ptest.Pipe(ctx)
	leaveOld := sessions.Enter(ctx, key, old)
	newer, _ := p2ptest.Pipe(ctx)
	leave := sessions.Enter(ctx, key, newer)
	_, err := oldEnd.Read(make([]byte, 1))
	fmt.Println(err)
	leaveOld() // changes nothing
	open, _ := stm.Query(ctx, sessions.Open)
	fmt.Println(open)
	leave()
	open, _ = stm.Query(ctx, sessions.Open)
	fmt.Println(open)
	// Output:
	// p2p: stream reset by the peer: supplanted
	// [{alice /synod/echo/1 responder}]
	// []
}

func refused(ctx context.Context, l *peers.Ledger, peer p2p.PeerID) bool {
	r, _ := stm.Query(ctx, func(tx *stm.Tx) bool { return l.Refused(tx, peer) })
	return r
}

// A flood of violations by many peers leaves a bounded ledger: the newest are kept.
func TestLedgerIsBounded(t *testing.T) {
	ctx := context.Background()
	l := peers.NewLedger(peers.Config{ViolationsMax: 3, RefusedMax: 4})
	for i := range 1000 {
		l.Report(ctx, violation(p2p.PeerID(fmt.Sprint(i))))
	}
	log, err := stm.Query(ctx, l.Violations)
	require.NoError(t, err)
	require.Len(t, log, 3)
	require.LessOrEqual(t, cap(log), 8)
	require.Equal(t, p2p.PeerID("997"), log[0].Peer)
	require.Equal(t, p2p.PeerID("999"), log[2].Peer)
	total, err := stm.Query(ctx, l.Total)
	require.NoError(t, err)
	require.EqualValues(t, 1000, total)
	require.False(t, refused(ctx, l, "995"))
	require.True(t, refused(ctx, l, "996"))
	owed, err := stm.Query(ctx, l.Owed)
	require.NoError(t, err)
	require.Equal(t, 4, owed)
}

// One who offends again is not the first to be forgotten.
func TestRefusalIsRenewed(t *testing.T) {
	ctx := context.Background()
	l := peers.NewLedger(peers.Config{RefusedMax: 2})
	for _, p := range []p2p.PeerID{"a", "b", "a", "c"} {
		l.Report(ctx, violation(p))
	}
	require.True(t, refused(ctx, l, "a"))
	require.False(t, refused(ctx, l, "b"))
	require.True(t, refused(ctx, l, "c"))
}

// A refusal for a time ends by itself, and who waits for that is woken.
func TestRefuseFor(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		l := peers.NewLedger(peers.Config{RefuseFor: time.Hour})
		start := env.Now(ctx)
		l.Report(ctx, violation("a"))
		if err := env.Sleep(ctx, 30*time.Minute); err != nil {
			return err
		}
		l.Report(ctx, violation("a")) // starts anew
		err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!l.Refused(tx, "a")); return nil })
		if took := env.Now(ctx).Sub(start); took != 90*time.Minute {
			return fmt.Errorf("refused for %v", took)
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// Slowness is forgiven sooner, but does not shorten a refusal for something worse.
func TestRefuseSlowFor(t *testing.T) {
	slow := func(peer p2p.PeerID) *p2p.Violation {
		v := *violation(peer)
		v.Kind = p2p.Timeout
		return &v
	}
	rep := sim.Run(1, func(ctx context.Context) error {
		l := peers.NewLedger(peers.Config{})
		for _, v := range []*p2p.Violation{slow("slow"), violation("bad"), slow("bad"), slow("worse"), violation("worse")} {
			l.Report(ctx, v)
		}
		for _, want := range []bool{true, false} {
			if got := refused(ctx, l, "slow"); got != want || !refused(ctx, l, "bad") || !refused(ctx, l, "worse") {
				return fmt.Errorf("slow refused: %v", got)
			}
			if err := env.Sleep(ctx, 10*time.Minute); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, rep.Err)
}

// Enforce disconnects each reported peer once, also those reported before it ran, until it is cancelled. Report works in a cancelled context.
func TestEnforce(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		l := peers.NewLedger(peers.Config{})
		cancelledCtx, cancel := env.WithCancel(ctx)
		cancel()
		l.Report(cancelledCtx, violation("early"))
		l.Report(ctx, violation("early"))
		var got []p2p.PeerID
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			inner, stop := env.WithCancel(ctx)
			s.Go("enforce", func(context.Context) error {
				err := l.Enforce(inner, func(p p2p.PeerID, code p2p.Code) {
					if code == p2p.CodeViolation {
						got = append(got, p)
					}
				})
				if !errors.Is(err, context.Canceled) || fmt.Sprint(got) != "[early late early]" {
					return fmt.Errorf("disconnected %v, ended by %v", got, err)
				}
				return nil
			})
			for _, p := range []p2p.PeerID{"late", "early"} {
				if err := env.Sleep(ctx, time.Second); err != nil {
					return err
				}
				l.Report(ctx, violation(p))
			}
			err := env.Sleep(ctx, time.Second)
			stop()
			return err
		})
	})
	require.NoError(t, rep.Err)
}

// Sessions of other peers, protocols and roles do not supplant each other; the list is in order.
func TestSessionsKeys(t *testing.T) {
	ctx := context.Background()
	x := peers.NewSessions()
	keys := []peers.Key{{"a", "p", table.Initiator}, {"a", "p", table.Responder}, {"a", "q", table.Initiator}, {"b", "p", table.Initiator}}
	var leave []func()
	for _, i := range []int{2, 0, 3, 1} {
		s, _ := p2ptest.Pipe(ctx)
		leave = append(leave, x.Enter(ctx, keys[i], s))
		gone, err := stm.Query(ctx, s.Gone)
		require.NoError(t, errors.Join(gone, err))
	}
	open, err := stm.Query(ctx, x.Open)
	require.NoError(t, err)
	require.Equal(t, keys, open)
	for _, f := range leave {
		f()
		f()
	}
	open, err = stm.Query(ctx, x.Open)
	require.NoError(t, err)
	require.Empty(t, open)
}
