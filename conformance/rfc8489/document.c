/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

static const struct section *const sections[] = {NULL};

const struct document rfc8489 = {"RFC 8489", sections, 0};
