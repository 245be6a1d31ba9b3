//go:build !goexperiment.goroutineleakprofile

package registry_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// The runtime's leak profile needs a standard library that is built for it, which takes a while.
func TestLeakProfile(t *testing.T) {
	if !long.On() {
		t.Skip("the long form builds the standard library anew")
	}
	c := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "^TestLeakProfile", ".")
	c.Env = append(os.Environ(), "GOEXPERIMENT=goroutineleakprofile")
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
}
