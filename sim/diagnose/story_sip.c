/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP in clear: who asked for a share, what became of it, requests that nobody answered. */
#include <stdlib.h>
#include <string.h>

#include "models/sip/sdp.h"
#include "models/sip/sip.h"
#include "sim/diagnose/cms_log.h"
#include "sim/diagnose/story_parts.h"

struct sip_leg {
    struct sip_stream stream[2];
    bool ended[2];
};

enum { LOOK_BACK = 64 };

void story_free_sip(struct leg *l)
{
    for (struct sip_request *q = l->sip_latest, *earlier; q; q = earlier) {
        earlier = q->earlier;
        free(q);
    }
    story_end_sip(l, false);
    story_end_sip(l, true);
    free(l->sip);
}

void story_end_sip(struct leg *l, bool reply)
{
    if (!l->sip || l->sip->ended[reply])
        return;
    sip_stream_free(&l->sip->stream[reply]);
    l->sip->ended[reply] = true;
}

static uint32_t digest_of(struct sip_str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.p[i]) * 16777619u;
    return h;
}

bool story_begins_sip(const uint8_t *p, size_t len)
{
    static const char *const schemes[] = {" sip:", " sips:", " tel:"};
    size_t n = 0;
    if (len >= 8 && memcmp(p, "SIP/2.0 ", 8) == 0)
        return true;
    while (n < len && n < 12 && p[n] >= 'A' && p[n] <= 'Z')
        n++;
    for (size_t i = 0; n >= 3 && i < sizeof schemes / sizeof *schemes; i++)
        if (len - n >= strlen(schemes[i]) && memcmp(p + n, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static void copy(struct sip_str s, char *out, size_t cap)
{
    size_t len = s.len < cap ? s.len : cap - 1;
    memcpy(out, s.p, len);
    out[len] = '\0';
}

static void ask(struct story *s, struct leg *l, const struct seen *seen, const struct sip_msg *m, bool share)
{
    if (sip_is(m->method, "ACK"))
        return;
    struct sip_request *q = s->sip_requests < STORY_EXCHANGES ? calloc(1, sizeof *q) : NULL;
    if (!q) {
        s->missed++;
        return;
    }
    s->sip_requests++;
    *q = (struct sip_request){.earlier = l->sip_latest, .call = digest_of(m->call_id), .cseq = m->cseq,
                              .by = seen->reply, .asked = {seen->frame, seen->t_ns},
                              .silence_ns = l->last_silence_ns};
    copy(m->method, q->method, sizeof q->method);
    q->share = sip_is(m->method, "INVITE") && share;
    if (q->share && !s->share_asked.frame)
        s->share_asked = q->asked;
    l->sip_latest = q;
}

/* What Skype for Business says beside a refusal ([MS-OCER] 2.2.1): "21002;reason=..." */
static void read_diagnostics(const struct sip_msg *m, struct sip_request *q)
{
    static const char *const names[] = {"ms-diagnostics-public", "ms-diagnostics", "ms-client-diagnostics"};
    struct sip_str value;
    for (size_t i = 0; i < sizeof names / sizeof *names && !q->diagnostics; i++) {
        if (!sip_find(m, names[i], &value))
            continue;
        copy(value, q->reason, sizeof q->reason);
        q->diagnostics = (unsigned)strtoul(q->reason, NULL, 10);
    }
}

static void answer(struct leg *l, const struct seen *seen, const struct sip_msg *m)
{
    uint32_t call = digest_of(m->call_id);
    struct sip_request *q = l->sip_latest;
    for (size_t i = 0; q && i < LOOK_BACK; q = q->earlier, i++)
        if (q->cseq == m->cseq && q->call == call && q->by == !seen->reply)
            break;
    if (!q || q->code >= 200)
        return;
    q->answered = (struct mark){seen->frame, seen->t_ns};
    q->code = m->code;
    if (m->code >= 300) {
        copy(m->reason, q->phrase, sizeof q->phrase);
        read_diagnostics(m, q);
    }
}

static void hear(struct story *s, struct leg *l, const struct seen *seen, const struct sip_msg *m)
{
    char label[SIP_LABEL];
    struct sdp *sdp = m->body.len ? calloc(1, sizeof *sdp) : NULL;
    bool described = sdp && sdp_parse(m->body.p, m->body.len, sdp) == 0;
    story_draw(s, seen, sip_label(m, label));
    if (m->request)
        ask(s, l, seen, m, described && sdp_find(sdp, "applicationsharing"));
    else
        answer(l, seen, m);
    if (described)
        story_announce(s, seen, sdp);
    free(sdp);
}

/* Behind bytes that are missing it goes on where a message begins. */
static bool resume(struct leg *l, const struct said *said)
{
    bool reply = said->seen->reply;
    if (l->sip->ended[reply] && story_begins_sip(said->data, said->len)) {
        l->sip->stream[reply] = (struct sip_stream){0};
        l->sip->ended[reply] = false;
    }
    return !l->sip->ended[reply];
}

void story_hear_sip(struct story *s, struct leg *l, const struct said *said)
{
    const struct seen *seen = said->seen;
    struct sip_msg *m = malloc(sizeof *m);
    if (!l->sip)
        l->sip = calloc(1, sizeof *l->sip);
    if (!m || !l->sip) {
        s->missed++;
    } else if (l->proto == PROTO_UDP) {
        if (sip_parse((const char *)said->data, said->len, m) == 0)
            hear(s, l, seen, m);
    } else if (resume(l, said)) {
        struct sip_stream *stream = &l->sip->stream[seen->reply];
        int more;
        sip_stream_push(stream, said->data, said->len);
        while ((more = sip_stream_next(stream, m)) == 1)
            hear(s, l, seen, m);
        if (more < 0)
            story_end_sip(l, seen->reply);
    }
    free(m);
}
