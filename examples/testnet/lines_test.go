package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestLineWriter: however the text is cut into writes, the lines are the same; the last is whole only with its end, and none is longer than the bound.
func TestLineWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab\n]{0,60}`).Draw(t, "text")
		var got []string
		w := &lineWriter{each: func(line []byte) { got = append(got, string(line)) }}
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			wrote, err := w.Write([]byte(rest[:n]))
			require.NoError(t, err)
			require.Equal(t, n, wrote)
			rest = rest[n:]
		}
		want := strings.Split(text, "\n")
		require.Equal(t, want[:len(want)-1], append([]string{}, got...))
	})
	var longest int
	w := &lineWriter{each: func(line []byte) { longest = len(line) }}
	_, _ = w.Write([]byte(strings.Repeat("x", 3*lineMax)))
	_, _ = w.Write([]byte("more\n"))
	require.Equal(t, lineMax, longest)
}
