package main

import (
	"context"
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
	plant    plant                  // tests alone set it
}

// plant is what tests break in a run, to see that the verdict says so. The zero plant breaks nothing.
type plant struct {
	dials   func(i, n int) []int // the topology, in place of dials
	running func(ctx context.Context, n *network) error
}

// dials lists the nodes that node i dials in a network of n.
func (o options) dials(i, n int) []int {
	if o.plant.dials != nil {
		return o.plant.dials(i, n)
	}
	return dials(i, n)
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

const (
	stallSlots = 60 // slots without growth of the shortest chain before --until-block gives up,
	stallMin   = 20 * time.Second
	leakWait   = 5 * time.Second
)

// limits bound how long a run waits for what should come by itself. Zero fields take their defaults.
type limits struct {
	stall time.Duration // without growth of the shortest chain; default 60 slots, at least 20 s
	leak  time.Duration // for goroutines to end after every scope has; default 5 s
}

func (l limits) withDefaults(slot time.Duration) limits {
	if l.stall == 0 {
		l.stall = max(stallSlots*slot, stallMin)
	}
	if l.leak == 0 {
		l.leak = leakWait
	}
	return l
}
