/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an nftables ruleset. */
#include "models/firewall/parts_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_import(fw_nft_parse, NULL, data, size);
    return 0;
}
