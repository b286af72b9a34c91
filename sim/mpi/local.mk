# SPDX-License-Identifier: GPL-2.0-or-later
# The ranks of a sweep under mpirun: a plug-in beside the program, built once, as ns-3's is. Without Open MPI a sweep runs
# on one machine.
ifeq ($(shell { pkg-config --exists ompi-c; } 2>/dev/null && echo yes),yes)
MPI := build/turnproof-mpi.so
PLUGINS += $(MPI)

$(MPI): sim/mpi/ranks.c sim/sweep/ranks.h models/base/diag.h
	@mkdir -p $(@D)
	$(call say,CC $@)
	$Qgcc -I. -std=c17 -g -O2 $(WARN) $(shell pkg-config --cflags ompi-c) -fPIC -fvisibility=hidden -shared -o $@ $< \
		$(shell pkg-config --libs ompi-c)
endif
