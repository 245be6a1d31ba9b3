package libp2p_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// heap is what the process holds.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// victim is a node that keeps a ledger of its peers and acts on it, as a replica does.
type victim struct {
	node
	ledger *peers.Ledger
}

func newVictim(t testing.TB, ctx context.Context, s *registry.Scope, hc libp2p.HostConfig, nc libp2p.Config) victim {
	ledger := peers.NewLedger(peers.Config{})
	refuse := func(p p2p.PeerID) bool {
		refused, _ := stm.Query(context.Background(), func(tx *stm.Tx) bool { return ledger.Refused(tx, p) })
		return refused
	}
	hc.Refuse, nc.Refuse = refuse, refuse
	v := victim{newNode(t, s, hc, nc), ledger}
	require.NoError(t, s.Daemon(ctx, "enforce", func(ctx context.Context, ready func()) error {
		ready()
		return v.ledger.Enforce(ctx, v.Disconnect)
	}))
	return v
}

// attackLimit is the time limit of the victim's sessions.
const attackLimit = 200 * time.Millisecond

// strikes are one attack of each name on a session of the victim's in the given role, in the state in which the attacker has agency.
func strikes(victim table.Agency) []p2ptest.Attack {
	p := ask(attackLimit)
	samples := map[byte]table.Message{0: &msgAsk{text{Text: askPID}}, 1: &msgTell{text{Text: "42"}}, 2: &msgBye{}}
	state := map[table.Agency]table.StateID{table.Responder: "Idle", table.Initiator: "Busy"}[victim]
	var out []p2ptest.Attack
	seen := map[string]bool{}
	for _, a := range p2ptest.Attacks(p, victim, p.State(state), samples) {
		if !seen[a.Name] {
			out = append(out, a)
		}
		seen[a.Name] = true
	}
	if victim == table.Responder { // a second question before the first is answered
		twice := append(p2ptest.FrameOf(samples[0]), p2ptest.FrameOf(samples[0])...)
		out = append(out, p2ptest.Attack{Name: "speaks out of turn", State: "Busy", Bytes: twice, Want: p2p.OutOfAgency})
	}
	return out
}

// strike plays an attacker's side of a stream, until the victim has ended it.
func strike(ctx context.Context, st p2p.Stream, a p2ptest.Attack) error {
	if _, err := st.Write(a.Bytes); err != nil {
		return err
	}
	if a.Then == p2ptest.Leave {
		if err := st.CloseWrite(); err != nil {
			return err
		}
	}
	if a.Then == p2ptest.Drip {
		for env.Sleep(ctx, attackLimit/2) == nil {
			if _, err := st.Write([]byte{0}); err != nil {
				break
			}
		}
	}
	_, err := io.Copy(io.Discard, st)
	if err == nil {
		return fmt.Errorf("%s: the victim has ended in order", a.Name)
	}
	return nil
}

// Every kind of breach of a session, over real connections, from either side: it is noticed for what it is, its sender is refused and its connection
// closed, and whoever talks beside it goes on. What it leaves behind is bounded.
func TestHostileSessions(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			v := newVictim(t, ctx, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{Protocols: []string{askID, echoID}})
			good := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{})
			sg, sv := pair(t, ctx, good, v.node)
			before, attacks := heap(), 0
			for _, role := range []table.Agency{table.Responder, table.Initiator} {
				for _, a := range strikes(role) {
					attacks++
					kind := struckBy(t, ctx, v, role, libp2p.HostConfig{Key: key(byte(10 + attacks)), Transport: tr}, a)
					require.Equal(t, a.Want, kind, "victim %s: %s", role, a.Name)
					connected(t, ctx, v.node, good.Self())
					write(t, sg, "served")
					read(t, sv, "served")
				}
			}
			require.EqualValues(t, attacks, total(t, ctx, v.ledger))
			require.Less(t, heap(), before+16<<20)
			t.Log(attacks, "attacks")
		})
	})
}

