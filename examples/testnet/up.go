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
	"github.com/synodkit/synod/registry"
)

// closeMax is how long the network may take to end before what is left is named.
const closeMax = 15 * time.Second

// errOver ends the network's scope when the run is over; it is no failure.
var errOver = errors.New("the run is over")

// up runs a network until ctx ends or --until-block is reached, and judges it.
func up(ctx context.Context, o options, stdout terminal, stderr io.Writer) error {
	logs := setupLogs(o.logLevel)
	start := env.Now(ctx)
	h, err := openHome(o, start)
	if err != nil {
		return err
	}
	o.nodes, o.slot = len(h.keys), h.genesis.SlotLength
	o.limits = o.limits.withDefaults(o.slot)
	if err := o.validate(); err != nil {
		return err
	}
	if seed, ok := seedOf(h.genesis); ok {
		fmt.Fprintf(stderr, "testnet: warning: keys are derived from --seed %s and are no secret\n", seed)
	}
	goroutines := runtime.NumGoroutine()
	r := &run{options: o, home: h, logs: logs, out: stdout, start: start}
	// The scope does not end with ctx: an interrupt is noticed by the watcher, so that the end is the same in all cases.
	err = registry.Run(context.WithoutCancel(ctx), func(scoped context.Context, s *registry.Scope) error {
		return r.body(scoped, s, ctx)
	}, registry.WithName("testnet"), registry.WithGrace(closeMax))
	leaks, failure := remains(err)
	if failure != nil {
		return failure
	}
	leaks = append(leaks, leftGoroutines(ctx, goroutines, o.limits.leak)...)
	s, verdict := judge(r.reports, ending{until: o.until, stopped: r.stopped, leaks: leaks, elapsed: env.Now(ctx).Sub(start)})
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
	home    home
	logs    logs
	out     terminal
	start   time.Time

	stopped string // why the watcher ended before --until-block
	reports []report
}

// body starts the nodes, watches them and reports.
func (r *run) body(ctx context.Context, s *registry.Scope, user context.Context) error {
	n, err := startNetwork(ctx, s, r)
	if err != nil {
		return err
	}
	n.banner(r.out)
	if r.options.plant.running != nil {
		if err := r.options.plant.running(ctx, n); err != nil {
			return err
		}
	}
	if r.stopped, err = n.watch(ctx, user); err != nil {
		return err
	}
	for _, m := range n.members {
		rep, err := m.report(ctx)
		if err != nil {
			return err
		}
		r.reports = append(r.reports, rep)
	}
	return errOver
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
