package registry

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/trace"
)

// Scope owns tasks and resources. [Run] makes one and ends it.
type Scope struct {
	self   entry      // stands for the body; the context of the body
	ending ending     // of the context under self, and under every task
	sim    *simulated // nil in production
	bound  *bound     // nil without a grace
	tracer trace.Tracer[Event]

	mu      sync.Mutex
	stack   list                    // tasks and resources
	kids    list                    // the bodies of open scopes whose parent is an entry of this one
	live    int32                   // tasks that Run waits for before it closes: those that are not daemons
	held    int32                   // resources
	closing bool                    // nothing may be started any more
	joining bool                    // the closer acts, not the body
	ended   bool                    //
	stamps  uint8                   // how many tasks in a row were given the same time of birth
	one     atomic.Bool             // first is in use
	first   entry                   // of the first task
	work    func()                  // takeTurn, made with the first task
	pending *entry                  // production: the oldest task whose goroutine has not begun
	outcome atomic.Pointer[outcome] // nil if there is nothing to report; made under mu
	owned   *ownership              // nil if nobody has declared any
	closer  closer
}

// simulated is what a scope has in a simulation.
type simulated struct {
	world seam.World
	token *seam.Token // of the parked closer
	joins []func()    // the edges from the tasks' ends
}

// Run runs body in a scope of its own and returns when every task started in it has ended and every resource acquired
// in it is released. The body must work under the context it is given: that one ends when a task fails. It runs even if
// ctx has ended, so that there is one way through every program; its waits end at once then.
//
// If the body returns nil, Run waits for the tasks; more may be started meanwhile. Then it closes: daemons are
// stopped and resources released, youngest first. If the body or a task fails, or ctx ends, everything is
// cancelled at once and closed youngest first.
//
// Run returns the failures of body, tasks and releases, joined in order of appearance. A panic of a task is
// a *PanicError. A panic of the body, and Goexit, go on in the caller once the scope is closed.
func Run(ctx context.Context, body func(ctx context.Context, s *Scope) error, opts ...Option) error {
	s := open(ctx, reflect.ValueOf(body).Pointer(), opts)
	s.emit(eventOpened, "", nil, 0)
	returned := false
	defer func() {
		if !returned {
			s.unwound(recover())
		}
	}()
	err := body(&s.self, s)
	returned = true
	return s.finish(err)
}

// Option sets how a scope is run.
type Option func(*Scope)

// WithName names the scope in dumps, events and paths.
func WithName(name string) Option { return func(s *Scope) { s.self.name = name } }

// WithGrace bounds the time that tasks and releases may take once the scope is cancelled or closing. When it is
// over, Run returns with a *StuckError that names what is left. What is left stays owned: the closing goes on,
// in the same order, on a goroutine of the registry's; the parent scope does not end before it, and gets its late
// failures; dumps show it. A root has no parent: there, the process is told what leaks.
// The context of a release ends a grace after the release has begun. Without this option Run waits for ever. d of 0 or less is no grace.
func WithGrace(d time.Duration) Option {
	return func(s *Scope) {
		if s.bound = nil; d > 0 {
			s.bound = newBound(d)
		}
	}
}

// WithTracer gives the scope, and the scopes below it that have no tracer of their own, a listener.
func WithTracer(t trace.Tracer[Event]) Option { return func(s *Scope) { s.tracer = t } }

func open(ctx context.Context, code uintptr, opts []Option) *Scope {
	s := new(Scope)
	s.ending.outer = ctx
	s.self.scope, s.self.code = s, code
	if w := seam.From(ctx); w != nil {
		s.sim = &simulated{world: w}
		s.ending.context() // in its turn
	}
	s.self.born = s.now()
	up := s.above()
	if up != nil {
		s.tracer = up.tracer
	}
	for _, o := range opts {
		o(s)
	}
	if up != nil { // from here on others may look at s
		up.mu.Lock()
		up.kids.push(&s.self)
		up.mu.Unlock()
	}
	return s
}

// parent is the task or body that called Run; nil for a root.
func (s *Scope) parent() *entry { return entryOf(s.ending.outer) }

// above is the scope that s is nested in, or nil.
func (s *Scope) above() *Scope {
	if p := s.parent(); p != nil {
		return p.scope
	}
	return nil
}

// unwound ends the scope of a body that did not return.
func (s *Scope) unwound(r any) {
	_ = s.finish(crashed(&s.self, r)) // reported by the panic that goes on, and by events
	if r != nil {
		panic(r)
	}
}

// finish closes the scope after its body has ended with err.
func (s *Scope) finish(err error) error {
	if err != nil {
		s.report(&s.self, err)
	}
	if s.bound != nil {
		return s.closeWithin()
	}
	s.close()
	return s.result()
}

// shielded is the scope's context without its cancellation.
func (s *Scope) shielded() context.Context { return env.WithoutCancel(&s.self) }

// now is the time by the clock of the world.
func (s *Scope) now() time.Duration { return env.ClockOf(s.ending.outer).Elapsed() }
