package meter

import "github.com/prometheus/client_golang/prometheus"

// Registry is what a scrape reads.
func Registry(m *Meter) *prometheus.Registry { return m.registry }
