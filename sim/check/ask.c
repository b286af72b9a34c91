/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each question walked through the topology, there and back, and what its firewalls make of it. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/fwbox.h"
#include "sim/check/check.h"

enum { SPACE_BYTES = 512 << 20, KEEP_BYTES = 512 << 20, HOPS_MAX = 32, TEXT_MAX = 1024 };

/* A hop under construction: the sets of all visits to one interface of one firewall. */
struct sum {
    unsigned node;
    int in;
    bool answers;
    struct check_hop hop;
    struct fw_region permitted, blocked, unknown;
    uint64_t outs; /* bit n: interface n */
};

struct asking {
    struct check *c;
    const struct bind_question *q;
    struct check_answer *answer;
    struct sum sum[HOPS_MAX];
    size_t sums;
    const struct check_watch *watch;
};

/* ---- opening ---- */

int check_open(struct check *c, const struct topology *t, const struct bound *b)
{
    *c = (struct check){.topology = t, .bound = b, .report = calloc(1, sizeof *c->report),
                        .space = fw_space_new(SPACE_BYTES), .keep = fw_space_new(KEEP_BYTES),
                        .need = calloc(t->nodes.count + 1, sizeof *c->need)};
    int err = c->report && c->space && c->keep && c->need ? ways_open(&c->ways, t) : E_NOMEM;
    if (err) {
        check_report_free(c->report);
        check_close(c);
    }
    return err;
}

void check_close(struct check *c)
{
    ways_close(&c->ways);
    fw_space_free(c->space);
    fw_space_free(c->keep);
    free(c->need);
    arena_free(&c->arena);
    *c = (struct check){0};
}

void check_report_free(struct check_report *r)
{
    if (r)
        arena_free(&r->arena);
    free(r);
}

/* ---- words ---- */

/* What the box says of a packet that no list decides about. */
static const char *reason_words(const char *reason)
{
    static const struct {
        const char *reason, *words;
    } all[] = {
        {"no-route", "the firewall has no route to the destination"},
        {"nat-no-xlate", "the destination is an address of a translation pool: nobody is reached by it from outside"},
        {"nat-rpf-failed", "another NAT rule than the one that the packets met would translate the answers"},
        {"rpf-violated", "the sources are not routed back by the interface that the packets come in by"},
        {"to-the-box", "the destination is the firewall itself: nothing translates it to a host behind"},
        {"level", "no access-list is bound to the way in, and it leads from a lower security level to a higher one"},
        {"same-level", "both interfaces have the same security level, and same-security-traffic permit "
                       "inter-interface is missing"},
        {"hairpin", "the packets leave by the interface that they come in by, and same-security-traffic permit "
                    "intra-interface is missing"},
        {"tcp-not-syn", "the firewall has not seen the connection begin"},
        {"no-interface", "the rules do not know the interface that the packets come in by"},
    };
    for (size_t i = 0; reason && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].reason, reason) == 0)
            return all[i].words;
    return NULL;
}

static const char *direction(struct asking *k, const struct sum *s)
{
    const struct way_node *n = &k->c->ways.node[s->node];
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s -> ", s->in >= 0 ? n->node->rules->iface[s->in].name : "(no interface)");
    size_t named = 0;
    for (size_t i = 0; i < n->node->rules->iface_count; i++)
        if (s->outs >> i & 1)
            text_add(&t, "%s%s", named++ ? ", " : "", n->node->rules->iface[i].name);
    if (!named)
        text_add(&t, "(nowhere)");
    if (s->answers)
        text_add(&t, " (answers)");
    return arena_copy(&k->c->report->arena, buf, t.len);
}

/* "expressway-e (public)" */
static const char *end_text(struct arena *a, const struct bind_end *e, const struct port_end *p)
{
    static const char *const which[] = {[ADDRESS_SEEN] = "", [ADDRESS_PUBLIC] = " (public)",
                                        [ADDRESS_PRIVATE] = " (private)"};
    return arena_format(a, "%s%s", actor_name(e->actor), which[p->address]);
}

/* ---- hops ---- */

static struct sum *sum_of(struct asking *k, const struct path_visit *v, bool answers)
{
    for (size_t i = 0; i < k->sums; i++)
        if (k->sum[i].node == v->node && k->sum[i].in == v->in && k->sum[i].answers == answers)
            return &k->sum[i];
    if (k->sums == HOPS_MAX)
        return NULL;
    k->sum[k->sums] = (struct sum){.node = v->node, .in = v->in, .answers = answers,
                                   .hop.node = k->c->topology->nodes.items[v->node].name};
    return &k->sum[k->sums++];
}

