package api

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// FuzzSpan: no query panics, and what passes is within the limits.
func FuzzSpan(f *testing.F) {
	f.Add("from=1&limit=1000")
	f.Add("from=%zz;limit")
	f.Fuzz(func(t *testing.T, query string) {
		from, limit, err := span(query)
		if err != nil {
			return
		}
		require.NotZero(t, from)
		require.True(t, limit >= 1 && limit <= BlocksMax)
	})
}

// FuzzReason: whatever answers, the reason is short and printable.
func FuzzReason(f *testing.F) {
	f.Add(400, []byte(`{"error":"\u001b[2J"}`))
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		text := reason(status, raw).Error()
		require.LessOrEqual(t, len(text), reasonMax*3+50)
		for _, r := range text {
			require.False(t, unicode.IsControl(r))
		}
	})
}
