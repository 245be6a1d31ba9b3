package assure

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// Short: the small worlds, in which most conjuncts are killed. Long: everything.
func TestMutants(t *testing.T) {
	if long.On() {
		require.NoError(t, Run(context.Background(), t.Output(), ""))
		return
	}
	score, err := explore.Mutate(worlds(small())...)
	require.NoError(t, err)
	require.Zero(t, score.Count(explore.Panics))
	require.Zero(t, score.Count(explore.Alive))
	require.GreaterOrEqual(t, score.Count(explore.Killed), 18)
}

func TestDrop(t *testing.T) {
	for _, name := range []string{"L36 polka/2f+1 PREVOTE(h,r,v)", "L49 decide/2f+1 PRECOMMIT(h,r',v)", "L10 start/step = waiting", "L22 new proposal/step = propose"} {
		require.ErrorContains(t, Run(context.Background(), io.Discard, name), name)
	}
	require.ErrorContains(t, Run(context.Background(), io.Discard, "no rule/at all"), "no conjunct")
}

func TestForgottenInACrash(t *testing.T) {
	if long.On() {
		t.Skip("part of TestMutants")
	}
	require.NoError(t, crashes(context.Background(), t.Output(), forgotten()[:3]))
}
