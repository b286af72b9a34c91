/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/nat/sections.h"

static const struct section *const sections[] = {&nat_udp, &nat_tcp, &nat_later};

const struct document nat = {"NAT: RFC 4787, 5382, 5508, 6888, 7857", sections, sizeof sections / sizeof *sections};
