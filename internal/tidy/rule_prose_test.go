package tidy

import "strings"

func prosePlants() map[string][]plant {
	readme := "-- README.md --\n# Kit\n\n```go\nx :=  f(1)\nuse(x)\n```\n\n```sh\nls\n```\n"
	guide := "-- docs/guide.md --\n\n```go\nx := f(1)\n```\n"
	return map[string][]plant{
		"readme": {
			{name: "snippet nowhere", tree: readme, want: []string{"README.md:3: write the Example"}},
			{name: "snippet in production only", tree: readme + "-- stm/x.go --\npackage stm\nfunc g() {\n\tx := f(1)\n\tuse(x)\n}\n", want: []string{"README.md:3: example_test.go"}},
			{name: "half of it", tree: readme + "-- stm/example_test.go --\npackage stm\nfunc g() {\n\tx := f(1)\n}\n", want: []string{"README.md:3: no example_test.go"}},
			{name: "snippet of a guide nowhere", tree: guide, want: []string{"docs/guide.md:2: no Go file"}},
			{name: "snippet of a guide in a main", tree: guide + "-- examples/x/main.go --\npackage main\nfunc g() {\n\tx := f(1)\n}\n"},
			{name: "snippet indented otherwise", tree: readme + "-- stm/example_test.go --\npackage stm\nfunc Example() {\n\tx := f(1)\n\tuse(x)\n}\n"},
		},
		"architecture": {
			{name: "251 lines", tree: "-- ARCHITECTURE.md --\n" + strings.Repeat("x\n", 251), want: []string{"ARCHITECTURE.md:251: at most 250"}},
			{name: "package left out", tree: "-- ARCHITECTURE.md --\n1 stm/pmap\nabout stm\n-- stm/x.go --\npackage stm\n", want: []string{"ARCHITECTURE.md:1: does not show stm"}},
			{name: "package on another floor", tree: "-- ARCHITECTURE.md --\n2 stm\n-- stm/x.go --\npackage stm\n", want: []string{"ARCHITECTURE.md:1: line of floor 1"}},

			{name: "250 lines", tree: "-- ARCHITECTURE.md --\n" + strings.Repeat("x\n", 250)},
			{name: "package shown, test helper not", tree: "-- ARCHITECTURE.md --\n1  env stm\n-- stm/x.go --\npackage stm\n-- stm/stmtest/x.go --\npackage stmtest\n"},
		},
	}
}
