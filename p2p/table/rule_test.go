package table_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/p2p/table"
)

type more struct{ Ack, Max uint64 }
type items struct{ N uint64 }
type stop struct{ table.Empty }

func (*more) Tag() byte                          { return 0 }
func (*items) Tag() byte                         { return 1 }
func (*stop) Tag() byte                          { return 2 }
func (*more) AppendTo(b []byte) ([]byte, error)  { return b, nil }
func (*items) AppendTo(b []byte) ([]byte, error) { return b, nil }
func (*more) ParseFrom([]byte) error             { return nil }
func (*items) ParseFrom([]byte) error            { return nil }

const windowMax = 10

func ackOf(m table.Message) uint64   { return m.(*more).Ack }
func maxOf(m table.Message) uint64   { return m.(*more).Max }
func countOf(m table.Message) uint64 { return m.(*items).N }

// Window: the initiator asks for some more, and acknowledges at most what is outstanding.
func Window() *table.Protocol {
	return &table.Protocol{
		Name: "window", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 100, Timeout: time.Minute},
			{Name: "Busy", Agency: table.Responder, BytesMax: 100, Timeout: time.Minute},
			{Name: "Done"},
		},
		Values: []table.Value{{Name: "outstanding", Max: windowMax}, {Name: "asked", Max: windowMax}},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "More", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(more) }, Rules: []table.Rule{
				{Op: table.Take, Field: "Ack", Of: ackOf, Value: "outstanding"},
				{Op: table.Within, Field: "Max", Of: maxOf, Min: 1, Max: windowMax},
				{Op: table.Fits, Field: "Max", Of: maxOf, Value: "outstanding"},
				{Op: table.Set, Field: "Max", Of: maxOf, Value: "asked"},
			}},
			{Tag: 1, Name: "Items", From: []table.StateID{"Busy"}, To: "Idle", New: func() table.Message { return new(items) }, Rules: []table.Rule{
				{Op: table.AtMost, Field: "N", Of: countOf, Value: "asked"},
				{Op: table.Add, Field: "N", Of: countOf, Value: "outstanding"},
			}},
			{Tag: 2, Name: "Stop", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(stop) }},
		},
	}
}

// Rules bound what messages say by what was said before.
func ExampleProtocol_Apply() {
	p := Window()
	values := make([]uint64, len(p.Values))
	for _, m := range []table.Message{&more{Max: 3}, &items{N: 2}, &more{Ack: 1, Max: 5}, &items{N: 5}, &more{Ack: 7, Max: 1}} {
		spec := &p.Messages[m.Tag()]
		fmt.Println(spec.Name, p.Apply(values, spec, m), values)
	}
	// Output:
	// More <nil> [0 3]
	// Items <nil> [2 3]
	// More <nil> [1 5]
	// Items <nil> [6 5]
	// More More.Ack is 7, at most outstanding, which is 6 [6 5]
}

// Each operation, at its edges and with numbers that would overflow.
func TestApply(t *testing.T) {
	const huge = ^uint64(0)
	for _, c := range []struct {
		op              table.Op
		at, n, want     uint64
		refused, prints string
	}{
		{table.Within, 4, 2, 4, "", "N is 2 to 5"},
		{table.Within, 4, 5, 4, "", "N is 2 to 5"},
		{table.Within, 4, 1, 4, "N is 1, of 2 to 5", "N is 2 to 5"},
		{table.Within, 4, huge, 4, "of 2 to 5", "N is 2 to 5"},
		{table.AtMost, 4, 4, 4, "", "N is at most v"},
		{table.AtMost, 4, 5, 4, "N is 5, at most v, which is 4", "N is at most v"},
		{table.Equals, 4, 4, 4, "", "N is v"},
		{table.Equals, 4, 3, 4, "N is 3, and v is 4", "N is v"},
		{table.Fits, 4, 6, 4, "", "N fits into what v may still grow"},
		{table.Fits, 4, 7, 4, "N is 7, and v is 4 of at most 10", "N fits into what v may still grow"},
		{table.Fits, 4, huge, 4, "of at most 10", "N fits into what v may still grow"},
		{table.Set, 4, 10, 10, "", "N becomes v"},
		{table.Set, 4, 11, 4, "N is 11, and v at most 10", "N becomes v"},
		{table.Add, 4, 6, 10, "", "N is added to v"},
		{table.Add, 4, 7, 4, "N is 7, and v is 4 of at most 10", "N is added to v"},
		{table.Add, 4, huge, 4, "of at most 10", "N is added to v"},
		{table.Take, 4, 4, 0, "", "N is at most v, which loses it"},
		{table.Take, 4, 5, 4, "N is 5, at most v, which is 4", "N is at most v, which loses it"},
	} {
		p := &table.Protocol{Values: []table.Value{{Name: "v", Max: 10}}}
		rule := table.Rule{Op: c.op, Field: "N", Of: countOf, Value: "v", Min: 2, Max: 5}
		values := []uint64{c.at}
		err := p.Apply(values, &table.MessageSpec{Name: "Items", Rules: []table.Rule{rule}}, &items{N: c.n})
		require.Equal(t, c.prints, rule.String())
		require.Equal(t, c.want, values[0], "%v %d", c.op, c.n)
		if c.refused == "" {
			require.NoError(t, err, "%v %d", c.op, c.n)
			continue
		}
		require.ErrorContains(t, err, c.refused, "%v %d", c.op, c.n)
	}
}

