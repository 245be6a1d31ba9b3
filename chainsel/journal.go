package chainsel

import "github.com/synodkit/synod/chain"

// journal is the newest of some events, oldest first. Immutable; nil is empty.
type journal struct{ events []Event }

func (j *journal) all() []Event {
	if j == nil {
		return nil
	}
	return j.events[:len(j.events):len(j.events)]
}

// with is j with more events, of which all but the newest limit are gone.
func (j *journal) with(more []Event, limit int) *journal {
	if len(more) == 0 {
		return j
	}
	more = more[max(0, len(more)-limit):]
	old := j.all()
	old = old[max(0, len(old)+len(more)-limit):]
	return &journal{append(append(make([]Event, 0, len(old)+len(more)), old...), more...)}
}

// Why a block is refused that nobody is to blame for.
const (
	whyOld  = "no rollback reaches that far back"
	whyFar  = "its chain would not fit into the volatile part"
	whyFull = "the volatile part is full"
)

// decline notes that a block, or the chain that ends in it, is not selected, for the round's journal.
func (t *selector[S]) decline(v Verdict, block chain.Tip, why string, err error) {
	t.turned = append(t.turned, Event{Verdict: v, Block: block, Tip: t.sel.Tip(), Why: why, Err: err})
}

// declineTips notes those of the chains looked at that lost.
func (t *selector[S]) declineTips() {
	for _, h := range t.tried {
		if t.vol.by[h.hash()] == h && h.linked {
			t.decline(NotBetter, h.tip(), t.whyNot(h.tip()), nil)
		}
	}
}

// whyNot is why the selection is better than the chain to tip.
func (t *selector[S]) whyNot(tip chain.Tip) string { return why(t.c.cfg.Order, t.sel.Tip(), tip) }
