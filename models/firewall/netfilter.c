/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces, chains and rules of a Linux rule set on their way into the model. */
#include "models/firewall/netfilter.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

/* ---- the import ---- */

int nf_open(struct nf *nf, const struct fw_source *src, struct fw_diag *diag)
{
    *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
    *nf = (struct nf){.src = src, .diag = diag, .last = &nf->chains, .open = src->port_count == 0};
    nf->rules = fw_rules_new(src->name);
    if (!nf->rules)
        return E_NOMEM;
    for (size_t i = 0; i < src->port_count; i++) {
        const struct fw_port *p = &src->port[i];
        struct fw_iface_spec spec = {.name = p->name, .address = p->address, .address_count = p->address_count};
        int err = fw_rules_add_interface(nf->rules, &spec);
        if (err < 0)
            return err;
        nf->known_addresses = nf->known_addresses || p->address_count;
    }
    fw_rules_set_policy(nf->rules, &(struct fw_policy){.without_list = FW_DEFAULT_PERMIT, .tcp_loose = true});
    return fw_rules_set_timers(nf->rules, "linux");
}

int nf_close(struct nf *nf, int err, struct fw_rules **out)
{
    if (!err && !nf->rules->base_count) { /* a machine with hooks all the same: its way with connections is theirs */
        struct fw_base_spec none = {.list = "no chain", .hook = FW_FORWARD, .policy = FW_PERMIT};
        err = fw_rules_add_base(nf->rules, &none);
    }
    arena_free(&nf->memory);
    arena_free(&nf->scratch);
    if (err)
        fw_rules_free(nf->rules);
    else
        *out = nf->rules;
    return err;
}

void nf_name_interface(struct nf *nf, const char *name)
{
    if (!nf->open || !*name)
        return;
    int err = fw_rules_add_interface(nf->rules, &(struct fw_iface_spec){.name = name});
    nf->full = nf->full || err == E_NOMEM;
}

uint64_t nf_interfaces(const struct nf *nf, const char *name, bool wild)
{
    uint64_t set = 0;
    size_t n = strlen(name) + !wild; /* the NUL too */
    for (size_t i = 0; i < nf->rules->iface_count; i++)
        if (strncmp(nf->rules->iface[i].name, name, n) == 0)
            set |= UINT64_C(1) << i;
    return set;
}

static struct nf_chain **slot_of(const struct nf *nf, const char *key)
{
    return (struct nf_chain **)&nf->bucket[fw_hash(key, strlen(key)) & 255];
}

struct nf_chain *nf_chain_find(const struct nf *nf, const char *key)
{
    for (struct nf_chain *c = *slot_of(nf, key); c; c = c->bucket)
        if (strcmp(c->key, key) == 0)
            return c;
    return NULL;
}

struct nf_chain *nf_chain_add(struct nf *nf, const char *key, const char *name, unsigned line)
{
    struct nf_chain **slot = slot_of(nf, key), *c = arena_alloc(&nf->memory, sizeof *c);
    *c = (struct nf_chain){.name = arena_copy(&nf->memory, name, strlen(name)),
                           .key = arena_copy(&nf->memory, key, strlen(key)), .line = line, .bucket = *slot};
    c->at = c->name;
    *slot = c;
    *nf->last = c;
    nf->last = &c->next;
    return c;
}

void nf_chain_jump(struct nf *nf, struct nf_chain *from, struct nf_chain *to, unsigned line)
{
    if (from->edge && from->edge->to == to)
        return;
    struct nf_edge *e = arena_alloc(&nf->memory, sizeof *e);
    *e = (struct nf_edge){to, line, from->edge};
    from->edge = e;
}

/* Its height; 0: a loop, or too high, and *line is the jump. */
static unsigned measure(struct nf_chain *c, unsigned depth, unsigned *line, const char **why)
{
    if (c->height)
        return c->height;
    c->busy = true;
    unsigned height = 1;
    for (const struct nf_edge *e = c->edge; e; e = e->next) {
        *why = e->to->busy ? "this jump closes a loop of chains" : "chains jump to each other more than 28 deep";
        *line = e->line;
        unsigned h = e->to->busy || depth == NF_DEPTH_MAX ? 0 : measure(e->to, depth + 1, line, why);
        if (!h)
            return 0;
        height = h + 1 > height ? h + 1 : height;
    }
    c->busy = false;
    c->height = height;
    *why = "chains jump to each other more than 28 deep";
    *line = c->edge ? c->edge->line : c->line;
    return height + depth > NF_DEPTH_MAX ? 0 : height;
}

