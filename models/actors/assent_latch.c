/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/assent_parts.h"

#define SILENCE_NS NS_S /* of the old source, before another takes its place */
enum { DROPOUT_MAX = 3000, RTP_HEADER_MIN = 12, RTCP_HEADER_MIN = 8 }; /* RFC 3550 A.1; 6.4 */

/* What a packet says of its source: RTP, or RTCP's first (RFC 5761 4). */
struct said {
    uint32_t ssrc;
    uint16_t seq;
};

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool read_packet(const struct io_in *in, bool rtcp, struct said *out)
{
    if (in->len < (rtcp ? RTCP_HEADER_MIN : RTP_HEADER_MIN) || in->data[0] >> 6 != 2 ||
        (in->data[1] >= 192 && in->data[1] <= 223) != rtcp)
        return false;
    *out = (struct said){word(in->data + (rtcp ? 4 : 8)), (uint16_t)(in->data[2] << 8 | in->data[3])};
    return true;
}

static bool may_begin(const struct anchored *c, const struct ip_addr *ip)
{
    return ip_equal(ip, &c->signalled) || ip_equal(ip, &c->described);
}

/* What a rebinding NAT does, and nobody else can: see assent.h. */
static bool is_rebound(const struct assent *a, const struct medium *m, const struct face_at *at, const struct io_in *in,
                       const struct said *said)
{
    const struct face *f = &m->stream[at->stream].face[at->face], *rtp = &m->stream[0].face[at->face];
    if (io_now(a->io) - f->heard_ns < SILENCE_NS)
        return false;
    if (at->stream)
        return rtp->heard && said->ssrc == rtp->ssrc && ip_equal(&in->remote.ip, &rtp->remote.ip);
    uint16_t ahead = (uint16_t)(said->seq - f->seq);
    return said->ssrc == f->ssrc && ahead > 0 && ahead < DROPOUT_MAX;
}

static void tell(struct assent *a, const struct anchored *c, struct face *f, const struct endpoint *remote)
{
    char at[ENDPOINT_TEXT];
    if (f->told)
        return;
    f->told = true;
    io_note(a->io, NOTE_HINT, "media of call %u from %s is not taken: that is not where its endpoint is", c->number,
            endpoint_text(remote, at));
}

static bool endpoint_takes(struct assent *a, struct anchored *c, struct medium *m, const struct face_at *at,
                           const struct io_in *in)
{
    struct face *f = &m->stream[at->stream].face[at->face];
    struct said said;
    char text[ENDPOINT_TEXT];
    if (!read_packet(in, at->stream, &said))
        return false;
    bool same = f->heard && endpoint_equal(&f->remote, &in->remote);
    if (!same && !(f->heard ? is_rebound(a, m, at, in, &said) : may_begin(c, &in->remote.ip))) {
        tell(a, c, f, &in->remote);
        return false;
    }
    if (!same)
        io_note(a->io, NOTE_STATE, "call=%u media=%u %s %s %s", c->number, at->medium, at->stream ? "RTCP" : "RTP",
                f->heard ? "MOVED to" : "WAITING -> FLOWING from", endpoint_text(&in->remote, text));
    f->remote = in->remote;
    f->ssrc = said.ssrc;
    f->seq = said.seq;
    return true;
}

bool face_takes(struct assent *a, struct anchored *c, struct medium *m, const struct face_at *at,
                const struct io_in *in)
{
    struct face *f = &m->stream[at->stream].face[at->face];
    bool takes = false;
    switch (f->kind) {
    case ASSENT_ENDPOINT:
        takes = endpoint_takes(a, c, m, at, in);
        break;
    case ASSENT_SERVER: /* found by its source */
    case ASSENT_CLIENT:
        takes = endpoint_equal(&f->remote, &in->remote);
        break;
    case ASSENT_INSIDE: /* it may send from another port than it takes */
        takes = ip_equal(&f->remote.ip, &in->remote.ip);
        break;
    case ASSENT_NONE:
        break;
    }
    if (!takes)
        return false;
    f->heard = true;
    f->heard_ns = io_now(a->io);
    return true;
}
