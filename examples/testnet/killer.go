package main

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// killEvidence is what has to be seen of a kill and a restart, in this order.
type killEvidence struct {
	forged   bool // the child had made a block
	ended    bool
	exit     exit
	pid      int
	height   uint64 // before
	again    bool   // the next process listens
	pidAfter int
	caughtUp bool
	heightTo uint64 // after
}

// missing names the first evidence that is missing; what comes after that could not be seen.
func (e killEvidence) missing() []string {
	switch {
	case !e.forged:
		return []string{"a block that the child has forged"}
	case !e.ended:
		return []string{fmt.Sprintf("the end of process %d", e.pid)}
	case !e.exit.killed:
		return []string{fmt.Sprintf("an exit by SIGKILL (process %d: %s)", e.pid, e.exit.how)}
	case !e.again:
		return []string{"a new process that listens"}
	case e.pidAfter == e.pid:
		return []string{fmt.Sprintf("a new process (it has number %d again)", e.pid)}
	case !e.caughtUp:
		return []string{fmt.Sprintf("a chain longer than %d, the height when it was killed (it is at %d)", e.height, e.heightTo)}
	}
	return nil
}

// killRestart kills the child at a random moment after it has forged, and sees it come back and catch up.
func (n *network) killRestart(ctx context.Context) (fault, error) {
	e, err := n.killChild(ctx)
	f := fault{name: killFault, missing: e.missing()}
	f.said = fmt.Sprintf("%s (process %d) got SIGKILL at block %d and came back as process %d", n.child.name, e.pid, e.height, e.pidAfter)
	return f, err
}

func (n *network) killChild(ctx context.Context) (e killEvidence, err error) {
	c, limit := n.child, n.run.options.limits.fault
	if e.forged, err = within(ctx, limit, func(tx *stm.Tx) bool { return c.status(tx).Forged > 0 }); err != nil || !e.forged {
		return e, err
	}
	slot := n.run.home.Genesis.SlotLength
	round := slot * time.Duration(len(n.members)) // in which each node leads once
	if err = env.Sleep(ctx, time.Duration(env.Rand(ctx).Int64N(int64(round)))); err != nil {
		return e, err
	}
	before := c.update(ctx, func(s *childState) { s.doomed = true })
	e.pid, e.height = before.process.pid(), before.status.Height
	if err = n.kill(before.process); err != nil {
		return e, err
	}
	if e.ended, err = within(ctx, limit, func(tx *stm.Tx) bool { return before.process.ended.Get(tx) != nil }); err != nil || !e.ended {
		return e, err
	}
	e.exit = *before.process.ended.Load(ctx)
	if last := c.state.Load(ctx); last.process == before.process {
		e.height = max(e.height, last.status.Height)
	}
	after := func(tx *stm.Tx) bool { s := c.state.Get(tx); return s.process != before.process && s.status.URL != "" }
	if e.again, err = within(ctx, limit, after); err != nil || !e.again {
		return e, err
	}
	e.pidAfter = c.state.Load(ctx).status.PID
	e.caughtUp, err = within(ctx, limit, func(tx *stm.Tx) bool {
		s := c.status(tx)
		e.heightTo = s.Height
		return s.PID == e.pidAfter && s.Height > e.height
	})
	return e, err
}

func (n *network) kill(p *process) error {
	if n.run.options.plant.kill != nil {
		return n.run.options.plant.kill(p)
	}
	return p.kill()
}
