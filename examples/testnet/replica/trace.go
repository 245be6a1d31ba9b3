package replica

import (
	"context"
	"log/slog"

	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/trace"
	"github.com/synodkit/synod/trace/logsink"
)

// tracers send the node's events to its metrics and to the log.
func (r *Replica) tracers() node.Tracers {
	return node.Tracers{
		Peer:    listening(r, "peer", func(e node.PeerEvent) string { return e.Kind.String() }),
		Chain:   listening(r, "chain", func(e chainsel.Event) string { return e.Kind() }),
		Mempool: listening(r, "mempool", moved),
		Forger:  listening(r, "forger", outcome),
	}
}

// listening counts events by kind and logs them.
func listening[E any](r *Replica, component string, kind func(E) string) trace.Tracer[E] {
	count := func(_ context.Context, e E) { r.metrics.count(component, kind(e)) }
	if r.cfg.Log == nil {
		return count
	}
	h := r.cfg.Log.WithAttrs([]slog.Attr{slog.String("logger", "synod"), slog.String("node", r.cfg.Name)})
	return trace.Tee(count, logsink.To[E](h, component))
}

// moved is a transaction's new stage, or the pool's move to another tip.
func moved(e mempool.Event) string {
	if e.Stage == mempool.Unknown {
		return "moved"
	}
	return e.Stage.String()
}

func outcome(e leaderschedule.Event) string {
	if e.Err != nil {
		return "failed"
	}
	return "forged"
}
