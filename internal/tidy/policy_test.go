package tidy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyErrors(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"floor without a package":    {"3", "want: floor package"},
		"unknown word":               {"permit go registry go", `unknown word "permit"`},
		"exception without a name":   {"allow go registry # why", "want: allow rule package names"},
		"exception without a reason": {"allow go registry go", "needs its reason"},
		"binding without a package":  {"bind protocol", "want: bind rule packages"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy("\n# head\n" + c.line + "\n")
			require.ErrorContains(t, err, "floors.txt:3: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestPolicyFloor(t *testing.T) {
	p, err := ParsePolicy("5 p2p/...\n6 p2p/deep/... example.com/a\n4 p2p\n3 store\n")
	require.NoError(t, err)
	for dir, want := range map[string]int{
		"p2p": 4, "p2p/chainsync": 5, "p2p/deep/x": 6, "p2p/deep": 5,
		"p2p/p2ptest": 5, "store/storetest": 4, "p2p/chainsync/cstest": 6,
	} {
		n, ok := p.Floor(dir)
		require.True(t, ok, dir)
		require.Equal(t, want, n, dir)
	}
	for _, dir := range []string{"store/pebble", "p2px", "x/xtest"} {
		_, ok := p.Floor(dir)
		require.False(t, ok, dir)
	}
	require.Equal(t, []string{"example.com/a"}, p.Modules("p2p/deep/x"))
}

func TestUnneededException(t *testing.T) {
	p, err := ParsePolicy("allow go registry go # tasks\nallow go sim go # engine\n")
	require.NoError(t, err)
	require.True(t, p.Allows("go", "sim", "go"))
	require.False(t, p.Allows("go", "stm", "go"))
	unneeded := p.Unneeded()
	require.Len(t, unneeded, 1)
	require.Equal(t, "internal/tidy/floors.txt:1: go: nothing needs this exception any more: remove the line", unneeded[0].String())
}

func TestReadReportsSyntaxErrors(t *testing.T) {
	_, err := Read(planted("package stm\nfunc {\n"))
	require.ErrorContains(t, err, "stm/x.go:2")
}
