# Apus. `make build`, `make test` and `make demo` each set up what Debian 12 with Swift 6 lacks.
SHELL := /bin/bash

# The instruction set of the tuned build is the best level this machine has, of the four-step
# x86-64 scale; PORTABLE=1 builds for every x86-64. Other architectures take the compiler's default.
ifndef PORTABLE
  ifeq ($(shell uname -m),x86_64)
    CPU := $(shell grep -m1 '^flags' /proc/cpuinfo)
    ifeq (4,$(words $(filter avx512f avx512dq avx512bw avx512vl,$(CPU))))
      MARCH := -Xcc -march=x86-64-v4
    else ifeq (2,$(words $(filter avx2 fma,$(CPU))))
      MARCH := -Xcc -march=x86-64-v3
    endif
  endif
endif
FLAGS := -c release $(MARCH) -Xcc -fno-math-errno

# Figures need matplotlib from Debian, so the system's own Python.
PYTHON ?= /usr/bin/python3
DEMO ?= runs/demo
# Peers from PyPI live in .venv: calorine for `make bench`, physical_validation for `make validate`.
PEERS := .venv/bin/python
MODELS ?= ../shared/reference/nep/models

LIBRARIES := libnetcdf-dev libfftw3-dev libyaml-dev zlib1g-dev pkg-config make gcc
FIGURES := python3 python3-matplotlib python3-numpy python3-netcdf4
APT := DEBIAN_FRONTEND=noninteractive $(if $(filter 0,$(shell id -u)),,sudo -n) apt-get

# The failures again at the end, where they are found among thousands of lines.
TESTS := swift test $(FLAGS) 2>&1 | tee .build/tests.log; status=$${PIPESTATUS[0]}; \
  if [ $$status != 0 ]; then grep -E '✘|recorded an issue|error:|Fatal' .build/tests.log; fi; exit $$status

.PHONY: build test demo check format bench validate docs libraries figures peers clean

build: libraries
	swift build $(FLAGS) --product apus

test: libraries
	swift build $(FLAGS)
	$(TESTS)

# A run of 1152 atoms, its figure, and its analysis with figures.
demo: build figures
	rm -rf $(DEMO)
	.build/release/apus run inputs/demo.yaml --output $(DEMO)
	$(PYTHON) analysis/plot_run.py $(DEMO) --output $(DEMO)/figure
	.build/release/apus analyze $(DEMO)
	$(PYTHON) analysis/figures.py $(DEMO)/analysis/analysis.nc

check: libraries
	swift format lint -r --strict Sources Tests Package.swift
	swift build $(FLAGS)
	$(TESTS)

format:
	swift format -i -r Sources Tests Package.swift

bench: build peers
	@test -d $(MODELS) || { echo "make bench: no folder $(MODELS); give one with MODELS=FOLDER that holds Si_2022_NEP4_4body.txt and UNEP-v1.txt (github.com/brucefan1983/GPUMD, potentials)"; exit 2; }
	$(PEERS) analysis/bench.py --models $(MODELS) --sizes

# Ensembles and conserved quantities against theory, in standard errors; about an hour.
validate: build peers
	APUS_VALIDATE=1 swift test $(FLAGS) --filter ValidationSeries
	$(PEERS) analysis/validate/ensembles.py .build/validate
	$(PEERS) analysis/validate/drift.py

docs: libraries
	rm -rf .build/*/symbolgraph
	# It ends in an error on the bundle of tests, after all else is written; a missing module stops the copy.
	-swift package dump-symbol-graph --minimum-access-level public
	mkdir -p docs/api
	for module in Matter Parallel Neighbors Potentials NEP Trajectory Dynamics Analysis Decks; do \
	  mkdir -p .build/symbols/$$module && \
	  cp .build/*/symbolgraph/$$module.symbols.json .build/symbols/$$module/ && \
	  docc convert --additional-symbol-graph-dir .build/symbols/$$module \
	    --fallback-display-name $$module --fallback-bundle-identifier apus.$$module \
	    --output-path docs/api/$$module || exit 1; \
	done

libraries:
	@missing=; for p in $(LIBRARIES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  $(APT) update -qq && $(APT) install -y -qq $$missing; fi

figures:
	@missing=; for p in $(FIGURES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  $(APT) update -qq && $(APT) install -y -qq $$missing; fi

peers:
	@$(PEERS) -c "import calorine, ase, physical_validation" 2>/dev/null || { \
	  dpkg-query -W -f '$${Status}' python3-venv 2>/dev/null | grep -q 'ok installed' \
	    || { $(APT) update -qq && $(APT) install -y -qq python3-venv python3-dev g++; }; \
	  python3 -m venv .venv && .venv/bin/pip install -q calorine ase physical_validation; }

clean:
	rm -rf .build
