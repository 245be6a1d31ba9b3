package libp2p

import (
	"context"
	"errors"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// tasks starts goroutines of the network's scope on behalf of libp2p's callbacks and of streams, which have no
// scope at hand and must not block: they queue a request, and the network's own task starts it.
type tasks struct {
	queue *stm.Var[requests]
}

type requests struct {
	list   []request // bounded by the connections and streams there are: each asks once
	closed bool
}

type request struct {
	name string
	run  func(ctx context.Context) error
}

func newTasks() *tasks {
	return &tasks{queue: stm.NewVar(requests{}).Label("libp2p.tasks")}
}

// start asks for a task; false if the network has ended.
func (t *tasks) start(name string, run func(ctx context.Context) error) bool {
	ok, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) (bool, error) {
		q := t.queue.Get(tx)
		if q.closed {
			return false, nil
		}
		list := append(q.list[:len(q.list):len(q.list)], request{name, run})
		t.queue.Set(tx, requests{list: list})
		return true, nil
	})
	return ok
}

// serve starts what is asked for in the scope until ctx ends. They are daemons: they end by what they are told, not by ctx.
func (t *tasks) serve(ctx context.Context, s *registry.Scope) {
	for {
		list, err := stm.Atomically(ctx, func(tx *stm.Tx) ([]request, error) {
			q := t.queue.Get(tx)
			tx.Check(len(q.list) > 0)
			t.queue.Set(tx, requests{})
			return q.list, nil
		})
		if err != nil {
			return
		}
		for i, r := range list {
			if !launch(ctx, s, r) { // the scope was cancelled meanwhile: the shutdown finds what is left
				for _, r := range list[i:] {
					t.start(r.name, r.run)
				}
				return
			}
		}
	}
}

func launch(ctx context.Context, s *registry.Scope, r request) bool {
	err := s.Daemon(ctx, r.name, func(ctx context.Context, ready func()) error { ready(); return r.run(ctx) })
	var closed *registry.ClosedError
	return !errors.As(err, &closed)
}

// close refuses further requests and returns those not yet started.
func (t *tasks) close() []request {
	list, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) ([]request, error) {
		q := t.queue.Get(tx)
		t.queue.Set(tx, requests{closed: true})
		return q.list, nil
	})
	return list
}
