package simnet

import (
	"context"
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Link is one connection between two ends, which any number of streams share.
type Link struct {
	cfg         Config
	world       world
	down        *stm.Var[bool]
	there, back *way
}

// NewLink makes a link in ctx's world.
func NewLink(ctx context.Context, cfg Config) *Link {
	return newLink(worldOf(ctx), cfg, newLine(cfg.BytesPerSecond), newLine(cfg.BytesPerSecond))
}

func newLink(w world, cfg Config, there, back *line) *Link {
	w.arm(LossFault, cfg.Loss)
	return &Link{
		cfg: cfg.withDefaults(), world: w, down: stm.NewVar(false).Label("simnet.down"),
		there: newWay(there), back: newWay(back),
	}
}

// Pipe makes a stream on the link and gives both ends of it.
func (l *Link) Pipe() (a, b *Stream) { return l.pipe(l.there, l.back) }

// pipe makes a stream whose first end sends over out.
func (l *Link) pipe(out, in *way) (a, b *Stream) {
	ab, ba := newHalf(out), newHalf(in)
	a, b = newStream(l, ba, ab), newStream(l, ab, ba)
	a.peer, b.peer = b, a
	return a, b
}

// Cut loses the connection: every read, write and Gone at both ends is p2p.ErrGone from now on.
func (l *Link) Cut(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { l.down.Set(tx, true); return nil })
}

// Clog holds up all that the end a of each Pipe sends, what is on its way too, until Unclog; with back, what the end b sends. Nobody
// is told. What was held up has arrived at once when it is unclogged.
func (l *Link) Clog(ctx context.Context, there, back bool) error {
	return l.clog(ctx, there, back, true)
}

// Unclog ends Clog.
func (l *Link) Unclog(ctx context.Context, there, back bool) error {
	return l.clog(ctx, there, back, false)
}

func (l *Link) clog(ctx context.Context, there, back, on bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		now := l.world.now(tx)
		if there {
			l.there.set(tx, on, now)
		}
		if back {
			l.back.set(tx, on, now)
		}
		return nil
	})
}

// Down says whether the connection is lost: it was cut, or clogged for too long.
func (l *Link) Down(tx *stm.Tx) bool {
	if l.down.Get(tx) {
		return true
	}
	if l.cfg.IdleTimeout <= 0 {
		return false
	}
	for _, w := range []*way{l.there, l.back} {
		if c := w.clog.Get(tx); c.on && l.world.reached(tx, c.since.Add(l.cfg.IdleTimeout)) {
			return true
		}
	}
	return false
}

// delay draws the next segment's time on the way, with what its losses cost. It must not be called in a transaction's body.
func (l *Link) delay() time.Duration {
	d := l.cfg.oneWay(l.world.draws(l.cfg))
	for wait, n := l.cfg.RTO, 0; n < resendsMax && l.world.happens(LossFault, l.cfg.Loss); wait, n = 2*wait, n+1 {
		d += wait
	}
	return d
}

var _ p2p.Stream = (*Stream)(nil)
