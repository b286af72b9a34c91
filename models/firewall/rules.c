/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building a rule set. All that a rule points to lives in one arena: a reference handed out stays where it is. */
#include "models/firewall/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/time.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct fw_block {
    struct fw_block *next;
    size_t used, cap;
    max_align_t bytes[];
};

/* Equal sets are stored once: an object-group is one set however many rules use it. */
struct fw_set_entry {
    struct fw_set set;
    struct fw_set_entry *next;
};

#define MINUTES(n) ((n) * UINT64_C(60) * NS_S)

static const struct timer_profile {
    const char *name;
    uint64_t ns[FW_TIMER_COUNT]; /* in the order of enum fw_timer */
} profiles[] = {
    /* ASA: timeout conn 1:00:00 half-closed 0:10:00 udp 0:02:00 icmp 0:00:02, xlate 3:00:00, pat-xlate 0:00:30 */
    {"asa", {MINUTES(60), 30 * NS_S, MINUTES(10), MINUTES(1), MINUTES(2), MINUTES(2), 2 * NS_S, MINUTES(60),
             MINUTES(180), 30 * NS_S}},
    /* RFC 5382 REQ-5, RFC 7857 section 2, RFC 4787 REQ-5, RFC 5508 REQ-2 */
    {"rfc", {MINUTES(124), MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(5), MINUTES(5), MINUTES(1), MINUTES(5), 0, 0}},
    {"typical", {MINUTES(60), 30 * NS_S, MINUTES(2), 30 * NS_S, 30 * NS_S, 30 * NS_S, 30 * NS_S, MINUTES(10),
                 0, 0}},
    {"hostile", {MINUTES(5), 10 * NS_S, 30 * NS_S, 10 * NS_S, 15 * NS_S, 15 * NS_S, 5 * NS_S, MINUTES(1), 0,
                 0}},
    /* PAN-OS session timeouts: tcp 3600, tcp-handshake 10, tcp-half-closed 120, tcp-time-wait 15, udp 30, icmp 6,
     * default 30. A translation lives as long as its sessions. */
    {"pan", {MINUTES(60), 10 * NS_S, MINUTES(2), 15 * NS_S, 30 * NS_S, 30 * NS_S, 6 * NS_S, 30 * NS_S, 0, 0}},
    /* FortiOS: session-ttl default 3600, tcp-halfopen-timer 10, tcp-halfclose-timer 120, tcp-timewait-timer 1,
     * udp-idle-timer 180; icmp 60, others as the default */
    {"fortigate", {MINUTES(60), 10 * NS_S, MINUTES(2), 1 * NS_S, MINUTES(3), MINUTES(3), MINUTES(1), MINUTES(60), 0,
                   0}},
    /* EC2 connection tracking: tcp 432000, udp 30, udp stream 180; the rest after Linux */
    {"aws", {MINUTES(7200), MINUTES(1), MINUTES(2), MINUTES(2), 30 * NS_S, MINUTES(3), 30 * NS_S, MINUTES(10), 0, 0}},
    /* Azure: flows that are idle for 4 minutes are forgotten */
    {"azure", {MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(4), MINUTES(4), 0, 0}},
    /* nf_conntrack_tcp_timeout_established, _syn_sent, _fin_wait, _time_wait, _udp_timeout,
     * _udp_timeout_stream, _icmp_timeout, _generic_timeout (Linux 6) */
    {"linux", {MINUTES(7200), MINUTES(2), MINUTES(2), MINUTES(2), 30 * NS_S, MINUTES(2), 30 * NS_S, MINUTES(10), 0, 0}},
};

void *fw_arena(struct fw_rules *r, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct fw_block *b = r->block;
    if (!b || b->cap - b->used < size) {
        size_t cap = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        b = malloc(sizeof *b + cap);
        if (!b)
            return NULL;
        *b = (struct fw_block){.next = r->block, .cap = cap};
        r->block = b;
    }
    void *p = (char *)b->bytes + b->used;
    b->used += size;
    return p;
}

static void *copy(struct fw_rules *r, const void *src, size_t size)
{
    void *p = fw_arena(r, size);
    if (p && size)
        memcpy(p, src, size);
    return p;
}