static void add_line(struct asking *k, struct check_hop *h, const struct fw_rule_ref *ref, const char *says)
{
    for (size_t i = 0; i < h->by.count; i++) {
        const struct check_line *l = &h->by.items[i];
        if (ref ? l->file && l->line == ref->line && strcmp(l->file, ref->file) == 0
                : !l->file && says && l->says && strcmp(l->says, says) == 0)
            return;
    }
    struct arena *a = &k->c->report->arena;
    struct check_line *l = CHECK_ADD(a, &h->by);
    if (ref)
        *l = (struct check_line){.file = arena_copy(a, ref->file, strlen(ref->file)), .line = ref->line,
                                 .text = arena_copy(a, ref->text ? ref->text : "", ref->text ? strlen(ref->text) : 0)};
    l->says = says ? arena_copy(a, says, strlen(says)) : NULL;
}

static void add_part(struct asking *k, struct sum *s, const struct fw_rules *r, const struct fw_part *p)
{
    struct fw_space *space = k->c->space;
    char says[TEXT_MAX] = "";
    if (p->out >= 0)
        s->outs |= 1ull << p->out;
    enum fw_decision d = p->verdict.decision;
    struct fw_region *into = d == FW_PERMITTED ? &s->permitted : d == FW_UNKNOWN ? &s->unknown : &s->blocked;
    for (size_t i = 0; i < p->arrived.count; i++)
        fw_region_add(space, into, &p->arrived.cell[i]);
    if (d == FW_PERMITTED)
        return;
    const char *words = reason_words(p->verdict.reason);
    if (words)
        s->hop.reason = words;
    else
        fw_verdict_text(r, &p->verdict, says, sizeof says);
    if (d == FW_UNKNOWN)
        for (size_t i = 0; i < p->verdict.doubt_count; i++)
            add_line(k, &s->hop, p->verdict.doubt[i].ref, p->verdict.doubt[i].why);
    else if (p->verdict.rule && p->verdict.rule->line)
        add_line(k, &s->hop, p->verdict.rule, NULL);
    else if (!words)
        add_line(k, &s->hop, NULL, says);
}

/* Of a firewall that lets all through, the lines that do. */
static void add_permits(struct asking *k, struct sum *s, const struct path *p)
{
    for (size_t v = 0; v < p->visits; v++)
        for (size_t i = 0; p->visit[v].node == s->node && p->visit[v].in == s->in && i < p->visit[v].count; i++) {
            const struct fw_verdict *verdict = &p->visit[v].part[i].verdict;
            if (verdict->decision == FW_PERMITTED && verdict->rule && verdict->rule->line)
                add_line(k, &s->hop, verdict->rule, NULL);
        }
}

static void add_visit(struct asking *k, const struct path_visit *v, bool answers)
{
    struct sum *s = sum_of(k, v, answers);
    const struct fw_rules *r = k->c->topology->nodes.items[v->node].rules;
    if (!s)
        return;
    for (size_t i = 0; i < v->count; i++)
        add_part(k, s, r, &v->part[i]);
    if (answers && !v->answers && (s->blocked.count || s->unknown.count))
        s->hop.reason = v->left_by < 0
            ? "asymmetric: the answers come through here, and what they answer went another way"
            : "asymmetric: what these answers answer left by another interface of this firewall";
}

static void finish_hops(struct asking *k)
{
    struct check *c = k->c;
    struct arena *a = &c->report->arena;
    for (size_t i = 0; i < k->sums; i++) {
        struct sum *s = &k->sum[i];
        s->hop.direction = direction(k, s);
        if (s->hop.verdict == CHECK_PASS)
            s->hop.verdict = s->blocked.count ? CHECK_BLOCKED : s->unknown.count ? CHECK_UNKNOWN : CHECK_PASS;
        if (s->answers && s->hop.verdict == CHECK_PASS)
            continue; /* answers that pass are not told */
        s->hop.permitted = check_boxes_of(a, c->space, &s->permitted, k->q, s->answers);
        s->hop.blocked = check_boxes_of(a, c->space, &s->blocked, k->q, s->answers);
        s->hop.unknown = check_boxes_of(a, c->space, &s->unknown, k->q, s->answers);
        *CHECK_ADD(a, &k->answer->hops) = s->hop;
    }
}

