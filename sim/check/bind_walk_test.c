/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule sets of our deployments against the tables that they serve, packet by packet: for each question the corners
 * of its box walk through the stateful firewalls, and an answer walks back. What must pass passes, what must never pass
 * does not, on small and large appliances, before and after X12.5.3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/firewall/fwbox.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"
#include "sim/check/bind.h"

enum { HOPS_MAX = 32 };

/* ---- a world of firewalls alone ---- */

struct walk {
    const struct topology *t;
    struct fw_box **box;
    struct fw_routes *routes;
    char why[200];
};

static void open_firewall(struct walk *w, size_t node)
{
    const struct topo_node *n = &w->t->nodes.items[node];
    struct fw_box_config cfg = {.rules = n->rules, .routes = &w->routes[node], .name = n->name, .seed = 1};
    for (size_t i = 0; i < n->interfaces.count; i++) {
        const struct topo_iface *f = &n->interfaces.items[i];
        int iface = fw_rules_find_interface(n->rules, f->name);
        cfg.address[iface] = f->addresses.items;
        cfg.address_count[iface] = f->addresses.count;
        for (size_t a = 0; a < f->addresses.count; a++)
            fw_routes_add(&w->routes[node], &(struct fw_route){.to = f->addresses.items[a], .iface = iface});
    }
    for (size_t i = 0; i < n->routes.count; i++) {
        const struct topo_route *r = &n->routes.items[i];
        int iface = fw_rules_find_interface(n->rules, n->interfaces.items[r->port].name);
        fw_routes_add(&w->routes[node], &(struct fw_route){.to = r->to, .iface = iface, .gateway = r->via});
    }
    for (size_t i = 0; i < n->rules->route_count; i++)
        fw_routes_add(&w->routes[node], &n->rules->route[i]);
    w->box[node] = fw_box_new(&cfg);
    assert_non_null(w->box[node]);
}

static struct walk walk_open(const struct topology *t)
{
    struct walk w = {.t = t, .box = calloc(t->nodes.count, sizeof *w.box),
                     .routes = calloc(t->nodes.count, sizeof *w.routes)};
    assert_true(w.box && w.routes);
    for (size_t i = 0; i < t->nodes.count; i++)
        if (t->nodes.items[i].kind == TOPO_FIREWALL)
            open_firewall(&w, i);
    return w;
}

static void walk_close(struct walk *w)
{
    for (size_t i = 0; i < w->t->nodes.count; i++) {
        if (w->box[i])
            fw_box_free(w->box[i]);
        fw_routes_free(&w->routes[i]);
    }
    free(w->box);
    free(w->routes);
}

/* Who takes a packet for `next` on a link: who has the address, or else a firewall there, which answers for what it
 * translates. */
static const struct topo_node *taker(const struct walk *w, const struct topo_iface *from, const struct ip_addr *next,
                                     const struct topo_iface **in)
{
    const struct topo_node *proxy = NULL;
    for (size_t i = 0; i < w->t->nodes.count; i++)
        for (size_t k = 0; k < w->t->nodes.items[i].interfaces.count; k++) {
            const struct topo_node *n = &w->t->nodes.items[i];
            const struct topo_iface *f = &n->interfaces.items[k];
            if (f->segment != from->segment || f == from)
                continue;
            for (size_t a = 0; a < f->addresses.count; a++)
                if (ip_equal(&f->addresses.items[a].ip, next)) {
                    *in = f;
                    return n;
                }
            if (n->kind == TOPO_FIREWALL) {
                proxy = n;
                *in = f;
            }
        }
    return proxy;
}

static bool on_link(const struct topo_node *n, const struct topo_iface *f)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        if (n->interfaces.items[i].segment == f->segment)
            return true;
    return false;
}

static bool lost(struct walk *w, const struct topo_node *n, const char *why)
{
    snprintf(w->why, sizeof w->why, "%s: %s", n->name, why);
    return false;
}

/* Through one firewall: the packet as it leaves, and by what. */
static bool through(struct walk *w, const struct topo_node *n, const struct topo_iface *in, struct fw_flow *f,
                    uint8_t flags, const struct topo_iface **out, struct ip_addr *next)
{
    const struct fw_packet p = {.iface = fw_rules_find_interface(n->rules, in->name), .flow = *f, .tcp_flags = flags};
    struct fw_result r = fw_pass(w->box[n - w->t->nodes.items], 0, &p);
    if (r.fate != FW_PASS || !r.route) {
        snprintf(w->why, sizeof w->why, "%s: %s: line %u", n->name, r.reason ? r.reason : "no-route",
                 r.rule ? r.rule->line : 0);
        return false;
    }
    *f = (struct fw_flow){
        .proto = f->proto, .src = r.src.ip, .dst = r.dst.ip, .sport = r.src.port, .dport = r.dst.port};
    *out = NULL;
    for (size_t i = 0; i < n->interfaces.count; i++)
        if (fw_rules_find_interface(n->rules, n->interfaces.items[i].name) == r.iface)
            *out = &n->interfaces.items[i];
    *next = r.route->gateway.family == IP_NONE ? f->dst : r.route->gateway;
    return *out || lost(w, n, "the interface is not in this world");
}

