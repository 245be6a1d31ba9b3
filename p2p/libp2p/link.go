package libp2p

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// link is one connection: its Gone Var, its streams, and the task that does for them what may block on the connection.
type link struct {
	net  *Network
	peer p2p.PeerID
	conn network.Conn
	gone *stm.Var[error] // nil while it lives; set once

	jobs    *queue.Queue[func()] // at most a half-close and a reset a stream; closed when nobody will enqueue any more
	owed    queue.Gauge          // of jobs
	closing *queue.Queue[func()] // goes before jobs: to close the connection
	closed  *stm.Var[bool]       // that has been asked for
	done    *gate.Latch          // the task has ended

	asking  *stm.Var[bool]   // a probe is under way
	answers *stm.Var[uint64] // probes that the peer has answered

	mu      sync.Mutex // over the two below, which only this side of the adapter sees
	streams map[*stream]struct{}
	shut    bool // takes no more streams
}

func newLink(n *Network, conn network.Conn) *link {
	l := &link{
		net: n, conn: conn, peer: p2p.PeerID(conn.RemotePeer().String()), gone: stm.NewVar[error](nil),
		closing: queue.FIFO(1, queue.Wait[func()]()), closed: stm.NewVar(false), done: gate.NewLatch(1),
		asking: stm.NewVar(false), answers: stm.NewVar(uint64(0)), streams: map[*stream]struct{}{},
	}
	l.jobs = queue.Unbounded[func()](&l.owed).Label("libp2p.jobs")
	return l
}

// run is the link's task.
func (l *link) run(context.Context) error {
	for {
		job, err := stm.Atomically(context.Background(), func(tx *stm.Tx) (func(), error) {
			return stm.Select(tx, l.closing.Take, l.jobs.Take)
		})
		if err != nil { // closed, and all is done
			return do(l.done.CountDown)
		}
		job()
	}
}

// enqueue leaves a job to the task, in order.
func (l *link) enqueue(job func()) { _, _ = prop.Send(context.Background(), l.jobs, job) }

// owedMax is how many streams of a connection may wait to be freed before it is given no more of them: who opens, or accepts, and resets in a
// loop would else run into the limit on streams.
const owedMax = 8

func (l *link) behind(tx *stm.Tx) bool { return l.owed.Depth(tx) >= owedMax }

// adopt takes a stream in, unless the link is down.
func (l *link) adopt(s *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.shut {
		l.streams[s] = struct{}{}
	}
	return !l.shut
}

func (l *link) forget(s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, s)
}

// down ends every stream of the link and takes no more.
func (l *link) down(why error, code p2p.Code) {
	l.mu.Lock()
	l.shut = true
	streams := make([]*stream, 0, len(l.streams))
	for s := range l.streams {
		streams = append(streams, s)
	}
	l.mu.Unlock()
	for _, s := range streams {
		s.finish(why, code)
	}
}

// end lets the task end when it has nothing left to do.
func (l *link) end() { _ = do(l.jobs.Close) }

// close has the task close the connection, before anything else it has to do: that then fails fast. gone was set before.
func (l *link) close(code p2p.Code) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error {
		if l.closed.Get(tx) {
			return nil
		}
		l.closed.Set(tx, true)
		_, err := l.closing.Put(tx, func() { _ = l.conn.CloseWithError(connCode(code)) })
		return err
	})
	l.down(l.gone.Load(context.Background()), code)
}

// do runs a transaction outside any scope: libp2p's callbacks belong to the real world, and f never waits.
func do(f func(tx *stm.Tx)) error {
	return stm.Do(context.Background(), func(tx *stm.Tx) error { f(tx); return nil })
}

// set writes a Var from outside any scope.
func set[T any](v *stm.Var[T], x T) { _ = do(func(tx *stm.Tx) { v.Set(tx, x) }) }
