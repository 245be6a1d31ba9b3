package peers

import "github.com/synodkit/synod/stm"

// Owed counts the peers that are to be disconnected.
func (l *Ledger) Owed(tx *stm.Tx) int { return l.owed.Len(tx) }
