/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/path.h"

#include <string.h>

#include "models/base/err.h"

enum { HOPS_MAX = 64, ITEMS_MAX = 100000 };

/* Packets on their way: at a node, having come in by a port. */
struct item {
    struct fw_region packets;
    unsigned node, hops;
    int port; /* negative: they begin here */
    enum fw_decision worst;
    const struct path_step *steps;
};

struct walk {
    const struct ways *w;
    const struct path_request *q;
    struct fw_space *s;
    struct path *out;
    struct item *item; /* a stack */
    size_t count, cap, taken;
    int err;
};

/* Room for one more in an array of the space; NULL: the space ran out. */
static void *more(struct fw_space *s, void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    size_t room = *cap ? 2 * *cap : 8;
    void *p = fw_space_alloc(s, room * size);
    if (!p)
        return NULL;
    if (count)
        memcpy(p, array, count * size);
    *cap = room;
    return p;
}

static void push(struct walk *k, const struct item *i)
{
    struct item *p = more(k->s, k->item, k->count, &k->cap, sizeof *p);
    if (!p || k->taken + k->count > ITEMS_MAX) {
        fw_space_fail(k->s, E_NOMEM);
        return;
    }
    k->item = p;
    p[k->count++] = *i;
}

static void end(struct walk *k, const struct item *i, const struct fw_region *packets, const char *why,
                const struct ip_addr *hop)
{
    if (packets->count == 0)
        return;
    struct path_end *p = more(k->s, k->out->end, k->out->ends, &k->out->end_cap, sizeof *p);
    if (!p)
        return;
    k->out->end = p;
    p[k->out->ends++] = (struct path_end){.packets = *packets, .worst = i->worst, .steps = i->steps, .node = i->node,
                                          .port = i->port, .why = why, .hop = hop ? *hop : (struct ip_addr){0}};
}

/* The packets leave the item's node by its routes. */
static void forward(struct walk *k, const struct item *i, int out, const struct fw_region *packets)
{
    struct way_legs legs = {0};
    way_legs(k->w, i->node, out, packets, k->s, &legs);
    for (size_t n = 0; n < legs.count; n++) {
        const struct way_leg *l = &legs.leg[n];
        const struct topo_node *to = &k->w->topology->nodes.items[k->q->to];
        unsigned segment = k->w->topology->nodes.items[i->node].interfaces.items[l->port].segment;
        bool outside = false; /* on a link of the router that stands for all behind it */
        for (size_t f = 0; l->node < 0 && k->q->behind && f < to->interfaces.count; f++)
            outside = outside || (to->interfaces.items[f].segment == segment && strcmp(l->why, "nobody there") == 0);
        if (l->node < 0) {
            end(k, i, &l->packets, outside ? NULL : l->why, &l->hop);
            continue;
        }
        struct item next = *i;
        next.node = (unsigned)l->node;
        next.port = l->next;
        next.hops++;
        next.packets = l->packets;
        push(k, &next);
    }
}

static enum fw_decision worse(enum fw_decision a, enum fw_decision b)
{
    if (a == FW_DENIED || b == FW_DENIED)
        return FW_DENIED;
    return a == FW_UNKNOWN || b == FW_UNKNOWN ? FW_UNKNOWN : FW_PERMITTED;
}

/* What the packets answer, if this firewall has seen it. */
static void find_answered(const struct walk *k, struct path_visit *v)
{
    v->left_by = -1;
    for (const struct path_step *a = k->q->answers; a && !v->answers; a = a->before) {
        if (a->node != v->node)
            continue;
        v->left_by = a->part->out;
        if (a->part->out == v->in)
            v->answers = a;
    }
}

static void through(struct walk *k, const struct item *i)
{
    const struct way_node *n = &k->w->node[i->node];
    struct path_visit v = {.node = i->node, .in = i->port < 0 ? FW_SELF : n->port_iface[i->port], .before = i->steps};
    if (k->q->answers)
        find_answered(k, &v);
    const struct fw_question q = {.in = v.in, .packets = &i->packets,
                                  .states = v.answers || !k->q->answers ? k->q->states : FW_STATE_NEW,
                                  .tcp_flags = k->q->tcp_flags, .answers = v.answers ? v.answers->part : NULL};
    int err = fw_exact(&n->machine, &q, k->s, &v.part, &v.count);
    struct path_visit *p = err ? NULL : more(k->s, k->out->visit, k->out->visits, &k->out->visit_cap, sizeof *p);
    if (!p) {
        k->err = err ? err : E_NOMEM;
        return;
    }
    k->out->visit = p;
    p[k->out->visits++] = v;
    for (size_t c = 0; c < v.count; c++) {
        const struct fw_part *part = &v.part[c];
        struct item next = *i;
        next.worst = worse(i->worst, part->verdict.decision == FW_NOT_REACHED ? FW_DENIED : part->verdict.decision);
        struct path_step *step = fw_space_alloc(k->s, sizeof *step);
        if (part->out < 0 && next.worst != FW_DENIED) /* the firewall takes them for itself */
            end(k, &next, &part->arrived, "not for it", NULL);
        if (part->out < 0 || !step || (k->q->only_permitted && next.worst == FW_DENIED))
            continue;
        *step = (struct path_step){i->steps, i->node, v.in, part};
        next.steps = step;
        forward(k, &next, part->out, &part->leaving);
    }
}

static void arrive(struct walk *k, const struct item *i)
{
    const struct topo_node *n = k->w->node[i->node].node;
    if (i->hops > HOPS_MAX) {
        end(k, i, &i->packets, "in a circle", NULL);
        return;
    }
    if (k->q->behind && i->node == k->q->to && i->port >= 0) {
        end(k, i, &i->packets, NULL, NULL);
        return;
    }
    if (i->port < 0) {
        forward(k, i, -1, &i->packets);
        return;
    }
    if (n->kind == TOPO_FIREWALL) {
        through(k, i);
        return;
    }
    struct fw_region rest, own = way_own(k->w, i->node, &i->packets, k->s, &rest);
    end(k, i, &own, i->node == k->q->to ? NULL : "not for it", NULL);
    if (n->kind == TOPO_ROUTER)
        forward(k, i, -1, &rest);
    else
        end(k, i, &rest, "not for it", NULL);
}

int path_walk(const struct ways *w, const struct path_request *q, struct fw_space *s, struct path *out)
{
    struct walk k = {.w = w, .q = q, .s = s, .out = out};
    *out = (struct path){0};
    push(&k, &(struct item){.packets = q->packets, .node = q->from, .port = -1, .worst = FW_PERMITTED});
    while (k.count && !k.err && !fw_space_error(s)) {
        struct item i = k.item[--k.count];
        k.taken++;
        arrive(&k, &i);
    }
    return k.err ? k.err : fw_space_error(s);
}
