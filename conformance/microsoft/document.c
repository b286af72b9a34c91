/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/microsoft/sections.h"

static const struct section *const sections[] = {&microsoft_turn, &microsoft_framing, &microsoft_ice};

const struct document microsoft = {"MS-TURN, MS-ICE2", sections, sizeof sections / sizeof *sections};
