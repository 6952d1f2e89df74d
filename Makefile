# Apus: `make build`, `make test`, `make demo` set up what they need on Debian 12 with Swift 6.
SHELL := /bin/bash

# The instruction set of the tuned build: the best level this machine has. PORTABLE=1 takes none.
ifndef PORTABLE
  ifeq ($(shell uname -m),x86_64)
    CPUFLAGS := $(shell cat /proc/cpuinfo 2>/dev/null | grep -m1 '^flags')
    ifneq (,$(and $(findstring avx512f,$(CPUFLAGS)),$(findstring avx512dq,$(CPUFLAGS)),$(findstring avx512bw,$(CPUFLAGS)),$(findstring avx512vl,$(CPUFLAGS))))
      MARCH := -Xcc -march=x86-64-v4
    else ifneq (,$(and $(findstring avx2,$(CPUFLAGS)),$(findstring fma,$(CPUFLAGS))))
      MARCH := -Xcc -march=x86-64-v3
    endif
  endif
endif
FLAGS := $(MARCH) -Xcc -fno-math-errno
SWIFT_BUILD := swift build -c release $(FLAGS)
SWIFT_TEST := swift test -c release $(FLAGS)

.PHONY: build test
build:
	$(SWIFT_BUILD) --product apus
test:
	$(SWIFT_TEST)
