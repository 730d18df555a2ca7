# The front door. Every target installs what it needs first (tools/setup) and does nothing that is done already.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run serve build test bench bench-coverage bench-overlap bench-serve bench-photo check install package clean

MODEL ?= models/demo
PREFIX ?= /usr/local
# Photos and their results. Not in build/, as `make clean` would take people's photos with it.
DATA ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/lapse/photos

help:
	@echo "lapse: how long does my model really take?"
	@echo
	@echo "  make run       build, and measure the model that comes with lapse (another: make run MODEL=path/to/model.onnx)"
	@echo "  make serve     build, and serve the photo app to this machine's browsers; photos are kept for 30 days in $(DATA)"
	@echo "  make build     build the program, build/lapse"
	@echo "  make test      build and run every test; the last line says how many passed and failed"
	@echo "  make bench     build and run the benchmarks behind the published figures"
	@echo "  make bench-coverage  build and run what shows what intervals, verdicts and comparisons are worth, beside the rules of others: takes a quarter of an hour"
	@echo "  make bench-overlap  build and run what shows what is gained by overlap, beside a PyTorch DataLoader: takes a quarter of an hour"
	@echo "  make bench-serve  build and run what shows that the server loses nothing and makes nobody wait: takes hours"
	@echo "  make bench-photo  build and run what shows how fast the photo app is, and how much memory it takes: takes most of an hour"
	@echo "  make check     format, floors, AddressSanitizer, ThreadSanitizer, fuzzers: takes long"
	@echo "  make install   install into PREFIX (now $(PREFIX))"
	@echo "  make package   build a Debian package"
	@echo "  make clean     remove what was built; what was downloaded stays in .deps/"
	@echo
	@echo "Each installs what it needs by itself, as root or through sudo."

build:
	@tools/setup run
	@tools/check-floors
	@tools/build release product

run: build
	@echo "measuring $(MODEL): build/lapse time $(MODEL)"
	@build/lapse time $(MODEL)

serve: build
	@mkdir -p "$(DATA)"
	@build/lapse serve --models models/photo-sr --data "$(DATA)" --retention 720h

test:
	@tools/setup test
	@tools/build test
	@/usr/bin/python3 models/make_zoo.py --out models/zoo
	@tools/run-tests test

bench:
	@tools/setup bench
	@tools/build bench
	@/usr/bin/python3 models/make_zoo.py --out models/zoo
	@bench/run

bench-coverage:
	@tools/setup bench
	@tools/build bench bench_coverage
	@bench/coverage/run

bench-overlap:
	@tools/setup test
	@tools/build test product
	@/usr/bin/python3 models/make_zoo.py --out models/zoo
	@bench/overlap/run

bench-serve:
	@tools/setup bench-serve
	@tools/build bench
	@bench/serve/run

bench-photo:
	@tools/setup bench-serve
	@tools/build test product large_photo
	@bench/photo/run

check:
	@tools/setup check
	@tools/check

install: build
	@cmake --install build --prefix "$(PREFIX)"

package: build
	@tools/setup package
	@cd build && cpack -G DEB

clean:
	@echo "removing build/ and build-*/"
	@rm -rf build build-*/
