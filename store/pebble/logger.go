package pebble

import "fmt"

// logger takes the place of pebble's, which ends the process on Fatalf. Fatalf blows the fuse and returns: every caller of it in
// pebble then returns an error or goes on in memory, and what it would write reaches no disk.
type logger struct{ fuse *fuse }

// Infof drops the message.
func (logger) Infof(string, ...any) {}

// Errorf drops the message: what matters also comes as an event.
func (logger) Errorf(string, ...any) {}

// Fatalf makes the message the store's failure.
func (l logger) Fatalf(format string, args ...any) { l.fuse.blow(fmt.Errorf(format, args...)) }
