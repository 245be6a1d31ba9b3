//go:build unix

package main

import (
	"os"
	"syscall"
)

// apart puts a process into a group of its own, so that Ctrl-C reaches this one alone, which then ends it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killed reports whether a process ended by SIGKILL.
func killed(s *os.ProcessState) bool {
	if s == nil {
		return false
	}
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
