# The few commands that a person types; under them is plain Meson. BUILD=DIR builds elsewhere.
BUILD ?= build
JOBS ?= $(shell nproc)
# Where the shared evidence vectors are; tests that need them say so and are skipped when absent.
ATLS_VECTORS ?= $(abspath $(CURDIR)/../shared/vectors)
export ATLS_VECTORS

packages = ./packaging/install-packages.sh

.PHONY: all demo test bench fuzz proofs coverage install deb clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	@$(packages) build
	meson setup $(BUILD)

# A simulated TEE, a server, a client: one attested connection, three refused ones.
demo:
	@$(packages) build
	@test -e $(BUILD)/build.ninja || meson setup $(BUILD)
	@ninja -C $(BUILD) -j $(JOBS) atls
	@$(BUILD)/atls demo

test:
	@$(packages) build test
	@test -e $(BUILD)/build.ninja || meson setup $(BUILD)
	ninja -C $(BUILD) -j $(JOBS)
	meson test -C $(BUILD) --no-rebuild --print-errorlogs
	@python3 tests/testlog.py $(BUILD)

# What this machine does: verifications of a simulated quote, attested and plain handshakes.
bench: all
	./bench/run.sh $(BUILD)/atls

# FUZZ_SECONDS for each target.
FUZZ_SECONDS ?= 60
fuzz:
	@$(packages) build fuzz
	./fuzz/run.sh $(FUZZ_SECONDS)

proofs:
	@$(packages) proofs
	./proofs/run.sh

coverage:
	@$(packages) build test coverage
	./tests/coverage.sh

install: all
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

deb:
	@echo "make deb: Debian packages come with a later release; use 'make install DESTDIR=...'" >&2
	@exit 1

clean:
	rm -rf build build-fuzz build-coverage build-asan build-tsan
