/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/held.h"

#include "models/base/time.h"

#define HOLD_NS (6 * NS_S) /* RFC 5382 REQ-4 a */

unsigned fw_held_add(struct fw_held *h, uint64_t now_ns, const struct fw_flow *f)
{
    unsigned free = 0;
    for (unsigned i = 0; i < FW_HELD_MAX; i++) {
        if (h->syn[i].until_ns && fw_flow_equal(&h->syn[i].flow, f))
            return i + 1;
        if (!h->syn[i].until_ns && !free)
            free = i + 1;
    }
    if (free) {
        h->syn[free - 1].until_ns = now_ns + HOLD_NS;
        h->syn[free - 1].flow = *f;
    }
    return free;
}

void fw_held_cross(struct fw_held *h, const struct fw_flow *out)
{
    struct fw_flow in = {out->proto, out->dst, out->src, out->dport, out->sport};
    for (unsigned i = 0; i < FW_HELD_MAX; i++)
        if (h->syn[i].until_ns && fw_flow_equal(&h->syn[i].flow, &in))
            h->syn[i].until_ns = 0;
}

uint64_t fw_held_deadline(const struct fw_held *h)
{
    uint64_t at = TIME_NEVER;
    for (unsigned i = 0; i < FW_HELD_MAX; i++)
        if (h->syn[i].until_ns)
            at = time_min(at, h->syn[i].until_ns);
    return at;
}

unsigned fw_held_due(struct fw_held *h, uint64_t now_ns)
{
    for (unsigned i = 0; i < FW_HELD_MAX; i++)
        if (h->syn[i].until_ns && h->syn[i].until_ns <= now_ns) {
            h->syn[i].until_ns = 0;
            return i + 1;
        }
    return 0;
}
