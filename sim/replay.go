package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// Segment is a number of steps that one task takes in a row.
type Segment struct {
	Path string // of the task; see Task.Path
	N    int
}

// Schedule is the recorded decisions of a run: with the seed, all that it depends on. Its text form is short enough for
// a command line.
type Schedule struct {
	Segments []Segment
	Choices  []int // what env.Choose gave, in order, if that did not follow from the seed
}

// String is the text form: 0*3,0.1*12;1,0 is three steps of the first task and twelve of its first child, and two
// choices.
func (s Schedule) String() string {
	var b strings.Builder
	for i, g := range s.Segments {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s*%d", g.Path, g.N)
	}
	for i, k := range s.Choices {
		b.WriteByte(";,"[min(i, 1)])
		b.WriteString(strconv.Itoa(k))
	}
	return b.String()
}

// ParseSchedule reads the text form.
func ParseSchedule(text string) (Schedule, error) {
	var s Schedule
	segments, choices, _ := strings.Cut(text, ";")
	for f := range strings.SplitSeq(segments, ",") {
		if f == "" && segments == "" {
			break
		}
		path, count, ok := strings.Cut(f, "*")
		n, err := strconv.Atoi(count)
		if _, good := pathID(path); !ok || err != nil || n < 1 || !good {
			return Schedule{}, fmt.Errorf("%w: segment %q", errSchedule, f)
		}
		s.Segments = append(s.Segments, Segment{path, n})
	}
	for f := range strings.SplitSeq(choices, ",") {
		if choices == "" {
			break
		}
		k, err := strconv.Atoi(f)
		if err != nil || k < 0 {
			return Schedule{}, fmt.Errorf("%w: choice %q", errSchedule, f)
		}
		s.Choices = append(s.Choices, k)
	}
	return s, nil
}

// took notes one more step of t.
func (e *engine) took(t *Task) {
	if last := len(e.taken) - 1; last >= 0 && e.taken[last].t == t {
		e.taken[last].n++
		return
	}
	e.taken = append(e.taken, taken{t, 1})
}

// taken is a number of steps that t took in a row.
type taken struct {
	t *Task
	n int
}

// schedule is what was decided so far.
func (e *engine) recorded() Schedule {
	s := Schedule{Choices: e.chosen}
	for _, x := range e.taken {
		s.Segments = append(s.Segments, Segment{x.t.Path(), x.n})
	}
	return s
}

// Replayer follows a schedule. A task that cannot run is left out, and past the end of the schedule the task that runs
// goes on, or else the oldest: so schedules can be cut and changed, and what they lead to is still one run.
type Replayer struct {
	StopAfter int // steps, if not 0: the run ends with ErrCut

	segments []Segment
	ids      []uint64
	choices  []int
	at, used int
	steps    int
	diverged string
}

// Replay makes a scheduler that follows s.
func Replay(s Schedule) *Replayer {
	r := &Replayer{segments: s.Segments, choices: s.Choices}
	for _, g := range s.Segments {
		id, _ := pathID(g.Path)
		r.ids = append(r.ids, id)
	}
	return r
}

// Pick follows the schedule.
func (r *Replayer) Pick(ready []*Task, last int) int {
	if r.StopAfter > 0 && r.steps == r.StopAfter {
		return -1
	}
	r.steps++
	for ; r.at < len(r.segments); r.at, r.used = r.at+1, 0 {
		if r.used == r.segments[r.at].N {
			continue
		}
		for i, t := range ready {
			if t.id == r.ids[r.at] {
				r.used++
				return i
			}
		}
		if r.diverged == "" {
			g := r.segments[r.at]
			r.diverged = fmt.Sprintf("step %d: task %s cannot take step %d of %d of its segment", r.steps, g.Path, r.used+1, g.N)
		}
	}
	if last >= 0 {
		return last
	}
	return oldest(ready)
}

// Choose gives the recorded choices, and past their end what the seed gives.
func (r *Replayer) Choose(t *Task, label string, n int) int {
	if len(r.choices) == 0 {
		return -1
	}
	k := r.choices[0]
	r.choices = r.choices[1:]
	if k >= n && r.diverged == "" {
		r.diverged = fmt.Sprintf("step %d: choice %s of task %s is %d of only %d", r.steps, label, t.Path(), k, n)
	}
	return min(k, n-1)
}

// Diverged says where the run first did not do what was recorded; "" if it did.
func (r *Replayer) Diverged() string { return r.diverged }

func oldest(ready []*Task) int {
	best := 0
	for i, t := range ready {
		if t.Older(ready[best]) {
			best = i
		}
	}
	return best
}
