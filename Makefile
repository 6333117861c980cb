SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
FUZZTIME ?= 10s
BENCH ?= .
BENCHTIME ?= 100ms
COUNT ?= 6
BENCHFLAGS ?=
lint := go tool -modfile=internal/tools/go.mod golangci-lint
ristretto := github.com/dgraph-io/ristretto
compare := go run ./cmd/cachepact compare hits --capacity 1%,10%

.PHONY: help compare test browser-test race lint fmt bench bench-report bench-memory fuzz matrix charts check
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
compare: ## replay a real trace and a Zipf workload through every adapter, and write report.html and report-zipf.html
	@go mod download $(ristretto)
	$(compare) --trace "$$(go list -m -f '{{.Dir}}' $(ristretto))/sim/gli.lirs.gz" --html report.html
	$(compare) --workload zipf:s=0.99,keys=100000,requests=300000 --html report-zipf.html
test: ## prove every adapter, and everything else
	go test -shuffle=on ./...
	go -C docs/example test ./...
race: ## the same under the race detector
	go test -race -shuffle=on $$(go list ./... | grep -v /conformance/faulty)
lint: ## static checks and formatting
	$(lint) run ./...
fmt: ## format the code
	$(lint) fmt ./...
bench: ## run the benchmarks that match BENCH, in the format benchstat reads
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 ./...
bench-report: ## measure the adapters beside their libraries; BENCHFLAGS='-lib otter -case Get.*'
	go run ./internal/bench/report $(BENCHFLAGS)
bench-memory: ## measure the bytes that an adapter adds to an entry
	go run ./internal/bench/report -memory $(BENCHFLAGS)
fuzz: ## run each fuzz test for FUZZTIME
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {while (n) print $$2, f[--n]}' | \
	while read -r pkg f; do \
		echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null; \
	done
matrix: ## write docs/matrix.*: the rules that each adapter keeps, and each library used naively
	@reports=$$(mktemp -d); trap 'rm -r "$$reports"' EXIT; \
	CONFORMANCE_REPORT=$$reports go test -count=1 -run '^Test(Conformance|Naive|String|Uint64|Struct|Any)(Keys)?$$' \
		./backend/memory ./adapters/... ./internal/naive; \
	go run ./cmd/cachepact matrix "$$reports" --markdown docs/matrix.md --json docs/matrix.json --html docs/matrix.html
charts: ## build compare/report/page/charts.min.js from the packages that package-lock.json pins; needs Node
	cd compare/report/page && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build && \
	for licence in echarts/NOTICE echarts/LICENSE echarts/licenses/LICENSE-d3 zrender/LICENSE tslib/LICENSE.txt; do \
		printf '==== %s ====\n\n' "$$licence"; tr -d '\r' <"node_modules/$$licence"; printf '\n\n'; \
	done >charts.LICENSE.txt && rm -r node_modules
check: ## all that a change must pass
	go vet ./...
	go fix -diff ./...
	go mod tidy -diff
	@$(MAKE) --no-print-directory lint test race
