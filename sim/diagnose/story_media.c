/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that descriptions announce, whether anybody was seen to try them, and the RTP that passes there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/rtp.h"
#include "models/base/time.h"
#include "sim/diagnose/story_parts.h"

/* ---- what is announced ---- */

static bool goes_there(const struct leg *l, const struct announced *a)
{
    return (l->proto == PROTO_UDP) == a->udp &&
           (endpoint_equal(&l->end[1], &a->address) || endpoint_equal(&l->end[0], &a->address));
}

static void mark_tried(struct leg *l, struct announced *a)
{
    if (!goes_there(l, a))
        return;
    a->tried = true;
    l->announced |= 1u << !endpoint_equal(&l->end[0], &a->address);
    if (a->clock)
        l->clock = a->clock;
    l->one_way |= a->one_way;
}

static void announce(struct story *s, const struct seen *seen, struct announced a)
{
    if (!a.address.ip.family || !a.address.port)
        return;
    for (size_t i = 0; i < s->announcements; i++) {
        struct announced *known = &s->announced[i];
        if (endpoint_equal(&known->address, &a.address) && known->udp == a.udp && known->candidate == a.candidate) {
            known->one_way = a.one_way; /* as the latest description has it */
            return;
        }
    }
    if (s->announcements == STORY_ANNOUNCED) {
        s->missed++;
        return;
    }
    struct announced *new = &s->announced[s->announcements++];
    *new = a;
    new->at = (struct mark){seen->frame, seen->t_ns};
    new->by = seen->from;
    new->told = seen->to;
    for (struct leg *l = s->first_leg; l; l = l->after)
        mark_tried(l, new);
}

/* "opus/48000/2" behind the payload type; of static types 8,000 Hz is audio's (RFC 3551 6). */
static uint32_t clock_of(const struct sdp_media *m)
{
    const char *rate = strchr(m->rtpmap, '/');
    unsigned long hz = rate ? strtoul(rate + 1, NULL, 10) : strcmp(m->kind, "audio") == 0 ? 8000 : 90000;
    return hz > 0 && hz <= 1000000 ? (uint32_t)hz : 90000;
}

void story_announce(struct story *s, const struct seen *seen, const struct sdp *sdp)
{
    static const char *const types[] = {[SDP_HOST] = "host", [SDP_SRFLX] = "srflx", [SDP_PRFLX] = "prflx",
                                        [SDP_RELAY] = "relay"};
    for (size_t i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        struct announced a = {.udp = strncmp(m->proto, "TCP", 3) != 0, .clock = clock_of(m),
                              .one_way = m->direction > SDP_SENDRECV, .address = {m->ip, m->port}};
        snprintf(a.what, sizeof a.what, "%s", m->kind);
        if (m->port)
            announce(s, seen, a);
        for (size_t k = 0; m->port && k < m->candidate_count; k++) {
            const struct sdp_candidate *c = &m->candidate[k];
            a.candidate = true;
            a.address = c->address;
            a.udp = c->transport == SDP_UDP;
            snprintf(a.what, sizeof a.what, "%s, %s candidate", m->kind, types[c->type]);
            announce(s, seen, a);
        }
    }
}

void story_meet(struct story *s, struct leg *l)
{
    for (size_t i = 0; i < s->announcements; i++)
        mark_tried(l, &s->announced[i]);
}

/* ---- RTP ---- */

/* RFC 3550 A.8, in units of the clock, times 16. */
static void add_jitter(struct rtp_story *r, uint32_t timestamp, uint64_t t_ns, uint32_t clock)
{
    uint32_t arrival = (uint32_t)(t_ns / NS_S * clock + t_ns % NS_S * clock / NS_S), transit = arrival - timestamp;
    int32_t d = (int32_t)(transit - r->transit);
    r->transit = transit;
    if (r->packets > 1)
        r->jitter += (uint32_t)(d < 0 ? -d : d) - ((r->jitter + 8) >> 4);
}

void story_hear_rtp(struct story *s, struct leg *l, const struct said *said)
{
    struct rtp_packet p;
    const char *why;
    const uint8_t *data = said->data;
    if (rtp_is_rtcp(data, said->len) || rtp_parse(data, said->len, &p, &why))
        return;
    if (!l->rtp)
        l->rtp = calloc(2, sizeof *l->rtp);
    if (!l->rtp) {
        s->missed++;
        return;
    }
    struct rtp_story *r = &l->rtp[said->seen->reply];
    const struct mark at = {said->seen->frame, said->seen->t_ns};
    if (r->packets == 0) {
        r->first = at;
        story_draw(s, said->seen, "RTP");
    }
    if (r->packets == 0 || r->ssrc != p.ssrc) { /* a source of its own: what is expected begins anew */
        r->ssrc = p.ssrc;
        r->expected++;
        r->highest = p.seq;
    } else if ((int16_t)(p.seq - r->highest) > 0) {
        r->expected += (uint16_t)(p.seq - r->highest);
        r->highest = p.seq;
    }
    r->packets++;
    r->last = at;
    add_jitter(r, p.timestamp, at.t_ns, l->clock);
}
