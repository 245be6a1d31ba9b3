package tendermint

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// Replica runs the table with an application. Receive and the queries may be called from any task; Run belongs to one.
type Replica struct {
	config  Config
	in      *queue.Queue[incoming]     // from peers
	events  *queue.Queue[rule.Message] // from the rules
	feed    *stm.Var[feed]
	applied *stm.Var[decisions]
	table   func(name string, s settings) rule.Table[*Machine]
}

const (
	inMax     = 256
	eventsMax = 4096
	batchMax  = 64 // messages whose signatures are verified together
)

// New makes a replica; [Replica.Run] opens its store.
func New(c Config) (*Replica, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Replica{
		config:  c,
		table:   table,
		in:      queue.FIFO(inMax, queue.Wait[incoming]()).Label("tendermint in"),
		events:  queue.FIFO(eventsMax, queue.Wait[rule.Message]()).Label("tendermint events"),
		feed:    stm.NewVar(feed{}).Label("tendermint feed"),
		applied: stm.NewVar(decisions{}).Label("tendermint decisions"),
	}, nil
}

// Receive takes what a peer has sent: the bytes of a [Message] or of a [Decision]. It retries while there is no room, as a Put does.
func (r *Replica) Receive(tx *stm.Tx, from string, raw []byte) error {
	_, err := r.in.Put(tx, incoming{from, raw})
	return err
}

// Run takes part until ctx ends or something fails: the store, the application, or the promise that less than a third is faulty.
func (r *Replica) Run(ctx context.Context) error {
	t, err := r.loadTip()
	if err != nil {
		return err
	}
	if err := r.restore(ctx, t); err != nil {
		return err
	}
	h := &host{Replica: r, tip: t, gate: newGate(r.config.Limits, r.config.Verify)}
	if err := h.publish(ctx, decisions{height: t.height}); err != nil {
		return err
	}
	for {
		if err := h.epoch(ctx); err != nil {
			return err
		}
	}
}

// epoch runs the rules for one set of validators.
func (h *host) epoch(ctx context.Context) error {
	c := &h.config
	if h.tip.epoch > 0 {
		old := h.table(tableName(h.tip.epoch-1), h.settings())
		if err := old.Forget(ctx, c.Store); err != nil {
			return err
		}
	}
	h.self, h.member = h.tip.set().Index(c.Self)
	h.member = h.member && c.Sign != nil
	h.leaders = newSequence(h.tip.rotation, h.tip.height+1)
	h.rules = nil
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		if h.member {
			m, err := rule.Open(ctx, h.table(tableName(h.tip.epoch), h.settings()), rule.Wiring{
				Self: rule.Peer(h.self), Cluster: c.Cluster[:], Store: c.Store, Out: h.out, Trace: c.Trace,
			})
			if err != nil {
				return err
			}
			h.rules = m
			s.Go("rules", m.Run)
			if err := h.post(ctx, applied{h.tip.height, false}); err != nil { // if a crash came before the rules had heard of it
				return err
			}
		}
		if err := h.enter(ctx); err != nil {
			return err
		}
		return h.serve(ctx)
	})
}

func tableName(epoch uint64) string { return fmt.Sprintf("tendermint-%d", epoch) }

func (h *host) settings() settings {
	leaders := newSequence(h.tip.rotation, h.tip.height+1) // the rules' own: they run on another task
	return settings{
		set:    h.tip.set(),
		share:  consensus.TwoThirds,
		leader: func(at Height, r Round) rule.Peer { return rule.Peer(leaders.of(at, r)) },
		height: h.tip.start,
		window: h.config.Limits.Rounds,
		times:  timeouts{h.config.Propose, h.config.Prevote, h.config.Precommit},
	}
}

// out takes what the rules say, on their task.
func (h *host) out(ctx context.Context, ms []rule.Message) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		for _, m := range ms {
			if _, err := h.events.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// happening is the next thing that the host has to deal with.
type happening struct {
	events []rule.Message
	in     []incoming
	rest   bool // in is what was left of an earlier height
	work   bool
	again  bool
}

// next waits for it. What the rules say goes first.
func (h *host) next(tx *stm.Tx) (happening, error) {
	if len(h.backlog) > 0 {
		return happening{events: h.backlog}, nil
	}
	if len(h.rest) > 0 {
		return happening{in: h.rest, rest: true}, nil
	}
	if es := prop.Rest(tx, h.events, batchMax); len(es) > 0 {
		return happening{events: es}, nil
	}
	if is := prop.Rest(tx, h.in, batchMax); len(is) > 0 {
		return happening{in: is}, nil
	}
	if h.waiting && h.worth(tx) {
		return happening{work: true}, nil
	}
	if len(h.gate.let) > 0 && env.Reached(tx, h.again) {
		return happening{again: true}, nil // somebody may have missed it: no decision in so long a time
	}
	return happening{}, stm.ErrRetry
}
