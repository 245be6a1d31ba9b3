package explore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// The planted bug: a lock that is not looked at.
func TestForgottenLockIsFound(t *testing.T) {
	r := explore.Run(tendWorld(true, rule.Durable[at]))
	require.ErrorIs(t, r.Err, errAgreement)
	var v *explore.Violation
	require.ErrorAs(t, r.Err, &v)
	require.Len(t, v.Story, 13, "breadth first: no shorter story is known")
}

// Durability marks are tested by crashes: a lock in memory breaks agreement, a durable one does not.
func TestVolatileLockIsFound(t *testing.T) {
	w := tendWorld(false, rule.Volatile[at])
	w.Crashes = 1
	r := explore.Run(w)
	require.ErrorIs(t, r.Err, errAgreement)
	var v *explore.Violation
	require.ErrorAs(t, r.Err, &v)
	require.Len(t, v.Story, 14)
}
