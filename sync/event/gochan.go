package event

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/stm"
)

// goCase is an operation on a Go channel, in the three ways in which Sync tries it.
type goCase[T any] struct {
	try  func() (finish[T], bool)                              // without waiting
	wait func(done, changed <-chan struct{}) (finish[T], bool) // until one of the others is closed
	many reflect.SelectCase                                    // beside other channels
	got  func(v reflect.Value, ok bool) finish[T]              // what many has received
}

func wrapCase[A, B any](c *goCase[A], after func(finish[A]) finish[B]) *goCase[B] {
	then := func(f finish[A], ok bool) (finish[B], bool) {
		if !ok {
			return nil, false
		}
		return after(f), true
	}
	return &goCase[B]{
		try:  func() (finish[B], bool) { return then(c.try()) },
		wait: func(done, changed <-chan struct{}) (finish[B], bool) { return then(c.wait(done, changed)) },
		many: c.many,
		got:  func(v reflect.Value, ok bool) finish[B] { return after(c.got(v, ok)) },
	}
}

// FromChan is the event that a value comes out of a Go channel. If the channel is closed it happens too, and Sync fails
// with prop.ErrClosed.
func FromChan[T any](c <-chan T) Event[T] {
	got := func(v T, ok bool) finish[T] {
		if !ok {
			return closed[T]
		}
		return value(v)
	}
	return one(alternative[T]{goChan: &goCase[T]{
		try: func() (finish[T], bool) {
			select {
			case v, ok := <-c:
				return got(v, ok), true
			default:
				return nil, false
			}
		},
		wait: func(done, changed <-chan struct{}) (finish[T], bool) {
			select {
			case v, ok := <-c:
				return got(v, ok), true
			case <-done:
			case <-changed:
			}
			return nil, false
		},
		many: reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)},
		got: func(v reflect.Value, ok bool) finish[T] {
			t, _ := v.Interface().(T) // a nil interface is no T
			return got(t, ok)
		},
	}})
}

// ToChan is the event that v goes into a Go channel. As always, sending to a closed one panics.
func ToChan[T any](c chan<- T, v T) Event[struct{}] {
	done := value(struct{}{})
	return one(alternative[struct{}]{goChan: &goCase[struct{}]{
		try: func() (finish[struct{}], bool) {
			select {
			case c <- v:
				return done, true
			default:
				return nil, false
			}
		},
		wait: func(over, changed <-chan struct{}) (finish[struct{}], bool) {
			select {
			case c <- v:
				return done, true
			case <-over:
			case <-changed:
			}
			return nil, false
		},
		many: reflect.SelectCase{Dir: reflect.SelectSend, Chan: reflect.ValueOf(c), Send: reflect.ValueOf(&v).Elem()},
		got:  func(reflect.Value, bool) finish[struct{}] { return done },
	}})
}

// withChannels waits for channels, and for what can happen in a transaction, in one select.
func withChannels[T any](ctx context.Context, all []alternative[T], ready []attempt[T]) (finish[T], error) {
	if err := unsimulated(ctx); err != nil {
		return nil, err
	}
	for _, a := range all {
		if f, ok, err := now(ctx, a); ok || err != nil {
			return f, err
		}
	}
	for {
		var changed <-chan struct{}
		stop := func() {}
		if len(ready) > 0 {
			h, w, err := stm.Poll(ctx, func(tx *stm.Tx) happening[T] { return happens(tx, ready) })
			if err != nil || w == nil {
				return h.finish, firstOf(err, h.err)
			}
			changed, stop = w.C(), w.Stop
		}
		f, ok := waitUntil(ctx, changed, all, stop)
		if ok {
			return f, nil
		}
		if ctx.Err() != nil {
			return nil, stm.Do(ctx, func(*stm.Tx) error { return stm.ErrRetry }) // gives the error of ctx
		}
	}
}

// waitUntil is waitAny, and stop after it, also if the user's channel panics.
func waitUntil[T any](ctx context.Context, changed <-chan struct{}, all []alternative[T], stop func()) (finish[T], bool) {
	defer stop()
	return waitAny(ctx.Done(), changed, all)
}

// unsimulated is stm.ErrSimulated in a simulation.
func unsimulated(ctx context.Context) error {
	_, _, err := stm.Poll(ctx, func(*stm.Tx) struct{} { return struct{}{} })
	return err
}

// happening is what has happened in a transaction.
type happening[T any] struct {
	finish finish[T]
	err    error
}

// happens runs the first of ready that does not retry.
func happens[T any](tx *stm.Tx, ready []attempt[T]) happening[T] {
	f, err := stm.Select(tx, ready...)
	return happening[T]{f, err} // if Select has retried, so has the transaction
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// now lets a happen if it can at once.
func now[T any](ctx context.Context, a alternative[T]) (f finish[T], ok bool, err error) {
	if a.goChan != nil {
		f, ok = a.goChan.try()
		return f, ok, nil
	}
	f, err = stm.Atomically(ctx, func(tx *stm.Tx) (finish[T], error) {
		return stm.Select(tx, a.ready, func(*stm.Tx) (finish[T], error) { return nil, nil })
	})
	return f, f != nil, err
}

// waitAny waits for one of the channels of all, or until done or changed is closed.
func waitAny[T any](done, changed <-chan struct{}, all []alternative[T]) (finish[T], bool) {
	var cases []*goCase[T]
	for _, a := range all {
		if a.goChan != nil {
			cases = append(cases, a.goChan)
		}
	}
	if len(cases) == 1 {
		return cases[0].wait(done, changed)
	}
	many := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(done)}, {Dir: reflect.SelectRecv, Chan: reflect.ValueOf(changed)},
	}
	for _, c := range cases {
		many = append(many, c.many)
	}
	i, v, ok := reflect.Select(many)
	if i < 2 {
		return nil, false
	}
	return cases[i-2].got(v, ok), true
}
