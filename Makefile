SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
FUZZTIME ?= 10s
BENCH ?= .
BENCHTIME ?= 100ms
COUNT ?= 6
BENCHFLAGS ?=
RACE ?= ./backend/... ./compare/record ./compare/trace ./compare/policy ./compare/workload ./adapters/internal/bytecache ./adapters/internal/expiry \
	./adapters/internal/codec ./adapters/internal/expiry ./adapters/internal/keycode ./adapters/internal/ristcore ./internal/stat
# The correct backend, which the suite must accept each time.
reference := -run '^TestReference$$/^string-bytes$$' ./conformance
lint := go tool -modfile=internal/tools/go.mod golangci-lint
ristretto := github.com/dgraph-io/ristretto
compare := go run ./cmd/cachepact compare hits --capacity 1%,10%

# What the matrix is made of, and the shell that tests it and makes a matrix: $(call prove,flags for go test,flags for matrix).
proved := ./backend/memory ./adapters/...
prove = reports=$$(mktemp -d); trap 'rm -r "$$reports"' EXIT; \
	CONFORMANCE_REPORT=$$reports go test -count=1 $(1) $(proved); \
	go run ./cmd/cachepact matrix "$$reports" $(2)

.PHONY: help compare test browser-test race soak lint fmt bench bench-report bench-memory fuzz matrix charts check
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
compare: ## replay a real trace and a Zipf workload through every adapter, and write report.html and report-zipf.html
	@go mod download $(ristretto)
	$(compare) --trace "$$(go list -m -f '{{.Dir}}' $(ristretto))/sim/gli.lirs.gz" --html report.html
	$(compare) --workload zipf:s=0.99,keys=100000,requests=300000 --html report-zipf.html
test: ## prove every adapter, that docs/matrix.* say so, and everything else
	@$(call prove,-shuffle=on,--baseline docs/matrix.json) || \
		{ echo "docs/matrix.* are not what the adapters do: run make matrix" >&2; exit 1; }
	go test -count=50 -cpu=1,2,8 $(reference)
	go test -shuffle=on $$(go list ./... | grep -vE '/backend/memory$$|/adapters/|/adapters/internal/naive$$')
	go -C docs/example test ./...
	go -C docs/compare-example test ./...
	go -C adapters/internal/bench test ./...
	@$(MAKE) --no-print-directory browser-test
browser-test: ## look at the HTML report in headless Chromium; SCREENSHOTS=DIR keeps pictures
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy --no-install-recommends chromium; } || \
		echo 'make: chromium is missing and cannot be installed here' >&2
	go -C compare/internal/browsertest test -count=1 ./...
race: ## the race detector where CI has time for it; RACE=./... is everything
	go test -race -count=50 $(reference)
	go test -race -short -shuffle=on $(RACE)
soak: ## what CI has no time for: the correct backends 50 times on 1, 2 and 8 processors and 20 times under -race, the adapters under -race, and every fault under every trait
	go test -count=50 -cpu=1,2,8 -timeout=60m -run '^Test(Correct_Accepted|Correct|Reference)$$' ./conformance ./conformance/faulty ./conformance/zoo
	go test -race -count=20 -timeout=60m -run '^Test(Correct_Accepted|Correct|Reference)$$' ./conformance ./conformance/faulty ./conformance/zoo
	go test -race -cpu=1,2,8 -timeout=120m ./adapters/...
	go test -timeout=60m ./conformance/faulty -long
	go test -timeout=60m ./conformance/zoo -long -run Correct/weighed
lint: ## static checks and formatting
	$(lint) run ./...
fmt: ## format the code
	$(lint) fmt ./...
bench: ## run the benchmarks that match BENCH, in the format benchstat reads
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 ./...
	go -C adapters/internal/bench test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 .
bench-report: ## measure the adapters beside their libraries; BENCHFLAGS='-lib otter -case Get.*'
	go -C adapters/internal/bench run ./report $(BENCHFLAGS)
bench-memory: ## measure the bytes that an adapter adds to an entry
	go -C adapters/internal/bench run ./report -memory $(BENCHFLAGS)
fuzz: ## run each fuzz test for FUZZTIME
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {while (n) print $$2, f[--n]}' | \
	while read -r pkg f; do \
		echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null; \
	done
matrix: ## write docs/matrix.*: the rules that each adapter keeps, and some libraries used naively
	@$(call prove,,--markdown docs/matrix.md --json docs/matrix.json --html docs/matrix.html)
charts: ## build compare/report/page/charts.min.js from the packages that package-lock.json pins; needs Node
	cd compare/report/page && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build && \
	for licence in echarts/NOTICE echarts/LICENSE echarts/licenses/LICENSE-d3 zrender/LICENSE tslib/LICENSE.txt; do \
		printf '==== %s ====\n\n' "$$licence"; tr -d '\r' <"node_modules/$$licence"; printf '\n\n'; \
	done >charts.LICENSE.txt && rm -r node_modules
check: ## all that a change must pass
	go vet ./...
	go fix -diff ./...
	go mod tidy -diff
	@$(MAKE) --no-print-directory test lint race