const char *fw_arena_text(struct fw_rules *r, const char *s)
{
    return copy(r, s, strlen(s) + 1);
}

/* Room for one more element. */
static int grow(void *array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    size_t n = *cap ? 2 * *cap : 8;
    void **p = array;
    void *q = realloc(*p, n * size);
    if (!q)
        return E_NOMEM;
    *p = q;
    *cap = n;
    return 0;
}

static const struct fw_rule_ref *make_ref(struct fw_rules *r, unsigned line, const char *text)
{
    text = text ? text + strspn(text, " \t") : "";
    struct fw_rule_ref ref = {.file = r->file, .line = line, .text = fw_arena_text(r, text)};
    return ref.text ? copy(r, &ref, sizeof ref) : NULL;
}

static const struct fw_set *intern(struct fw_rules *r, const struct fw_addr *addr, size_t count, size_t ranges)
{
    struct fw_set_entry **slot = &r->bucket[crc32_of(addr, count * sizeof *addr) % FW_SET_BUCKETS];
    for (struct fw_set_entry *e = *slot; e; e = e->next)
        if (e->set.count == count && e->set.range_count == ranges &&
            memcmp(e->set.addr, addr, count * sizeof *addr) == 0)
            return &e->set;
    struct fw_set_entry *e = fw_arena(r, sizeof *e);
    if (!e)
        return NULL;
    *e = (struct fw_set_entry){{copy(r, addr, count * sizeof *addr), ranges, count}, *slot};
    if (!e->set.addr)
        return NULL;
    *slot = e;
    return &e->set;
}

/* *out: NULL for any. */
static int make_set(struct fw_rules *r, const struct fw_addr *addr, size_t count, bool ordered,
                    const struct fw_set **out)
{
    *out = NULL;
    if (!count)
        return 0;
    struct fw_addr *tmp = malloc(count * sizeof *tmp);
    if (!tmp)
        return E_NOMEM;
    memcpy(tmp, addr, count * sizeof *tmp);
    size_t ranges = count;
    if (!ordered)
        count = fw_addr_normalise(tmp, count, &ranges);
    *out = intern(r, tmp, count, ranges);
    free(tmp);
    return *out ? 0 : E_NOMEM;
}

struct fw_rules *fw_rules_new(const char *file)
{
    struct fw_rules *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->file = fw_arena_text(r, file);
    if (!r->file) {
        fw_rules_free(r);
        return NULL;
    }
    fw_rules_set_timers(r, "asa");
    /* ASA's PAT: one mapping for a source address and port, answers from the peer alone, the source port if free. */
    r->behaviour = (struct fw_nat_behaviour){.mapping = FW_ENDPOINT_INDEPENDENT,
                                             .filtering = FW_ADDRESS_AND_PORT_DEPENDENT,
                                             .ports = FW_PORTS_PRESERVE,
                                             .pooling = FW_POOL_FILL,
                                             .refresh = FW_REFRESH_BOTH};
    return r;
}

void fw_rules_free(struct fw_rules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->list_count; i++)
        free(r->list[i]->rule);
    free(r->list);
    free(r->nat);
    free(r->route);
    free(r->inspection);
    free(r->base);
    free(r->taint);
    free(r->unsupported);
    free(r->note);
    while (r->block) {
        struct fw_block *next = r->block->next;
        free(r->block);
        r->block = next;
    }
    free(r);
}

int fw_rules_find_interface(const struct fw_rules *r, const char *name)
{
    for (size_t i = 0; i < r->iface_count; i++)
        if (strcmp(r->iface[i].name, name) == 0)
            return (int)i;
    return E_NOT_FOUND;
}

int fw_rules_add_interface(struct fw_rules *r, const struct fw_iface_spec *spec)
{
    if (fw_rules_find_interface(r, spec->name) >= 0)
        return E_EXISTS;
    if (r->iface_count == FW_IFACE_MAX)
        return E_NOMEM;
    struct fw_iface f = {.name = fw_arena_text(r, spec->name),
                         .level = spec->level,
                         .shutdown = spec->shutdown,
                         .address = copy(r, spec->address, spec->address_count * sizeof *spec->address),
                         .address_count = spec->address_count,
                         .ref = make_ref(r, spec->line, spec->text)};
    if (!f.name || !f.address || !f.ref)
        return E_NOMEM;
    r->iface[r->iface_count] = f;
    return (int)r->iface_count++;
}

