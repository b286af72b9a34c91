/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of an application share, the same at Skype and at Meeting Server: its description in SDP, the ICE
 * agent, the streams that the agent's pairs become, and the screen that goes over the nominated one. A stream
 * is a TCP connection with RFC 4571 frames, or a peer behind an MS-TURN relay, which frames for itself. */
#ifndef TP_ACTORS_SHARE_H
#define TP_ACTORS_SHARE_H

#include "models/actors/screen.h"
#include "models/base/io.h"
#include "models/ice/ice.h"
#include "models/sip/sdp.h"

struct ms_turn_client;

struct share_config {
    bool controlling, use_candidate_always;
    const char *candidate_id; /* also the foundation of its relayed candidates */
    const char *role;         /* "sharer", "viewer" */
    enum sdp_setup setup;
    uint64_t ice_timeout_ns;   /* no pair after this long */
    uint64_t stall_timeout_ns; /* nothing from the other side, or nothing taken by it, for so long */
    struct screen_config screen;
};

struct share;

enum share_event_kind {
    SHARE_OPEN,      /* a way to be opened: share_connect, share_via_relay, share_await, or share_no_way */
    SHARE_NOMINATED, /* checks are through both ways: local, remote */
    SHARE_NO_PAIR,  /* they never will be: text says what was tried; remote: the other side's relay, if it has
                       one */
    SHARE_FINISHED, /* both sides have sent and received all */
    SHARE_STALLED,  /* see stall_timeout_ns; the share is dead, as after the next */
    SHARE_BROKEN,   /* the nominated stream ended, or what came on it is no share: text */
};

struct share_event {
    enum share_event_kind kind;
    size_t pair;
    struct ice_candidate local, remote;
    const char *text;
};

/* name: of its random streams, and of its state changes. relay: where the streams of MS-TURN peers go, or
 * NULL. */
struct share *share_new(struct io *io, const char *name, const struct share_config *cfg,
                        struct ms_turn_client *relay);
void share_free(struct share *s); /* does not close its connections: share_close does */
void share_close(struct share *s);

void share_add_local(struct share *s, enum ice_type type, enum ice_transport transport, uint32_t priority,
                     const struct endpoint *at, const struct endpoint *related);
/* The other side's m=applicationsharing line. 0; E_UNSUPPORTED: no TCP candidate or no credentials in it. */
int share_set_remote(struct share *s, const struct sdp_media *m);
/* Our description: the m= line with our candidates; once a pair is nominated, with that alone and
 * a=remote-candidates. NUL-terminated, borrowed until the next call. */
const char *share_describe(struct share *s, const struct ip_addr *host);
void share_check(struct share *s); /* begin connectivity checks of our own, once */
void share_begin(struct share *s); /* send the screen: a pair is nominated */

/* Ways for SHARE_OPEN. */
void share_connect(struct share *s, size_t pair, unsigned owner, const struct endpoint *remote);
void share_via_relay(struct share *s, size_t pair, const struct endpoint *remote);
void share_await(struct share *s, size_t pair,
                 const struct endpoint *remote); /* share_stream will come, or share_none */
void share_no_way(struct share *s, size_t pair);
/* A connection that stands: awaited, or one that came in at a passive candidate. */
void share_stream(struct share *s, io_id id, const struct endpoint *local, const struct endpoint *remote);
void share_none(struct share *s, const struct endpoint *remote); /* what was awaited did not come */
/* From the relay: a frame, and back-pressure. */
void share_relayed(struct share *s, const struct endpoint *local, const struct endpoint *peer,
                   const uint8_t *frame, size_t len);
void share_relay_blocked(struct share *s, bool blocked);

bool share_input(struct share *s, const struct io_in *in); /* false: not about a connection of the share */
void share_tick(struct share *s);
uint64_t share_deadline(const struct share *s);
bool share_poll(struct share *s, struct share_event *out);
bool share_has_all(const struct share *s); /* of what the other side sends */
void share_results(const struct share *s);

#endif
