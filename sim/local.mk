# SPDX-License-Identifier: GPL-2.0-or-later
sim_c := $(filter-out sim/ns3/% sim/mpi/% sim/cmd/%,$(wildcard sim/*/*.c))
LIB_SRC += $(filter-out %_test.c %_fuzz.c %_bench.c %_kit.c,$(sim_c)) $(wildcard sim/*.c)
KIT_SRC += $(filter %_kit.c,$(sim_c))
TEST_SRC += $(filter %_test.c,$(sim_c))
FUZZ_SRC += $(filter %_fuzz.c,$(sim_c))
BENCH_SRC += $(filter %_bench.c,$(sim_c))
CMD_SRC += $(wildcard sim/cmd/*.c)
TEST_SH += $(wildcard sim/*/*_test.sh)
include $(wildcard sim/ns3/local.mk sim/mpi/local.mk)
# The oracle of our reader of captures.
$B/sim/capture/libpcap_test: LDLIBS += -lpcap