const struct fw_list *fw_rules_list(const struct fw_rules *r, const char *name)
{
    for (size_t i = 0; i < r->list_count; i++)
        if (strcmp(r->list[i]->name, name) == 0)
            return r->list[i];
    return NULL;
}

/* The list of that name, made when new. A file names the same list on many lines in a row: look at the last first. */
static struct fw_list *get_list(struct fw_rules *r, const char *name)
{
    for (size_t i = r->list_count; i-- > 0;)
        if (strcmp(r->list[i]->name, name) == 0)
            return r->list[i];
    struct fw_list *l = fw_arena(r, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct fw_list){.name = fw_arena_text(r, name)};
    if (!l->name || grow(&r->list, &r->list_cap, r->list_count, sizeof(struct fw_list *)))
        return NULL;
    r->list[r->list_count++] = l;
    return l;
}

/* What a rule has beside the five fields. */
static int fill_extras(struct fw_rules *r, const struct fw_rule_spec *spec, struct fw_rule *rule)
{
    if (spec->when) {
        struct fw_conditions *when = copy(r, spec->when, sizeof *when);
        if (!when)
            return E_NOMEM;
        if (when->unknown && !(when->unknown = fw_arena_text(r, when->unknown)))
            return E_NOMEM;
        rule->when = when;
    }
    if (spec->time_range && !(rule->time_range = fw_arena_text(r, spec->time_range)))
        return E_NOMEM;
    if (spec->target && !(rule->target = get_list(r, spec->target)))
        return E_NOMEM;
    if (spec->nat) {
        struct fw_nat_to *nat = copy(r, spec->nat, sizeof *nat);
        if (!nat || (nat->to && !(nat->to = copy(r, nat->to, sizeof *nat->to))))
            return E_NOMEM;
        rule->nat = nat;
    }
    return 0;
}

int fw_rules_add_rule(struct fw_rules *r, const struct fw_rule_spec *spec)
{
    struct fw_list *l = get_list(r, spec->list);
    if (!l || grow(&l->rule, &l->cap, l->count, sizeof *l->rule))
        return E_NOMEM;
    struct fw_rule rule = {.ref = make_ref(r, spec->line, spec->text),
                           .action = spec->action,
                           .inactive = spec->inactive,
                           .implied = spec->implied,
                           .service = copy(r, spec->service, spec->service_count * sizeof *spec->service),
                           .service_count = spec->service_count};
    if (!rule.ref || !rule.service || make_set(r, spec->src, spec->src_count, false, &rule.src) ||
        make_set(r, spec->dst, spec->dst_count, false, &rule.dst) || fill_extras(r, spec, &rule))
        return E_NOMEM;
    l->rule[l->count++] = rule;
    return 0;
}

int fw_rules_add_base(struct fw_rules *r, const struct fw_base_spec *spec)
{
    if (grow(&r->base, &r->base_cap, r->base_count, sizeof *r->base))
        return E_NOMEM;
    struct fw_base b = {.list = get_list(r, spec->list), .hook = spec->hook, .priority = spec->priority,
                        .nat = spec->nat, .policy = spec->policy, .family = spec->family,
                        .ref = make_ref(r, spec->line, spec->text)};
    if (!b.list || !b.ref)
        return E_NOMEM;
    size_t at = r->base_count++;
    for (; at > 0 && (b.hook < r->base[at - 1].hook ||
                      (b.hook == r->base[at - 1].hook && b.priority < r->base[at - 1].priority));
         at--)
        r->base[at] = r->base[at - 1];
    r->base[at] = b;
    return 0;
}

