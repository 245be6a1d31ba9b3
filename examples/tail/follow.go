package tail

import (
	"context"

	"github.com/synodkit/synod/p2p"
)

// Follow runs the side that reads: every line from the first on is given to take, in order, until take says that it has enough (nil), or the
// session ends otherwise.
func Follow(ctx context.Context, c p2p.Conn, first uint64, take func(line string) (more bool)) error {
	idle, s := NewInitiator(ctx, c)
	defer func() { _ = s.Close(closeLimit) }() // its error has been returned
	for {
		busy, err := idle.More(&MsgMore{From: first, Max: linesMax})
		if err != nil {
			return err
		}
		var lines []string
		if lines, idle, err = next(busy); err != nil {
			return err
		}
		for _, l := range lines {
			if !take(l) {
				return bye(idle, s)
			}
			first++
		}
	}
}

// next is one answer, which may take as long as it likes once the peer has said that it waits.
func next(busy InitiatorBusy) (lines []string, idle InitiatorIdle, err error) {
	m, err := busy.Recv()
	if err != nil {
		return nil, idle, err
	}
	switch m := m.(type) {
	case *InitiatorBusyLines:
		lines, idle = m.Lines, m.Next
	case *InitiatorBusyWait:
		var late *MsgLines
		if late, idle, err = m.Next.Recv(); err == nil {
			lines = late.Lines
		}
	}
	return lines, idle, err
}

func bye(idle InitiatorIdle, s *p2p.Session) error {
	if err := idle.Bye(); err != nil {
		return err
	}
	return s.Close(closeLimit)
}
