/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a datagram or segment of SIP: what comes out has the length that the changes say, and what was left
 * alone is as it was. */
#include <assert.h>
#include <string.h>

#include "models/firewall/sip_alg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every address with an even last byte becomes another, longer or shorter. */
static bool map(void *ctx, struct ip_addr *ip)
{
    (void)ctx;
    if (ip->b[3] % 2)
        return false;
    *ip = ip_v4(ip->b[0] % 2 ? 0x01020305 : 0xc6336477);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 17];
    struct fw_sip_change c;
    size_t len = fw_sip_rewrite(data, size, map, NULL, out, sizeof out, &c);
    assert(c.message_count <= FW_SIP_MESSAGES_MAX);
    if (!len)
        return 0;
    long longer = 0;
    size_t end = 0;
    for (size_t i = 0; i < c.message_count; i++) {
        assert(c.message[i].end > end && c.message[i].end <= size);
        end = c.message[i].end;
        longer += c.message[i].delta;
    }
    assert(c.addresses > 0 && (long)len == (long)size + longer);
    assert(memcmp(out + (len - (size - end)), data + end, size - end) == 0);
    return 0;
}
