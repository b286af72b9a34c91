/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls that let the first packet pass and fail the call later, or rewrite it. */
#include <inttypes.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/firewall/rules.h"
#include "sim/check/findings.h"

enum { TEXT_MAX = 1024 };

struct check_finding *check_found(struct check *c, const char *id, enum check_level level, unsigned node,
                                  const struct fw_rule_ref *ref, const char *what, const char *change)
{
    struct arena *a = &c->report->arena;
    struct check_finding *f = CHECK_ADD(a, &c->report->findings);
    *f = (struct check_finding){.id = id, .level = level, .node = c->topology->nodes.items[node].name,
                                .what = arena_copy(a, what, strlen(what)),
                                .change = change ? arena_copy(a, change, strlen(change)) : NULL};
    if (ref && ref->line) {
        f->file = arena_copy(a, ref->file, strlen(ref->file));
        f->line = ref->line;
        f->text = ref->text ? arena_copy(a, ref->text, strlen(ref->text)) : NULL;
    }
    return f;
}

void check_found_row(struct check *c, struct check_finding *f, const char *row)
{
    for (size_t i = 0; i < f->rows.count; i++)
        if (strcmp(f->rows.items[i], row) == 0)
            return;
    *CHECK_ADD(&c->report->arena, &f->rows) = row;
}

static bool overlaps(const struct port_ranges *r, uint16_t lo, uint16_t hi)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].lo <= hi && lo <= r->items[i].hi)
            return true;
    return false;
}

/* ---- idle timers ---- */

/* A flow that is known by a port of either end, and how long it may be silent. */
static const struct silence {
    const char *flow;
    uint8_t proto;
    uint16_t lo, hi;
    unsigned seconds;
    enum check_level level;
    const char *why, *then;
} silences[] = {
    /* RFC 8656 3.2: an allocation lives 600 s; 5.2's client refreshes a minute before its end. */
    {"TURN control connection", PROTO_TCP, 3478, 3483, 540, LEVEL_ERROR,
     "silent for 9 minutes between two Refreshes of its allocation", "the Refresh is dropped, and the call ends"},
    /* RFC 4028 4 and 10: sessions of 1800 s, refreshed at half of that. */
    {"SIP signalling", PROTO_TCP, 5060, 5061, 900, LEVEL_WARNING,
     "silent for 15 minutes between two session refreshes of a call", "the refresh is dropped"},
    {"SIP signalling of a traversal zone", PROTO_TCP, 7001, 7010, 900, LEVEL_WARNING,
     "silent for 15 minutes between two session refreshes of a call", "the refresh is dropped"},
    /* user-pains T9: muted for 150 s, by endpoints that send neither RTCP nor consent checks (RFC 7675). */
    {"media", PROTO_UDP, 24000, 59999, 150, LEVEL_NOTE,
     "muted for 150 s, an endpoint without RTCP and consent checks (RFC 7675) is silent",
     "what its peer sends is dropped"},
};