int fw_rules_add_taint(struct fw_rules *r, const struct fw_taint_spec *spec)
{
    if (grow(&r->taint, &r->taint_cap, r->taint_count, sizeof *r->taint))
        return E_NOMEM;
    struct fw_taint t = {.service = copy(r, spec->service, spec->service_count * sizeof *spec->service),
                         .service_count = spec->service_count, .in_ifaces = spec->in_ifaces,
                         .out_ifaces = spec->out_ifaces, .why = fw_arena_text(r, spec->why),
                         .ref = make_ref(r, spec->line, spec->text)};
    if (!t.service || !t.why || !t.ref || make_set(r, spec->src, spec->src_count, false, &t.src) ||
        make_set(r, spec->dst, spec->dst_count, false, &t.dst))
        return E_NOMEM;
    r->taint[r->taint_count++] = t;
    return 0;
}

int fw_rules_add_unsupported(struct fw_rules *r, unsigned line, const char *text, const char *why)
{
    if (grow(&r->unsupported, &r->unsupported_cap, r->unsupported_count, sizeof *r->unsupported))
        return E_NOMEM;
    struct fw_unsupported u = {line, fw_arena_text(r, text + strspn(text, " \t")), fw_arena_text(r, why)};
    if (!u.text || !u.why)
        return E_NOMEM;
    r->unsupported[r->unsupported_count++] = u;
    r->lines.unsupported++;
    return 0;
}

const struct fw_unsupported *fw_rules_unsupported(const struct fw_rules *r, size_t i)
{
    return i < r->unsupported_count ? &r->unsupported[i] : NULL;
}

int fw_rules_add_note(struct fw_rules *r, unsigned line, const char *text, const char *note)
{
    if (grow(&r->note, &r->note_cap, r->note_count, sizeof *r->note))
        return E_NOMEM;
    struct fw_unsupported n = {line, fw_arena_text(r, text + strspn(text, " \t")), fw_arena_text(r, note)};
    if (!n.text || !n.why)
        return E_NOMEM;
    r->note[r->note_count++] = n;
    return 0;
}

const struct fw_unsupported *fw_rules_note(const struct fw_rules *r, size_t i)
{
    return i < r->note_count ? &r->note[i] : NULL;
}

int fw_rules_bind(struct fw_rules *r, const char *list, int iface, enum fw_direction dir)
{
    assert(iface < (int)r->iface_count);
    const struct fw_list *l = get_list(r, list);
    if (!l)
        return E_NOMEM;
    if (iface == FW_ANY_IFACE)
        r->global = l;
    else
        r->iface[iface].list[dir] = l;
    return 0;
}

/* The two sets of a static rule must be of one size and family: position pairs them. */
static bool pairs(const struct fw_set *from, const struct fw_set *to)
{
    if (!to)
        return true;
    if (!from || fw_set_size(from) != fw_set_size(to))
        return false;
    for (size_t i = 0; i < from->count; i++)
        for (size_t j = 0; j < to->count; j++)
            if (from->addr[i].a.family != to->addr[j].a.family)
                return false;
    return true;
}

/* Section 2: static before dynamic, fewer real addresses first, lower first, then by name ([ASA] NAT rule order). */
static bool nat_before(const struct fw_nat *a, const struct fw_nat *b)
{
    if (a->section != b->section)
        return a->section < b->section;
    if (a->section != FW_NAT_OBJECT)
        return false;
    if (a->dynamic != b->dynamic)
        return !a->dynamic;
    uint64_t na = a->real ? fw_set_size(a->real) : UINT64_MAX, nb = b->real ? fw_set_size(b->real) : UINT64_MAX;
    if (na != nb)
        return na < nb;
    int c = a->real && b->real ? ip_compare(&a->real->addr[0].a, &b->real->addr[0].a) : 0;
    return c ? c < 0 : strcmp(a->object, b->object) < 0;
}

