# Two commands: `make up` runs the API on the local cloud, `make test` tests
# everything. Both fetch and build what they need, once, under .tools.
.PHONY: up test tools lint fuzz

up: tools
	@go build -o .build/local ./cmd/local && exec .build/local up

tools:
	@go run ./cmd/setup

test: tools
	go test -race -timeout 20m ./...

lint:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'run gofmt -w on these files' >&2; exit 1; }
	go vet ./...
	go mod tidy -diff
	cd tools && go build -o ../.tools/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	.tools/bin/staticcheck ./...

FUZZTIME ?= 10s
fuzz:
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done