/* ---- what the rest of the check wants to know ---- */

/* As a rule would say it: anybody outside, and whatever port a host takes for itself. */
static struct fw_region as_rules_say(struct asking *k, const struct fw_region *r)
{
    struct fw_region out = check_region_copy(k->c->space, r);
    int internet = k->c->topology->check.internet_node;
    for (size_t i = 0; i < out.count; i++) {
        struct fw_cell *c = &out.cell[i];
        const struct fw_cell *any = c->family == IP_V4 ? &fw_cell_any_v4 : &fw_cell_any_v6;
        if (k->q->from.behind && (int)k->q->from.node == internet)
            c->dim[FW_DIM_SRC] = any->dim[FW_DIM_SRC];
        if (k->q->to.behind && (int)k->q->to.node == internet)
            c->dim[FW_DIM_DST] = any->dim[FW_DIM_DST];
        if (k->q->sport.count == 1 && k->q->sport.items[0].lo <= 1024 && k->q->sport.items[0].hi == UINT16_MAX)
            c->dim[FW_DIM_SPORT] = any->dim[FW_DIM_SPORT];
        if (k->q->dport.count == 1 && k->q->dport.items[0].lo <= 1024 && k->q->dport.items[0].hi == UINT16_MAX)
            c->dim[FW_DIM_DPORT] = any->dim[FW_DIM_DPORT];
    }
    return out;
}

static void remember(struct asking *k, const struct path_visit *v)
{
    struct check *c = k->c;
    for (size_t i = 0; i < v->count; i++) {
        const struct fw_part *p = &v->part[i];
        *CHECK_ADD(&c->arena, &c->seen) = (struct check_seen){v->node, v->in, p->out, k->q, p->nat_dst, p->nat_src,
                                                              p->nat_dynamic};
        if (v->in < 0)
            continue;
        struct fw_region *all = &c->need[v->node].all[v->in], said = as_rules_say(k, &p->arrived);
        if (fw_region_within(c->space, &said, all))
            continue;
        struct fw_region more = check_region_copy(c->keep, &said);
        for (size_t n = 0; n < more.count; n++)
            fw_region_add(c->keep, all, &more.cell[n]);
    }
}

static void tell_blocked(struct asking *k, const struct path *p)
{
    for (size_t v = 0; k->watch->blocked && v < p->visits; v++)
        for (size_t i = 0; i < p->visit[v].count; i++) {
            const struct fw_part *part = &p->visit[v].part[i];
            struct check_hop *hop = NULL;
            if (part->verdict.decision == FW_PERMITTED)
                continue;
            for (size_t s = 0, h = 0; s < k->sums && h < k->answer->hops.count; s++) {
                if (k->sum[s].answers && k->sum[s].hop.verdict == CHECK_PASS)
                    continue;
                if (k->sum[s].node == p->visit[v].node && k->sum[s].in == p->visit[v].in && !k->sum[s].answers)
                    hop = &k->answer->hops.items[h];
                h++;
            }
            const struct check_blocked b = {p->visit[v].node, k->q, &p->visit[v], part, hop, false};
            k->watch->blocked(k->watch->ctx, k->c, &b);
        }
}

/* ---- ends ---- */

static void complain(struct asking *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct asking *k, const char *fmt, ...)
{
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (k->answer->why)
        text_add(&t, "%s; ", k->answer->why);
    size_t before = t.len;
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    if (!k->answer->why || !strstr(k->answer->why, buf + before))
        k->answer->why = arena_copy(&k->c->report->arena, buf, t.len);
}

/* The firewall with hooks (Linux) on the network of what nobody has, which answers for its own addresses alone,
 * whatever its chains translate; NULL: none. */
static const char *silent_firewall(const struct asking *k, const struct path_end *e)
{
    const struct fw_cell *cell = e->packets.count ? &e->packets.cell[0] : NULL;
    struct ip_addr ip = cell ? fw_wide_ip(cell->family, cell->dim[FW_DIM_DST].span[0].lo) : e->hop;
    for (size_t i = 0; i < k->c->topology->nodes.count; i++) {
        const struct topo_node *n = &k->c->topology->nodes.items[i];
        for (size_t f = 0; i != e->node && n->rules && n->rules->base_count && f < n->interfaces.count; f++)
            for (size_t a = 0; a < n->interfaces.items[f].addresses.count; a++)
                if (ip_in_prefix(&ip, &n->interfaces.items[f].addresses.items[a]))
                    return n->name;
    }
    return NULL;
}

