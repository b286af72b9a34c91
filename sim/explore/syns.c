/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/syns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"

/* The last of each connection being made; the oldest is forgotten. */
enum { SYNS = 64 };

struct syns {
    struct violation *v;
    struct syn {
        struct endpoint from, to;
        uint32_t seq;
        uint64_t at_ns, gap_ns; /* gap: 0 after the first */
    } syn[SYNS];
    size_t next;
};

struct syns *syns_new(struct violation *v)
{
    struct syns *s = calloc(1, sizeof *s);
    assert(s);
    s->v = v;
    return s;
}

void syns_clear(struct syns *s)
{
    memset(s->syn, 0, sizeof s->syn);
    s->next = 0;
}

/* From a host's own timer, which a clock of the host does not turn. */
static void judge(struct syns *s, uint64_t now_ns, struct syn *last)
{
    uint64_t gap = now_ns - last->at_ns, least = last->gap_ns ? 2 * last->gap_ns : NS_S;
    char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    if (least > 60 * NS_S)
        least = 60 * NS_S; /* RFC 6298 2.5: it may be bounded there */
    if (gap + NS_MS < least)
        violation_set(s->v, now_ns, "timers", "%s sends its SYN to %s again after %llu ms, expected at least %llu",
                      endpoint_text(&last->from, from), endpoint_text(&last->to, to),
                      (unsigned long long)(gap / NS_MS), (unsigned long long)(least / NS_MS));
    last->at_ns = now_ns;
    last->gap_ns = gap;
}

void syns_see(struct syns *s, uint64_t now_ns, const struct endpoint *from, const struct endpoint *to, uint32_t seq)
{
    for (size_t i = 0; i < SYNS; i++) {
        struct syn *e = &s->syn[i];
        if (e->seq == seq && endpoint_equal(&e->from, from) && endpoint_equal(&e->to, to)) {
            judge(s, now_ns, e);
            return;
        }
    }
    s->syn[s->next++ % SYNS] = (struct syn){*from, *to, seq, now_ns, 0};
}
