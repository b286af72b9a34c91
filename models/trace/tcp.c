/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TCP connection as a bystander sees it (RFC 9293 3.5, 3.6, 3.10.7). */
#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/trace/parts.h"

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };

/* A hole that was acknowledged may still be filled: captures of several queues or interfaces are not quite in order. */
static const uint64_t out_of_order_ns = 50 * NS_MS;

struct segment {
    uint32_t seq, ack;
    unsigned flags;
    struct stream_piece payload;
};

/* How far a is behind b; negative: before it. */
static int32_t behind(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static bool in_window(uint32_t seq, uint32_t next)
{
    return seq - next <= STREAM_WINDOW_MAX || next - seq <= STREAM_WINDOW_MAX;
}

/* Stream functions tell of what end `who` of the flow sends. */
static const struct stream_out *out_of(struct trace *t, struct flow *f, unsigned who)
{
    t->flow = f;
    t->who = who;
    return &t->out;
}

static void start_half(struct half *h, uint32_t isn)
{
    h->known = true;
    h->isn = isn;
    h->in.next = isn + 1;
}

/* What lies behind a FIN is no part of the stream. */
static void tell_fin(struct trace *t, struct flow *f, unsigned who)
{
    struct half *h = &f->half[who];
    if (!h->fin || h->fin_told || h->in.shut || behind(h->in.next, h->fin_seq) < 0)
        return;
    h->fin_told = true;
    h->waiting = false;
    stream_drop(&h->in, &t->pool);
    trace_tell(t, f, who, SEEN_FIN);
}

static void tell_to(struct trace *t, struct flow *f, unsigned who, uint32_t seq)
{
    stream_tell_to(&f->half[who].in, out_of(t, f, who), seq);
    tell_fin(t, f, who);
}

/* Where the bytes end that were acknowledged: the FIN has a sequence number too (RFC 9293 3.4). */
static uint32_t bytes_acked(const struct half *h, uint32_t ack)
{
    return h->fin && behind(ack, h->fin_seq) > 0 ? h->fin_seq : ack;
}

void trace_tcp_end(struct trace *t, struct flow *f)
{
    for (unsigned who = 0; who < 2; who++) {
        struct half *h = &f->half[who];
        if (!h->in.shut && !h->fin_told) {
            if (h->waiting)
                tell_to(t, f, who, bytes_acked(h, h->acked));
            stream_tell_all(&h->in, out_of(t, f, who));
            if (h->fin)
                tell_to(t, f, who, h->fin_seq);
        }
        stream_drop(&h->in, &t->pool);
    }
}

static void renew(struct trace *t, struct flow *f)
{
    trace_end_flow(t, f);
    flow_renew(&t->flows, f);
    t->stats.flows++;
}

/* The start of what end `who` sends. False: it belongs to no connection that is known. */
static bool syn(struct trace *t, struct flow *f, unsigned who, const struct segment *s, const struct wire_packet *k)
{
    struct half *me = &f->half[who], *other = &f->half[!who];
    bool answers = s->flags & ACK, other_isn = me->known && me->isn != s->seq;
    if (other_isn && !answers) {
        renew(t, f);
    } else if (other_isn) {
        if (f->open || !other->syn || s->ack != other->isn + 1)
            return false;
        stream_drop(&me->in, &t->pool); /* the answer to a SYN that was sent again */
        start_half(me, s->seq);
    }
    if (!me->known)
        start_half(me, s->seq);
    me->syn = true;
    if (!f->opener_known) {
        f->opener_known = true;
        f->opener = (uint8_t)(answers ? !who : who);
    }
    const uint32_t what[] = {f->id, s->seq, s->flags, who};
    if (!trace_repeated(t, k, sighting_hash(0, what, sizeof what))) {
        me->rst_told = other->rst_told = false;
        trace_tell(t, f, who, SEEN_SYN);
    }
    return true;
}

/* The handshake is complete with the first segment that is no SYN, from whichever end: a capture may have one only. */
static void open_flow(struct trace *t, struct flow *f, unsigned who)
{
    if (!f->opener_known && f->end[0].port != f->end[1].port)
        f->opener = f->end[1].port > f->end[0].port;
    else if (!f->opener_known)
        f->opener = (uint8_t)who;
    f->opener_known = true;
    f->open = true;
    trace_tell(t, f, f->opener, SEEN_OPEN);
    for (unsigned i = 0; i < 2; i++) {
        f->half[i].in.shut = false;
        if (f->half[i].known)
            tell_to(t, f, i, f->half[i].in.next); /* what came with the SYN (RFC 7413) */
    }
}

/* Out of any window. A second one that follows the first: the capture has lost a gigabyte, or a SYN. */
static bool is_stray(struct trace *t, struct flow *f, unsigned who, const struct segment *s)
{
    struct half *me = &f->half[who];
    if (!me->known || in_window(s->seq, me->in.next))
        return false;
    bool follows = me->far && me->far_next == s->seq && s->payload.len && !me->fin_told && !me->in.shut;
    me->far = true;
    me->far_next = s->seq + (uint32_t)s->payload.len;
    if (!follows) {
        t->stats.stray++;
        return true;
    }
    me->far = me->waiting = false;
    const struct stream_out *out = out_of(t, f, who);
    stream_tell_all(&me->in, out);
    out->tell(out->ctx, SEEN_GAP, NULL, s->seq - me->in.next);
    me->in.next = s->seq;
    return false;
}

/* What the segment acknowledges of what the other end, `whom`, sends. */
static void acknowledged(struct trace *t, struct flow *f, unsigned whom, uint32_t ack)
{
    struct half *h = &f->half[whom];
    if (!h->known) {
        start_half(h, ack - 1);
        return;
    }
    ack = bytes_acked(h, ack);
    if (behind(ack, h->in.next) <= 0 || !in_window(ack, h->in.next))
        return;
    if (!h->waiting) {
        h->waiting = true;
        h->acked = ack;
        h->acked_ns = t->t_ns;
    } else if (behind(ack, h->acked) > 0) {
        h->acked = ack;
    }
}

/* A hole that was acknowledged: filled, or old enough, or bytes behind it have come. */
static void settle(struct trace *t, struct flow *f, unsigned who)
{
    struct half *h = &f->half[who];
    if (h->in.shut)
        return;
    bool late = t->t_ns > h->acked_ns && t->t_ns - h->acked_ns > out_of_order_ns;
    h->acked = bytes_acked(h, h->acked);
    if (h->in.first || late)
        tell_to(t, f, who, h->acked);
    h->waiting = !h->fin_told && behind(h->acked, h->in.next) > 0;
}

static void payload(struct trace *t, struct flow *f, unsigned who, const struct segment *s)
{
    struct half *me = &f->half[who];
    if (s->payload.len && !me->fin_told) {
        if (!me->known)
            start_half(me, s->payload.seq - 1);
        t->stats.old += !stream_add(&me->in, out_of(t, f, who), s->payload);
    }
    if (s->flags & FIN && !me->fin) {
        me->fin = true;
        me->fin_seq = s->payload.seq + (uint32_t)s->payload.len;
        if (!me->known)
            start_half(me, me->fin_seq - 1);
    }
    if (me->fin)
        tell_fin(t, f, who);
}

static void reset(struct trace *t, struct flow *f, unsigned who)
{
    struct half *me = &f->half[who];
    if (me->rst_told)
        return;
    me->rst_told = true;
    trace_tell(t, f, who, SEEN_RST);
}

static struct segment segment_of(const struct wire_packet *k)
{
    const uint8_t *h = k->frame + k->l4;
    size_t have = k->len > k->payload ? k->len - k->payload : 0;
    struct segment s = {.seq = load32(h + 4), .ack = load32(h + 8), .flags = k->tcp_flags};
    s.payload = (struct stream_piece){s.seq + (s.flags & SYN ? 1 : 0), k->frame + k->payload,
                                      have < k->payload_len ? have : k->payload_len, k->payload_len};
    return s;
}

void trace_tcp_segment(struct trace *t, struct flow *f, unsigned who, const struct wire_packet *k)
{
    const struct segment s = segment_of(k);
    if (s.flags & SYN) {
        if (s.flags & RST || !syn(t, f, who, &s, k)) {
            t->stats.stray++;
            return;
        }
    } else if (is_stray(t, f, who, &s)) {
        return;
    }
    if (s.flags & RST) {
        reset(t, f, who);
        return;
    }
    if (f->half[!who].rst_told) { /* it was under way to an end that is gone, and nobody takes it */
        t->stats.stray++;
        return;
    }
    if (s.flags & ACK)
        acknowledged(t, f, !who, s.ack);
    if (!f->open && !(s.flags & SYN))
        open_flow(t, f, who);
    payload(t, f, who, &s);
    for (unsigned i = 0; i < 2; i++)
        if (f->half[i].waiting)
            settle(t, f, i);
}
