package simnet

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Config is how a link behaves. The zero value is a link without delay, with a window of 256 KiB.
type Config struct {
	Latency        time.Duration // one way
	Jitter         time.Duration // up to this is added to the latency of a segment; order is kept
	BytesPerSecond int           // of each stream and direction; 0 is unbounded
	WindowBytes    int           // sent and not yet read, a stream and direction; default 256 KiB
}

const windowDefault = 256 << 10

// Link is one connection between two ends, which any number of streams share.
type Link struct {
	cfg   Config
	world world
	down  *stm.Var[bool]
}

// world runs transactions of the world that a link was made in: methods of a stream get no context.
type world struct {
	do     func(body func(tx *stm.Tx) error) error
	chance func() *rand.Rand
}

func worldOf(ctx context.Context) world {
	shielded := env.WithoutCancel(ctx)
	return world{
		do:     func(body func(tx *stm.Tx) error) error { return stm.Do(shielded, body) },
		chance: func() *rand.Rand { return env.Rand(shielded) },
	}
}

// NewLink makes a link in ctx's world.
func NewLink(ctx context.Context, cfg Config) *Link {
	if cfg.WindowBytes <= 0 {
		cfg.WindowBytes = windowDefault
	}
	return &Link{cfg: cfg, world: worldOf(ctx), down: stm.NewVar(false).Label("simnet.down")}
}

// Pipe makes a stream on the link and gives both ends of it.
func (l *Link) Pipe() (a, b *Stream) {
	ab, ba := newHalf(), newHalf()
	a, b = newStream(l, ba, ab), newStream(l, ab, ba)
	a.peer, b.peer = b, a
	return a, b
}

// Cut loses the connection: every read, write and Gone at both ends is p2p.ErrGone from now on.
func (l *Link) Cut(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { l.down.Set(tx, true); return nil })
}

// Down says whether the link was cut.
func (l *Link) Down(tx *stm.Tx) bool { return l.down.Get(tx) }

// delay draws the next segment's time on the way. It must not be called in a transaction's body.
func (l *Link) delay() time.Duration {
	d := l.cfg.Latency
	if l.cfg.Jitter > 0 {
		d += time.Duration(l.world.chance().Int64N(int64(l.cfg.Jitter) + 1))
	}
	return d
}

var _ p2p.Stream = (*Stream)(nil)
