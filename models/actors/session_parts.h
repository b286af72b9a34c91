/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session's insides, between session.c (life and events), session_sdp.c (offer and answer) and session_flow.c (media,
 * and what becomes of the services). */
#ifndef TP_ACTORS_SESSION_PARTS_H
#define TP_ACTORS_SESSION_PARTS_H

#include "models/actors/leg.h"
#include "models/base/time.h"

enum { STREAMS = 2, EVENTS = 4, SDP_TEXT_MAX = 8192, STREAM_NAME = 96 };

enum stream_state {
    STREAM_OFF,    /* there is none, or it is done */
    STREAM_WANTED,
    STREAM_UP,
    STREAM_DEGRADED,
    STREAM_FAILED, /* it never came up */
    STREAM_LOST,
};

/* One medium. */
struct stream {
    enum stream_state state;
    enum call_media medium;
    char name[STREAM_NAME]; /* "guest-1/audio" */
    struct media media;
    struct leg *leg;
    bool gathered, agreed, connected; /* agreed: the other end is known. connected: the leg is up */
    bool worse, no_rtcp;              /* why it is degraded: the way, or that no RTCP comes */
    bool ended;                       /* its leg is closing, or closed */
    enum sdp_direction remote;        /* the other end's, as it sees it */
    char how[LEG_TEXT], text[LEG_TEXT];
    uint64_t agreed_ns, heard_ns, expect_ns; /* expect: since when there should be something to hear */
    bool told_foreign, told_malformed;
};

/* A line of the other end's last offer, which the answer repeats (RFC 3264 6). */
struct offered {
    char kind[SDP_WORD], proto[SDP_WORD], formats[SDP_WORD], mid[SDP_WORD];
    struct stream *stream; /* NULL: refused */
};

enum session_work { WORK_NONE, WORK_OFFER, WORK_ANSWER }; /* to be described as soon as all is gathered */

struct session {
    struct io *io;
    unsigned owner;
    struct session_config cfg;
    char cname[MEDIA_NAME];
    struct stream stream[STREAMS];
    struct offered line[SDP_MEDIA_MAX];
    size_t lines;
    enum session_work work;
    bool described, muted, held, up, over, closed;
    uint64_t id, version; /* of o= */
    uint64_t deadline_ns;
    struct session_event event[EVENTS];
    size_t events;
    struct sdp own; /* what was last described, and its text */
    char sdp[SDP_TEXT_MAX];
};

/* After anything has happened: all that is due, and what has become of it all. */
void session_settle(struct session *s);
void session_tell(struct session *s, enum session_event_kind kind, const char *text);

/* session_sdp.c */
void session_describe(struct session *s, bool answer);
/* Makes the stream of that medium and begins to gather. NULL: no memory. */
struct stream *session_add_stream(struct session *s, enum call_media medium);
struct stream *session_stream(struct session *s, enum call_media medium); /* NULL: none */

/* session_flow.c */
void stream_agree(struct session *s, struct stream *st, const struct sdp_media *m);
void stream_direct(struct session *s, struct stream *st); /* mute, hold or a direction has changed */
void stream_fail(struct session *s, struct stream *st, const char *text);
void stream_end(struct session *s, struct stream *st); /* its service is done; results */
void stream_pump(struct session *s, struct stream *st); /* all that is due, and what the leg tells */
uint64_t stream_deadline(const struct session *s, const struct stream *st);
void session_conclude(struct session *s);

#endif
