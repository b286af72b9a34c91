/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

static const struct section *const sections[] = {NULL};

const struct document nat = {"NAT (RFC 4787, 5382, 5508, 6888, 7857)", sections, 0};
