package proptest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/sync/prop"
)

func TestLinearizable(t *testing.T) {
	m := Kit{}.model(prop.Props{Order: prop.FIFO, Capacity: 2, Full: prop.Waits}, 1)
	puts := func(v int, begin, end int64) Call { return Call{0, op{kind: put, value: v}, result{}, begin, end} }
	takes := func(v int, begin, end int64) Call { return Call{0, op{kind: take}, result{value: v}, begin, end} }
	waits := func(begin, end int64) Call { return Call{0, op{kind: take}, result{err: errWaits}, begin, end} }

	for name, c := range map[string]struct {
		calls []Call
		want  bool
	}{
		"one after the other":           {[]Call{puts(1, 1, 2), puts(2, 3, 4), takes(1, 5, 6), takes(2, 7, 8)}, true},
		"overlapping puts, either way":  {[]Call{puts(1, 1, 4), puts(2, 2, 3), takes(2, 5, 6), takes(1, 7, 8)}, true},
		"overtaken":                     {[]Call{puts(1, 1, 2), puts(2, 3, 4), takes(2, 5, 6), takes(1, 7, 8)}, false},
		"taken before it was put":       {[]Call{takes(1, 1, 2), puts(1, 3, 4)}, false},
		"taken while it was put":        {[]Call{takes(1, 1, 3), puts(1, 2, 4)}, true},
		"taken twice":                   {[]Call{puts(1, 1, 2), takes(1, 3, 5), takes(1, 4, 6)}, false},
		"seen empty after a put":        {[]Call{puts(1, 1, 2), waits(3, 4)}, false},
		"seen empty while it was put":   {[]Call{puts(1, 1, 4), waits(2, 3)}, true},
		"seen empty after it was taken": {[]Call{puts(1, 1, 2), takes(1, 3, 4), waits(5, 6)}, true},
		"three in two places":           {[]Call{puts(1, 1, 2), puts(2, 1, 2), puts(3, 1, 2)}, false},
		"a cycle":                       {[]Call{puts(1, 1, 2), puts(2, 3, 4), takes(2, 5, 10), takes(1, 11, 12), waits(6, 7)}, false},
	} {
		require.Equal(t, c.want, linearizable(m, c.calls), name)
	}
}