static void spread(struct nf_chain *c, unsigned hooks)
{
    if ((c->hooks | hooks) == c->hooks && !c->base)
        return;
    c->hooks |= hooks;
    for (const struct nf_edge *e = c->edge; e; e = e->next)
        spread(e->to, c->hooks);
}

int nf_chains_follow(struct nf *nf, unsigned *line, const char **why)
{
    for (struct nf_chain *c = nf->chains; c; c = c->next)
        if (!measure(c, 0, line, why) || c->height > NF_DEPTH_MAX)
            return E_RANGE;
    for (struct nf_chain *c = nf->chains; c; c = c->next)
        if (c->base)
            spread(c, c->hooks);
    return 0;
}

/* ---- a rule ---- */

void nf_rule_begin(struct nf_rule *r, struct nf *nf, struct nf_chain *chain, uint8_t family)
{
    if (nf->begun++ % 64 == 0) /* not each time: a block of the arena is large */
        arena_free(&nf->scratch);
    *r = (struct nf_rule){.nf = nf, .chain = chain, .family = family};
    nf_box_add(r, &r->box);
}

struct nf_box *nf_box_add(struct nf_rule *r, struct nf_boxes *set)
{
    if (set->count == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : 4;
        if (cap > NF_BOXES_MAX)
            r->err = E_RANGE;
        /* When full, the last box is used again: the rule is not going to be added. */
        if (r->err)
            return &set->v[set->count - 1];
        struct nf_box *v = arena_alloc(&r->nf->scratch, cap * sizeof *v);
        if (set->count)
            memcpy(v, set->v, set->count * sizeof *v);
        set->v = v;
        set->cap = cap;
    }
    set->v[set->count] = (struct nf_box){0};
    return &set->v[set->count++];
}

void nf_and_unknown(struct nf_rule *r, const char *why)
{
    struct arena *a = &r->nf->scratch;
    if (!r->unknown)
        r->unknown = arena_copy(a, why, strlen(why));
    else if (!strstr(r->unknown, why) && strlen(r->unknown) < 200)
        r->unknown = arena_format(a, "%s; %s", r->unknown, why);
}

static void none(struct fw_conditions *c)
{
    c->no_in = true;
}

static void set_and(struct nf_rule *r, const struct nf_addrs **of, const struct nf_addrs *set)
{
    *of = nf_addrs_and(&r->nf->scratch, *of, set);
    if (!*of)
        r->err = E_RANGE;
}

void nf_and_src(struct nf_rule *r, const struct nf_addrs *set, bool negated)
{
    if (negated)
        set = nf_addrs_not(&r->nf->scratch, set, r->family);
    r->err = set ? r->err : E_RANGE;
    for (size_t i = 0; i < r->box.count && !r->err; i++)
        set_and(r, &r->box.v[i].src, set);
}

void nf_and_dst(struct nf_rule *r, const struct nf_addrs *set, bool negated)
{
    if (negated)
        set = nf_addrs_not(&r->nf->scratch, set, r->family);
    r->err = set ? r->err : E_RANGE;
    for (size_t i = 0; i < r->box.count && !r->err; i++)
        set_and(r, &r->box.v[i].dst, set);
}

void nf_and_services(struct nf_rule *r, const struct fw_service *v, size_t count)
{
    struct nf_services set = {(struct fw_service *)v, count};
    for (size_t i = 0; i < r->box.count && !r->err; i++) {
        const struct nf_services **s = &r->box.v[i].service;
        struct nf_services *all = arena_alloc(&r->nf->scratch, sizeof *all);
        *all = (struct nf_services){arena_alloc(&r->nf->scratch, sizeof *v), 1};
        all->v[0] = FW_SERVICE_ANY;
        *s = nf_services_and(&r->nf->scratch, *s ? *s : all, &set);
        if (!*s)
            r->err = E_RANGE;
    }
}

