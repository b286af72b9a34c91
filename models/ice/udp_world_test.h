/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents over UDP for tests: hosts behind boxes that translate (or not), a relay each, a way between that takes
 * 10 ms and loses what the test says. */
#ifndef TP_ICE_UDP_WORLD_TEST_H
#define TP_ICE_UDP_WORLD_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/ice/check.h"
#include "models/ice/ice.h"
#include "models/testkit/testkit.h"

enum { A, B, WORLD_DATAGRAMS = 512, WORLD_MAPPINGS = 128, WORLD_LOG = 16384 };
#define LATENCY (10 * NS_MS)

/* How a host's box maps; each lets in only what comes from where was sent to, except FULL_CONE. */
enum box { OPEN, FULL_CONE, CONE, SYMMETRIC };
enum offer { HOST = 1, SRFLX = 2, RELAYED = 4 };

struct datagram {
    uint64_t at;
    struct endpoint from, to; /* as on the public side */
    uint8_t bytes[ICE_MESSAGE_MAX];
    size_t len;
};

struct world {
    uint64_t now;
    struct ice *agent[2];
    struct ice_config cfg[2];
    enum box box[2];
    struct endpoint host[2], relay[2];
    struct datagram datagram[WORLD_DATAGRAMS]; /* in order of time: all take as long */
    size_t datagrams;
    struct {
        int owner;
        struct endpoint inside, outside, peer;
    } mapping[WORLD_MAPPINGS];
    size_t mappings;
    /* Other boxes than these: as what a datagram of this one's host leaves; whose host it comes to, where, or -1. */
    struct endpoint (*leaves)(void *boxes, int who, const struct datagram *d);
    int (*enters)(void *boxes, const struct datagram *d, struct endpoint *base);
    void *boxes;
    struct rng rng;
    unsigned loss_percent;
    bool cut[2]; /* nothing of this one's arrives */
    unsigned requests[2], uses[2], indications[2], valid[2], nominated[2], failed[2], lost[2];
    struct ice_event last_nominated[2]; /* of component 1 */
    char why[2][512];                   /* FAILED or LOST */
    char log[WORLD_LOG]; /* "12 A Binding request 10.0.0.1:1 > 10.0.0.2:2", times in ms */
    struct text out;
};

static inline struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->out = text_of(w->log, sizeof w->log);
    w->rng = rng_named(1, "loss");
    w->cfg[A] = (struct ice_config){.dialect = ICE_DIALECT_RFC, .controlling = true, .tie_breaker = 7,
                                    .ufrag = "8hhY", .pwd = "password-of-a"};
    w->cfg[B] = (struct ice_config){.dialect = ICE_DIALECT_RFC, .tie_breaker = 5, .ufrag = "9uB6",
                                    .pwd = "password-of-b"};
    w->host[A] = kit_endpoint("10.0.0.1:5000");
    w->host[B] = kit_endpoint("10.1.0.1:6000");
    w->relay[A] = kit_endpoint("192.0.2.50:50000");
    w->relay[B] = kit_endpoint("192.0.2.60:60000");
    return w;
}

static inline void world_agents(struct world *w)
{
    for (int i = A; i <= B; i++)
        w->agent[i] = ice_new(&w->cfg[i], rng_named(1, i == A ? "a/ice" : "b/ice"));
    for (int i = A; i <= B; i++)
        ice_set_remote_credentials(w->agent[i], w->cfg[1 - i].ufrag, w->cfg[1 - i].pwd);
}

static inline void world_free(struct world *w)
{
    ice_free(w->agent[A]);
    ice_free(w->agent[B]);
    free(w);
}

