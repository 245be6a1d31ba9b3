package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
)

const nodeDefault = "http://127.0.0.1:7700"

func nodeFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "node", nodeDefault, "URL of the node's HTTP interface")
}

// peer is a node that is asked.
type peer struct{ *api.Client }

// withNode asks a node; host:port is enough.
func withNode(_ context.Context, url string, f func(peer) error) error {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	c, err := api.NewClient(url)
	if err != nil {
		return fmt.Errorf("--node: %w", err)
	}
	defer c.Close()
	return f(peer{c})
}

// sameNetwork is the hash of the genesis in a network's directory, which the node must have too.
func (n peer) sameNetwork(ctx context.Context, dir string) (chain.Hash, error) {
	g, err := home.ReadGenesis(dir)
	if err != nil {
		return chain.Hash{}, fmt.Errorf("--home: %w", err)
	}
	s, err := n.Status(ctx)
	if err != nil {
		return chain.Hash{}, err
	}
	if ours := g.Hash(); s.Genesis != ours {
		return ours, fmt.Errorf("--node is of another network: its genesis is %v, the one in %s is %v", s.Genesis, dir, ours)
	}
	return g.Hash(), nil
}

// statusLine is a status as one line.
type statusLine struct{ api.Status }

func (s statusLine) String() string {
	return fmt.Sprintf("%s height %d slot %d tip %s peers %d pending %d forged %d rollbacks %d violations %d genesis %s",
		s.Name, s.Height, s.Slot, s.Tip, s.Peers, s.Mempool.Count, s.Forged, s.Rollbacks, s.Violations, s.Genesis)
}

func newStatus(stdout io.Writer) *cobra.Command {
	var url string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show a node's status", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNode(cmd.Context(), url, func(n peer) error {
				s, err := n.Status(cmd.Context())
				if err != nil {
					return err
				}
				return show(stdout, statusLine{s}, asJSON)
			})
		},
	}
	nodeFlag(cmd, &url)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	return cmd
}

// chainOptions is what the command line of chain asks for.
type chainOptions struct {
	node  string
	from  uint64
	limit int
	json  bool
}

func newChain(stdout io.Writer) *cobra.Command {
	var o chainOptions
	cmd := &cobra.Command{
		Use: "chain", Short: "Show blocks of a node's chain, with their transfers", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.limit < 1 || o.limit > api.BlocksMax {
				return fmt.Errorf("--limit %d: want 1 to %d", o.limit, api.BlocksMax)
			}
			return withNode(cmd.Context(), o.node, func(n peer) error { return o.show(cmd.Context(), n, stdout) })
		},
	}
	f := cmd.Flags()
	nodeFlag(cmd, &o.node)
	f.Uint64Var(&o.from, "from", 0, "number of the first block (0: the newest ones)")
	f.IntVar(&o.limit, "limit", 10, "how many")
	f.BoolVar(&o.json, "json", false, "print the blocks as JSON")
	return cmd
}

func (o chainOptions) show(ctx context.Context, n peer, stdout io.Writer) error {
	if o.from == 0 {
		s, err := n.Status(ctx)
		if err != nil {
			return err
		}
		o.from = max(s.Height, uint64(o.limit)) - uint64(o.limit) + 1
	}
	blocks, err := n.Chain(ctx, o.from, o.limit)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(blocks)
	}
	var out strings.Builder
	for _, b := range blocks {
		fmt.Fprintf(&out, "block %d slot %d %s transfers %d\n", b.Height, b.Slot, b.Hash, len(b.Transfers))
		for _, t := range b.Transfers {
			fmt.Fprintf(&out, "  %s %s pays %s %d, fee %d, nonce %d\n", t.Hash, t.From, t.To, t.Amount, t.Fee, t.Nonce)
		}
	}
	_, err = io.WriteString(stdout, out.String())
	return err
}
