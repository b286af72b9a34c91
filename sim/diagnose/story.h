/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story of a capture: who asked which TURN server for what, and how it went on. Conversations come as models/trace
 * tells them and models/dialogue reads them; what holds at a moment is the monitors' scene; what stays is here, each
 * thing with the frame that showed it. Nothing is judged.
 *
 * Memory is bounded: of flows without TURN only those are kept that did not open, and of all kinds of things no more
 * than the limits below. What found no room is counted. */
#ifndef TP_DIAGNOSE_STORY_H
#define TP_DIAGNOSE_STORY_H

#include "conformance/monitor/scene.h"

enum {
    STORY_LEGS = 1 << 18, /* more than models/trace follows at a time */
    STORY_EXCHANGES = 65536,
    STORY_ATTEMPTS = 16384,
    STORY_LINES = 1 << 16,
    STORY_TEXT = 128,
    STORY_LABEL = 64,
    STORY_FIELDS = 4096,    /* messages that are told with their fields */
    STORY_ANNOUNCED = 1024,
    STORY_KEPT = 1 << 23,   /* bytes of all of these */
};

/* When something was seen. frame 0: it was not. */
struct mark {
    uint64_t frame, t_ns;
};

/* By its first bytes. */
enum speech { SPEAKS_NOTHING, SPEAKS_STUN, SPEAKS_TLS, SPEAKS_HTTP, SPEAKS_SIP, SPEAKS_MS_TURN,
              SPEAKS_OTHER };

/* One direction of a leg. */
struct leg_side {
    enum speech speech;
    uint64_t bytes, missing; /* seen; not seen, of a TCP stream */
    uint64_t payload;        /* of bytes: behind ConnectionBind, checks not counted */
    struct mark first, last, fin;
};

/* A request of a TURN client and its answer. */
struct exchange {
    struct exchange *earlier; /* on the same leg */
    struct stun_id id;
    uint16_t method;
    bool with_credentials, has_lifetime;
    uint32_t lifetime_s;
    struct mark asked, answered;
    unsigned sent;
    int code;                /* of an error; 0: success */
    struct endpoint peer;    /* the first XOR-PEER-ADDRESS; unset: none */
    char realm[STORY_TEXT];  /* that the request named */
    char answer_realm[STORY_TEXT];
    uint64_t silence_ns;     /* of the leg before it was asked */
};

/* ICE checks on a connection. [0]: sent by who opened the connection, [1]: by the other. Answers are those to a check
 * that was seen. */
struct checks {
    struct mark request[2], success[2], error[2];
    int code[2]; /* of the error */
    struct {
        struct stun_id id[8];
        unsigned count;
    } asked[2];  /* that may still be answered: the latest */
};

struct allocation_story {
    struct mark granted, last_refresh, deleted;
    struct endpoint relayed, mapped;
    enum ip_proto transport; /* as in REQUESTED-TRANSPORT */
    uint32_t lifetime_s;
    uint64_t expires_ns;
    struct mark permission; /* the first CreatePermission that succeeded */
};

/* A SIP request in clear, and its answer on the same leg. */
struct sip_request {
    struct sip_request *earlier;
    uint32_t call, cseq;  /* call: a digest of the Call-ID */
    bool by;              /* which end of the leg asked */
    bool share;           /* an INVITE with m=applicationsharing */
    char method[16];
    struct mark asked, answered; /* answered: the latest response */
    unsigned code;        /* of it; 0: none */
    char phrase[64];      /* of a refusal */
    unsigned diagnostics; /* ms-diagnostics of a refusal; 0: none */
    char reason[STORY_TEXT]; /* the header field's value */
    uint64_t silence_ns;  /* of the leg before it was asked */
};

/* What a TURN client and a server say to each other. */
struct talk {
    struct exchange *latest;
    bool middle;          /* begins with neither Allocate nor ConnectionBind */
    bool knew;            /* the first request had credentials, so there was a challenge before */
    bool control;         /* something other than ConnectionBind was asked */
    uint8_t client;       /* which end of the leg */
    char user[STORY_TEXT], software[STORY_TEXT];
    struct allocation_story allocation;
    struct mark keep_alive; /* the last Binding indication */
};

/* What a Skype client and its Edge's relay say to each other ([MS-TURN]). */
struct ms_talk {
    struct mark hello[2]; /* pseudo-TLS of the client, of the server */
    struct mark asked, answered, granted; /* Allocate: the first request, the latest answer, the success */
    bool with_credentials; /* the latest request had */
    int code;             /* of the latest answer; 0: success, or none */
};

