package table_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/table"
)

type ask struct{ table.Empty }
type answer struct{ table.Empty }
type bye struct{ table.Empty }

// big has a body even when it is empty.
type big struct{ table.Empty }

func (*big) Tag() byte                         { return 7 }
func (*big) AppendTo(b []byte) ([]byte, error) { return append(b, 1, 2, 3, 4, 5, 6, 7), nil }

func (*ask) Tag() byte    { return 0 }
func (*answer) Tag() byte { return 1 }
func (*bye) Tag() byte    { return 2 }

// Quiz: the initiator asks, the responder answers, and either question may be the last.
func Quiz() *table.Protocol {
	return &table.Protocol{
		Name: "quiz", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 100, Timeout: time.Minute},
			{Name: "Busy", Agency: table.Responder, BytesMax: 100, Timeout: time.Minute},
			{Name: "Done"},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Ask", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(ask) }},
			{Tag: 1, Name: "Answer", From: []table.StateID{"Busy"}, To: "Idle", New: func() table.Message { return new(answer) }},
			{Tag: 2, Name: "Bye", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(bye) }},
		},
	}
}

// A table is checked before it is used.
func ExampleProtocol_Validate() {
	p := Quiz()
	fmt.Println(p.ID(), p.Validate())
	p.Messages = p.Messages[:2] // nobody can say Bye
	fmt.Println(p.Validate())
	// Output:
	// /synod/quiz/1 <nil>
	// table: broken protocol quiz: 3 faults
	// 	state "Done" cannot be reached from "Idle"
	// 	state "Idle" cannot end: no messages lead from it to a final state
	// 	state "Busy" cannot end: no messages lead from it to a final state
}

func TestValidate(t *testing.T) {
	require.NoError(t, Quiz().Validate())
	states := func(ids ...table.StateID) []table.StateID { return ids }
	extra := func(m table.MessageSpec) func(*table.Protocol) {
		return func(p *table.Protocol) {
			if m.New == nil {
				m.New = func() table.Message { return new(answer) }
			}
			p.Messages = append(p.Messages, m)
		}
	}
	tight := func(m table.MessageSpec) func(*table.Protocol) {
		return func(p *table.Protocol) { extra(m)(p); p.States[0].BytesMax = 7 }
	}
	for want, spoil := range map[string]func(*table.Protocol){
		"no name":                       func(p *table.Protocol) { p.Name = "" },
		"version 0":                     func(p *table.Protocol) { p.Version = 0 },
		"0 states":                      func(p *table.Protocol) { p.States = nil },
		"65 states":                     func(p *table.Protocol) { p.States = make([]table.State, 65) },
		`initial state "X"`:             func(p *table.Protocol) { p.Initial = "X" },
		"state 1 has no name":           func(p *table.Protocol) { p.States[1].Name = "" },
		`two states "Idle"`:             func(p *table.Protocol) { p.States[1].Name = "Idle" },
		"agency 3":                      func(p *table.Protocol) { p.States[1].Agency = 3 },
		`final state "Done" has limits`: func(p *table.Protocol) { p.States[2].Timeout = time.Second },
		"BytesMax 0":                    func(p *table.Protocol) { p.States[0].BytesMax = 0 },
		"BytesMax 16777217":             func(p *table.Protocol) { p.States[0].BytesMax = 16<<20 + 1 },
		"Timeout 0s":                    func(p *table.Protocol) { p.States[0].Timeout = 0 },
		"Timeout 25h":                   func(p *table.Protocol) { p.States[0].Timeout = 25 * time.Hour },
		"Spread -1ns":                   func(p *table.Protocol) { p.States[0].Spread = -1 },
		"Spread 24h":                    func(p *table.Protocol) { p.States[0].Spread = 24 * time.Hour },
		"Spread 1s beside Forever":      func(p *table.Protocol) { p.States[0].Timeout, p.States[0].Spread = table.Forever, time.Second },
		"Done\" has limits":             func(p *table.Protocol) { p.States[2].Spread = 1 },
		"an empty one has 8 bytes, state \"Idle\" lets 7 pass": tight(table.MessageSpec{Tag: 7, Name: "Big", From: states("Idle"), To: "Idle", New: func() table.Message { return new(big) }}),
		"messages Ask (tag 0, *table_test.ask) and Answer (tag 0, *table_test.ask)": func(p *table.Protocol) {
			p.Messages[1].Tag, p.Messages[1].New = 0, p.Messages[0].New
		},
		"messages Answer (tag 1, *table_test.answer) and N (tag 1": extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Idle"), To: "Busy"}),
		"has no name":                   extra(table.MessageSpec{From: states("Busy"), To: "Idle"}),
		"no New":                        func(p *table.Protocol) { p.Messages[0].New = nil },
		"tag 9 in the table":            extra(table.MessageSpec{Tag: 9, Name: "N", From: states("Busy"), To: "Idle"}),
		"can be sent in no state":       extra(table.MessageSpec{Tag: 1, Name: "N", To: "Idle"}),
		`message N: state "Y"`:          extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Y"), To: "Idle"}),
		`message N: state "Z"`:          extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Idle"), To: "Z"}),
		`nobody has agency in "Done"`:   extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Done"), To: "Idle"}),
		`tag 1 is ambiguous in "Busy"`:  extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Busy"), To: "Done"}),
		`tag 1 is ambiguous in "Idle"`:  extra(table.MessageSpec{Tag: 1, Name: "N", From: states("Idle", "Idle"), To: "Idle"}),
		"has agency and no message":     func(p *table.Protocol) { p.Messages = p.Messages[:1] },
		`state "Far" cannot be reached`: func(p *table.Protocol) { p.States = append(p.States, table.State{Name: "Far"}) },
		`state "Idle" cannot end`: func(p *table.Protocol) {
			p.Messages[2].To = "Idle"
			p.States = p.States[:2]
		},
	} {
		p := Quiz()
		spoil(p)
		err := p.Validate()
		require.ErrorIs(t, err, table.ErrTable, want)
		require.ErrorContains(t, err, want)
	}
}

func TestFind(t *testing.T) {
	p := Quiz()
	require.Equal(t, "Ask", p.Find("Idle", 0).Name)
	require.Nil(t, p.Find("Idle", 1))
	require.Nil(t, p.Find("Nowhere", 0))
	require.Nil(t, p.State("Nowhere"))
}

func TestEmptyRefusesABody(t *testing.T) {
	require.NoError(t, new(ask).ParseFrom(nil))
	require.Error(t, new(ask).ParseFrom([]byte{0x80}))
}
