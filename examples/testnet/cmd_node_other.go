//go:build !unix

package main

import (
	"errors"

	"github.com/synodkit/synod/registry"
)

func whenStdinCloses(*registry.Scope, func()) error {
	return errors.New("--until-stdin-closes: not on this system")
}
