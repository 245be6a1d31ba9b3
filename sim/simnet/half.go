package simnet

import (
	"time"

	"github.com/synodkit/synod/stm"
)

// half is one direction of a stream: a queue of segments, linked through Vars so that writing and reading cost the same however
// long it is.
type half struct {
	head *stm.Var[place]     // the next byte to read
	tail *stm.Var[*cell]     // where the next segment goes
	used *stm.Var[int]       // bytes sent and not read: the window
	last *stm.Var[time.Time] // arrival of the last segment
	eof  *stm.Var[bool]      // the last segment is the end
	way  *way
}

type cell struct{ seg *stm.Var[*segment] }

type place struct {
	at  *cell
	off int
}

type segment struct {
	data []byte // nil: the end
	at   time.Time
	next *cell
}

func newCell() *cell { return &cell{stm.NewVar[*segment](nil)} }

func newHalf(w *way) *half {
	first := newCell()
	return &half{
		head: stm.NewVar(place{at: first}), tail: stm.NewVar(first), used: stm.NewVar(0),
		last: stm.NewVar(time.Time{}), eof: stm.NewVar(false), way: w,
	}
}

// put appends a segment that takes delay on the way, never overtaking the one before.
func (h *half) put(tx *stm.Tx, data []byte, delay time.Duration, w *world) {
	arrives := h.way.line.send(tx, len(data), w.now(tx)).Add(delay)
	if last := h.last.Get(tx); arrives.Before(last) {
		arrives = last
	}
	h.last.Set(tx, arrives)
	next := newCell()
	h.tail.Get(tx).seg.Set(tx, &segment{data: data, at: arrives, next: next})
	h.tail.Set(tx, next)
	h.used.Set(tx, h.used.Get(tx)+len(data))
	if data == nil {
		h.eof.Set(tx, true)
	}
}

// take reads into p what has arrived: 0 and false if nothing has, 0 and true at the end.
func (h *half) take(tx *stm.Tx, p []byte, w *world) (n int, ok bool) {
	if h.way.clogged(tx) {
		return 0, false
	}
	from := h.head.Get(tx)
	for n < len(p) {
		seg := from.at.seg.Get(tx)
		if seg == nil || !w.reached(tx, seg.at) {
			break
		}
		if seg.data == nil {
			ok = true
			break
		}
		k := copy(p[n:], seg.data[from.off:])
		n += k
		if from.off += k; from.off == len(seg.data) {
			from = place{at: seg.next}
		}
	}
	if n > 0 {
		h.head.Set(tx, from)
		h.used.Set(tx, h.used.Get(tx)-n)
		ok = true
	}
	return n, ok
}

// ended says whether the end has arrived, read or not.
func (h *half) ended(tx *stm.Tx, w *world) bool {
	return h.eof.Get(tx) && !h.way.clogged(tx) && w.reached(tx, h.last.Get(tx))
}
