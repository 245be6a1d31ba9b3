package tidy

func leaksPlants() map[string][]plant {
	const kit = "import \"example.com/kit/registry/registrytest\"\n"
	return map[string][]plant{
		"leaks": {
			{name: "no TestMain", tree: "-- stm/x_test.go --\npackage stm\n", want: []string{"stm/x_test.go:1: add func TestMain"}},
			{name: "TestMain without it", tree: "-- stm/x_test.go --\npackage stm\nfunc TestMain(m *testing.M) { m.Run() }\n", want: []string{"stm/x_test.go:1: tests of stm"}},
			{name: "not in TestMain", tree: "-- stm/x_test.go --\npackage stm\n" + kit + "func TestX(m *testing.M) { registrytest.NoLeaks(m) }\n",
				want: []string{"stm/x_test.go:1: leave goroutines"}},
			{name: "a method", tree: "-- stm/x_test.go --\npackage stm\n" + kit + "func (t) TestMain(m *testing.M) { registrytest.NoLeaks(m) }\n",
				want: []string{"stm/x_test.go:1: leave goroutines"}},
			{name: "of another package", tree: "-- stm/x_test.go --\npackage stm\nimport \"example.com/leak/registrytest\"\nfunc TestMain(m *testing.M) { registrytest.NoLeaks(m) }\n",
				want: []string{"stm/x_test.go:1: leave goroutines"}},
			{name: "its own elsewhere", tree: "-- stm/x_test.go --\npackage stm\nfunc TestMain(m *testing.M) { NoLeaks(m) }\n", want: []string{"stm/x_test.go:1: leave"}},
			{name: "named and not called", tree: "-- stm/x_test.go --\npackage stm\n" + kit + "func TestMain(m *testing.M) { _ = registrytest.NoLeaks }\n",
				want: []string{"stm/x_test.go:1: leave goroutines"}},

			{name: "without tests", tree: "package stm\n"},
			{name: "in one of several files", tree: "-- stm/a_test.go --\npackage stm\n-- stm/b_test.go --\npackage stm_test\n" + kit +
				"func TestMain(m *testing.M) { registrytest.NoLeaks(m, \"x\") }\n"},
			{name: "under another name", tree: "-- stm/x_test.go --\npackage stm\nimport rt \"example.com/kit/registry/registrytest\"\nfunc TestMain(m *testing.M) { rt.NoLeaks(m) }\n"},
			{name: "after a preparation", tree: "-- stm/x_test.go --\npackage stm\n" + kit + "func TestMain(m *testing.M) { prepare(); registrytest.NoLeaks(m) }\n"},
			{name: "the kit itself", tree: "-- registry/registrytest/x_test.go --\npackage registrytest\nfunc TestMain(m *testing.M) { NoLeaks(m) }\n"},
		},
	}
}