int fw_rules_add_nat(struct fw_rules *r, const struct fw_nat_spec *spec)
{
    struct fw_nat n = {.ref = make_ref(r, spec->line, spec->text),
                       .section = spec->section,
                       .object = fw_arena_text(r, spec->object ? spec->object : ""),
                       .real_iface = spec->real_iface,
                       .mapped_iface = spec->mapped_iface,
                       .dynamic = spec->dynamic,
                       .inactive = spec->inactive,
                       .unidirectional = spec->unidirectional,
                       .route_lookup = spec->route_lookup,
                       .pat = spec->pat,
                       .interface = spec->interface,
                       .has_dst = spec->has_dst,
                       .dst_interface = spec->dst_interface,
                       .has_service = spec->from && spec->to,
                       .from = spec->from ? *spec->from : FW_SERVICE_ANY,
                       .to = spec->to ? *spec->to : FW_SERVICE_ANY};
    if (!n.ref || !n.object || make_set(r, spec->real, spec->real_count, true, &n.real) ||
        make_set(r, spec->mapped, spec->mapped_count, true, &n.mapped) ||
        make_set(r, spec->dst_from, spec->dst_from_count, true, &n.dst_from) ||
        make_set(r, spec->dst_to, spec->dst_to_count, true, &n.dst_to) ||
        grow(&r->nat, &r->nat_cap, r->nat_count, sizeof *r->nat))
        return E_NOMEM;
    if ((!n.dynamic && !pairs(n.real, n.mapped)) || (!n.dst_interface && !pairs(n.dst_from, n.dst_to)))
        return E_RANGE;
    size_t at = r->nat_count++;
    for (; at > 0 && nat_before(&n, &r->nat[at - 1]); at--)
        r->nat[at] = r->nat[at - 1];
    r->nat[at] = n;
    return 0;
}

int fw_rules_add_route(struct fw_rules *r, const struct ip_prefix *to, int iface, const struct ip_addr *gateway)
{
    assert(iface >= 0 && iface < (int)r->iface_count);
    if (grow(&r->route, &r->route_cap, r->route_count, sizeof *r->route))
        return E_NOMEM;
    r->route[r->route_count++] = (struct fw_route){.to = *to, .iface = iface, .gateway = *gateway};
    return 0;
}

int fw_rules_add_inspection(struct fw_rules *r, const char *name, unsigned line, const char *text)
{
    if (grow(&r->inspection, &r->inspection_cap, r->inspection_count, sizeof *r->inspection))
        return E_NOMEM;
    struct fw_inspection i = {fw_arena_text(r, name), make_ref(r, line, text)};
    if (!i.name || !i.ref)
        return E_NOMEM;
    r->inspection[r->inspection_count++] = i;
    return 0;
}

const struct fw_rule_ref *fw_rules_inspection(const struct fw_rules *r, const char *name)
{
    for (size_t i = 0; i < r->inspection_count; i++)
        if (strcmp(r->inspection[i].name, name) == 0)
            return r->inspection[i].ref;
    return NULL;
}

int fw_rules_set_verify_reverse(struct fw_rules *r, int iface, unsigned line, const char *text)
{
    assert(iface >= 0 && iface < (int)r->iface_count);
    r->iface[iface].verify_reverse = make_ref(r, line, text);
    return r->iface[iface].verify_reverse ? 0 : E_NOMEM;
}

int fw_rules_set_timer(struct fw_rules *r, enum fw_timer timer, uint64_t ns, unsigned line, const char *text)
{
    const struct fw_rule_ref *ref = make_ref(r, line, text);
    if (!ref)
        return E_NOMEM;
    r->timer[timer] = ns;
    r->timer_ref[timer] = ref;
    if (timer == FW_TIMER_UDP) {
        r->timer[FW_TIMER_UDP_STREAM] = ns;
        r->timer_ref[FW_TIMER_UDP_STREAM] = ref;
    }
    return 0;
}

int fw_rules_set_timers(struct fw_rules *r, const char *profile)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].name, profile) == 0) {
            memcpy(r->timer, profiles[i].ns, sizeof r->timer);
            memset(r->timer_ref, 0, sizeof r->timer_ref);
            return 0;
        }
    return E_NOT_FOUND;
}

void fw_rules_set_nat_behaviour(struct fw_rules *r, const struct fw_nat_behaviour *b)
{
    r->behaviour = *b;
}

void fw_rules_set_policy(struct fw_rules *r, const struct fw_policy *p)
{
    r->policy = *p;
}

struct fw_lines fw_rules_lines(const struct fw_rules *r)
{
    return r->lines;
}
