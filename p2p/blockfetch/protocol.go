package blockfetch

import (
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen

const answerLimit = time.Minute

// The states.
const (
	StateIdle      table.StateID = "Idle"
	StateBusy      table.StateID = "Busy"
	StateStreaming table.StateID = "Streaming"
	StateDone      table.StateID = "Done"
)

// Protocol is the table.
func Protocol() *table.Protocol {
	idle, busy, streaming := []table.StateID{StateIdle}, []table.StateID{StateBusy}, []table.StateID{StateStreaming}
	return &table.Protocol{
		Name: "blockfetch", Version: 1, Initial: StateIdle,
		States: []table.State{
			{Name: StateIdle, Agency: table.Initiator, BytesMax: 128, Timeout: table.Forever},
			{Name: StateBusy, Agency: table.Responder, BytesMax: 8, Timeout: answerLimit},
			{Name: StateStreaming, Agency: table.Responder, BytesMax: chain.BodyBytesMax + 16, Timeout: answerLimit},
			{Name: StateDone},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "RequestRange", From: idle, To: StateBusy, New: func() table.Message { return new(MsgRequestRange) }},
			{Tag: 1, Name: "ClientDone", From: idle, To: StateDone, New: func() table.Message { return new(MsgClientDone) }},
			{Tag: 2, Name: "StartBatch", From: busy, To: StateStreaming, New: func() table.Message { return new(MsgStartBatch) }},
			{Tag: 3, Name: "NoBlocks", From: busy, To: StateIdle, New: func() table.Message { return new(MsgNoBlocks) }},
			{Tag: 4, Name: "Block", From: streaming, To: StateStreaming, New: func() table.Message { return new(MsgBlock) }},
			{Tag: 5, Name: "BatchDone", From: streaming, To: StateIdle, New: func() table.Message { return new(MsgBatchDone) }},
		},
	}
}

// MsgRequestRange asks for the bodies from one block to another, both included, along one chain.
type MsgRequestRange struct {
	_        struct{} `cbor:",toarray"`
	From, To chain.Point
}

// MsgClientDone ends the session.
type MsgClientDone struct{ table.Empty }

// MsgStartBatch says that the bodies follow.
type MsgStartBatch struct{ table.Empty }

// MsgNoBlocks says that the range is not on a chain of the server's (any more).
type MsgNoBlocks struct{ table.Empty }

// MsgBlock is the next body of the range.
type MsgBlock struct {
	_    struct{} `cbor:",toarray"`
	Body []byte
}

// MsgBatchDone says that the range is complete.
type MsgBatchDone struct{ table.Empty }

// Tag implements table.Message.
func (*MsgRequestRange) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgClientDone) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgStartBatch) Tag() byte { return 2 }

// Tag implements table.Message.
func (*MsgNoBlocks) Tag() byte { return 3 }

// Tag implements table.Message.
func (*MsgBlock) Tag() byte { return 4 }

// Tag implements table.Message.
func (*MsgBatchDone) Tag() byte { return 5 }

// AppendTo implements table.Message.
func (m *MsgRequestRange) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgBlock) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgRequestRange) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgBlock) ParseFrom(b []byte) error { return table.ParseBody(b, m) }
