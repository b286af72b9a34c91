/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run leaves behind in memory: what the summary, the ladder and the search for the culprit read. */
#ifndef TP_SCENARIO_RECORD_H
#define TP_SCENARIO_RECORD_H

#include "models/base/io.h"
#include "models/firewall/firewall.h"
#include "sim/net.h"
#include "models/base/arena.h"

/* A message as its sender's system named it. Nodes by name; to: an address where no node could be told, set when the
 * run is over. */
struct run_message {
    uint64_t t_ns;
    const char *from, *to, *name;
    struct endpoint local, remote;
    size_t bytes;     /* of the message */
    size_t frame_len; /* of an Ethernet frame that carries it whole, without TCP options */
    unsigned phase;   /* index + 1; 0: before the first */
};

struct run_phase {
    const char *name;
    uint64_t start_ns, end_ns;
};

struct run_drop {
    uint64_t t_ns;
    const char *node, *port, *reason, *advice; /* advice: NULL for what a link lost */
    const struct fw_rule_ref *rule;            /* borrowed from the rules, or NULL */
    struct fw_flow flow, translated;
    bool link; /* lost on a link, node and port sent it */
    unsigned phase;
};

struct run_failure {
    uint64_t t_ns;
    const char *host, *text;
    struct endpoint remote; /* unset: nobody in particular */
    unsigned phase;
};

struct run_result {
    const char *host, *key, *value;
};

enum run_service_state { SERVICE_WANTED, SERVICE_UP, SERVICE_DEGRADED, SERVICE_FAILED, SERVICE_LOST, SERVICE_DONE };

/* What a host gives its people (NOTE_SERVICE), and the last that became of it. */
struct run_service {
    const char *host, *name, *text; /* text: how or why; "" */
    enum run_service_state state;
    struct endpoint remote; /* whom it could not reach; unset: nobody in particular */
    uint64_t first_ns, up_ns, t_ns; /* first spoken of; first up (TIME_NEVER: never was); since when in this state */
    unsigned losses;                /* how often it was lost */
};
bool service_holds(const struct run_service *s); /* it works, be it degraded, or ended as it should */
const char *service_state_text(enum run_service_state state); /* "up", as in the note */

/* A row of the conformance catalogue that the run put to the proof at a relay. */
struct run_conformance {
    const char *id, *level, *text; /* text: what is required */
    const char *saw;               /* what was seen instead; NULL: it holds */
    bool holds, decides;           /* decides: it does not hold, and it must */
};

/* A row of the port tables, and what of the run it carried. Strings are borrowed from the tables. */
struct run_row {
    const char *table, *id, *purpose;
    bool never;                                  /* it must not carry anything */
    uint64_t packets, bytes /* of payload */, connections /* of TCP */, first_ns; /* first_ns: TIME_NEVER: none */
    const char *opened_by; /* the row as whose answers some of these packets pass firewalls; NULL: none */
};

/* A growing list of any of these; items of one record live in its arena. */
#define RUN_LIST(element) \
    struct { \
        element *items; \
        size_t count, cap; \
    }

struct record {
    const char *engine;
    uint64_t seed, end_ns;
    RUN_LIST(struct run_message) messages;
    RUN_LIST(struct run_phase) phases;
    RUN_LIST(struct run_drop) drops;
    RUN_LIST(struct run_failure) failures, hints;
    RUN_LIST(struct run_result) results;
    RUN_LIST(struct run_service) services;
    RUN_LIST(struct run_conformance) conformance;
    RUN_LIST(struct run_row) rows; /* those that apply; none unless they were counted */
    bool complete; /* the last phase was ended by the system that noted it */
    char trace_sha256[65];
    struct net_stats stats;
    struct arena arena;
};

void record_message(struct record *r, const struct run_message *m); /* strings are copied where they are not static */
void record_drop(struct record *r, const struct run_drop *d);
void record_note(struct record *r, uint64_t now_ns, const char *host, enum io_note note, const struct endpoint *remote,
                 const char *text);
void record_row(struct record *r, const struct run_row *row);
void record_conformance(struct record *r, const struct run_conformance *c);
/* The run is over and a call was planned at a host: if nothing was noted of any of its services, it failed. */
void record_planned(struct record *r, uint64_t now_ns, const char *host, const char *call);
/* The run is over: what is still open ends. */
void record_end(struct record *r, uint64_t now_ns);
void record_free(struct record *r);

/* The name of a phase by its number + 1; "" for 0. */
const char *record_phase(const struct record *r, unsigned phase);
/* A result by host and key; NULL: there is none. */
const char *record_result(const struct record *r, const char *host, const char *key);

/* One direction of a share, as its two ends noted it. */
struct run_share {
    const char *from, *to; /* to NULL: nobody received one */
    const char *sent_bytes, *received_bytes, *sha256;
    bool complete; /* what arrived is what was sent, in order, once */
};
/* The index-th; false: there are fewer. */
bool record_share(const struct record *r, size_t index, struct run_share *out);

#endif
