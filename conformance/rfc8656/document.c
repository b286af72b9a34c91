/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

static const struct section *const sections[] = {NULL};

const struct document rfc8656 = {"RFC 8656", sections, 0};