void nf_and_proto(struct nf_rule *r, uint8_t lo, uint8_t hi, bool negated)
{
    struct fw_service v[2];
    size_t n = 0;
    v[0] = v[1] = FW_SERVICE_ANY;
    if (!negated) {
        v[0].proto_lo = lo;
        v[n++].proto_hi = hi;
    } else {
        if (lo > 0)
            v[n++].proto_hi = (uint8_t)(lo - 1);
        if (hi < 255)
            v[n++].proto_lo = (uint8_t)(hi + 1);
    }
    nf_and_services(r, v, n);
}

/* A packet is in one of five states, and may be translated besides: a set of the five can also be said by what it is
 * not, which leaves room for a second test. */
static void conditions_and_states(struct nf_rule *r, struct fw_conditions *c, unsigned states)
{
    enum { NATED = FW_STATE_SNAT | FW_STATE_DNAT, FIVE = 31 };
    if (!c->states) {
        c->states = (uint8_t)states;
    } else if (!((c->states | states) & NATED)) {
        c->states &= (uint8_t)states;
        if (!c->states)
            none(c);
    } else if (!(states & NATED)) {
        c->not_states |= (uint8_t)(FIVE & ~states);
    } else if (!(c->states & NATED)) {
        c->not_states |= (uint8_t)(FIVE & ~c->states);
        c->states = (uint8_t)states;
    } else if (c->states != states) {
        nf_and_unknown(r, "two tests of the translation of a connection");
    }
}

void nf_and_states(struct nf_rule *r, unsigned states, bool negated)
{
    for (size_t i = 0; i < r->box.count; i++) {
        struct fw_conditions *c = &r->box.v[i].when;
        if (negated)
            c->not_states |= (uint8_t)states;
        else
            conditions_and_states(r, c, states);
    }
}

void nf_and_tcp_flags(struct nf_rule *r, uint64_t flags)
{
    nf_and_proto(r, PROTO_TCP, PROTO_TCP, false);
    for (size_t i = 0; i < r->box.count; i++) {
        struct fw_conditions *c = &r->box.v[i].when;
        if (flags == FW_FLAGS_ANY)
            continue;
        uint64_t both = c->tcp_flags ? c->tcp_flags & flags : flags;
        if (!both)
            none(c);
        c->tcp_flags = both;
    }
}

static void ifaces_and(uint64_t *of, bool *no, uint64_t set)
{
    *of = *of ? *of & set : set;
    *no = *no || !*of;
}

/* The interfaces known to rules at all hooks that lead here? Elsewhere "not eth0" is also what has no interface. */
static bool always_known(const struct nf_rule *r, unsigned unknown_at)
{
    return r->chain && !(r->chain->hooks & unknown_at);
}

static uint64_t all_but(const struct nf_rule *r, uint64_t set)
{
    size_t n = r->nf->rules->iface_count;
    return ~set & (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1);
}

static void and_iface(struct nf_rule *r, uint64_t set, bool negated, bool in)
{
    unsigned nameless = in ? 1u << FW_OUTPUT | 1u << FW_POSTROUTING : 1u << FW_PREROUTING | 1u << FW_INPUT;
    if (negated && !set)
        return;
    if (negated && !always_known(r, nameless)) {
        struct fw_conditions *not = &nf_box_add(r, &r->not)->when;
        *(in ? &not->in_ifaces : &not->out_ifaces) = set;
        return;
    }
    set = negated ? all_but(r, set) : set;
    for (size_t i = 0; i < r->box.count; i++) {
        struct fw_conditions *c = &r->box.v[i].when;
        ifaces_and(in ? &c->in_ifaces : &c->out_ifaces, in ? &c->no_in : &c->no_out, set);
    }
}

void nf_and_in(struct nf_rule *r, uint64_t ifaces, bool negated)
{
    and_iface(r, ifaces, negated, true);
}

void nf_and_out(struct nf_rule *r, uint64_t ifaces, bool negated)
{
    and_iface(r, ifaces, negated, false);
}

/* ---- unions of boxes ---- */

