package tendermint

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/internal/long"
)

// Three correct validators and a faulty one, two values: every state, whoever proposes in which round.
func TestExplore(t *testing.T) {
	for _, w := range []struct{ rounds, proposes, states, goals int }{
		{1, 0, 2212, 146}, {1, -1, 1384, 86},
		{2, 0, 1193173, 99058}, {2, 1, 956907, 73496}, {2, -1, 734225, 60106},
	} {
		if w.rounds > long.N(1, 2) {
			continue
		}
		r := explore.Run(World(Bounds{Rounds: w.rounds, Values: 2, Proposes: w.proposes}))
		require.NoError(t, r.Err)
		require.Equal(t, w.states, r.States, "%+v", w)
		require.Equal(t, w.goals, r.Goals, "%+v", w)
	}
}

// A validator that forgets its lock is found out after some hundred states.
func TestExploreFindsAForgottenLock(t *testing.T) {
	r := explore.Run(ForgetfulWorld(Bounds{Rounds: 2, Values: 2, Proposes: 1}))
	require.ErrorIs(t, r.Err, errLemma)
	require.Less(t, r.States, 1000)
}
