# SPDX-License-Identifier: GPL-2.0-or-later
conformance_c := $(wildcard conformance/*.c conformance/*/*.c)
LIB_SRC += $(filter-out %_test.c %_fuzz.c %_bench.c %_kit.c,$(conformance_c))
KIT_SRC += $(filter %_kit.c,$(conformance_c))
TEST_SRC += $(filter %_test.c,$(conformance_c))
FUZZ_SRC += $(filter %_fuzz.c,$(conformance_c))
TEST_SH += $(wildcard conformance/*_test.sh)
