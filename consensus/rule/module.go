package rule

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// Wiring connects an instance of a table to the world.
type Wiring struct {
	Self    Peer
	Cluster []byte      // whose log this is: another one's refuses to start
	Store   store.Store // nil: nothing survives, and everything counts as durable at once

	// Out takes messages, in the order in which rules have said them, on the module's task. It must not keep ms, and not wait
	// for what may wait for this module, such as the full inbox of another. An error ends the module.
	Out func(ctx context.Context, ms []Message) error

	Trace      trace.Tracer[Fired]
	DrainMax   int // messages a turn; default 256
	InboxMax   int // messages that have come and are not yet taken; default 4096. Then Post waits
	HeldMax    int // turns whose messages wait for the disk; default 64. Then the module waits for it
	FiringsMax int // a turn; default 65,536. More is ErrBroken
}

// Fired is the event of one rule that fired, after its turn has committed.
type Fired struct {
	Table   string
	Self    Peer
	Turn    uint64
	Rule    string
	Binding string
	Message any // of an On rule
}

// ErrBroken says that a table has broken a promise: a turn does not come to rest, or the process says two things in one
// slot. The error that wraps it names the rule or the slot.
var ErrBroken = errors.New("rule: a table has broken a promise")

// Module is a running instance of a table. Post and Offer may be called from any task; Run belongs to one.
type Module[P any] struct {
	State P // others may read its Outputs, by Seen, and nothing else

	table  Table[P]
	w      Wiring
	space  *Space
	inbox  *inbox
	rules  []*armed[P]
	on     []*armed[P]
	kinds  map[reflect.Type][]*armed[P]
	tx     Tx
	turn   turn[P]
	hold   hold
	birth  time.Time // the zero of the module's time
	asleep int64     // the time of the last turn
}

// Open makes an instance of a table and restores what its store has.
func Open[P any](ctx context.Context, t Table[P], w Wiring) (*Module[P], error) {
	if t.Name == "" || strings.Contains(t.Name, "\x00") {
		panic("rule: a table without a name")
	}
	defaults(&w)
	s := &Space{self: w.Self}
	m := &Module[P]{table: t, w: w, space: s, inbox: newInbox(t.Name, w.InboxMax), kinds: map[reflect.Type][]*armed[P]{}}
	m.State = t.New(s)
	s.sealed = true
	if w.Store != nil {
		if err := restore(ctx, w.Store, s, t.Name, identity(s, t.Name, t.Version, w.Cluster)); err != nil {
			return nil, err
		}
	}
	for i := range t.Rules {
		a := &armed[P]{Rule: &t.Rules[i], clause: t.Rules[i].make()}
		if a.on {
			m.on = append(m.on, a)
		} else {
			a.fresh()
			m.rules = append(m.rules, a)
		}
	}
	m.tx.out = m
	m.hold.delta.prefix = prefix(t.Name)
	return m, nil
}

func defaults(w *Wiring) {
	for _, d := range []struct {
		v *int
		n int
	}{{&w.DrainMax, 256}, {&w.InboxMax, 4096}, {&w.HeldMax, 64}, {&w.FiringsMax, 1 << 16}} {
		if *d.v <= 0 {
			*d.v = d.n
		}
	}
	if w.Out == nil {
		w.Out = func(context.Context, []Message) error { return nil }
	}
}

// Post gives the module messages from a peer, in this order. It waits while the inbox is full. A slice given as bodies is
// the module's from then on.
func (m *Module[P]) Post(ctx context.Context, from Peer, bodies ...any) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if !m.Offer(tx, from, bodies...) {
			return stm.ErrRetry
		}
		return nil
	})
}

// Offer is Post as part of a transaction. It reports whether there was room for all.
func (m *Module[P]) Offer(tx *stm.Tx, from Peer, bodies ...any) bool {
	return m.inbox.put(tx, from, bodies)
}

// Run runs the module until ctx ends, a rule says End, or something fails. After an error the module is finished: what
// it has not said stays unsaid, and a new Open goes on from the store.
func (m *Module[P]) Run(ctx context.Context) error {
	for _, p := range m.space.hears {
		if ms := p.again(); len(ms) > 0 {
			if err := m.w.Out(ctx, ms); err != nil {
				return err
			}
		}
	}
	for {
		if err := ctx.Err(); err != nil { // a turn that can commit does, so a busy module would never notice
			return fmt.Errorf("rule: %s: %w: %w", m.table.Name, err, context.Cause(ctx))
		}
		if err := m.Turn(ctx); err != nil {
			return err
		}
		if m.tx.ended {
			return m.flush(ctx)
		}
	}
}

// question is somebody's wish to know what blocks a rule.
type question struct {
	rule   string
	answer *stm.Var[[]string]
}

// Why says for each binding of a rule about state which conjunct blocks it now; "" for one that holds. It waits for
// the module to answer at the end of a turn.
func (m *Module[P]) Why(ctx context.Context, rule string) ([]string, error) {
	q := &question{rule, stm.NewVar[[]string](nil)}
	if err := m.Post(ctx, Host, q); err != nil {
		return nil, err
	}
	return stm.Query(ctx, func(tx *stm.Tx) []string {
		a := q.answer.Get(tx)
		tx.Check(a != nil)
		return a
	})
}

func (m *Module[P]) answer(tx *stm.Tx, q *question) {
	as := []string{}
	for _, a := range m.rules {
		if a.name == q.rule {
			as = append(as, why(&a.clause, &m.tx, m.State)...)
		}
	}
	q.answer.Set(tx, as)
}
