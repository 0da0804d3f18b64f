package main

import (
	"slices"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// rows is every row, in the order of the report.
func rows() []harness.Row {
	return slices.Concat(
		submitRows(),
		workRows(),
		latencyRows(),
		allocRows(),
		idleRows(),
		batchRows(),
		httpRows(),
		containerRows(),
		laneRows(),
		groupRows(),
		handBackRows(),
		deadlineRows(),
		fairRows(),
		resizeRows(),
		syncRows(),
		actuatorRows(),
	)
}

// peers are the modules whose versions the report names.
var peers = []string{
	"github.com/panjf2000/ants/v2",
	"github.com/alitto/pond/v2",
	"github.com/gammazero/workerpool",
	"github.com/sourcegraph/conc",
	"github.com/bytedance/gopkg",
	"golang.org/x/sync",
	"go.etcd.io/bbolt",
	"github.com/zeromicro/go-zero",
	"go.uber.org/fx",
	"github.com/samber/do/v2",
	"go.opentelemetry.io/otel/sdk",
	"go.opentelemetry.io/collector/exporter/exporterhelper",
}
