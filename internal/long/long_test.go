package long_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

func ExampleN() {
	seeds := long.N(3, 1_000_000)
	for seed := range seeds {
		_ = seed // one run of the check
	}
	fmt.Println(seeds > 0)
	// Output: true
}

// TestN sets the flag both ways, so it holds whichever way the run was started.
func TestN(t *testing.T) {
	f := flag.Lookup("long")
	require.NotNil(t, f, "importing the package registers -long")
	before := f.Value.String()
	defer func() { require.NoError(t, f.Value.Set(before)) }()

	require.NoError(t, f.Value.Set("false"))
	require.False(t, long.On())
	require.Equal(t, 2, long.N(2, 9))

	require.NoError(t, f.Value.Set("true"))
	require.True(t, long.On())
	require.Equal(t, 9, long.N(2, 9))
}
