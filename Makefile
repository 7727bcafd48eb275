# Every command a person needs here. `make` alone lists them.
# Works with GNU make 3.81 (macOS) and newer; needs nothing else but Node, of any age, and npm.

# They run with a Node that is new enough, which is fetched where the machine has none.
NODE := ./with-node node
NPM := ./with-node npm
TAP := ./with-node node_modules/.bin/tap
SHORTLIST := ./shortlist
INSTALLED := node_modules/.package-lock.json
BUILT := dist/.built
CANDIDATE := models/channels/candidate.json
SOURCES := $(shell find src -type f)
CONTAINER_ENGINE ?= docker
IMAGE ?= shortlist:local
# Where the sources of an image are published; its label says so.
SOURCE ?=
# What make load-test loads, how, and with the users of which prepared dataset.
TARGET ?= http://localhost:3000
PROFILE ?= smoke
USERS_OF ?= demo
# More options for the benchmark of serving, for that beside other services, and for the soak; benchmarks/README.md lists them.
BENCH_FLAGS ?=
PEERS_FLAGS ?=
SOAK_FLAGS ?=
# More options for the check of the explorer: --screenshots docs/images.
EXPLORER_FLAGS ?=
# How long make soak lasts.
MINUTES ?= 5
# The Node that make test-node tests on, by its package in the registry, and the tests that meet it most: sockets, processes, threads, native
# libraries.
NODE_VERSION ?= 22.19.0
NODE_PACKAGE = $$($(NODE) -p '(process.platform === "darwin" ? "node-bin-" : "node-") + process.platform + "-" + process.arch')
NODE_TESTS := $(addprefix build/tests/,http/recommendations http/sockets http/shutdown http/tracing commands/serve commands/shortlist \
  candidates/hnsw-index events/local/local-event-store events/local/local-live-histories events/local/storage-faults events/local/kill-keeper \
  events/redis/redis-event-store features/redis-store bundle/s3-store client/shortlist-client failures/supervisor failures/trial-processes)
# More options for the test runner: make test TAP_FLAGS=--show-full-coverage
TAP_FLAGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help run demo evaluate dataset-movielens-latest-small test test-node test-failures test-alerts test-package test-operations test-openapi test-soak check format build bench bench-peers soak load-test docs-check explorer-check client release-check sbom audit docker clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-31s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BUILT) $(CANDIDATE) ## Serve on PORT (3000); the first time, install, build and train on the demo dataset first
	$(SHORTLIST) serve

demo: $(BUILT) ## Make the demo dataset, train on it quickly, and publish the bundle to the candidate channel
	@echo '[1/4] demo-data: making the demo dataset'
	@$(SHORTLIST) demo-data
	@echo '[2/4] prepare: checking it and mapping its columns'
	@$(SHORTLIST) prepare --dataset demo
	@echo '[3/4] train: candidate sources, then the ranker'
	@$(SHORTLIST) train --dataset demo --profile quick
	@echo '[4/4] publish: writing the bundle'
	@$(SHORTLIST) publish --dataset demo
	@echo 'This was a quick training, to try things. In full, beside a server that then takes it: ./shortlist train --dataset demo && ./shortlist publish --dataset demo'

evaluate: $(BUILT) ## Train on the demo dataset in full, evaluate with a report, and publish: promote asks for all three
	$(SHORTLIST) train --dataset demo
	$(SHORTLIST) evaluate --dataset demo --protocol chronological
	$(SHORTLIST) publish --dataset demo

# Trained once: later builds do not train again. `make demo` does.
$(CANDIDATE): | $(BUILT)
	@$(MAKE) --no-print-directory demo

dataset-movielens-latest-small: $(BUILT) ## Download the MovieLens latest-small dataset and prepare it
	$(SHORTLIST) download movielens-latest-small
	$(SHORTLIST) prepare --dataset movielens-latest-small

test: $(INSTALLED) ## Run the tests, with the coverage gate; offline once installed
	@command -v redis-server >/dev/null 2>&1 || echo 'redis-server is missing: tests of the Redis store are skipped, and the' \
	  'coverage gate may fail for it. Debian: apt-get install redis-server; macOS: brew install redis' >&2
	$(NPM) --silent test -- $(TAP_FLAGS)

test-node: $(INSTALLED) ## Run a part of the tests on another Node: NODE_VERSION=26.10.0; asks the registry
	$(NPM) --silent run compile && $(TAP) build
	$(NPM) exec --yes --package=$(NODE_PACKAGE)@$(NODE_VERSION) --call='test "$$(node --version)" = v$(NODE_VERSION) && \
	  node node_modules/.bin/tap --disable-coverage $(NODE_TESTS:=.test.js) $(TAP_FLAGS)'

test-failures: $(INSTALLED) ## Run the tests of what must survive what, the long ones too; CHAOS_SECONDS=10 of everything at once, CLEAN_SECONDS=30 of nothing
	LONG_TESTS=1 $(NPM) --silent test -- --disable-coverage build/tests/failures build/tests/events/local/kill-keeper.test.js build/tests/events/redis build/tests/features/redis-groups.test.js build/tests/features/redis-faults.test.js $(TAP_FLAGS)

test-alerts: $(INSTALLED) ## Raise every Prometheus alert by its own fault; needs prometheus (Debian: apt-get install prometheus)
	LONG_TESTS=1 $(NPM) --silent test -- --disable-coverage build/tests/failures/alerts.test.js $(TAP_FLAGS)

