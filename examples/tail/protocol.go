package tail

import (
	"fmt"
	"time"

	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen

const (
	linesMax     = 64
	lineBytesMax = 1 << 10
)

// Protocol is the table.
func Protocol() *table.Protocol {
	const answerBytes = linesMax*(lineBytesMax+4) + 16
	return &table.Protocol{
		Name: "tail", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 32, Timeout: table.Forever},
			{Name: "Busy", Agency: table.Responder, BytesMax: answerBytes, Timeout: 10 * time.Second},
			{Name: "Waiting", Agency: table.Responder, BytesMax: answerBytes, Timeout: table.Forever},
			{Name: "Done"},
		},
		Values: []table.Value{{Name: "asked", Max: linesMax}},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "More", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(MsgMore) }, Rules: []table.Rule{
				{Op: table.Within, Field: "Max", Of: number, Min: 1, Max: linesMax},
				{Op: table.Set, Field: "Max", Of: number, Value: "asked"},
			}},
			{Tag: 1, Name: "Lines", From: []table.StateID{"Busy", "Waiting"}, To: "Idle", New: func() table.Message { return new(MsgLines) }, Rules: []table.Rule{
				{Op: table.Within, Field: "len(Lines)", Of: number, Min: 1, Max: linesMax},
				{Op: table.AtMost, Field: "len(Lines)", Of: number, Value: "asked"},
			}},
			{Tag: 2, Name: "Wait", From: []table.StateID{"Busy"}, To: "Waiting", New: func() table.Message { return new(MsgWait) }},
			{Tag: 3, Name: "Bye", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(MsgBye) }},
		},
	}
}

// number is what the rules are about: the lines that a message asks for, or has.
func number(m table.Message) uint64 {
	if more, ok := m.(*MsgMore); ok {
		return uint64(more.Max)
	}
	return uint64(len(m.(*MsgLines).Lines))
}

// MsgMore asks for lines.
type MsgMore struct {
	_    struct{} `cbor:",toarray"`
	From uint64   // the number of the first line; the log's first is 0
	Max  uint16   // how many
}

// MsgLines has the lines that follow one another from where they were asked for.
type MsgLines struct {
	_     struct{} `cbor:",toarray"`
	Lines []string
}

// MsgWait says that there is no such line yet.
type MsgWait struct{ table.Empty }

// MsgBye ends the session.
type MsgBye struct{ table.Empty }

// Tag implements table.Message.
func (*MsgMore) Tag() byte { return 0 }

// Tag implements table.Message.
func (*MsgLines) Tag() byte { return 1 }

// Tag implements table.Message.
func (*MsgWait) Tag() byte { return 2 }

// Tag implements table.Message.
func (*MsgBye) Tag() byte { return 3 }

// AppendTo implements table.Message.
func (m *MsgMore) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// AppendTo implements table.Message.
func (m *MsgLines) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgMore) ParseFrom(b []byte) error { return table.ParseBody(b, m) }

// ParseFrom implements table.Message.
func (m *MsgLines) ParseFrom(b []byte) error {
	if err := table.ParseBody(b, m); err != nil {
		return err
	}
	for i, l := range m.Lines {
		if len(l) > lineBytesMax {
			return fmt.Errorf("tail: line %d has %d bytes, at most %d", i, len(l), lineBytesMax)
		}
	}
	return nil
}
