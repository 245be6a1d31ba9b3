package p2ptest

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/table"
)

// remembers is a testing.TB that remembers failures.
type remembers struct {
	testing.TB
	failed int
}

func (r *remembers) Helper()               {}
func (r *remembers) Errorf(string, ...any) { r.failed++ }

// TestMessageChecksFind has each check of messages find what it is for, and nothing else.
func TestMessageChecksFind(t *testing.T) {
	p, samples := counting(), countingSamples()
	good := make([]string, len(samples))
	for i, m := range samples {
		good[i] = hex.EncodeToString(FrameOf(m))
		require.NoError(t, Parse(p, m))
	}
	failures := func(check func(t testing.TB)) int {
		r := &remembers{TB: t}
		check(r)
		return r.failed
	}
	require.Zero(t, failures(func(t testing.TB) { Golden(t, samples, good...) }))
	good[0] += "00"
	require.Equal(t, 1, failures(func(t testing.TB) { Golden(t, samples, good...) }))
	require.Equal(t, 1, failures(func(t testing.TB) { Refused(t, p, map[string]table.Message{"fine": samples[0]}) }))
	state := p.Initial
	require.Zero(t, failures(func(t testing.TB) { Fits(t, p, samples[0], state) }))
	p.State(state).BytesMax = 1
	require.Equal(t, 1, failures(func(t testing.TB) { Fits(t, p, samples[0], state) }))
}