/* Packets that have not come to where they must be, in words. */
static void tell_lost(struct asking *k, const struct path_end *e, const char *whose)
{
    const char *node = k->c->topology->nodes.items[e->node].name;
    char ip[ADDR_TEXT];
    struct check_boxes b = check_boxes_of(&k->c->report->arena, k->c->space, &e->packets, NULL, false);
    const char *dst = b.box.count ? b.box.items[0].dst : "";
    if (strcmp(e->why, "no route") == 0)
        complain(k, "%s%s has no route to %s", whose, node, dst);
    else if (strcmp(e->why, "nobody there") == 0) {
        const char *silent = e->hop.family ? NULL : silent_firewall(k, e);
        complain(k, "%s%s finds nobody on the link who has %s%s%s%s", whose, node,
                 e->hop.family ? ip_text(&e->hop, ip) : dst, silent ? ": " : "", silent ? silent : "",
                 silent ? " answers for its own addresses alone, give it this one too (ip address add)" : "");
    } else if (strcmp(e->why, "in a circle") == 0)
        complain(k, "%sthe routes to %s go round in a circle, %s among them", whose, dst, node);
    else
        complain(k, "%s%s gets what is for %s", whose, node, dst);
}

/* A firewall that the packets went through and their answers do not: of TCP it never sees the handshake complete. */
static void tell_half_seen(struct asking *k, const struct path_end *e, const struct path *back)
{
    for (const struct path_step *s = e->steps; s; s = s->before) {
        bool seen = false;
        for (size_t i = 0; i < back->visits; i++)
            seen = seen || back->visit[i].node == s->node;
        const struct topo_node *n = &k->c->topology->nodes.items[s->node];
        if (!seen && k->q->proto == PROTO_TCP && !n->rules->policy.stateless)
            complain(k, "asymmetric: %s sees the packets and not their answers, which go another way from %s", n->name,
                     k->c->topology->nodes.items[k->q->to.node].name);
    }
}

/* Answers that a firewall without state does not let through want a rule of their own. */
static void tell_answers(struct asking *k, const struct path_visit *v)
{
    if (!k->watch->blocked || !k->c->topology->nodes.items[v->node].rules->policy.stateless)
        return;
    for (size_t i = 0; i < v->count; i++)
        if (v->part[i].verdict.decision != FW_PERMITTED) {
            const struct check_blocked b = {.node = v->node, .question = k->q, .visit = v, .part = &v->part[i],
                                            .answers = true};
            k->watch->blocked(k->watch->ctx, k->c, &b);
        }
}

/* The answers of what arrived; true: they come back. */
static bool ask_answers(struct asking *k, const struct path_end *e)
{
    struct check *c = k->c;
    const struct path_request r = {.from = k->q->to.node, .to = k->q->from.node, .behind = k->q->from.behind,
                                   .packets = fw_region_turned(c->space, &e->packets),
                                   .states = FW_STATE_ESTABLISHED, .tcp_flags = FW_SYN | FW_ACK, .answers = e->steps};
    struct path back;
    if (path_walk(&c->ways, &r, c->space, &back) != 0)
        return true; /* the space remembers */
    bool good = true;
    for (size_t i = 0; i < back.visits; i++) {
        add_visit(k, &back.visit[i], true);
        tell_answers(k, &back.visit[i]);
    }
    for (size_t i = 0; i < back.ends; i++) {
        if (back.end[i].why)
            tell_lost(k, &back.end[i], "the answers: ");
        good = good && !back.end[i].why && back.end[i].worst == FW_PERMITTED;
    }
    const char *before = k->answer->why;
    if (good)
        tell_half_seen(k, e, &back);
    return good && k->answer->why == before;
}

/* A reflected packet must come from the address that the row names: else the answers do not find back. */
static bool source_is_right(struct asking *k, const struct path_end *e)
{
    if (k->q->src_translated.family == IP_NONE)
        return true;
    fw_wide want = fw_wide_of(&k->q->src_translated);
    struct fw_spans one = fw_spans_one(k->c->space, want, want);
    for (size_t i = 0; i < e->packets.count; i++)
        if (!fw_spans_equal(e->packets.cell[i].dim[FW_DIM_SRC], one)) {
            char ip[ADDR_TEXT];
            struct check_boxes b = check_boxes_of(&k->c->report->arena, k->c->space, &e->packets, NULL, false);
            complain(k, "the packets arrive from %s, not from %s: no NAT rule translates the source on their way",
                     b.box.items[0].src, ip_text(&k->q->src_translated, ip));
            return false;
        }
    return true;
}

