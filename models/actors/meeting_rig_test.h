/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Meeting Server and telephones around it over the pipe: what conference_test.c and web_bridge_test.c share. A
 * telephone is a SIP user agent with a session; without signalling it is a web client's media. */
#ifndef TP_ACTORS_MEETING_RIG_TEST_H
#define TP_ACTORS_MEETING_RIG_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/meeting_server.h"
#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"

#define MS_IP "10.3.0.1"
enum { PHONE_SIP = 1, PHONE_MEDIA = 2, PHONES_MAX = 24 };

struct phone {
    struct io *io;
    struct core core;
    struct sip_ua *ua;
    struct sip_call *call;
    struct session *session;
    char name[24], uri[64], called[64], described[8192];
    const char *to;        /* called as soon as it is described; NULL: nobody */
    unsigned refuse, code; /* refuse: with what it answers an INVITE; code: it was refused with */
    bool wait;             /* neither answer nor refuse */
    bool dead, up, ended, calling, relayed;
};

struct rig {
    struct pipe *p;
    struct meeting_server_config cfg;
    struct io *io;
    struct core core;
    struct phone phone[PHONES_MAX];
    size_t phones;
    struct io *relay_io;
    struct turn *relay;
};

static inline void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static inline uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

/* A TURN server at 192.0.2.1 over UDP, on 3478 and the five ports behind it. */
static inline void rig_relay(struct rig *r)
{
    static const struct core_ops ops = {relay_input, relay_deadline, NULL};
    static const struct turn_user user = {"u", "p"};
    struct endpoint at[6];
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = &user, .user_count = 1, .listen_udp = at,
                              .listen_udp_count = 6, .relay_ip4 = kit_ip("192.0.2.1"), .first_port = 24000,
                              .last_port = 24999, .limits = turn_limits_default};
    struct ip_prefix itself = {cfg.relay_ip4, 32}; /* from relay to relay */
    cfg.allow_peer = &itself;
    cfg.allow_peer_count = 1;
    for (uint16_t i = 0; i < 6; i++)
        at[i] = (struct endpoint){cfg.relay_ip4, (uint16_t)(3478 + i)};
    r->relay_io = io_new("relay", 1);
    r->relay = turn_new(r->relay_io, 1, &cfg);
    assert_non_null(r->relay);
    pipe_host(r->p, &(struct core){&ops, r->relay, r->relay_io}, "192.0.2.1");
}

static inline struct session_config phone_session(const struct phone *ph, const char *ip, bool web)
{
    return (struct session_config){
        .name = ph->name,
        .dialect = web ? SESSION_ICE : SESSION_PLAIN,
        .controlling = true,
        .relay = {{SESSION_TURN_UDP, kit_endpoint("192.0.2.1:3478"), "u", "p"}},
        .relay_count = ph->relayed,
        .media = CALL_AUDIO | CALL_VIDEO,
        .address = kit_ip(ip),
        .first_port = 40000,
        .last_port = 40999,
        .host_candidates = !ph->relayed,
        .audio = {.packets_per_s = 50, .payload_bytes = 160, .payload_type = 8, .clock = 8000},
        .video = {.packets_per_s = 20, .payload_bytes = 900, .payload_type = 97, .clock = 90000}};
}

static inline void phone_answer(struct phone *ph, const struct sip_msg *m)
{
    struct sdp d;
    if (ph->wait)
        return;
    if (ph->refuse || sdp_parse(m->body.p, m->body.len, &d) || session_answer(ph->session, &d))
        sip_ua_refuse(ph->ua, ph->call, ph->refuse ? ph->refuse : 488, "");
}

static inline void phone_sip(struct phone *ph, const struct sip_ua_event *ev)
{
    struct sdp d;
    if (ev->call)
        ph->call = ev->call;
    if (ev->kind == SIP_INVITED)
        snprintf(ph->called, sizeof ph->called, "%.*s", SIP_STR(ev->msg->uri));
    if (ev->kind == SIP_INVITED || ev->kind == SIP_REINVITED)
        phone_answer(ph, ev->msg);
    if (ev->kind == SIP_ANSWERED && sdp_parse(ev->msg->body.p, ev->msg->body.len, &d) == 0)
        session_answered(ph->session, &d);
    ph->up |= ev->kind == SIP_ANSWERED || ev->kind == SIP_CONFIRMED;
    ph->ended |= ev->kind == SIP_ENDED || ev->kind == SIP_REFUSED;
    if (ev->kind == SIP_REFUSED)
        ph->code = ev->code;
    if (ev->kind == SIP_ENDED || ev->kind == SIP_REFUSED) {
        session_close(ph->session);
        ph->call = NULL;
    }
}

static inline void phone_described(struct phone *ph, const char *text)
{
    snprintf(ph->described, sizeof ph->described, "%s", text);
    if (ph->call && !ph->calling)
        sip_ua_answer(ph->ua, ph->call, text);
    else if (ph->call)
        sip_ua_reinvite(ph->ua, ph->call, text);
    else if (ph->to)
        assert_non_null(ph->call = sip_ua_invite(ph->ua, ph->to, text, ""));
}

static inline void phone_poll(struct phone *ph)
{
    struct sip_ua_event sip;
    struct session_event ev;
    bool more = true;
    while (more) {
        more = false;
        while (ph->ua && sip_ua_poll(ph->ua, &sip) && (more = true))
            phone_sip(ph, &sip);
        while (session_poll(ph->session, &ev) && (more = true))
            if (ev.kind == SESSION_DESCRIBED)
                phone_described(ph, ev.text);
    }
}

