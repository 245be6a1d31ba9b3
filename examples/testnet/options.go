package main

import (
	"context"
	"fmt"
	"time"

	golog "github.com/ipfs/go-log/v2"

	"github.com/synodkit/synod/examples/testnet/load"
	"github.com/synodkit/synod/p2p/libp2p"
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
	nodes     int
	slot      time.Duration
	until     uint64
	lasting   time.Duration // --for
	dataDir   string
	seed      uint64
	json      bool
	basePort  int
	logLevel  string
	transport string

	load      int // transfers a second
	kill      bool
	partition bool

	explicit func(flag string) bool // was the flag given, rather than left at its default
	limits   limits                 // tests shorten them
	plant    plant                  // tests alone set it
}

// seeded says whether keys are derived from a number, which a run must be warned of.
func (o options) seeded() bool { return o.explicit("seed") }

// verdict says whether the run has a goal, so that its end is judged.
func (o options) verdict() bool { return o.until > 0 || o.lasting > 0 }

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
	return o.validateRun()
}

// validateRun checks what the run does with the network.
func (o options) validateRun() error {
	switch {
	case o.transport != string(libp2p.TCP) && o.transport != string(libp2p.QUIC):
		return fmt.Errorf("--transport %q: want tcp or quic", o.transport)
	case o.lasting < 0:
		return fmt.Errorf("--for %v: want more than 0", o.lasting)
	case o.lasting > 0 && o.until > 0:
		return fmt.Errorf("--for %v and --until-block %d: want one of them", o.lasting, o.until)
	case o.load < 0 || o.load > load.RateMax:
		return fmt.Errorf("--load %d: want 0 to %d", o.load, load.RateMax)
	case o.kill && o.nodes < 2:
		return fmt.Errorf("--kill-restart with --nodes %d: want 2 or more", o.nodes)
	case o.partition && o.nodes < 3:
		return fmt.Errorf("--partition with --nodes %d: want 3 or more", o.nodes)
	}
	return nil
}

// limits bound how long a run waits for what should come by itself. Zero fields take their defaults.
type limits struct {
	stall  time.Duration // without growth of the shortest chain; default 60 slots, at least 20 s
	leak   time.Duration // for goroutines to end after every scope has; default 5 s
	fault  time.Duration // for each step of a fault; default 60 slots, at least 30 s
	settle time.Duration // for accepted transfers to come onto the chain after the load; default 30 slots, at least 10 s
}

func (l limits) withDefaults(slot time.Duration) limits {
	for _, d := range []struct {
		limit *time.Duration
		slots int64
		least time.Duration
	}{
		{&l.stall, 60, 20 * time.Second},
		{&l.leak, 0, 5 * time.Second},
		{&l.fault, 60, 30 * time.Second},
		{&l.settle, 30, 10 * time.Second},
	} {
		if *d.limit == 0 {
			*d.limit = max(time.Duration(d.slots)*slot, d.least)
		}
	}
	return l
}

// plant is what tests break in a run, to see that the verdict says so. The zero plant breaks nothing.
type plant struct {
	dials   func(i, n int) []int // the topology, in place of dials
	running func(ctx context.Context, n *network) error
	kill    func(p *process) error // in place of SIGKILL
	cut     func(*partition)       // in place of the cut
	urls    func(all []string)     // changes where the load is sent
}
