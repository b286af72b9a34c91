/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue: every requirement of the RFCs, and of Microsoft's dialects as far as bytes can show it, one row each.
 * A row has a check, or a written reason why it cannot have one. Ids are stable: RFC, section, number in the section.
 *
 * A check is of one of two kinds, and both see bytes only. A probe acts: as client and peers of a server, or as the
 * server of a client (probe.h). A monitor watches a trace of whatever made it (monitor.h). Rows stand in tables, one
 * file an RFC section, beside the functions that check them; catalogue.c lists the tables. */
#ifndef TP_CONFORMANCE_CONFORMANCE_H
#define TP_CONFORMANCE_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 2119's words; and what the RFCs say without one. STATED and DERIVED hold as MUST does. OPEN: the RFC is silent;
 * what an implementation does is reported, never failed. */
enum level {
    LEVEL_MUST,
    LEVEL_MUST_NOT,
    LEVEL_STATED,  /* the text says it as a fact */
    LEVEL_DERIVED, /* it follows from two or more rules */
    LEVEL_SHOULD,
    LEVEL_SHOULD_NOT,
    LEVEL_MAY,
    LEVEL_OPEN,
};

/* Whom a row binds. */
enum who { WHO_SERVER = 1, WHO_CLIENT = 2, WHO_PEER = 4, WHO_NAT = 8 };

/* What a probe needs of its bench beyond one server, client and peer over IPv4; a bench without it skips the row. */
enum need {
    NEED_IP6 = 1,          /* server, client and peer have IPv6 */
    NEED_CLIENT2 = 2,      /* a second client address */
    NEED_PEER2 = 4,        /* a second peer address */
    NEED_USER2 = 8,        /* a second user */
    NEED_SILENT_PEER = 16, /* a peer that can be made not to answer, and to answer again */
    NEED_CLIENT = 32,      /* the client is judged: the probe is its server */
    NEED_ALONE = 64,       /* disturbs others: fills tables, counts allocations */
    NEED_PACKETS = 128,    /* sees whole IP packets, not only what sockets tell */
    NEED_UDP_CLIENT = 256, /* the server serves clients over UDP */
    NEED_ICMP = 512,       /* UDP sockets are told of ICMP errors */
    NEED_LAST = NEED_ICMP,
};

/* How the server has to be set up for a row. A simulated one is; of a live one the user says how it is. */
enum setup {
    SETUP_PLAIN,     /* TCP and UDP relays, one or two users */
    SETUP_TCP_ONLY,  /* UDP relays are forbidden by policy */
    SETUP_UDP_ONLY,  /* without RFC 6062 */
    SETUP_QUOTA,     /* SETUP_QUOTA_ALLOCATIONS allocations for each user */
    SETUP_REDIRECT,  /* full, and knows an alternate server */
    SETUP_IP4_ONLY,  /* no IPv6 relays */
    SETUP_IP6_ONLY,  /* no IPv4 relays */
    SETUP_FEW_PORTS, /* SETUP_PORTS relay ports */
    SETUP_DENY,      /* the second peer's address is denied by the operator */
    SETUP_RFC5766,   /* channels up to 0x7FFE */
    SETUP_ICE,       /* not a server but an ICE agent of [MS-ICE2]: bench/agent.h */
    SETUP_NAT,       /* no server: the clients are behind a NAT, peers outside of it */
    SETUP_MSTURN,    /* not a server of RFC 8656 but an Edge's relay, [MS-TURN] over pseudo-TLS */
    SETUPS,
};
enum { SETUP_QUOTA_ALLOCATIONS = 3, SETUP_PORTS = 6 };

struct probe;

struct requirement {
    const char *id;      /* "6062-5.2-3" */
    const char *section; /* "5.2" */
    enum level level;
    unsigned who;
    const char *text;    /* what is required, in our words */
    /* One of these, unless a monitor judges the row (monitors_watch). */
    void (*probe)(struct probe *p);
    const char *none;    /* why it cannot be judged */
    /* Of the probe. */
    unsigned needs;
    enum setup setup;
    unsigned seconds;    /* timers that have to run out: at least so long against a live server; 0: moments */
};

/* Rows of one section, and the sections of one document: `rfc6062/` has the file of rfc6062, and so on. */
struct section {
    const struct requirement *row;
    size_t count;
};
#define SECTION(rows) {(rows), sizeof(rows) / sizeof *(rows)}

struct document {
    const char *name; /* "RFC 6062" */
    const struct section *const *section;
    size_t count;
};
extern const struct document rfc6062, rfc8656, rfc8489, microsoft, nat;

/* All of them, in the order of the documents: i < catalogue_count(). */
size_t catalogue_count(void);
const struct requirement *catalogue_row(size_t i);
const struct requirement *catalogue_find(const char *id); /* NULL: no such */
const struct document *catalogue_document(const struct requirement *row); /* of a row of the catalogue */
const char *level_name(enum level level);                 /* "MUST NOT" */
/* Whether a failed row of that level is a failure of the whole run. */
bool level_decides(enum level level, bool strict);
const char *setup_name(enum setup setup);                 /* "tcp-only" */

/* What became of a row on a bench. */
enum outcome {
    OUTCOME_PASS,
    OUTCOME_FAIL,
    OUTCOME_DEFINED, /* implementation-defined: what was seen is in `saw` */
    OUTCOME_SKIP,    /* not judged: why is in `saw` */
};

struct verdict {
    const struct requirement *row;
    enum outcome outcome;
    char *saw;       /* a sentence; NULL for a plain pass. Owned */
    char *exchange;  /* the messages with time, direction, bytes in hex and decoded, one or more lines each. Owned */
    uint64_t took_ns;
};

#endif
