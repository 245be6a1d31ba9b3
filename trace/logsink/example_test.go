package logsink_test

import (
	"context"
	"log/slog"
	"os"

	"github.com/synodkit/synod/trace/logsink"
)

type PeerLost struct {
	Peer  string
	After int
	Err   error
}

func (PeerLost) Level() slog.Level { return slog.LevelWarn }

// A main gives each component the tracer that writes its events.
func ExampleTo() {
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime})
	lost := logsink.To[PeerLost](handler, "sync")
	lost.Emit(context.Background(), PeerLost{Peer: "12D3Koo", After: 3})
	// Output: level=WARN msg="peer lost" component=sync peer=12D3Koo after=3 err=<nil>
}