static inline void phone_input(void *self, const struct io_in *in)
{
    struct phone *ph = self;
    if (ph->dead)
        return;
    if (ph->ua && (in->id == IO_NONE || io_owner(in->id) == PHONE_SIP))
        sip_ua_input(ph->ua, in);
    if (in->id == IO_NONE || io_owner(in->id) == PHONE_MEDIA)
        session_input(ph->session, in);
    phone_poll(ph);
}

static inline uint64_t phone_deadline(const void *self)
{
    const struct phone *ph = self;
    uint64_t t = session_deadline(ph->session);
    if (ph->dead)
        return TIME_NEVER;
    return ph->ua ? time_min(t, sip_ua_deadline(ph->ua)) : t;
}

/* name is both its user and its host; server: where its SIP goes, "udp 10.3.0.1:5060" if over UDP; NULL: a web client,
 * with ICE; relayed: by its relay alone. */
static inline struct phone *rig_add(struct rig *r, const char *name, const char *server, bool relayed)
{
    static const struct core_ops ops = {phone_input, phone_deadline, NULL};
    assert_true(r->phones < PHONES_MAX);
    struct phone *ph = &r->phone[r->phones++];
    char ip[24];
    snprintf(ip, sizeof ip, "10.1.0.%zu", r->phones);
    ph->relayed = relayed;
    snprintf(ph->name, sizeof ph->name, "%s", name);
    snprintf(ph->uri, sizeof ph->uri, "sip:%s@example.com", name);
    ph->io = io_new(ph->name, 1);
    struct session_config s = phone_session(ph, ip, !server);
    ph->session = session_new(ph->io, PHONE_MEDIA, &s);
    if (server) {
        bool udp = strncmp(server, "udp ", 4) == 0;
        struct endpoint to = kit_endpoint(server + (udp ? 4 : 0));
        struct sip_ua_config ua = {.uri = ph->uri, .agent = "phone"};
        *(udp ? &ua.server_udp : &ua.server) = to;
        if (udp)
            ua.listen_udp = (struct endpoint){s.address, 5060};
        ph->ua = sip_ua_new(ph->io, PHONE_SIP, &ua);
    }
    ph->core = (struct core){&ops, ph, ph->io};
    pipe_host(r->p, &ph->core, ip);
    return ph;
}

static inline struct phone *rig_phone(struct rig *r, const char *name, const char *server)
{
    return rig_add(r, name, server, false);
}

static inline void phone_call(struct phone *ph, const char *to)
{
    ph->to = to;
    ph->calling = true;
    session_offer(ph->session);
    phone_poll(ph);
}

static inline struct meeting_server_config rig_config(void)
{
    return (struct meeting_server_config){
        .address = kit_ip(MS_IP),
        .sip = kit_endpoint(MS_IP ":5061"),
        .sip_tcp = kit_endpoint(MS_IP ":5060"),
        .sip_udp = kit_endpoint(MS_IP ":5060"),
        .uri = "sip:meeting@acme.example",
        .sip_keep_alive_ns = 90 * NS_S,
        .turn_profile = &turn_client_plain,
        .conference = {.first_port = 50000,
                       .last_port = 51000,
                       .host_candidates = true,
                       .participants_max = 24,
                       .web_keep_alive_ns = 90 * NS_S,
                       .audio = {.packets_per_s = 50, .payload_bytes = 160, .payload_type = 8, .clock = 8000},
                       .video = {.packets_per_s = 10, .payload_bytes = 1000, .payload_type = 97, .clock = 90000}},
        .web = {.listen = kit_endpoint(MS_IP ":443"), .events = kit_endpoint("10.3.0.2:30000"), .events_max = 4}};
}

static inline struct rig *rig_new(const struct meeting_server_config *cfg)
{
    struct rig *r = test_calloc(1, sizeof *r);
    r->p = pipe_new(5 * NS_MS);
    r->cfg = *cfg;
    r->io = io_new("ms", 1);
    assert_int_equal(meeting_server_make(r->io, &r->cfg, &r->core), 0);
    pipe_host(r->p, &r->core, MS_IP);
    return r;
}

static inline void rig_free(struct rig *r)
{
    r->core.ops->free(r->core.self);
    io_free(r->io);
    for (size_t i = 0; i < r->phones; i++) {
        session_free(r->phone[i].session);
        sip_ua_free(r->phone[i].ua);
        io_free(r->phone[i].io);
    }
    turn_free(r->relay);
    if (r->relay_io)
        io_free(r->relay_io);
    pipe_free(r->p);
    test_free(r);
}

/* What Meeting Server noted of the services that begin so, since from_ns, as "wanted; up SIP; ". */
static inline const char *rig_services(struct rig *r, const char *begin, uint64_t from_ns)
{
    static char out[4096];
    struct text t = text_of(out, sizeof out);
    size_t n, len = strlen(begin);
    const struct pipe_entry *log = pipe_log(r->p, &n);
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_SERVICE && log[i].t_ns >= from_ns && strcmp(log[i].host, "ms") == 0 &&
            strncmp(log[i].text, begin, len) == 0 && log[i].text[len] == ' ')
            text_add(&t, "%s; ", log[i].text + len + 1);
    return out;
}

#endif