/* ---- one question ---- */

/* Without memory for the sets there is no answer. */
static bool too_entangled(struct asking *k)
{
    int err = fw_space_error(k->c->space);
    if (!err)
        return false;
    k->answer->verdict = CHECK_UNKNOWN;
    k->answer->why = err == E_RANGE ? "the netmasks with holes of these rules fall into too many pieces to say exactly"
                                    : "the sets of packets of these rules need more memory than is allowed";
    return true;
}

static void ask_needed(struct asking *k, const struct path *p)
{
    bool good = true, lost = false;
    for (size_t i = 0; i < p->visits; i++) {
        add_visit(k, &p->visit[i], false);
        remember(k, &p->visit[i]);
    }
    for (size_t i = 0; i < p->ends; i++) {
        const struct path_end *e = &p->end[i];
        good = good && e->worst == FW_PERMITTED;
        if (e->why) {
            tell_lost(k, e, "");
            lost = true;
        } else {
            lost = !source_is_right(k, e) || lost;
            lost = (e->worst == FW_PERMITTED && !ask_answers(k, e)) || lost;
        }
    }
    enum check_verdict v = good && !lost && p->ends ? CHECK_PASS : lost || !p->ends ? CHECK_BLOCKED : CHECK_UNKNOWN;
    for (size_t i = 0; i < k->sums; i++) {
        if (k->sum[i].blocked.count)
            v = CHECK_BLOCKED;
        else if (k->sum[i].unknown.count && v == CHECK_PASS)
            v = CHECK_UNKNOWN;
        if (!k->sum[i].blocked.count && !k->sum[i].unknown.count && !k->sum[i].answers)
            add_permits(k, &k->sum[i], p);
    }
    k->answer->verdict = v;
    if (k->q->need == NEED_OPTIONAL && v != CHECK_PASS) {
        k->answer->verdict = CHECK_DEGRADED;
        complain(k, "optional: %s", k->q->row->degrades_to ? k->q->row->degrades_to : "without it less works");
    }
}

/* What must not pass, and does: the firewalls on its way, each with what it lets in. */
static void ask_never(struct asking *k, const struct path *p)
{
    enum check_verdict v = CHECK_PASS;
    for (size_t i = 0; i < p->ends; i++) {
        const struct path_end *e = &p->end[i];
        if (e->why || e->worst == FW_DENIED)
            continue;
        enum check_verdict found = e->worst == FW_PERMITTED ? CHECK_EXPOSED : CHECK_UNKNOWN;
        v = found > v ? found : v;
        for (const struct path_step *s = e->steps; s; s = s->before) {
            const struct path_visit visit = {.node = s->node, .in = s->in};
            const struct check_blocked b = {s->node, k->q, &visit, s->part, NULL, false};
            if (!s->before && k->watch->blocked) /* the first firewall is where to close it */
                k->watch->blocked(k->watch->ctx, k->c, &b);
            struct sum *sum = sum_of(k, &visit, false);
            if (!sum)
                continue;
            add_part(k, sum, k->c->topology->nodes.items[s->node].rules, s->part);
            sum->hop.verdict = sum->unknown.count ? CHECK_UNKNOWN : CHECK_EXPOSED;
            if (s->part->verdict.rule && s->part->verdict.rule->line)
                add_line(k, &sum->hop, s->part->verdict.rule, NULL);
        }
        if (!e->steps)
            complain(k, "no firewall is on the way to it");
    }
    k->answer->verdict = v;
}

