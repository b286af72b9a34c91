/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the forms of output share. */
#include <inttypes.h>
#include <string.h>

#include "sim/diagnose/output.h"

const char *diagnose_verdict_word(enum diagnosis_verdict v)
{
    static const char *const words[] = {[DIAGNOSIS_WELL] = "nothing-wrong", [DIAGNOSIS_CAUSE] = "cause",
                                        [DIAGNOSIS_NOT_ENOUGH] = "not-enough"};
    return words[v];
}

void diagnose_headline(const struct diagnosis *d, struct text *t)
{
    if (d->verdict == DIAGNOSIS_CAUSE)
        text_add(t, "%s", d->finding[0].cause->words);
    else if (d->verdict == DIAGNOSIS_NOT_ENOUGH)
        text_add(t, "%s", d->doubt[0]);
    else if (d->count.valid)
        text_add(t, "%u relayed connection%s came up", d->count.valid, d->count.valid == 1 ? "" : "s");
    else if (d->count.checked)
        text_add(t, "the ICE checks were complete in both directions on %u connection%s", d->count.checked,
                 d->count.checked == 1 ? "" : "s");
    else
        text_add(t, "%u UDP allocation%s granted; no share (TCP allocation) was asked for",
                 d->count.udp_allocations, d->count.udp_allocations == 1 ? "" : "s");
}

/* What the host does in the story; NULL: nothing that has a name. */
static const char *role_of(const struct story *s, const struct ip_addr *ip)
{
    for (const struct leg *l = s->first_leg; l; l = l->after) {
        if (l->talk && ip_equal(&leg_server(l)->ip, ip))
            return "TURN server";
        if (l->talk && ip_equal(&leg_client(l)->ip, ip))
            return "TURN client";
        if (l->ms && ip_equal(&l->end[1].ip, ip))
            return "Skype Edge";
        if (l->ms && ip_equal(&l->end[0].ip, ip))
            return "Skype client";
    }
    for (size_t i = 0; i < s->attempts; i++)
        if (ip_equal(&s->attempt[i]->peer.ip, ip))
            return "peer";
    return NULL;
}

static size_t lane_of(struct ladder *l, const struct diagnose_report *r, struct arena *arena, const struct ip_addr *ip)
{
    char name[ADDR_TEXT + 64], address[ADDR_TEXT];
    const char *role = role_of(&r->story, ip), *host = place_name(r->place, ip);
    struct text t = text_of(name, sizeof name);
    if (host)
        text_add(&t, "%s", host);
    else
        text_add(&t, "%s%s%s", ip_text(ip, address), role ? " " : "", role ? role : "");
    for (size_t i = 0; i < l->lane_count; i++)
        if (strcmp(l->lane[i], name) == 0)
            return i;
    if (l->lane_count == LADDER_LANES)
        return LADDER_LANES - 1;
    l->lane[l->lane_count] = arena_copy(arena, name, strlen(name));
    return l->lane_count++;
}

struct ladder diagnose_ladder(const struct diagnose_report *r, size_t max, uint64_t *more, struct arena *arena)
{
    const struct story *s = &r->story;
    struct ladder l = {.lane = arena_alloc(arena, LADDER_LANES * sizeof(char *)),
                       .row = arena_alloc(arena, max * sizeof(struct ladder_row))};
    *more = s->lines_left_out;
    for (size_t i = 0; i < s->lines; i++) {
        const struct line *line = &s->line[i];
        if (line->again)
            continue;
        if (l.row_count == max) {
            ++*more;
            continue;
        }
        size_t from = lane_of(&l, r, arena, &line->from.ip), to = lane_of(&l, r, arena, &line->to.ip);
        l.row[l.row_count++] = (struct ladder_row){.t_ns = line->at.t_ns, .from = from, .to = to, .name = line->label,
                                                   .note = arena_format(arena, "#%" PRIu64, line->at.frame),
                                                   .times = 1};
    }
    return l;
}
