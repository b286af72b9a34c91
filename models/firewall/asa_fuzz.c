/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an ASA configuration: read or refused with a place, and what was read runs a few packets. */
#include "models/base/time.h"
#include "models/firewall/advice.h"
#include "models/firewall/parts_fuzz.h"

static void try_packets(struct fw_rules *r)
{
    if (r->iface_count == 0)
        return;
    struct fw_routes routes = {0};
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t j = 0; j < r->iface[i].address_count; j++)
            fw_routes_add(&routes, &(struct fw_route){.to = r->iface[i].address[j], .iface = (int)i});
    for (size_t i = 0; i < r->route_count; i++)
        fw_routes_add(&routes, &r->route[i]);
    struct fw_box *b = fw_box_new(&(struct fw_box_config){.rules = r, .routes = &routes, .name = "fw",
                                                          .max_connections = 16});
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    for (unsigned i = 0; i < 24; i++) {
        struct fw_packet p = {.iface = (int)(i % r->iface_count), .tcp_flags = FW_SYN};
        p.flow =
            (struct fw_flow){proto[i % 3], ip_v4(0xcb007109), ip_v4(0x0a000a02), 40000, (uint16_t)(i < 12 ? 443 : 0)};
        size_t other = (i / 3) % r->iface_count;
        if (r->iface[other].address_count && r->iface[other].address[0].ip.family == IP_V4)
            p.flow.dst = ip_v4(ip_v4_value(&r->iface[other].address[0].ip) + i % 3);
        struct fw_result d = fw_pass(b, i * 40 * NS_S, &p);
        char text[FW_ADVICE_TEXT];
        if (d.fate != FW_PASS)
            fw_advise(r, &p, &d, text, sizeof text);
    }
    fw_box_free(b);
    fw_routes_free(&routes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fw_rules *r = fuzz_read(fw_asa_parse, NULL, 1800000000, data, size);
    if (r)
        try_packets(r);
    fw_rules_free(r);
    return 0;
}
