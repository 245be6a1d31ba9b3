package handshake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
)

// closeLimit bounds the wait for the peer's end after the last message.
const closeLimit = 5 * time.Second

// Config is what this node speaks. All fields but Accepted are needed.
type Config struct {
	Network  string     // 1 to 64 bytes
	Genesis  chain.Hash // of the genesis
	Versions []uint16   // of the node's set of protocols, strictly ascending
	Accepted *Accepted  // where Answer writes whom it has accepted; may be nil
}

// ErrRefused is what every RefusedError wraps.
var ErrRefused = errors.New("handshake: refused")

// RefusedError says that the two nodes do not belong together: which field differs, and both values.
type RefusedError struct {
	Peer         p2p.PeerID
	Field        Field
	Ours, Theirs string
}

// Error shows both values.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v: peer %s has %s %q, we have %q", ErrRefused, e.Peer, e.Field, e.Theirs, e.Ours)
}

// Unwrap gives ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// check refuses a Config that no peer could accept.
func (c Config) check() error { return checkProposal(c.Network, c.Versions) }

// value is what we have in a field, for people.
func (c Config) value(f Field) string {
	switch f {
	case FieldNetwork:
		return c.Network
	case FieldGenesis:
		return c.Genesis.String()
	}
	return fmt.Sprint(c.Versions)
}

// Propose runs the initiator's side and returns the agreed version.
func Propose(ctx context.Context, c p2p.Conn, cfg Config) (version uint16, err error) {
	if err := cfg.check(); err != nil {
		return 0, err
	}
	propose, s := NewInitiator(ctx, c)
	defer func() {
		if e := s.Close(closeLimit); err == nil {
			err = e
		}
	}()
	confirm, err := propose.Propose(&MsgPropose{Network: cfg.Network, Genesis: cfg.Genesis, Versions: cfg.Versions})
	if err != nil {
		return 0, err
	}
	m, err := confirm.Recv()
	switch m := m.(type) {
	case *InitiatorConfirmAccept:
		if !slices.Contains(cfg.Versions, m.Version) {
			return 0, s.Invalid(fmt.Errorf("handshake: version %d accepted, %v proposed", m.Version, cfg.Versions))
		}
		return m.Version, nil
	case *InitiatorConfirmRefuse:
		return 0, &RefusedError{Peer: c.Peer, Field: m.Field, Ours: cfg.value(m.Field), Theirs: m.Value}
	}
	return 0, err
}

// Answer runs the responder's side: it accepts the highest common version, or refuses by the first field that differs.
func Answer(ctx context.Context, c p2p.Conn, cfg Config) (version uint16, err error) {
	if err := cfg.check(); err != nil {
		return 0, err
	}
	propose, s := NewResponder(ctx, c)
	defer func() {
		if e := s.Close(closeLimit); err == nil {
			err = e
		}
	}()
	m, confirm, err := propose.Recv()
	if err != nil {
		return 0, err
	}
	version, refused := cfg.judge(c.Peer, m)
	if refused != nil {
		if err := confirm.Refuse(&MsgRefuse{Field: refused.Field, Value: refused.Ours}); err != nil {
			return 0, err
		}
		return 0, refused
	}
	if cfg.Accepted != nil {
		cfg.Accepted.add(ctx, c.Peer, version)
	}
	return version, confirm.Accept(&MsgAccept{Version: version})
}

func (c Config) judge(peer p2p.PeerID, m *MsgPropose) (version uint16, refused *RefusedError) {
	differs := func(f Field, theirs string) (uint16, *RefusedError) {
		return 0, &RefusedError{Peer: peer, Field: f, Ours: c.value(f), Theirs: theirs}
	}
	switch {
	case m.Network != c.Network:
		return differs(FieldNetwork, m.Network)
	case m.Genesis != c.Genesis:
		return differs(FieldGenesis, m.Genesis.String())
	}
	for _, v := range slices.Backward(c.Versions) {
		if slices.Contains(m.Versions, v) {
			return v, nil
		}
	}
	return differs(FieldVersion, fmt.Sprint(m.Versions))
}
