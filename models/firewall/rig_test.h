/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests: a firewall of three interfaces and a configuration behind HEAD, and packets from text:
 *     tcp SA 10.0.0.1:5 > 10.0.0.2:6       flags S A F R, or -
 *     udp 10.0.0.1:5 > 10.0.0.2:6
 *     ping 7 10.0.0.1 > 10.0.0.2           echo with identifier 7; pong: the reply
 *     err 10.0.0.9 > 10.0.0.1 : udp 10.0.0.1:5 > 10.0.0.2:6      port unreachable about the packet that it quotes */
#ifndef TP_FIREWALL_TEST_RIG_H
#define TP_FIREWALL_TEST_RIG_H

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/firewall/fwbox.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

#define HEAD                                                                                                        \
    "interface Gi0/0\n nameif outside\n security-level 0\n ip address 198.51.100.2 255.255.255.0\n"                  \
    "interface Gi0/1\n nameif dmz\n security-level 50\n ip address 10.0.10.1 255.255.255.0\n"                        \
    "interface Gi0/2\n nameif inside\n security-level 100\n ip address 10.1.0.1 255.255.0.0\n"                       \
    " ipv6 address 2001:db8:1::1/64\nroute outside 0.0.0.0 0.0.0.0 198.51.100.1\n"
enum { HEAD_LINES = 14 };

struct rig {
    unsigned head; /* lines before those that a test counts */
    struct fw_rules *rules;
    struct fw_routes routes;
    struct fw_box *box;
};

/* A box for the rules, which it takes, with the routes that they have. */
/* Whatever else is open: nothing begins to port 666. */
static inline const struct fw_rule_ref *rig_shuts(void *ctx, const struct fw_flow *arrived,
                                                  const struct fw_flow *leaving)
{
    static const struct fw_rule_ref ref = {.file = "shut", .text = "shut"};
    (void)ctx;
    return arrived->dport == 666 || leaving->dport == 666 ? &ref : NULL;
}

static inline void rig_of(struct rig *g, struct fw_rules *rules, size_t max)
{
    static const struct fw_shutter shutter = {.shuts = rig_shuts};
    assert(rules);
    *g = (struct rig){.rules = rules};
    int err = 0;
    for (size_t i = 0; i < g->rules->iface_count; i++)
        for (size_t j = 0; j < g->rules->iface[i].address_count; j++)
            err |= fw_routes_add(&g->routes,
                                 &(struct fw_route){.to = g->rules->iface[i].address[j], .iface = (int)i});
    for (size_t i = 0; i < g->rules->route_count; i++)
        err |= fw_routes_add(&g->routes, &g->rules->route[i]);
    struct fw_box_config cfg = {
        .rules = g->rules, .routes = &g->routes, .name = "fw", .seed = 1, .max_connections = max,
        .shutter = &shutter};
    g->box = fw_box_new(&cfg);
    assert(!err && g->box);
}

static inline void rig_open(struct rig *g, const char *config, size_t max)
{
    char text[4096];
    struct fw_diag d;
    struct fw_rules *rules = NULL;
    snprintf(text, sizeof text, "%s%s", HEAD, config);
    if (fw_asa_parse(&(struct fw_source){.name = "fw.cfg", .text = text, .len = strlen(text)}, &rules, &d))
        fprintf(stderr, "line %u: %s\n", d.line - HEAD_LINES, d.text);
    rig_of(g, rules, max);
    g->head = HEAD_LINES;
}

static void rig_close(struct rig *g)
{
    fw_box_free(g->box);
    fw_routes_free(&g->routes);
    fw_rules_free(g->rules);
}

/* "10.0.0.1:5" or "10.0.0.1" */
static struct endpoint side(const char *s)
{
    struct endpoint e = {0};
    int err = strchr(s, ':') ? endpoint_parse(s, &e) : ip_parse(s, &e.ip);
    assert(!err);
    return e;
}

static struct fw_packet packet_of(const struct rig *g, const char *in, const char *text)
{
    char word[9][64] = {{0}};
    sscanf(text, "%63s %63s %63s %63s %63s %63s %63s %63s %63s", word[0], word[1], word[2], word[3], word[4], word[5],
           word[6], word[7], word[8]);
    bool tcp = strcmp(word[0], "tcp") == 0, echo = word[0][0] == 'p', err = strcmp(word[0], "err") == 0;
    size_t at = tcp || echo ? 2 : 1;
    struct endpoint src = side(word[at]), dst = side(word[at + 2]);
    struct fw_packet p = {.iface = fw_rules_find_interface(g->rules, in),
                          .flow = {tcp ? PROTO_TCP : PROTO_UDP, src.ip, dst.ip, src.port, dst.port}};
    static const char letters[] = "FSR.A"; /* bit by bit, FW_FIN first */
    for (const char *f = word[1]; tcp && *f; f++)
        for (unsigned bit = 0; letters[bit]; bit++)
            if (*f == letters[bit])
                p.tcp_flags |= (uint8_t)(1U << bit);
    if (echo) {
        p.flow.proto = PROTO_ICMP;
        p.flow.sport = word[0][1] == 'i' ? 8 : 0;
        sscanf(word[1], "%hu", &p.echo_id);
    }
    if (err) {
        p.flow.proto = PROTO_ICMP;
        p.flow.sport = p.flow.dport = 3;
        p.quotes = true;
        struct fw_packet quoted = packet_of(g, in, strchr(strchr(text, '>'), ':') + 2);
        p.quoted = quoted.flow;
    }
    return p;
}

/* At a time, a packet goes in by an interface, and what comes out: "IFACE SRC > DST", "drop REASON" or "drop REASON
 * LINE", the line counted behind the head of the configuration. */
struct step {
    uint64_t ms;
    const char *in, *packet, *expect;
};

static inline const char *result_text(const struct rig *g, const struct fw_packet *p, const struct fw_result *r)
{
    static char out[300];
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
    struct text t = text_of(out, sizeof out);
    if (r->fate != FW_PASS) {
        text_add(&t, "drop %s", r->reason);
        if (r->rule && r->rule->line)
            text_add(&t, " %u", r->rule->line - g->head);
        return out;
    }
    bool icmp = p->flow.proto == PROTO_ICMP, echo = icmp && !p->quotes;
    text_add(&t, "%s %s > %s", g->rules->iface[r->iface].name,
             icmp ? ip_text(&r->src.ip, a) : endpoint_text(&r->src, a),
             icmp ? ip_text(&r->dst.ip, b) : endpoint_text(&r->dst, b));
    if (echo)
        text_add(&t, " %u", r->src.port);
    if (r->quoted_src.ip.family)
        text_add(&t, " : %s > %s", endpoint_text(&r->quoted_src, a), endpoint_text(&r->quoted_dst, b));
    return out;
}

static inline void rig_play(struct rig *g, const struct step *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fw_packet p = packet_of(g, s[i].in, s[i].packet);
        struct fw_result r = fw_pass(g->box, s[i].ms * NS_MS, &p);
        const char *found = result_text(g, &p, &r);
        if (strcmp(found, s[i].expect) != 0)
            fail_msg("step %zu: %s %s: expected \"%s\", found \"%s\"", i, s[i].in, s[i].packet, s[i].expect, found);
    }
}

#endif
