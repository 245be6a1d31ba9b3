package tidy

func protocolPlants() map[string][]plant {
	in := func(body string) string { return "-- p2p/chainsync/x.go --\npackage chainsync\n" + body + "\n" }
	return map[string][]plant{"protocol": {
		{name: "sync", tree: in(`import "sync"`), want: []string{"p2p/chainsync/x.go:2: import sync in a protocol package"}},
		{name: "sync/atomic", tree: in(`import "sync/atomic"`), want: []string{"p2p/chainsync/x.go:2: import sync/atomic"}},
		{name: "channel type", tree: in(`type t struct{ c <-chan int }`), want: []string{"p2p/chainsync/x.go:2: a channel type"}},
		{name: "channel made", tree: in(`var c = make(chan int)`), want: []string{"p2p/chainsync/x.go:2: a channel type"}},
		{name: "select", tree: in(`func f() { select {} }`), want: []string{"p2p/chainsync/x.go:2: a select"}},
		{name: "send", tree: in(`func f(x t) { x.c <- 1 }`), want: []string{"p2p/chainsync/x.go:2: a channel send"}},
		{name: "receive", tree: in(`func f(ctx context) { <-ctx.Done() }`), want: []string{"p2p/chainsync/x.go:2: a channel receive"}},
		{name: "the family's head", tree: "-- p2p/x.go --\npackage p2p\nimport \"sync\"\n", want: []string{"p2p/x.go:2: stm.Vars"}},

		{name: "our own sync packages", tree: in(`import "example.com/kit/sync/queue"`)},
		{name: "no protocol package", tree: "-- stm/x.go --\npackage stm\nimport \"sync\"\nfunc f(c chan int) { c <- 1 }\n"},
		{name: "arithmetic", tree: in(`func f(a, b int) bool { return a < -b && &a != nil }`)},
		{name: "test", tree: "-- p2p/x_test.go --\npackage p2p\nimport \"sync\"\n"},
		{name: "named adapter", policy: plantPolicy + "allow protocol p2p/libp2p * # a leaf adapter blocks in the operating system\n",
			tree: "-- p2p/libp2p/x.go --\npackage libp2p\nimport \"sync\"\n"},
	}}
}
