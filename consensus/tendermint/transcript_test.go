package tendermint_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/tendermint"
)

// A story is told step by step over the same table, in the worlds that are explored: three correct validators p0, p1, p2, and a faulty
// one that has said everything.
type story struct {
	world   rule.World[*tendermint.Machine]
	machine *rule.Machine[*tendermint.Machine]
	past    []uint32
}

func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s story
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "world":
				s.begin(t, d)
				return ""
			case "steps":
				return s.steps(d.Input)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (s *story) begin(t *testing.T, d *datadriven.TestData) {
	b := tendermint.Bounds{Proposes: -1}
	for _, a := range d.CmdArgs {
		if a.Key == "forget" {
			b.Forget = a.Vals[0]
			continue
		}
		n, err := strconv.Atoi(a.Vals[0])
		require.NoError(t, err)
		switch a.Key {
		case "rounds":
			b.Rounds = n
		case "values":
			b.Values = n
		case "proposes":
			b.Proposes = n
		case "crashes":
			b.Crashes = n
		}
	}
	s.world, s.past = tendermint.World(b), nil
	s.rebuild()
}

// rebuild makes the machine anew, with more room if it was too small, and takes it to where the story is.
func (s *story) rebuild() {
	defer func() {
		if r := recover(); r != nil {
			if !s.world.Grow(r) {
				panic(r)
			}
			s.rebuild()
		}
	}()
	s.machine = s.world.Machine()
	for _, l := range s.past {
		s.machine.Load(slices.Clone(s.machine.State()))
		s.machine.Do(l)
	}
	s.machine.Load(slices.Clone(s.machine.State()))
}

// values have names in the stories.
func named(text string) string {
	return strings.NewReplacer("01000000", "A", "02000000", "B").Replace(text)
}

// steps makes each step, "p0 L22 A", and ends with the validators' states. A step that is not possible tells why.
func (s *story) steps(input string) string {
	var out strings.Builder
	for line := range strings.Lines(input) {
		if line = strings.TrimSpace(line); !s.step(strings.Fields(line)) {
			fmt.Fprintf(&out, "%s: no: %s\n", line, s.why(strings.Fields(line)))
		}
		if tx, ms := s.machine.Processes(); s.world.Invariant(tx, ms) != nil {
			fmt.Fprintf(&out, "%s: %v\n", line, s.world.Invariant(tx, ms))
		}
	}
	for _, line := range s.machine.Describe() {
		line, _, _ = strings.Cut(line, " work=") // the paper's variables come first
		fmt.Fprintln(&out, named(line))
	}
	return out.String()
}

func (s *story) step(words []string) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if !s.world.Grow(r) {
				panic(r)
			}
			s.rebuild()
			ok = s.step(words)
		}
	}()
	var labels []uint32
	here := slices.Clone(s.machine.State())
	s.machine.Load(here)
	s.machine.Successors(func(l uint32) bool { labels = append(labels, l); return true })
	for _, l := range labels {
		s.machine.Load(here)
		told := strings.Fields(named(s.machine.Tell(l)))
		binding := words[2:]
		if slices.Equal(told[:2], words[:2]) && len(told) >= len(words) && slices.Equal(told[len(told)-len(binding):], binding) {
			s.machine.Do(l)
			s.past = append(s.past, l)
			s.machine.Load(slices.Clone(s.machine.State()))
			return true
		}
	}
	s.machine.Load(here)
	return false
}

// why is what blocks a rule, for each binding, without repetitions.
func (s *story) why(words []string) string {
	who, err := strconv.Atoi(strings.TrimPrefix(words[0], "p"))
	if err != nil {
		return err.Error()
	}
	for _, r := range s.world.Table.Rules {
		if first, _, _ := strings.Cut(r.Name(), " "); first == words[1] {
			why := s.machine.Why(rule.Peer(who), r.Name())
			slices.Sort(why)
			return strings.Join(slices.DeleteFunc(slices.Compact(why), func(w string) bool { return w == "" }), "; ")
		}
	}
	return "no such rule"
}
