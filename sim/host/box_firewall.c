/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A firewall between frames and the stateful core of models/firewall. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/advice.h"
#include "models/firewall/rules.h"
#include "sim/host/box_parts.h"

/* Texts of advice stay for the trace to keep; the same one is kept once. */
struct box_text {
    struct box_text *next;
    char text[];
};

enum { TEXTS_MAX = 1024 };

static const char *keep(struct box *b, const char *text)
{
    size_t n = 0;
    for (struct box_text *t = b->text; t; t = t->next, n++)
        if (strcmp(t->text, text) == 0)
            return t->text;
    size_t size = strlen(text) + 1;
    struct box_text *t = n < TEXTS_MAX ? malloc(sizeof *t + size) : NULL;
    if (!t)
        return "";
    memcpy(t->text, text, size);
    t->next = b->text;
    b->text = t;
    return t->text;
}

/* The rules' interface of that name, or, when the rules were given no such name, none. */
static void match_ports(struct box *b)
{
    for (size_t i = 0; i < FW_IFACE_MAX; i++)
        b->port_iface[i] = b->iface_port[i] = -1;
    for (unsigned p = 0; p < b->cfg.iface_count; p++) {
        int i = fw_rules_find_interface(b->cfg.rules, b->iface[p].name);
        if (i < 0)
            continue;
        b->port_iface[p] = i;
        b->iface_port[i] = (int)p;
    }
}

/* The world's routes by the rules' interfaces, then the routes of the rule file. */
static int make_routes(struct box *b)
{
    struct fw_routes all = {0};
    int err = 0;
    for (size_t i = 0; i < b->routes.count && !err; i++) {
        struct fw_route r = b->routes.route[i];
        r.iface = b->port_iface[r.iface];
        err = r.iface < 0 ? 0 : fw_routes_add(&all, &r);
    }
    for (size_t i = 0; i < b->cfg.rules->route_count && !err; i++)
        if (b->iface_port[b->cfg.rules->route[i].iface] >= 0)
            err = fw_routes_add(&all, &b->cfg.rules->route[i]);
    fw_routes_free(&b->routes);
    b->routes = all;
    return err;
}

static struct fw_box *make_core(const struct box *b)
{
    struct fw_box_config cfg = {.rules = b->cfg.rules,
                                .routes = &b->routes,
                                .name = b->cfg.name,
                                .max_connections = b->cfg.max_connections,
                                .seed = b->cfg.seed,
                                .shutter = b->cfg.shutter};
    for (unsigned p = 0; p < b->cfg.iface_count; p++)
        if (b->port_iface[p] >= 0) {
            cfg.address[b->port_iface[p]] = b->iface[p].prefix;
            cfg.address_count[b->port_iface[p]] = b->iface[p].prefix_count;
        }
    return fw_box_new(&cfg);
}

int box_firewall_open(struct box *b)
{
    assert(b->cfg.rules);
    match_ports(b);
    if (make_routes(b))
        return E_NOMEM;
    b->fw = make_core(b);
    return b->fw ? box_sip_open(b) : E_NOMEM;
}

size_t box_connections(const struct box *b)
{
    return b->fw ? fw_box_stats(b->fw).connections : 0;
}

int box_forget(struct box *b, uint64_t seed)
{
    assert(b->cfg.kind == BOX_FIREWALL);
    b->cfg.seed = seed;
    struct fw_box *fw = make_core(b);
    if (!fw)
        return E_NOMEM;
    fw_box_free(b->fw);
    b->fw = fw;
    memset(b->train, 0, sizeof b->train);
    box_sip_forget(b);
    return 0;
}

void box_firewall_close(struct box *b) /* the net may be gone already, and its timers with it */
{
    fw_box_free(b->fw);
    box_sip_close(b);
    while (b->text) {
        struct box_text *next = b->text->next;
        free(b->text);
        b->text = next;
    }
}

static void answer_for(void *ctx, int iface, const struct ip_addr *ip)
{
    struct box *b = ctx;
    uint8_t mac[6];
    int port = b->iface_port[iface];
    if (port >= 0 && !b->net->ops->neighbour(b->net, ip, mac))
        b->net->ops->neighbour_add(b->net, ip, b->iface[port].mac);
}

void box_firewall_attach(struct box *b)
{
    fw_box_proxied(b->fw, answer_for, b);
}

static void report(struct box *b, unsigned port, const struct fw_packet *p, const struct fw_result *r)
{
    char text[FW_ADVICE_TEXT];
    fw_advise(b->cfg.rules, p, r, text, sizeof text);
    struct box_drop d = {.node = b->cfg.name, .port = port, .reason = r->reason, .rule = r->rule, .flow = p->flow,
                         .translated = r->seen, .advice = keep(b, text)};
    box_report(b, &d);
}

/* RFC 9293 3.10.7: a refused SYN draws an RST; anything else ICMP (RFC 1812 5.2.7.1, code 13). */
static void answer(const struct box *b, unsigned port, const struct wire_packet *k)
{
    uint8_t frame[BOX_FRAME_MAX];
    if (k->proto != PROTO_TCP) {
        box_send_error(b, port, k, &box_prohibited, 0);
        return;
    }
    long n = wire_tcp_reset(k, frame, sizeof frame);
    if (n > 0)
        b->net->ops->box_send(b->net, b->node, port, frame, (size_t)n);
}

