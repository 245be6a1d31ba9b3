package main

import (
	"fmt"
	"time"

	golog "github.com/ipfs/go-log/v2"
)

const (
	defaultSlot = time.Second
	slotMin     = 20 * time.Millisecond
	slotMax     = time.Hour
	nodesMax    = 50
	portMax     = 65535
)

// options is what the command line asks for.
type options struct {
	nodes    int
	slot     time.Duration
	until    uint64
	dataDir  string
	seed     uint64
	json     bool
	basePort int
	logLevel string
	explicit func(flag string) bool // was the flag given, rather than left at its default
	limits   limits                 // tests shorten them
}

// seeded says whether keys are derived from a number, which a run must be warned of.
func (o options) seeded() bool { return o.explicit("seed") }

// validate refuses what cannot be run, naming the flag.
func (o options) validate() error {
	switch {
	case o.nodes < 1 || o.nodes > nodesMax:
		return fmt.Errorf("--nodes %d: want 1 to %d", o.nodes, nodesMax)
	case o.slot < slotMin || o.slot > slotMax:
		return fmt.Errorf("--slot %v: want %v to %v", o.slot, slotMin, slotMax)
	case o.slot%time.Millisecond != 0:
		return fmt.Errorf("--slot %v: want whole milliseconds", o.slot)
	case o.basePort < 0 || o.basePort > portMax:
		return fmt.Errorf("--base-port %d: want 0 to %d", o.basePort, portMax)
	case o.basePort+o.nodes-1 > portMax:
		return fmt.Errorf("--base-port %d with --nodes %d: the last port would be %d, above %d",
			o.basePort, o.nodes, o.basePort+o.nodes-1, portMax)
	case o.explicit("data-dir") && o.dataDir == "":
		return fmt.Errorf("--data-dir: want a directory, not an empty name")
	}
	if _, err := golog.Parse(o.logLevel); err != nil {
		return fmt.Errorf("--log-level %q: want debug, info, warn or error", o.logLevel)
	}
	return nil
}

// limits bound how long a run waits for what should come by itself.
type limits struct {
	StallSlots int           // slots without growth of the lowest chain before --until-block gives up
	StallMin   time.Duration // and at least this long
	LeakWait   time.Duration // for goroutines to end after every scope has
}

func (l limits) withDefaults() limits {
	if l.StallSlots == 0 {
		l.StallSlots = 60
	}
	if l.StallMin == 0 {
		l.StallMin = 20 * time.Second
	}
	if l.LeakWait == 0 {
		l.LeakWait = 5 * time.Second
	}
	return l
}
