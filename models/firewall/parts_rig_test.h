/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of importers: a file as text, packets as text, what is expected of them.
 *     tcp 10.0.0.1:5 > 10.0.0.2:6      udp 10.0.0.1:5 > 10.0.0.2:6      icmp 8 10.0.0.1 > 10.0.0.2 */
#ifndef TP_FIREWALL_PARTS_RIG_TEST_H
#define TP_FIREWALL_PARTS_RIG_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/fwbox.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

struct probe {
    const char *in, *out, *packet;
    enum fw_decision decision;
    unsigned line; /* of the rule that decides, of the first doubt; 0: none */
};

/* "NAME A/N" each. */
static inline const struct fw_port *rig_ports(const char *inside, const char *outside)
{
    static struct ip_prefix prefix[2];
    static struct fw_port port[2];
    static char name[2][32];
    const char *text[2] = {inside, outside};
    for (size_t i = 0; i < 2; i++) {
        char address[64];
        assert_int_equal(sscanf(text[i], "%31s %63s", name[i], address), 2);
        assert_int_equal(prefix_parse(address, &prefix[i]), 0);
        port[i] = (struct fw_port){name[i], &prefix[i], 1};
    }
    return port;
}

static inline struct fw_rules *rig_read(fw_importer *parse, const struct fw_source *src)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    if (parse(src, &r, &d))
        print_error("%s:%u:%u: %s\n", src->name, d.line, d.column, d.text);
    assert_non_null(r);
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.modelled + n.no_effect + n.unsupported, n.total);
    return r;
}

static inline struct endpoint rig_side(const char *s, bool ports)
{
    struct endpoint e = {0};
    assert_int_equal(ports ? endpoint_parse(s, &e) : ip_parse(s, &e.ip), 0);
    return e;
}

static inline struct fw_flow rig_flow(const char *text)
{
    char proto[8], src[64], dst[64];
    unsigned type = 0;
    bool icmp = sscanf(text, "icmp %u %63s > %63s", &type, src, dst) == 3;
    if (!icmp)
        assert_int_equal(sscanf(text, "%7s %63s > %63s", proto, src, dst), 3);
    struct endpoint a = rig_side(src, !icmp), b = rig_side(dst, !icmp);
    if (icmp)
        return (struct fw_flow){PROTO_ICMP, a.ip, b.ip, (uint16_t)type, 0};
    return (struct fw_flow){strcmp(proto, "tcp") == 0 ? PROTO_TCP : PROTO_UDP, a.ip, b.ip, a.port, b.port};
}

static inline void rig_probe(const struct fw_rules *r, const struct probe *p)
{
    struct fw_flow f = rig_flow(p->packet);
    int in = fw_rules_find_interface(r, p->in), out = fw_rules_find_interface(r, p->out);
    struct fw_verdict v = fw_eval_first(r, in, out, &f);
    char text[300];
    fw_verdict_text(r, &v, text, sizeof text);
    unsigned line = v.decision == FW_UNKNOWN ? v.doubt[0].ref->line : v.rule ? v.rule->line : 0;
    if (v.decision != p->decision || line != p->line)
        print_error("%s -> %s, %s: %s (line %u)\n", p->in, p->out, p->packet, text, line);
    assert_int_equal(v.decision, p->decision);
    assert_int_equal(line, p->line);
}

/* Reads the text, asks each probe (in NULL ends). */
static inline void rig_table(fw_importer *parse, const char *text, const struct probe *p)
{
    struct fw_rules *r = rig_read(parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text),
                                                             .clock_s = FW_NO_CLOCK});
    for (; p->in; p++)
        rig_probe(r, p);
    fw_rules_free(r);
}

/* The text must be refused there, with those words in the message. */
static inline void rig_refused(fw_importer *parse, const struct fw_source *src, int err, unsigned line,
                               const char *words)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    int got = parse(src, &r, &d);
    if (got != err || d.line != line || !strstr(d.text, words))
        print_error("%d at %u:%u: %s\n", got, d.line, d.column, d.text);
    assert_int_equal(got, err);
    assert_int_equal(d.line, line);
    assert_true(d.column > 0);
    assert_non_null(strstr(d.text, words));
}

struct refusal {
    const char *text;
    int err;
    unsigned line;
    const char *words;
};

static inline void rig_refusals(fw_importer *parse, const struct refusal *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rig_refused(parse, &(struct fw_source){.name = "t", .text = t[i].text, .len = strlen(t[i].text)}, t[i].err,
                    t[i].line, t[i].words);
}

/* The head and one word behind it, len bytes; the caller frees them. */
static inline char *rig_long_word(const char *head, size_t len)
{
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text, head, strlen(head));
    return text;
}

/* The first packet through the stateful box, routed by the file's networks and routes: what leaves, as
 * "IFACE SRC:PORT > DST:PORT", or why not. */
static inline void rig_pass(struct fw_rules *r, const char *in, const char *packet, const char *expected)
{
    struct fw_routes routes = {0};
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++)
            fw_routes_add(&routes, &(struct fw_route){.to = r->iface[i].address[k], .iface = (int)i});
    for (size_t i = 0; i < r->route_count; i++)
        fw_routes_add(&routes, &r->route[i]);
    struct fw_box *b = fw_box_new(&(struct fw_box_config){.rules = r, .routes = &routes, .name = "fw",
                                                          .max_connections = 16});
    struct fw_packet p = {.iface = fw_rules_find_interface(r, in), .flow = rig_flow(packet), .tcp_flags = FW_SYN};
    struct fw_result d = fw_pass(b, 0, &p);
    char text[200], src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
    if (d.fate == FW_PASS)
        snprintf(text, sizeof text, "%s %s > %s", r->iface[d.iface].name, endpoint_text(&d.src, src),
                 endpoint_text(&d.dst, dst));
    else
        snprintf(text, sizeof text, "%s", d.reason);
    assert_string_equal(text, expected);
    fw_box_free(b);
    fw_routes_free(&routes);
}

/* A file of the shared samples; NULL: they are not here. The caller frees it. */
static inline char *rig_sample(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *len = fread(text, 1, 1 << 20, f);
    fclose(f);
    return text;
}

#endif
