/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy knows of its sides: whether they are up, and which of them takes a request. */
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/sip/proxy_parts.h"

/* 17.1.2: T1, T2, and timer F. */
#define T1_NS (500 * NS_MS)
#define T2_NS (4 * NS_S)
#define ANSWER_NS (64 * T1_NS)
enum { DATAGRAM_MAX = 1300 }; /* 18.1.1: of a request, where the path's MTU is not known */

/* ---- services ---- */

static void note_service(struct sip_proxy *p, unsigned s, enum side_service state, const char *text)
{
    static const char *const words[] = {
        [SIDE_WANTED] = "wanted", [SIDE_UP] = "up", [SIDE_FAILED] = "failed", [SIDE_LOST] = "lost"};
    if (p->side[s].service == state)
        return;
    p->side[s].service = state;
    if (p->cfg.side[s].service[0])
        io_note(p->io, NOTE_SERVICE, "%s %s %s", p->cfg.side[s].service, words[state], text);
}

static void note_up(struct sip_proxy *p, unsigned s)
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], text[2 * ENDPOINT_TEXT + 32];
    const struct leg *l = proxy_newest(p, s);
    snprintf(text, sizeof text, "%s %s %s over %s", endpoint_text(&l->local, a),
             p->cfg.side[s].connect.port ? "->" : "<-", endpoint_text(&l->remote, b),
             p->cfg.side[s].udp ? "UDP" : "TCP");
    note_service(p, s, SIDE_UP, text);
}

/* ---- OPTIONS ---- */

static void options_stop(struct side *side)
{
    side->options_at_ns = side->repeat_at_ns = side->answer_by_ns = TIME_NEVER;
}

