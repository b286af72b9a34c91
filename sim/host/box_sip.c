/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP inspection (`inspect sip`): messages on port 5060 that a firewall translates are rewritten, so that frames change
 * their length, and TCP's numbers with them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/seq.h"
#include "models/firewall/sip_alg.h"
#include "sim/host/box_parts.h"

enum { STREAMS = 64, UNITS = 8, PAYLOAD_MAX = 65536, HOLD_MAX = 8192, TCP_SEQ = 4, TCP_ACK = 8 };

/* What was rewritten and may be asked for again: the sender's numbers of what it was, and what it has become. */
struct unit {
    uint32_t start, end;
    uint8_t *bytes; /* NULL: none */
    size_t len;
};

/* One direction of a TCP connection. A byte that has passed once passes the same ever after: only what is new and in
 * order is looked at. */
struct way {
    uint32_t top; /* what is before it has passed */
    struct fw_seq seq;
    struct unit unit[UNITS]; /* the oldest is forgotten */
    size_t next;
    uint8_t held[HOLD_MAX]; /* from top on: the beginning of a message whose end has not come */
    size_t held_len;
};

struct stream {
    bool used;
    struct fw_flow arrives[2]; /* as packets of each direction come in */
    struct way way[2];
};

struct box_sip {
    const struct fw_rule_ref *line; /* that turned it on */
    struct stream stream[STREAMS];  /* the oldest is forgotten */
    size_t next;
    uint8_t payload[PAYLOAD_MAX];
};

int box_sip_open(struct box *b)
{
    const struct fw_rule_ref *line = fw_rules_inspection(b->cfg.rules, "sip");
    if (!line)
        return 0;
    b->sip = calloc(1, sizeof *b->sip);
    if (!b->sip)
        return E_NOMEM;
    b->sip->line = line;
    return 0;
}

static void stream_clear(struct stream *t)
{
    for (unsigned dir = 0; dir < 2; dir++)
        for (size_t i = 0; i < UNITS; i++)
            free(t->way[dir].unit[i].bytes);
    memset(t, 0, sizeof *t);
}

void box_sip_forget(struct box *b)
{
    for (size_t i = 0; b->sip && i < STREAMS; i++)
        stream_clear(&b->sip->stream[i]);
}

void box_sip_close(struct box *b)
{
    box_sip_forget(b);
    free(b->sip);
}

bool box_sip_wants(const struct box *b, const struct wire_packet *k)
{
    bool transport = k->proto == PROTO_UDP || k->proto == PROTO_TCP;
    return b->sip && transport && !k->fragment && k->family == IP_V4 &&
           (k->sport == FW_SIP_PORT || k->dport == FW_SIP_PORT);
}

/* ---- what becomes of addresses ---- */

struct passage {
    struct box *b;
    unsigned in, out; /* ports */
    const struct fw_packet *p;
    const struct fw_result *r;
};

static bool map(void *ctx, struct ip_addr *ip)
{
    const struct passage *w = ctx;
    return fw_box_payload_address(w->b->fw, w->p, w->r, ip);
}

static void tell(const struct passage *w, const struct fw_sip_change *c)
{
    char text[512], was[ADDR_TEXT], is[ADDR_TEXT], src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
    struct box *b = w->b;
    const struct fw_rule_ref *line = b->sip->line;
    const struct fw_flow *f = &w->p->flow;
    const struct endpoint from = {f->src, f->sport}, to = {f->dst, f->dport};
    struct text t = text_of(text, sizeof text);
    text_add(&t, "SIP inspection (line %u, \"%s\") has rewritten addresses (%u) in a message from %s to %s, the last ",
             line->line, line->text ? line->text : "", c->addresses, endpoint_text(&from, src),
             endpoint_text(&to, dst));
    text_add(&t, "from %s to %s: turn it off if the ends see to addresses themselves, as Expressways do",
             ip_text(&c->was, was), ip_text(&c->is, is));
    if (b->cfg.note)
        b->cfg.note(b->cfg.ctx, b->net->ops->now(b->net),
                    &(struct host_note){.host = b->cfg.name, .note = NOTE_HINT, .text = text});
}

/* ---- streams ---- */

static struct stream *stream_of(struct box_sip *s, const struct fw_flow *f, unsigned *dir)
{
    for (size_t i = 0; i < STREAMS; i++)
        for (*dir = 0; s->stream[i].used && *dir < 2; ++*dir)
            if (fw_flow_equal(&s->stream[i].arrives[*dir], f))
                return &s->stream[i];
    return NULL;
}

