package handshake

import (
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen

const (
	networkBytesMax = 64
	versionsMax     = 32
	valueBytesMax   = 256
	limit           = 10 * time.Second
)

// The states.
const (
	StatePropose table.StateID = "Propose"
	StateConfirm table.StateID = "Confirm"
	StateDone    table.StateID = "Done"
)

// Protocol is the table.
func Protocol() *table.Protocol {
	return &table.Protocol{
		Name: "handshake", Version: 1, Initial: StatePropose,
		States: []table.State{
			{Name: StatePropose, Agency: table.Initiator, BytesMax: 256, Timeout: limit},
			{Name: StateConfirm, Agency: table.Responder, BytesMax: 512, Timeout: limit},
			{Name: StateDone},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Propose", From: []table.StateID{StatePropose}, To: StateConfirm, New: func() table.Message { return new(MsgPropose) }},
			{Tag: 1, Name: "Accept", From: []table.StateID{StateConfirm}, To: StateDone, New: func() table.Message { return new(MsgAccept) }},
			{Tag: 2, Name: "Refuse", From: []table.StateID{StateConfirm}, To: StateDone, New: func() table.Message { return new(MsgRefuse) }},
		},
	}
}

// MsgPropose says what the initiator speaks.
type MsgPropose struct {
	_        struct{} `cbor:",toarray"`
	Network  string
	Genesis  chain.Hash
	Versions []uint16 // strictly ascending
}

// MsgAccept says which version both will speak.
type MsgAccept struct {
	_       struct{} `cbor:",toarray"`
	Version uint16
}

// MsgRefuse says which field the responder has otherwise, and what it has.
type MsgRefuse struct {
	_     struct{} `cbor:",toarray"`
	Field Field
	Value string
}

// Field is what a refusal is about.
type Field uint8

// The fields, in the order in which they are compared.
const (
	FieldNetwork Field = iota + 1
	FieldGenesis
	FieldVersion
)

// String is the field's name.
func (f Field) String() string {
	switch f {
	case FieldNetwork:
		return "network"
	case FieldGenesis:
		return "genesis"
	case FieldVersion:
		return "versions"
	}
	return fmt.Sprintf("field %d", uint8(f))
}

// Tag implements table.Message.
func (*MsgPropose) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgAccept) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgRefuse) Tag() byte { return 2 }

// AppendTo implements table.Message.
func (m *MsgPropose) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgAccept) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgRefuse) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgPropose) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	return checkProposal(m.Network, m.Versions)
}

// ParseFrom implements table.Message.
func (m *MsgAccept) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgRefuse) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	if m.Field < FieldNetwork || m.Field > FieldVersion {
		return fmt.Errorf("handshake: refusal of field %d", m.Field)
	}
	if len(m.Value) > valueBytesMax {
		return fmt.Errorf("handshake: a value of %d bytes, at most %d", len(m.Value), valueBytesMax)
	}
	return nil
}

func checkProposal(network string, versions []uint16) error {
	switch {
	case network == "" || len(network) > networkBytesMax:
		return fmt.Errorf("handshake: network name of %d bytes, of 1 to %d", len(network), networkBytesMax)
	case len(versions) == 0 || len(versions) > versionsMax:
		return fmt.Errorf("handshake: %d versions, of 1 to %d", len(versions), versionsMax)
	case !slices.IsSorted(versions) || len(slices.Compact(slices.Clone(versions))) != len(versions):
		return fmt.Errorf("handshake: versions %v are not strictly ascending", versions)
	}
	return nil
}
