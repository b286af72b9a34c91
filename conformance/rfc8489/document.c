/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/rfc8489/sections.h"

static const struct section *const sections[] = {
    &rfc8489_format, &rfc8489_base, &rfc8489_transport, &rfc8489_auth_server, &rfc8489_auth_client, &rfc8489_other,
};

const struct document rfc8489 = {"RFC 8489", sections, sizeof sections / sizeof *sections};
