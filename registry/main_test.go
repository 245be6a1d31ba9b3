package registry_test

import (
	"testing"

	"github.com/synodkit/synod/registry/registrytest"
)

// The leaks that leakprofile_test.go plants do not count.
func TestMain(m *testing.M) {
	registrytest.NoLeaks(m, "registry_test.TestLeakProfile", "registry_test.waitsFor")
}
