/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656: Traversal Using Relays around NAT (TURN). */
#include "conformance/rfc8656/rfc8656.h"

static const struct section *const sections[] = {
    &rfc8656_general,         &rfc8656_allocations, &rfc8656_allocate,    &rfc8656_allocate_answer,
    &rfc8656_allocate_client, &rfc8656_refresh,     &rfc8656_permissions, &rfc8656_send,
    &rfc8656_channels,        &rfc8656_packets,     &rfc8656_security,
};

const struct document rfc8656 = {"RFC 8656", sections, sizeof sections / sizeof *sections};
