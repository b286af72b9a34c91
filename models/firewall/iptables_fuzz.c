/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as iptables-save. */
#include "models/firewall/parts_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_import(fw_iptables_parse, NULL, data, size);
    return 0;
}
