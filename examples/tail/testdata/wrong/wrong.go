// Package wrong holds programs that do not compile: each takes one step that the protocol does not have.
package wrong

import (
	"context"

	"github.com/synodkit/synod/examples/tail"
	"github.com/synodkit/synod/p2p"
)

func right(ctx context.Context, c p2p.Conn) error {
	idle, _ := tail.NewInitiator(ctx, c)
	busy, err := idle.More(&tail.MsgMore{Max: 1})
	if err != nil {
		return err
	}
	_, err = busy.Recv()
	return err
}

func receivesWithAgency(idle tail.InitiatorIdle) {
	_, _ = idle.Recv() // error: idle.Recv undefined
}

func sendsWithoutAgency(busy tail.InitiatorBusy) {
	_, _ = busy.More(&tail.MsgMore{Max: 1}) // error: busy.More undefined
}

func sendsTheOthersMessage(idle tail.InitiatorIdle) {
	_, _ = idle.Lines(&tail.MsgLines{}) // error: idle.Lines undefined
}

func sendsInTheWrongState(waiting tail.ResponderWaiting) {
	_, _ = waiting.Wait() // error: waiting.Wait undefined
}

func sendsAnotherMessage(idle tail.InitiatorIdle) {
	_, _ = idle.More(&tail.MsgLines{}) // error: cannot use &tail.MsgLines{}
}

func takesTheWrongNextState(busy tail.ResponderBusy, idle tail.ResponderIdle) {
	idle, _ = busy.Wait() // error: cannot use busy.Wait()
	_ = idle
}

func expectsWhatCannotCome(busy tail.InitiatorBusy) {
	m, _ := busy.Recv()
	switch m.(type) {
	case *tail.InitiatorBusyLines:
	case *tail.ResponderIdleBye: // error: impossible type switch case
	}
}

func forgetsThatItMayWait(busy tail.InitiatorBusy) {
	m, _ := busy.Recv()
	_ = m.Lines // error: m.Lines undefined
}

func goesOnAfterTheEnd(m *tail.ResponderIdleBye) {
	_ = m.Next // error: m.Next undefined
}

func mixesTheRoles(idle tail.ResponderIdle) {
	initiator(idle) // error: cannot use idle
}

func initiator(tail.InitiatorIdle) {}

func makesUpAState(s *p2p.Session) {
	_ = tail.InitiatorIdle{turn: s.Turn()} // error: unexported field turn
}

func sendsAfterBye(idle tail.InitiatorIdle) {
	again, _ := idle.Bye() // error: assignment mismatch
	_ = again
}
