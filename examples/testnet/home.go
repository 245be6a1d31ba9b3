package main

import (
	"fmt"
	"time"

	"github.com/synodkit/synod/examples/testnet/home"
)

// openHome makes the network that the options describe, or reads the one in --data-dir.
func openHome(o options, now time.Time) (home.Home, error) {
	p := home.Params{Nodes: o.nodes, Slot: o.slot, Start: now, Transport: o.transport}
	if o.seeded() {
		p.Seed = &o.seed
	}
	switch {
	case o.dataDir == "":
		return home.New(p)
	case !home.Exists(o.dataDir):
		h, err := home.Create(o.dataDir, p)
		if err != nil {
			err = fmt.Errorf("--data-dir: %w", err)
		}
		return h, err
	}
	h, err := home.Open(o.dataDir)
	if err != nil {
		return h, fmt.Errorf("--data-dir: %w", err)
	}
	return h, resumable(o, h)
}

// resumable refuses flags that say something else than the network of an earlier run.
func resumable(o options, h home.Home) error {
	g, was := h.Genesis, "--data-dir "+h.Dir
	seed, seeded := h.Seed()
	switch {
	case o.explicit("nodes") && o.nodes != len(g.Keys):
		return fmt.Errorf("--nodes %d, but %s holds a network of %d nodes", o.nodes, was, len(g.Keys))
	case o.explicit("slot") && o.slot != g.SlotLength:
		return fmt.Errorf("--slot %v, but %s holds a network with slots of %v", o.slot, was, g.SlotLength)
	case o.seeded() && !(seeded && seed == fmt.Sprint(o.seed)):
		return fmt.Errorf("--seed %d, but %s holds a network made with %s", o.seed, was, origin(h))
	case o.load > 0 && len(h.Load) == 0:
		return fmt.Errorf("--load %d, but %s holds no accounts for it", o.load, was)
	}
	return nil
}

// origin says where the keys of a network came from.
func origin(h home.Home) string {
	if seed, ok := h.Seed(); ok {
		return "--seed " + seed
	}
	return "random keys"
}
