package sim

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/synodkit/synod/internal/seam"
)

// hash runs over everything that happens, in order.
type hash uint64

const hashStart hash = 14695981039346656037

// Tags tell apart what is mixed in.
const (
	tagStep = iota + 1
	tagTime
	tagEffect
	tagBlocked
	tagChoice
	tagFault
	tagSpawn
	tagJoin
	tagCrash
)

func (h *hash) mix(xs ...uint64) {
	for _, x := range xs {
		y := (uint64(*h) ^ x) * 0x9E3779B97F4A7C15
		*h = hash(y ^ y>>29)
	}
}

func (h *hash) effect(x *seam.Effect) {
	tag := uint64(tagEffect)
	if x.Blocked {
		tag = tagBlocked
	}
	h.mix(tag | uint64(len(x.Reads))<<8 | uint64(len(x.Writes))<<36)
	for _, id := range x.Reads {
		h.mix(uint64(id))
	}
	for _, id := range x.Writes {
		h.mix(uint64(id))
	}
}

func hashOf(s string) uint64 {
	f := fnv.New64a()
	f.Write([]byte(s))
	return f.Sum64()
}

// text is the trace as people read it: one line a step. All methods do nothing on a nil text.
type text struct {
	lines  []string
	line   strings.Builder
	labels map[uint32]string
}

func (x *text) done() []string {
	if x.line.Len() > 0 {
		x.lines = append(x.lines, x.line.String())
		x.line.Reset()
	}
	return x.lines
}

// named are the lines, with the names that became known later.
func (x *text) named() []string {
	x.done()
	for i, line := range x.lines {
		parts := strings.Split(line, mark)
		for j := 1; j < len(parts); j += 2 {
			id, _ := strconv.ParseUint(parts[j], 10, 32)
			parts[j] = x.name(uint32(id))
		}
		x.lines[i] = strings.Join(parts, "")
	}
	return x.lines
}

// mark stands in a line on both sides of an id, until names are known.
const mark = "\x00"

func (x *text) name(id uint32) string {
	switch l, ok := x.labels[id]; {
	case !ok:
		return fmt.Sprint("ctx#", id)
	case l == "" || l[0] == '(':
		return fmt.Sprint("var#", id)
	default:
		return l
	}
}

func (x *text) step(e *engine, t *Task) {
	if x != nil {
		x.done()
		fmt.Fprintf(&x.line, "%d %v %s:", e.steps, e.now, t.name)
	}
}

func (x *text) effect(f *seam.Effect) {
	if x == nil {
		return
	}
	if f.Labels != nil {
		f.Labels.Each(func(id uint32, label string) { x.labels[id] = label })
	}
	x.ids(" reads", f.Reads)
	x.ids(" writes", f.Writes)
	if f.Blocked {
		x.line.WriteString(" waits")
	}
}

func (x *text) ids(verb string, ids []uint32) {
	if len(ids) == 0 {
		return
	}
	x.line.WriteString(verb)
	seen := map[uint32]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		fmt.Fprintf(&x.line, " %s%d%s", mark, id, mark)
	}
}

func (x *text) wake(t *Task) { x.add(" wakes %s", t.name) }

func (x *text) spawn(t *Task) { x.add(" starts %s", t.name) }

func (x *text) join(t *Task) { x.add(" joins %s", t.name) }

func (x *text) choice(label string, k int) { x.add(" chooses %s=%d", label, k) }

func (x *text) fault(site string, err error) { x.add(" fails at %s: %v", site, err) }

func (x *text) add(format string, args ...any) {
	if x != nil {
		fmt.Fprintf(&x.line, format, args...)
	}
}