/* ---- SYNs that are answered later (RFC 5382 REQ-4) ---- */

static void answer_held(void *ctx);

static void wait_for_held(struct box *b)
{
    if (b->held_timer)
        b->net->ops->timer_cancel(b->net, b->held_timer);
    uint64_t at = fw_box_deadline(b->fw);
    b->held_timer = at == TIME_NEVER ? 0 : b->net->ops->timer_set(b->net, at, answer_held, b);
}

static void answer_held(void *ctx)
{
    struct box *b = ctx;
    b->held_timer = 0;
    for (unsigned place; (place = fw_box_due(b->fw, b->net->ops->now(b->net))) != 0;) {
        struct box_held *h = &b->held[place - 1];
        struct wire_packet k;
        if (wire_parse(h->frame, h->len, &k) == 0)
            box_send_error(b, h->port, &k, &box_no_port, 0);
    }
    wait_for_held(b);
}

static void hold(struct box *b, unsigned place, unsigned port, const struct wire_packet *k)
{
    struct box_held *h = &b->held[place - 1];
    h->port = port;
    h->len = k->len < sizeof h->frame ? k->len : sizeof h->frame;
    memcpy(h->frame, k->frame, h->len);
    wait_for_held(b);
}

static struct fw_packet fields_of(const struct box *b, unsigned port, const struct wire_packet *k,
                                  struct wire_packet *quoted)
{
    struct fw_packet p = {.iface = b->port_iface[port], .flow = box_flow(k), .tcp_flags = k->tcp_flags,
                          .fragment = k->fragment_at > 0};
    wire_echo_id(k, &p.echo_id);
    if (wire_is_icmp_error(k) && wire_parse_quoted(k, quoted) == 0) {
        p.quotes = true;
        p.quoted = box_flow(quoted);
        wire_echo_id(quoted, &p.quoted_id);
    }
    return p;
}

static void rewrite(struct wire_packet *k, const struct fw_packet *p, struct wire_packet *quoted,
                    const struct fw_result *r)
{
    wire_set_src(k, &r->src);
    wire_set_dst(k, &r->dst);
    if (!p->quotes || r->quoted_src.ip.family == IP_NONE)
        return;
    wire_set_src(quoted, &r->quoted_src);
    wire_set_dst(quoted, &r->quoted_dst);
    wire_seal(k->frame, k->len);
}

/* Of the first packet of a flow the rules were asked, or did not have to be; of others they say nothing. */
static void tell_translation(const struct box *b, const struct fw_packet *p, const struct fw_result *r)
{
    const struct fw_flow after = {p->flow.proto, r->src.ip, r->dst.ip, r->src.port, r->dst.port};
    if (b->cfg.translated && r->verdict.decision != FW_DENIED && !fw_flow_equal(&p->flow, &after))
        b->cfg.translated(b->cfg.translated_ctx, &p->flow, &after);
}

/* ---- fragments (RFC 4787 REQ-14), those that come behind their first ---- */

#define TRAIN_NS (30 * NS_S) /* as long as a host waits for the rest: RFC 1122 3.3.2, RFC 791 3.2 */

static void remember_train(struct box *b, unsigned port, const struct wire_packet *k, const struct fw_result *r)
{
    b->train[b->train_next++ % BOX_TRAINS] = (struct box_train){
        .port = port, .src = k->src, .dst = k->dst, .proto = k->proto, .id = k->fragment_id,
        .until_ns = b->net->ops->now(b->net) + TRAIN_NS, .way = *r,
    };
}

static const struct box_train *train_of(const struct box *b, unsigned port, const struct wire_packet *k)
{
    for (const struct box_train *t = b->train; t < b->train + BOX_TRAINS; t++)
        if (t->until_ns > b->net->ops->now(b->net) && t->port == port && t->id == k->fragment_id &&
            t->proto == k->proto && ip_equal(&t->src, &k->src) && ip_equal(&t->dst, &k->dst))
            return t;
    return NULL;
}

int box_firewall_frame(struct box *b, unsigned port, struct wire_packet *k)
{
    if (!box_ttl_left(b, port, k))
        return NET_DROP;
    struct wire_packet quoted;
    struct fw_packet p = fields_of(b, port, k, &quoted);
    const struct box_train *train = p.fragment ? train_of(b, port, k) : NULL;
    struct fw_result r = train ? train->way : fw_pass(b->fw, b->net->ops->now(b->net), &p);
    int out = r.iface >= 0 ? b->iface_port[r.iface] : -1;
    if (r.fate == FW_PASS && (out < 0 || !r.route)) {
        r.fate = FW_DROP;
        r.reason = "no-route";
    }
    if (r.fate != FW_PASS) {
        report(b, port, &p, &r);
        if (r.fate == FW_ANSWER)
            answer(b, port, k);
        if (r.held)
            hold(b, r.held, port, k);
        return NET_DROP;
    }
    if (k->fragment && !p.fragment)
        remember_train(b, port, k, &r);
    tell_translation(b, &p, &r);
    if (box_sip_wants(b, k) && box_sip_frame(b, port, (unsigned)out, k, &p, &r))
        return NET_DROP; /* what it has become is on its way */
    rewrite(k, &p, &quoted, &r);
    return box_forward(b, port, (unsigned)out, &r.route->gateway, k);
}