// Whatever numbers come, no value leaves its range, and what is outstanding is what came less what was acknowledged.
func TestValuesStayInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Window()
		values := make([]uint64, len(p.Values))
		came, acked := uint64(0), uint64(0)
		number := rapid.OneOf(rapid.Uint64Range(0, 12), rapid.Uint64())
		for range rapid.IntRange(0, 40).Draw(t, "rounds") {
			ask := &more{Ack: number.Draw(t, "ack"), Max: number.Draw(t, "max")}
			if p.Apply(values, &p.Messages[0], ask) != nil {
				return
			}
			acked += ask.Ack
			answer := &items{N: number.Draw(t, "n")}
			if p.Apply(values, &p.Messages[1], answer) != nil {
				return
			}
			came += answer.N
			require.LessOrEqual(t, values[0], uint64(windowMax))
			require.LessOrEqual(t, answer.N, ask.Max)
			require.Equal(t, came-acked, values[0])
		}
	})
}

func TestRulesAreChecked(t *testing.T) {
	require.NoError(t, Window().Validate())
	rule := func(change func(r *table.Rule)) func(*table.Protocol) {
		return func(p *table.Protocol) { change(&p.Messages[0].Rules[0]) }
	}
	within := func(change func(r *table.Rule)) func(*table.Protocol) {
		return func(p *table.Protocol) { change(&p.Messages[0].Rules[1]) }
	}
	for want, spoil := range map[string]func(*table.Protocol){
		"value 0 has no name":                               func(p *table.Protocol) { p.Values[0].Name = "" },
		`two values "asked"`:                                func(p *table.Protocol) { p.Values[0].Name = "asked" },
		`value "asked": Max 0`:                              func(p *table.Protocol) { p.Values[1].Max = 0 },
		`value "outstanding" is neither set nor added to`:   func(p *table.Protocol) { p.Messages[1].Rules = p.Messages[1].Rules[:1] },
		"message More, rule 0: operation 0 does not exist":  rule(func(r *table.Rule) { r.Op = 0 }),
		"message More, rule 0: operation 8 does not exist":  rule(func(r *table.Rule) { r.Op = 8 }),
		"rule 0: no Field":                                  rule(func(r *table.Rule) { r.Field = "" }),
		"rule 0: no Of for Ack":                             rule(func(r *table.Rule) { r.Of = nil }),
		`rule 0: Ack: value "lost" does not exist`:          rule(func(r *table.Rule) { r.Value = "lost" }),
		"rule 0: Ack: Min and Max are for Within alone":     rule(func(r *table.Rule) { r.Max = 3 }),
		"rule 0: Of for Ack does not take an empty *table_": rule(func(r *table.Rule) { r.Of = countOf }),
		`rule 1: Max: value "asked" beside Within`:          within(func(r *table.Rule) { r.Value = "asked" }),
		"rule 1: Max: no number is within 11 and 10":        within(func(r *table.Rule) { r.Min = 11 }),
	} {
		p := Window()
		spoil(p)
		err := p.Validate()
		require.ErrorIs(t, err, table.ErrTable, want)
		require.ErrorContains(t, err, want)
	}
}
