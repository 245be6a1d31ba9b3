package simnet_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// A byte takes its time, in virtual time; and a lost connection joins any wait.
func ExampleLink() {
	rep := sim.Run(1, func(ctx context.Context) error {
		start := env.Now(ctx)
		link := simnet.NewLink(ctx, simnet.Config{Latency: 40 * time.Millisecond})
		a, b := link.Pipe()
		if _, err := a.Write([]byte("hello")); err != nil {
			return err
		}
		p := make([]byte, 16)
		n, err := b.Read(p)
		fmt.Printf("%s after %v, %v\n", p[:n], env.Now(ctx).Sub(start), err)
		err = link.Cut(ctx)
		gone, _ := stm.Query(ctx, b.Gone)
		fmt.Println(gone)
		return err
	})
	fmt.Println(rep.Err)
	// Output:
	// hello after 40ms, <nil>
	// p2p: the connection is gone
	// <nil>
}

// Simulated nodes connect by name.
func ExampleNet() {
	rep := sim.Run(1, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{Latency: time.Millisecond})
		alice, err := net.Join(ctx, "alice", simnet.NodeConfig{})
		if err != nil {
			return err
		}
		bob, err := net.Join(ctx, "bob", simnet.NodeConfig{})
		if err != nil {
			return err
		}
		if _, err := alice.Connect(ctx, "bob"); err != nil {
			return err
		}
		if _, err := alice.Open(ctx, "bob", "/synod/echo/1"); err != nil {
			return err
		}
		in, err := bob.Accept(ctx)
		fmt.Println(in.Peer, "opened", in.Protocol)
		return err
	})
	fmt.Println(rep.Err)
	// Output:
	// alice opened /synod/echo/1
	// <nil>
}
