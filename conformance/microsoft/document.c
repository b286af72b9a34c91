/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

static const struct section *const sections[] = {NULL};

const struct document microsoft = {"MS-TURN, MS-ICE2", sections, 0};
