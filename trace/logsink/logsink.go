package logsink

import (
	"context"
	"log/slog"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/trace"
)

// To is the tracer that writes events of component to h. A failing handler is not noticed: whether a line was written
// must not change what the component does.
func To[E any](h slog.Handler, component string) trace.Tracer[E] {
	if h == nil {
		return nil
	}
	if component != "" {
		h = h.WithAttrs([]slog.Attr{slog.String("component", component)})
	}
	r := newRenderer[E]()
	return func(ctx context.Context, e E) {
		level := r.level(any(e))
		if !h.Enabled(ctx, level) {
			return
		}
		record := slog.NewRecord(env.Now(ctx), level, r.message(any(e)), 0)
		if path := registry.Path(ctx); path != "" {
			record.AddAttrs(slog.String("scope", path))
		}
		r.attrs(any(e), &record)
		_ = h.Handle(ctx, record)
	}
}
