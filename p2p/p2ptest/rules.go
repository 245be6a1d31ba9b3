package p2ptest

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
)

// ruleAttacks are well-formed messages that break a rule of the table, once the messages on the way have been said: samples whose numbers and
// lists are changed one at a time.
func ruleAttacks(p *table.Protocol, victim table.Agency, state *table.State, way []*table.MessageSpec, samples map[byte]table.Message) (as []Attack) {
	if state.Agency == victim || state.Agency == table.Nobody {
		return nil
	}
	values := make([]uint64, len(p.Values))
	for _, spec := range way {
		if p.Apply(values, spec, samples[spec.Tag]) != nil {
			return nil // the samples break the rules themselves: the other attacks will say so
		}
	}
	for i := range p.Messages {
		spec := &p.Messages[i]
		if p.Find(state.Name, spec.Tag) != spec || len(spec.Rules) == 0 {
			continue
		}
		for _, m := range spoilt(spec, samples[spec.Tag]) {
			why := p.Apply(slices.Clone(values), spec, m)
			frame, ok := sound(spec, m, state)
			if why != nil && ok {
				as = append(as, Attack{"breaks a rule: " + why.Error(), state.Name, frame, Rest, p2p.Invalid})
			}
		}
	}
	return as
}

// sound is a message's frame, if nothing is wrong with the message itself.
func sound(spec *table.MessageSpec, m table.Message, state *table.State) (frame []byte, ok bool) {
	body, err := m.AppendTo(nil)
	if err != nil || len(body)+1 > state.BytesMax || spec.New().ParseFrom(slices.Clone(body)) != nil {
		return nil, false
	}
	return Frame(spec.Tag, body...), true
}

// spoilt are copies of a message in each of which one exported field of it is another.
func spoilt(spec *table.MessageSpec, sample table.Message) (all []table.Message) {
	if reflect.TypeOf(sample).Elem().Kind() != reflect.Struct {
		return nil
	}
	for i := range reflect.TypeOf(sample).Elem().NumField() {
		for change := range 4 {
			m := spec.New()
			if body, err := sample.AppendTo(nil); err != nil || m.ParseFrom(body) != nil {
				return nil
			}
			if f := reflect.ValueOf(m).Elem().Field(i); f.CanSet() && spoil(f, change) {
				all = append(all, m)
			}
		}
	}
	return all
}

// spoil changes a number or a list in one of a few ways.
func spoil(f reflect.Value, change int) bool {
	switch {
	case f.CanUint():
		f.SetUint([]uint64{0, f.Uint() + 1, f.Uint() - 1, 1<<(8*f.Type().Size()) - 1}[change])
	case f.CanInt():
		f.SetInt([]int64{0, f.Int() + 1, f.Int() - 1, 1<<(8*f.Type().Size()-1) - 1}[change])
	case f.Kind() == reflect.Slice:
		n := []int{0, f.Len() + 1, f.Len() - 1, 2*f.Len() + 100}[change]
		longer := reflect.MakeSlice(f.Type(), max(n, 0), max(n, 0))
		reflect.Copy(longer, f)
		f.Set(longer)
	default:
		return false
	}
	return true
}

// String names an attack in a failure.
func (a Attack) String() string { return fmt.Sprintf("%s in %s", a.Name, a.State) }