# Not by npm, which would tell its configuration to the npm that installs.
test-package: $(INSTALLED) ## Pack both packages, install them into an empty folder, and go from demo data to recommendations; asks the registry
	$(NPM) --silent run compile && $(TAP) build
	$(TAP) --disable-coverage --timeout=900 build/tests/package/packed-install.js $(TAP_FLAGS)

test-operations: $(INSTALLED) ## Follow docs/operations.md from an empty folder to production and back, every command of it; asks the registry
	$(NPM) --silent run compile && $(TAP) build
	$(TAP) --disable-coverage --timeout=1000 build/tests/operations/operations-page.js $(TAP_FLAGS)

test-openapi: $(INSTALLED) ## Ask a server whatever its OpenAPI documents allow, by schemathesis; installs it with Python from its registry
	$(NPM) --silent run compile && $(TAP) build
	$(TAP) --disable-coverage --timeout=1000 build/tests/openapi/schemathesis.js $(TAP_FLAGS)

test-soak: $(INSTALLED) ## Load a server for five minutes and see that nothing grows, as CI does; make soak tells more
	$(NPM) --silent run compile && $(TAP) build
	$(TAP) --disable-coverage --timeout=1200 build/tests/soak/soak-in-ci.js $(TAP_FLAGS)

check: $(INSTALLED) ## Check types, lint (import ranks, cycles) and formatting
	$(NPM) --silent run check

format: $(INSTALLED) ## Format every file
	$(NPM) --silent run format

build: $(BUILT) ## Compile src/ to dist/

bench: $(INSTALLED) ## Measure what serving costs and bears: BENCH_FLAGS='--users 100000 --only kernels,pipeline'
	$(NPM) --silent run compile
	$(NODE) build/benchmarks/serving.js $(BENCH_FLAGS)

bench-peers: $(INSTALLED) ## Measure Shortlist beside a service in Python: PEERS_FLAGS='--rounds 1'; installs its packages from their registry
	$(NPM) --silent run compile
	$(NODE) build/benchmarks/peers.js $(PEERS_FLAGS)

soak: $(INSTALLED) ## Load a server for MINUTES=5 and see whether memory, descriptors or handles grow: SOAK_FLAGS=--leak
	$(NPM) --silent run compile
	$(NODE) build/benchmarks/soak.js --minutes $(MINUTES) $(SOAK_FLAGS)

load-test: $(BUILT) ## Load a server that runs: PROFILE=smoke TARGET=http://localhost:3000 USERS_OF=demo
	$(SHORTLIST) load-test --target $(TARGET) --profile $(PROFILE) --dataset $(USERS_OF)

docs-check: $(INSTALLED) ## Open /docs in a headless browser and check what it shows
	$(NPM) --silent run compile
	$(NODE) build/tests/browser/docs-check.js

explorer-check: $(INSTALLED) ## Open /explorer in a headless browser and do there what people do: EXPLORER_FLAGS='--registry models --user u42'
	$(NPM) --silent run compile
	$(NODE) build/tests/browser/explorer-check.js $(EXPLORER_FLAGS)

client: $(INSTALLED) ## Make the types of @shortlist/client from the OpenAPI document, and compile it
	UPDATE_CLIENT=1 $(NPM) --silent test -- --disable-coverage build/tests/client/openapi-types.test.js
	cd client && ../with-node npm --silent run build

release-check: $(INSTALLED) ## Check that versions, changelog, OpenAPI document and tags agree
	$(NPM) --silent test -- --disable-coverage build/tests/client/openapi-types.test.js
	@$(NODE) .ci/check-release.js

sbom: $(INSTALLED) ## Write what ships as CycloneDX to dist/sbom.json; offline
	@$(NODE) .ci/write-sbom.js dist/sbom.json

audit: $(INSTALLED) ## Check the licences of what ships, and ask the registry for known vulnerabilities
	$(NPM) --silent test -- --disable-coverage build/tests/licences.test.js $(TAP_FLAGS)
	@$(NODE) .ci/audit.js

docker: ## Build the serving image (IMAGE=shortlist:local)
	@$(CONTAINER_ENGINE) info >/dev/null 2>&1 || { \
	  echo 'make docker needs a container engine that runs; `$(CONTAINER_ENGINE) info` fails.' >&2; \
	  echo 'Start Docker, or name another engine: make docker CONTAINER_ENGINE=podman' >&2; exit 1; }
	$(CONTAINER_ENGINE) build --tag $(IMAGE) \
	  --build-arg VERSION="$$(sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)" \
	  --build-arg REVISION="$$(git rev-parse --verify --quiet HEAD)" --build-arg SOURCE=$(SOURCE) .

clean: ## Remove what build and test made; data/ and models/ stay
	rm -rf dist build client/dist .tap

# Without install scripts: none is needed, and that of onnxruntime-node fetches CUDA libraries where npm runs it. Its package brings ONNX
# Runtime for five platforms; one is kept.
$(INSTALLED): package.json package-lock.json .npmrc
	$(NPM) ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	@kept=$$($(NODE) -p 'process.platform + "/" + process.arch') && \
	  find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/$$kept" -exec rm -rf {} +
	@touch $@

$(BUILT): $(SOURCES) package.json tsconfig.json $(INSTALLED)
	$(NPM) --silent run build
	@touch $@
