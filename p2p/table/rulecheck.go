package table

import "fmt"

func (p *Protocol) checkValues() (f faults) {
	for i, v := range p.Values {
		switch {
		case v.Name == "":
			f.add("value %d has no name", i)
		case p.value(v.Name) != i:
			f.add("two values %q", v.Name)
		case v.Max == 0:
			f.add("value %q: Max 0, it could never change", v.Name)
		case !p.grows(v.Name):
			f.add("value %q is neither set nor added to by any message: it is always 0", v.Name)
		}
	}
	return f
}

// grows says whether some message changes a value from 0.
func (p *Protocol) grows(value string) bool {
	for i := range p.Messages {
		for _, r := range p.Messages[i].Rules {
			if r.Value == value && (r.Op == Set || r.Op == Add) {
				return true
			}
		}
	}
	return false
}

func (p *Protocol) checkRules() (f faults) {
	for i := range p.Messages {
		m := &p.Messages[i]
		for j := range m.Rules {
			if err := p.checkRule(m, &m.Rules[j]); err != nil {
				f.add("message %s, rule %d: %v", m.Name, j, err)
			}
		}
	}
	return f
}

func (p *Protocol) checkRule(m *MessageSpec, r *Rule) error {
	switch {
	case r.Op < Within || r.Op > Take:
		return fmt.Errorf("%v does not exist", r.Op)
	case r.Field == "":
		return fmt.Errorf("no Field: say which number of the message it is about")
	case r.Of == nil:
		return fmt.Errorf("no Of for %s", r.Field)
	case r.Op == Within && r.Value != "":
		return fmt.Errorf("%s: value %q beside Within, which has none", r.Field, r.Value)
	case r.Op == Within && r.Min > r.Max:
		return fmt.Errorf("%s: no number is within %d and %d", r.Field, r.Min, r.Max)
	case r.Op != Within && (r.Min != 0 || r.Max != 0):
		return fmt.Errorf("%s: Min and Max are for Within alone", r.Field)
	case r.Op != Within && p.value(r.Value) < 0:
		return fmt.Errorf("%s: value %q does not exist", r.Field, r.Value)
	case m.New == nil:
		return nil // reported
	}
	return r.works(m.New())
}

// works says whether Of takes a message of the spec's type.
func (r *Rule) works(empty Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("Of for %s does not take an empty %T: %v", r.Field, empty, v)
		}
	}()
	r.Of(empty)
	return nil
}
