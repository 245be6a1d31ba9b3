package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func run(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = execute(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

func TestDropNamesTheConjunct(t *testing.T) {
	status, _, stderr := run("--family", "tendermint", "--drop", "L36 polka/2f+1 PREVOTE(h,r,v)")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "L36 polka/2f+1 PREVOTE(h,r,v)")
	require.Contains(t, stderr, "a polka")
}

func TestRefusals(t *testing.T) {
	for _, args := range [][]string{{"--family", "paxos"}, {"--drop", "nothing"}, {"--what"}, {"extra"}} {
		status, stdout, stderr := run(args...)
		require.Equal(t, 1, status, args)
		require.Empty(t, stdout)
		require.NotEmpty(t, stderr)
	}
}

func TestWhole(t *testing.T) {
	if !long.On() {
		t.Skip("takes minutes")
	}
	status, stdout, stderr := run()
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "conjuncts: ")
}
