package property

import (
	"fmt"
	"time"

	"github.com/synodkit/synod/stm"
)

// Always holds if p holds in every state.
func Always(name string, p Predicate) Property {
	return Property{name: name, kind: "always", run: func(o *observer) error {
		if err := o.until(func(tx *stm.Tx) bool { return !p(tx) }); err != nil {
			return err
		}
		return o.violated("does not hold")
	}}
}

// Never holds if p holds in no state.
func Never(name string, p Predicate) Property {
	return Property{name: name, kind: "never", run: func(o *observer) error {
		if err := o.until(p); err != nil {
			return err
		}
		return o.violated("holds")
	}}
}

// Holds holds if check gives nil in every state.
func Holds(name string, check func(tx *stm.Tx) error) Property {
	return Property{name: name, kind: "always", run: func(o *observer) error {
		var wrong error
		err := o.until(func(tx *stm.Tx) bool { wrong = check(tx); return wrong != nil })
		if err != nil {
			return err
		}
		return o.violated(wrong.Error())
	}}
}

// Eventually holds if p holds in some state within the time from Watch on.
func Eventually(name string, p Predicate, within time.Duration) Property {
	return Property{name: name, kind: "eventually", run: func(o *observer) error {
		o.owes = "did not come about"
		holds, err := o.within(o.start.Add(within), p)
		switch {
		case err != nil:
			return err
		case !holds:
			return o.violatedAt(fmt.Sprintf("did not come about within %v", within), o.start.Add(within))
		}
		o.owes = ""
		return nil
	}}
}

// LeadsTo holds if in every state where p holds, q does too, or comes to within the time.
func LeadsTo(name string, p, q Predicate, within time.Duration) Property {
	return Property{name: name, kind: "leads-to", run: func(o *observer) error {
		return o.leads(p, q, within, "was not followed")
	}}
}

// Cold holds if p, the hot state, never lasts longer than limit.
func Cold(name string, p Predicate, limit time.Duration) Property {
	return Property{name: name, kind: "cold", run: func(o *observer) error {
		return o.leads(p, func(tx *stm.Tx) bool { return !p(tx) }, limit, "the state stays hot")
	}}
}

func (o *observer) leads(p, q Predicate, within time.Duration, why string) error {
	for {
		owed := func(tx *stm.Tx) bool { hot, cold := p(tx), q(tx); return hot && !cold }
		if err := o.until(owed); err != nil {
			return err
		}
		o.owes = why
		by := o.now().Add(within)
		kept, err := o.within(by, func(tx *stm.Tx) bool { _, cold := p(tx), q(tx); return cold })
		switch {
		case err != nil:
			return err
		case !kept:
			return o.violatedAt(fmt.Sprintf("%s within %v", why, within), by)
		}
		o.owes = ""
	}
}

// Sometimes holds if p holds in some state of some run of the test: simtest fails if it is not seen. Report.Seen counts the runs.
func Sometimes(name string, p Predicate) Property {
	return Property{name: name, kind: "sometimes", run: func(o *observer) error {
		o.Sought(name)
		if err := o.until(p); err != nil {
			return err
		}
		o.Seen(name)
		return nil
	}}
}
