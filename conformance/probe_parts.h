/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of a probe. */
#ifndef TP_CONFORMANCE_PROBE_PARTS_H
#define TP_CONFORMANCE_PROBE_PARTS_H

#include <setjmp.h>

#include "conformance/bench/bench.h"
#include "conformance/probe.h"
#include "models/base/arena.h"
#include "models/base/rng.h"

enum line_kind { KIND_STREAM, KIND_LISTENER, KIND_UDP };

/* A datagram that came and was not looked at. */
struct parcel {
    struct parcel *next;
    struct endpoint from;
    uint64_t t_ns;
    size_t len;
    const uint8_t *data;
};

/* A request that was sent again over UDP and has its answer: the others are passed over. */
struct settled {
    struct settled *next;
    struct stun_id id;
};

/* A message that came while another was waited for. */
struct kept {
    struct kept *next;
    struct heard heard;
};

struct line {
    struct probe *p;
    struct line *next;
    struct line *listener; /* that accepted it */
    enum line_kind kind;
    enum place at;
    unsigned number;       /* as the transcript names it */
    net_sock sock;         /* 0: gone */
    struct endpoint local, remote;
    bool connected, taken, paused, fin, failed, reset;
    int err;
    uint8_t *in;           /* stream: [from, from + len) came and was not looked at */
    size_t in_from, in_len, in_cap;
    uint64_t in_t_ns;      /* when the last of it came */
    struct parcel *parcel, **parcel_tail;
    struct kept *kept;
    struct settled *settled;
    const struct login *login; /* UDP: who last signed a request, and whether he may have an allocation */
    bool allocated;
    unsigned icmp;
};

struct message {
    struct probe *p;
    uint8_t *bytes;
    size_t len;
    const struct login *login; /* that signed it */
};

struct record; /* of the transcript */

struct probe {
    struct bench *bench;
    const struct requirement *row;
    struct arena arena;
    struct rng rng;
    struct line *lines, **lines_tail;
    struct line **by_sock;
    size_t by_sock_count;
    unsigned line_count;
    uint16_t next_port;
    bool woken, silent[PLACES];
    uint64_t deadline_ns; /* of what is judged in real time: nothing lasts for ever */
    jmp_buf end;
    enum outcome outcome;
    char *saw;
    struct record *record, **record_tail;
    size_t recorded;
    struct subject *subject;
    struct login *server_login; /* scripts: how the client that is judged signs */
};

/* Lets the world run until holds(arg), or that time. What holds says. */
bool probe_until(struct probe *p, bool (*holds)(void *arg), void *arg, uint64_t t_ns);
void *probe_alloc(struct probe *p, size_t size); /* zeroed, gone with the probe */
/* From its row's function on, on a bench made for it: what became of it. */
void probe_run(struct bench *b, const struct requirement *row, struct probe *p, struct verdict *out);
struct probe *probe_new(const struct requirement *row, uint64_t seed);
void probe_free(struct probe *p);
void probe_event(void *probe, const struct net_event *ev); /* a net_handler */

/* Listeners of a place whose silence is a matter of sockets. */
void line_deafen(struct line *l, bool deaf);
struct parcel *line_unpack(struct line *l); /* the next datagram; NULL: none */
void line_settle(struct line *l, const struct message *m); /* it has its answer: another is not told */

/* ---- transcript ---- */

enum record_kind { RECORD_SENT, RECORD_CAME, RECORD_NOTE };
void transcript_bytes(struct line *l, enum record_kind kind, const struct endpoint *other, const void *data,
                      size_t len);
void transcript_note(struct line *l, const char *what); /* static text */
/* As text, from malloc; NULL: nothing happened. */
char *transcript_text(const struct probe *p);

/* ---- the client that is judged ---- */

struct host *subject_host(void *probe, struct net *net);
void subject_free(struct subject *s);

#endif
