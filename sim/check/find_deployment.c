/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no rule set can mend: listeners, announced addresses, default gateways. */
#include <string.h>

#include "models/base/bytes.h"
#include "sim/check/findings.h"

enum { TEXT_MAX = 1024 };

static void clashes(struct check *c)
{
    for (size_t i = 0; i < c->bound->clashes.count; i++) {
        const struct bind_clash *x = &c->bound->clashes.items[i];
        const struct bind_listener *l = x->a ? x->a : x->b;
        unsigned node = l ? l->node : 0;
        const char *name = c->topology->nodes.items[node].name, *text = x->text;
        size_t n = strlen(name);
        if (l && strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
            text += n + 2;
        struct check_finding *f = check_found(c, "listener-clash", LEVEL_ERROR, node, NULL, text,
                                              "give one of the two another port");
        if (!l)
            f->node = NULL;
        if (x->row)
            check_found_row(c, f, x->row->id);
    }
}

static bool is_private(const struct ip_addr *ip)
{
    static const char *const all[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct ip_prefix p;
        if (prefix_parse(all[i], &p) == 0 && ip_in_prefix(ip, &p))
            return true;
    }
    return false;
}

/* Whoever is outside is sent a private address. */
static void private_addresses(struct check *c)
{
    for (size_t i = 0; i < c->bound->questions.count; i++) {
        const struct bind_question *q = &c->bound->questions.items[i];
        const struct port_end *to = &q->row->to;
        if (!q->from.behind || q->need == NEED_NEVER || to->actor == ACTOR_COUNT || q->to.behind || !q->dst.count ||
            !is_private(&q->dst.items[0].a) || (int)q->from.node != c->topology->check.internet_node)
            continue;
        const struct topo_node *n = &c->topology->nodes.items[q->to.node];
        char what[TEXT_MAX], ip[ADDR_TEXT];
        struct text w = text_of(what, sizeof what);
        text_add(&w, "announces %s, which nobody outside can reach: relayed addresses and SDP carry it",
                 ip_text(&q->dst.items[0].a, ip));
        struct check_finding *f = NULL;
        for (size_t k = 0; k < c->report->findings.count && !f; k++)
            if (strcmp(c->report->findings.items[k].what, what) == 0 &&
                strcmp(c->report->findings.items[k].node, n->name) == 0)
                f = &c->report->findings.items[k];
        if (!f)
            f = check_found(c, "private-address", LEVEL_ERROR, q->to.node, NULL, what,
                            "static NAT on its outer interface: set its public_address, and translate that on the "
                            "external firewall");
        check_found_row(c, f, q->row->id);
    }
}

/* The node on the segment of its interface that could be its gateway there. */
static const char *neighbour(const struct check *c, unsigned node, unsigned segment, char ip[ADDR_TEXT])
{
    const struct topology *t = c->topology;
    for (unsigned i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; i != node && t->nodes.items[i].kind != TOPO_HOST && k < t->nodes.items[i].interfaces.count;
             k++) {
            const struct topo_iface *f = &t->nodes.items[i].interfaces.items[k];
            if (f->segment == segment && f->addresses.count)
                return ip_text(&f->addresses.items[0].ip, ip);
        }
    return NULL;
}

/* Packets for an address on one interface, answered by the other. */
static void gateways(struct check *c)
{
    for (size_t i = 0; i < c->bound->questions.count; i++) {
        const struct bind_question *q = &c->bound->questions.items[i];
        const struct topo_node *n = &c->topology->nodes.items[q->to.node];
        if (n->kind != TOPO_HOST || n->interfaces.count < 2 || q->to.port < 0 || q->local || !q->src.count)
            continue;
        struct ip_addr next;
        const struct topo_iface *in = &n->interfaces.items[q->to.port];
        const struct topo_iface *out = topology_next_hop(n, &q->src.items[0].a, &next);
        if (!out || out == in || c->report->answers.items[i].verdict == CHECK_PASS)
            continue;
        char what[TEXT_MAX], change[TEXT_MAX], gateway[ADDR_TEXT];
        struct text w = text_of(what, sizeof what), h = text_of(change, sizeof change);
        text_add(&w, "gets packets of row %s by %s and answers by %s: the firewall there has not seen what is answered "
                     "(asymmetric)", q->row->id, in->name, out->name);
        const char *by = neighbour(c, q->to.node, in->segment, gateway);
        text_add(&h, "default gateway on %s%s%s, and routes to the inside networks by %s", in->name, by ? ", " : "",
                 by ? by : "", out->name);
        struct check_finding *f = NULL;
        for (size_t k = 0; k < c->report->findings.count && !f; k++)
            if (strcmp(c->report->findings.items[k].id, "wrong-gateway") == 0 &&
                strcmp(c->report->findings.items[k].node, n->name) == 0)
                f = &c->report->findings.items[k];
        if (!f)
            f = check_found(c, "wrong-gateway", LEVEL_ERROR, q->to.node, NULL, what, change);
        check_found_row(c, f, q->row->id);
    }
}

void check_find_deployment(struct check *c)
{
    clashes(c);
    private_addresses(c);
    gateways(c);
}
