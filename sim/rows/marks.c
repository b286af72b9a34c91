/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows by their addresses and ports as they arrive, each with the rows that it counts for, found once: a packet costs
 * a look-up and a few additions. */
#include "sim/rows/marks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"

enum { STAGES_MAX = 8, FLAG_SYN = 2, FLAG_ACK = 16 };

struct flow {
    struct fw_flow flow;
    uint32_t before;    /* what a firewall made it of: index + 1 of flows; 0: its sender sent it so */
    uint32_t age;       /* of the translations when its rows were found; 0: never */
    unsigned *row;
    size_t row_count;
    bool opened;        /* not TCP, or begun by a SYN in this direction */
    uint32_t isn;       /* of the last SYN */
    uint64_t packets, first; /* first: which of all packets of the run */
};

struct row_marks {
    const struct rows *rows;
    struct run_row *count;
    struct flow *flow;
    size_t flow_count, flow_cap;
    uint32_t *slot; /* index + 1 of flows; a power of two, at most half full */
    size_t slots;
    uint64_t packets;
    uint32_t age;   /* grows when a translation comes to mean another flow */
    struct arena arena;
};

/* ---- flows ---- */

static size_t hash(const struct fw_flow *f)
{
    uint64_t h = ((uint64_t)f->sport << 32 | (uint64_t)f->dport << 16) ^ f->proto;
    for (size_t i = 0; i < 16; i += 8) {
        h = (h ^ load64(f->src.b + i)) * UINT64_C(0x9e3779b97f4a7c15);
        h = (h ^ h >> 29 ^ load64(f->dst.b + i)) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return (size_t)(h ^ h >> 32);
}

static void grow(struct row_marks *m)
{
    m->slots = m->slots ? 2 * m->slots : 1024;
    free(m->slot);
    m->slot = calloc(m->slots, sizeof *m->slot);
    assert(m->slot);
    for (size_t i = 0; i < m->flow_count; i++) {
        size_t at = hash(&m->flow[i].flow) & (m->slots - 1);
        while (m->slot[at])
            at = (at + 1) & (m->slots - 1);
        m->slot[at] = (uint32_t)i + 1;
    }
}

/* Its index + 1; 0: it is not there and is not to be added. */
static uint32_t find(struct row_marks *m, const struct fw_flow *f, bool add)
{
    if (2 * m->flow_count >= m->slots)
        grow(m);
    size_t at = hash(f) & (m->slots - 1);
    for (; m->slot[at]; at = (at + 1) & (m->slots - 1))
        if (fw_flow_equal(&m->flow[m->slot[at] - 1].flow, f))
            return m->slot[at];
    if (!add)
        return 0;
    if (m->flow_count == m->flow_cap) {
        m->flow_cap = m->flow_cap ? 2 * m->flow_cap : 256;
        m->flow = realloc(m->flow, m->flow_cap * sizeof *m->flow);
        assert(m->flow);
    }
    m->flow[m->flow_count++] = (struct flow){.flow = *f, .opened = f->proto != PROTO_TCP};
    return m->slot[at] = (uint32_t)m->flow_count;
}

static struct fw_flow reversed(const struct fw_flow *f)
{
    return (struct fw_flow){f->proto, f->dst, f->src, f->dport, f->sport};
}

/* ---- rows of a flow ---- */

/* The flow as it arrived, and what it was before, as its sender sent it last. */
static size_t stages_of(const struct row_marks *m, uint32_t at, const struct fw_flow *stage[STAGES_MAX])
{
    size_t n = 0;
    for (; at && n < STAGES_MAX; at = m->flow[at - 1].before)
        stage[n++] = &m->flow[at - 1].flow;
    return n;
}

static bool is_about(const struct bind_question *q, const struct fw_flow *const *stage, size_t stages, int from, int to)
{
    if ((!q->from.behind && (int)q->from.node != from) || (!q->to.behind && (int)q->to.node != to))
        return false;
    for (size_t i = 0; i < stages; i++)
        if (rows_in_question(q, stage[i]))
            return true;
    return false;
}

static int owner(const struct topology *t, const struct ip_addr *ip)
{
    const struct topo_node *n = topology_owner(t, ip);
    return n ? (int)(n - t->nodes.items) : -1;
}

static void find_rows(struct row_marks *m, uint32_t at)
{
    const struct rows *r = m->rows;
    const struct fw_flow *stage[STAGES_MAX];
    size_t stages = stages_of(m, at, stage);
    int from = owner(r->topology, &stage[stages - 1]->src), to = owner(r->topology, &stage[0]->dst);
    struct flow *f = &m->flow[at - 1];
    if (!f->row)
        f->row = arena_alloc(&m->arena, r->row.count * sizeof *f->row);
    f->age = m->age;
    f->row_count = 0;
    for (size_t i = 0; i < r->bound->questions.count; i++) {
        bool has = f->row_count && f->row[f->row_count - 1] == r->of_question[i];
        if (!has && is_about(&r->bound->questions.items[i], stage, stages, from, to))
            f->row[f->row_count++] = r->of_question[i];
    }
}

/* ---- what happens in the run ---- */

static void count(struct row_marks *m, uint64_t now_ns, uint32_t at, size_t bytes, bool connection)
{
    struct flow *f = &m->flow[at - 1];
    if (f->age != m->age)
        find_rows(m, at);
    m->packets++;
    if (!f->packets++)
        f->first = m->packets;
    for (size_t i = 0; i < f->row_count; i++) {
        struct run_row *c = &m->count[f->row[i]];
        c->packets++;
        c->bytes += bytes;
        c->connections += connection;
        c->first_ns = c->first_ns < now_ns ? c->first_ns : now_ns;
    }
}

static void arrived(void *ctx, uint64_t now_ns, size_t node, const struct wire_packet *p)
{
    struct row_marks *m = ctx;
    bool tcp = p->proto == PROTO_TCP;
    (void)node;
    if (!p->l4 || (!tcp && p->proto != PROTO_UDP))
        return;
    const struct fw_flow flow = {p->proto, p->src, p->dst, p->sport, p->dport};
    uint32_t at = find(m, &flow, true);
    struct flow *f = &m->flow[at - 1];
    bool syn = tcp && (p->tcp_flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN, connection = false;
    if (syn) {
        uint32_t isn = load32(p->frame + p->l4 + 4);
        connection = !f->opened || f->isn != isn;
        f->opened = true;
        f->isn = isn;
    }
    if (f->opened)
        count(m, now_ns, at, p->payload_len, connection);
}

static void stayed(void *ctx, uint64_t now_ns, size_t node, const struct fw_flow *f, size_t len)
{
    struct row_marks *m = ctx;
    (void)node;
    count(m, now_ns, find(m, f, true), len, f->proto == PROTO_TCP);
}

static void translates(struct row_marks *m, const struct fw_flow *before, const struct fw_flow *after)
{
    uint32_t from = find(m, before, true), to = find(m, after, true);
    struct flow *f = &m->flow[to - 1];
    if (f->before == from)
        return;
    m->age += f->before || f->age; /* a port was given again: what came of it before says nothing now */
    f->before = from;
}

static void translated(void *ctx, const struct fw_flow *before, const struct fw_flow *after)
{
    struct row_marks *m = ctx;
    if (before->proto != PROTO_TCP && before->proto != PROTO_UDP)
        return;
    const struct fw_flow answer = reversed(after), answered = reversed(before);
    translates(m, before, after);
    translates(m, &answer, &answered);
}

/* ---- all ---- */

struct row_marks *row_marks_new(const struct rows *rows, struct world_watch *watch)
{
    struct row_marks *m = calloc(1, sizeof *m);
    assert(m);
    m->rows = rows;
    m->age = 1;
    m->count = arena_alloc(&m->arena, (rows->row.count + 1) * sizeof *m->count);
    for (size_t i = 0; i < rows->row.count; i++) {
        const struct row *row = &rows->row.items[i];
        m->count[i] = (struct run_row){.table = row->table->id, .id = row->row->id, .purpose = row->row->purpose,
                                       .never = row->row->need == NEED_NEVER, .first_ns = TIME_NEVER};
    }
    watch->arrived = arrived;
    watch->stayed = stayed;
    watch->translated = translated;
    watch->ctx = m;
    return m;
}

/* The flow as its sender sent it is what the other side answers. */
static uint32_t answered_by(struct row_marks *m, uint32_t at)
{
    const struct fw_flow *stage[STAGES_MAX];
    size_t stages = stages_of(m, at, stage);
    const struct fw_flow back = reversed(stage[stages - 1]);
    return find(m, &back, false);
}

static void find_openers(struct row_marks *m)
{
    for (uint32_t at = 1; at <= m->flow_count; at++) {
        const struct flow *f = &m->flow[at - 1];
        uint32_t other = f->packets && f->flow.proto == PROTO_UDP ? answered_by(m, at) : 0;
        const struct flow *o = other ? &m->flow[other - 1] : NULL;
        if (!o || !o->packets || !o->row_count || o->first > f->first)
            continue;
        for (size_t i = 0; i < f->row_count; i++)
            if (!m->count[f->row[i]].opened_by && o->row[0] != f->row[i])
                m->count[f->row[i]].opened_by = m->count[o->row[0]].id;
    }
}

void row_marks_record(struct row_marks *m, struct record *record)
{
    find_openers(m);
    for (size_t i = 0; i < m->rows->row.count; i++)
        record_row(record, &m->count[i]);
}

void row_marks_free(struct row_marks *m)
{
    if (!m)
        return;
    free(m->flow);
    free(m->slot);
    arena_free(&m->arena);
    free(m);
}
