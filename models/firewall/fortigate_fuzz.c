/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a FortiGate configuration. */
#include "models/firewall/parts_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_import(fw_fortigate_parse, size % 4 ? NULL : "a", data, size);
    return 0;
}
