# SPDX-License-Identifier: GPL-2.0-or-later
# The ns-3 engine: a plug-in beside the program, built once, with the C++ compiler and without sanitizers whatever the
# variant, as it meets the program over a C interface only. Without ns-3 the program does without it.
LIB_SRC += sim/ns3/load.c
TEST_SRC += $(wildcard sim/ns3/*_test.c)
KIT_SRC += sim/ns3/contract_kit.c

ifeq ($(shell { pkg-config --exists ns3-internet; } 2>/dev/null && echo yes),yes)
NS3 := build/turnproof-ns3.so
PLUGINS += $(NS3)

# Its own copies of what both engines share: links, and what decides on them.
ns3_src := $(wildcard sim/ns3/*.cc)
ns3_shared := sim/native/link.c models/base/rng.c models/base/hash.c models/base/addr.c
ns3_obj := $(ns3_src:%.cc=build/ns3/%.o) $(ns3_shared:%.c=build/ns3/%.o)

build/ns3/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,CXX $@)
	$Q$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

build/ns3/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC $@)
	$Qgcc $(CPPFLAGS) -std=c17 -g -O2 $(WARN) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(NS3): $(ns3_obj)
	$(call say,LD $@)
	$Q$(CXX) -shared -Wl,-z,defs -o $@ $^ $(filter-out %.so,$(shell pkg-config --libs ns3-internet)) -lnettle

-include $(ns3_obj:.o=.d)

$(patsubst %.c,$B/%,$(wildcard sim/ns3/*_test.c)): | $(NS3)
endif
