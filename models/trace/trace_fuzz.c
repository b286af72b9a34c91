/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a capture: a byte for the limits, then frames, each behind a byte for its link type, one for the time
 * that passes, one for how much the capture cut off, and two for its length. What is told keeps the contract of
 * seen.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/trace/link.h"
#include "models/trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLOWS_MAX = 4096 };

struct watch {
    uint32_t last_flow;
    uint64_t last_frame;
    uint64_t bytes, gap_bytes;
    struct {
        bool ended, open, fin[2];
        enum ip_proto proto;
    } flow[FLOWS_MAX];
};

static void watch(void *ctx, const struct seen *s)
{
    struct watch *w = ctx;
    assert(s->flow >= 1 && s->flow < FLOWS_MAX);
    assert(s->frame >= w->last_frame);
    w->last_frame = s->frame;
    if (s->flow > w->last_flow)
        w->last_flow = s->flow;
    if (!w->flow[s->flow].proto)
        w->flow[s->flow].proto = s->proto;
    assert(w->flow[s->flow].proto == s->proto && !w->flow[s->flow].ended);
    w->flow[s->flow].ended = s->kind == SEEN_END;
    assert((s->kind == SEEN_BYTES || s->kind == SEEN_CONFLICT) <= (s->data != NULL && s->len > 0));
    if (s->kind == SEEN_DATAGRAM)
        assert(s->proto == PROTO_UDP);
    if (s->kind == SEEN_OPEN)
        assert(!w->flow[s->flow].open);
    w->flow[s->flow].open |= s->kind == SEEN_OPEN;
    if (s->kind == SEEN_BYTES || s->kind == SEEN_GAP || s->kind == SEEN_FIN)
        assert(s->proto == PROTO_TCP && w->flow[s->flow].open && !w->flow[s->flow].fin[s->reply]);
    w->flow[s->flow].fin[s->reply] |= s->kind == SEEN_FIN;
    if (s->kind == SEEN_BYTES)
        w->bytes += s->len;
    if (s->kind == SEEN_GAP)
        w->gap_bytes += s->len;
    /* All of it is there. */
    volatile uint8_t sum = 0;
    for (size_t i = 0; s->data && i < s->len; i++)
        sum = (uint8_t)(sum + s->data[i]);
}

static void give(struct trace *t, struct reader *r, uint64_t *now_ns)
{
    static const uint32_t links[] = {LINK_ETHERNET, LINK_RAW, LINK_NULL, LINK_LINUX_SLL, LINK_LINUX_SLL2, LINK_PPP,
                                     LINK_LOOP, 105};
    uint8_t link = read8(r), passes = read8(r), cut = read8(r);
    size_t len = read16(r), left = reader_left(r);
    len = len < left ? len : left;
    const uint8_t *bytes = read_bytes(r, len);
    if (r->failed)
        return;
    *now_ns += passes * NS_MS;
    uint8_t *exact = malloc(len ? len : 1);
    assert(exact);
    if (len)
        memcpy(exact, bytes, len);
    trace_frame(t, &(struct captured){*now_ns, link >> 3, links[link & 7], exact, len, len + cut});
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct watch w;
    struct reader r = reader_of(data, size);
    uint8_t limits = read8(&r);
    const struct trace_limits l = {.flows = 1 + (limits & 7), .held_a_direction = (limits >> 3 & 3) * 2048u,
                                   .held_in_all = (limits >> 5) * 2048u};
    struct trace *t = trace_new(&l, watch, &w);
    assert(t);
    uint64_t now_ns = 0;
    w = (struct watch){0};
    while (reader_left(&r))
        give(t, &r, &now_ns);
    trace_end(t);
    struct trace_stats s = trace_stats(t);
    assert(s.bytes == w.bytes && s.gap_bytes == w.gap_bytes && s.flows == w.last_flow);
    assert(s.held_peak <= l.held_in_all);
    for (uint32_t i = 1; i <= w.last_flow; i++)
        assert(w.flow[i].ended);
    trace_free(t);
    return 0;
}
