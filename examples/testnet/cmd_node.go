package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	golog "github.com/ipfs/go-log/v2"
	"github.com/spf13/cobra"

	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/examples/testnet/replica"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
)

// nodeOptions is what the command line of node asks for.
type nodeOptions struct {
	home       string
	instead    home.NodeConfig // of what the folder's says
	logLevel   string
	untilStdin bool
}

func newNode(stdout io.Writer) *cobra.Command {
	var o nodeOptions
	cmd := &cobra.Command{
		Use:   "node --home DIR",
		Short: "Run one node until SIGINT or SIGTERM; its first line says where it listens",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runNode(cmd.Context(), o, stdout) },
	}
	f := cmd.Flags()
	f.StringVar(&o.home, "home", "", "the node's folder, as init wrote it")
	f.StringVar(&o.instead.Transport, "transport", "", "tcp or quic, instead of the one in config.json")
	f.StringVar(&o.instead.Listen, "listen", "", "multiaddress to listen on, instead of the one in config.json")
	f.StringVar(&o.instead.HTTP, "http", "", "host:port of the HTTP interface, instead of the one in config.json")
	f.StringArrayVar(&o.instead.Peers, "peer", nil, "multiaddress of a peer, instead of those in config.json; may be repeated")
	f.StringVar(&o.logLevel, "log-level", "error", "debug, info, warn or error")
	f.BoolVar(&o.untilStdin, "until-stdin-closes", false, "end when standard input does: for a parent that may die")
	_ = f.MarkHidden("until-stdin-closes")
	_ = cmd.MarkFlagRequired("home")
	return cmd
}

// ready is the line that node prints once it answers.
type ready struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	HTTP    string `json:"http"`
	Address string `json:"address"`
}

// runNode runs a node until ctx ends.
func runNode(ctx context.Context, o nodeOptions, stdout io.Writer) error {
	if _, err := golog.Parse(o.logLevel); err != nil {
		return fmt.Errorf("--log-level %q: want debug, info, warn or error", o.logLevel)
	}
	n, err := home.LoadNode(o.home)
	if err != nil {
		return err
	}
	if n, err = n.Override(o.instead); err != nil {
		return err
	}
	logs := setupLogs(o.logLevel)
	// The scope does not end with ctx: an interrupt is noticed by its body, so that the node's end is the same in all cases.
	err = registry.Run(context.WithoutCancel(ctx), func(scoped context.Context, s *registry.Scope) error {
		running, interrupt := context.WithCancelCause(scoped)
		defer context.AfterFunc(ctx, func() { interrupt(errOver) })()
		if o.untilStdin {
			if err := whenStdinCloses(s, func() { interrupt(errOver) }); err != nil {
				return err
			}
		}
		err := serveNode(running, s, replica.Config{
			Name: n.Config.Name, Genesis: n.Genesis, Keys: n.Keys, Dir: n.Store(), Listen: n.Config.Listen, HTTP: n.Config.HTTP,
			Transport: libp2p.Transport(n.Config.Transport), Log: logs.handler,
		}, n.Config.Peers, stdout)
		if cause := context.Cause(running); cause != nil {
			return cause
		}
		return err
	}, registry.WithName(n.Config.Name), registry.WithGrace(closeMax))
	leaks, failure := remains(err)
	if failure == nil && len(leaks) > 0 {
		failure = fmt.Errorf("left running: %v", leaks)
	}
	return failure
}

// serveNode starts the replica, says so, and waits until ctx ends.
func serveNode(ctx context.Context, s *registry.Scope, cfg replica.Config, dial []string, stdout io.Writer) error {
	r, err := replica.Listen(ctx, s, cfg)
	if err != nil {
		return err
	}
	if err := r.Start(ctx, dial); err != nil {
		return err
	}
	line := ready{Name: r.Name(), PID: os.Getpid(), HTTP: r.URL(), Address: r.Address()}
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
