# `make run` starts the server, `make test` tries everything; `make help` lists the rest.

.PHONY: help run test bench bench-micro fuzz fmt clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: static/node_modules/.package-lock.json ## build and start the server on 127.0.0.1:8765, with SQLite in ./data
	cargo run --release --bin nodeim

test: ## format, lints, docs, the tests on SQLite and PostgreSQL, the real clients and a browser
	scripts/test.sh

bench: static/node_modules/.package-lock.json ## measure the server beside others, under load (see bench/README.md)
	scripts/bench.sh

bench-micro: ## measure the server's hot pieces alone
	cargo bench

fuzz: ## random input for all decoders that strangers reach, a minute each
	scripts/fuzz.sh

fmt: ## format the Rust code
	cargo fmt --all

clean: ## remove what was built and installed, but not ./data
	cargo clean
	rm -rf static/node_modules tests/clients/node_modules tests/browser/node_modules bench/peers/node/node_modules

# The server hands out the browser's client files; npm writes this file at the end of an installation.
static/node_modules/.package-lock.json: static/package-lock.json
	cd static && npm ci --no-audit --no-fund
	touch $@
