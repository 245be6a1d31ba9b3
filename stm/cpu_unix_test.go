//go:build unix

package stm_test

import "syscall"

// cpuNanoseconds is the processor time that the process has used: on a machine that others use too it says more than
// the clock on the wall.
func cpuNanoseconds() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
