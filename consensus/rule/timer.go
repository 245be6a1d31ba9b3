package rule

import "time"

// Timer is a deadline that rules set and guards ask. It is unarmed at first and after a crash. In exploration time is
// not modelled: Expired is true whatever was armed, because a timer may be late or early by any amount as far as
// safety goes; so a protocol whose safety leans on a clock is found out.
type Timer struct {
	mark
	at, old int64 // nanoseconds of the module's time; 0: unarmed
}

// Timer declares a timer.
func (s *Space) Timer(name string) *Timer {
	t := new(Timer)
	s.add(t, name, volatile)
	s.timers = append(s.timers, t)
	return t
}

// Arm sets the timer to expire when d has passed, in place of what it was set to.
func (t *Timer) Arm(tx *Tx, d time.Duration) { t.set(tx, max(tx.now+int64(max(d, 0)), 1)) }

// Stop makes the timer unarmed.
func (t *Timer) Stop(tx *Tx) { t.set(tx, 0) }

func (t *Timer) set(tx *Tx, at int64) {
	tx.armed = true
	if t.touch(tx, t) {
		t.old = t.at
	}
	t.at = at
}

// Armed reports whether the timer is set, expired or not. In exploration it is true.
func (t *Timer) Armed(tx *Tx) bool {
	tx.reads |= t.bit
	return t.sp.vec != nil || t.at != 0
}

// Expired reports whether the timer was armed and its time has come. In exploration it is true.
func (t *Timer) Expired(tx *Tx) bool {
	tx.reads |= t.bit
	return t.sp.vec != nil || t.at != 0 && tx.now >= t.at
}

// due is the earliest instant after now at which a timer expires; 0 if there is none.
func (s *Space) due(now int64) int64 {
	next := int64(0)
	for _, t := range s.timers {
		if t.at > now && (next == 0 || t.at < next) {
			next = t.at
		}
	}
	return next
}

// passed is the mask of timers that expired in (from, to].
func (s *Space) passed(from, to int64) (bits uint64) {
	for _, t := range s.timers {
		if t.at > from && t.at <= to {
			bits |= t.bit
		}
	}
	return bits
}

func (t *Timer) undo()        { t.at = t.old }
func (t *Timer) clean()       { t.dirty = false }
func (t *Timer) show() string { return "" }
