package stm

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// The tests of packages that live on transactions hear nothing from debug mode. It is switched on by a file that only
// these builds have.
func TestDebugLetsPackagesBe(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || !long.On() || raceEnabled {
		t.Skip("with -long, where there is a go command")
	}
	dir := t.TempDir()
	on, list := filepath.Join(dir, "on.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(on, []byte("package stm\n\nfunc init() { Debug() }\n"), 0o600))
	here, err := filepath.Abs("debug_on.go")
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{here: on}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(list, overlay, 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "test", "-overlay", list, "-vet=off", "-count=1", "-timeout=5m",
		"../env", "../registry", "../store", "../sync/cell", "../sync/event", "../sync/topic").CombinedOutput()
	require.NoError(t, err, string(out))
}
