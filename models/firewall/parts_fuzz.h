/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For fuzz targets of importers: any bytes are read or refused with a place; what was read accounts for each line and
 * answers for packets. */
#ifndef TP_FIREWALL_PARTS_FUZZ_H
#define TP_FIREWALL_PARTS_FUZZ_H

#include <assert.h>

#include "models/firewall/import.h"
#include "models/firewall/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL: refused. */
static inline struct fw_rules *fuzz_read(fw_importer *parse, const char *section, int64_t clock_s,
                                         const uint8_t *data, size_t size)
{
    struct fw_rules *r;
    struct fw_diag d;
    struct fw_source src = {.name = "fuzz", .text = (const char *)data, .len = size, .section = section,
                            .clock_s = clock_s};
    if (parse(&src, &r, &d)) {
        assert(d.line > 0 && d.column > 0 && d.text[0]);
        return NULL;
    }
    struct fw_lines n = fw_rules_lines(r);
    assert(n.modelled + n.no_effect + n.unsupported == n.total);
    return r;
}

/* A few packets, and the end of the rules. NULL: none. */
static inline void fuzz_ask(struct fw_rules *r)
{
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    for (unsigned i = 0; r && i < 24 && r->iface_count; i++) {
        struct fw_flow f = {proto[i % 3], ip_v4(0xcb007109), ip_v4(0x0a000a02), 40000, (uint16_t)(i < 12 ? 443 : 0)};
        struct fw_verdict v = fw_eval_first(r, (int)(i % r->iface_count), (int)((i / 3) % r->iface_count), &f);
        char text[400];
        fw_verdict_text(r, &v, text, sizeof text);
        assert(text[0] && (v.decision != FW_UNKNOWN || v.doubt_count));
    }
    fw_rules_free(r);
}

static inline void fuzz_import(fw_importer *parse, const char *section, const uint8_t *data, size_t size)
{
    fuzz_ask(fuzz_read(parse, section, FW_NO_CLOCK, data, size));
}

#endif
