package tidy

func processPlants() map[string][]plant {
	return map[string][]plant{
		"process": {
			{name: "init", tree: "package stm\n\nfunc init() {}\n", want: []string{"stm/x.go:3: constructor"}},
			{name: "os.Exit", tree: "package stm\nimport \"os\"\nfunc f() { os.Exit(1) }\n", want: []string{"stm/x.go:3: return an error"}},
			{name: "os/signal", tree: "package stm\nimport \"os/signal\"\n", want: []string{"stm/x.go:2: os/signal"}},
			{name: "log.Fatal", tree: "package stm\nimport \"log\"\nfunc f() { log.Fatalf(\"x\") }\n", want: []string{"stm/x.go:3: log.Fatalf"}},
			{name: "log.SetOutput", tree: "package stm\nimport \"log\"\nfunc f() { log.SetOutput(nil) }\n", want: []string{"stm/x.go:3: trace.Tracer"}},
			{name: "slog.SetDefault", tree: "package stm\nimport \"log/slog\"\nfunc f() { slog.SetDefault(nil) }\n", want: []string{"stm/x.go:3: slog.SetDefault"}},

			{name: "main", tree: "-- examples/a/x.go --\npackage main\nimport (\n\"os\"\n\"os/signal\"\n)\nfunc init() { signal.Stop(nil); os.Exit(1) }\n"},
			{name: "method named init", tree: "package stm\nfunc (t) init() {}\n"},
			{name: "Fatal of a value", tree: "package stm\nfunc f(log logger) { log.Fatal() }\n"},
			{name: "test", tree: "-- stm/x_test.go --\npackage stm\nfunc init() {}\n"},
		},
		"global": {
			{name: "value", tree: "package stm\n\nvar limit = 3\n", want: []string{"stm/x.go:3: package-level var limit"}},
			{name: "zero value in a group", tree: "package stm\nimport \"errors\"\nvar (\n\tErrA = errors.New(\"a\")\n\tpool sync.Pool\n)\n",
				want: []string{"stm/x.go:5: package-level var pool"}},
			{name: "error by name only", tree: "package stm\nvar ErrHook func()\n", want: []string{"stm/x.go:2: ErrHook"}},
			{name: "error by value only", tree: "package stm\nimport \"errors\"\nvar broken = errors.New(\"x\")\n", want: []string{"stm/x.go:3: broken"}},
			{name: "second of two", tree: "package stm\nvar _, n = f()\n", want: []string{"stm/x.go:2: package-level var n"}},

			{name: "sentinels", tree: "package stm\nimport (\n\"errors\"\n\"fmt\"\n)\nvar ErrA = errors.New(\"a\")\nvar errB = fmt.Errorf(\"b: %w\", ErrA)\n"},
			{name: "assertion", tree: "package stm\nvar _ I = (*T)(nil)\n"},
			{name: "constant", tree: "package stm\nconst limit = 3\n"},
			{name: "local variable", tree: "package stm\nfunc f() { var n int; _ = n }\n"},
			{name: "main", tree: "-- examples/a/x.go --\npackage main\nvar n int\n"},
			{name: "named in floors.txt", policy: plantPolicy + "allow global stm clock # one version clock a process\n", tree: "package stm\nvar clock int\n"},
		},
	}
}
