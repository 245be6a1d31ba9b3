package rule

import "github.com/synodkit/synod/stm"

// inbox is what has come and is not yet taken: a list of what was posted, newest first, so that to post is to link.
type inbox struct {
	list *stm.Var[*parcel]
	max  int
}

type parcel struct {
	from   Peer
	bodies []any
	total  int // messages here and in older ones
	older  *parcel
}

func newInbox(name string, most int) *inbox {
	return &inbox{stm.NewVar[*parcel](nil).Label(name + " inbox"), most}
}

// put reports whether there was room. An empty inbox has room for anything.
func (b *inbox) put(tx *stm.Tx, from Peer, bodies []any) bool {
	if len(bodies) == 0 {
		return true
	}
	older := b.list.Get(tx)
	total := len(bodies)
	if older != nil {
		if total += older.total; total > b.max {
			return false
		}
	}
	b.list.Set(tx, &parcel{from, bodies, total, older})
	return true
}

// take empties the inbox.
func (b *inbox) take(tx *stm.Tx) *parcel {
	p := b.list.Get(tx)
	if p != nil {
		b.list.Set(tx, nil)
	}
	return p
}

// unpack appends the messages of a list in the order in which they came.
func (p *parcel) unpack(into []Message, to Peer) []Message {
	if p == nil {
		return into
	}
	at := len(into)
	for range p.total {
		into = append(into, Message{})
	}
	end := at + p.total
	for ; p != nil; p = p.older {
		end -= len(p.bodies)
		for i, m := range p.bodies {
			into[end+i] = Message{p.from, to, m}
		}
	}
	return into
}
