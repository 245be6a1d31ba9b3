package p2ptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
)

// HostileSuite does every attack on a session of protocol p, in every state and both roles, in simulations. samples are one of each message.
func HostileSuite(t *testing.T, p *table.Protocol, samples ...table.Message) {
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	byTag := map[byte]table.Message{}
	for _, m := range samples {
		byTag[m.Tag()] = m
	}
	for _, m := range p.Messages {
		if byTag[m.Tag] == nil {
			t.Fatalf("no sample of %s", m.Name)
		}
	}
	done := 0
	for _, role := range []table.Agency{table.Initiator, table.Responder} {
		for i := range p.States {
			way, ok := path(p, &p.States[i], role)
			if !ok {
				continue
			}
			for _, a := range append(Attacks(p, role, &p.States[i], byTag), ruleAttacks(p, role, &p.States[i], way, byTag)...) {
				done++
				d := duel{p: p, role: role, samples: byTag, way: way, attack: a}
				if rep := sim.Run(uint64(done), d.run); rep.Err != nil {
					t.Errorf("victim %s in %s, peer %s: %v", role, a.State, a.Name, rep.Err)
				}
			}
		}
	}
	t.Logf("%d attacks", done)
	if done == 0 {
		t.Error("no attack was made")
	}
}

// path is a shortest way from the initial state to a state, as messages. A state in which the victim has agency can only be attacked
// behind a message of the attacker's, so the way ends with one.
func path(p *table.Protocol, to *table.State, victim table.Agency) (way []*table.MessageSpec, ok bool) {
	type step struct {
		at  table.StateID
		way []*table.MessageSpec
	}
	fits := func(s step) bool {
		if s.at != to.Name || to.Agency != victim && to.Agency != table.Nobody {
			return s.at == to.Name
		}
		return len(s.way) > 0 && !bySide(p, s.way[len(s.way)-1], victim)
	}
	seen := map[string]bool{}
	for todo := []step{{at: p.Initial}}; len(todo) > 0; todo = todo[1:] {
		s := todo[0]
		if fits(s) {
			return s.way, true
		}
		for i := range p.Messages {
			m := &p.Messages[i]
			key := fmt.Sprint(m.To, bySide(p, m, victim))
			if p.Find(s.at, m.Tag) == m && !seen[key] {
				seen[key] = true
				todo = append(todo, step{m.To, append(s.way[:len(s.way):len(s.way)], m)})
			}
		}
	}
	return nil, false
}

// bySide says whether a side sends m.
func bySide(p *table.Protocol, m *table.MessageSpec, side table.Agency) bool {
	return p.State(m.From[0]).Agency == side
}

// duel is one attack on one victim.
type duel struct {
	p       *table.Protocol
	role    table.Agency // the victim's
	samples map[byte]table.Message
	way     []*table.MessageSpec
	attack  Attack
}

func (d duel) run(ctx context.Context) error {
	link := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond})
	mine, theirs := link.Pipe()
	other, otherEnd := link.Pipe()
	var reported []*p2p.Violation
	conn := p2p.Conn{Peer: "mallory", Stream: &meter{Stream: mine}, Report: func(_ context.Context, v *p2p.Violation) { reported = append(reported, v) }}
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("mallory", func(ctx context.Context) error { return d.strike(ctx, theirs) })
		return d.suffer(ctx, conn)
	})
	switch {
	case err != nil:
		return err
	case len(reported) != 1:
		return fmt.Errorf("%d violations reported", len(reported))
	}
	return errors.Join(write(other, []byte("unaffected")), readFull(otherEnd, []byte("unaffected")))
}

// suffer plays the victim and judges what it notices.
func (d duel) suffer(ctx context.Context, conn p2p.Conn) error {
	s := p2p.NewSession(ctx, d.p, d.role, conn)
	for _, m := range d.way {
		if bySide(d.p, m, d.role) {
			if err := s.Send(d.samples[m.Tag]); err != nil {
				return err
			}
		} else if _, err := s.Recv(); err != nil {
			return err
		}
	}
	start := env.Now(ctx)
	state := d.p.State(d.attack.State)
	final := d.turn(ctx, s, state)
	var v *p2p.Violation
	if !errors.As(final, &v) {
		return fmt.Errorf("no violation: %v", final)
	}
	if v.Kind != d.attack.Want || v.State != state.Name || v.Peer != "mallory" || v.Protocol != d.p.Name || v.Err == nil {
		return fmt.Errorf("another violation than %v: %v", d.attack.Want, v)
	}
	if took := env.Now(ctx).Sub(start); v.Kind == p2p.Timeout && (took < state.Timeout || took > (state.Timeout+state.Spread)*5/4) {
		return fmt.Errorf("a limit of %v was noticed after %v", state.Timeout, took)
	} else if v.Kind != p2p.Timeout && took > time.Second {
		return fmt.Errorf("noticed only after %v", took)
	}
	if m := conn.Stream.(*meter); m.asked > 512+m.got {
		return fmt.Errorf("%d bytes of buffer asked for, %d received", m.asked, m.got)
	}
	_, again := s.Recv()
	if again != final || s.Close(0) != final || s.Send(d.samples[d.p.Messages[0].Tag]) != final {
		return errors.New("the error is not final")
	}
	return nil
}

// turn is the call in which the victim must notice.
func (d duel) turn(ctx context.Context, s *p2p.Session, state *table.State) error {
	switch state.Agency {
	case table.Nobody:
		return s.Close(time.Minute)
	case d.role:
		for _, m := range d.p.Messages {
			if d.p.Find(state.Name, m.Tag) != nil {
				return s.Send(d.samples[m.Tag])
			}
		}
	}
	_, err := s.Recv()
	return err
}

// strike plays the peer: by the rules up to the state, then the attack, until the victim has reset the stream.
func (d duel) strike(ctx context.Context, st p2p.Stream) error {
	var out []byte // what the peer has to say is held back until it must hear something, so that the attack comes with the last message
	for _, m := range d.way {
		frame := FrameOf(d.samples[m.Tag])
		if !bySide(d.p, m, d.role) {
			out = append(out, frame...)
			continue
		}
		if err := write(st, out); err != nil {
			return err
		}
		out = nil
		if _, err := io.ReadFull(st, make([]byte, len(frame))); err != nil {
			return err
		}
	}
	if err := write(st, append(out, d.attack.Bytes...)); err != nil {
		return err
	}
	limit := d.p.State(d.attack.State).Timeout
	for d.attack.Then == Drip {
		if err := env.Sleep(ctx, dripEvery(limit)); err != nil {
			return err
		}
		if _, err := st.Write([]byte{0}); err != nil {
			break
		}
	}
	if d.attack.Then == Leave {
		if err := st.CloseWrite(); err != nil {
			return err
		}
	}
	_, err := st.Read(make([]byte, 1))
	return isReset(err, p2p.CodeViolation, true)
}

// meter watches how much memory a session spends on what it has been sent.
type meter struct {
	p2p.Stream
	asked, got int
}

func (m *meter) Read(p []byte) (int, error) {
	m.asked = max(m.asked, len(p))
	n, err := m.Stream.Read(p)
	m.got += n
	return n, err
}
