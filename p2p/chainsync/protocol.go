package chainsync

import (
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen protocol.go messages.go

const (
	pointsMax   = 64
	answerLimit = time.Minute
	restLimit   = time.Hour
	closeLimit  = 5 * time.Second
)

// The states.
const (
	StateIdle      table.StateID = "Idle"
	StateCanAwait  table.StateID = "CanAwait"
	StateMustReply table.StateID = "MustReply"
	StateIntersect table.StateID = "Intersect"
	StateDone      table.StateID = "Done"
)

// Protocol is the table.
func Protocol() *table.Protocol {
	const answerBytes = chain.HeaderBytesMax + 256
	idle, await := []table.StateID{StateIdle}, []table.StateID{StateCanAwait}
	reply, intersect := []table.StateID{StateCanAwait, StateMustReply}, []table.StateID{StateIntersect}
	return &table.Protocol{
		Name: "chainsync", Version: 1, Initial: StateIdle,
		States: []table.State{
			{Name: StateIdle, Agency: table.Initiator, BytesMax: 4 << 10, Timeout: restLimit},
			{Name: StateCanAwait, Agency: table.Responder, BytesMax: answerBytes, Timeout: answerLimit},
			{Name: StateMustReply, Agency: table.Responder, BytesMax: answerBytes, Timeout: restLimit},
			{Name: StateIntersect, Agency: table.Responder, BytesMax: 256, Timeout: answerLimit},
			{Name: StateDone},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "RequestNext", From: idle, To: StateCanAwait, New: func() table.Message { return new(MsgRequestNext) }},
			{Tag: 1, Name: "AwaitReply", From: await, To: StateMustReply, New: func() table.Message { return new(MsgAwaitReply) }},
			{Tag: 2, Name: "RollForward", From: reply, To: StateIdle, New: func() table.Message { return new(MsgRollForward) }},
			{Tag: 3, Name: "RollBackward", From: reply, To: StateIdle, New: func() table.Message { return new(MsgRollBackward) }},
			{Tag: 4, Name: "FindIntersect", From: idle, To: StateIntersect, New: func() table.Message { return new(MsgFindIntersect) }},
			{Tag: 5, Name: "IntersectFound", From: intersect, To: StateIdle, New: func() table.Message { return new(MsgIntersectFound) }},
			{Tag: 6, Name: "IntersectNotFound", From: intersect, To: StateIdle, New: func() table.Message { return new(MsgIntersectNotFound) }},
			{Tag: 7, Name: "Done", From: idle, To: StateDone, New: func() table.Message { return new(MsgDone) }},
		},
	}
}
