package tally

import "github.com/synodkit/synod/stm"

// Lane is the part that a transaction adds to.
func Lane(tx *stm.Tx) uint64 { return tx.Lane() % lanes }
