/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls and their streams (assent.c), their ports (assent_port.c), and who may send (assent_latch.c): private to
 * these. */
#ifndef TP_ACTORS_ASSENT_PARTS_H
#define TP_ACTORS_ASSENT_PARTS_H

#include "models/actors/assent.h"
#include "models/actors/assent_sdp.h"
#include "models/base/hash.h"
#include "models/base/time.h"

/* One end of a stream. */
struct face {
    enum assent_face kind;
    io_id sock;             /* its own, or one of the shared pairs' */
    uint16_t port;          /* 0: not opened */
    struct endpoint remote; /* where to: by the description, or (ENDPOINT) found out; port 0: not known */
    bool heard;             /* media, or an empty datagram, has come from there */
    uint64_t heard_ns, sent_ns;
    uint32_t ssrc; /* ENDPOINT: of what came last, as the next */
    uint16_t seq;
    bool told;     /* that somebody else sends to it */
};

struct stream {
    struct face face[2];
};

struct medium {
    bool used;
    unsigned pair; /* of the shared ones */
    struct stream stream[2]; /* RTP, RTCP */
};

struct anchored {
    bool used, established;
    uint32_t number;
    uint8_t call_id[HASH_SHA256], caller[HASH_SHA256]; /* digests of Call-ID, and of the tag of the INVITE's From */
    unsigned side[2];
    struct ip_addr signalled, described; /* of an endpoint: where its messages and its media come from */
    uint64_t active_ns;
    struct medium medium[ASSENT_MEDIA_MAX];
};

/* A face in a number, for the tables by port: 0 is none. */
struct face_at {
    uint32_t call;
    uint8_t medium, stream, face;
};

struct assent {
    struct io *io;
    unsigned owner;
    struct assent_config cfg;
    io_id shared[ASSENT_PAIRS_MAX][2];
    uint64_t tick_at_ns; /* TIME_NEVER: no calls */
    uint32_t next_number, count;
    unsigned next_pair;
    uint16_t next_port;
    struct anchored *call;
    uint32_t *by_port;   /* own port - first_port: the face in a number; OPENED ports alone */
    uint32_t *by_source; /* C's port: the face that it was last seen for */
};

uint32_t face_number(const struct face_at *at);
struct face_at face_of(uint32_t number);

/* ---- assent_port.c ---- */

/* Opens its ports towards side `face`; false: none is left. */
bool medium_open(struct assent *a, uint32_t call, unsigned medium, unsigned face);
void medium_close(struct assent *a, struct medium *m);
/* The face that a datagram came to; false: nobody's. */
bool port_find(struct assent *a, const struct io_in *in, struct face_at *out);
uint16_t shared_port(const struct assent *a, unsigned pair, unsigned rtcp);

/* ---- assent_latch.c ---- */

/* Whether the datagram may come in at that face; if so, what it tells is kept. */
bool face_takes(struct assent *a, struct anchored *c, struct medium *m, const struct face_at *at,
                const struct io_in *in);

#endif
