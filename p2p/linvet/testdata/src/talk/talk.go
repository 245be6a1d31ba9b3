// Package talk looks like what is generated.
package talk

type turn struct{ step int }

// Session stands for the real one.
type Session struct{}

func (*Session) Close() error        { return nil }
func (*Session) Invalid(error) error { return nil }

func New() (Idle, *Session) { return Idle{turn{1}}, &Session{} }

//p2p:linear
type Idle struct{ turn turn }

func (s Idle) Ask(string) (Busy, error) { return Busy{s.turn}, nil }
func (s Idle) Bye() error               { return nil }

type (
	// Busy stands in a group.
	//
	//p2p:linear
	Busy struct{ turn turn }
	// Free is not marked.
	Free struct{ turn turn }
)

func (s Busy) Recv() (BusyMsg, error) { return &BusyYes{Next: Idle{s.turn}}, nil }

func (s Free) Ask() (Free, error) { return s, nil }

//p2p:answers
type BusyMsg interface{ isBusy() }

type BusyYes struct {
	Text string
	Next Idle
}

type BusyWait struct{ Next Late }

type BusyEnd struct{}

func (*BusyYes) isBusy()  {}
func (*BusyWait) isBusy() {}
func (*BusyEnd) isBusy()  {}

//p2p:linear
type Late struct{ turn turn }

func (s Late) Recv() (string, Idle, error) { return "", Idle{s.turn}, nil }
