# Everything runs in every module of go.work. Variables on the command line: make fuzz FUZZTIME=5m, make sim SEED=42.

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

FUZZTIME ?= 30s
BENCH ?= .
BENCHTIME ?= 200ms
ROUNDS ?= 6

.DEFAULT_GOAL := help
.PHONY: help test lint bench bench-currency bench-ledger bench-postgres bench-sqlite fuzz test-chains sim sim-planted sim-crashes cover vet fmt tidy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## check all that must hold before a commit (KOSH_REQUIRE_ALL=1: missing parts fail)
	@bash .ci/test

lint: ## run golangci-lint at its pinned version, and check that each go.mod is tidy
	@status=0; \
		$(GOLANGCI_LINT) config verify --config $(CURDIR)/.golangci.yml || status=1; \
		bash .ci/each $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml ./... || status=1; \
		bash .ci/each go mod tidy -diff || status=1; \
		exit $$status

bench: ## run the benchmarks (BENCH=regexp)
	@bash .ci/each go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

# In rounds of every benchmark, so that a busy minute of the machine touches all libraries alike.
bench-currency: ## compare currency with other libraries (BENCH=regexp ROUNDS=6 BENCHTIME=200ms)
	@bin=$$(mktemp -d) && trap 'rm -rf "$$bin"' EXIT && cd currency/bench && \
		go build -o "$$bin/table" . && go test -c -o "$$bin/races" . && \
		for round in $$(seq $(ROUNDS)); do \
			"$$bin/races" -test.run '^$$' -test.bench '$(BENCH)' -test.benchtime $(BENCHTIME) 2>&1; \
		done | "$$bin/table"

# Short by default. The full size takes minutes: ACCOUNTS=1000000 TRANSFERS=2000000 GROWTH=10000000.
bench-ledger: ## measure the ledger on the memory store by CPU time (ACCOUNTS= TRANSFERS= GROWTH=)
	@$(if $(ACCOUNTS),KOSH_BENCH_ACCOUNTS='$(ACCOUNTS)') $(if $(TRANSFERS),KOSH_BENCH_TRANSFERS='$(TRANSFERS)') \
		$(if $(GROWTH),KOSH_BENCH_GROWTH='$(GROWTH)') \
		go test ./ledger/memory -run '^$$' -bench 'Ledger|Growth' -benchtime 1x -timeout 0

# Three ways to record the same transfers, in one run. Five million transfers take a while: GROWTH=5000000.
bench-postgres: ## measure ledger/postgres beside naive and unchecked writes (SECONDS= GROWTH=)
	@cd ledger/postgres && $(if $(SECONDS),KOSH_BENCH_SECONDS='$(SECONDS)') $(if $(GROWTH),KOSH_BENCH_GROWTH='$(GROWTH)') \
		go test -run '^$$' -bench 'Postgres|Growth' -benchtime 1x -timeout 0 .

# Minutes by default. The full size takes an hour: ACCOUNTS=100000 TRANSFERS=100000 GROWTH=5000000.
bench-sqlite: ## compare the SQLite store with naive SQL, and let a book grow (ACCOUNTS= TRANSFERS= GROWTH= KEYS=random)
	@cd ledger/sqlite && $(if $(ACCOUNTS),KOSH_BENCH_ACCOUNTS='$(ACCOUNTS)') $(if $(TRANSFERS),KOSH_BENCH_TRANSFERS='$(TRANSFERS)') \
		$(if $(GROWTH),KOSH_BENCH_GROWTH='$(GROWTH)') $(if $(KEYS),KOSH_BENCH_KEYS='$(KEYS)') \
		go test -run '^$$' -bench 'Callers|Growth' -benchtime 1x -timeout 0 .

# make test runs both suites on go-ethereum's simulated chain and on anvil; here geth plays a day besides.
test-chains: ## run the chain adapters on real nodes (builds geth, which takes minutes the first time)
	@cd providers/evm/internal/nodes && go test -count=1 -tags chains -timeout 60m .
	@cd providers/bitcoin/internal/nodes && go test -count=1 -timeout 60m .

fuzz: ## run every fuzz target (FUZZTIME=30s FUZZ=regexp)
	@FUZZTIME='$(FUZZTIME)' FUZZ='$(FUZZ)' bash .ci/fuzz

# A pattern that matches no test is green, so the target looks first.
sim: ## run the simulator (SEEDS=how many, OPS=operations each, SEED=one world again, KEEP=only these operations, FOR=25m at most)
	@go test ./payments/simulation -list '^TestSimulation' | grep -q '^TestSimulation' || \
		{ echo 'make sim: payments/simulation has no TestSimulation' >&2; exit 1; }
	$(if $(SEEDS),KOSH_SIM_SEEDS='$(SEEDS)') $(if $(OPS),KOSH_SIM_OPS='$(OPS)') $(if $(SEED),KOSH_SIM_SEED='$(SEED)') $(if $(KEEP),KOSH_SIM_KEEP='$(KEEP)') $(if $(FIRST),KOSH_SIM_FIRST='$(FIRST)') $(if $(FOR),KOSH_SIM_FOR='$(FOR)') \
		go test ./payments/simulation -run 'TestSimulation' -count=1 -timeout 0 -v

sim-planted: ## let the simulator look for each planted bug from the first world on (SEEDS=1000 BUG=regexp)
	KOSH_SIM_SEEDS='$(or $(SEEDS),1000)' $(if $(BUG),KOSH_SIM_BUG='$(BUG)') \
		go test -tags koshplant ./payments/simulation -run '^TestPlanted$$' -count=1 -timeout 0 -v

sim-crashes: ## crash at every step of every scenario, and at every step of every recovery; it takes an hour
	KOSH_SIM_DOUBLE=all go test ./payments/simulation -run 'Crash$$' -count=1 -timeout 0 -v

cover: ## measure statement coverage of each module, profiles in .cover/
	@bash .ci/cover

vet: ## run go vet
	@bash .ci/each go vet ./...

fmt: ## format with gofumpt and gci, as make lint wants it
	@bash .ci/each $(GOLANGCI_LINT) fmt --config $(CURDIR)/.golangci.yml

tidy: ## tidy every go.mod, then go.work
	@bash .ci/each go mod tidy
	@go work sync
