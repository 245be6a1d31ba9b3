package libp2p

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// link is one connection: its Gone Var, its streams, and the task that does for them what may block on the connection.
type link struct {
	net  *Network
	peer p2p.PeerID
	conn network.Conn
	gone *stm.Var[error] // nil while it lives; set once
	owed *stm.Var[int]   // jobs not yet done
	done *stm.Var[bool]  // the task has ended

	asking  *stm.Var[bool]   // a probe is under way
	answers *stm.Var[uint64] // probes that the peer has answered

	mu      sync.Mutex
	turn    sync.Cond
	jobs    []func() // at most a half-close and a reset a stream, and one close
	streams map[*stream]struct{}
	shut    bool // takes no more streams
	ended   bool // nobody will enqueue any more: the task ends once jobs is empty
	closed  bool // closing the connection has been asked for
}

func newLink(n *Network, conn network.Conn) *link {
	l := &link{
		net: n, conn: conn, peer: p2p.PeerID(conn.RemotePeer().String()),
		gone: stm.NewVar[error](nil), owed: stm.NewVar(0), done: stm.NewVar(false),
		asking: stm.NewVar(false), answers: stm.NewVar(uint64(0)), streams: map[*stream]struct{}{},
	}
	l.turn.L = &l.mu
	return l
}

// run is the link's task.
func (l *link) run(context.Context) error {
	l.mu.Lock()
	for len(l.jobs) > 0 || !l.ended {
		if len(l.jobs) == 0 {
			l.turn.Wait()
			continue
		}
		job := l.jobs[0]
		l.jobs = l.jobs[1:]
		l.mu.Unlock()
		job()
		l.owe(-1)
		l.mu.Lock()
	}
	l.mu.Unlock()
	set(l.done, true)
	return nil
}

// enqueue leaves a job to the task, in order.
func (l *link) enqueue(job func()) {
	l.owe(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, job)
	l.turn.Signal()
}

func (l *link) owe(n int) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error { l.owed.Set(tx, l.owed.Get(tx)+n); return nil })
}

// owedMax is how many streams of a connection may wait to be freed before it is given no more of them: who opens, or accepts, and resets in a
// loop would else run into the limit on streams.
const owedMax = 8

func (l *link) behind(tx *stm.Tx) bool { return l.owed.Get(tx) > owedMax }

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
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.turn.Signal()
}

// close has the task close the connection, before anything else it has to do: that then fails fast. gone was set before.
func (l *link) close(code p2p.Code) {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	if first {
		l.owe(1)
		l.mu.Lock()
		l.jobs = append([]func(){func() { _ = l.conn.CloseWithError(connCode(code)) }}, l.jobs...)
		l.turn.Signal()
		l.mu.Unlock()
	}
	l.down(l.gone.Load(context.Background()), code)
}

// set writes a Var from outside any scope: libp2p's callbacks belong to the real world, and the write cannot wait.
func set[T any](v *stm.Var[T], x T) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error { v.Set(tx, x); return nil })
}
