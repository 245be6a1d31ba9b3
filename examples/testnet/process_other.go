//go:build !unix

package main

import (
	"os"
	"syscall"
)

// apart has nothing to set where there are no process groups.
func apart() *syscall.SysProcAttr { return nil }

// killed reports whether a process ended by os.Process.Kill, as far as its exit status tells.
func killed(s *os.ProcessState) bool { return s != nil && s.ExitCode() == 1 }
