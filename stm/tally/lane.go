package tally

import (
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// lane is a number that is the same for the whole of a run and likely another for transactions that run at once: the
// place of the Tx, which is recycled by processor. Nothing can be seen of it but the absence of conflicts. In a
// simulation, where the choice would be, and where nothing runs at once, it is always 0.
func lane(tx *stm.Tx) uint64 {
	if seam.Running() && seam.OnTask() {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(tx))) >> 6 * 0x9e3779b97f4a7c15 >> 32
}
