package proptest

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Kit is a primitive to be checked. Its values are ints made by the checks: all different, with few classes.
type Kit struct {
	Name string

	// New makes one with an empty sink and the given number of sources. Unless it is a broadcast they may be one and the
	// same.
	New func(ctx context.Context, sources int) (prop.Sink[int], []Source)

	// Merge is how values of one key are merged, if Full is Merges. The key is the class.
	Merge func(old, new int) int
}

// Source is a Take that also tells how many values it has missed, for those that can miss any.
type Source func(tx *stm.Tx) (v, missed int, err error)

// Plain is a prop.Source as a Source.
func Plain(s prop.Source[int]) Source {
	return func(tx *stm.Tx) (int, int, error) {
		v, err := s.Take(tx)
		return v, 0, err
	}
}

// Same is one source, as often as it is asked for.
func Same(n int, s prop.Source[int]) []Source {
	all := make([]Source, n)
	for i := range all {
		all[i] = Plain(s)
	}
	return all
}

// Class is what compares, values, producers and keys of the checks go by: values of a class are equal to them.
func Class(v int) int { return v % classes }

// ByClass compares by class.
func ByClass(a, b int) int { return Class(a) - Class(b) }

const classes = 4

// value is the nth value of a check.
func value(nth, class int) int { return nth*classes + class }

// op is one operation.
type op struct {
	kind   kind
	value  int // of a put
	source int // of a take
}

type kind uint8

const (
	put kind = iota
	take
	closing
)

func (o op) String() string {
	switch o.kind {
	case put:
		return fmt.Sprintf("put %d", o.value)
	case take:
		return fmt.Sprintf("take from %d", o.source)
	}
	return "close"
}

// result is what an operation gives. Two are the same if they are equal.
type result struct {
	value  int
	missed int
	lost   prop.Lost[int]
	err    error // ErrClosed, ErrFull or errWaits
}

func (r result) String() string {
	s := fmt.Sprint(r.value)
	if r.missed > 0 {
		s += fmt.Sprintf(", missed %d", r.missed)
	}
	if r.lost.Any {
		s += fmt.Sprintf(", lost %d", r.lost.Value)
	}
	if r.err != nil {
		s += ", " + r.err.Error()
	}
	return s
}

var errWaits = errors.New("waits")

// subject is one primitive under check.
type subject struct {
	sink    prop.Sink[int]
	sources []Source
}

func (k Kit) subject(ctx context.Context, sources int) subject {
	sink, all := k.New(ctx, sources)
	return subject{sink, all}
}

// do runs o. The error is stm.ErrRetry, or one that no operation may give.
func (s subject) do(tx *stm.Tx, o op) (r result, err error) {
	switch o.kind {
	case put:
		r.lost, err = s.sink.Put(tx, o.value)
	case take:
		r.value, r.missed, err = s.sources[o.source](tx)
	default:
		s.sink.Close(tx)
	}
	switch {
	case errors.Is(err, prop.ErrClosed):
		return result{err: prop.ErrClosed}, nil
	case errors.Is(err, prop.ErrFull):
		return result{err: prop.ErrFull}, nil
	}
	return r, err
}