/* An address in a session description: where media are to go, or an ICE candidate. */
struct announced {
    struct mark at;
    struct endpoint by, told; /* the signalling's ends: who described, and to whom */
    struct endpoint address;
    bool udp, candidate, tried; /* tried: some packet went there */
    bool one_way;   /* described as sendonly, recvonly or inactive: mute, hold */
    uint32_t clock; /* of RTP there, Hz */
    char what[48];  /* "audio", "applicationsharing, relay candidate" */
};

/* RTP of one direction. */
struct rtp_story {
    uint64_t packets, expected; /* expected: by sequence numbers, of all sources */
    struct mark first, last;
    uint32_t ssrc, transit, jitter; /* jitter: 16ths of the clock's units */
    uint16_t highest;
};

/* One TCP connection, or one pair of UDP endpoints. */
struct leg {
    struct leg *next;             /* in its bucket */
    struct leg *before, *after;   /* by when it was first seen */
    uint32_t flow;
    enum ip_proto proto;
    struct endpoint end[2]; /* who opened it, or spoke first; and the other */
    bool middle;            /* its start was not seen */
    unsigned syns;
    struct mark syn, agreed, open, rst, icmp; /* the first of each; of RST and ICMP the last */
    uint8_t rst_by;         /* which end */
    uint8_t icmp_type, icmp_code;
    struct ip_addr icmp_from;
    struct leg_side side[2];
    uint64_t silence_ns;    /* the longest that nothing was seen */
    struct mark silence_end;
    uint64_t last_silence_ns; /* before what was seen last */
    struct talk *talk;      /* NULL: no TURN */
    struct ms_talk *ms;     /* NULL: no [MS-TURN] */
    struct checks *checks;  /* NULL: none */
    struct attempt *attempt; /* that this leg was bound to */
    struct sip_request *sip_latest;
    struct sip_leg *sip;     /* NULL: no SIP */
    unsigned announced;      /* which ends' addresses were, as bits */
    bool one_way;            /* as a description wants it */
    uint32_t clock;
    struct rtp_story *rtp;   /* by end; NULL: none */
};

/* A peer's connection to the relayed address, or the relay's to a peer, that wants a ConnectionBind. */
struct attempt {
    struct leg *control;
    uint32_t connection;
    bool connect;         /* the client asked for it by Connect; else ConnectionAttempt told of it */
    struct endpoint peer;
    struct mark told;
    struct exchange *bind; /* the latest request for it; NULL: none was seen */
    struct leg *leg;       /* of that request */
};

/* A message, or what else is worth a row of the ladder. */
struct line {
    struct mark at;
    struct endpoint from, to;
    enum { LINE_OTHER, LINE_STUN, LINE_CHANNEL } kind;
    bool framed;   /* RFC 4571, or a unit of [MS-TURN] */
    bool again;    /* like one before: a further check, a request sent again, payload on its way */
    uint16_t type; /* of STUN; of ChannelData the channel */
    char label[STORY_LABEL];
    const struct stun_dialect *dialect;
    uint8_t *message; /* of STUN, its bytes; NULL: too many messages have them */
    size_t len;       /* of the message; of ChannelData its payload */
};

struct story {
    struct leg *first_leg, *last_leg;
    struct attempt **attempt; /* in the order in which they were first seen */
    struct line *line;
    size_t legs, attempts, lines, exchanges, room; /* room: for lines */
    uint64_t flows, lines_left_out, missed;
    size_t kept; /* bytes of messages */
    size_t announcements;
    struct announced announced[STORY_ANNOUNCED];
    size_t sip_requests;
    struct mark share_asked; /* the first INVITE with m=applicationsharing */
    struct mark last; /* frame of the capture, once it is over */
    struct scene scene;
    struct leg *bucket[1024];
};

/* A story that is all zero is one to begin with. */
void story_free(struct story *s);
/* Takes what models/dialogue tells: a said_handler. */
void story_hear(void *story, const struct said *said);
/* The capture is over, with that frame at that time. */
void story_end(struct story *s, uint64_t frame, uint64_t t_ns);

/* The ends of a talk. */
const struct endpoint *leg_client(const struct leg *l);
const struct endpoint *leg_server(const struct leg *l);
/* Nothing came from an end although the other acknowledged it: only one direction was captured. */
bool leg_one_sided(const struct leg *l);
/* Bytes are missing in either direction, or its start is. */
bool leg_incomplete(const struct leg *l);
/* Both directions have had a check and its success (facts of the deployment; RFC 8445 7.2.5). */
bool checks_complete(const struct leg *l);

#endif
