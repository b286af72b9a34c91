/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an IOS configuration. */
#include "models/firewall/parts_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_ask(fuzz_read(fw_ios_parse, NULL, 1800000000, data, size));
    return 0;
}
