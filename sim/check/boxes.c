/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of packets: from a table's row into regions, from regions into words. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "sim/check/check.h"

enum { BOXES_MAX = 64, WORDS_MAX = 4096 };

static struct fw_spans address_spans(struct fw_space *s, const struct addr_ranges *r)
{
    struct fw_span *span = fw_space_alloc(s, (r->count + 1) * sizeof *span);
    for (size_t i = 0; span && i < r->count; i++)
        span[i] = (struct fw_span){fw_wide_of(&r->items[i].a), fw_wide_of(&r->items[i].b)};
    return span ? fw_spans_of(s, span, r->count) : (struct fw_spans){0};
}

static struct fw_spans port_spans(struct fw_space *s, const struct port_ranges *r)
{
    struct fw_span *span = fw_space_alloc(s, (r->count + 1) * sizeof *span);
    for (size_t i = 0; span && i < r->count; i++)
        span[i] = (struct fw_span){r->items[i].lo, r->items[i].hi};
    return span ? fw_spans_of(s, span, r->count) : (struct fw_spans){0};
}

struct fw_region check_packets(const struct bind_question *q, struct fw_space *s)
{
    struct fw_region r = {0};
    struct fw_cell c = {.family = q->family};
    c.dim[FW_DIM_PROTO] = fw_spans_one(s, q->proto, q->proto);
    c.dim[FW_DIM_SRC] = address_spans(s, &q->src);
    c.dim[FW_DIM_DST] = address_spans(s, &q->dst);
    c.dim[FW_DIM_SPORT] = port_spans(s, &q->sport);
    c.dim[FW_DIM_DPORT] = port_spans(s, &q->dport);
    fw_region_push(s, &r, &c);
    return r;
}

static struct fw_spans copy_spans(struct fw_space *to, struct fw_spans from)
{
    struct fw_span *span = fw_space_alloc(to, (from.count + 1) * sizeof *span);
    if (!span)
        return (struct fw_spans){0};
    if (from.count)
        memcpy(span, from.span, from.count * sizeof *span);
    return (struct fw_spans){span, from.count};
}

struct fw_region check_region_copy(struct fw_space *to, const struct fw_region *r)
{
    struct fw_region out = {0};
    for (size_t i = 0; i < r->count; i++) {
        struct fw_cell c = r->cell[i];
        for (size_t d = 0; d < FW_DIMS; d++)
            c.dim[d] = copy_spans(to, c.dim[d]);
        fw_region_push(to, &out, &c);
    }
    return out;
}

/* ---- words ---- */

static void add_address(struct text *t, uint8_t family, fw_wide n)
{
    char text[ADDR_TEXT];
    struct ip_addr ip = fw_wide_ip(family, n);
    text_add(t, "%s", ip_text(&ip, text));
}

static bool is_any(struct fw_spans s, uint8_t family)
{
    struct fw_addr all = fw_addr_any((enum ip_family)family);
    return s.count == 1 && s.span[0].lo == fw_wide_of(&all.a) && s.span[0].hi == fw_wide_of(&all.b);
}

static const char *addresses(struct arena *a, struct fw_spans s, uint8_t family)
{
    char buf[WORDS_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (is_any(s, family))
        return "any";
    for (size_t i = 0; i < s.count; i++) {
        if (t.len + 100 > sizeof buf) {
            text_add(&t, ", and %zu more", s.count - i);
            break;
        }
        text_add(&t, "%s", i ? ", " : "");
        add_address(&t, family, s.span[i].lo);
        if (s.span[i].hi != s.span[i].lo) {
            text_add(&t, "-");
            add_address(&t, family, s.span[i].hi);
        }
    }
    return arena_copy(a, buf, t.len);
}

static const char *numbers(struct arena *a, struct fw_spans s)
{
    char buf[WORDS_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (s.count == 1 && s.span[0].lo == 0 && s.span[0].hi == UINT16_MAX)
        return "any";
    for (size_t i = 0; i < s.count; i++) {
        if (t.len + 40 > sizeof buf) {
            text_add(&t, ", and %zu more", s.count - i);
            break;
        }
        text_add(&t, "%s%u", i ? ", " : "", (unsigned)s.span[i].lo);
        if (s.span[i].hi != s.span[i].lo)
            text_add(&t, "-%u", (unsigned)s.span[i].hi);
    }
    return arena_copy(a, buf, t.len);
}

/* "tcp, udp", by number where there is no name here. */
static const char *protocols(struct arena *a, struct fw_spans s)
{
    static const char *const names[] = {
        [PROTO_ICMP] = "icmp", [PROTO_TCP] = "tcp", [PROTO_UDP] = "udp", [PROTO_ICMP6] = "icmp6"};
    enum { NAMES = sizeof names / sizeof *names };
    if (s.count == 1 && s.span[0].lo == 0 && s.span[0].hi == UINT8_MAX)
        return "any";
    for (size_t i = 0; i < s.count; i++)
        if (s.span[i].lo != s.span[i].hi)
            return numbers(a, s);
    char buf[WORDS_MAX];
    struct text t = text_of(buf, sizeof buf);
    for (size_t i = 0; i < s.count && t.len + 40 <= sizeof buf; i++) {
        unsigned proto = (unsigned)s.span[i].lo;
        const char *name = proto < NAMES ? names[proto] : NULL;
        if (name)
            text_add(&t, "%s%s", i ? ", " : "", name);
        else
            text_add(&t, "%s%u", i ? ", " : "", proto);
    }
    return arena_copy(a, buf, t.len);
}

struct check_boxes check_boxes_of(struct arena *a, struct fw_space *s, const struct fw_region *r,
                                  const struct bind_question *q, bool answers)
{
    struct fw_region few = check_region_copy(s, r);
    fw_region_compact(s, &few);
    struct check_boxes out = {0};
    struct fw_region all = q ? check_packets(q, s) : (struct fw_region){0};
    if (answers)
        all = fw_region_turned(s, &all);
    for (size_t i = 0; i < few.count; i++) {
        const struct fw_cell *c = &few.cell[i];
        if (i >= BOXES_MAX) {
            out.more++;
            continue;
        }
        *CHECK_ADD(a, &out.box) = (struct check_box){
            .src = addresses(a, c->dim[FW_DIM_SRC], c->family),
            .dst = addresses(a, c->dim[FW_DIM_DST], c->family),
            .proto = protocols(a, c->dim[FW_DIM_PROTO]),
            .sport = numbers(a, c->dim[FW_DIM_SPORT]),
            .dport = numbers(a, c->dim[FW_DIM_DPORT]),
            .all_src = q && fw_spans_equal(c->dim[FW_DIM_SRC], all.cell[0].dim[FW_DIM_SRC]),
            .all_dst = q && fw_spans_equal(c->dim[FW_DIM_DST], all.cell[0].dim[FW_DIM_DST]),
            .all_sport = q && fw_spans_equal(c->dim[FW_DIM_SPORT], all.cell[0].dim[FW_DIM_SPORT]),
        };
    }
    return out;
}
