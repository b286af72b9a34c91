/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/conference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/participant.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* Of the port tables: what a web client's media is that finds the relay ports closed to us (row 1.13). */
static const char note_6[] = "it is always relayed through UDP 3478, which raises the load on the TURN server";

/* At most: audio and video, with RTCP each, and a relay for each of those. */
enum { SOCKETS_EACH = 8 };

struct conference {
    struct io *io;
    unsigned owner;
    struct conference_config cfg;
    struct sip_ua *ua;
    struct session_map *map;
    struct participant *all;
    unsigned next_id, next_turn;
};

struct conference *conference_new(struct io *io, unsigned owner, const struct conference_config *cfg, struct sip_ua *ua)
{
    struct conference *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->io = io;
    c->owner = owner;
    c->cfg = *cfg;
    c->cfg.participants_max = cfg->participants_max ? cfg->participants_max : CONFERENCE_PARTICIPANTS;
    c->cfg.turn_ports = cfg->turn_ports ? cfg->turn_ports : 1;
    c->ua = ua;
    c->map = session_map_new(c->cfg.participants_max * SOCKETS_EACH);
    c->all = calloc(c->cfg.participants_max, sizeof *c->all);
    if (c->map && c->all)
        return c;
    conference_free(c);
    return NULL;
}

static struct participant *end_of(const struct conference *c)
{
    return c->all ? c->all + c->cfg.participants_max : NULL;
}

void conference_free(struct conference *c)
{
    if (!c)
        return;
    for (struct participant *p = c->all; p < end_of(c); p++)
        participant_free(p);
    session_map_free(c->map);
    free(c->all);
    free(c);
}

/* ---- who comes ---- */

/* Without credentials it is no ICE. Microsoft's clients offer TCP candidates by the tokens of their ICE, or lines in
 * its older form, or RTP without feedback (RFC 4585), which browsers offer. */
static enum session_dialect dialect_of(const struct sdp *offer)
{
    enum session_dialect d = SESSION_PLAIN;
    for (size_t i = 0; i < offer->media_count; i++) {
        const struct sdp_media *m = &offer->media[i];
        bool tokens = m->v6_candidates;
        for (size_t k = 0; k < m->candidate_count; k++)
            tokens |= m->candidate[k].transport != SDP_UDP;
        if (m->ufrag[0])
            d = tokens || !strstr(m->proto, "AVPF") ? SESSION_MICROSOFT : SESSION_ICE;
    }
    return d;
}

/* One with a session of that dialect, not begun. NULL: there is no room. */
static struct participant *add(struct conference *c, enum session_dialect dialect, bool web, const char *name,
                               size_t len, const char *behind)
{
    const struct conference_config *cfg = &c->cfg;
    struct participant *p = c->all;
    while (p < end_of(c) && p->state != PART_FREE)
        p++;
    if (p == end_of(c))
        return NULL;
    *p = (struct participant){.kind = MEETING_PARTICIPANT, .io = c->io, .ua = c->ua, .onward = behind[0] != '\0'};
    participant_begin(p, name, len, behind);
    struct session_config s = {.name = p->name,
                               .dialect = dialect,
                               .controlling = p->onward,
                               .media = CALL_AUDIO | CALL_VIDEO,
                               .address = cfg->address,
                               .first_port = cfg->first_port,
                               .last_port = cfg->last_port,
                               .host_candidates = cfg->host_candidates,
                               .direct_wanted = web,
                               .indirect_text = note_6,
                               .audio = cfg->audio,
                               .video = cfg->video,
                               .map = c->map};
    if (cfg->turn.port && dialect != SESSION_PLAIN) {
        s.relay[0] = (struct session_relay){SESSION_TURN_UDP, cfg->turn, cfg->turn_user, cfg->turn_password};
        s.relay[0].server.port = (uint16_t)(cfg->turn.port + c->next_turn++ % cfg->turn_ports);
        s.relay_count = 1;
    }
    p->session = session_new(c->io, c->owner, &s);
    if (p->session)
        return p;
    participant_free(p);
    return NULL;
}

static const struct dial_rule *rule_for(const struct conference *c, const struct sip_msg *invite)
{
    struct sip_uri to;
    if (sip_uri_parse(invite->uri, &to))
        return NULL;
    for (size_t i = 0; i < c->cfg.rules; i++) {
        const struct dial_rule *r = &c->cfg.rule[i];
        size_t len = strlen(r->user);
        if (sip_is(to.host, r->domain) && to.user.len >= len && (!len || memcmp(to.user.p, r->user, len) == 0))
            return r;
    }
    return NULL;
}

/* The URI that is called, at the rule's host. NULL: no memory. */
static char *onward_uri(const struct dial_rule *rule, const struct sip_msg *invite)
{
    struct sip_uri uri;
    size_t cap = invite->uri.len + strlen(rule->to) + 8;
    char *out = malloc(cap);
    if (!out || sip_uri_parse(invite->uri, &uri))
        return out;
    struct text t = text_of(out, cap);
    if (rule->to[0])
        text_add(&t, "sip:%.*s%s%s", SIP_STR(uri.user), uri.user.len ? "@" : "", rule->to);
    else
        text_add(&t, "%.*s", SIP_STR(invite->uri));
    return out;
}

