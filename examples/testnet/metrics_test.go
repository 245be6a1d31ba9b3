package main

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetrics(t *testing.T) {
	scrape := func(m *metrics) string {
		w := httptest.NewRecorder()
		m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		require.Equal(t, 200, w.Code)
		return w.Body.String()
	}
	m := newMetrics()
	m.observe(fakeSource{})
	m.count("chainsel", "extended")
	m.count("chainsel", "extended")
	body := scrape(m)
	require.Contains(t, body, "synod_height 4\n")
	require.Contains(t, body, "synod_peers 1\n")
	require.Contains(t, body, `synod_events_total{component="chainsel",kind="extended"} 2`)

	ended := newMetrics()
	ended.observe(fakeSource{errors.New("ended")})
	require.NotContains(t, scrape(ended), "synod_height")
}