/* Where a datagram of this one's host to there seems to come from. */
static inline struct endpoint world_mapped(struct world *w, int who, const struct endpoint *inside,
                                           const struct endpoint *to)
{
    if (w->leaves)
        return w->leaves(w->boxes, who, &(struct datagram){.at = w->now, .from = *inside, .to = *to});
    if (w->box[who] == OPEN)
        return *inside;
    struct endpoint outside = {0};
    for (size_t i = 0; i < w->mappings; i++) {
        if (w->mapping[i].owner != who || !endpoint_equal(&w->mapping[i].inside, inside))
            continue;
        bool same = endpoint_equal(&w->mapping[i].peer, to);
        if (same || w->box[who] != SYMMETRIC)
            outside = w->mapping[i].outside;
        if (same)
            return outside;
    }
    if (!outside.port)
        outside = (struct endpoint){.ip = ip_v4(0xcb007101u + (unsigned)who), .port = (uint16_t)(1024 + w->mappings)};
    assert_true(w->mappings < WORLD_MAPPINGS);
    w->mapping[w->mappings].owner = who;
    w->mapping[w->mappings].inside = *inside;
    w->mapping[w->mappings].outside = outside;
    w->mapping[w->mappings++].peer = *to;
    return outside;
}

/* Whose host is at this public address for who comes from there; -1: nobody's. */
static inline int world_host_at(const struct world *w, const struct datagram *d, struct endpoint *base)
{
    if (w->enters)
        return w->enters(w->boxes, d, base);
    for (int i = A; i <= B; i++)
        if (w->box[i] == OPEN && ip_equal(&w->host[i].ip, &d->to.ip)) {
            *base = d->to;
            return i;
        }
    for (size_t i = 0; i < w->mappings; i++) {
        int owner = w->mapping[i].owner;
        bool from_there = endpoint_equal(&w->mapping[i].peer, &d->from) || w->box[owner] == FULL_CONE;
        if (endpoint_equal(&w->mapping[i].outside, &d->to) && from_there) {
            *base = w->mapping[i].inside;
            return owner;
        }
    }
    return -1;
}

static inline void world_send(struct world *w, int who, const struct ice_event *ev)
{
    const struct endpoint *base = &ev->local.address, *to = &ev->remote.address;
    struct datagram d = {.at = w->now + LATENCY, .to = *to, .len = ev->len};
    struct stun_msg m;
    const struct stun_dialect *dialect = w->cfg[who].dialect == ICE_DIALECT_RFC ? &stun_rfc8489 : &stun_ms_ice2;
    assert_int_equal(ice_message_parse(dialect, ev->data, ev->len, &m), 0);
    struct ice_check c;
    w->requests[who] += m.cls == STUN_REQUEST;
    w->uses[who] += m.cls == STUN_REQUEST && ice_check_decode(&m, &c) == 0 && c.use_candidate;
    w->indications[who] += m.cls == STUN_INDICATION;
    d.from = endpoint_equal(base, &w->relay[who]) ? *base : world_mapped(w, who, base, to);
    memcpy(d.bytes, ev->data, ev->len);
    if (rng_chance(&w->rng, w->loss_percent, 100) || w->cut[who])
        return;
    assert_true(w->datagrams < WORLD_DATAGRAMS);
    w->datagram[w->datagrams++] = d;
}

static inline void world_note(struct world *w, int who, const struct ice_event *ev)
{
    static const char *const kinds[] = {"OPEN", "SEND", "VALID", "NOMINATED", "FAILED", "LOST"};
    char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    text_add(&w->out, "%llu %c %s", (unsigned long long)(w->now / NS_MS), who == A ? 'A' : 'B',
             ev->kind == ICE_SEND ? ev->label : kinds[ev->kind]);
    if (ev->kind != ICE_FAILED)
        text_add(&w->out, " %s > %s", endpoint_text(&ev->local.address, from),
                 endpoint_text(&ev->remote.address, to));
    text_add(&w->out, "\n");
}

static inline void world_drain(struct world *w, int who)
{
    struct ice_event ev;
    while (ice_poll(w->agent[who], &ev)) {
        world_note(w, who, &ev);
        assert_int_equal(ev.stream, 0);
        assert_int_not_equal(ev.kind, ICE_OPEN);
        if (ev.kind == ICE_SEND)
            world_send(w, who, &ev);
        w->valid[who] += ev.kind == ICE_VALID;
        w->nominated[who] += ev.kind == ICE_NOMINATED;
        w->failed[who] += ev.kind == ICE_FAILED;
        w->lost[who] += ev.kind == ICE_LOST;
        if (ev.kind == ICE_NOMINATED && ev.local.component == 1)
            w->last_nominated[who] = ev;
        if (ev.text)
            snprintf(w->why[who], sizeof w->why[who], "%s", ev.text);
    }
}

