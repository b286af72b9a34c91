/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an IOS configuration: read or refused with a place, and what was read judges a few packets. */
#include <assert.h>

#include "models/firewall/import.h"
#include "models/firewall/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fw_rules *r;
    struct fw_diag d;
    int err = fw_ios_parse(&(struct fw_source){.name = "fuzz", .text = (const char *)data, .len = size,
                                              .clock_s = 1800000000}, &r, &d);
    if (err) {
        assert(d.line > 0 && d.column > 0 && d.text[0]);
        return 0;
    }
    struct fw_lines n = fw_rules_lines(r);
    assert(n.modelled + n.no_effect + n.unsupported == n.total);
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    for (unsigned i = 0; i < 12 && r->iface_count; i++) {
        struct fw_flow f = {proto[i % 3], ip_v4(0xcb007109), ip_v4(0x0a000a02), 40000, (uint16_t)(i < 6 ? 443 : 0)};
        struct fw_verdict v = fw_eval_first(r, (int)(i % r->iface_count), (int)(i / 3 % r->iface_count), &f);
        char text[400];
        fw_verdict_text(r, &v, text, sizeof text);
        assert(text[0] && (v.decision != FW_UNKNOWN || v.doubt_count));
    }
    fw_rules_free(r);
    return 0;
}
