package simnet

import (
	"time"

	"github.com/synodkit/synod/stm"
)

// way is one direction of a link.
type way struct {
	line *line
	clog *stm.Var[clog]
}

// clog is whether nothing gets through, and since when.
type clog struct {
	on    bool
	since time.Time
}

func newWay(l *line) *way { return &way{l, stm.NewVar(clog{}).Label("simnet.clog")} }

func (w *way) clogged(tx *stm.Tx) bool { return w.clog.Get(tx).on }

func (w *way) set(tx *stm.Tx, on bool, now time.Time) {
	if w.clogged(tx) != on {
		w.clog.Set(tx, clog{on, now})
	}
}

// line is what sends segments one after the other: of a direction of a link, or of a node.
type line struct {
	bytesPerSecond int // 0 is unbounded
	free           *stm.Var[time.Time]
}

func newLine(bytesPerSecond int) *line {
	return &line{bytesPerSecond, stm.NewVar(time.Time{}).Label("simnet.line")}
}

const (
	segmentBytes = 16 << 10 // at most, on a line with a bound: then streams take turns
	backlogBytes = 32 << 10 // put on a line and not yet sent
)

// takes is how long the line needs for n bytes.
func (l *line) takes(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(l.bytesPerSecond)
}

// send puts n bytes on the line and gives the instant at which they have left.
func (l *line) send(tx *stm.Tx, n int, now time.Time) time.Time {
	if l.bytesPerSecond <= 0 {
		return now
	}
	sent := l.free.Get(tx)
	if sent.Before(now) {
		sent = now
	}
	sent = sent.Add(l.takes(n))
	l.free.Set(tx, sent)
	return sent
}

// fits is how much of n bytes the line takes in one segment now; if nothing, that is waited for.
func (l *line) fits(tx *stm.Tx, n int, w *world) int {
	if l.bytesPerSecond <= 0 {
		return n
	}
	if !w.reached(tx, l.free.Get(tx).Add(-l.takes(backlogBytes))) {
		return 0
	}
	return min(n, segmentBytes)
}