/* Narrows the conditions by others; an `unknown` is kept. */
static void conditions_and(struct nf_rule *r, struct fw_conditions *c, const struct fw_conditions *d)
{
    if (d->in_ifaces || d->no_in)
        ifaces_and(&c->in_ifaces, &c->no_in, d->in_ifaces);
    if (d->out_ifaces || d->no_out)
        ifaces_and(&c->out_ifaces, &c->no_out, d->out_ifaces);
    if (d->states)
        conditions_and_states(r, c, d->states);
    c->not_states |= d->not_states;
    if (d->tcp_flags) {
        c->tcp_flags = c->tcp_flags ? c->tcp_flags & d->tcp_flags : d->tcp_flags;
        if (!c->tcp_flags)
            none(c);
    }
    c->fragment = c->fragment || d->fragment;
    c->unknown = c->unknown ? c->unknown : d->unknown;
}

static bool is_empty(const struct nf_box *b)
{
    const struct fw_conditions *c = &b->when;
    return c->no_in || c->no_out || (b->src && !b->src->count) || (b->dst && !b->dst->count) ||
           (b->service && !b->service->count) || (c->states && !(c->states & ~c->not_states)) ||
           (c->not_states & 31) == 31;
}

static void box_and(struct nf_rule *r, struct nf_boxes *out, const struct nf_box *x, const struct nf_box *y)
{
    struct arena *a = &r->nf->scratch;
    struct nf_box z = *x;
    if (y->src)
        set_and(r, &z.src, y->src);
    if (y->dst)
        set_and(r, &z.dst, y->dst);
    if (y->service && !(z.service = nf_services_and(a, z.service, y->service)))
        r->err = E_RANGE;
    conditions_and(r, &z.when, &y->when);
    if (!r->err && !is_empty(&z))
        *nf_box_add(r, out) = z;
}

void nf_and_boxes(struct nf_rule *r, const struct nf_boxes *set, bool negated)
{
    if (negated) {
        for (size_t i = 0; i < set->count && !r->err; i++)
            *nf_box_add(r, &r->not) = set->v[i];
        return;
    }
    struct nf_boxes out = {0};
    for (size_t i = 0; i < r->box.count; i++)
        for (size_t j = 0; j < set->count && !r->err; j++)
            box_and(r, &out, &r->box.v[i], &set->v[j]);
    r->box = out;
}

/* ---- terms about connections and frames ---- */

enum { KNOWN = FW_STATE_ESTABLISHED | FW_STATE_RELATED, NOT_NEW = KNOWN | FW_STATE_INVALID | FW_STATE_UNTRACKED };

void nf_and_original(struct nf_rule *r, const struct nf_box *same)
{
    struct nf_boxes set = {0};
    struct nf_box *b = nf_box_add(r, &set);
    *b = *same;
    b->when.not_states = NOT_NEW | FW_STATE_DNAT;
    b = nf_box_add(r, &set);
    b->when.not_states = NOT_NEW;
    b->when.states = FW_STATE_DNAT;
    b->when.unknown = "conntrack: the destination as it was before translation";
    b = nf_box_add(r, &set);
    b->when.states = KNOWN;
    b->when.unknown = "conntrack: the direction that the connection was opened in";
    nf_and_boxes(r, &set, false);
}

void nf_and_direction(struct nf_rule *r, bool forth)
{
    struct nf_boxes set = {0};
    if (forth)
        nf_box_add(r, &set)->when.not_states = NOT_NEW;
    struct nf_box *b = nf_box_add(r, &set);
    b->when.states = KNOWN;
    b->when.unknown = "conntrack: the direction that the connection was opened in";
    nf_and_boxes(r, &set, false);
}

/* A packet to one address is a frame to this machine; of others the frame is not known. */
void nf_and_frame(struct nf_rule *r, bool one)
{
    struct arena *a = &r->nf->scratch;
    const struct nf_addrs *single = nf_addrs_not(a, nf_multicast(r, r->family), r->family);
    single = single ? nf_addrs_and(a, single, nf_addrs_not(a, nf_broadcast(r, r->family), r->family)) : NULL;
    const struct nf_addrs *several = single ? nf_addrs_not(a, single, r->family) : NULL;
    if (!several) {
        r->err = E_RANGE;
        return;
    }
    struct nf_boxes all = {0};
    if (one)
        nf_box_add(r, &all)->dst = single;
    struct nf_box *b = nf_box_add(r, &all);
    b->dst = several;
    b->when.unknown = "pkttype: the frame that brings a packet for several";
    nf_and_boxes(r, &all, false);
}

/* ---- into the model ---- */

