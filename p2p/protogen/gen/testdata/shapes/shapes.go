// Package shapes has a protocol in which everything occurs that a table can say, for the tests of the generator.
package shapes

import (
	"time"

	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/table"
)

//go:generate go run github.com/synodkit/synod/p2p/protogen -table Shapes

// Shapes is the table.
func Shapes() *table.Protocol {
	spec := func(name string, from, to table.StateID, fresh func() table.Message) table.MessageSpec {
		return table.MessageSpec{Tag: fresh().Tag(), Name: name, From: []table.StateID{from}, To: to, New: fresh}
	}
	state := func(name table.StateID, agency table.Agency) table.State {
		return table.State{Name: name, Agency: agency, BytesMax: 64, Timeout: time.Minute}
	}
	p := &table.Protocol{
		Name: "shapes", Version: 3, Initial: "Open",
		States: []table.State{
			state("Open", table.Initiator), state("Greeting", table.Responder), state("Choice", table.Responder),
			state("Parting", table.Responder), state("Bowing", table.Responder), state("Pinging", table.Responder),
			state("Coin", table.Responder), state("Verdict", table.Responder), state("Doom", table.Responder),
			{Name: "Final"},
		},
		Messages: []table.MessageSpec{
			spec("Ping", "Open", "Pinging", func() table.Message { return new(keepalive.MsgPing) }),
			spec("Pong", "Pinging", "Open", func() table.Message { return new(keepalive.MsgPong) }),
			spec("Hello", "Open", "Greeting", func() table.Message { return new(Hello) }),
			spec("Welcome", "Greeting", "Open", func() table.Message { return new(Welcome) }),
			spec("Ask", "Open", "Choice", func() table.Message { return new(Ask) }),
			spec("Yes", "Choice", "Open", func() table.Message { return new(Yes) }),
			spec("No", "Choice", "Open", func() table.Message { return new(No) }),
			spec("Never", "Choice", "Final", func() table.Message { return new(Never) }),
			spec("Gone", "Choice", "Final", func() table.Message { return new(Gone) }),
			spec("Last", "Open", "Parting", func() table.Message { return new(Last) }),
			spec("Farewell", "Parting", "Final", func() table.Message { return new(Farewell) }),
			spec("Bow", "Open", "Bowing", func() table.Message { return new(Bow) }),
			spec("Bowed", "Bowing", "Final", func() table.Message { return new(Bowed) }),
			spec("Toss", "Open", "Coin", func() table.Message { return new(Toss) }), // answers without fields
			spec("Heads", "Coin", "Open", func() table.Message { return new(Heads) }),
			spec("Tails", "Coin", "Final", func() table.Message { return new(Tails) }),
			spec("Plead", "Open", "Verdict", func() table.Message { return new(Plead) }), // answers that end it
			spec("Guilty", "Verdict", "Final", func() table.Message { return new(Guilty) }),
			spec("Innocent", "Verdict", "Final", func() table.Message { return new(Innocent) }),
			spec("Dare", "Open", "Doom", func() table.Message { return new(Dare) }), // both
			spec("Fire", "Doom", "Final", func() table.Message { return new(Fire) }),
			spec("Ice", "Doom", "Final", func() table.Message { return new(Ice) }),
			spec("Quit", "Open", "Final", func() table.Message { return new(Quit) }),
			spec("Throw", "Open", "Final", func() table.Message { return new(Throw) }),
		},
	}
	p.States[2].Spread, p.States[3].Timeout = time.Minute, table.Forever
	return p
}

// Text is a body.
type Text struct {
	_    struct{} `cbor:",toarray"`
	Text string
}

// AppendTo implements table.Message.
func (t *Text) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, t) }

// ParseFrom implements table.Message.
func (t *Text) ParseFrom(b []byte) error { return table.ParseBody(b, t) }

// The messages.
type (
	Hello    struct{ Text }
	Welcome  struct{ table.Empty }
	Ask      struct{ table.Empty }
	Yes      struct{ Text }
	No       struct{ table.Empty }
	Never    struct{ Text }
	Gone     struct{ table.Empty }
	Last     struct{ Text }
	Farewell struct{ Text }
	Bow      struct{ table.Empty }
	Bowed    struct{ table.Empty }
	Quit     struct{ table.Empty }
	Throw    struct{ Text }
	Toss     struct{ table.Empty }
	Heads    struct{ table.Empty }
	Tails    struct{ table.Empty }
	Plead    struct{ Text }
	Guilty   struct{ Text }
	Innocent struct{ table.Empty }
	Dare     struct{ table.Empty }
	Fire     struct{ table.Empty }
	Ice      struct{ table.Empty }
)

// Tag implements table.Message.
func (*Hello) Tag() byte { return 2 }

// Tag implements table.Message.
func (*Welcome) Tag() byte { return 3 }

// Tag implements table.Message.
func (*Ask) Tag() byte { return 4 }

// Tag implements table.Message.
func (*Yes) Tag() byte { return 5 }

// Tag implements table.Message.
func (*No) Tag() byte { return 6 }

// Tag implements table.Message.
func (*Never) Tag() byte { return 7 }

// Tag implements table.Message.
func (*Gone) Tag() byte { return 8 }

// Tag implements table.Message.
func (*Last) Tag() byte { return 9 }

// Tag implements table.Message.
func (*Farewell) Tag() byte { return 10 }

// Tag implements table.Message.
func (*Bow) Tag() byte { return 11 }

// Tag implements table.Message.
func (*Bowed) Tag() byte { return 12 }

// Tag implements table.Message.
func (*Quit) Tag() byte { return 13 }

// Tag implements table.Message.
func (*Throw) Tag() byte { return 14 }

// Tag implements table.Message.
func (*Toss) Tag() byte { return 15 }

// Tag implements table.Message.
func (*Heads) Tag() byte { return 16 }

// Tag implements table.Message.
func (*Tails) Tag() byte { return 17 }

// Tag implements table.Message.
func (*Plead) Tag() byte { return 18 }

// Tag implements table.Message.
func (*Guilty) Tag() byte { return 19 }

// Tag implements table.Message.
func (*Innocent) Tag() byte { return 20 }

// Tag implements table.Message.
func (*Dare) Tag() byte { return 21 }

// Tag implements table.Message.
func (*Fire) Tag() byte { return 22 }

// Tag implements table.Message.
func (*Ice) Tag() byte { return 23 }
