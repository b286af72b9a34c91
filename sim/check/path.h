/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a set of packets through a topology, hop by hop, with the exact answer of each firewall on it. What a
 * firewall denies goes on, translated, as if it had passed, so that one walk finds everything that is wrong. Then the
 * way back: answers leave by the routes of whoever got the packets, and a firewall admits them if it has seen what they
 * answer. */
#ifndef TP_CHECK_PATH_H
#define TP_CHECK_PATH_H

#include "sim/check/way.h"

/* A firewall that packets have gone through, and those before it; newest first. */
struct path_step {
    const struct path_step *before;
    unsigned node;
    int in; /* interface of its rules */
    const struct fw_part *part;
};

/* What came to a firewall at once. */
struct path_visit {
    unsigned node;
    int in; /* negative: an interface that the rules do not know */
    struct fw_part *part;
    size_t count;
    const struct path_step *before;
    /* Of answers: the step of the way there that they answer; NULL: this firewall has not seen it, or saw it go out by
     * another interface (`left_by`, negative: not seen). */
    const struct path_step *answers;
    int left_by;
};

/* Where packets ended. */
struct path_end {
    struct fw_region packets; /* as they arrived */
    enum fw_decision worst;   /* of the firewalls on the way: PERMITTED, UNKNOWN or DENIED */
    const struct path_step *steps;
    unsigned node;
    int port;        /* they came in by; negative: they have not left the node that they begin at */
    const char *why; /* NULL: they are where they must be. "no route", "nobody there", "in a circle", "not for it" */
    struct ip_addr hop; /* "nobody there": a gateway; unset: the destination */
};

struct path {
    struct path_visit *visit;
    size_t visits, visit_cap;
    struct path_end *end;
    size_t ends, end_cap;
};

struct path_request {
    unsigned from, to;
    bool behind;              /* `to` is a router that stands for all behind it */
    bool only_permitted;      /* what is denied stops there */
    struct fw_region packets; /* as they leave `from` */
    uint8_t states, tcp_flags;
    const struct path_step *answers; /* the way that they answer; NULL: they begin */
};

/* All in s; ask fw_space_error afterwards. 0; what fw_exact returns. */
int path_walk(const struct ways *w, const struct path_request *q, struct fw_space *s, struct path *out);

#endif