static bool is_any(const struct fw_conditions *c)
{
    return !c->in_ifaces && !c->out_ifaces && !c->no_in && !c->no_out && !c->states && !c->not_states &&
           !c->tcp_flags && !c->fragment && !c->src_is_own && !c->dst_is_own && !c->unknown;
}

static int add_rule(struct nf_rule *r, const char *list, const struct nf_box *b, const char *unknown,
                    enum fw_action action, const char *target, const struct nf_effect *e)
{
    if (r->nf->emitted++ == NF_RULES_MAX)
        return E_RANGE;
    struct fw_conditions when = b->when;
    when.unknown = when.unknown ? when.unknown : unknown;
    struct fw_rule_spec spec = {.list = list, .action = action, .target = target, .line = e->line, .text = e->text,
                                .when = is_any(&when) ? NULL : &when};
    if (b->src) {
        spec.src = b->src->v;
        spec.src_count = b->src->count;
    }
    if (b->dst) {
        spec.dst = b->dst->v;
        spec.dst_count = b->dst->count;
    }
    if (b->service) {
        spec.service = b->service->v;
        spec.service_count = b->service->count;
    }
    if (action == FW_NAT_TO)
        spec.nat = e->nat;
    return fw_rules_add_rule(r->nf->rules, &spec);
}

/* What is translated, or has no connection, in a way that is not known makes the whole way of the packet unknown. */
static int add_taint(struct nf_rule *r, const struct nf_box *b, const char *why, const struct nf_effect *e)
{
    struct fw_taint_spec t = {.in_ifaces = b->when.in_ifaces, .out_ifaces = b->when.out_ifaces, .why = why,
                              .line = e->line, .text = e->text};
    if (b->src) {
        t.src = b->src->v;
        t.src_count = b->src->count;
    }
    if (b->dst) {
        t.dst = b->dst->v;
        t.dst_count = b->dst->count;
    }
    if (b->service) {
        t.service = b->service->v;
        t.service_count = b->service->count;
    }
    return fw_rules_add_taint(r->nf->rules, &t);
}

static int emit_box(struct nf_rule *r, const char *list, const struct nf_box *b, const struct nf_effect *e)
{
    const char *why = b->when.unknown ? b->when.unknown : r->unknown;
    if (why && (e->action == FW_NOTRACK || (e->action == FW_NAT_TO && !e->nat)))
        return add_taint(r, b, why, e);
    if (!e->untold)
        return add_rule(r, list, b, r->unknown, e->action, e->target ? e->target->name : NULL, e);
    int err = add_rule(r, list, b, r->unknown, FW_PERMIT, NULL, e);
    return err ? err : add_rule(r, list, b, r->unknown, FW_DENY, NULL, e);
}

/* A chain that decides about what is in none of `not`: it is jumped to where the rule stands. What leaves the rule's
 * own chain has to leave from there: there the rest of the chain becomes one of its own. */
static int emit_without(struct nf_rule *r, const struct nf_effect *e)
{
    struct nf *nf = r->nf;
    bool leaves = e->action == FW_RETURN || e->action == FW_GOTO;
    struct nf_box any = {0};
    const char *beside = arena_format(&nf->memory, "%s, line %u (%zu)", r->chain->name, e->line, nf->helpers++);
    int err = 0;
    if (!leaves) {
        for (size_t i = 0; i < r->not.count && !err; i++)
            err = add_rule(r, beside, &r->not.v[i], NULL, FW_RETURN, NULL, e);
        for (size_t i = 0; i < r->box.count && !err; i++)
            err = emit_box(r, beside, &r->box.v[i], e);
        return err ? err : add_rule(r, r->chain->at, &any, NULL, FW_JUMP, beside, e);
    }
    for (size_t i = 0; i < r->not.count && !err; i++)
        err = add_rule(r, r->chain->at, &r->not.v[i], NULL, FW_GOTO, beside, e);
    for (size_t i = 0; i < r->box.count && !err; i++)
        err = emit_box(r, r->chain->at, &r->box.v[i], e);
    err = err ? err : add_rule(r, r->chain->at, &any, NULL, FW_GOTO, beside, e);
    r->chain->at = beside;
    return err;
}

