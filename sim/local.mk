# SPDX-License-Identifier: GPL-2.0-or-later
sim_c := $(wildcard sim/native/*.c sim/posix/*.c sim/host/*.c sim/scenario/*.c sim/netns/*.c sim/check/*.c sim/relay/*.c \
                  sim/memory/*.c sim/capture/*.c sim/diagnose/*.c)
LIB_SRC += $(filter-out %_test.c %_fuzz.c %_bench.c %_kit.c,$(sim_c)) $(wildcard sim/*.c)
KIT_SRC += $(filter %_kit.c,$(sim_c))
TEST_SRC += $(filter %_test.c,$(sim_c))
FUZZ_SRC += $(filter %_fuzz.c,$(sim_c))
BENCH_SRC += $(filter %_bench.c,$(sim_c))
CMD_SRC += $(wildcard sim/cmd/*.c)
TEST_SH += $(wildcard sim/cmd/*_test.sh)
include $(wildcard sim/ns3/local.mk)
# The oracle of our reader of captures.
$B/sim/capture/libpcap_test: LDLIBS += -lpcap
