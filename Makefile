SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
FUZZTIME ?= 10s
BENCH ?= .
BENCHTIME ?= 100ms
COUNT ?= 6
BENCHFLAGS ?=
# The packages that the race detector tests; "make soak" tests all of them.
RACE ?= ./backend/... ./adapters/internal/... ./compare/record ./compare/trace ./compare/policy ./compare/workload
# The suite must accept the correct backend in every run.
reference := -run '^TestReference$$/^string-bytes$$' ./conformance
lint := go tool -modfile=internal/tools/go.mod golangci-lint
ristretto := github.com/dgraph-io/ristretto
compare := go run ./cmd/cachepact compare hits --capacity 1%,10%

# $(call prove,FLAGS) tests the caches of the matrix and passes their reports to "cachepact matrix FLAGS".
proved := ./backend/memory ./adapters/...
prove = reports=$$(mktemp -d); trap 'rm -r "$$reports"' EXIT; \
	CONFORMANCE_REPORT=$$reports go test -count=1 -shuffle=on $(proved); \
	go run ./cmd/cachepact matrix "$$reports" $(1)

.PHONY: help compare picture test browser-test race soak lint fmt bench bench-report bench-memory fuzz matrix charts check
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
compare: ## replay a real trace and a Zipf workload through every adapter, and write report.html and report-zipf.html
	@go mod download $(ristretto)
	$(compare) --trace "$$(go list -m -f '{{.Dir}}' $(ristretto))/sim/gli.lirs.gz" --html report.html
	$(compare) --workload zipf:s=0.99,keys=100000,requests=300000 --html report-zipf.html
picture: ## draw docs/img/hits.svg, the README's picture, from the same trace
	@go mod download $(ristretto)
	go run ./cmd/cachepact compare hits --capacity 10% --pace settled --json - \
		--trace "$$(go list -m -f '{{.Dir}}' $(ristretto))/sim/gli.lirs.gz" | go run ./docs/img >docs/img/hits.svg
test: ## run the tests: every adapter against the contract, then everything else; needs Go and make only
	@$(call prove,--baseline docs/matrix.md) || \
		{ echo "docs/matrix.md differs from the adapters: run make matrix" >&2; exit 1; }
	go test -shuffle=on $$(go list ./... | grep -vE '/backend/memory$$|/adapters')
	go -C docs/example test ./...
	go -C docs/compare-example test ./...
	go -C adapters/internal/bench test ./...
check: ## run all that CI runs: test, static checks, the race detector, the browser test, repetitions
	go vet ./...
	go fix -diff ./...
	go mod tidy -diff
	@$(MAKE) --no-print-directory test lint race browser-test
	go test -count=50 -cpu=1,2,8 $(reference)
browser-test: ## test the HTML report in headless Chromium, which must be installed; SCREENSHOTS=DIR keeps pictures
	go -C compare/internal/browsertest test -count=1 ./...
race: ## run the race detector on the packages in RACE
	go test -race -count=50 $(reference)
	go test -race -short -shuffle=on $(RACE)
soak: ## run what CI has no time for: more repetitions, the adapters under -race, every fault with every trait
	go test -count=50 -cpu=1,2,8 -timeout=60m -run '^Test(Correct_Accepted|Correct|Reference)$$' ./conformance ./conformance/faulty ./conformance/zoo
	go test -race -count=20 -timeout=60m -run '^Test(Correct_Accepted|Correct|Reference)$$' ./conformance ./conformance/faulty ./conformance/zoo
	go test -race -cpu=1,2,8 -timeout=120m ./adapters/...
	go test -timeout=60m ./conformance/faulty -long
	go test -timeout=60m ./conformance/zoo -long -run Correct/weighed
lint: ## static checks and formatting
	$(lint) run ./...
	GOLANGCI_LINT="$$(go tool -n -modfile=internal/tools/go.mod golangci-lint)" go test -run "^TestDepguard$$" ./internal/layout
fmt: ## format the code
	$(lint) fmt ./...
bench: ## run the benchmarks that match BENCH, in benchstat's format
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 ./...
	go -C adapters/internal/bench test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 .
bench-report: ## compare the adapters with their libraries; BENCHFLAGS='-lib otter -case Get.*'
	go -C adapters/internal/bench run . $(BENCHFLAGS)
bench-memory: ## measure how many bytes an adapter adds to an entry
	go -C adapters/internal/bench run . -memory $(BENCHFLAGS)
fuzz: ## run each fuzz test for FUZZTIME
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {while (n) print $$2, f[--n]}' | \
	while read -r pkg f; do \
		echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null; \
	done
matrix: ## write docs/matrix.md, out/matrix.json and out/matrix.html: the rules that each cache keeps
	@mkdir -p out
	@$(call prove,--markdown docs/matrix.md --json out/matrix.json --html out/matrix.html)
charts: ## build compare/report/page/charts.min.js from the packages in package-lock.json; needs Node
	cd compare/report/page && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build && \
	for licence in echarts/NOTICE echarts/LICENSE echarts/licenses/LICENSE-d3 zrender/LICENSE tslib/LICENSE.txt; do \
		printf '==== %s ====\n\n' "$$licence"; tr -d '\r' <"node_modules/$$licence"; printf '\n\n'; \
	done >charts.LICENSE.txt && rm -r node_modules