int nf_emit(struct nf_rule *r, const struct nf_effect *e)
{
    size_t n = 0;
    for (size_t i = 0; i < r->box.count && !r->err; i++)
        if (!is_empty(&r->box.v[i]))
            r->box.v[n++] = r->box.v[i];
    r->box.count = n;
    if (r->err || !n)
        return r->err;
    if (r->not.count)
        return emit_without(r, e);
    int err = 0;
    for (size_t i = 0; i < r->box.count && !err; i++)
        err = emit_box(r, r->chain->at, &r->box.v[i], e);
    return err;
}

const char *nf_doubt(const struct nf_rule *r)
{
    for (size_t i = 0; i < r->box.count && !r->unknown; i++)
        if (r->box.v[i].when.unknown)
            return r->box.v[i].when.unknown;
    for (size_t i = 0; i < r->not.count && !r->unknown; i++)
        if (r->not.v[i].when.unknown)
            return r->not.v[i].when.unknown;
    return r->unknown;
}

bool nf_is_reverse_check(const struct nf_rule *r)
{
    const struct nf_box *b = r->box.v;
    const struct fw_list *before = fw_rules_list(r->nf->rules, r->chain->name);
    struct fw_conditions when = r->box.count ? b->when : (struct fw_conditions){0};
    when.in_ifaces = 0;
    return r->chain->base && r->chain->hooks == 1u << FW_PREROUTING && !(before && before->count) && !r->unknown &&
           !r->not.count && r->box.count == 1 && !b->src && !b->dst && !b->service &&
           is_any(&when);
}

int nf_verify_reverse(struct nf_rule *r, unsigned line, const char *text)
{
    uint64_t wanted = r->box.v[0].when.in_ifaces;
    int err = 0;
    for (size_t i = 0; i < r->nf->rules->iface_count && !err; i++)
        if (!wanted || wanted >> i & 1)
            err = fw_rules_set_verify_reverse(r->nf->rules, (int)i, line, text);
    return err;
}

/* ---- what Linux knows by itself ---- */

const struct nf_addrs *nf_multicast(struct nf_rule *r, uint8_t family)
{
    struct fw_addr v[2];
    size_t n = 0;
    if (family != IP_V6)
        fw_addr_parse("224.0.0.0/4", &v[n++]);
    if (family != IP_V4)
        fw_addr_parse("ff00::/8", &v[n++]);
    return nf_addrs_of(&r->nf->scratch, v, n);
}

/* Addresses of the interfaces, or of their subnets the last ones, which are for all. */
static const struct nf_addrs *of_interfaces(struct nf_rule *r, uint8_t family, bool last, const struct fw_addr *more,
                                            size_t count)
{
    const struct fw_rules *rules = r->nf->rules;
    for (size_t i = 0; i < rules->iface_count; i++)
        count += rules->iface[i].address_count;
    struct fw_addr *v = arena_alloc(&r->nf->scratch, (count + 1) * sizeof *v);
    size_t n = 0;
    for (; more[n].a.family; n++)
        v[n] = more[n];
    for (size_t i = 0; i < rules->iface_count; i++)
        for (size_t k = 0; k < rules->iface[i].address_count; k++) {
            const struct ip_prefix *p = &rules->iface[i].address[k];
            struct fw_addr subnet = fw_addr_prefix(p);
            if ((family && p->ip.family != family) || (last && (p->ip.family != IP_V4 || p->len >= 31)))
                continue;
            v[n].a = v[n].b = last ? subnet.b : p->ip;
            v[n++].masked = false;
        }
    return nf_addrs_of(&r->nf->scratch, v, n);
}

const struct nf_addrs *nf_local(struct nf_rule *r, uint8_t family)
{
    struct fw_addr own[3] = {0};
    size_t n = 0;
    if (family != IP_V6)
        fw_addr_parse("127.0.0.0/8", &own[n++]);
    if (family != IP_V4)
        fw_addr_parse("::1", &own[n++]);
    return of_interfaces(r, family, false, own, n);
}

const struct nf_addrs *nf_broadcast(struct nf_rule *r, uint8_t family)
{
    struct fw_addr all[3] = {0};
    size_t n = 0;
    if (family != IP_V6) {
        fw_addr_parse("0.0.0.0/8", &all[n++]);
        fw_addr_parse("255.255.255.255", &all[n++]);
    }
    return of_interfaces(r, family, true, all, n);
}
