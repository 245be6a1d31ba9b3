package keepalive

import (
	"time"

	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen

const (
	pingLimit = 5 * time.Minute
	pongLimit = time.Minute
)

// Protocol is the table.
func Protocol() *table.Protocol {
	idle, pinged := []table.StateID{"Idle"}, []table.StateID{"Pinged"}
	return &table.Protocol{
		Name: "keepalive", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 8, Timeout: pingLimit},
			{Name: "Pinged", Agency: table.Responder, BytesMax: 8, Timeout: pongLimit},
			{Name: "Done"},
		},
		Values: []table.Value{{Name: "the cookie that went out", Max: 1<<16 - 1}},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Ping", From: idle, To: "Pinged", New: func() table.Message { return new(MsgPing) }, Rules: []table.Rule{
				{Op: table.Set, Field: "Cookie", Of: cookie, Value: "the cookie that went out"},
			}},
			{Tag: 1, Name: "Pong", From: pinged, To: "Idle", New: func() table.Message { return new(MsgPong) }, Rules: []table.Rule{
				{Op: table.Equals, Field: "Cookie", Of: cookie, Value: "the cookie that went out"},
			}},
			{Tag: 2, Name: "Done", From: idle, To: "Done", New: func() table.Message { return new(MsgDone) }},
		},
	}
}

// cookie is that of a ping or a pong.
func cookie(m table.Message) uint64 {
	if ping, ok := m.(*MsgPing); ok {
		return uint64(ping.Cookie)
	}
	return uint64(m.(*MsgPong).Cookie)
}

// MsgPing asks for its cookie back.
type MsgPing struct {
	_      struct{} `cbor:",toarray"`
	Cookie uint16
}

// MsgPong gives the cookie back.
type MsgPong struct {
	_      struct{} `cbor:",toarray"`
	Cookie uint16
}

// MsgDone ends the session.
type MsgDone struct{ table.Empty }

// Tag implements table.Message.
func (*MsgPing) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgPong) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgDone) Tag() byte { return 2 }

// AppendTo implements table.Message.
func (m *MsgPing) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgPong) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgPing) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgPong) ParseFrom(b []byte) error { return table.ParseBody(b, m) }