// struckBy is the kind of the violation that the victim sees in an attack by a host made for it.
func struckBy(t testing.TB, ctx context.Context, v victim, role table.Agency, hc libp2p.HostConfig, a p2ptest.Attack) p2p.ViolationKind {
	var end error
	scope(t, func(_ context.Context, s *registry.Scope) {
		evil := newNode(t, s, hc, libp2p.Config{Protocols: []string{askID}})
		id := mustConnect(t, ctx, evil, v.node)
		if role == table.Initiator {
			connected(t, ctx, v.node, sorted(evil.Self(), v.others(t, ctx, evil.Self()))...)
			s.Go("attack", func(ctx context.Context) error {
				in, err := evil.Accept(ctx)
				if err != nil {
					return err
				}
				return strike(ctx, in.Stream, a)
			})
			_, end = question(ctx, v.node, evil.Self(), attackLimit, askPID, v.ledger.Report)
			return
		}
		st, err := evil.Open(ctx, id, askID)
		require.NoError(t, err)
		s.Go("attack", func(ctx context.Context) error { return strike(ctx, st, a) })
		in, err := v.Accept(ctx)
		require.NoError(t, err)
		end = answer(ctx, p2p.Conn{Peer: in.Peer, Stream: in.Stream, Report: v.ledger.Report}, a.Want == p2p.OutOfAgency)
	})
	var violation *p2p.Violation
	require.ErrorAs(t, end, &violation, a.Name)
	require.NotEmpty(t, violation.Peer)
	return violation.Kind
}

// others is the one peer that is connected beside evil.
func (v victim) others(t testing.TB, ctx context.Context, evil p2p.PeerID) p2p.PeerID {
	other, err := stm.Query(ctx, func(tx *stm.Tx) p2p.PeerID {
		have := v.Connected(tx)
		tx.Check(len(have) == 2)
		if have[0] == evil {
			return have[1]
		}
		return have[0]
	})
	require.NoError(t, err)
	return other
}

// answer is a responder that answers all questions. A slow one looks at nothing between a question and its answer until more has come.
func answer(ctx context.Context, c p2p.Conn, slow bool) error {
	s := p2p.NewSession(ctx, ask(attackLimit), table.Responder, c)
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if _, ok := m.(*msgAsk); !ok {
			return s.Close(time.Second)
		}
		if slow {
			short, cancel := env.WithTimeout(ctx, time.Second)
			_, _ = p2p.Wait(short, s, func(tx *stm.Tx) bool { return stm.Retry[bool](tx) })
			cancel()
		}
		if err := s.Send(&msgTell{text{Text: "42"}}); err != nil {
			return err
		}
	}
}

// A peer asks for much on many streams and reads nothing. What that costs is bounded by the windows, not by what it asks for; others are served
// meanwhile, and the writers are let go when it is disconnected.
func TestSlowReader(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			const streams = 16
			v := newVictim(t, ctx, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{QueuePeerMax: streams})
			evil := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr}, libp2p.Config{})
			good := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{})
			sg, sv := pair(t, ctx, good, v.node)
			before := heap()
			id := mustConnect(t, ctx, evil, v.node)
			started := stm.NewVar(0)
			var writers []*registry.Task[int]
			for range streams {
				_, err := evil.Open(ctx, id, echoID)
				require.NoError(t, err)
				in, err := v.Accept(ctx)
				require.NoError(t, err)
				writers = append(writers, registry.Fork(s, "write", func(context.Context) (int, error) {
					bump(started)
					n, err := in.Stream.Write(make([]byte, 64<<20))
					require.ErrorIs(t, err, p2p.ErrGone)
					return n, nil
				}))
			}
			grows(t, ctx, started, streams-started.Load(ctx))
			for range 50 {
				write(t, sg, "served")
				read(t, sv, "served")
			}
			require.NoError(t, env.Sleep(ctx, 200*time.Millisecond)) // lets the windows fill; the test holds without
			v.Disconnect(evil.Self(), p2p.CodeViolation)
			taken := 0
			for _, w := range writers {
				n, err := w.Wait(ctx)
				require.NoError(t, err)
				require.Less(t, n, 64<<20)
				taken += n
			}
			t.Logf("taken %d KiB of %d MiB", taken>>10, streams*64)
			require.LessOrEqual(t, taken, 32<<20, "more than the windows was taken")
			writers = nil
			settle(t, func() bool { return heap() < before+8<<20 })
			write(t, sg, "served")
			read(t, sv, "served")
		})
	})
}
