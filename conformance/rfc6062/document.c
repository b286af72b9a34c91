/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/rfc6062/rfc6062.h"

static const struct section *const sections[] = {
    &rfc6062_overview,    &rfc6062_client, &rfc6062_allocate,  &rfc6062_connect, &rfc6062_incoming, &rfc6062_bind,
    &rfc6062_maintenance, &rfc6062_wire,   &rfc6062_inherited, &rfc6062_silent,
};

const struct document rfc6062 = {"RFC 6062", sections, sizeof sections / sizeof *sections};
