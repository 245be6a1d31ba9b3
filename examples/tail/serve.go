package tail

import (
	"context"
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

const closeLimit = 5 * time.Second

// Serve runs the side that has the log, until the peer says Bye (nil) or the session ends otherwise.
func Serve(ctx context.Context, c p2p.Conn, log *Log) error {
	idle, s := NewResponder(ctx, c)
	defer func() { _ = s.Close(closeLimit) }() // its error has been returned
	for {
		m, err := idle.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *ResponderIdleMore:
			idle, err = answer(ctx, m.Next, s, log, m.MsgMore)
		case *ResponderIdleBye:
			return s.Close(closeLimit)
		}
		if err != nil {
			return err
		}
	}
}

// answer gives what there is, or says that the peer must wait, and waits.
func answer(ctx context.Context, busy ResponderBusy, s *p2p.Session, log *Log, ask *MsgMore) (ResponderIdle, error) {
	read := func(tx *stm.Tx) []string { return log.from(tx, ask.From, int(ask.Max)) }
	lines, err := stm.Query(ctx, read)
	if err != nil {
		return ResponderIdle{}, err
	}
	if len(lines) > 0 {
		return busy.Lines(&MsgLines{Lines: lines})
	}
	waiting, err := busy.Wait()
	if err != nil {
		return ResponderIdle{}, err
	}
	lines, err = p2p.Wait(ctx, s, func(tx *stm.Tx) []string {
		lines := read(tx)
		tx.Check(len(lines) > 0)
		return lines
	})
	if err != nil {
		return ResponderIdle{}, err
	}
	return waiting.Lines(&MsgLines{Lines: lines})
}
