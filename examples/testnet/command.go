package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// execute is the program without the process: it returns the exit status and writes errors as one line.
func execute(ctx context.Context, args []string, stdout terminal, stderr io.Writer) int {
	root := newCommand(stdout, stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "testnet: "+oneLine(err))
		return 1
	}
	return 0
}

// oneLine folds an error made of several (errors.Join writes one a line) into one line.
func oneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// newCommand builds the command line: the bare command is up.
func newCommand(stdout terminal, stderr io.Writer) *cobra.Command {
	root := newUp("testnet", stdout, stderr)
	root.Short = "A Synod network over libp2p on loopback, or its parts"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newUp("up", stdout, stderr))
	root.AddCommand(nodeCommands(stdout, stderr)...)
	return root
}

func newUp(use string, stdout terminal, stderr io.Writer) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   use,
		Short: "Start the nodes and show them until Ctrl-C, or until a block",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.explicit = func(flag string) bool { return cmd.Flags().Changed(flag) }
			if err := o.validate(); err != nil {
				return err
			}
			return up(cmd.Context(), o, stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.nodes, "nodes", 5, "how many nodes")
	f.DurationVar(&o.slot, "slot", defaultSlot, "length of a slot")
	f.Uint64Var(&o.until, "until-block", 0, "end when all nodes hold the same chain up to this block (0: run until Ctrl-C)")
	f.DurationVar(&o.lasting, "for", 0, "end when all nodes hold the same chain after this time")
	f.StringVar(&o.dataDir, "data-dir", "", "keep genesis, keys and chains here and continue them (default: in memory)")
	f.Uint64Var(&o.seed, "seed", 0, "derive all keys from this number: for experiments only (default: random keys)")
	f.BoolVar(&o.json, "json", false, "print one JSON object as the last line")
	f.IntVar(&o.basePort, "base-port", 0, "HTTP ports: node i listens on this plus i (0: any free port)")
	f.StringVar(&o.logLevel, "log-level", "error", "debug, info, warn or error")
	f.StringVar(&o.transport, "transport", "tcp", "tcp or quic")
	f.IntVar(&o.load, "load", 0, "signed transfers a second, over HTTP to random nodes")
	f.BoolVar(&o.kill, "kill-restart", false, "run one node as a process of its own, kill it (SIGKILL) after it has forged, and restart it")
	f.BoolVar(&o.partition, "partition", false, "cut a minority of the nodes off for a while, and heal")
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return fmt.Errorf("%s takes no argument, but was given %q", cmd.Name(), args[0])
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q (there are: %s)", args[0], strings.Join(names, ", "))
}
