/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of numbers, cells and regions. What is not changed is shared; nothing is ever written to twice. */
#include "models/firewall/cells.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

/* ---- memory ---- */

enum { BLOCK_SIZE = 64 * 1024, PIECES_MAX = 1 << 20 };
#define LIMIT_DEFAULT ((size_t)1 << 30)

struct block {
    struct block *next;
    size_t used, cap;
    max_align_t bytes[];
};

struct fw_space {
    struct block *block; /* the newest first */
    size_t limit, held, used;
    int err;
};

struct fw_space *fw_space_new(size_t limit)
{
    struct fw_space *s = calloc(1, sizeof *s);
    if (s)
        s->limit = limit ? limit : LIMIT_DEFAULT;
    return s;
}

void fw_space_reset(struct fw_space *s)
{
    /* One block of the ordinary size stays. */
    struct block *keep = NULL;
    while (s->block) {
        struct block *next = s->block->next;
        if (!keep && s->block->cap == BLOCK_SIZE)
            keep = s->block;
        else
            free(s->block);
        s->block = next;
    }
    *s = (struct fw_space){.block = keep, .limit = s->limit, .held = keep ? BLOCK_SIZE : 0};
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
}

void fw_space_free(struct fw_space *s)
{
    if (!s)
        return;
    fw_space_reset(s);
    free(s->block);
    free(s);
}

size_t fw_space_used(const struct fw_space *s)
{
    return s->used;
}

int fw_space_error(const struct fw_space *s)
{
    return s->err;
}

void fw_space_fail(struct fw_space *s, int err)
{
    if (!s->err)
        s->err = err;
}

void *fw_space_alloc(struct fw_space *s, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct block *b = s->block;
    if (!b || b->cap - b->used < size) {
        size_t cap = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
        b = s->err || cap > s->limit - s->held ? NULL : malloc(sizeof *b + cap);
        if (!b) {
            fw_space_fail(s, E_NOMEM);
            return NULL;
        }
        *b = (struct block){.cap = cap};
        s->held += cap;
        if (cap != BLOCK_SIZE && s->block) { /* a large one stands behind the one that is being filled */
            b->next = s->block->next;
            s->block->next = b;
        } else {
            b->next = s->block;
            s->block = b;
        }
    }
    void *p = (char *)b->bytes + b->used;
    b->used += size;
    s->used += size;
    return p;
}

void *fw_space_room(struct fw_space *s, const void *array, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 4;
    bool full = count == *cap;
    void *room = full ? fw_space_alloc(s, more * size) : (void *)array;
    if (full && room) {
        if (count)
            memcpy(room, array, count * size);
        *cap = more;
    }
    return room;
}

/* ---- sets of numbers ---- */

static const struct fw_spans none = {NULL, 0};

/* Spans are collected at the end of a set that is being made. */
struct maker {
    struct fw_span *span;
    size_t count, cap;
};

static struct maker make(struct fw_space *s, size_t cap)
{
    struct maker m = {.span = fw_space_alloc(s, cap * sizeof(struct fw_span)), .cap = cap};
    if (!m.span)
        m.cap = 0;
    return m;
}

/* At or behind the last; joined to it where they touch. */
static void put(struct maker *m, fw_wide lo, fw_wide hi)
{
    struct fw_span *last = m->count ? &m->span[m->count - 1] : NULL;
    if (last && (lo == 0 || lo - 1 <= last->hi)) {
        if (hi > last->hi)
            last->hi = hi;
    } else if (m->count < m->cap) {
        m->span[m->count++] = (struct fw_span){lo, hi};
    }
}

static struct fw_spans made(const struct maker *m)
{
    return m->count ? (struct fw_spans){m->span, m->count} : none;
}

struct fw_spans fw_spans_one(struct fw_space *s, fw_wide lo, fw_wide hi)
{
    struct maker m = make(s, 1);
    put(&m, lo, hi);
    return made(&m);
}

static int span_order(const void *x, const void *y)
{
    const struct fw_span *a = x, *b = y;
    return a->lo != b->lo ? (a->lo < b->lo ? -1 : 1) : a->hi != b->hi ? (a->hi < b->hi ? -1 : 1) : 0;
}

struct fw_spans fw_spans_of(struct fw_space *s, struct fw_span *span, size_t count)
{
    if (count)
        qsort(span, count, sizeof *span, span_order);
    struct maker m = make(s, count);
    for (size_t i = 0; i < count; i++)
        put(&m, span[i].lo, span[i].hi);
    return made(&m);
}

static fw_wide lowest(struct fw_spans a)
{
    return a.span[0].lo;
}

static fw_wide highest(struct fw_spans a)
{
    return a.span[a.count - 1].hi;
}

