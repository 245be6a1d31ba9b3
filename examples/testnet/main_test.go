package main

import (
	"os"
	"testing"

	"github.com/synodkit/synod/registry/registrytest"
)

// childMark tells a process of this test binary that it is to be the program itself: that is how tests start nodes as processes.
const childMark = "SYNOD_TESTNET_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		main()
	}
	if err := os.Setenv(childMark, "1"); err != nil { // every process started from here on is one
		panic(err)
	}
	registrytest.NoLeaks(m)
}
