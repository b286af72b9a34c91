# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof. `make help` lists the targets. Everything made goes to build/; a variant (SAN=1, CC=clang, OPT=-O0)
# has a folder of its own there, so variants never mix.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CXX ?= g++
OPT ?= -O2
SAN ?= 0

comma := ,
variant := $(notdir $(CC))$(OPT)$(if $(filter 1,$(SAN)),-san)
B := build/$(variant)

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
ifneq ($(findstring gcc,$(CC)),)
WARN += -Wno-format-truncation # cutting text that is too long is what snprintf is for
endif
ifeq ($(SAN),1)
WARN := $(filter-out -Wconversion,$(WARN)) # gcc warns of conversions that its own instrumentation makes
endif
SANFLAGS := $(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS += -std=c17 -g $(OPT) -ffp-contract=off $(WARN) $(SANFLAGS) -fPIC -fvisibility=hidden -MMD -MP
CXXFLAGS += -std=c++17 -g $(OPT) -Wall -Wextra -Werror -fPIC -fvisibility=hidden -MMD -MP
LDFLAGS += $(SANFLAGS)
LDLIBS += -lcjson -lnettle -lhttp_parser -ldl -lm

# V=1 shows whole commands.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@echo "  $(1)")

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# Each folder says in its local.mk what it adds: LIB_SRC (linked into the program and every test), CMD_SRC (the program
# alone), KIT_SRC (tests alone), TEST_SRC and TEST_SH (unit and system tests), FUZZ_SRC, and targets of its own.
LIB_SRC := $(filter-out models/testkit/% %_test.c %_fuzz.c %_bench.c,$(wildcard models/*/*.c))
KIT_SRC := $(filter-out %_test.c,$(wildcard models/testkit/*.c))
TEST_SRC := $(wildcard models/*/*_test.c)
FUZZ_SRC := $(wildcard models/*/*_fuzz.c)
BENCH_SRC :=
TEST_SH :=
CMD_SRC :=

include $(wildcard models/local.mk sim/local.mk topologies/local.mk conformance/local.mk reports/local.mk)

lib_obj := $(LIB_SRC:%.c=$B/%.o)
cmd_obj := $(CMD_SRC:%.c=$B/%.o)
kit_obj := $(KIT_SRC:%.c=$B/%.o)
tests := $(TEST_SRC:%.c=$B/%)
benches := $(BENCH_SRC:%.c=$B/%)

.PHONY: all
all: build/turnproof $(PLUGINS)

# The program of the variant last built, where people and scripts find it.
build/turnproof: $B/turnproof FORCE
	@cmp -s $< $@ || { cp $< $@; echo "made $@ ($(variant))"; }

.PHONY: FORCE
FORCE:

$B/turnproof: $(cmd_obj) $B/libturnproof.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$Q$(CC) $(LDFLAGS) -rdynamic -o $@ $(cmd_obj) $B/libturnproof.a $(LDLIBS)

$B/libturnproof.a: $(lib_obj)
	@rm -f $@
	@mkdir -p $(@D)
	$Qar rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC $@)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$B/%_test: $B/%_test.o $(kit_obj) $B/libturnproof.a
	$Q$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(LDLIBS) -lcmocka

$B/%_bench: $B/%_bench.o $B/libturnproof.a
	$Q$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(LDLIBS)

-include $(lib_obj:.o=.d) $(cmd_obj:.o=.d) $(kit_obj:.o=.d) $(tests:=.d) $(benches:=.d)

# ---- what people call ----

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## run      install what is missing, build, run the lab call on both engines
.PHONY: run
run:
	@./.ci/deps run
	@$(MAKE) --no-print-directory all
	@./build/turnproof run topologies/lab.json --engine both --out build/lab

## test     install what is missing, build with gcc, clang and sanitizers, run every test
.PHONY: test
test:
	@./.ci/deps test
	@./.ci/test

.PHONY: build-tests build-benches list-tests list-scripts list-command-objects list-libraries
build-tests: $(tests)
build-benches: $(benches)
list-tests:
	@echo $(tests)
list-scripts:
	@echo $(TEST_SH)
list-command-objects:
	@echo $(cmd_obj)
list-libraries:
	@echo $(LDLIBS)

## units    only the unit tests of this variant (TESTS=PATTERN chooses)
.PHONY: units
units: $(tests)
	@./models/testkit/run-tests $(filter $(or $(TESTS),%),$(tests))

## fuzz     each fuzz target for FUZZ_S seconds (10)
FUZZ_S ?= 10
F := build/fuzz
fuzz_flags := -fsanitize=address$(comma)undefined -fno-sanitize-recover=all
fuzz_programs := $(FUZZ_SRC:%.c=$F/%)
.PHONY: fuzzers
fuzzers: $(fuzz_programs)
.PHONY: fuzz
fuzz: fuzzers
	@./models/testkit/run-fuzz $(FUZZ_S) $(fuzz_programs)

$F/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ $@)
	$Qclang $(CPPFLAGS) -std=c17 -g -O1 -MMD -MP -fsanitize=fuzzer-no-link $(fuzz_flags) -c -o $@ $<

$F/libturnproof.a: $(LIB_SRC:%.c=$F/%.o)
	@rm -f $@
	$Qar rcs $@ $^

$F/%_fuzz: $F/%_fuzz.o $F/libturnproof.a
	$Qclang -fsanitize=fuzzer $(fuzz_flags) -rdynamic -o $@ $^ $(LDLIBS)

-include $(LIB_SRC:%.c=$F/%.d)

## bench    speed and memory as ratios from one run: native beside ns-3, the relay beside coturn
.PHONY: bench bench-relay
bench: all $(benches)
	@./reports/bench $B
	@./reports/bench_relay $B

## bench-relay  only the relay beside coturn
bench-relay: all $(benches)
	@./reports/bench_relay $B

## nightly  the long ones: minutes of fuzzing for each parser, many more seeds and lost packets, the relay for hours
.PHONY: nightly
nightly: test
	@$(MAKE) --no-print-directory fuzz FUZZ_S=300
	@GRID_SEEDS=300 LOSS_PACKETS=600 ./models/testkit/run-tests sim/cmd/grid_test.sh sim/cmd/one_loss_test.sh
	@MATRIX_NS3=all ./models/testkit/run-tests sim/cmd/matrix_test.sh
	@FAST=0 ./models/testkit/run-tests conformance/coturn_test.sh
	@EXPLORE_SEEDS=100000 PLANTED=all ./models/testkit/run-tests sim/explore/lab_test.sh sim/explore/planted_test.sh
	@MEETING_MINUTES=480 ./models/testkit/run-tests sim/cmd/meeting_test.sh
	@FAULTS=all ./models/testkit/run-tests sim/cmd/faults_test.sh
	@SOAK_ALLOCATIONS=6000 SOAK_MINUTES=600 ./models/testkit/run-tests $B/sim/host/soak_test
	@SOAK_ALLOCATIONS=6000 SOAK_SECONDS=60 SOAK_RATE=5000 ./models/testkit/run-tests sim/cmd/soak_test.sh
	@ORACLE_SETS=2000 ORACLE_PACKETS=300 ORACLE_SEED=2 ./models/testkit/run-tests $B/sim/netns/oracle_test

## tidy     the rules of the house: lines, functions, names, includes, headers on their own
.PHONY: tidy
tidy:
	@./.ci/tidy

## deps     install what building and testing need (Debian packages)
.PHONY: deps
deps:
	@./.ci/deps test

## install  to PREFIX (/usr/local): program, plug-in, topologies, man page, completion
PREFIX ?= /usr/local
.PHONY: install
install: all
	install -D -m 755 build/turnproof $(DESTDIR)$(PREFIX)/bin/turnproof
	$(foreach p,$(PLUGINS),install -D -m 644 $p $(DESTDIR)$(PREFIX)/lib/turnproof/$(notdir $p);)
	install -D -m 644 sim/cmd/turnproof.1 $(DESTDIR)$(PREFIX)/share/man/man1/turnproof.1
	install -D -m 644 sim/cmd/turnproof.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/turnproof
	install -D -m 644 reports/wireshark/turnproof.lua $(DESTDIR)$(PREFIX)/share/turnproof/wireshark/turnproof.lua
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/turnproof/plots reports/plots/*.gp
	cd topologies && find . -name '*.json' -o -name '*.cfg' | \
	    xargs -I{} install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/turnproof/topologies/{}

## clean    remove build/
.PHONY: clean
clean:
	rm -rf build
