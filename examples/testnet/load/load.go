package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

const (
	senders    = 32              // attempts under way at once
	attemptMax = 3 * time.Second // for one to be answered
)

// Load sends transfers and finds them on the chain. Made by [New].
type Load struct {
	cfg     Config
	clients *clients
	credit  *gate.Semaphore // what is due, and not taken by a sender, is free: at most a burst
	stopped *stm.Var[bool]
	totals  *stm.Var[Totals]

	mu      sync.Mutex
	planner *planner // nil before Run
	book    *book
	report  Report
	clock   env.Clock
	began   time.Time // zero: Run has not found out the nonces yet
	ended   time.Time // zero: it is still running
}

// New prepares a load; it sends nothing yet.
func New(cfg Config) (*Load, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Load{
		cfg: cfg, book: newBook(cfg.K),
		clients: newClients(),
		credit:  gate.NewSemaphore((&pace{rate: cfg.Rate}).burst()).Label("load.credit"),
		stopped: stm.NewVar(false).Label("load.stopped"),
		totals:  stm.NewVar(Totals{}).Label("load.totals"),
	}, nil
}

// Run sends until Stop is called or ctx ends. It returns when no attempt is under way any more.
func (l *Load) Run(ctx context.Context) error {
	defer l.clients.close()
	if opened, err := l.open(ctx); !opened || err != nil {
		return err
	}
	l.mark(func() { l.clock, l.began = env.ClockOf(ctx), env.Now(ctx) })
	p := &pace{start: env.Now(ctx), rate: l.cfg.Rate}
	if err := l.credit.Acquire(ctx, p.burst()); err != nil { // nothing is due yet
		return err
	}
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := range senders {
			s.Go(fmt.Sprintf("sender %d", i), l.send)
		}
		return l.drive(ctx, p)
	}, registry.WithName("load"))
	l.mark(func() { l.ended = env.Now(ctx) })
	return err
}

// mark changes what mu guards.
func (l *Load) mark(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// Stop ends Run.
func (l *Load) Stop(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { l.stopped.Set(tx, true); return nil })
}

// Totals are the counts of the transaction's moment.
func (l *Load) Totals(tx *stm.Tx) Totals { return l.totals.Get(tx) }

// Report is what came of the load.
func (l *Load) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.report
	r.Accepted, r.OnChain = l.book.accepted, l.book.onChain
	r.SlotsP50, r.SlotsP99 = l.book.latencies.quantile(0.50), l.book.latencies.quantile(0.99)
	if ended := l.ended; !l.began.IsZero() {
		if ended.IsZero() {
			ended = l.clock.Now()
		}
		r.PerSecond = float64(r.Accepted) / max(ended.Sub(l.began).Seconds(), 0.001)
	}
	return r
}

// Outstanding are the accepted transfers that are not on the chain up to a block.
func (l *Load) Outstanding(upTo uint64) []Transfer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.book.outstanding(upTo)
}

// open finds out the accounts' nonces: the greatest that any node knows of, since one may have transfers pending that the others have not. It therefore waits
// for every node to answer. False says that Stop was faster.
func (l *Load) open(ctx context.Context) (bool, error) {
	urls, err := stm.Query(ctx, l.cfg.Nodes)
	if err != nil {
		return false, err
	}
	nonces := make([]uint64, len(l.cfg.Accounts))
	for node := range urls {
		for p := (pause{}); ; {
			err := l.nonces(ctx, node, nonces)
			if err == nil {
				break
			}
			l.unreached(err)
			p.begin(env.Now(ctx))
			stopped, err := stm.Query(ctx, func(tx *stm.Tx) bool {
				stopped := l.stopped.Get(tx)
				tx.Check(stopped || env.Reached(tx, p.until))
				return stopped
			})
			if stopped || err != nil {
				return false, err
			}
		}
	}
	r := env.Rand(ctx)
	l.mark(func() { l.planner = newPlanner(nonces, len(urls), r) })
	return true, nil
}

// unreached keeps the first failure to reach a node.
func (l *Load) unreached(err error) {
	l.mark(func() {
		if l.report.FirstUnreached == "" {
			l.report.FirstUnreached = err.Error()
		}
	})
}

// nonces raises nonces to what a node knows.
func (l *Load) nonces(ctx context.Context, node int, nonces []uint64) error {
	urls, err := stm.Query(ctx, l.cfg.Nodes)
	if err != nil {
		return err
	}
	for i, address := range l.cfg.Accounts {
		a, err := l.account(ctx, node, urls[node], address)
		if err != nil {
			return err
		}
		nonces[i] = max(nonces[i], a.Next)
	}
	return nil
}

func (l *Load) account(ctx context.Context, node int, url string, address coin.Address) (api.Account, error) {
	ctx, cancel := env.WithTimeout(ctx, attemptMax)
	defer cancel()
	c, err := l.clients.of(node, url)
	if err != nil {
		return api.Account{}, err
	}
	return c.Account(ctx, address)
}

// drive gives out credit at the rate.
func (l *Load) drive(ctx context.Context, p *pace) error {
	for {
		at := p.next(env.Now(ctx))
		stopped, err := stm.Query(ctx, func(tx *stm.Tx) bool {
			stopped := l.stopped.Get(tx)
			tx.Check(stopped || env.Reached(tx, at))
			return stopped
		})
		if stopped || err != nil {
			return err
		}
		if err := l.grant(ctx, p, env.Now(ctx)); err != nil {
			return err
		}
	}
}

// grant adds what is due to the credit, as far as that is below a burst.
func (l *Load) grant(ctx context.Context, p *pace, now time.Time) error {
	credit, err := stm.Query(ctx, l.credit.Free)
	if err != nil {
		return err
	}
	out, skipped := p.due(now, max(0, p.burst()-credit)) // only this task adds, so there is at least that much room
	l.count(ctx, func(t *Totals) { t.Skipped += skipped })
	if out == 0 {
		return nil
	}
	return stm.Do(ctx, func(tx *stm.Tx) error { l.credit.Release(tx, out); return nil })
}

// count changes the counts that neither planner nor book keeps, and publishes all.
func (l *Load) count(ctx context.Context, change func(*Totals)) {
	l.mark(func() {
		change(&l.report.Totals)
		l.publish(ctx)
	})
}

// publish shows the counts; mu is held, so that they are shown in order.
func (l *Load) publish(ctx context.Context) {
	t := l.report.Totals
	t.Accepted, t.OnChain = l.book.accepted, l.book.onChain
	_ = stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail: it never waits
		if l.totals.Get(tx) != t {
			l.totals.Set(tx, t)
		}
		return nil
	})
}
