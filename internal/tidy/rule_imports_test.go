package tidy

func importPlants() map[string][]plant {
	return map[string][]plant{
		"floor": {
			{name: "upward", tree: "package stm\n\nimport _ \"example.com/kit/env\"\n",
				want: []string{"stm/x.go:3: stm (floor 1) imports env (floor 2)"}},
			{name: "same floor", tree: "-- trace/x.go --\npackage trace\nimport _ \"example.com/kit/internal/seam\"\n",
				want: []string{"trace/x.go:2: floor 0"}},
			{name: "sibling of one family", tree: "-- p2p/chainsync/x.go --\npackage chainsync\nimport _ \"example.com/kit/p2p/blockfetch\"\n",
				want: []string{"p2p/chainsync/x.go:2: declare the small interface"}},
			{name: "hidden behind a build constraint", tree: "//go:build windows\n\npackage stm\n\nimport _ \"example.com/kit/env\"\n",
				want: []string{"stm/x.go:5: imports env"}},
			{name: "package without a floor", tree: "-- util/x.go --\npackage util\n",
				want: []string{"util/x.go:1: has no floor"}},
			{name: "import of a package without a floor", tree: "package stm\nimport _ \"example.com/kit/util\"\n",
				want: []string{"stm/x.go:2: imports util, which has no floor"}},
			{name: "test helper two floors up", tree: "-- registry/registrytest/x.go --\npackage registrytest\nimport _ \"example.com/kit/p2p/chainsync\"\n",
				want: []string{"registry/registrytest/x.go:2: floor 4"}},

			{name: "downward", tree: "-- p2p/x.go --\npackage p2p\nimport _ \"example.com/kit/env\"\n"},
			{name: "a test may import any floor", tree: "-- stm/x_test.go --\npackage stm_test\nimport _ \"example.com/kit/p2p\"\n"},
			{name: "test helper one floor up", tree: "-- registry/registrytest/x.go --\npackage registrytest\nimport (\n_ \"example.com/kit/registry\"\n_ \"example.com/kit/sim\"\n)\n"},
			{name: "nested module", tree: "-- bench/go.mod --\nmodule x\n-- bench/x.go --\npackage bench\n"},
			{name: "testdata", tree: "-- stm/testdata/x.go --\npackage nowhere\n"},
		},
		"thirdparty": {
			{name: "module not named", tree: "package stm\nimport _ \"example.com/uuid\"\n",
				want: []string{"stm/x.go:2: may not import example.com/uuid"}},
			{name: "module whose name begins alike", tree: "-- p2p/libp2p/x.go --\npackage libp2p\nimport _ \"example.com/libp2pextra\"\n",
				want: []string{"p2p/libp2p/x.go:2: example.com/libp2pextra"}},
			{name: "module named for a sibling", tree: "-- p2p/chainsync/x.go --\npackage chainsync\nimport _ \"example.com/libp2p/core\"\n",
				want: []string{"p2p/chainsync/x.go:2: leaf package"}},
			{name: "test library in production", tree: "package stm\nimport _ \"example.com/testify/require\"\n",
				want: []string{"stm/x.go:2: _test.go files only"}},
			{name: "test library in a test helper", tree: "-- p2p/p2ptest/x.go --\npackage p2ptest\nimport _ \"example.com/testify\"\n",
				want: []string{"p2p/p2ptest/x.go:2: _test.go files only"}},

			{name: "module named", tree: "-- p2p/libp2p/x.go --\npackage libp2p\nimport _ \"example.com/libp2p/core\"\n"},
			{name: "standard library", tree: "package stm\nimport _ \"encoding/json\"\n"},
			{name: "test library in a test", tree: "-- stm/x_test.go --\npackage stm\nimport _ \"example.com/testify/require\"\n"},
		},
		"sim": {
			{name: "production", tree: "-- p2p/x.go --\npackage p2p\nimport _ \"example.com/kit/sim\"\n",
				want: []string{"p2p/x.go:2: take time, randomness and tasks from env"}},
			{name: "part of it", tree: "-- examples/a/x.go --\npackage main\nimport _ \"example.com/kit/sim/simnet\"\n",
				want: []string{"examples/a/x.go:2: sim/simnet"}},

			{name: "test", tree: "-- p2p/x_test.go --\npackage p2p\nimport _ \"example.com/kit/sim\"\n"},
			{name: "part of the simulator", tree: "-- sim/simnet/x.go --\npackage simnet\nimport _ \"example.com/kit/sim\"\n"},
			{name: "test helper", tree: "-- p2p/p2ptest/x.go --\npackage p2ptest\nimport _ \"example.com/kit/sim\"\n"},
			{name: "a name that begins alike", tree: "-- p2p/x.go --\npackage p2p\nimport _ \"example.com/kit/simple\"\n"},
		},
		"helper": {
			{name: "production", tree: "-- p2p/x.go --\npackage p2p\nimport _ \"example.com/kit/registry/registrytest\"\n",
				want: []string{"p2p/x.go:2: registry/registrytest"}},
			{name: "test", tree: "-- p2p/x_test.go --\npackage p2p\nimport _ \"example.com/kit/registry/registrytest\"\n"},
			{name: "each other", tree: "-- p2p/p2ptest/x.go --\npackage p2ptest\nimport _ \"example.com/kit/registry/registrytest\"\n"},
			{name: "another module's", tree: "package stm\nimport _ \"testing/fstest\"\n"},
		},
		"gomod": {
			{name: "replace", tree: "-- go.mod --\nmodule example.com/kit\n\nreplace example.com/a => ../a\n",
				want: []string{"go.mod:3: nested module"}},
			{name: "replace block", tree: "-- go.mod --\nmodule example.com/kit\nreplace (\nexample.com/a => ../a\n)\n",
				want: []string{"go.mod:2: released version"}},
			{name: "comment", tree: "-- go.mod --\nmodule example.com/kit\n// replace nothing\n"},
		},
	}
}
