# SPDX-License-Identifier: MIT
#
# The front door. Meson does the building, under build/; the tools do the checking, under tools/.

# Debian's meson belongs to Debian's python3, whatever python3 comes first in PATH.
MESON = $$([ -x /usr/bin/meson ] && echo /usr/bin/python3 /usr/bin/meson || echo meson)
PREFIX ?= /usr/local
MINUTES ?= 60
release = build/release

# What make demo FILE=... hands over, by the environment so that blanks survive.
export FILE

help:
	@echo "make demo [FILE=path]   two processes hand over a file; a table of what each path costs"
	@echo "make baremetal          the kernel of port/x86_64-baremetal under QEMU: boots, exchanges messages, ends"
	@echo "make check              every check: house rules, both compilers, sanitizers"
	@echo "make ratios [ARGS=...]  one line 'ratio NAME VALUE GOAL' for each measured promise"
	@echo "make bench              everything against every peer, to build/bench/report.html; 3 to 15 minutes"
	@echo "make bench-quick        the same with fewer points and rounds; about 2 minutes"
	@echo "make cost [ARGS=...]    what an operation costs in one thread, beside the peers (Google Benchmark's flags)"
	@echo "make instructions [ARGS=PART]  the same in instructions, which repeat (of operations named ...PART...)"
	@echo "make growth [ARGS=...]  what grows with ring, arena, producers and messages, and what does not"
	@echo "make soak [MINUTES=60]  the long tests, for about that long in all"
	@echo "make install            headers, exo_ipc.pc and exo-ipcd, to PREFIX=$(PREFIX) (honours DESTDIR)"
	@echo "make clean              removes build/"

demo:
	@tools/install-deps build
	@$(MAKE) -s $(release)/build.ninja
	@tools/quietly ninja -C $(release) examples/demo
	@$(release)/examples/demo $${FILE:+-- "$$FILE"}

baremetal:
	@tools/install-deps build baremetal
	@$(MAKE) -s $(release)/build.ninja
	@tools/quietly ninja -C $(release) $(baremetal)/baremetal_demo
	@$(baremetal)/run $(release)/$(baremetal)/baremetal_demo $(or $(ARGS),2 128M "" -icount shift=0$(comma)sleep=off)

baremetal = port/x86_64-baremetal
comma = ,

check:
	@tools/install-deps build check examples baremetal
	@tools/check

ratios: bench-peers
	@tools/quietly ninja -C $(release) bench/ratios daemon/exo-ipcd
	@$(release)/bench/ratios $(ARGS)

bench bench-quick: bench-peers
	@tools/quietly ninja -C $(release) bench/suite/suite
	@mkdir -p build/bench
	@$(release)/bench/suite/suite $(if $(filter bench-quick,$@),--quick) $(ARGS) build/bench/results.json
	@bench/suite/report build/bench/results.json build/bench

# A peer may have been installed since the last time.
bench-peers:
	@tools/install-deps build bench
	@$(MAKE) -s $(release)/build.ninja
	@tools/quietly sh -c "$(MESON) configure --clearcache $(release) && $(MESON) setup --reconfigure $(release)"

cost growth instructions: bench-peers
	@tools/quietly ninja -C $(release) $(program_$@)
	@$(run_$@) $(release)/$(program_$@) $(ARGS)

program_cost         = bench/cost/cost
program_growth       = bench/growth/growth
program_instructions = bench/cost/count
run_instructions     = bench/cost/instructions

soak:
	@tools/install-deps build check examples
	@EXO_SOAK_MINUTES=$(MINUTES) tools/check soak

install:
	@tools/install-deps build
	@mkdir -p build
	@rm -rf build/install
	@tools/quietly sh -c "$(MESON) setup build/install --prefix='$(PREFIX)' \
	    -Dtests=disabled -Dbench=disabled -Dexamples=disabled"
	@$(MESON) install -C build/install

clean:
	rm -rf build

# The builds. Each is configured once, and again when this file changes.
# Of debugging information the checks need names and lines only; all of it would take a fifth of the time to compile.
options_common  = -Dbuildtype=debugoptimized -Dwerror=true -Dbench=disabled
lines           = -Dc_args=-g1 -Dcpp_args=-g1
options_gcc     = $(options_common) $(lines) -Dproof=enabled -Dbaremetal=enabled
options_clang   = $(options_common) $(lines) -Dbaremetal=enabled
options_tsan    = $(options_common) $(lines) -Db_sanitize=thread -Db_lundef=false
options_asan    = $(options_common) -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
                  -Dc_args='-g1 -fno-sanitize-recover=all' -Dcpp_args='-g1 -fno-sanitize-recover=all'
options_release = -Dbuildtype=release -Dtests=disabled -Dbaremetal=enabled -Dc_args=-march=native -Dcpp_args=-march=native

cc_gcc     = CC=gcc CXX=g++
cc_clang   = CC=clang CXX=clang++
# The sanitizers of older compilers do not start under kernels with much address randomisation.
cc_tsan    = CC=clang-19 CXX=clang++-19
cc_asan    = CC=clang-19 CXX=clang++-19
cc_release = CC=gcc CXX=g++

build/%/build.ninja: Makefile
	@mkdir -p build
	@again=; [ ! -f $@ ] || again=--reconfigure; \
	    tools/quietly env $(cc_$*) sh -c "$(MESON) setup $$again build/$* $(options_$*)"
	@touch $@

.PHONY: help demo baremetal check bench bench-quick bench-peers ratios cost growth instructions soak install clean
