package tidy

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// architectureLinesMax is what can be read in one sitting.
const architectureLinesMax = 250

func architectureRule() Rule {
	const name = "ARCHITECTURE.md"
	return Rule{
		Name:  "architecture",
		Holds: "ARCHITECTURE.md has at most 250 lines and shows every package on its floor",
		Tree: func(p *Pass) {
			text := p.Tree.Prose[name]
			if n := strings.Count(text, "\n"); n > architectureLinesMax {
				p.ReportLine(name, n, "%d lines, at most %d: move detail into the doc.go it belongs to", n, architectureLinesMax)
			}
			drawn := drawnFloors(text)
			for _, pkg := range p.Tree.Packages {
				floor, ok := p.Policy.Floor(pkg.Dir)
				if at, shown := drawn[pkg.Dir]; ok && (!shown || at != floor) && !pkg.IsTestHelper() {
					p.ReportLine(name, 1, "does not show %s: add it to the line of floor %d", pkg.Dir, floor)
				}
			}
		},
	}
}

// drawnFloors reads the lines "floor package package..." of a drawing.
func drawnFloors(text string) map[string]int {
	drawn := map[string]int{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		floor, err := strconv.Atoi(words[0])
		if err != nil {
			continue
		}
		for _, w := range words[1:] {
			drawn[w] = floor
		}
	}
	return drawn
}

func readmeRule() Rule {
	return Rule{
		Name:  "readme",
		Holds: "every Go snippet in README.md is part of an Example that is compiled and run, every one in docs part of a Go file",
		Tree: func(p *Pass) {
			var examples, files []string
			for _, pkg := range p.Tree.Packages {
				for _, f := range pkg.Files {
					text := words(string(f.Src))
					files = append(files, text)
					if f.Test && strings.HasPrefix(path.Base(f.Path), "example") {
						examples = append(examples, text)
					}
				}
			}
			for _, name := range slices.Sorted(maps.Keys(p.Tree.Prose)) {
				switch {
				case name == "README.md":
					p.compiled(name, examples, "this snippet stands in no example_test.go: write the Example and copy it from there")
				case path.Dir(name) == "docs":
					p.compiled(name, files, "this snippet stands in no Go file: copy it from one that is compiled")
				}
			}
		},
	}
}

// compiled reports the snippets of a text that are in none of the sources.
func (p *Pass) compiled(name string, sources []string, problem string) {
	for _, s := range snippets(p.Tree.Prose[name]) {
		if !anyContains(sources, words(s.code)) {
			p.ReportLine(name, s.line, "%s", problem)
		}
	}
}

type snippet struct {
	line int
	code string
}

// snippets are the ```go blocks of a Markdown text.
func snippets(text string) []snippet {
	var all []snippet
	open, line := false, 0
	for raw := range strings.Lines(text) {
		line++
		switch mark := strings.TrimSpace(raw); {
		case mark == "```go":
			open = true
			all = append(all, snippet{line: line})
		case mark == "```":
			open = false
		case open:
			all[len(all)-1].code += raw
		}
	}
	return all
}

// words is text with every run of white space made one space, so that a snippet
// may be indented otherwise than its Example.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

func anyContains(texts []string, part string) bool {
	for _, t := range texts {
		if strings.Contains(t, part) {
			return true
		}
	}
	return false
}
