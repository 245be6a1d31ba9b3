package tail

import (
	"fmt"

	"github.com/synodkit/synod/stm"
)

// Log is lines that only grow. Any goroutine may use it, within transactions.
type Log struct{ lines *stm.Var[[]string] }

// NewLog is an empty log.
func NewLog() *Log { return &Log{stm.NewVar[[]string](nil).Label("tail.log")} }

// Append adds a line, of at most 1 KiB.
func (l *Log) Append(tx *stm.Tx, line string) error {
	if len(line) > lineBytesMax {
		return fmt.Errorf("tail: a line of %d bytes, at most %d", len(line), lineBytesMax)
	}
	old := l.lines.Get(tx)
	l.lines.Set(tx, append(old[:len(old):len(old)], line))
	return nil
}

// from is at most most lines from the one with that number on; none if there is no such line yet.
func (l *Log) from(tx *stm.Tx, first uint64, most int) []string {
	all := l.lines.Get(tx)
	if first >= uint64(len(all)) {
		return nil
	}
	all = all[first:]
	return all[:min(most, len(all))]
}
