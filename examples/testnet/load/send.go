package load

import (
	"context"
	"errors"
	"net/http"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/stm"
)

// send is one of the senders: it takes credit and makes attempts.
func (l *Load) send(ctx context.Context) error {
	for {
		more, err := stm.Query(ctx, func(tx *stm.Tx) bool {
			if l.stopped.Get(tx) {
				return false
			}
			tx.Check(l.credit.TryAcquire(tx, 1))
			return true
		})
		if err != nil || !more {
			return err
		}
		urls, err := stm.Query(ctx, l.cfg.Nodes)
		if err != nil {
			return err
		}
		if j, ok := l.plan(ctx, urls); ok {
			l.settle(ctx, j, l.attempt(ctx, j, urls[j.node]))
		} else {
			l.count(ctx, func(t *Totals) { t.Skipped++ })
		}
	}
}

func (l *Load) plan(ctx context.Context, urls []string) (job, bool) {
	up := make([]bool, len(urls))
	for i, url := range urls {
		up[i] = url != ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.planner.next(env.Now(ctx), up)
}

// attempt signs the transfer, if that has not been done, and hands it to a node.
func (l *Load) attempt(ctx context.Context, j job, url string) answer {
	d := j.draft
	if d == nil {
		raw, err := l.cfg.Make(j.from, j.to, j.nonce)
		if err != nil {
			return answer{verdict: refused, err: err}
		}
		d = &draft{id: chain.HashOf(raw), raw: raw}
	}
	l.mu.Lock()
	l.book.sent(d.id, j.from)
	l.mu.Unlock()
	within, cancel := env.WithTimeout(ctx, attemptMax)
	defer cancel()
	c, err := l.clients.of(j.node, url)
	if err == nil {
		_, err = c.Submit(within, d.raw)
	}
	a := answer{verdict: classify(err), draft: d, err: err}
	if a.verdict == refused {
		acc, err := l.account(ctx, j.node, url, l.cfg.Accounts[j.from])
		if err != nil {
			a.verdict = unreachable
		}
		a.next = acc.Next
	}
	return a
}

// classify says what an error of Submit means for the transfer.
func classify(err error) verdict {
	var status *api.StatusError
	switch {
	case err == nil:
		return accepted
	case !errors.As(err, &status):
		return unreachable
	case status.Status == http.StatusServiceUnavailable || status.Status == http.StatusTooManyRequests:
		return noRoom
	case status.Status/100 == 4:
		return refused
	}
	return unreachable
}

// settle notes the answer to a job.
func (l *Load) settle(ctx context.Context, j job, a answer) {
	now := env.Now(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	onChain := false
	switch a.verdict {
	case accepted:
		onChain = l.book.accept(a.draft.id, j.node, uint64(l.cfg.Slot(now)))
	case refused:
		l.report.Refused++
		if l.report.FirstRefusal == "" {
			l.report.FirstRefusal = a.err.Error()
		}
		if a.draft != nil && a.next > j.nonce {
			l.book.drop(a.draft.id)
		}
	case unreachable:
		if l.report.FirstUnreached == "" {
			l.report.FirstUnreached = a.err.Error()
		}
	}
	l.planner.done(j, a, onChain, now)
	l.publish(ctx)
}
