# What there is to do. Each target installs what it needs (Debian 12, with Swift 6.3 or later).
.PHONY: help build run test lint format tsan bench soak profile docs clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

build:  ## Build the release binary
	@scripts/install-needs build
	swift build -c release --product holdfast

run: build  ## Serve on 127.0.0.1:8080
	@.build/release/holdfast serve

test:  ## Run all tests: unit, conformance, end to end
	@scripts/install-needs test
	@scripts/test

lint:  ## Check the format, strictly, and that nothing warns
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	HOLDFAST_STRICT=1 swift build --build-tests

format:  ## Format the code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

tsan:  ## Run the tests of the core and the drivers under ThreadSanitizer
	@scripts/install-needs build
	scripts/tsan

bench: build  ## Run the core's micro-benchmark, and the loads beside the floor and nginx with nchan
	@scripts/install-needs bench
	swift run -c release --package-path Benchmarks/Core
	Benchmarks/side-by-side

soak: build  ## Ten minutes of load among clients that stall and vanish, and whether all is as it was
	Benchmarks/soak

profile: build  ## Show where the time of a delivery goes, by perf
	@scripts/install-needs profile
	@scripts/profile

docs:  ## Build the documentation of the library
	@scripts/install-needs build
	scripts/docs

clean:  ## Remove what was built
	rm -rf .build .build-tsan
