package libp2p

import (
	"context"
	"errors"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// tasks starts goroutines of the network's scope on behalf of libp2p's callbacks and of streams, which have no
// scope at hand and must not block: they queue a request, and the network's own task starts it.
type tasks struct {
	asked *queue.Queue[request] // bounded by the connections and streams there are: each asks once
	depth queue.Gauge
}

type request struct {
	name string
	run  func(ctx context.Context) error
}

func newTasks() *tasks {
	t := new(tasks)
	t.asked = queue.Unbounded[request](&t.depth).Label("libp2p.tasks")
	return t
}

// start asks for a task; false if the network has ended.
func (t *tasks) start(name string, run func(ctx context.Context) error) bool {
	_, err := prop.Send(context.Background(), t.asked, request{name, run})
	return err == nil
}

// serve starts what is asked for in the scope until ctx ends. They are daemons: they end by what they are told, not by ctx.
func (t *tasks) serve(ctx context.Context, s *registry.Scope) {
	for r, err := range prop.All(ctx, t.asked) {
		if err != nil {
			return
		}
		if !launch(ctx, s, r) { // the scope was cancelled meanwhile: the shutdown finds what is left
			t.start(r.name, r.run)
			return
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
	left, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) ([]request, error) {
		t.asked.Close(tx)
		return prop.Rest(tx, t.asked, t.asked.Len(tx)), nil
	})
	return left
}
