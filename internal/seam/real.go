package seam

import "time"

// Now is w's time; of the machine if w is nil.
func Now(w World) time.Time {
	if w != nil {
		return w.Now()
	}
	return time.Now()
}

// NewTimer is a timer of the machine, for waits in production.
func NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// StartTimer calls f, in a goroutine of the machine's, when d has passed; for production.
func StartTimer(d time.Duration, f func()) *time.Timer { return time.AfterFunc(d, f) }
