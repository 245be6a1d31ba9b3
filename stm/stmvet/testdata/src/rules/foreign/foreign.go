// Package foreign uses another author's stm.
package foreign

import (
	"fmt"

	"other/stm"
)

func body(tx *stm.Tx) { fmt.Println() }