/* The first span that ends at n or behind it. */
static size_t from(struct fw_spans a, fw_wide n)
{
    size_t lo = 0, hi = a.count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (a.span[mid].hi < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* True: a is as it is whatever is cut out of it by b, or is all cut out (*in). */
static bool is_plain(struct fw_spans a, struct fw_spans b, bool *in)
{
    *in = false;
    if (!a.count || !b.count || highest(a) < lowest(b) || highest(b) < lowest(a))
        return true;
    size_t at = from(b, lowest(a));
    *in = at < b.count && b.span[at].lo <= lowest(a) && highest(a) <= b.span[at].hi;
    return *in || at == b.count || b.span[at].lo > highest(a);
}

struct fw_spans fw_spans_intersect(struct fw_space *s, struct fw_spans a, struct fw_spans b)
{
    bool in;
    if (a.span == b.span && a.count == b.count)
        return a;
    if (is_plain(a, b, &in))
        return in ? a : none;
    if (is_plain(b, a, &in))
        return in ? b : none;
    size_t i = from(a, lowest(b)), j = from(b, lowest(a));
    size_t most = from(a, highest(b)) + from(b, highest(a)) + 2 - i - j;
    struct maker m = make(s, most);
    while (i < a.count && j < b.count) {
        fw_wide lo = a.span[i].lo > b.span[j].lo ? a.span[i].lo : b.span[j].lo;
        fw_wide hi = a.span[i].hi < b.span[j].hi ? a.span[i].hi : b.span[j].hi;
        if (lo <= hi)
            put(&m, lo, hi);
        if (a.span[i].hi < b.span[j].hi)
            i++;
        else
            j++;
    }
    return made(&m);
}

struct fw_spans fw_spans_subtract(struct fw_space *s, struct fw_spans a, struct fw_spans b)
{
    bool in;
    if (is_plain(a, b, &in))
        return in ? none : a;
    size_t j = from(b, lowest(a));
    struct maker m = make(s, a.count + from(b, highest(a)) + 1 - j);
    for (size_t i = 0; i < a.count; i++) {
        fw_wide lo = a.span[i].lo;
        bool left = true;
        for (; left && j < b.count && b.span[j].lo <= a.span[i].hi; j += left) {
            if (b.span[j].hi < lo)
                continue;
            if (b.span[j].lo > lo)
                put(&m, lo, b.span[j].lo - 1);
            left = b.span[j].hi < a.span[i].hi;
            lo = b.span[j].hi + left;
        }
        if (left)
            put(&m, lo, a.span[i].hi);
    }
    return made(&m);
}

struct fw_spans fw_spans_union(struct fw_space *s, struct fw_spans a, struct fw_spans b)
{
    if (fw_spans_within(a, b))
        return b;
    if (fw_spans_within(b, a))
        return a;
    struct maker m = make(s, a.count + b.count);
    for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
        bool first = j == b.count || (i < a.count && a.span[i].lo <= b.span[j].lo);
        const struct fw_span *next = first ? &a.span[i++] : &b.span[j++];
        put(&m, next->lo, next->hi);
    }
    return made(&m);
}

bool fw_spans_equal(struct fw_spans a, struct fw_spans b)
{
    return a.count == b.count && (a.span == b.span || memcmp(a.span, b.span, a.count * sizeof *a.span) == 0);
}

bool fw_spans_has(struct fw_spans a, fw_wide n)
{
    size_t at = from(a, n);
    return at < a.count && a.span[at].lo <= n;
}

bool fw_spans_within(struct fw_spans a, struct fw_spans b)
{
    for (size_t i = 0; i < a.count; i++) {
        size_t at = from(b, a.span[i].lo);
        if (at == b.count || b.span[at].lo > a.span[i].lo || b.span[at].hi < a.span[i].hi)
            return false;
    }
    return true;
}

static fw_wide times(fw_wide a, fw_wide b)
{
    return a && b > ~(fw_wide)0 / a ? ~(fw_wide)0 : a * b;
}

static fw_wide plus(fw_wide a, fw_wide b)
{
    return a + b < a ? ~(fw_wide)0 : a + b;
}

fw_wide fw_spans_count(struct fw_spans a)
{
    fw_wide sum = 0;
    for (size_t i = 0; i < a.count; i++)
        sum = plus(sum, plus(a.span[i].hi - a.span[i].lo, 1));
    return sum;
}

/* ---- masks with holes ---- */

/* The first number from n on that agrees with value in the bits of mask, no greater than last. */
static bool next_masked(fw_wide n, fw_wide last, fw_wide value, fw_wide mask, fw_wide *out)
{
    fw_wide wrong = (n & mask) ^ value;
    *out = n;
    if (!wrong)
        return n <= last;
    fw_wide below = wrong; /* the highest wrong bit and all behind it */
    for (unsigned shift = 1; shift < 128; shift *= 2)
        below |= below >> shift;
    fw_wide top = below ^ below >> 1;
    if (n & top) { /* too high by then: the free bits in front must count one up */
        fw_wide up = (n | mask | below) + 1;
        if (!up)
            return false;
        n = up;
    }
    /* Behind the highest wrong bit, or the one that counted up, free bits begin at 0. */
    *out = (n & ~mask & ~below) | value;
    return *out <= last && *out >= value;
}

struct fw_spans fw_spans_masked(struct fw_space *s, struct fw_spans a, fw_wide value, fw_wide mask)
{
    if (!a.count || !mask)
        return a;
    fw_wide run = (mask & -mask) - 1; /* free bits at the end are one span */
    value &= mask;
    /* Twice: to count, then to write. */
    struct maker m = {0};
    for (int writing = 0; writing < 2; writing++) {
        size_t count = 0;
        for (size_t i = 0; i < a.count && count <= PIECES_MAX; i++) {
            fw_wide at = a.span[i].lo, hi;
            while (count <= PIECES_MAX && next_masked(at, a.span[i].hi, value, mask, &at)) {
                hi = (at | run) < a.span[i].hi ? at | run : a.span[i].hi;
                if (writing)
                    put(&m, at, hi);
                count++;
                if (hi == a.span[i].hi)
                    break;
                at = hi + 1;
            }
        }
        if (count > PIECES_MAX) {
            fw_space_fail(s, E_RANGE);
            return none;
        }
        if (!writing)
            m = make(s, count);
    }
    return made(&m);
}

fw_wide fw_wide_of(const struct ip_addr *ip)
{
    if (ip->family == IP_V4)
        return ip_v4_value(ip);
    return (fw_wide)load64(ip->b) << 64 | load64(ip->b + 8);
}

struct ip_addr fw_wide_ip(uint8_t family, fw_wide n)
{
    if (family == IP_V4)
        return ip_v4((uint32_t)n);
    struct ip_addr ip = {.family = IP_V6};
    store64(ip.b, (uint64_t)(n >> 64));
    store64(ip.b + 8, (uint64_t)n);
    return ip;
}

/* ---- cells ---- */

static const struct fw_span any_proto = {0, 255}, any_port = {0, 65535}, any_v4 = {0, 0xffffffff},
                            any_v6 = {0, ~(fw_wide)0};
#define CELL_ANY(f, a) {f, {{&any_proto, 1}, {&a, 1}, {&a, 1}, {&any_port, 1}, {&any_port, 1}}}
const struct fw_cell fw_cell_any_v4 = CELL_ANY(IP_V4, any_v4), fw_cell_any_v6 = CELL_ANY(IP_V6, any_v6);

struct fw_cell fw_cell_of(struct fw_space *s, const struct fw_flow *f)
{
    fw_wide v[FW_DIMS] = {f->proto, fw_wide_of(&f->src), fw_wide_of(&f->dst), f->sport, f->dport};
    struct fw_cell c = {.family = f->dst.family};
    for (int d = 0; d < FW_DIMS; d++)
        c.dim[d] = fw_spans_one(s, v[d], v[d]);
    return c;
}

bool fw_cell_has(const struct fw_cell *c, const struct fw_flow *f)
{
    return c->family == f->dst.family && c->family == f->src.family && fw_spans_has(c->dim[FW_DIM_PROTO], f->proto) &&
           fw_spans_has(c->dim[FW_DIM_SPORT], f->sport) && fw_spans_has(c->dim[FW_DIM_DPORT], f->dport) &&
           fw_spans_has(c->dim[FW_DIM_SRC], fw_wide_of(&f->src)) &&
           fw_spans_has(c->dim[FW_DIM_DST], fw_wide_of(&f->dst));
}

bool fw_cell_intersect(struct fw_space *s, const struct fw_cell *a, const struct fw_cell *b, struct fw_cell *out)
{
    if (a->family != b->family)
        return false;
    struct fw_cell c = {.family = a->family};
    for (int d = 0; d < FW_DIMS; d++) {
        c.dim[d] = fw_spans_intersect(s, a->dim[d], b->dim[d]);
        if (!c.dim[d].count)
            return false;
    }
    *out = c;
    return true;
}

size_t fw_cell_carve(struct fw_space *s, const struct fw_cell *a, const struct fw_spans in[FW_DIMS],
                     struct fw_cell out[FW_DIMS])
{
    /* What differs in few packets last, so that what is left is few large cells. */
    static const enum fw_dim order[FW_DIMS] = {FW_DIM_PROTO, FW_DIM_DST, FW_DIM_DPORT, FW_DIM_SRC, FW_DIM_SPORT};
    struct fw_cell rest = *a;
    size_t n = 0;
    for (int i = 0; i < FW_DIMS; i++) {
        enum fw_dim d = order[i];
        struct fw_spans outside = fw_spans_subtract(s, rest.dim[d], in[d]);
        if (outside.count) {
            out[n] = rest;
            out[n++].dim[d] = outside;
        }
        rest.dim[d] = in[d];
    }
    return n;
}

fw_wide fw_cell_count(const struct fw_cell *c)
{
    fw_wide n = 1;
    for (int d = 0; d < FW_DIMS; d++)
        n = times(n, fw_spans_count(c->dim[d]));
    return n;
}

struct fw_cell fw_cell_turned(const struct fw_cell *c)
{
    struct fw_cell t = *c;
    t.dim[FW_DIM_SRC] = c->dim[FW_DIM_DST];
    t.dim[FW_DIM_DST] = c->dim[FW_DIM_SRC];
    t.dim[FW_DIM_SPORT] = c->dim[FW_DIM_DPORT];
    t.dim[FW_DIM_DPORT] = c->dim[FW_DIM_SPORT];
    return t;
}
