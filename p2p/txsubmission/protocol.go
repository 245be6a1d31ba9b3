package txsubmission

import (
	"time"

	"github.com/synodkit/synod/p2p/table"
)

// The limits that both sides hold each other to.
const (
	WindowMax       = 64        // ids announced and not yet acknowledged
	TxBytesMax      = 256 << 10 // a transaction's size; a server does not announce larger ones
	RequestBytesMax = 256 << 10 // the announced sizes of one request's transactions, in all
)

const (
	idsLimit   = 10 * time.Second
	txsLimit   = 30 * time.Second
	closeLimit = 5 * time.Second
)

// The states.
const (
	StateIdle    table.StateID = "Idle"
	StateIDsWait table.StateID = "IDsWait"
	StateIDsNow  table.StateID = "IDsNow"
	StateTxs     table.StateID = "Txs"
	StateDone    table.StateID = "Done"
)

// Protocol is the table.
func Protocol() *table.Protocol {
	const idsBytes, txsBytes = 4 << 10, RequestBytesMax + 1<<10
	idle, ids, txs := []table.StateID{StateIdle}, []table.StateID{StateIDsWait, StateIDsNow}, []table.StateID{StateTxs}
	return &table.Protocol{
		Name: "txsubmission", Version: 1, Initial: StateIdle,
		States: []table.State{
			{Name: StateIdle, Agency: table.Initiator, BytesMax: idsBytes, Timeout: table.Forever},
			{Name: StateIDsWait, Agency: table.Responder, BytesMax: idsBytes, Timeout: table.Forever},
			{Name: StateIDsNow, Agency: table.Responder, BytesMax: idsBytes, Timeout: idsLimit},
			{Name: StateTxs, Agency: table.Responder, BytesMax: txsBytes, Timeout: txsLimit},
			{Name: StateDone},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "AwaitIDs", From: idle, To: StateIDsWait, New: func() table.Message { return new(MsgAwaitIDs) }},
			{Tag: 1, Name: "RequestIDs", From: idle, To: StateIDsNow, New: func() table.Message { return new(MsgRequestIDs) }},
			{Tag: 2, Name: "ReplyIDs", From: ids, To: StateIdle, New: func() table.Message { return new(MsgReplyIDs) }},
			{Tag: 3, Name: "RequestTxs", From: idle, To: StateTxs, New: func() table.Message { return new(MsgRequestTxs) }},
			{Tag: 4, Name: "ReplyTxs", From: txs, To: StateIdle, New: func() table.Message { return new(MsgReplyTxs) }},
			{Tag: 5, Name: "Done", From: idle, To: StateDone, New: func() table.Message { return new(MsgDone) }},
		},
	}
}
