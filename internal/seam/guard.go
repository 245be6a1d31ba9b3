package seam

import "runtime/debug"

// MarkTask marks the calling goroutine as a simulated task.
func MarkTask() { debug.SetPanicOnFault(true) }

// UnmarkTask takes the mark away.
func UnmarkTask() { debug.SetPanicOnFault(false) }

// OnTask reports whether the calling goroutine carries the mark.
func OnTask() bool {
	if debug.SetPanicOnFault(true) {
		return true
	}
	debug.SetPanicOnFault(false)
	return false
}

// Kill is the panic value that unwinds a task whose world has ended. Code that recovers panics must pass it on; a
// task that swallows it meets it again at its next call into the world.
type Kill struct{}

// IsKill reports whether a recovered value is a Kill.
func IsKill(r any) bool {
	_, ok := r.(Kill)
	return ok
}