/* From a node until somebody has the destination, or the router that stands for everybody has the packet. */
static bool walk_packet(struct walk *w, const struct bind_end *from, const struct bind_end *to, struct fw_flow *f,
                        uint8_t flags)
{
    const struct topo_node *at = &w->t->nodes.items[from->node], *end = &w->t->nodes.items[to->node];
    const struct topo_iface *in = NULL, *out;
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        struct ip_addr next;
        if (hop && at == end && (to->behind || topology_owner(w->t, &f->dst) == at))
            return true;
        if (hop && at->kind == TOPO_HOST)
            return lost(w, at, "not for this host");
        if (at->kind == TOPO_FIREWALL) {
            if (!through(w, at, in, f, flags, &out, &next))
                return false;
        } else {
            out = topology_next_hop(at, &f->dst, &next);
            if (!out)
                return lost(w, at, "no route");
        }
        const struct topo_node *n = taker(w, out, &next, &in);
        if (!n && to->behind && on_link(end, out))
            return true;
        if (!n)
            return lost(w, at, "nobody there has the address");
        at = n;
    }
    return lost(w, at, "round in a circle");
}

/* ---- one question ---- */

static bool same(const struct ip_addr *got, const struct ip_addr *want)
{
    return want->family == IP_NONE || ip_equal(got, want);
}

/* There, as what it should be, and the answer back. */
static bool sample_passes(struct walk *w, const struct bind_question *q, const struct fw_flow *sent)
{
    struct fw_flow f = *sent;
    if (q->local)
        return true;
    if (!walk_packet(w, &q->from, &q->to, &f, FW_SYN))
        return false;
    const struct ip_addr *dst = q->dst_translated.family == IP_NONE ? &sent->dst : &q->dst_translated;
    if (!same(&f.src, &q->src_translated) || !ip_equal(&f.dst, dst) || f.dport != sent->dport) {
        snprintf(w->why, sizeof w->why, "it arrives with other addresses");
        return false;
    }
    struct fw_flow back = {.proto = f.proto, .src = f.dst, .dst = f.src, .sport = f.dport, .dport = f.sport};
    if (!walk_packet(w, &q->to, &q->from, &back, FW_SYN | FW_ACK))
        return false;
    bool same_back = ip_equal(&back.src, &sent->dst) && ip_equal(&back.dst, &sent->src) &&
                     back.sport == sent->dport && back.dport == sent->sport;
    if (!same_back)
        snprintf(w->why, sizeof w->why, "the answer comes back with other addresses");
    return same_back;
}

static struct ip_addr corner_address(const struct addr_ranges *r, size_t i)
{
    return i % 2 ? r->items[i / 2].b : r->items[i / 2].a;
}

static uint16_t corner_port(const struct port_ranges *r, size_t i)
{
    return i % 2 ? r->items[i / 2].hi : r->items[i / 2].lo;
}

struct count {
    size_t passed, all;
    char why[400]; /* of the first that did not pass */
};

static void try_sample(struct walk *w, const struct bind_question *q, const struct fw_flow *f, struct count *c)
{
    bool ok = sample_passes(w, q, f);
    c->all++;
    c->passed += ok;
    if (ok || c->why[0])
        return;
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    snprintf(c->why, sizeof c->why, "%s:%u -> %s:%u: %s", ip_text(&f->src, src), f->sport, ip_text(&f->dst, dst),
             f->dport, w->why);
}

/* Every corner of the box: both ends of each range, in each of four dimensions. */
static struct count try_question(const struct topology *t, const struct bind_question *q)
{
    struct walk w = walk_open(t);
    struct count c = {0};
    for (size_t s = 0; s < 2 * q->src.count; s++)
        for (size_t d = 0; d < 2 * q->dst.count; d++)
            for (size_t sp = 0; sp < 2 * q->sport.count; sp++)
                for (size_t dp = 0; dp < 2 * q->dport.count; dp++) {
                    struct fw_flow f = {.proto = q->proto,
                                        .src = corner_address(&q->src, s), .dst = corner_address(&q->dst, d),
                                        .sport = corner_port(&q->sport, sp), .dport = corner_port(&q->dport, dp)};
                    try_sample(&w, q, &f, &c);
                }
    walk_close(&w);
    return c;
}

/* ---- a deployment ---- */

