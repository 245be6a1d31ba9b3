# The same Go commands as .ci/run, one a target. Nothing here is needed to build,
# test or contribute: CONTRIBUTING.md gives each command in full.

CONCURRENT = ./stm/... ./env/... ./registry/... ./trace/... ./sim/... ./store/... ./sync/... ./p2p/... ./chainsel/... ./mempool/... ./consensus/rule

# The packages whose tests know -long: those that import internal/long.
LONG = $$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | grep internal/long | cut -d ' ' -f 1 | grep -v internal/long)

.PHONY: all build vet test race tidy fmt mod long fuzz bench bench-trace bench-stm bench-peers testnet ci

all: build vet test

build:
	CGO_ENABLED=0 go build ./...

vet:
	go vet ./...
	mkdir -p .bin
	go build -o .bin/ ./stm/stmvet ./p2p/linvet ./consensus/rule/rulevet
	go vet -vettool=$(CURDIR)/.bin/stmvet ./...
	go vet -vettool=$(CURDIR)/.bin/linvet ./...
	go vet -vettool=$(CURDIR)/.bin/rulevet ./consensus/...

test:
	go test ./...

race:
	go test -race $(CONCURRENT)

tidy: fmt mod
	go test ./internal/tidy

fmt:
	gofmt -l .

mod:
	go mod tidy -diff

long:
	go test -timeout 4h $(LONG) -long

# make fuzz PKG=./chain FUZZ=FuzzDecodeHeader
fuzz:
	go test -run '^$$' -fuzz '^$(FUZZ)$$' -fuzztime 1m $(PKG)

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Every row beside its peers, medians, with the ratio that must hold and the one we aim at.
bench-stm:
	go test ./stm -count=1 -timeout 60m -run '^TestTable$$' -table . -v

# Beside peers that the main module does not depend on.
bench-peers:
	cd bench && go test -run '^$$' -bench . -benchmem ./...

bench-trace:
	go test -run '^$$' -bench . -benchmem ./trace/...

testnet:
	go run ./examples/testnet

ci:
	bash .ci/run
