/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What descriptions announce against what was seen: RTP that goes one way, addresses that nobody can reach. */
#include <inttypes.h>

#include "sim/diagnose/judging.h"

enum { RTP_ENOUGH = 50 };

/* Somebody sends for long, and what the other end was described to send never comes. Nothing is said of a direction
 * when only one was described, or one was muted. */
void judge_media_one_way(struct judging *j)
{
    char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        unsigned by = l->rtp && l->rtp[1].packets > 0;
        const struct rtp_story *r = l->rtp ? &l->rtp[by] : NULL;
        if (!r || l->announced != 3 || l->one_way || l->side[!by].bytes || r->packets < RTP_ENOUGH ||
            r->last.t_ns < r->first.t_ns + WAIT_PEER_S * UINT64_C(1000000000))
            continue;
        struct finding *f = judging_find(j, l, "%" PRIu64 " RTP packets from %s to %s, and none back", r->packets,
                                         endpoint_text(&l->end[by], from), endpoint_text(&l->end[!by], to));
        if (f)
            f->blamed = (struct blamed){PROTO_UDP, l->end[!by], l->end[by], false};
        judging_show(f, r->first, "the first RTP packet from %s", from);
        judging_show(f, r->last, "the last");
    }
}

/* All candidates of one description, told to somebody at a public address, are private ones, and nobody came. */
void judge_private_announced(struct judging *j)
{
    char address[ENDPOINT_TEXT], told[ENDPOINT_TEXT];
    const struct story *s = j->story;
    for (size_t i = 0, next; i < s->announcements; i = next) {
        const struct announced *first = &s->announced[i], *candidate = NULL;
        bool hopeless = !judging_private(&first->told.ip);
        for (next = i; next < s->announcements && s->announced[next].at.frame == first->at.frame; next++) {
            const struct announced *a = &s->announced[next];
            candidate = !candidate && a->candidate ? a : candidate;
            hopeless = hopeless && judging_private(&a->address.ip) && !a->tried;
        }
        if (!hopeless || !candidate || !judging_passed(j, first->at, WAIT_PEER_S))
            continue;
        struct finding *f = judging_find(j, NULL, "%s is announced to %s, whose address is a public one, and nothing "
                                         "but private addresses with it", endpoint_text(&candidate->address, address),
                                         endpoint_text(&first->told, told));
        judging_show(f, first->at, "the description: %s %s", candidate->what, address);
    }
}
