package waitlist

import (
	"context"
	"slices"
	"sync"
	"weak"
)

// List is the waits under one context. It holds them weakly: whoever can reach it must not be able to wake them, or the
// runtime would find no goroutine leaking that waits in one. The zero value is empty.
type List struct {
	mu    sync.Mutex
	waits []weak.Pointer[Place]
	parks uint64 // how many have ever entered
}

// Key is what a context is asked for by a transaction that parks under it. The answer is a *List, or nil.
type Key struct{}

// Under is the list that ctx answers with, or nil.
func Under(ctx context.Context) *List {
	l, _ := ctx.Value(Key{}).(*List)
	return l
}

// Place is a wait's place in a list. It is a part of what On points to.
type Place struct {
	On   Wait
	self weak.Pointer[Place] // made once
	made bool
}

// Wait is a transaction that waits. Its methods are called under the lock of the list it is in, by any goroutine; from
// its registration with the Vars until it has left the list they must find it unchanged.
type Wait interface {
	// Each calls f for every Var waited for, each once, with its address and label, empty if it has none.
	Each(f func(v uintptr, label string))
	// Ends reports whether the wait ends without another write: it has been woken, it has an instant, or its context
	// has ended or has a deadline.
	Ends() bool
}

// Enter puts p into l. The goroutine is about to park, and registered with the Vars.
func (l *List) Enter(p *Place) {
	if !p.made {
		p.self, p.made = weak.Make(p), true
	}
	l.mu.Lock()
	l.waits = append(l.waits, p.self)
	l.parks++
	l.mu.Unlock()
}

// Leave takes p out of l. The goroutine goes on.
func (l *List) Leave(p *Place) {
	l.mu.Lock()
	if n := len(l.waits) - 1; n == 0 {
		l.waits = l.waits[:0] // the usual case: one context, one goroutine
	} else {
		at := slices.Index(l.waits, p.self)
		l.waits = slices.Delete(l.waits, at, at+1)
	}
	l.mu.Unlock()
}

// Each calls f for every wait in l; none of them ends meanwhile. The result is how many have ever entered: if it is the
// same twice, every wait that was in l both times was in it all the time.
func (l *List) Each(f func(w Wait)) (parks uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.waits {
		if p := p.Value(); p != nil {
			f(p.On)
		}
	}
	return l.parks
}
