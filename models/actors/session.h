/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The media of one call at one end: gathers, describes itself in SDP (RFC 3264), connects, sends and receives RTP and
 * RTCP of audio and video at stated rates (media.h), watches whether both directions flow, and notes its services:
 *     guest-1/audio wanted
 *     guest-1/audio up host -> relay over udp
 *     guest-1/audio lost nothing has come for 30 s
 * degraded: media comes, but no RTCP, so nobody knows what became of ours; or it goes through another relay than the
 * first of those configured, or through one at all where a direct way was wanted. When it is closed its counters are
 * noted as results ("guest-1/audio.received=1500"). Data of another call is a failure, and noted as one.
 * A core over base/io.h; signalling is the user's. */
#ifndef TP_ACTORS_SESSION_H
#define TP_ACTORS_SESSION_H

#include "models/actors/call.h"
#include "models/actors/media.h"
#include "models/base/io.h"
#include "models/sip/sdp.h"

enum session_dialect {
    SESSION_PLAIN,     /* RTP on an even port, RTCP on the next, to the addresses in the SDP (RFC 3605) */
    SESSION_ICE,       /* RFC 8445 over UDP, consent (RFC 7675), RTP and RTCP on one port, SDP as RFC 8839 */
    SESSION_MICROSOFT, /* the same in the dialect of [MS-ICE2], without consent */
};

enum { SESSION_RELAYS_MAX = 4 };
enum session_relay_kind { SESSION_TURN_UDP, SESSION_TURN_TCP, SESSION_MS_TURN /* over UDP */ };
struct session_relay {
    enum session_relay_kind kind;
    struct endpoint server;
    const char *user, *password; /* borrowed */
};

/* Which session a socket is of, for a system with several (at most `sockets` sockets at a time). NULL: no memory. */
struct session;
struct session_map;
struct session_map *session_map_new(size_t sockets);
void session_map_free(struct session_map *map); /* after its sessions */
struct session *session_map_find(const struct session_map *map, io_id id); /* NULL: no session's */

struct session_config {
    const char *name;             /* of its services and random streams; borrowed */
    enum session_dialect dialect;
    bool controlling;             /* ICE role */
    bool latch;                   /* PLAIN: answer to where media comes from (the other end is behind a NAT) */
    unsigned media;               /* enum call_media AUDIO, VIDEO; an answerer's are those offered and in here */
    struct ip_addr address;       /* its own: sockets, host candidates, c= */
    uint16_t first_port, last_port;
    bool host_candidates;
    bool direct_wanted;           /* a way through a relay of ours is worse than it should be: degraded */
    const char *indirect_text;    /* what else is said of such a way; borrowed; NULL: nothing */
    struct session_relay relay[SESSION_RELAYS_MAX]; /* tried in order until one allocates */
    size_t relay_count;
    struct media_config audio, video; /* the payload type is the offer's, once there is one */
    uint64_t gather_timeout_ns;   /* for each relay; 0: 3 s */
    uint64_t check_timeout_ns;    /* from agreement until media has to flow; 0: 30 s */
    uint64_t silence_ns;          /* without any packet, or report of ours, before it is lost; 0: 30 s */
    struct session_map *map;      /* where its sockets are put down, or NULL */
};

enum session_event_kind {
    SESSION_DESCRIBED, /* text: our offer or answer, NUL-terminated, borrowed until the next call */
    SESSION_UP,        /* each medium that was agreed on flows both ways, or has failed; one at least flows */
    SESSION_FAILED,    /* text: why nothing ever came up. Close it */
    SESSION_LOST,      /* text: why nothing flows any more. Close it */
};
struct session_event {
    enum session_event_kind kind;
    const char *text; /* borrowed until the next call */
};

struct session *session_new(struct io *io, unsigned owner, const struct session_config *cfg); /* NULL: no memory */
/* Sockets are closed. After session_close: not before session_closed, or relays are left to expire. */
void session_free(struct session *s);

/* SESSION_DESCRIBED follows (or SESSION_FAILED). Again later: describes it as it is now (hold). */
void session_offer(struct session *s);
/* The same for an answer; an offer may come again. E_UNSUPPORTED: nothing in it that we can take. */
int session_answer(struct session *s, const struct sdp *offer);
/* To our offer. E_UNSUPPORTED: nothing that we can take is left; the services have failed. */
int session_answered(struct session *s, const struct sdp *answer);
void session_mute(struct session *s, bool mute); /* we send nothing but RTCP and what keeps the way open */
/* Neither sends nor expects. Signalling tells the other end: session_offer describes it as inactive. */
void session_hold(struct session *s, bool hold);
/* RTCP BYE, relays released, sockets closed; services done. */
void session_close(struct session *s);
bool session_closed(const struct session *s); /* ... and relays have answered, or will not */

/* false: not about a socket of this session. IO_TICK and other events without an id go to each session. */
bool session_input(struct session *s, const struct io_in *in);
uint64_t session_deadline(const struct session *s);
bool session_poll(struct session *s, struct session_event *out);

/* Of AUDIO or VIDEO; all zero when it has none. */
struct media_count session_counted(const struct session *s, enum call_media medium);

#endif
