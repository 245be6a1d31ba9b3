package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// followPause is how long the child's events are left alone after they have ended.
const followPause = 100 * time.Millisecond

var errDown = errors.New("the process does not run")

// child is a node that runs as a process of its own, started again when it was killed on purpose. It dials all others and nobody dials it, so its ports may change.
type child struct {
	name   string
	args   []string
	stderr io.Writer
	goal   func(*stm.Tx) uint64 // the block that all must agree on
	state  *stm.Var[childState]
}

// childState is what is known of the child. The processes follow each other, so each is newer than all it says.
type childState struct {
	process  *process
	client   *api.Client // of the newest process that listens; nil before
	status   api.Status  // of the newest process; its URL is empty while that does not listen
	restarts int
	doomed   bool // its end is wanted

	number uint64 // of a block whose hash has been asked for
	hash   chain.Hash
}

func newChild(n *network, args []string) *child {
	i := len(n.run.home.Nodes) - 1
	return &child{
		name: nodeName(i), args: args, goal: n.goal.Get,
		stderr: &lineWriter{each: func(line []byte) { fmt.Fprintf(n.run.stderr, "[%s] %s\n", nodeName(i), line) }},
		state:  stm.NewVar(childState{status: api.Status{Name: nodeName(i)}}).Label("testnet.child"),
	}
}

// serve runs the process, again and again as long as it only ends when it is doomed.
func (c *child) serve(ctx context.Context, up func()) error {
	for {
		e, err := c.once(ctx, up)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		state := c.update(ctx, func(s *childState) { s.status.URL = "" })
		if !state.doomed {
			return fmt.Errorf("the process ended by itself: %s", e.how)
		}
		c.update(ctx, func(s *childState) { s.doomed, s.restarts = false, s.restarts+1 })
	}
}

// once runs one process to its end.
func (c *child) once(ctx context.Context, up func()) (e exit, err error) {
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		p, err := startProcess(ctx, c.args, io.Discard, c.stderr)
		if err != nil {
			return err
		}
		c.update(ctx, func(s *childState) { s.process = p })
		err = s.Daemon(ctx, "events", func(ctx context.Context, started func()) error {
			started()
			return c.listen(ctx, p, up)
		})
		var failed error
		e, failed = p.wait(ctx)
		return errors.Join(err, failed)
	}, registry.WithName("process"))
	return e, err
}

// listen follows a process's events until ctx ends.
func (c *child) listen(ctx context.Context, p *process, up func()) error {
	r, err := stm.Query(ctx, func(tx *stm.Tx) *ready {
		r := p.ready.Get(tx)
		tx.Check(r != nil)
		return r
	})
	if err != nil {
		return err
	}
	client, err := api.NewClient(r.HTTP)
	if err != nil {
		return err
	}
	defer client.Close()
	c.update(ctx, func(s *childState) { // nothing else is known of this process yet
		s.client, s.status = client, api.Status{Name: c.name, URL: r.HTTP, PID: r.PID}
	})
	up()
	for ctx.Err() == nil {
		for status, err := range client.Events(ctx) {
			if err != nil {
				break
			}
			status.URL = r.HTTP
			c.hear(ctx, client, status)
		}
		_ = env.Sleep(ctx, followPause) // the process is ending, or the node let go of a reader that was too slow
	}
	return ctx.Err()
}

// hear takes a status in, and asks for the hash that the others want to compare.
func (c *child) hear(ctx context.Context, client *api.Client, status api.Status) {
	goal, err := stm.Query(ctx, c.goal)
	if err != nil {
		return
	}
	before := c.state.Load(ctx)
	if goal == 0 || status.Height < goal || before.number == goal && before.status.Tip == status.Tip {
		c.update(ctx, func(s *childState) { s.status = status })
		return
	}
	blocks, err := client.Chain(ctx, goal, 1)
	c.update(ctx, func(s *childState) {
		s.status = status
		if err == nil && len(blocks) == 1 {
			s.number, s.hash = goal, blocks[0].Hash
		}
	})
}

// ask is the client to ask with.
func (c *child) ask(ctx context.Context) (*api.Client, error) {
	if s := c.state.Load(ctx); s.status.URL != "" {
		return s.client, nil
	}
	return nil, errDown
}

// update changes the state, and gives the new one.
func (c *child) update(ctx context.Context, f func(*childState)) childState {
	s, _ := stm.Query(context.WithoutCancel(ctx), func(tx *stm.Tx) childState { // cannot fail: it never waits
		s := c.state.Get(tx)
		f(&s)
		c.state.Set(tx, s)
		return s
	})
	return s
}

func (c *child) status(tx *stm.Tx) api.Status { return c.state.Get(tx).status }

func (c *child) hashAt(tx *stm.Tx, number uint64) (chain.Hash, bool) {
	switch s := c.state.Get(tx); number {
	case s.status.Height:
		return s.status.Tip, true
	case s.number:
		return s.hash, true
	}
	return chain.Hash{}, false
}

func (c *child) hashes(ctx context.Context) ([]chain.Hash, error) {
	node, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	var out []chain.Hash
	for {
		blocks, err := node.Chain(ctx, uint64(len(out))+1, api.BlocksMax)
		if err != nil || len(blocks) == 0 {
			return out, err
		}
		for _, b := range blocks {
			out = append(out, b.Hash)
		}
	}
}

func (c *child) recorded(ctx context.Context) (out []string, _ error) {
	for range c.state.Load(ctx).status.Violations {
		out = append(out, "a peer, see its log")
	}
	return out, nil
}

func (c *child) holds(ctx context.Context, id chain.Hash) (bool, error) {
	node, err := c.ask(ctx)
	if err != nil {
		return false, err
	}
	t, err := node.Tx(ctx, id)
	return there(t), err
}

// childHome is the folder that the child starts from: its own of the network's directory, or a temporary one, which ends with the scope.
func (n *network) childHome(s *registry.Scope, i int) (string, error) {
	h := n.run.home
	if h.Dir != "" {
		return h.NodeDir(i), nil
	}
	parent, err := registry.Acquire(s, "temporary directory", func(context.Context) (string, error) {
		return os.MkdirTemp("", "synod-testnet-")
	}, func(_ context.Context, dir string) error { return os.RemoveAll(dir) })
	if err != nil {
		return "", err
	}
	dir := filepath.Join(parent.Value(), nodeName(i))
	return dir, home.WriteNode(dir, h.Genesis, h.Nodes[i], home.NodeConfig{
		Name: nodeName(i), Transport: n.run.options.transport, Listen: anyPort(n.run.options.transport), HTTP: n.run.http(i),
	})
}

// anyPort is a multiaddress on loopback.
func anyPort(transport string) string {
	if transport == string(libp2p.QUIC) {
		return "/ip4/127.0.0.1/udp/0/quic-v1"
	}
	return "/ip4/127.0.0.1/tcp/0"
}

// childArgs is the command line of the child, which dials everybody.
func (n *network) childArgs(dir string, peers []string) []string {
	o := n.run.options
	args := []string{"node", "--home", dir, "--listen", anyPort(o.transport), "--http", n.run.http(len(n.run.home.Nodes) - 1),
		"--transport", o.transport, "--log-level", o.logLevel, "--until-stdin-closes"}
	for _, p := range peers {
		args = append(args, "--peer", p)
	}
	return args
}
