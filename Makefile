# `make` alone prints what there is. Each target's explanation stands behind ##.

GO          ?= go
GOTEST      := $(GO) test -timeout 30m
FUZZTIME    ?= 10s
BENCHROUNDS ?= 5
BENCHTIME   ?= 50ms

# Run from the module proxy at this version; it is no requirement of the module.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Both modules: the library, and the programs that use it.
MODULES  := . examples
PROGRAMS := github.com/mqttcore/mqttcore/examples

# The packages of the library that have a goroutine, in their tests; TestRaced
# sees to this list. A test on one goroutine has nothing that could race, and
# make test runs it in full. TestApart shows that the library keeps nothing that
# users on several goroutines share.
RACED := . ./session/client

.DEFAULT_GOAL := help
.PHONY: help run test race peers interop fuzz bench bench-broker compare check fmt lint stale generate rules doc

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  FUZZTIME=$(FUZZTIME) per fuzz target, BENCHROUNDS=$(BENCHROUNDS) of BENCHTIME=$(BENCHTIME) per benchmark"

run: ## start the broker on 127.0.0.1:1883
	cd examples && $(GO) run ./broker

test: ## run every test that needs no outside program
	@set -e; for module in $(MODULES); do (cd $$module && $(GOTEST) ./...); done

# Tests that build something and run it have nothing in them that could race.
race: ## run what has goroutines under the race detector, but for tests of built programs
	cd examples && $(GOTEST) -race $$($(GO) list ./... | grep -v -x -F "$$(grep -rlw --include='*_test.go' 'Main(m)' . | xargs -n 1 dirname | sort -u | sed 's,^\.,$(PROGRAMS),')")
	$(GOTEST) -race $(RACED)

peers: ## install the client library MQTT.js, for make interop
	npm ci --prefix examples/peers/testdata --no-audit --no-fund

# Most of these tests wait for others, so that many can run at once.
interop: ## test the programs, also against mosquitto, which must be installed, and client libraries
	cd examples && MQTTCORE_INTEROP=1 $(GOTEST) -count=1 -parallel 8 ./...

# The go tool fuzzes one target of one package at a time. A target that ends
# with its time but reports only its deadline has found nothing. It has no use for
# the C of a dependency, which there is Go for too.
fuzz: ## fuzz every target for FUZZTIME each
	@set -e; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	for module in $(MODULES); do \
		for file in $$(find $$module -name '*_test.go' -not -path '*/testdata/*'); do \
			case $$module:$$file in .:./examples/*) continue;; esac; \
			for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
				dir=$$(dirname $${file#$$module/}); \
				echo "$$target in $$module/$$dir for $(FUZZTIME)"; \
				(cd $$module && CGO_ENABLED=0 $(GO) test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME)) > $$log 2>&1 && code=0 || code=$$?; \
				if [ $$code -ne 0 ] && { grep -q 'Failing input' $$log || ! grep -q 'context deadline exceeded' $$log; }; then \
					cat $$log; exit $$code; \
				fi; \
				grep 'elapsed' $$log | tail -n 1; \
			done; \
		done; \
	done

bench: ## compare the codec with code written by hand and with memcpy
	MQTTCORE_BENCH=$(BENCHROUNDS) $(GO) test ./codec -v -count=1 -run '^TestBenchTable$$' -benchtime $(BENCHTIME) -timeout 30m

bench-broker: ## put the same load on our broker and on mosquitto, which must be installed
	cd examples && $(GO) run ./bench/compare

compare: ## measure and test the codec beside other Go libraries, which are downloaded
	cd examples/compare && $(GO) run .

generate: ## write the codec anew from spec/
	$(GO) generate ./...

check: stale fmt lint ## check generated files, formatting, vet and lint

stale:
	$(GO) run ./cmd/mqttgen -check

fmt:
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted, run gofmt -w on:"; echo "$$files"; exit 1; fi

lint:
	@set -e; for module in $(MODULES); do \
		echo "vet and staticcheck in $$module"; \
		(cd $$module && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...); \
	done

rules: ## print which statements of the standards have a test
	$(GO) run ./cmd/mqttgen rules -require codec,session,broker

doc: ## print the reference page of every packet
	@$(GO) run ./cmd/mqttgen -doc
