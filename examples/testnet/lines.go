package main

import (
	"bytes"
	"io"
	"sync"
)

// lineMax is the longest line that is passed on; a longer one is cut.
const lineMax = 16 << 10

// lineWriter calls each with every whole line written to it, without its end.
type lineWriter struct {
	each func(line []byte)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, after, found := bytes.Cut(p, []byte{'\n'})
		if room := lineMax - len(w.rest); len(line) > room {
			line = line[:room]
		}
		w.rest = append(w.rest, line...)
		if !found {
			return n, nil
		}
		w.each(w.rest)
		w.rest, p = w.rest[:0], after
	}
}

// shared is a writer for several tasks: each Write is whole.
type shared struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}
