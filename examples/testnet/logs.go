package main

import (
	"log/slog"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"

	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/trace"
	"github.com/synodkit/synod/trace/logsink"
)

// logs is where events are written as lines: go-log, through its slog bridge, which libp2p is given too.
type logs struct{ handler slog.Handler }

// setupLogs configures go-log for the process: text on standard error from a level on.
func setupLogs(level string) logs {
	c := golog.GetConfig()
	c.Level, _ = golog.Parse(level) // validated with the other options
	c.Format, c.Stderr, c.Stdout, c.File = golog.PlaintextOutput, true, false, ""
	if c.Level >= golog.LevelWarn {
		// When a host is closed its swarm reports the end of its own listener as an error.
		c.SubsystemLevels = map[string]golog.LogLevel{"swarm2": golog.LevelPanic}
	}
	golog.SetupLogging(c)
	gologshim.SetDefaultHandler(golog.SlogHandler())
	return logs{golog.SlogHandler()}
}

// tracers send a node's events to its metrics and to the log.
func (l logs) tracers(name string, m *metrics) node.Tracers {
	h := l.handler.WithAttrs([]slog.Attr{slog.String("logger", "synod"), slog.String("node", name)})
	return node.Tracers{
		Peer:   trace.Tee(counting(m, "peer", func(e node.PeerEvent) string { return e.Kind.String() }), logsink.To[node.PeerEvent](h, "peer")),
		Chain:  trace.Tee(counting(m, "chain", func(e chainsel.Event) string { return e.Verdict.String() }), logsink.To[chainsel.Event](h, "chain")),
		Forger: trace.Tee(counting(m, "forger", outcome), logsink.To[leaderschedule.Event](h, "forger")),
	}
}

func outcome(e leaderschedule.Event) string {
	if e.Err != nil {
		return "failed"
	}
	return "forged"
}