/* A second call, for the first's sake. false: there is no room. */
static bool forward(struct conference *c, struct participant *p, const struct dial_rule *rule,
                    const struct sip_msg *invite, struct sip_str from)
{
    struct participant *o = add(c, rule->dialect, false, p->name, strlen(p->name), "/onward");
    if (!o)
        return false;
    o->from = strndup(from.p, from.len);
    o->to = onward_uri(rule, invite);
    o->other = p;
    p->other = o;
    assert(o->from && o->to);
    session_offer(o->session);
    return true;
}

void conference_invited(struct conference *c, const struct sip_ua_event *ev, const struct sdp *offer)
{
    struct sip_str from = {"", 0}, agent = {"", 0};
    struct sip_addr addr;
    struct sip_uri caller = {0};
    const struct dial_rule *rule = rule_for(c, ev->msg);
    sip_find(ev->msg, "User-Agent", &agent);
    if (rule && sip_is(agent, c->cfg.agent)) {
        sip_ua_refuse(c->ua, ev->call, 482, "");
        return;
    }
    if (sip_find(ev->msg, "From", &from) && sip_addr_parse(from, &addr) == 0)
        sip_uri_parse(addr.uri, &caller);
    struct participant *p = add(c, dialect_of(offer), false, caller.user.p, caller.user.len, "");
    if (!p) {
        sip_ua_refuse(c->ua, ev->call, 486, "Warning: 399 meeting-server \"the conference is full\"\r\n");
        return;
    }
    p->call = ev->call;
    p->invited = true;
    sip_call_set_user(ev->call, p);
    if (session_answer(p->session, offer))
        participant_end(p, END_LOST, 488, "the offer has no media that can be taken");
    else if (rule && !forward(c, p, rule, ev->msg, addr.uri))
        participant_end(p, END_LOST, 486, "there is no room for the call that it is to be forwarded by");
}

void conference_sip(struct conference *c, const struct sip_ua_event *ev)
{
    (void)c;
    participant_sip(sip_call_user(ev->call), ev);
}

/* ---- from the web ---- */

int conference_join(struct conference *c, const char *name, const char *sdp, size_t len, unsigned *id)
{
    struct sdp offer;
    if (sdp_parse(sdp, len, &offer))
        return E_MALFORMED;
    struct participant *p = add(c, dialect_of(&offer), true, name, strlen(name), "");
    if (!p)
        return E_NOMEM;
    if (session_answer(p->session, &offer)) {
        participant_end(p, END_LOST, 0, "the offer has no media that can be taken");
        return E_UNSUPPORTED;
    }
    p->web = *id = ++c->next_id;
    p->alive_ns = io_now(c->io);
    return 0;
}

static struct participant *from_web(struct conference *c, unsigned id)
{
    for (struct participant *p = c->all; p < end_of(c); p++)
        if (id && p->web == id && p->state != PART_FREE && p->state != PART_LEAVING)
            return p;
    return NULL;
}

bool conference_keep(struct conference *c, unsigned id)
{
    struct participant *p = from_web(c, id);
    if (p)
        p->alive_ns = io_now(c->io);
    return p;
}

bool conference_leave(struct conference *c, unsigned id)
{
    struct participant *p = from_web(c, id);
    if (!p)
        return false;
    participant_end(p, END_HUNG_UP, 0, "hung up");
    p->tell_ended = false; /* it knows */
    return true;
}

void conference_told(struct conference *c, unsigned id)
{
    struct participant *p = from_web(c, id);
    if (p)
        participant_up(p, "HTTPS, by way of the web bridge");
}

bool conference_poll(struct conference *c, struct conference_event *out)
{
    bool more = true;
    while (more) {
        more = false;
        for (struct participant *p = c->all; p < end_of(c); p++)
            more = (p->state != PART_FREE && participant_poll(p)) || more;
    }
    for (struct participant *p = c->all; p < end_of(c); p++) {
        if (!p->tell_answer && !p->tell_ended)
            continue;
        *out = (struct conference_event){p->web, p->tell_answer ? "answer" : "ended",
                                         p->tell_answer ? p->described : p->why};
        p->tell_answer = p->tell_ended = false;
        return true;
    }
    return false;
}

/* ---- time and sockets ---- */

static uint64_t due(const struct conference *c, const struct participant *p)
{
    if (p->state == PART_LEAVING)
        return p->gone_by_ns;
    return p->web ? p->alive_ns + c->cfg.web_keep_alive_ns : TIME_NEVER;
}

static void on_due(struct conference *c, struct participant *p)
{
    char why[64];
    struct text t = text_of(why, sizeof why);
    if (p->state == PART_LEAVING) {
        participant_free(p);
        return;
    }
    text_add(&t, "no keep-alive for %u s", (unsigned)(c->cfg.web_keep_alive_ns / NS_S));
    participant_end(p, END_LOST, 0, why);
}

void conference_input(struct conference *c, const struct io_in *in)
{
    struct session *of = in->id ? session_map_find(c->map, in->id) : NULL;
    if (of)
        session_input(of, in);
    for (struct participant *p = c->all; p < end_of(c) && !of; p++) {
        if (p->state == PART_FREE)
            continue;
        if (!in->id)
            session_input(p->session, in);
        if (io_now(c->io) >= due(c, p))
            on_due(c, p);
        else if (p->state == PART_LEAVING && !p->tell_ended && session_closed(p->session))
            participant_free(p);
    }
}

uint64_t conference_deadline(const struct conference *c)
{
    uint64_t t = TIME_NEVER;
    for (const struct participant *p = c->all; p < end_of(c); p++)
        if (p->state != PART_FREE)
            t = time_min(t, time_min(due(c, p), session_deadline(p->session)));
    return t;
}
