package p2ptest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/sim"
)

type askFor struct {
	_ struct{} `cbor:",toarray"`
	N uint8
}
type gave struct {
	_     struct{} `cbor:",toarray"`
	Items []uint8
}
type over struct{ table.Empty }

func (*askFor) Tag() byte                           { return 0 }
func (*gave) Tag() byte                             { return 1 }
func (*over) Tag() byte                             { return 2 }
func (m *askFor) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, m) }
func (m *gave) AppendTo(b []byte) ([]byte, error)   { return table.AppendBody(b, m) }
func (m *askFor) ParseFrom(b []byte) error          { return table.ParseBody(b, m) }
func (m *gave) ParseFrom(b []byte) error            { return table.ParseBody(b, m) }

// counting: at most what is asked for is given.
func counting() *table.Protocol {
	number := func(m table.Message) uint64 {
		if ask, ok := m.(*askFor); ok {
			return uint64(ask.N)
		}
		return uint64(len(m.(*gave).Items))
	}
	return &table.Protocol{
		Name: "counting", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 16, Timeout: time.Minute},
			{Name: "Busy", Agency: table.Responder, BytesMax: 300, Timeout: time.Minute, Spread: time.Minute},
			{Name: "Done"},
		},
		Values: []table.Value{{Name: "asked", Max: 5}},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Ask", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(askFor) }, Rules: []table.Rule{
				{Op: table.Set, Field: "N", Of: number, Value: "asked"},
			}},
			{Tag: 1, Name: "Gave", From: []table.StateID{"Busy"}, To: "Idle", New: func() table.Message { return new(gave) }, Rules: []table.Rule{
				{Op: table.AtMost, Field: "len(Items)", Of: number, Value: "asked"},
			}},
			{Tag: 2, Name: "Over", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(over) }},
		},
	}
}

func countingSamples() []table.Message {
	return []table.Message{&askFor{N: 2}, &gave{Items: []uint8{1, 2}}, &over{}}
}

func TestRuleAttacks(t *testing.T) {
	HostileSuite(t, counting(), countingSamples()...)
	p, samples := counting(), countingSamples()
	byTag := map[byte]table.Message{0: samples[0], 1: samples[1], 2: samples[2]}
	var names []string
	for _, role := range []table.Agency{table.Initiator, table.Responder} {
		for i := range p.States {
			way, _ := path(p, &p.States[i], role)
			for _, a := range ruleAttacks(p, role, &p.States[i], way, byTag) {
				names = append(names, a.String())
				require.Equal(t, p2p.Invalid, a.Want)
			}
		}
	}
	require.Equal(t, []string{
		"breaks a rule: Gave.len(Items) is 3, at most asked, which is 2 in Busy",
		"breaks a rule: Gave.len(Items) is 104, at most asked, which is 2 in Busy",
		"breaks a rule: Ask.N is 255, and asked at most 5 in Idle",
	}, names)
}

// A victim that does not know the rules is found out.
func TestRuleAttacksFindWhoIgnoresRules(t *testing.T) {
	p, samples := counting(), countingSamples()
	byTag := map[byte]table.Message{0: samples[0], 1: samples[1], 2: samples[2]}
	way, _ := path(p, &p.States[1], table.Initiator)
	lax := counting()
	for i := range lax.Messages {
		lax.Messages[i].Rules = nil
	}
	attacks := ruleAttacks(p, table.Initiator, &p.States[1], way, byTag)
	require.NotEmpty(t, attacks)
	for _, a := range attacks {
		d := duel{p: p, role: table.Initiator, samples: byTag, way: way, attack: a}
		require.NoError(t, sim.Run(1, d.run).Err)
		d.p = lax
		require.Error(t, sim.Run(1, d.run).Err)
	}
}
