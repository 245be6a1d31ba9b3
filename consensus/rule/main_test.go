package rule_test

import (
	"testing"

	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }
