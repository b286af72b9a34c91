/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain RTP: a pair of sockets, RTP's port even and RTCP's the next (RFC 3550 11), to where the description says
 * (RFC 3605), or, with `latch`, to where the other end's packets come from. */
#include <stdlib.h>

#include "models/actors/leg.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* RTP or RTCP. */
struct side {
    io_id id;
    bool open;
    struct endpoint remote, source; /* source: of the last packet */
};

struct plain {
    struct leg leg;
    struct side rtp, rtcp, *last; /* last: that had a packet */
    struct leg_ports ports;
    uint16_t port;
    struct endpoint said; /* where its description says that it is */
    bool has_remote, up, closed;
    struct leg_event event[3]; /* to be told; packets by themselves */
    size_t events;
    struct leg_event packet;
    struct endpoint refused; /* where a host said by ICMP that nobody listens; port 0: none did */
    char text[LEG_TEXT];
};

static struct plain *plain_of(struct leg *l)
{
    return (struct plain *)l;
}

static const struct plain *const_plain_of(const struct leg *l)
{
    return (const struct plain *)l;
}

static void tell(struct plain *p, enum leg_event_kind kind, const char *text)
{
    if (p->events < sizeof p->event / sizeof *p->event)
        p->event[p->events++] = (struct leg_event){.kind = kind, .text = text};
}

static void close_both(struct plain *p)
{
    leg_close_udp(&p->leg, &p->rtp.id);
    leg_close_udp(&p->leg, &p->rtcp.id);
    p->rtp.open = p->rtcp.open = false;
}

/* ---- gathering ---- */

/* err: why the last pair did not open; only ports in use are passed over. */
static void open_next(struct plain *p, int err)
{
    close_both(p);
    if (err == E_EXISTS && leg_ports_next(&p->ports, &p->port)) {
        p->rtp.id = leg_udp(&p->leg, p->port);
        p->rtcp.id = leg_udp(&p->leg, (uint16_t)(p->port + 1));
        return;
    }
    leg_describe_ports(&p->leg, err, p->text);
    tell(p, LEG_FAILED, p->text);
}

static void plain_gather(struct leg *l)
{
    struct plain *p = plain_of(l);
    p->ports = leg_ports_of(l, 2);
    open_next(p, E_EXISTS);
}

static bool is_gathered(const struct plain *p)
{
    return p->rtp.open && p->rtcp.open;
}

static void come_up(struct plain *p)
{
    if (p->up || !is_gathered(p) || !p->has_remote)
        return;
    p->up = true;
    tell(p, LEG_UP, p->leg.cfg->latch ? "RTP over udp, to where media comes from" : "RTP over udp");
}

static void opened(struct plain *p, struct side *side)
{
    side->open = true;
    if (!is_gathered(p))
        return;
    tell(p, LEG_GATHERED, NULL);
    come_up(p);
}

/* ---- description ---- */

static void plain_describe(const struct leg *l, struct sdp_media *m)
{
    const struct plain *p = const_plain_of(l);
    m->ip = l->cfg->address;
    m->port = p->port;
    m->rtcp = (struct endpoint){.port = (uint16_t)(p->port + 1)};
}

static int plain_set_remote(struct leg *l, const struct sdp_media *m)
{
    struct plain *p = plain_of(l);
    if (!m->port || m->ip.family != l->cfg->address.family)
        return E_UNSUPPORTED;
    struct endpoint rtp = {m->ip, m->port}, rtcp = {m->ip, (uint16_t)(m->port + 1)};
    if (m->rtcp.port)
        rtcp.port = m->rtcp.port;
    if (m->rtcp.ip.family == m->ip.family)
        rtcp.ip = m->rtcp.ip;
    if (!p->has_remote || !endpoint_equal(&rtp, &p->said)) {
        p->said = p->rtp.remote = rtp;
        p->rtcp.remote = rtcp;
    }
    p->has_remote = true;
    come_up(p);
    return 0;
}

