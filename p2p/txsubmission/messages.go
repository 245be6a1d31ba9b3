package txsubmission

import (
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

// MsgAwaitIDs acknowledges all ids that are outstanding and asks for up to Max (1 to WindowMax) that follow, as soon as there is one.
type MsgAwaitIDs struct {
	_        struct{} `cbor:",toarray"`
	Ack, Max uint16
}

// MsgRequestIDs acknowledges the oldest Ack ids, at least one but not all, and asks for up to Max (1 to WindowMax) that follow, if there are any now.
type MsgRequestIDs struct {
	_        struct{} `cbor:",toarray"`
	Ack, Max uint16
}

// MsgReplyIDs announces transactions, each after those it depends on. Only the answer to RequestIDs may be empty.
type MsgReplyIDs struct {
	_   struct{}    `cbor:",toarray"`
	IDs []Announced // at most WindowMax
}

// Announced is a transaction as it is announced.
type Announced struct {
	_     struct{} `cbor:",toarray"`
	ID    chain.Hash
	Bytes uint32 // 1 to TxBytesMax
}

// MsgRequestTxs asks for announced transactions: outstanding ones, each once, in the order in which they were announced.
type MsgRequestTxs struct {
	_   struct{}     `cbor:",toarray"`
	IDs []chain.Hash // 1 to WindowMax
}

// MsgReplyTxs brings them in the order asked for, without those that are gone.
type MsgReplyTxs struct {
	_   struct{} `cbor:",toarray"`
	Txs [][]byte // each of 1 to TxBytesMax bytes
}

// MsgDone ends the session.
type MsgDone struct{ table.Empty }

// Tag implements table.Message.
func (*MsgAwaitIDs) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgRequestIDs) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgReplyIDs) Tag() byte { return 2 }

// Tag implements table.Message.
func (*MsgRequestTxs) Tag() byte { return 3 }

// Tag implements table.Message.
func (*MsgReplyTxs) Tag() byte { return 4 }

// Tag implements table.Message.
func (*MsgDone) Tag() byte { return 5 }

// AppendTo implements table.Message.
func (m *MsgAwaitIDs) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgRequestIDs) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgReplyIDs) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgRequestTxs) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgReplyTxs) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgAwaitIDs) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	return checkWindow(m.Ack, m.Max)
}

// ParseFrom implements table.Message.
func (m *MsgRequestIDs) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	return checkWindow(m.Ack, m.Max)
}

// ParseFrom implements table.Message.
func (m *MsgReplyIDs) ParseFrom(b []byte) error {
	if err := parseList(b, 0, m); err != nil {
		return err
	}
	for _, a := range m.IDs {
		if a.Bytes == 0 || a.Bytes > TxBytesMax {
			return fmt.Errorf("txsubmission: a transaction of %d bytes, of 1 to %d", a.Bytes, TxBytesMax)
		}
	}
	return nil
}

// ParseFrom implements table.Message.
func (m *MsgRequestTxs) ParseFrom(b []byte) error { return parseList(b, 1, m) }

// ParseFrom implements table.Message.
func (m *MsgReplyTxs) ParseFrom(b []byte) error {
	if err := parseList(b, 0, m); err != nil {
		return err
	}
	for _, tx := range m.Txs {
		if len(tx) == 0 || len(tx) > TxBytesMax {
			return fmt.Errorf("txsubmission: a transaction of %d bytes, of 1 to %d", len(tx), TxBytesMax)
		}
	}
	return nil
}

func checkWindow(ack, most uint16) error {
	if ack > WindowMax || most == 0 || most > WindowMax {
		return fmt.Errorf("txsubmission: %d acknowledged of at most %d, %d asked for of 1 to %d", ack, WindowMax, most, WindowMax)
	}
	return nil
}

// parseList parses a message that is one array. Its length is checked in front, before anything is allocated for it.
func parseList(b []byte, least int, m any) error {
	if n, err := elements(b); err != nil {
		return err
	} else if n < least || n > WindowMax {
		return fmt.Errorf("txsubmission: %d elements, of %d to %d", n, least, WindowMax)
	}
	return table.ParseBody(b, m)
}

// elements is the length that the array in an array of one claims to have; the head's form is the decoder's to judge.
func elements(b []byte) (int, error) {
	const one, array, next8, next16 = 0x81, 4 << 5, 24, 25
	if len(b) >= 2 && b[0] == one && b[1]&0xe0 == array {
		switch n := int(b[1] & 0x1f); {
		case n < next8:
			return n, nil
		case n == next8 && len(b) > 2:
			return int(b[2]), nil
		case n >= next16:
			return WindowMax + 1, nil
		}
	}
	return 0, fmt.Errorf("%w: not a list", chain.ErrEncoding)
}
