package tidy

import "fmt"

func worldPlants() map[string][]plant {
	world := []plant{
		{name: "function value", tree: "package stm\nimport \"time\"\nvar now = time.Now\n", want: []string{"stm/x.go:3: env.Now"}},
		{name: "renamed import", tree: "package stm\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }\n", want: []string{"stm/x.go:3: env.Sleep"}},
		{name: "dot import", tree: "package stm\nimport . \"time\"\nfunc f() { Sleep(1) }\n", want: []string{"stm/x.go:2: dot import"}},
		{name: "v2 of math/rand", tree: "package stm\nimport \"math/rand/v2\"\nfunc f() { rand.IntN(3) }\n", want: []string{"stm/x.go:3: env.Rand(ctx)"}},
		{name: "crypto/rand", tree: "package stm\nimport \"crypto/rand\"\n", want: []string{"stm/x.go:2: io.Reader"}},
		{name: "errgroup", tree: "package stm\nimport \"golang.org/x/sync/errgroup\"\n", want: []string{"stm/x.go:2: registry.Run"}},
		{name: "WaitGroup variable", tree: "package stm\nimport \"sync\"\nfunc f() {\n\tvar wg sync.WaitGroup\n\twg.Go(f)\n}\n",
			want: []string{"stm/x.go:5: (*registry.Scope).Go"}},
		{name: "WaitGroup field", tree: "package stm\nimport \"sync\"\ntype t struct{ tasks sync.WaitGroup }\nfunc (x *t) f() { x.tasks.Go(x.f) }\n",
			want: []string{"stm/x.go:4: sync.WaitGroup.Go"}},
		{name: "WaitGroup in another file", tree: "-- stm/a.go --\npackage stm\nimport \"sync\"\ntype t struct{ tasks *sync.WaitGroup }\n-- stm/b.go --\npackage stm\nfunc (x *t) f() { x.tasks.Go(x.f) }\n",
			want: []string{"stm/b.go:2: sync.WaitGroup.Go"}},
		{name: "WaitGroup literal", tree: "package stm\nimport \"sync\"\nfunc f() {\n\twg := &sync.WaitGroup{}\n\twg.Go(f)\n}\n",
			want: []string{"stm/x.go:5: sync.WaitGroup.Go"}},

		{name: "WaitGroup unnamed", tree: "package stm\nimport \"sync\"\nfunc f() { new(sync.WaitGroup).Go(f) }\n", want: []string{"stm/x.go:3: sync.WaitGroup.Go"}},
		{name: "WaitGroup's method as a function", tree: "package stm\nimport \"sync\"\nvar start = (*sync.WaitGroup).Go\n", want: []string{"stm/x.go:3: sync.WaitGroup.Go"}},
		{name: "WaitGroup embedded", tree: "package stm\nimport \"sync\"\ntype t struct{ sync.WaitGroup }\n", want: []string{"stm/x.go:3: give the field a name"}},
		{name: "dot import of a generator", tree: "package stm\nimport . \"math/rand\"\nvar n = Int()\n", want: []string{"stm/x.go:2: dot import of math/rand"}},

		{name: "types and durations", tree: "package stm\nimport \"time\"\nfunc f(t time.Time, d time.Duration) time.Time { return t.Add(d * time.Second) }\n"},
		{name: "variable that shadows the package", tree: "package stm\nimport _ \"time\"\nfunc f(time interface{ Now() }) { time.Now() }\n"},
		{name: "generator with a source of its own", tree: "package stm\nimport \"math/rand/v2\"\nfunc f() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }\n"},
		{name: "context values that wait for nothing", tree: "package stm\nimport \"context\"\nfunc f(ctx context.Context) error { return context.Cause(ctx) }\n"},
		{name: "WaitGroup waited for", tree: "package stm\nimport \"sync\"\nfunc f(s scope) {\n\tvar wg sync.WaitGroup\n\twg.Add(1)\n\twg.Wait()\n\ts.Go(f)\n}\n"},
		{name: "main", tree: "-- examples/a/x.go --\npackage main\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"},
		{name: "test", tree: "-- stm/x_test.go --\npackage stm\nimport \"time\"\nfunc f() { time.Now() }\n"},
		{name: "named adapter", policy: plantPolicy + "allow world p2p/libp2p time.Now # a socket's deadline is in its own time\n",
			tree: "-- p2p/libp2p/x.go --\npackage libp2p\nimport \"time\"\nvar t = time.Now()\n"},
	}
	for _, call := range []string{
		"time.Now", "time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick", "time.Since", "time.Until",
		"context.WithCancel", "context.WithCancelCause", "context.WithTimeout", "context.WithDeadline", "context.WithValue", "context.WithoutCancel", "context.AfterFunc",
		"rand.Int", "rand.Shuffle", "rand.Seed",
	} {
		world = append(world, plant{
			name: call,
			tree: fmt.Sprintf("package stm\nimport (\n\"context\"\n\"math/rand\"\n\"time\"\n)\nfunc f() {\n\t%s()\n}\n", call),
			want: []string{"stm/x.go:8: use env."},
		})
	}
	return map[string][]plant{
		"world": world,
		"sleep": {
			{name: "test", tree: "-- stm/x_test.go --\npackage stm\nimport \"time\"\nfunc f() { time.Sleep(1) }\n", want: []string{"stm/x_test.go:3: wait for the thing itself"}},
			{name: "a time limit", tree: "-- stm/x_test.go --\npackage stm\nimport \"time\"\nvar limit = time.After(time.Minute)\n"},
			{name: "main", tree: "-- examples/a/x.go --\npackage main\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"},
		},
	}
}
