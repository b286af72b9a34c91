/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/sample.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/advice.h"
#include "models/firewall/rules.h"

enum { CONNECTIONS = 16 };

struct fw_flow sample_corner(const struct fw_cell *cell, unsigned which)
{
    fw_wide at[FW_DIMS];
    for (unsigned d = 0; d < FW_DIMS; d++) {
        struct fw_spans s = cell->dim[d];
        bool high = d != FW_DIM_PROTO && (which >> (d - 1) & 1);
        at[d] = high ? s.span[s.count - 1].hi : s.span[0].lo;
    }
    return (struct fw_flow){.proto = (uint8_t)at[FW_DIM_PROTO],
                            .src = fw_wide_ip(cell->family, at[FW_DIM_SRC]),
                            .dst = fw_wide_ip(cell->family, at[FW_DIM_DST]),
                            .sport = (uint16_t)at[FW_DIM_SPORT],
                            .dport = (uint16_t)at[FW_DIM_DPORT]};
}

struct fw_box *sample_box(const struct way_node *n)
{
    struct fw_box_config cfg = {.rules = n->node->rules, .routes = &n->routes, .name = n->node->name, .seed = 1,
                                .max_connections = CONNECTIONS};
    for (size_t i = 0; i < n->node->rules->iface_count; i++) {
        cfg.address[i] = n->addresses.prefix[i];
        cfg.address_count[i] = n->addresses.count[i];
    }
    return fw_box_new(&cfg);
}

/* A new connection's packet in the words of a run's advice, which speaks of access-lists. */
void sample_suggest(void *ctx, struct check *c, const struct check_blocked *b)
{
    (void)ctx;
    const struct fw_rules *r = c->topology->nodes.items[b->node].rules;
    struct fw_box *box = r->asa && b->visit->in >= 0 && b->hop && !b->hop->suggestion && b->part->arrived.count
                             ? sample_box(&c->ways.node[b->node]) : NULL;
    if (!box)
        return;
    const struct fw_flow f = sample_corner(&b->part->arrived.cell[0], 0);
    const struct fw_packet p = {.iface = b->visit->in, .flow = f, .tcp_flags = f.proto == PROTO_TCP ? FW_SYN : 0};
    const struct fw_result d = fw_pass(box, 1, &p);
    char text[FW_ADVICE_TEXT] = "";
    if (d.fate != FW_PASS)
        fw_advise(r, &p, &d, text, sizeof text);
    if (text[0])
        b->hop->suggestion = arena_copy(&c->report->arena, text, strlen(text));
    fw_box_free(box);
}
