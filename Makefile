# "make" lists what there is.
.DEFAULT_GOAL := help
GO ?= go
LINT ?= golangci-lint

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: test
test: ## run the tests
	$(GO) test ./...

.PHONY: race
race: ## run the tests with the race detector, in any order
	$(GO) test -race -shuffle=on ./...

.PHONY: lint
lint: ## run the linters of .golangci.yml
	$(LINT) run ./...

.PHONY: bench
bench: ## measure beside other libraries, into bench/RESULTS.md and bench/charts; with ROW=regexp only some rows, to the terminal
	cd bench && $(GO) run . $(if $(ROW),-row '$(ROW)',-out .)

.PHONY: benchmarks
benchmarks: ## measure each room alone; choose with BENCH=regexp
	$(GO) test -run='^$$' -bench='$(or $(BENCH),.)' -benchmem ./...

.PHONY: cover
cover: ## show how much of each package the tests reach
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1

.PHONY: quickstart
quickstart: ## run the quickstart, until Ctrl-C
	$(GO) run ./examples/quickstart

.PHONY: ci
ci: ## run what a change must pass
	.ci/run
