package proptest

import (
	"fmt"
	"slices"

	"github.com/synodkit/synod/sync/prop"
)

// model is what Props say, as simply as can be.
type model struct {
	props  prop.Props
	merge  func(old, new int) int
	held   []int // in the order of their puts; not of a broadcast
	behind []reader
	closed bool
}

// reader is a source of a broadcast: what it has not taken yet.
type reader struct {
	held   []int
	missed int
}

func (k Kit) model(p prop.Props, sources int) model {
	m := model{props: p, merge: k.Merge}
	if p.Broadcast {
		m.behind = make([]reader, sources)
	}
	return m
}

func (m model) clone() model {
	m.held = slices.Clone(m.held)
	m.behind = slices.Clone(m.behind)
	for i := range m.behind {
		m.behind[i].held = slices.Clone(m.behind[i].held)
	}
	return m
}

// key tells models apart.
func (m model) key() string { return fmt.Sprint(m.held, m.behind, m.closed) }

// do changes m and says what o gives. If that is errWaits, m is as it was.
func (m *model) do(o op) result {
	switch {
	case o.kind == closing:
		m.closed = true
		return result{}
	case o.kind == take && m.props.Broadcast:
		return m.takeBehind(&m.behind[o.source])
	case o.kind == take:
		return m.take()
	case m.closed:
		return result{err: prop.ErrClosed}
	case m.props.Broadcast:
		return m.publish(o.value)
	}
	return m.put(o.value)
}

func (m *model) take() result {
	if len(m.held) == 0 {
		return m.nothing()
	}
	i := 0
	switch m.props.Order {
	case prop.LIFO:
		i = len(m.held) - 1
	case prop.ByValue:
		for j, v := range m.held {
			if ByClass(v, m.held[i]) < 0 {
				i = j
			}
		}
	}
	return result{value: m.remove(i)}
}

func (m *model) remove(i int) int {
	v := m.held[i]
	m.held = slices.Delete(m.held, i, i+1)
	return v
}

func (m *model) nothing() result {
	if m.closed {
		return result{err: prop.ErrClosed}
	}
	return result{err: errWaits}
}

func (m *model) put(v int) result {
	if m.props.Full == prop.Merges {
		if i := slices.IndexFunc(m.held, func(old int) bool { return Class(old) == Class(v) }); i >= 0 {
			m.held[i] = m.merge(m.held[i], v)
			return result{}
		}
	}
	if n := m.props.Capacity; n == prop.Unbounded || len(m.held) < n {
		m.held = append(m.held, v)
		m.closed = m.closed || m.props.Once
		return result{}
	}
	switch m.props.Full {
	case prop.Waits, prop.Merges:
		return result{err: errWaits}
	case prop.Rejects:
		return result{err: prop.ErrFull}
	}
	m.held = append(m.held, v)
	return result{lost: prop.Lost[int]{Value: m.remove(m.victim()), Any: true}}
}

// victim is whom a queue that holds one too many loses.
func (m *model) victim() int {
	last := len(m.held) - 1
	worst := last
	switch m.props.Full {
	case prop.DropsOldest:
		return 0
	case prop.EvictsLeast:
		for i := last; i >= 0; i-- {
			if ByClass(m.held[i], m.held[worst]) < 0 {
				worst = i
			}
		}
	case prop.SharesFairly:
		var holds [classes]int
		for _, v := range m.held {
			holds[Class(v)]++
		}
		loser := Class(m.held[last])
		for c, n := range holds {
			if n > holds[loser] {
				loser = c
			}
		}
		for Class(m.held[worst]) != loser {
			worst--
		}
	}
	return worst
}

func (m *model) publish(v int) result {
	for i := range m.behind {
		r := &m.behind[i]
		if m.props.Full == prop.Supersedes {
			r.held = nil
		}
		r.held = append(r.held, v)
		if m.props.Full == prop.Lags && len(r.held) > m.props.Capacity {
			r.held = r.held[1:]
			r.missed++
		}
	}
	m.closed = m.props.Once
	return result{}
}

func (m *model) takeBehind(r *reader) result {
	if len(r.held) == 0 {
		return m.nothing()
	}
	got := result{value: r.held[0], missed: r.missed}
	*r = reader{held: r.held[1:]}
	return got
}