static struct stream *stream_add(struct box_sip *s, const struct passage *w)
{
    struct stream *t = &s->stream[s->next++ % STREAMS];
    const struct fw_result *r = w->r;
    stream_clear(t);
    t->used = true;
    t->arrives[0] = w->p->flow;
    t->arrives[1] = (struct fw_flow){w->p->flow.proto, r->dst.ip, r->src.ip, r->dst.port, r->src.port};
    return t;
}

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static const struct unit *unit_at(const struct way *y, uint32_t seq)
{
    for (size_t i = 0; i < UNITS; i++)
        if (y->unit[i].bytes && !is_before(seq, y->unit[i].start) && is_before(seq, y->unit[i].end))
            return &y->unit[i];
    return NULL;
}

static void unit_add(struct way *y, uint32_t start, uint32_t end, const uint8_t *bytes, size_t len)
{
    struct unit *u = &y->unit[y->next++ % UNITS];
    free(u->bytes);
    *u = (struct unit){start, end, malloc(len), len};
    assert(u->bytes);
    memcpy(u->bytes, bytes, len);
}

/* The numbers of the other direction's SACK blocks (RFC 2018 3) go back as its acknowledgements do. */
static void mend_sack(uint8_t *tcp, size_t header, const struct fw_seq *other)
{
    enum { END = 0, NOP = 1, SACK = 5 };
    for (size_t at = WIRE_TCP; at < header && tcp[at] != END;) {
        size_t len = tcp[at] == NOP ? 1 : at + 1 < header ? tcp[at + 1] : 0;
        if (len == 0 || at + len > header)
            return;
        for (size_t i = at + 2; tcp[at] == SACK && i + 4 <= at + len; i += 4)
            store32(tcp + i, fw_seq_back(other, load32(tcp + i)));
        at += len;
    }
}

/* ---- frames ---- */

struct piece {
    const uint8_t *payload;
    size_t len;
    uint32_t skip; /* into what replaces the segment's payload */
    bool last;
};

/* The packet's headers before another payload. The length of the frame. */
static size_t compose(const struct wire_packet *k, const struct piece *s, uint8_t *frame)
{
    enum { FIN_PSH = 0x09 };
    size_t len = k->payload + s->len;
    memcpy(frame, k->frame, k->payload);
    memcpy(frame + k->payload, s->payload, s->len);
    store16(frame + k->l3 + 2, (unsigned)(len - k->l3));
    store16(frame + k->l3 + 10, 0);
    store16(frame + k->l3 + 10, wire_sum(frame + k->l3, k->l4 - k->l3));
    if (k->proto == PROTO_UDP) {
        store16(frame + k->l4 + 4, (unsigned)(len - k->l4));
    } else {
        store32(frame + k->l4 + TCP_SEQ, load32(frame + k->l4 + TCP_SEQ) + s->skip);
        if (!s->last)
            frame[k->l4 + 13] &= (uint8_t)~FIN_PSH;
    }
    wire_seal(frame, len);
    return len;
}

/* The payload from sip->payload, in as many segments as it takes: what has become longer, or was held, may be too long
 * for one. */
static void send_pieces(const struct passage *w, const struct wire_packet *k, size_t len)
{
    struct box *b = w->b;
    uint8_t frame[BOX_FRAME_MAX];
    size_t headers = k->payload - k->l3, mtu = b->iface[w->out].mtu ? b->iface[w->out].mtu : NET_MTU_DEFAULT;
    size_t most = k->proto == PROTO_TCP ? mtu - headers : sizeof frame - k->payload;
    for (size_t at = 0; at < len;) {
        struct piece s = {b->sip->payload + at, len - at < most ? len - at : most, (uint32_t)at, false};
        s.last = at + s.len == len;
        size_t n = compose(k, &s, frame);
        struct wire_packet whole;
        if (wire_parse(frame, n, &whole) != 0)
            return;
        wire_set_src(&whole, &w->r->src);
        wire_set_dst(&whole, &w->r->dst);
        if (box_forward(b, w->in, w->out, &w->r->route->gateway, &whole) != NET_DROP)
            b->net->ops->box_send(b->net, b->node, w->out, frame, n);
        at += s.len;
    }
}

/* The numbers of a segment as the other side has them; seq: its own, or of the first that was held. */
static void number(struct stream *t, unsigned dir, struct wire_packet *k, uint32_t seq)
{
    uint8_t *tcp = k->frame + k->l4;
    store32(tcp + TCP_SEQ, fw_seq_forward(&t->way[dir].seq, seq));
    store32(tcp + TCP_ACK, fw_seq_back(&t->way[1 - dir].seq, load32(tcp + TCP_ACK)));
    mend_sack(tcp, k->payload - k->l4, &t->way[1 - dir].seq);
}

