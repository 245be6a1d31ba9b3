package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// closeMax is how long the network may take to end before what is left is named.
const closeMax = 15 * time.Second

// errOver ends the network's scope when the run is over; it is no failure.
var errOver = errors.New("the run is over")

// up runs a network until ctx ends or its goal is reached, and judges it.
func up(ctx context.Context, o options, stdout terminal, stderr io.Writer) error {
	logs := setupLogs(o.logLevel)
	start := env.Now(ctx)
	h, err := openHome(o, start)
	if err != nil {
		return err
	}
	o.nodes, o.slot = len(h.Nodes), h.Genesis.SlotLength
	o.limits = o.limits.withDefaults(o.slot)
	if err := o.validate(); err != nil {
		return err
	}
	if seed, ok := h.Seed(); ok {
		fmt.Fprintf(stderr, "testnet: warning: keys are derived from --seed %s and are no secret\n", seed)
	}
	goroutines := runtime.NumGoroutine()
	r := &run{options: o, home: h, logs: logs, out: stdout, stderr: &shared{out: stderr}, start: start}
	// The scope does not end with ctx: an interrupt is noticed by the watcher, so that the end is the same in all cases.
	err = registry.Run(context.WithoutCancel(ctx), func(scoped context.Context, s *registry.Scope) error {
		return r.body(scoped, s, ctx)
	}, registry.WithName("testnet"), registry.WithGrace(closeMax))
	leaks, failure := remains(err)
	if failure != nil {
		return failure
	}
	r.end.leaks = append(leaks, leftGoroutines(ctx, goroutines, o.limits.leak)...)
	r.end.elapsed = env.Now(ctx).Sub(start)
	s, verdict := judge(r.reports, r.end)
	if o.json {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s\n", line)
	}
	return verdict
}

// run is one run of a network.
type run struct {
	options options
	home    home.Home
	logs    logs
	out     terminal
	stderr  io.Writer // for several tasks
	start   time.Time
	traffic *traffic // nil without --load

	reports []report
	end     ending
}

// body starts the nodes, watches them and reports.
func (r *run) body(ctx context.Context, s *registry.Scope, user context.Context) error {
	n := newNetwork(r)
	if err := n.start(ctx, s); err != nil {
		return err
	}
	if err := n.banner(ctx, r.out); err != nil {
		return err
	}
	if r.options.plant.running != nil {
		if err := r.options.plant.running(ctx, n); err != nil {
			return err
		}
	}
	w, err := n.begin(ctx, s)
	if err != nil {
		return err
	}
	if r.end.stopped, err = w.watch(ctx, user); err != nil {
		return err
	}
	if err := n.conclude(ctx); err != nil {
		return err
	}
	return errOver
}

// begin starts what is done to the running network.
func (n *network) begin(ctx context.Context, s *registry.Scope) (*watcher, error) {
	r, o := n.run, n.run.options
	now := env.Now(ctx)
	w := &watcher{network: n, display: display{out: r.out}, progress: progress{limit: o.limits.stall, until: now.Add(o.limits.stall)}}
	if o.lasting > 0 {
		w.end = r.start.Add(o.lasting)
	}
	if o.load > 0 {
		var err error
		if r.traffic, err = n.startTraffic(ctx, s); err != nil {
			return nil, err
		}
	}
	s.Go("faults", n.wreak)
	return w, nil
}

// conclude ends the load and reports every node. The network goes on meanwhile.
func (n *network) conclude(ctx context.Context) (err error) {
	r := n.run
	r.end.first, _ = stm.Query(ctx, func(tx *stm.Tx) time.Duration { // cannot fail: it never waits
		first, _, _ := n.first.Poll(tx)
		return first
	})
	r.end.planned, r.end.faults, r.end.rss = len(n.plan()), n.bites.Load(ctx), residentBytes(n.pids(ctx)...)
	if r.options.verdict() {
		r.end.until = n.goal.Load(ctx)
	}
	interrupted := r.end.stopped == errInterrupted.Error()
	if r.traffic != nil && !interrupted {
		if err := n.drain(ctx, r.traffic); err != nil {
			return err
		}
	}
	for _, m := range n.members {
		rep, err := reportOf(ctx, m)
		if err != nil && !interrupted { // the interrupt may have come while a node was down
			return fmt.Errorf("%s: %w", rep.name, err)
		}
		r.reports = append(r.reports, rep)
	}
	if n.child != nil {
		r.end.restarts = n.child.state.Load(ctx).restarts
	}
	if r.traffic != nil {
		r.end.traded, err = n.account(ctx, r.traffic, commonHeight(r.reports), interrupted)
	}
	return err
}

// reportOf is what the verdict needs to know of a node.
func reportOf(ctx context.Context, m member) (report, error) {
	s, err := stm.Query(ctx, m.status)
	r := report{name: s.Name, rollbacks: s.Rollbacks}
	if err != nil {
		return r, err
	}
	if r.hashes, err = m.hashes(ctx); err != nil {
		return r, err
	}
	r.violations, err = m.recorded(ctx)
	return r, err
}

// remains takes errOver out of what the scope ended with, and tells leaks from failures. A failure names the leaks beside it.
func remains(err error) (leaks []string, failure error) {
	var rest []error
	for _, e := range parts(err) {
		var stuck *registry.StuckError
		switch {
		case e == errOver:
		case errors.As(e, &stuck):
			for _, t := range stuck.Left {
				leaks = append(leaks, t.Kind+" "+t.Name)
			}
		default:
			rest = append(rest, e)
		}
	}
	if len(rest) > 0 && len(leaks) > 0 {
		rest = append(rest, fmt.Errorf("left running: %s", strings.Join(leaks, ", ")))
	}
	return leaks, errors.Join(rest...)
}

// parts are the errors that errors.Join made err of, or err alone: an error that wraps several in one sentence stays whole.
func parts(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}

// leftGoroutines waits until there are no more goroutines than before the run, and names the surplus if that takes too long. Libraries
// end some of theirs only after Close has returned.
func leftGoroutines(ctx context.Context, before int, limit time.Duration) []string {
	for until := env.Now(ctx).Add(limit); ; {
		more := runtime.NumGoroutine() - before
		if more <= 0 {
			return nil
		}
		if env.Now(ctx).After(until) {
			return []string{fmt.Sprintf("%d goroutines", more)}
		}
		_ = env.Sleep(context.WithoutCancel(ctx), 5*time.Millisecond)
	}
}
