package p2p_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
)

// Echo is a protocol of two states and three messages: the initiator says a word, the responder says it back, until the initiator is done.
func Echo() *table.Protocol {
	return &table.Protocol{
		Name: "echo", Version: 1, Initial: "Idle",
		States: []table.State{
			{Name: "Idle", Agency: table.Initiator, BytesMax: 64, Timeout: time.Minute},
			{Name: "Busy", Agency: table.Responder, BytesMax: 64, Timeout: 10 * time.Second},
			{Name: "Done"},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Say", From: []table.StateID{"Idle"}, To: "Busy", New: func() table.Message { return new(Say) }},
			{Tag: 1, Name: "Echoed", From: []table.StateID{"Busy"}, To: "Idle", New: func() table.Message { return new(Echoed) }},
			{Tag: 2, Name: "Bye", From: []table.StateID{"Idle"}, To: "Done", New: func() table.Message { return new(Bye) }},
		},
	}
}

type word struct {
	_    struct{} `cbor:",toarray"`
	Text string
}

func (w *word) AppendTo(b []byte) ([]byte, error) { return table.AppendBody(b, w) }
func (w *word) ParseFrom(b []byte) error          { return table.ParseBody(b, w) }

type Say struct{ word }
type Echoed struct{ word }
type Bye struct{ table.Empty }

func (*Say) Tag() byte    { return 0 }
func (*Echoed) Tag() byte { return 1 }
func (*Bye) Tag() byte    { return 2 }

// A new protocol is a table, its messages, and one function a side.
func Example() {
	ctx := context.Background()
	mine, theirs := p2ptest.Pipe(ctx)
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("responder", func(ctx context.Context) error {
			return echo(ctx, p2p.Conn{Peer: "alice", Stream: theirs})
		})
		return say(ctx, p2p.Conn{Peer: "bob", Stream: mine}, "agree", "on this")
	})
	fmt.Println("ended:", err)
	// Output:
	// bob says "agree"
	// bob says "on this"
	// ended: <nil>
}

func say(ctx context.Context, c p2p.Conn, words ...string) error {
	s := p2p.NewSession(ctx, Echo(), table.Initiator, c)
	for _, w := range words {
		if err := s.Send(&Say{word{Text: w}}); err != nil {
			return err
		}
		m, err := s.Recv()
		if err != nil {
			return err
		}
		fmt.Printf("%s says %q\n", s.Peer(), m.(*Echoed).Text)
	}
	if err := s.Send(&Bye{}); err != nil {
		return err
	}
	return s.Close(time.Second)
}

func echo(ctx context.Context, c p2p.Conn) error {
	s := p2p.NewSession(ctx, Echo(), table.Responder, c)
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		said, ok := m.(*Say)
		if !ok {
			return s.Close(time.Second)
		}
		if err := s.Send(&Echoed{said.word}); err != nil {
			return err
		}
	}
}

// A violation is a value that says who broke what, and where.
func ExampleViolation() {
	ctx := context.Background()
	mine, theirs := p2ptest.Pipe(ctx)
	_, _ = theirs.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	s := p2p.NewSession(ctx, Echo(), table.Responder, p2p.Conn{Peer: "mallory", Stream: mine})
	_, err := s.Recv()
	fmt.Println(err)
	_, err = theirs.Read(make([]byte, 1))
	fmt.Println(err)
	// Output:
	// p2p: peer mallory: oversize in echo/Idle: a frame of 1195725856 bytes, of 1 to 64
	// p2p: stream reset by the peer: violation
}
