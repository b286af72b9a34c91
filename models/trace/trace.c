/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/trace/trace.h"

#include <stdlib.h>

#include "models/base/err.h"
#include "models/trace/link.h"
#include "models/trace/parts.h"

/* The longest frame that is believed: more than any segmentation offload makes (512 KiB). */
enum { FRAME_MAX = 1 << 20 };

const struct trace_limits trace_default_limits = {
    .flows = 1 << 17,
    .held_a_direction = 4 << 20,
    .held_in_all = 64 << 20,
};

static bool replies(const struct flow *f, unsigned who)
{
    return who != f->opener;
}

static void tell(struct trace *t, struct flow *f, unsigned who, struct seen *s)
{
    s->proto = f->proto;
    s->t_ns = t->t_ns;
    s->frame = t->stats.frames;
    s->flow = f->id;
    if (s->kind != SEEN_ICMP) {
        s->reply = replies(f, who);
        s->from = f->end[who];
        s->to = f->end[!who];
    }
    t->handler(t->ctx, s);
}

void trace_tell(struct trace *t, struct flow *f, unsigned who, enum seen_kind kind)
{
    bool started = kind == SEEN_OPEN && (f->half[0].syn || f->half[1].syn);
    tell(t, f, who, &(struct seen){.kind = kind, .started = started});
}

static void tell_stream(void *ctx, enum seen_kind kind, const uint8_t *data, size_t len)
{
    struct trace *t = ctx;
    t->stats.bytes += kind == SEEN_BYTES ? len : 0;
    t->stats.gap_bytes += kind == SEEN_GAP ? len : 0;
    t->stats.gaps += kind == SEEN_GAP;
    t->stats.conflicts += kind == SEEN_CONFLICT;
    tell(t, t->flow, t->who, &(struct seen){.kind = kind, .data = data, .len = len});
}

struct trace *trace_new(const struct trace_limits *limits, seen_handler *handler, void *ctx)
{
    struct trace *t = limits->flows ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->limits = *limits;
    t->handler = handler;
    t->ctx = ctx;
    stream_pool_init(&t->pool, limits->held_in_all);
    size_t blocks = limits->held_a_direction / STREAM_BLOCK;
    t->out = (struct stream_out){.pool = &t->pool, .tell = tell_stream, .ctx = t,
                                 .blocks_max = blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX};
    if (flow_table_init(&t->flows, limits->flows) != 0 || sightings_init(&t->sightings) != 0) {
        trace_free(t);
        return NULL;
    }
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    reassembly_free(&t->fragments);
    sightings_free(&t->sightings);
    flow_table_free(&t->flows);
    stream_pool_free(&t->pool);
    free(t);
}

bool trace_repeated(struct trace *t, const struct wire_packet *k, uint64_t hash)
{
    const struct sighting now = {.hash = hash, .t_ns = t->t_ns, .interface = t->interface, .id = k->fragment_id,
                                 .ttl = k->ttl};
    bool repeated = sightings_repeated(&t->sightings, &now);
    t->stats.repeated += repeated;
    return repeated;
}

void trace_end_flow(struct trace *t, struct flow *f)
{
    if (f->proto == PROTO_TCP)
        trace_tcp_end(t, f);
    trace_tell(t, f, f->opener, SEEN_END);
}

/* The flow of a packet from src to dst, a new one if need be. */
static struct flow *flow_of(struct trace *t, const struct endpoint *src, const struct endpoint *dst,
                            enum ip_proto proto, unsigned *who)
{
    struct flow_key key = flow_key_of(src, dst, proto, who);
    struct flow *f = flow_find(&t->flows, &key);
    if (f)
        return f;
    struct flow *old = flow_in_the_way(&t->flows);
    if (old) {
        trace_end_flow(t, old);
        t->stats.flows_evicted++;
    }
    f = flow_add(&t->flows, &key);
    f->opener = (uint8_t)*who;
    t->stats.flows++;
    return f;
}

/* How much of the payload is there. */
static size_t captured_of(const struct wire_packet *k)
{
    size_t have = k->len > k->payload ? k->len - k->payload : 0;
    return have < k->payload_len ? have : k->payload_len;
}

static void udp_packet(struct trace *t, const struct wire_packet *k)
{
    unsigned who;
    const struct endpoint src = {k->src, k->sport}, dst = {k->dst, k->dport};
    struct flow *f = flow_of(t, &src, &dst, PROTO_UDP, &who);
    size_t have = captured_of(k);
    const uint8_t *data = k->frame + k->payload;
    t->stats.udp++;
    if (trace_repeated(t, k, sighting_hash((uint64_t)f->id << 1 | who, data, have)))
        return;
    tell(t, f, who, &(struct seen){.kind = SEEN_DATAGRAM, .cut = have < k->payload_len, .data = data, .len = have});
}

