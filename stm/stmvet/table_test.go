package main

import (
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
)

const module = "github.com/synodkit/synod"

// What the analyzer needs, and what names alone do.
const (
	typesOnly  = packages.NeedName | packages.NeedTypes | packages.NeedImports
	withSyntax = typesOnly | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedTypesSizes | packages.NeedTypesInfo |
		packages.NeedSyntax | packages.NeedModule
)

// A line that could be left out without a fixture noticing is one that no fixture tests.
func TestFixturesNeedEveryLineOfTheTable(t *testing.T) {
	fixtures := load(t, &packages.Config{Mode: withSyntax, Dir: filepath.Join(analysistest.TestData(), "src"), Env: gopath()}, "rules/...")
	all := findings(t, fixtures, parseTable(table))
	require.NotEmpty(t, all)
	var idle []string
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i, l := range lines {
		without := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n")
		if l != "" && slices.Equal(all, findings(t, fixtures, parseTable(without))) {
			idle = append(idle, l)
		}
	}
	require.Empty(t, idle, "no fixture needs these lines")
}

// The table names what there is: a misspelt name, or one that has moved, would be a silent hole.
func TestTableNamesExist(t *testing.T) {
	var paths []string
	parsed := parseTable(table)
	for path := range parsed {
		paths = append(paths, strings.Replace(path, "~", module, 1))
	}
	var missing []string
	for _, p := range load(t, &packages.Config{Mode: typesOnly}, paths...) {
		there := functions(p.Types)
		for _, k := range parsed[strings.Replace(p.PkgPath, module, "~", 1)] {
			for _, n := range k.names {
				one := known{names: []string{strings.TrimLeft(n, "-^")}}
				if !slices.ContainsFunc(there, func(name string) bool { _, ok := one.match(name); return ok }) {
					missing = append(missing, p.PkgPath+": "+n)
				}
			}
		}
	}
	require.Empty(t, missing)
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		names, name string
		foreign, ok bool
	}{
		{"Now", "Now", false, true},
		{"Now", "Nowhere", false, false},
		{"Print*", "Println", false, true},
		{"Print*", "Printer.Close", false, false},
		{"* -New", "New", false, false},
		{"* -New", "Newer", false, true},
		{"-Conn.Addr Conn.*", "Conn.Addr", false, false},
		{"Conn.*", "Conn.Read", false, true},
		{"* ^Rand.*", "Rand.N", true, true},
		{"* ^Rand.*", "N", false, true},
	} {
		foreign, ok := known{names: strings.Fields(c.names)}.match(c.name)
		require.Equal(t, [2]bool{c.foreign, c.ok}, [2]bool{foreign, ok}, "%s in %s", c.name, c.names)
	}
	require.Panics(t, func() { parseTable("io os") })
}

func load(t *testing.T, cfg *packages.Config, patterns ...string) []*packages.Package {
	t.Helper()
	pkgs, err := packages.Load(cfg, patterns...)
	require.NoError(t, err)
	require.NotEmpty(t, pkgs)
	for _, p := range pkgs {
		require.Empty(t, p.Errors, p.PkgPath)
	}
	return pkgs
}

// findings lists what the analyzer says about packages if it knows certain calls.
func findings(t *testing.T, pkgs []*packages.Package, known calls) (all []string) {
	t.Helper()
	g, err := checker.Analyze([]*analysis.Analyzer{build(known)}, pkgs, nil)
	require.NoError(t, err)
	for _, r := range g.Roots {
		require.NoError(t, r.Err)
		for _, d := range r.Diagnostics {
			all = append(all, r.Package.Fset.Position(d.Pos).String()+d.Message)
		}
	}
	return all
}

// functions lists the functions and methods of a package by their names in the table.
func functions(p *types.Package) (names []string) {
	for _, name := range p.Scope().Names() {
		switch obj := p.Scope().Lookup(name).(type) {
		case *types.Func:
			names = append(names, name)
		case *types.TypeName:
			set := types.NewMethodSet(types.NewPointer(obj.Type()))
			if types.IsInterface(obj.Type()) {
				set = types.NewMethodSet(obj.Type())
			}
			for m := range set.Methods() {
				names = append(names, nameOf(m.Obj().(*types.Func)))
			}
		}
	}
	return names
}