static void add_time(struct text *t, uint64_t s)
{
    text_add(t, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
}

/* What to write instead: an ASA's line, or words. */
static void timer_change(struct text *t, const struct fw_rules *r, enum fw_timer timer, unsigned seconds)
{
    unsigned s = (seconds / 60 + 1) * 60;
    const char *conn = timer == FW_TIMER_UDP ? "udp" : "conn";
    if (r->asa)
        text_add(t, "timeout %s %u:%02u:00", conn, s / 3600, s / 60 % 60);
    else
        text_add(t, "an idle time of at least %u s for %s", s, timer == FW_TIMER_UDP ? "UDP" : "established TCP");
}

static void timer_finding(struct check *c, unsigned node, const struct silence *s)
{
    const struct fw_rules *r = c->topology->nodes.items[node].rules;
    enum fw_timer timer = s->proto == PROTO_UDP ? FW_TIMER_UDP : FW_TIMER_TCP;
    if (r->policy.stateless || r->timer[timer] == TIME_NEVER || r->timer[timer] >= s->seconds * NS_S)
        return;
    struct check_finding *f = NULL;
    for (size_t i = 0; i < c->seen.count; i++) {
        const struct check_seen *e = &c->seen.items[i];
        const struct bind_question *q = e->question;
        if (e->node != node || q->proto != s->proto || (!overlaps(&q->dport, s->lo, s->hi) &&
                                                        (s->level != LEVEL_NOTE || !overlaps(&q->sport, s->lo, s->hi))))
            continue;
        if (!f) {
            char what[TEXT_MAX], change[TEXT_MAX];
            struct text w = text_of(what, sizeof what), h = text_of(change, sizeof change);
            uint64_t idle = r->timer[timer] / NS_S;
            text_add(&w, "%s: %s; forgotten here after ", s->flow, s->why);
            add_time(&w, idle);
            text_add(&w, " min, and at minute ");
            add_time(&w, s->seconds);
            text_add(&w, " %s", s->then);
            timer_change(&h, r, timer, s->seconds);
            f = check_found(c, "idle-timer", s->level, node, r->timer_ref[timer], what, change);
            if (r->asa && r->timer_ref[timer]) {
                f->fix_line = r->timer_ref[timer]->line + 1;
                f->fix = f->change;
            }
        }
        check_found_row(c, f, q->row->id);
    }
}

void check_find_timers(struct check *c)
{
    for (unsigned n = 0; n < c->topology->nodes.count; n++)
        for (size_t i = 0; c->topology->nodes.items[n].rules && i < sizeof silences / sizeof *silences; i++)
            timer_finding(c, n, &silences[i]);
}

/* ---- inspections ---- */

/* By the ports that a default inspection looks at. */
static const struct inspected {
    const char *name;
    uint16_t lo, hi;
} inspected[] = {{"sip", 5060, 5060}, {"h323", 1718, 1720}, {"h323 h225", 1720, 1720}, {"h323 ras", 1718, 1719},
                 {"skinny", 2000, 2000}};

void check_find_inspections(struct check *c)
{
    for (unsigned n = 0; n < c->topology->nodes.count; n++)
        for (size_t i = 0; c->topology->nodes.items[n].rules && i < sizeof inspected / sizeof *inspected; i++) {
            const struct inspected *x = &inspected[i];
            const struct fw_rules *r = c->topology->nodes.items[n].rules;
            const struct fw_rule_ref *ref = fw_rules_inspection(r, x->name);
            const char *row = NULL;
            for (size_t k = 0; ref && k < c->seen.count && !row; k++)
                if (c->seen.items[k].node == n && overlaps(&c->seen.items[k].question->dport, x->lo, x->hi) &&
                    c->seen.items[k].question->dport.items[0].lo <= x->hi)
                    row = c->seen.items[k].question->row->id;
            if (!ref)
                continue;
            char what[TEXT_MAX], change[TEXT_MAX];
            struct text w = text_of(what, sizeof what), h = text_of(change, sizeof change);
            text_add(&w, "inspects %s: ", x->name);
            if (row)
                text_add(&w, "it rewrites addresses inside the call's packets (row %s), which Expressway does by "
                             "itself; Cisco does not support this", row);
            else
                text_add(&w, "no row's packets meet it here, yet Cisco wants it off beside Expressway");
            text_add(&h, r->asa ? "no inspect %s" : "switch the inspection of %s off", x->name);
            struct check_finding *f = check_found(c, "inspection", row ? LEVEL_ERROR : LEVEL_WARNING, n, ref, what,
                                                  change);
            f->fix_removes = r->asa;
            f->fix_line = r->asa ? ref->line : 0;
            if (row)
                check_found_row(c, f, row);
        }
}

/* ---- pools ---- */

enum { PORTS_OF_ADDRESS = 64512 /* 1024-65535 */, RELAYS_SMALL = 1800, RELAYS_LARGE = 6000 /* user-pains P20 */ };

static uint64_t hosts_behind(const struct check *c, const struct fw_nat *n)
{
    uint64_t hosts = 0;
    for (size_t i = 0; i < c->topology->nodes.count; i++) {
        const struct topo_node *t = &c->topology->nodes.items[i];
        for (size_t k = 0; t->kind == TOPO_HOST && k < t->interfaces.count; k++)
            for (size_t a = 0; a < t->interfaces.items[k].addresses.count; a++)
                hosts += n->real && fw_set_has(n->real, &t->interfaces.items[k].addresses.items[a].ip);
    }
    return hosts;
}

static void pool_finding(struct check *c, const struct check_seen *e, const struct fw_nat *n)
{
    char what[TEXT_MAX];
    struct text w = text_of(what, sizeof what);
    uint64_t addresses = n->mapped ? fw_set_size(n->mapped) : 0, hosts = hosts_behind(c, n);
    uint64_t relays = c->bound->size == SIZE_LARGE ? RELAYS_LARGE : RELAYS_SMALL;
    if (!n->pat && n->mapped && !n->interface && addresses < hosts)
        text_add(&w, "a pool of %" PRIu64 " address%s, one a host, for %" PRIu64 " hosts of this topology alone: the "
                     "next one's packets are dropped (nat-no-xlate)", addresses, addresses == 1 ? "" : "es", hosts);
    else if ((n->pat || n->interface) && (addresses + n->interface) * PORTS_OF_ADDRESS < relays)
        text_add(&w, "a pool of %" PRIu64 " ports for %" PRIu64 " relays", addresses * PORTS_OF_ADDRESS, relays);
    if (!w.len)
        return;
    for (size_t i = 0; i < c->report->findings.count; i++)
        if (strcmp(c->report->findings.items[i].what, what) == 0) {
            check_found_row(c, &c->report->findings.items[i], e->question->row->id);
            return;
        }
    struct check_finding *f = check_found(c, "pool-too-small", LEVEL_ERROR, e->node, n->ref, what,
                                          "share the pool's addresses by port (pat-pool, or interface behind it), or "
                                          "give it an address for each host");
    check_found_row(c, f, e->question->row->id);
}

void check_find_pools(struct check *c)
{
    for (size_t i = 0; i < c->seen.count; i++) {
        const struct check_seen *e = &c->seen.items[i];
        const struct fw_rules *r = c->topology->nodes.items[e->node].rules;
        for (size_t k = 0; e->dynamic && k < r->nat_count; k++)
            if (r->nat[k].ref == e->nat_src)
                pool_finding(c, e, &r->nat[k]);
    }
}
