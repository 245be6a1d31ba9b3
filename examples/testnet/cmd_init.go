package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/home"
)

// homeDefault is the directory of a network when no flag names one.
const homeDefault = "synod-testnet"

// nodeCommands are those for a network whose nodes are processes of their own.
func nodeCommands(stdout terminal, stderr io.Writer) []*cobra.Command {
	return []*cobra.Command{
		newInit(stdout, stderr), newNode(stdout), newKeys(stdout), newTx(stdout), newStatus(stdout), newChain(stdout),
	}
}

// initOptions is what the command line of init asks for.
type initOptions struct {
	params home.Params
	out    string
	seed   uint64
	json   bool
}

func newInit(stdout, stderr io.Writer) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a network's genesis, keys and one folder a node, to be run by node",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("seed") {
				o.params.Seed = &o.seed
			}
			o.params.Start = env.Now(cmd.Context())
			return initialise(o, stdout, stderr)
		},
	}
	f, p := cmd.Flags(), &o.params
	f.StringVar(&o.out, "out", homeDefault, "directory to write; nothing in it is ever overwritten")
	f.IntVar(&p.Nodes, "nodes", 3, "how many nodes")
	f.DurationVar(&p.Slot, "slot", time.Second, "length of a slot")
	f.StringSliceVar(&p.Hosts, "hosts", nil, "where each node runs: one address or name a node, with commas (default: all on 127.0.0.1)")
	f.StringVar(&p.Transport, "transport", "tcp", "tcp or quic")
	f.StringSliceVar(&p.Accounts, "accounts", []string{"alice", "bob", "carol"}, "names of accounts that the genesis funds")
	f.IntVar(&p.P2PPort, "p2p-port", 7600, "libp2p port of the first node on a host; the next ones follow")
	f.IntVar(&p.HTTPPort, "http-port", 7700, "HTTP port of the first node on a host, on loopback; the next ones follow")
	f.Uint64Var(&o.seed, "seed", 0, "derive all keys from this number: for experiments only (default: random keys)")
	f.BoolVar(&o.json, "json", false, "print a JSON object instead of a line")
	return cmd
}

// initialise writes the network and says what it is.
func initialise(o initOptions, stdout, stderr io.Writer) error {
	if p := o.params; p.Slot < slotMin || p.Slot > slotMax || p.Slot%time.Millisecond != 0 {
		return fmt.Errorf("--slot %v: want %v to %v in whole milliseconds", p.Slot, slotMin, slotMax)
	}
	h, err := home.Create(o.out, o.params)
	if err != nil {
		return err
	}
	if seed, ok := h.Seed(); ok {
		fmt.Fprintf(stderr, "testnet: warning: keys are derived from --seed %s and are no secret\n", seed)
	}
	var homes, names []string
	for i := range h.Nodes {
		homes = append(homes, filepath.Clean(h.NodeDir(i)))
	}
	for _, a := range h.Accounts {
		names = append(names, a.Name)
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(map[string]any{"genesis": h.Genesis.Hash(), "homes": homes, "accounts": names})
	}
	_, err = fmt.Fprintf(stdout, "%s: genesis %s, slots of %v, nodes %s, accounts %s\n",
		o.out, h.Genesis.Hash(), h.Genesis.SlotLength, strings.Join(homes, " "), strings.Join(names, " "))
	return err
}
