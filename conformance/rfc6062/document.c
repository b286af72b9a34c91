/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

static const struct section *const sections[] = {NULL};

const struct document rfc6062 = {"RFC 6062", sections, 0};
