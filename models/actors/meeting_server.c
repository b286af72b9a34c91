/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/meeting_server.h"

#include <stdlib.h>
#include <string.h>

#include "models/actors/audio_video.h"
#include "models/actors/meeting_parts.h"
#include "models/base/err.h"
#include "models/base/time.h"

static const char agent[] = "Acano CallBridge";

struct meeting_server {
    struct io *io;
    struct ip_addr address;
    struct sip_ua *ua;
    struct meeting_shares *shares;
    struct conference *conference;
    struct web_bridge *web;
};

/* ---- SIP ---- */

/* Whether there is audio or video that is modelled: SRTP needs keys, of the description or of ICE's DTLS. */
static bool has_media(const struct sdp *d)
{
    for (size_t i = 0; i < d->media_count; i++) {
        const struct sdp_media *m = &d->media[i];
        bool keyless = strcmp(m->proto, "RTP/SAVP") == 0 && !m->ufrag[0] && !m->crypto[0];
        if ((strcmp(m->kind, "audio") == 0 || strcmp(m->kind, "video") == 0) && m->port && !keyless)
            return true;
    }
    return false;
}

static void on_invited(struct meeting_server *ms, const struct sip_ua_event *ev)
{
    char sdp[AUDIO_VIDEO_SDP_MAX];
    struct sdp d;
    if (sdp_parse(ev->msg->body.p, ev->msg->body.len, &d)) {
        sip_ua_refuse(ms->ua, ev->call, 488, "");
        return;
    }
    const struct sdp_media *share = sdp_find(&d, "applicationsharing");
    if (share)
        meeting_shares_invited(ms->shares, ev->call, share);
    else if (has_media(&d))
        conference_invited(ms->conference, ev, &d);
    else
        sip_ua_answer(ms->ua, ev->call, audio_video_describe(sdp, &ms->address));
}

static void on_sip(struct meeting_server *ms, const struct sip_ua_event *ev)
{
    const enum meeting_call *kind = ev->call ? sip_call_user(ev->call) : NULL;
    if (ev->kind == SIP_INVITED)
        on_invited(ms, ev);
    else if (kind && *kind == MEETING_SHARE)
        meeting_shares_sip(ms->shares, ev);
    else if (kind)
        conference_sip(ms->conference, ev);
    else if (ev->kind == SIP_REINVITED) /* of a call whose media are not modelled, or that is hung up */
        sip_ua_refuse(ms->ua, ev->call, 488, "");
}

/* ---- the core ---- */

static void poll_all(struct meeting_server *ms)
{
    struct sip_ua_event sip;
    struct conference_event conference;
    bool more = true;
    while (more) {
        more = false;
        while (sip_ua_poll(ms->ua, &sip) && (more = true))
            on_sip(ms, &sip);
        while (conference_poll(ms->conference, &conference) && (more = true))
            web_bridge_tell(ms->web, &conference);
        more = meeting_shares_poll(ms->shares) || more;
    }
}

static void input(void *self, const struct io_in *in)
{
    struct meeting_server *ms = self;
    unsigned owner = io_owner(in->id);
    bool all = in->id == IO_NONE;
    if (all || owner == OWNER_SIP)
        sip_ua_input(ms->ua, in);
    if (all || owner == OWNER_WEB)
        web_bridge_input(ms->web, in);
    if (all || owner == OWNER_MEDIA)
        conference_input(ms->conference, in);
    meeting_shares_input(ms->shares, in);
    poll_all(ms);
}

static uint64_t deadline(const void *self)
{
    const struct meeting_server *ms = self;
    uint64_t t = time_min(sip_ua_deadline(ms->ua), meeting_shares_deadline(ms->shares));
    return time_min(t, time_min(conference_deadline(ms->conference), web_bridge_deadline(ms->web)));
}

static void destroy(void *self)
{
    struct meeting_server *ms = self;
    meeting_shares_free(ms->shares);
    web_bridge_free(ms->web);
    conference_free(ms->conference);
    sip_ua_free(ms->ua);
    free(ms);
}

static struct sip_ua *make_ua(struct io *io, const struct meeting_server_config *cfg)
{
    size_t max = cfg->conference.participants_max;
    struct sip_ua_config sip = {.listen = {cfg->sip, cfg->sip_tcp},
                                .listen_udp = cfg->sip_udp,
                                .uri = cfg->uri,
                                .agent = agent,
                                .calls_max = 2 * (max ? max : CONFERENCE_PARTICIPANTS) + SIP_CALLS_MAX,
                                .keep_alive_ns = cfg->sip_keep_alive_ns};
    return sip_ua_new(io, OWNER_SIP, &sip);
}

int meeting_server_make(struct io *io, const struct meeting_server_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    struct conference_config conference = cfg->conference;
    struct meeting_server *ms = calloc(1, sizeof *ms);
    if (!ms)
        return E_NOMEM;
    conference.address = cfg->address;
    conference.turn_user = cfg->turn_user;
    conference.turn_password = cfg->turn_password;
    conference.agent = agent;
    ms->io = io;
    ms->address = cfg->address;
    ms->ua = make_ua(io, cfg);
    ms->shares = meeting_shares_new(io, cfg, ms->ua);
    ms->conference = conference_new(io, OWNER_MEDIA, &conference, ms->ua);
    ms->web = web_bridge_new(io, OWNER_WEB, &cfg->web, ms->conference);
    *out = (struct core){&ops, ms, io};
    if (ms->ua && ms->shares && ms->conference && ms->web)
        return 0;
    destroy(ms);
    return E_NOMEM;
}