static void ask(struct check *c, const struct bind_question *q, const struct check_watch *watch)
{
    static const char *const needs[] = {[NEED_MUST] = "must", [NEED_OPTIONAL] = "optional", [NEED_NEVER] = "never"};
    struct arena *a = &c->report->arena;
    struct asking k = {.c = c, .q = q, .watch = watch, .answer = CHECK_ADD(a, &c->report->answers)};
    *k.answer = (struct check_answer){.table = q->table->id, .row = q->row->id, .purpose = q->row->purpose,
                                      .protocol = q->proto == PROTO_UDP ? "udp" : "tcp",
                                      .from = end_text(a, &q->from, &q->row->from),
                                      .to = end_text(a, &q->to, &q->row->to), .need = needs[q->need]};
    if (q->local)
        return;
    fw_space_reset(c->space);
    const struct path_request r = {.from = q->from.node, .to = q->to.node, .behind = q->to.behind,
                                   .only_permitted = q->need == NEED_NEVER, .packets = check_packets(q, c->space),
                                   .states = FW_STATE_NEW, .tcp_flags = q->proto == PROTO_TCP ? FW_SYN : 0};
    struct path p;
    path_walk(&c->ways, &r, c->space, &p);
    if (too_entangled(&k))
        return;
    if (q->need == NEED_NEVER)
        ask_never(&k, &p);
    else
        ask_needed(&k, &p);
    finish_hops(&k);
    if (too_entangled(&k))
        return;
    if (q->need != NEED_NEVER)
        tell_blocked(&k, &p);
    for (size_t i = 0; watch->visited && i < p.visits; i++)
        watch->visited(watch->ctx, c, &p.visit[i]);
}

/* ---- all questions ---- */

/* Of the questions of one group one is enough: those beside it that fail are excused. */
static void excuse(struct check *c)
{
    for (size_t i = 0; i < c->bound->questions.count; i++) {
        struct check_answer *a = &c->report->answers.items[i];
        int group = c->bound->questions.items[i].group;
        if (group < 0 || a->verdict == CHECK_PASS || a->verdict == CHECK_EXPOSED)
            continue;
        for (size_t k = 0; k < c->bound->questions.count; k++) {
            const struct check_answer *b = &c->report->answers.items[k];
            if (k == i || c->bound->questions.items[k].group != group || b->verdict != CHECK_PASS)
                continue;
            a->excused = arena_format(&c->report->arena, "%s %s, %s, is enough, and passes",
                                      strcmp(a->row, b->row) == 0 ? "another choice of row" : "row", b->row,
                                      b->protocol);
            a->verdict = c->bound->questions.items[i].row->group ? CHECK_DEGRADED : CHECK_PASS; /* a way less */
            break;
        }
    }
}

static struct check_line told_line(struct arena *a, const char *file, const struct fw_unsupported *u)
{
    return (struct check_line){file, u->line, arena_format(a, "%s", u->text), arena_format(a, "%s", u->why)};
}

static void list_files(struct check *c)
{
    struct arena *a = &c->report->arena;
    for (size_t i = 0; i < c->topology->nodes.count; i++) {
        const struct topo_node *n = &c->topology->nodes.items[i];
        if (!n->rules)
            continue;
        struct check_file *f = CHECK_ADD(a, &c->report->files);
        *f = (struct check_file){.node = n->name, .file = n->rules_file ? n->rules_file : c->topology->file,
                                 .lines = fw_rules_lines(n->rules)};
        const struct fw_unsupported *u;
        for (size_t k = 0; (u = fw_rules_unsupported(n->rules, k)) != NULL; k++)
            *CHECK_ADD(a, &f->unsupported) = told_line(a, f->file, u);
        for (size_t k = 0; (u = fw_rules_note(n->rules, k)) != NULL; k++)
            *CHECK_ADD(a, &f->notes) = told_line(a, f->file, u);
    }
}

void check_ask(struct check *c, const struct check_watch *watch)
{
    static const struct check_watch nobody;
    struct check_report *r = c->report;
    static const char *const sizes[] = {[SIZE_SMALL] = "small", [SIZE_MEDIUM] = "medium", [SIZE_LARGE] = "large"};
    r->topology = c->topology->name;
    r->title = c->topology->title;
    r->size = sizes[c->bound->size];
    const struct release *x = &c->bound->release;
    r->expressway = x->number[2] ? arena_format(&r->arena, "X%u.%u.%u", x->number[0], x->number[1], x->number[2])
                                 : arena_format(&r->arena, "X%u.%u", x->number[0], x->number[1]);
    for (size_t i = 0; i < c->bound->questions.count; i++)
        ask(c, &c->bound->questions.items[i], watch ? watch : &nobody);
    excuse(c);
    for (size_t i = 0; i < c->bound->skips.count; i++) {
        const struct bind_skip *k = &c->bound->skips.items[i];
        *CHECK_ADD(&r->arena, &r->skipped) =
            (struct check_skipped){k->table->id, k->row->id, k->row->purpose, arena_format(&r->arena, "%s", k->text)};
    }
    list_files(c);
}