static void icmp_error(struct trace *t, const struct wire_packet *k)
{
    struct wire_packet about;
    if (wire_parse_quoted(k, &about) != 0 || !about.l4 || (about.proto != PROTO_TCP && about.proto != PROTO_UDP)) {
        t->stats.other++;
        return;
    }
    unsigned who;
    const struct endpoint src = {about.src, about.sport}, dst = {about.dst, about.dport};
    struct flow *f = flow_of(t, &src, &dst, (enum ip_proto)about.proto, &who);
    t->stats.icmp++;
    uint64_t hash = sighting_hash((uint64_t)f->id << 1 | who, k->frame + k->l4, WIRE_ICMP);
    hash = sighting_hash(hash, k->src.b, sizeof k->src.b);
    if (trace_repeated(t, k, sighting_hash(hash, &about.fragment_id, sizeof about.fragment_id)))
        return;
    tell(t, f, who, &(struct seen){.kind = SEEN_ICMP, .reply = !replies(f, who), .from = {.ip = k->src},
                                   .to = f->end[who], .icmp_type = (uint8_t)k->sport, .icmp_code = (uint8_t)k->dport});
}

static void tcp_packet(struct trace *t, const struct wire_packet *k)
{
    unsigned who;
    const struct endpoint src = {k->src, k->sport}, dst = {k->dst, k->dport};
    struct flow *f = flow_of(t, &src, &dst, PROTO_TCP, &who);
    t->stats.tcp++;
    trace_tcp_segment(t, f, who, k);
}

static void transport(struct trace *t, const struct wire_packet *k)
{
    if (k->l4 && k->proto == PROTO_TCP)
        tcp_packet(t, k);
    else if (k->l4 && k->proto == PROTO_UDP)
        udp_packet(t, k);
    else if (wire_is_icmp_error(k))
        icmp_error(t, k);
    else
        t->stats.other++;
}

/* A packet that was seen at several places has its fragments several times: the first copies make the whole. */
static void fragment(struct trace *t, const struct wire_packet *k)
{
    t->stats.fragments++;
    const uint64_t what[] = {(uint64_t)k->fragment_id << 32 | k->fragment_at,
                             (uint64_t)k->proto << 1 | k->more_fragments};
    uint64_t hash = sighting_hash(sighting_hash(0, what, sizeof what), k->src.b, sizeof k->src.b);
    if (trace_repeated(t, k, sighting_hash(hash, k->dst.b, sizeof k->dst.b)))
        return;
    size_t len;
    uint8_t *whole = reassembly_add(&t->fragments, k, t->t_ns, &len);
    struct wire_packet w;
    if (whole && wire_parse_captured(whole, len, WIRE_ETH, len, &w) == 0) {
        w.fragment_id = k->fragment_id;
        w.ttl = k->ttl;
        transport(t, &w);
    } else if (whole) {
        t->stats.malformed++;
    }
    free(whole);
}

void trace_frame(struct trace *t, const struct captured *c)
{
    t->stats.frames++;
    t->stats.cut += c->caplen < c->len;
    t->t_ns = c->t_ns;
    t->interface = c->interface;
    long l3 = link_ip_at(c->link, c->bytes, c->caplen);
    if (l3 < 0) {
        uint64_t *not_ip = link_name(c->link) ? &t->stats.not_ip : &t->stats.unknown_link;
        *(l3 == E_TRUNCATED ? &t->stats.malformed : not_ip) += 1;
        return;
    }
    struct wire_packet k;
    size_t len = c->len < c->caplen ? c->caplen : c->len;
    if (len > FRAME_MAX || wire_parse_captured(c->bytes, c->caplen, (size_t)l3, len, &k) != 0)
        t->stats.malformed++;
    else if (k.fragment)
        fragment(t, &k);
    else
        transport(t, &k);
}

void trace_end(struct trace *t)
{
    for (struct flow *f = flow_oldest(&t->flows); f; f = flow_newer(&t->flows, f))
        trace_end_flow(t, f);
    flow_table_clear(&t->flows);
}

struct trace_stats trace_stats(const struct trace *t)
{
    struct trace_stats s = t->stats;
    s.fragments_lost = t->fragments.lost;
    for (size_t i = 0; i < REASSEMBLY_MAX; i++)
        s.fragments_lost += t->fragments.open[i] != NULL;
    s.held_peak = t->pool.peak * STREAM_BLOCK;
    return s;
}
