package replica

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/stm"
)

// metrics are one node's, in a registry of their own: figures of the moment come from its queries, counts from its events.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synod_events_total", Help: "Trace events of the node, by component and kind.",
		}, []string{"component", "kind"}),
	}
	m.registry.MustRegister(m.events)
	return m
}

// count counts an event. Kinds come from a fixed set, never from a peer, so that their number is bounded.
func (m *metrics) count(component, kind string) { m.events.WithLabelValues(component, kind).Inc() }

// observe makes the node's queries part of the metrics.
func (m *metrics) observe(src *Replica) { m.registry.MustRegister(gauges{src}) }

// handler serves the metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// gauges reads a node once for each collection, so that its figures belong to one moment.
type gauges struct{ src *Replica }

// figures are the metrics made of a view.
func figures() []figure {
	return []figure{
		{"synod_height", "Number of the selected chain's last block.", prometheus.GaugeValue, func(v api.Status) float64 { return float64(v.Height) }},
		{"synod_slot", "Slot of the selected chain's last block.", prometheus.GaugeValue, func(v api.Status) float64 { return float64(v.Slot) }},
		{"synod_peers", "Peers that the node follows.", prometheus.GaugeValue, func(v api.Status) float64 { return float64(v.Peers) }},
		{"synod_rollbacks_total", "Moves of the selection that took blocks off it.", prometheus.CounterValue, func(v api.Status) float64 { return float64(v.Rollbacks) }},
		{"synod_violations_total", "Violations recorded against peers.", prometheus.CounterValue, func(v api.Status) float64 { return float64(v.Violations) }},
		{"synod_mempool_transfers", "Transfers that wait for a block.", prometheus.GaugeValue, func(v api.Status) float64 { return float64(v.Mempool.Count) }},
		{"synod_mempool_bytes", "Bytes of the transfers that wait for a block.", prometheus.GaugeValue, func(v api.Status) float64 { return float64(v.Mempool.Bytes) }},
		{"synod_forged_total", "Blocks made by this node.", prometheus.CounterValue, func(v api.Status) float64 { return float64(v.Forged) }},
	}
}

type figure struct {
	name, help string
	kind       prometheus.ValueType
	of         func(api.Status) float64
}

func (f figure) desc() *prometheus.Desc { return prometheus.NewDesc(f.name, f.help, nil, nil) }

// Describe names the metrics.
func (g gauges) Describe(out chan<- *prometheus.Desc) {
	for _, f := range figures() {
		out <- f.desc()
	}
}

// Collect reads the node. A node that has ended gives nothing.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	v, err := stm.Query(context.Background(), g.src.Status)
	if err != nil {
		return
	}
	for _, f := range figures() {
		out <- prometheus.MustNewConstMetric(f.desc(), f.kind, f.of(v))
	}
}