static void options_put(struct sip_proxy *p, unsigned s, const struct leg *l)
{
    const struct sip_proxy_side *cfg = &p->cfg.side[s];
    const struct side *side = &p->side[s];
    const char *transport = cfg->udp ? "udp" : "tcp";
    char at[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    struct text t = text_of(p->buf, PROXY_BUF);
    endpoint_text(&l->local, at);
    endpoint_text(&l->remote, to);
    text_add(&t, "OPTIONS sip:%s;transport=%s SIP/2.0\r\n", to, transport);
    text_add(&t, "Via: SIP/2.0/%s %s;branch=%s\r\nMax-Forwards: 0\r\n", cfg->udp ? "UDP" : "TCP", at, side->branch);
    text_add(&t, "From: <sip:%s>;tag=%s\r\nTo: <sip:%s>\r\n", io_name(p->io), side->branch + 8, to);
    text_add(&t, "Call-ID: %s@%s\r\nCSeq: %u OPTIONS\r\nUser-Agent: %s\r\n", side->branch + 8, io_name(p->io),
             side->cseq, p->cfg.agent);
    sip_put_body(&t, NULL, "", 0);
    struct sip_msg m = {.request = true, .method = {"OPTIONS", 7}};
    proxy_send(p, l, &t, &m);
}

static void options_begin(struct sip_proxy *p, unsigned s)
{
    struct side *side = &p->side[s];
    uint64_t now = io_now(p->io);
    const struct leg *l = proxy_newest(p, s);
    options_stop(side);
    if (!l || !p->cfg.side[s].options_ns)
        return;
    side->cseq++;
    snprintf(side->branch, sizeof side->branch, "z9hG4bK-%016llx%c", (unsigned long long)rng_u64(&p->rng),
             'a' + (int)s);
    side->answer_by_ns = now + ANSWER_NS;
    side->repeat_ns = T1_NS;
    side->repeat_at_ns = p->cfg.side[s].udp ? now + T1_NS : TIME_NEVER;
    options_put(p, s, l);
}

bool side_answered(struct sip_proxy *p, const struct sip_via *top)
{
    for (unsigned s = 0; s < p->sides; s++) {
        struct side *side = &p->side[s];
        if (side->answer_by_ns == TIME_NEVER || !sip_is(top->branch, side->branch))
            continue;
        options_stop(side);
        side->options_at_ns = io_now(p->io) + p->cfg.side[s].options_ns;
        note_up(p, s);
        return true;
    }
    return false;
}

static void options_unanswered(struct sip_proxy *p, unsigned s)
{
    static const char why[] = "no answer to OPTIONS";
    struct side *side = &p->side[s];
    struct leg *l = proxy_newest(p, s);
    options_stop(side);
    if (p->cfg.side[s].udp || !l) {
        side->options_at_ns = io_now(p->io) + p->cfg.side[s].options_ns;
    } else {
        io_abort(p->io, l->id);
        proxy_drop(p, l, E_TIMED_OUT);
    }
    note_service(p, s, side->service == SIDE_UP || side->service == SIDE_LOST ? SIDE_LOST : SIDE_FAILED, why);
}

/* ---- up and down ---- */

void side_up(struct sip_proxy *p, unsigned s)
{
    if (!p->cfg.side[s].options_ns && p->cfg.side[s].service[0])
        note_up(p, s);
    options_begin(p, s);
}

void side_down(struct sip_proxy *p, unsigned s, const char *why)
{
    options_stop(&p->side[s]);
    if (p->side[s].service == SIDE_UP)
        note_service(p, s, SIDE_LOST, why);
}

/* A second failure in a row is told: the first may be a start at the same time, or one packet lost. Of a connection
 * that stood before it is a hint: it may stand again before anybody misses it. */
void side_failed(struct sip_proxy *p, unsigned s, int err)
{
    const struct sip_proxy_side *cfg = &p->cfg.side[s];
    if (++p->side[s].failures != 2)
        return;
    if (p->side[s].was_up)
        io_note(p->io, NOTE_HINT, "cannot connect again to %s for SIP: %s", cfg->peer, err_text(err));
    else
        io_fail(p->io, &cfg->connect, "cannot connect to %s for SIP: %s", cfg->peer, err_text(err));
    if (p->side[s].service == SIDE_WANTED)
        note_service(p, s, SIDE_FAILED, err_text(err));
}

void side_tick(struct sip_proxy *p, unsigned s)
{
    uint64_t now = io_now(p->io);
    struct side *side = &p->side[s];
    if (now >= side->connect_by_ns) {
        for (size_t i = 0; i < SIP_LEGS_MAX; i++)
            if (p->leg[i].id == side->link) {
                io_abort(p->io, side->link);
                proxy_drop(p, &p->leg[i], E_TIMED_OUT);
                break;
            }
    } else if (now >= side->retry_at_ns) {
        proxy_connect(p, s);
    }
    if (now >= side->answer_by_ns) {
        options_unanswered(p, s);
    } else if (now >= side->repeat_at_ns) {
        side->repeat_ns = time_min(2 * side->repeat_ns, T2_NS);
        side->repeat_at_ns = now + side->repeat_ns;
        options_put(p, s, proxy_newest(p, s));
    } else if (now >= side->options_at_ns) {
        options_begin(p, s);
    }
}

uint64_t side_deadline(const struct side *s)
{
    uint64_t t = time_min(s->retry_at_ns, s->connect_by_ns);
    return time_min(t, time_min(s->options_at_ns, time_min(s->repeat_at_ns, s->answer_by_ns)));
}

/* ---- search rules ---- */

static bool begins(struct sip_str s, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;
    return s.len >= n && (!n || sip_is((struct sip_str){s.p, n}, prefix));
}

static bool rule_matches(const struct sip_proxy_rule *r, const struct sip_uri *uri, unsigned from)
{
    return (!r->from_one || r->from == from) && begins(uri->user, r->user) && begins(uri->host, r->host);
}

/* Over UDP nothing tells that nobody is there but OPTIONS. */
static struct leg *usable(struct sip_proxy *p, unsigned s, bool over_udp)
{
    const struct sip_proxy_side *cfg = &p->cfg.side[s];
    if (cfg->udp && (!over_udp || (cfg->options_ns && p->side[s].service != SIDE_UP)))
        return NULL;
    return proxy_newest(p, s);
}

static size_t message_len(const struct sip_msg *m)
{
    return m->body.p ? (size_t)(m->body.p + m->body.len - m->method.p) : 0;
}

struct leg *side_search(struct sip_proxy *p, unsigned from, unsigned *refusal, unsigned *down)
{
    struct sip_uri uri;
    bool short_one = message_len(&p->msg) <= DATAGRAM_MAX;
    *refusal = 404;
    if (sip_uri_parse(p->msg.uri, &uri))
        return NULL;
    for (int pass = short_one; pass < 2; pass++)
        for (size_t i = 0; i < p->cfg.rule_count; i++) {
            const struct sip_proxy_rule *r = &p->cfg.rule[i];
            for (size_t k = 0; k < r->to_count && rule_matches(r, &uri, from); k++) {
                if (r->to[k] == from || !proxy_is_single(p, r->to[k]))
                    continue;
                struct leg *l = usable(p, r->to[k], pass);
                if (l)
                    return l;
                *refusal = 503;
                *down = r->to[k];
            }
        }
    return NULL;
}
