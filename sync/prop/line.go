package prop

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// Line is where callers wait for their turn.
type Line struct {
	name string
	last *stm.Var[*place]
}

// place is one caller in a line. Each knows its neighbours, so that one in the middle can leave. Who has nobody ahead is
// first.
type place struct{ ahead, behind *stm.Var[*place] }

// NewLine makes an empty line. The name is that of the Vars waited for, in dumps.
func NewLine(name string) *Line {
	name += ".line"
	return &Line{name, stm.NewVar[*place](nil).Label(name)}
}

// Label names the line anew. It is for whoever has just made it.
func (l *Line) Label(name string) {
	l.name = name + ".line"
	l.last.Label(l.name)
}

// Empty reports whether nobody waits. Whoever does not want to overtake asks first.
func (l *Line) Empty(tx *stm.Tx) bool { return l.last.Get(tx) == nil }

// InLine runs f as a transaction, and waits until it does not retry, in the order in which callers came: f is not tried
// while others are ahead in l. Only the first in line waits for what f reads, so a change wakes one caller. An error or a
// panic of f, or the end of ctx, leaves the line.
//
// Who runs the same f without the line may overtake; see [Line.Empty].
func InLine[T any](ctx context.Context, l *Line, f func(tx *stm.Tx) (T, error)) (T, error) {
	var me *place
	v, err := stm.Atomically(ctx, func(tx *stm.Tx) (T, error) {
		me = nil
		if !l.Empty(tx) {
			me = l.join(tx)
			var none T
			return none, nil
		}
		return stm.Select(tx, f, func(tx *stm.Tx) (none T, err error) {
			me = l.join(tx)
			return none, nil
		})
	})
	if err != nil || me == nil {
		return v, err
	}
	served := false
	defer func() {
		if !served {
			surely(ctx, func(tx *stm.Tx) { l.leave(tx, me) })
		}
	}()
	v, err = stm.Atomically(ctx, func(tx *stm.Tx) (T, error) {
		if me.ahead.Get(tx) != nil {
			return stm.Select[T](tx) // no alternative: retries, without a panic
		}
		v, err := f(tx)
		if err == nil {
			l.leave(tx, me)
		}
		return v, err
	})
	served = err == nil
	return v, err
}

func (l *Line) join(tx *stm.Tx) *place {
	ahead := l.last.Get(tx)
	me := &place{stm.NewVar(ahead).Label(l.name), stm.NewVar[*place](nil)}
	if ahead != nil {
		ahead.behind.Set(tx, me)
	}
	l.last.Set(tx, me)
	return me
}

func (l *Line) leave(tx *stm.Tx, me *place) {
	ahead, behind := me.ahead.Get(tx), me.behind.Get(tx)
	if ahead != nil {
		ahead.behind.Set(tx, behind)
	}
	if behind != nil {
		behind.ahead.Set(tx, ahead)
	} else {
		l.last.Set(tx, ahead)
	}
}

// surely commits f, which never waits, although ctx may have ended. An ended ctx does not stop a transaction that can
// commit at its first run, so each call either commits or has lost against one that did.
func surely(ctx context.Context, f func(tx *stm.Tx)) {
	for stm.Do(ctx, func(tx *stm.Tx) error { f(tx); return nil }) != nil {
	}
}
