/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a description of Azure groups. */
#include "models/firewall/parts_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_import(fw_azure_parse, size % 2 ? "a" : NULL, data, size);
    return 0;
}
