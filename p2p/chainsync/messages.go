package chainsync

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

// MsgRequestNext asks for the next step.
type MsgRequestNext struct{ table.Empty }

// MsgAwaitReply says that there is none yet, and that one will come.
type MsgAwaitReply struct{ table.Empty }

// MsgRollForward is the step "add this header". Tip is the end of the server's chain.
type MsgRollForward struct {
	_      struct{} `cbor:",toarray"`
	Header *chain.Header
	Tip    chain.Tip
}

// MsgRollBackward is the step "roll back to this point".
type MsgRollBackward struct {
	_   struct{} `cbor:",toarray"`
	To  chain.Point
	Tip chain.Tip
}

// MsgFindIntersect asks which of the points, newest first, the server's chain holds.
type MsgFindIntersect struct {
	_      struct{}      `cbor:",toarray"`
	Points []chain.Point // 1 to 64
}

// MsgIntersectFound names the first point that it holds; the next step starts there.
type MsgIntersectFound struct {
	_  struct{} `cbor:",toarray"`
	At chain.Point
}

// MsgIntersectNotFound says that it holds none.
type MsgIntersectNotFound struct{ table.Empty }

// MsgDone ends the session.
type MsgDone struct{ table.Empty }

// Tag implements table.Message.
func (*MsgRequestNext) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgAwaitReply) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgRollForward) Tag() byte { return 2 }

// Tag implements table.Message.
func (*MsgRollBackward) Tag() byte { return 3 }

// Tag implements table.Message.
func (*MsgFindIntersect) Tag() byte { return 4 }

// Tag implements table.Message.
func (*MsgIntersectFound) Tag() byte { return 5 }

// Tag implements table.Message.
func (*MsgIntersectNotFound) Tag() byte { return 6 }

// Tag implements table.Message.
func (*MsgDone) Tag() byte { return 7 }

// AppendTo implements table.Message.
func (m *MsgRollForward) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgRollBackward) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgFindIntersect) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgIntersectFound) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgRollForward) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	if m.Header == nil {
		return errors.New("chainsync: RollForward without a header")
	}
	return nil
}

// ParseFrom implements table.Message.
func (m *MsgRollBackward) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgFindIntersect) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	if n := len(m.Points); n == 0 || n > pointsMax {
		return fmt.Errorf("chainsync: %d points, of 1 to %d", n, pointsMax)
	}
	return nil
}

// ParseFrom implements table.Message.
func (m *MsgIntersectFound) ParseFrom(b []byte) error { return table.ParseBody(b, m) }
