package event_test

import (
	"context"
	"testing"

	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func simulate(seed uint64, scenario func(ctx context.Context) error) (uint64, error) {
	r := sim.Run(seed, scenario)
	return r.Hash, r.Err
}
