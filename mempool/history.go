package mempool

import "github.com/synodkit/synod/chain"

// past is a transaction whose record is kept for a while, as it was at a tip.
type past struct {
	id chain.Hash
	at chain.Tip
}

// history is the queue in which records of the past are forgotten, oldest first. Private to the sync task.
type history struct {
	items []past
	head  int
}

func (h *history) len() int { return len(h.items) - h.head }

func (h *history) push(p past) { h.items = append(h.items, p) }

// pop takes the oldest n.
func (h *history) pop(n int) []past {
	out := append([]past(nil), h.items[h.head:h.head+n]...)
	h.head += n
	if h.head > len(h.items)/2 {
		h.items = append([]past(nil), h.items[h.head:]...)
		h.head = 0
	}
	return out
}

// all are those not yet forgotten, oldest first.
func (h *history) all() []past { return h.items[h.head:] }
