/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP inspection (`inspect sip`): messages on port 5060 that a firewall translates are rewritten, so that frames change
 * their length, and TCP's numbers with them. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/seq.h"
#include "models/firewall/sip_alg.h"
#include "sim/host/box_parts.h"

enum { STREAMS = 64, PAYLOAD_MAX = 65536, TCP_SEQ = 4, TCP_ACK = 8 };

/* A TCP connection in which something was rewritten. */
struct stream {
    bool used;
    struct fw_flow arrives[2]; /* as packets of each direction come in */
    struct fw_seq seq[2];
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

void box_sip_close(struct box *b)
{
    free(b->sip);
}

void box_sip_forget(struct box *b)
{
    if (b->sip)
        memset(b->sip->stream, 0, sizeof b->sip->stream);
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

static bool same_way(const struct fw_flow *a, const struct fw_flow *b)
{
    return ip_equal(&a->src, &b->src) && ip_equal(&a->dst, &b->dst) && a->sport == b->sport && a->dport == b->dport;
}

static struct stream *stream_of(struct box_sip *s, const struct fw_flow *f, unsigned *dir)
{
    for (size_t i = 0; i < STREAMS; i++)
        for (*dir = 0; s->stream[i].used && *dir < 2; ++*dir)
            if (same_way(&s->stream[i].arrives[*dir], f))
                return &s->stream[i];
    return NULL;
}

static struct stream *stream_add(struct box_sip *s, const struct passage *w)
{
    struct stream *t = &s->stream[s->next++ % STREAMS];
    const struct fw_result *r = w->r;
    *t = (struct stream){.used = true, .arrives = {w->p->flow, {w->p->flow.proto, r->dst.ip, r->src.ip, r->dst.port,
                                                               r->src.port}}};
    return t;
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

/* In as many segments as it takes: what has become longer may be too long for one. */
static void send_pieces(struct box *b, const struct passage *w, unsigned in, unsigned out, const struct wire_packet *k,
                        size_t len)
{
    uint8_t frame[BOX_FRAME_MAX];
    size_t headers = k->payload - k->l3, mtu = b->iface[out].mtu ? b->iface[out].mtu : NET_MTU_DEFAULT;
    size_t most = k->proto == PROTO_TCP ? mtu - headers : sizeof frame - k->payload;
    for (size_t at = 0; at < len || at == 0;) {
        struct piece s = {b->sip->payload + at, len - at < most ? len - at : most, (uint32_t)at, false};
        s.last = at + s.len == len;
        size_t n = compose(k, &s, frame);
        struct wire_packet whole;
        if (wire_parse(frame, n, &whole) != 0)
            return;
        wire_set_src(&whole, &w->r->src);
        wire_set_dst(&whole, &w->r->dst);
        if (box_forward(b, in, out, &w->r->route->gateway, &whole) != NET_DROP)
            b->net->ops->box_send(b->net, b->node, out, frame, n);
        at += s.len + (len == 0);
    }
}

static void number(struct box *b, const struct passage *w, struct wire_packet *k, const struct fw_sip_change *c)
{
    unsigned dir = 0;
    struct stream *t = stream_of(b->sip, &w->p->flow, &dir);
    bool begins = (k->tcp_flags & (FW_SYN | FW_ACK)) == FW_SYN;
    if (t && begins)
        t->used = false;
    if (!t && c->message_count) {
        t = stream_add(b->sip, w);
        dir = 0;
    }
    if (!t || begins)
        return;
    uint8_t *tcp = k->frame + k->l4;
    uint32_t seq = load32(tcp + TCP_SEQ);
    store32(tcp + TCP_SEQ, fw_seq_forward(&t->seq[dir], seq));
    store32(tcp + TCP_ACK, fw_seq_back(&t->seq[1 - dir], load32(tcp + TCP_ACK)));
    mend_sack(tcp, k->payload - k->l4, &t->seq[1 - dir]);
    for (size_t i = 0; i < c->message_count; i++)
        fw_seq_add(&t->seq[dir], seq + (uint32_t)c->message[i].end, c->message[i].delta);
}

bool box_sip_frame(struct box *b, unsigned in, unsigned out, struct wire_packet *k, const struct fw_packet *p,
                   const struct fw_result *r)
{
    struct passage w = {b, p, r};
    struct fw_sip_change c;
    size_t len = fw_sip_rewrite(k->frame + k->payload, k->payload_len, map, &w, b->sip->payload, PAYLOAD_MAX, &c);
    if (len)
        tell(&w, &c);
    if (k->proto == PROTO_TCP)
        number(b, &w, k, &c);
    if (!len) {
        wire_seal(k->frame, k->len);
        return false;
    }
    send_pieces(b, &w, in, out, k, len);
    return true;
}
