package main

import (
	"log/slog"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"
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