static const struct deployment {
    const char *file, *tables[3];
    size_t rows; /* numbered rows of the tables, each of which becomes a question or is of other releases */
    bool small_x89_alone; /* its rule sets are for a small appliance, and for X8.9 */
    const char *closed;   /* optional rows that it does without; NULL: none */
} deployments[] = {
    {"topologies/web-proxy.json", {"web-proxy"}, 13, false, NULL},
    {"topologies/single-nic.json", {"web-proxy"}, 13, false, NULL},
    {"topologies/sip-edge-standards.json", {"sip-edge-standards"}, 15, false, NULL},
    {"topologies/sip-edge-microsoft.json", {"sip-edge-microsoft", "skype-edge"}, 12, false, NULL},
    {"topologies/p2p-microsoft.json", {"p2p-microsoft"}, 13, false, NULL},
    {"topologies/dual-nic.json", {"sip-edge-microsoft", "skype-edge"}, 12, true, NULL},
    {"topologies/lab.json", {"skype-edge"}, 0, true, "5.relay-in 5.relay-out-tcp 5.relay-out-udp"},
};

static bool group_has_passed(const struct bound *b, const bool *passed, int group)
{
    for (size_t i = 0; i < b->questions.count; i++)
        if (b->questions.items[i].group == group && passed[i])
            return true;
    return false;
}

static size_t count_failures(const struct deployment *dep, const struct bound *b, size_t *samples)
{
    bool *passed = calloc(b->questions.count + 1, sizeof *passed);
    struct count *c = calloc(b->questions.count + 1, sizeof *c);
    size_t failures = 0;
    assert_true(passed && c);
    for (size_t i = 0; i < b->questions.count; i++) {
        c[i] = try_question(b->topology, &b->questions.items[i]);
        passed[i] = c[i].passed == c[i].all;
        *samples += c[i].all;
    }
    for (size_t i = 0; i < b->questions.count; i++) {
        const struct bind_question *q = &b->questions.items[i];
        bool closed = q->need == NEED_NEVER || (dep->closed && strstr(dep->closed, q->row->id));
        bool ok = closed          ? c[i].passed == 0
                  : q->group >= 0 ? group_has_passed(b, passed, q->group)
                                  : passed[i];
        assert_true(!closed || q->need != NEED_MUST);
        if (ok)
            continue;
        failures++;
        print_error("%s: row %s, %s: %zu of %zu pass; first: %s\n", dep->file, q->row->id,
                    q->proto == PROTO_UDP ? "udp" : "tcp", c[i].passed, c[i].all, c[i].why);
    }
    free(passed);
    free(c);
    return failures;
}

struct totals {
    size_t questions, packets;
};

static bool is_numbered(const struct port_row *r)
{
    return strspn(r->id, "0123456789.") == strlen(r->id);
}

/* Numbered rows that have a question or are not of this release or size; others without a question are named. */
static size_t count_rows(const struct bound *b)
{
    size_t n = 0;
    const struct port_row *last = NULL;
    for (size_t i = 0; i < b->questions.count; i++) {
        const struct port_row *r = b->questions.items[i].row;
        n += r != last && is_numbered(r);
        last = r;
    }
    for (size_t i = 0; i < b->skips.count; i++) {
        const struct bind_skip *s = &b->skips.items[i];
        bool fine = s->why == BIND_RELEASE || s->why == BIND_SIZE;
        n += fine && is_numbered(s->row);
        if (!fine && s->why != BIND_SETTING)
            print_message("#: row %s: %s\n", s->row->id, s->text);
    }
    return n;
}

static void check_deployment(const struct deployment *dep, enum appliance_size size, const char *release_text,
                             struct totals *totals)
{
    const struct topo_options none = {0};
    struct topology *t;
    struct diag d;
    if (topology_read(dep->file, &none, &t, &d))
        fail_msg("%s", d.text);
    struct port_table *table[3] = {NULL};
    size_t count = 0;
    for (; count < 3 && dep->tables[count]; count++) {
        assert_string_equal(t->check.tables.items[count], dep->tables[count]);
        if (port_table_find(dep->tables[count], &table[count], &d))
            fail_msg("%s", d.text);
    }
    struct release release;
    assert_int_equal(release_parse(release_text, "X", &release), 0);
    const struct bind_options options = {.size = &size, .release = &release};
    struct bound *b;
    bind_tables(t, (const struct port_table *const *)table, count, &options, &b);
    size_t failures = count_failures(dep, b, &totals->packets);
    assert_int_equal(count_rows(b), dep->rows);
    assert_int_equal(b->clashes.count, 0);
    totals->questions += b->questions.count;
    bound_free(b);
    for (size_t i = 0; i < count; i++)
        port_table_free(table[i]);
    topology_free(t);
    assert_int_equal(failures, 0);
}

static void the_rule_sets_pass_the_tables_they_serve(void **state)
{
    (void)state;
    static const char *const releases[] = {"X8.9", "X12.5.3"};
    struct totals totals = {0};
    for (size_t i = 0; i < sizeof deployments / sizeof *deployments; i++)
        for (size_t r = 0; r < (deployments[i].small_x89_alone ? 1 : 2); r++) {
            check_deployment(&deployments[i], SIZE_SMALL, releases[r], &totals);
            if (!deployments[i].small_x89_alone)
                check_deployment(&deployments[i], SIZE_LARGE, releases[r], &totals);
        }
    print_message("#: %zu questions, %zu packets there and back\n", totals.questions, totals.packets);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(the_rule_sets_pass_the_tables_they_serve)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
