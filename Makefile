# Two commands: `make up` runs the API on the local cloud, `make test` tests
# everything. Both fetch and build what they need, once, under .tools.
.PHONY: up test tools fmt lint density fuzz browser document chaos kills

up: tools
	@go build -o .build/local ./cmd/local && exec .build/local up

tools:
	@go run ./cmd/setup

# The race detector needs a C compiler, which Go looks for itself.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# These run the local command, another process, or deploy dozens of times, where
# the race detector makes Pulumi's SDK three times as slow. What they run of ours
# is tested with it elsewhere.
UNRACED := ./e2e ./e2e/access ./e2e/chaos ./e2e/declared ./e2e/lifecycle ./e2e/change/... ./e2e/resources

test: tools
	@test -n "$(RACE)" || echo 'there is no C compiler: testing without the race detector' >&2
	go test $(RACE) -timeout 20m $$(go list ./... | grep -vxF "$$(go list $(UNRACED))")
	go test -timeout 20m $(UNRACED)

# Pages of another origin in a real browser; needs Chromium.
browser: tools
	go test -tags browser -count 1 ./e2e/browser

# The API's document with the tools of those who use it: a linter, a client that
# is made from it, and a proxy that holds what the black-box tests send, and get,
# against it. Needs Node.js 20 or newer and npm.
DOCUMENT := .tools/document
document: tools
	@mkdir -p $(DOCUMENT) && cmp -s e2e/document/package-lock.json $(DOCUMENT)/package-lock.json || { \
		cp e2e/document/package.json e2e/document/package-lock.json $(DOCUMENT) && \
		npm --prefix $(DOCUMENT) ci --no-audit --no-fund || { rm -f $(DOCUMENT)/package-lock.json; exit 1; }; }
	@rm -rf .build/traffic && mkdir -p .build/traffic
	E2E_TRAFFIC=$(CURDIR)/.build/traffic go test -count 1 -timeout 20m ./e2e ./e2e/access ./e2e/data
	E2E_TRAFFIC=$(CURDIR)/.build/traffic go test -tags document -count 1 -timeout 20m ./e2e/document

# Kills and faults under load for a minute, and what came of it.
CHAOS_SECONDS ?= 60
chaos: tools
	CHAOS_SECONDS=$(CHAOS_SECONDS) go test $(RACE) -count 1 -timeout 60m -v -run TestNothingIsLostWhenEverythingFails ./e2e/chaos

# Kills of everything at once while items are created with a key.
KILLS ?= 20
kills: tools
	CHAOS_KILLS=$(KILLS) go test -count 1 -timeout 60m -v -run TestKillsOfEverythingLoseNoKeyedCreate ./e2e/chaos

# One thing to a line, and at most 110 columns. golines breaks what can be broken.
GOLINES := .tools/bin/golines --max-len 110 --base-formatter gofmt --no-chain-split-dots
GOLINES += --ignored-dirs .tools --ignored-dirs .build --ignored-dirs .local --ignored-dirs testdata
.tools/bin/golines: tools/style/go.mod tools/style/go.sum
	cd tools/style && go build -o ../../$@ github.com/golangci/golines

fmt: .tools/bin/golines
	$(GOLINES) -w .

# How much a reader meets on a line; docs/design.md has the figures.
density:
	@cd tools/style && go run ./density ../..

lint: .tools/bin/golines
	@files=$$($(GOLINES) -l .); test -z "$$files" || { echo "run make fmt, which changes $$files" >&2; exit 1; }
	go vet -tags browser,document ./...
	go mod tidy -diff
	cd tools && go build -o ../.tools/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	.tools/bin/staticcheck -tags browser,document ./...

# A number of inputs for each target: with a time in its place Go reports a
# failure when the time is up in the middle of an input.
FUZZTIME ?= 20000x
fuzz:
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		for f in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$p/*_test.go | cut -d ' ' -f 2); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done
