package table

import "fmt"

// Value is a number that both sides of a session keep, each from the messages it sends and receives: how much is outstanding, how much was
// asked for, which cookie went out. It starts at 0.
type Value struct {
	Name string
	Max  uint64 // it is never greater
}

// Op is what a Rule demands.
type Op uint8

// The operations, on a message's number n and a session's value v with its Max.
const (
	Within Op = iota + 1 // Rule.Min <= n <= Rule.Max; no value
	AtMost               // n <= v
	Equals               // n == v
	Fits                 // v + n <= Max
	Set                  // n <= Max, and v becomes n
	Add                  // v + n <= Max, and v becomes v + n
	Take                 // n <= v, and v becomes v - n
)

// String is the operation's name, in lower case.
func (o Op) String() string {
	switch o {
	case Within:
		return "within"
	case AtMost:
		return "at most"
	case Equals:
		return "equals"
	case Fits:
		return "fits"
	case Set:
		return "set"
	case Add:
		return "add"
	case Take:
		return "take"
	}
	return fmt.Sprintf("operation %d", uint8(o))
}

// Rule bounds a number that a message carries. The driver holds our messages to it when we send them and the peer's when they arrive, so
// that no handler sees a message that breaks one.
type Rule struct {
	Op       Op
	Field    string               // what the number is called, for people: "Ack", "len(IDs)"
	Of       func(Message) uint64 // the number; it is given messages of the spec's type alone, also empty ones
	Value    string               // the name of a Value; none for Within
	Min, Max uint64               // for Within alone
}

// String is the rule as a sentence without an end: "Ack is at most outstanding, which loses it".
func (r *Rule) String() string {
	switch r.Op {
	case Within:
		return fmt.Sprintf("%s is %d to %d", r.Field, r.Min, r.Max)
	case AtMost:
		return fmt.Sprintf("%s is at most %s", r.Field, r.Value)
	case Equals:
		return fmt.Sprintf("%s is %s", r.Field, r.Value)
	case Fits:
		return fmt.Sprintf("%s fits into what %s may still grow", r.Field, r.Value)
	case Set:
		return fmt.Sprintf("%s becomes %s", r.Field, r.Value)
	case Add:
		return fmt.Sprintf("%s is added to %s", r.Field, r.Value)
	case Take:
		return fmt.Sprintf("%s is at most %s, which loses it", r.Field, r.Value)
	}
	return r.Op.String()
}

// Apply holds a message to the rules of its spec and brings a session's values, one for each of p.Values, up to date. After an error the
// session must end: the values are those of the rules before the one that is broken.
func (p *Protocol) Apply(values []uint64, spec *MessageSpec, m Message) error {
	for i := range spec.Rules {
		r := &spec.Rules[i]
		if err := p.apply(values, r, r.Of(m)); err != nil {
			return fmt.Errorf("%s.%w", spec.Name, err)
		}
	}
	return nil
}

func (p *Protocol) apply(values []uint64, r *Rule, n uint64) error {
	if r.Op == Within {
		if n < r.Min || n > r.Max {
			return fmt.Errorf("%s is %d, of %d to %d", r.Field, n, r.Min, r.Max)
		}
		return nil
	}
	at := p.value(r.Value)
	v, most := &values[at], p.Values[at].Max
	switch {
	case r.Op == Equals && n != *v:
		return fmt.Errorf("%s is %d, and %s is %d", r.Field, n, r.Value, *v)
	case (r.Op == AtMost || r.Op == Take) && n > *v:
		return fmt.Errorf("%s is %d, at most %s, which is %d", r.Field, n, r.Value, *v)
	case (r.Op == Fits || r.Op == Add) && n > most-*v:
		return fmt.Errorf("%s is %d, and %s is %d of at most %d", r.Field, n, r.Value, *v, most)
	case r.Op == Set && n > most:
		return fmt.Errorf("%s is %d, and %s at most %d", r.Field, n, r.Value, most)
	}
	switch r.Op {
	case Set:
		*v = n
	case Add:
		*v += n
	case Take:
		*v -= n
	}
	return nil
}

// value is the place of a value, or -1.
func (p *Protocol) value(name string) int {
	for i := range p.Values {
		if p.Values[i].Name == name {
			return i
		}
	}
	return -1
}