/* Bytes in place of the segment's payload. */
static void replace(const struct passage *w, struct stream *t, unsigned dir, struct wire_packet *k, uint32_t seq,
                    const uint8_t *bytes, size_t len)
{
    if (bytes != w->b->sip->payload)
        memcpy(w->b->sip->payload, bytes, len);
    number(t, dir, k, seq);
    send_pieces(w, k, len);
}

/* What is held passes as it is, before k: a piece of it came again, so that the rest was lost, or no more comes. */
static void give_up(const struct passage *w, struct stream *t, unsigned dir, const struct wire_packet *k)
{
    struct way *y = &t->way[dir];
    uint8_t frame[BOX_FRAME_MAX];
    struct wire_packet first = *k;
    memcpy(frame, k->frame, k->payload);
    first.frame = frame;
    frame[k->l4 + 13] &= (uint8_t)~(FW_FIN | FW_RST);
    replace(w, t, dir, &first, y->top, y->held, y->held_len);
    y->top += (uint32_t)y->held_len;
    y->held_len = 0;
}

/* New bytes in order, what was held before them included. true: the segment is done with. */
static bool inspect(const struct passage *w, struct stream *t, unsigned dir, struct wire_packet *k)
{
    struct way *y = &t->way[dir];
    uint8_t all[HOLD_MAX + BOX_FRAME_MAX];
    struct fw_sip_change c;
    size_t len = y->held_len + k->payload_len, before = y->held_len;
    memcpy(all, y->held, before);
    memcpy(all + before, k->frame + k->payload, k->payload_len);
    size_t longer = fw_sip_rewrite(all, len, map, (void *)w, w->b->sip->payload, PAYLOAD_MAX, &c);
    if (c.unfinished && len <= HOLD_MAX && !(k->tcp_flags & (FW_FIN | FW_RST))) {
        memcpy(y->held, all, len);
        y->held_len = len;
        return true;
    }
    uint32_t start = y->top;
    y->top += (uint32_t)len;
    y->held_len = 0;
    if (longer) {
        tell(w, &c);
        unit_add(y, start, y->top, w->b->sip->payload, longer);
        replace(w, t, dir, k, start, w->b->sip->payload, longer);
        for (size_t i = 0; i < c.message_count; i++)
            fw_seq_add(&y->seq, start + (uint32_t)c.message[i].end, c.message[i].delta);
    } else if (before) {
        replace(w, t, dir, k, start, all, len);
    }
    return longer || before;
}

/* ---- packets ---- */

static bool segment(const struct passage *w, struct wire_packet *k)
{
    struct box_sip *sip = w->b->sip;
    unsigned dir = 0;
    struct stream *t = stream_of(sip, &w->p->flow, &dir);
    uint32_t seq = load32(k->frame + k->l4 + TCP_SEQ);
    if ((k->tcp_flags & (FW_SYN | FW_ACK)) == FW_SYN && (!t || dir == 0)) {
        if (t)
            stream_clear(t);
        t = stream_add(sip, w);
        dir = 0;
    }
    if (!t)
        return false; /* begun before the box was */
    struct way *y = &t->way[dir];
    if (k->tcp_flags & FW_SYN) {
        y->top = seq + 1;
        return false;
    }
    const struct unit *u = k->payload_len ? unit_at(y, seq) : NULL;
    if (u) {
        replace(w, t, dir, k, u->start, u->bytes, u->len);
        return true;
    }
    bool next = k->payload_len && seq == y->top + (uint32_t)y->held_len;
    if (y->held_len && !next && (k->payload_len || k->tcp_flags & (FW_FIN | FW_RST)))
        give_up(w, t, dir, k);
    if (next && inspect(w, t, dir, k))
        return true;
    uint32_t end = seq + (uint32_t)k->payload_len;
    if (k->payload_len && is_before(y->top, end))
        y->top = end; /* not by an acknowledgement: what was sent before it may be lost */
    number(t, dir, k, seq);
    wire_seal(k->frame, k->len);
    return false;
}

static bool datagram(const struct passage *w, const struct wire_packet *k)
{
    struct fw_sip_change c;
    size_t len = fw_sip_rewrite(k->frame + k->payload, k->payload_len, map, (void *)w, w->b->sip->payload,
                                PAYLOAD_MAX, &c);
    if (len == 0 || k->payload + len > BOX_FRAME_MAX)
        return false;
    tell(w, &c);
    send_pieces(w, k, len);
    return true;
}

bool box_sip_frame(struct box *b, unsigned in, unsigned out, struct wire_packet *k, const struct fw_packet *p,
                   const struct fw_result *r)
{
    const struct passage w = {b, in, out, p, r};
    return k->proto == PROTO_TCP ? segment(&w, k) : datagram(&w, k);
}