static inline void world_deliver(struct world *w)
{
    struct datagram d = w->datagram[0];
    memmove(w->datagram, w->datagram + 1, --w->datagrams * sizeof *w->datagram);
    struct endpoint base = d.to;
    int who = endpoint_equal(&d.to, &w->relay[A]) ? A : endpoint_equal(&d.to, &w->relay[B]) ? B : -1;
    if (who < 0)
        who = world_host_at(w, &d, &base);
    if (who < 0 || !w->agent[who])
        return;
    uint8_t *bytes = malloc(d.len); /* of its size, so that a sanitizer sees what reads past it */
    assert_non_null(bytes);
    memcpy(bytes, d.bytes, d.len);
    assert_true(ice_datagram(w->agent[who], &base, &d.from, bytes, d.len, w->now));
    free(bytes);
    world_drain(w, who);
}

static inline void world_run(struct world *w, uint64_t until_ns)
{
    for (unsigned steps = 0; steps < 50000; steps++) {
        uint64_t at[3] = {TIME_NEVER, TIME_NEVER, w->datagrams ? w->datagram[0].at : TIME_NEVER};
        for (int i = A; i <= B; i++)
            if (w->agent[i])
                at[i] = ice_deadline(w->agent[i]) > w->now ? ice_deadline(w->agent[i]) : w->now;
        int first = at[B] < at[A] ? B : A;
        first = at[2] <= at[first] ? 2 : first;
        if (at[first] > until_ns) {
            w->now = until_ns;
            return;
        }
        w->now = at[first];
        if (first == 2) {
            world_deliver(w);
        } else {
            ice_timer(w->agent[first], w->now);
            world_drain(w, first);
        }
    }
    fail_msg("the agents do not come to rest:\n%s", w->log);
}

/* One candidate of one, told to the other. */
static inline void world_tell(struct world *w, int who, const struct ice_candidate *c)
{
    assert_int_equal(ice_add_local(w->agent[who], c), 0);
    assert_int_equal(ice_add_remote(w->agent[1 - who], c), 0);
}

static inline struct ice_candidate udp_candidate(enum ice_type type, const struct endpoint *at,
                                                 const char *foundation)
{
    struct ice_candidate c = {.component = 1,
                              .type = type,
                              .transport = ICE_UDP,
                              .priority = ice_priority(type, ICE_UDP, 1),
                              .address = *at};
    snprintf(c.foundation, sizeof c.foundation, "%s", foundation);
    return c;
}

/* The candidates of one by enum offer, its own and told to the other. */
static inline void world_offer(struct world *w, int who, unsigned offers)
{
    struct endpoint stun = kit_endpoint("192.0.2.1:3478"), seen = world_mapped(w, who, &w->host[who], &stun);
    struct ice_candidate c = udp_candidate(ICE_HOST, &w->host[who], "h");
    if (offers & HOST)
        world_tell(w, who, &c);
    c = udp_candidate(ICE_SRFLX, &seen, "s");
    c.related = w->host[who];
    if (offers & SRFLX && !endpoint_equal(&seen, &w->host[who]))
        world_tell(w, who, &c);
    c = udp_candidate(ICE_RELAY, &w->relay[who], "r");
    c.related = seen;
    if (offers & RELAYED)
        world_tell(w, who, &c);
}

static inline void world_start(struct world *w)
{
    for (int i = A; i <= B; i++) {
        ice_start(w->agent[i], w->now);
        world_drain(w, i);
    }
}

/* What both call the nominated pair is the same pair. */
static inline void world_agrees(const struct world *w)
{
    const struct ice_event *a = &w->last_nominated[A], *b = &w->last_nominated[B];
    assert_true(endpoint_equal(&a->mapped.address, &b->remote.address));
    assert_true(endpoint_equal(&b->mapped.address, &a->remote.address));
}

#endif
