package registry

import "time"

// Event is what happens in a scope, for a tracer.
type Event struct {
	// What is one of opened, started, ended, failed, refused, acquired, released, restarted, overdue.
	What  string
	Scope string // path
	Name  string // the task or resource; empty for the scope itself
	Err   error
	Age   time.Duration // of what ended or was released
}

const (
	eventOpened    = "opened"
	eventStarted   = "started"
	eventEnded     = "ended"
	eventFailed    = "failed"
	eventRefused   = "refused"
	eventAcquired  = "acquired"
	eventReleased  = "released"
	eventRestarted = "restarted"
	eventOverdue   = "overdue"
)

// emit tells the tracer. No lock is held.
func (s *Scope) emit(what, name string, err error, age time.Duration) {
	if s.tracer.On() {
		s.tracer(&s.self, Event{what, s.self.path(), name, err, age})
	}
}
