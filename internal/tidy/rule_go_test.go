package tidy

func goPlants() map[string][]plant {
	allowed := plantPolicy + "allow go registry go # tasks start here\nallow context registry context # scopes\n"
	return map[string][]plant{
		"go": {
			{name: "call", tree: "package stm\n\nfunc f() {\n\tgo f()\n}\n", want: []string{"stm/x.go:4: (*registry.Scope).Go"}},
			{name: "closure in a main", tree: "-- examples/a/x.go --\npackage main\nfunc main() { go func() {}() }\n",
				want: []string{"examples/a/x.go:2: go statement"}},
			{name: "beside the named package", policy: allowed, tree: "-- registry/registrytest/x.go --\npackage registrytest\nfunc f() { go f() }\n",
				want: []string{"registry/registrytest/x.go:2: go statement"}},

			{name: "named in floors.txt", policy: allowed, tree: "-- registry/x.go --\npackage registry\nfunc f() { go f() }\n"},
			{name: "test", tree: "-- stm/x_test.go --\npackage stm\nfunc f() { go f() }\n"},
			{name: "a method named Go", tree: "package stm\nfunc f(s interface{ Go(func()) }) { s.Go(func() {}) }\n"},
		},
		"context": {
			{name: "field", tree: "package stm\nimport \"context\"\ntype t struct {\n\tctx context.Context\n}\n",
				want: []string{"stm/x.go:4: pass ctx to the call"}},
			{name: "embedded", tree: "package stm\nimport \"context\"\ntype t struct{ context.Context }\n",
				want: []string{"stm/x.go:3: context.Context in a struct"}},
			{name: "renamed import", tree: "package stm\nimport c \"context\"\ntype t struct{ x c.Context }\n",
				want: []string{"stm/x.go:3: context.Context in a struct"}},
			{name: "inside a map", tree: "package stm\nimport \"context\"\ntype t struct{ x map[string][]context.Context }\n",
				want: []string{"stm/x.go:3: context.Context in a struct"}},
			{name: "type argument", tree: "package stm\nimport \"context\"\ntype t struct{ x Var[context.Context] }\n",
				want: []string{"stm/x.go:3: context.Context in a struct"}},
			{name: "struct in a struct, once", tree: "package stm\nimport \"context\"\ntype t struct{ x struct{ y context.Context } }\n",
				want: []string{"stm/x.go:3: context.Context in a struct"}},

			{name: "function that takes one", tree: "package stm\nimport \"context\"\ntype t struct{ f func(context.Context) error }\n"},
			{name: "parameter", tree: "package stm\nimport \"context\"\nfunc f(ctx context.Context) {}\n"},
			{name: "cancel function", tree: "package stm\nimport \"context\"\ntype t struct{ stop context.CancelFunc }\n"},
			{name: "named in floors.txt", policy: allowed, tree: "-- registry/x.go --\npackage registry\nimport \"context\"\ntype t struct{ c context.Context }\n"},
		},
	}
}
