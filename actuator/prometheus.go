package actuator

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// registered is what is scraped: the components, the runtime, the process, and
// what [WithGatherer] has added. A metric that cannot be told is left out and
// the others are told.
func (a *Actuator) registered() prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newScrape(a),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return append(prometheus.Gatherers{registry}, a.options.gatherers...)
}

// prometheusHandler writes the text format, or OpenMetrics to who asks for it.
// Scrapes at the same time share one look at the components.
func (a *Actuator) prometheusHandler() http.Handler {
	return promhttp.HandlerFor(a.gatherer, promhttp.HandlerOpts{
		ErrorHandling:     promhttp.ContinueOnError,
		CoalesceGather:    true,
		EnableOpenMetrics: true,
	})
}

func (a *Actuator) prometheus(w http.ResponseWriter, r *http.Request) error {
	a.scrape.ServeHTTP(w, r)
	return nil
}
