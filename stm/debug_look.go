package stm

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// look is what can be seen of one run of a body.
type look struct {
	reads   map[*core]bool
	writes  map[*core]setting // the last Set of each, those undone too
	value   any
	print   uint64
	err     string
	retried bool
}

// setting is one Set, or the first sight of a value that nobody has set.
type setting struct {
	p     unsafe.Pointer
	value any
	print uint64
	at    trail
}

// frozen is a value that was set, or got, and must not change.
type frozen struct {
	setting
	got bool // it was not seen to be set
}

func newLook() *look { return &look{reads: map[*core]bool{}, writes: map[*core]setting{}} }

func (l *look) ends(value any, err error, retried bool) {
	for c, s := range l.writes {
		s.print = printOf(s.value)
		l.writes[c] = s
	}
	if l.retried = retried; retried {
		return
	}
	l.value, l.print = value, printOf(value)
	if err != nil {
		l.err = fmt.Sprintf("%T: %v", err, err)
	}
}

// differs says how the run l differs from the run before, on the same snapshot. Vars that a run has made itself are
// counted, not compared: the other has made others.
func (l *look) differs(before *look) string {
	switch {
	case l.retried != before.retried:
		return "one run retries, another does not"
	case l.err != before.err:
		return fmt.Sprintf("it ends with error %q, then with %q", before.err, l.err)
	case l.print != before.print:
		return fmt.Sprintf("its result is %s, then %s", short(before.value), short(l.value))
	}
	if a, b := others(before.reads, l.reads), others(l.reads, before.reads); a != b {
		return fmt.Sprintf("it reads %s, then %s", a, b)
	}
	for c, s := range l.writes {
		if was, ok := before.writes[c]; ok && was.print != s.print {
			return fmt.Sprintf("it sets %s to %s, then to %s, at %s", name(c, s.value), short(was.value), short(s.value), s.at)
		}
	}
	if a, b := others(before.writes, l.writes), others(l.writes, before.writes); a != b {
		return fmt.Sprintf("it writes %s, then %s", a, b)
	}
	return ""
}

// others are the Vars that only a has. Those that a run may have made itself are only counted: the other run has made
// others.
func others[V any](a, b map[*core]V) string {
	var all []string
	fresh := 0
	for c := range a {
		if _, ok := b[c]; ok {
			continue
		}
		if isFresh(c) {
			fresh++
			continue
		}
		all = append(all, name(c, nil))
	}
	slices.Sort(all)
	return fmt.Sprintf("%q and %d new ones", all, fresh)
}

// isFresh reports whether c may have been made by the run that uses it: no commit, step or name has left a mark on it.
func isFresh(c *core) bool {
	return c.lock.Load()&^(waitBit|serialBit|lockBit) == 0 && c.owner.Load() == 0 && c.label() == ""
}

// name is c's label; without one its type must do.
func name(c *core, value any) string {
	if s := c.label(); s != "" || value == nil {
		return "Var " + c.name()
	}
	return "an unlabelled Var[" + reflect.TypeOf(value).String() + "]"
}

func short(x any) string {
	s := fmt.Sprintf("%v", x)
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return s
}

const (
	frozenOfVar = 4       // so many values of one Var are remembered
	frozenMax   = 1 << 16 // and so many in all; then it begins anew
)

// check compares a value that is got, or set again, with what it was. One that is got must stay as it is from now on.
func (d *debugger) check(c *core, s setting, got bool) {
	now := printOf(s.value)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.frozen[c] {
		if f.p != s.p || f.print == now {
			continue
		}
		how := "its Set"
		if f.got {
			how = "it was got"
		}
		panic(fmt.Sprintf("stm: the value of %s has changed after %s at %s; seen at %s", name(c, s.value), how, f.at, s.at))
	}
	if s.print = now; got {
		d.remember(c, frozen{s, true})
	}
}

// freeze remembers what a commit has set.
func (d *debugger) freeze(writes map[*core]setting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c, s := range writes {
		d.remember(c, frozen{s, false})
	}
}

func (d *debugger) remember(c *core, f frozen) {
	if d.count++; d.count > frozenMax {
		d.count = 1
		clear(d.frozen)
	}
	f.value = nil
	known := d.frozen[c]
	for i := range known {
		if known[i].p == f.p {
			if !f.got {
				known[i] = f
			}
			return
		}
	}
	if len(known) == frozenOfVar {
		known = slices.Delete(known, 0, 1)
	}
	d.frozen[c] = append(known, f)
}

// runModel is Model.Run in debug mode: twice, with the same end.
func (d *debugger) runModel(m *Model, s State, body func(tx *Tx) error) Step {
	x := &extraTx{d: d, began: here()}
	defer d.enter(x)()
	first := m.run(s, body)
	first.Reads, first.Writes = slices.Clone(first.Reads), slices.Clone(first.Writes)
	second := m.run(s, body)
	if a, b := fmt.Sprintf("%q %v %v", first.Next, first.Err, first.Reads), fmt.Sprintf("%q %v %v", second.Next, second.Err, second.Reads); a != b {
		panic("stm: the body is not pure: on the same state it gives two steps; it was run at " + x.began.String())
	}
	return second
}