/* ---- packets ---- */

static void plain_send(struct leg *l, const uint8_t *packet, size_t len)
{
    struct plain *p = plain_of(l);
    const struct side *side = rtp_is_rtcp(packet, len) ? &p->rtcp : &p->rtp;
    if (p->up && side->id && !ip_is_any(&side->remote.ip))
        io_sendto(l->io, side->id, &side->remote, packet, len, NULL);
}

static void plain_confirm(struct leg *l)
{
    struct plain *p = plain_of(l);
    if (!l->cfg->latch || !p->last || endpoint_equal(&p->last->remote, &p->last->source))
        return;
    p->last->remote = p->last->source;
}

static void datagram(struct plain *p, struct side *side, const struct io_in *in)
{
    side->source = in->remote;
    p->last = side;
    if (p->up)
        p->packet = (struct leg_event){.kind = LEG_PACKET, .data = in->data, .len = in->len, .remote = in->remote};
}

static void icmp(struct plain *p, const struct io_in *in)
{
    bool v4 = in->remote.ip.family == IP_V4;
    if (in->icmp.type == (v4 ? 3 : 1) && in->icmp.code == (v4 ? 3 : 4)) /* port unreachable */
        p->refused = in->remote;
}

static bool plain_input(struct leg *l, const struct io_in *in)
{
    struct plain *p = plain_of(l);
    struct side *side = in->id == p->rtp.id ? &p->rtp : in->id == p->rtcp.id ? &p->rtcp : NULL;
    if (!in->id || !side)
        return false;
    switch (in->event) {
    case IO_OPENED:
        opened(p, side);
        break;
    case IO_FAILED:
        leg_disown(l, side->id);
        side->id = IO_NONE;
        open_next(p, in->err);
        break;
    case IO_DATAGRAM:
        datagram(p, side, in);
        break;
    case IO_ICMP:
        icmp(p, in);
        break;
    default:
        break;
    }
    return true;
}

static bool plain_poll(struct leg *l, struct leg_event *out)
{
    struct plain *p = plain_of(l);
    if (p->events) {
        *out = p->event[0];
        p->events--;
        for (size_t i = 0; i < p->events; i++)
            p->event[i] = p->event[i + 1];
        return true;
    }
    if (!p->packet.data)
        return false;
    *out = p->packet;
    p->packet.data = NULL;
    return true;
}

static void plain_describe_silence(const struct leg *l, struct text *t)
{
    const struct plain *p = const_plain_of(l);
    char at[ENDPOINT_TEXT];
    text_add(t, "from %s over udp", endpoint_text(&p->rtp.remote, at));
    if (p->refused.port)
        text_add(t, "; %s refuses ours (port unreachable)", endpoint_text(&p->refused, at));
}

/* ---- life ---- */

static void plain_close(struct leg *l)
{
    struct plain *p = plain_of(l);
    close_both(p);
    p->up = false;
    p->events = 0;
    p->packet.data = NULL;
    p->closed = true;
}

static bool plain_closed(const struct leg *l)
{
    return const_plain_of(l)->closed;
}

static uint64_t plain_deadline(const struct leg *l)
{
    (void)l;
    return TIME_NEVER;
}

static void plain_free(struct leg *l)
{
    if (!l)
        return;
    plain_close(l);
    free(l);
}

struct leg *leg_plain_new(const struct leg *common)
{
    static const struct leg_ops ops = {
        .free = plain_free,
        .gather = plain_gather,
        .describe = plain_describe,
        .set_remote = plain_set_remote,
        .send = plain_send,
        .confirm = plain_confirm,
        .close = plain_close,
        .closed = plain_closed,
        .input = plain_input,
        .deadline = plain_deadline,
        .poll = plain_poll,
        .describe_silence = plain_describe_silence,
    };
    struct plain *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->leg = *common;
    p->leg.ops = &ops;
    return &p->leg;
}
