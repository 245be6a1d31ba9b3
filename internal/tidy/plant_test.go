package tidy

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// plant is a small tree with or without a violation of one rule.
type plant struct {
	name   string
	tree   string   // files after "-- path --" lines; a text without any is stm/x.go
	policy string   // instead of plantPolicy
	want   []string // of each finding: "file:line: " and a part of its text; none for a near miss
}

// plantPolicy is a house of the same shape as ours.
const plantPolicy = `
7 examples/...
5 p2p/...
5 p2p/libp2p example.com/libp2p
4 p2p
4 sim
3 registry
2 env
1 stm
0 internal/seam
0 trace
tests example.com/testify
bind protocol p2p p2p/...
`

// rulePlants are the plants of each rule, one file of them beside each rule file.
func rulePlants() map[string][]plant {
	all := map[string][]plant{}
	for _, group := range []map[string][]plant{
		importPlants(), goPlants(), worldPlants(), protocolPlants(), processPlants(), sizePlants(), docPlants(), prosePlants(), leaksPlants(),
	} {
		for rule, plants := range group {
			all[rule] = append(all[rule], plants...)
		}
	}
	return all
}

// TestPlanted holds every rule to its plants: it reports each violation, where it
// stands, and nothing in a near miss.
func TestPlanted(t *testing.T) {
	plants := rulePlants()
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			violations, misses := 0, 0
			for _, pl := range plants[rule.Name] {
				if len(pl.want) > 0 {
					violations++
				} else {
					misses++
				}
				t.Run(pl.name, func(t *testing.T) { pl.check(t, rule) })
			}
			require.Positive(t, violations, "a rule without a planted violation proves nothing")
			require.Positive(t, misses, "a rule without a near miss may report everything")
		})
		delete(plants, rule.Name)
	}
	require.Empty(t, plants, "plants of no rule")
}

func (pl plant) check(t *testing.T, rule Rule) {
	policy := plantPolicy
	if pl.policy != "" {
		policy = pl.policy
	}
	p, err := ParsePolicy(policy)
	require.NoError(t, err)
	tree, err := Read(planted(pl.tree))
	require.NoError(t, err)
	require.NotEmpty(t, tree.Module)

	found := Check(tree, p, []Rule{rule})
	require.Len(t, found, len(pl.want), "%v", found)
	for i, want := range pl.want {
		place, part, _ := strings.Cut(want, ": ")
		got := found[i].String()
		require.True(t, strings.HasPrefix(got, place+": "+rule.Name+": "), "%s\nstands not at %s", got, place)
		require.Contains(t, found[i].Text, part)
	}
}

// planted is the file system that a plant's text describes.
func planted(text string) fstest.MapFS {
	files := fstest.MapFS{"go.mod": {Data: []byte("module example.com/kit\n")}}
	if !strings.Contains(text, "-- ") {
		text = "-- stm/x.go --\n" + text
	}
	name := ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(strings.TrimSpace(rest), " --")
			files[name] = &fstest.MapFile{}
		} else if name != "" {
			files[name].Data = append(files[name].Data, line...)
		}
	}
	return files
}
