package tally

import "github.com/synodkit/synod/stm"

// Lane is lane, for tests.
func Lane(tx *stm.Tx) uint64 { return lane(tx) % lanes }
