package event

import (
	"context"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Chan is where one who sends and one who receives meet. It holds no value.
type Chan[T any] struct {
	senders, receivers *line[T]
	closed             *stm.Var[bool]
}

// NewChan makes a Chan.
func NewChan[T any]() *Chan[T] { return &Chan[T]{newLine[T](), newLine[T](), stm.NewVar(false)} }

// Props is the contract of a Chan.
func (c *Chan[T]) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: 0, Full: prop.Waits, Fair: true}
}

// Send is the event that somebody receives v.
func Send[T any](c *Chan[T], v T) Event[struct{}] {
	done := value(struct{}{})
	return one(alternative[struct{}]{
		ready: func(tx *stm.Tx) (finish[struct{}], error) {
			switch o := c.receivers.first.Get(tx); {
			case c.closed.Get(tx):
				return closed[struct{}], nil
			case o != nil:
				o.owner.meet(tx, &met{o.nth, v})
				return done, nil
			}
			return nil, stm.ErrRetry
		},
		offer: func(tx *stm.Tx, t *token, nth int) { c.senders.join(tx, &offer[T]{owner: t, nth: nth, value: v}) },
		met:   func(v any) finish[struct{}] { return metOrClosed(v, func() finish[struct{}] { return done }) },
	})
}

// Recv is the event that somebody sends.
func Recv[T any](c *Chan[T]) Event[T] {
	return one(alternative[T]{
		ready: func(tx *stm.Tx) (finish[T], error) {
			switch o := c.senders.first.Get(tx); {
			case c.closed.Get(tx):
				return closed[T], nil
			case o != nil:
				o.owner.meet(tx, &met{nth: o.nth})
				return value(o.value), nil
			}
			return nil, stm.ErrRetry
		},
		offer: func(tx *stm.Tx, t *token, nth int) { c.receivers.join(tx, &offer[T]{owner: t, nth: nth}) },
		met: func(v any) finish[T] {
			return metOrClosed(v, func() finish[T] { got, _ := v.(T); return value(got) }) // a nil interface is no T
		},
	})
}

// Send waits for somebody who receives v. With an error nobody has.
func (c *Chan[T]) Send(ctx context.Context, v T) error {
	_, err := Sync(ctx, Send(c, v))
	return err
}

// Recv waits for somebody who sends. With an error nobody has.
func (c *Chan[T]) Recv(ctx context.Context) (T, error) { return Sync(ctx, Recv(c)) }

// Close ends all meetings at c, those that are waited for too: they fail with prop.ErrClosed.
func (c *Chan[T]) Close(tx *stm.Tx) {
	c.closed.Set(tx, true)
	for _, l := range []*line[T]{c.senders, c.receivers} {
		for o := l.first.Get(tx); o != nil; o = l.first.Get(tx) {
			o.owner.meet(tx, &met{o.nth, shut{}})
		}
	}
}

// shut is what somebody who waits gets instead of a value.
type shut struct{}

func closed[T any]() (none T, err error) { return none, prop.ErrClosed }

func metOrClosed[T any](v any, happened func() finish[T]) finish[T] {
	if _, over := v.(shut); over {
		return closed[T]
	}
	return happened()
}
