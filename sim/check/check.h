/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check itself: the questions that port tables put to a topology, asked of its firewalls; what is found. */
#ifndef TP_CHECK_CHECK_H
#define TP_CHECK_CHECK_H

#include "sim/check/answer.h"
#include "sim/check/bind.h"
#include "sim/check/path.h"

/* A firewall on the way of a question's packets. */
struct check_seen {
    unsigned node;
    int in, out; /* interfaces of its rules; out negative: none */
    const struct bind_question *question;
    const struct fw_rule_ref *nat_dst, *nat_src;
    bool dynamic; /* the source is translated to a pool */
};

/* What a firewall must let through: the packets of all rows by the interface that they come in by, as they arrive, as
 * rules say it: who is outside is anybody, and a port that a host takes for itself is any. */
struct check_need {
    struct fw_region all[FW_IFACE_MAX];
};

struct check {
    const struct topology *topology;
    const struct bound *bound;
    struct ways ways;
    struct check_report *report;
    struct fw_space *space; /* of one question */
    struct fw_space *keep;  /* until the check ends */
    struct check_need *need; /* by node */
    LIST_OF(struct check_seen) seen;
    struct arena arena; /* of the lists here */
};

/* Packets of a question that a firewall does not let through, or does not know of, while their sets live. */
struct check_blocked {
    unsigned node;
    const struct bind_question *question;
    const struct path_visit *visit;
    const struct fw_part *part;
    struct check_hop *hop; /* NULL: of answers, or of what must not pass */
    bool answers;          /* of a firewall without state: they answer the question's packets */
};

/* Who wants to look while the sets of a question live; NULL members: nobody. */
struct check_watch {
    void (*blocked)(void *ctx, struct check *c, const struct check_blocked *b);
    void (*visited)(void *ctx, struct check *c, const struct path_visit *v); /* of packets that begin */
    void *ctx;
};

/* Asks all questions: the report's answers, skips and files are filled in. A question that is too entangled for the
 * memory, or for the pieces of masks, that are allowed is UNKNOWN, and says so. watch may be NULL. */
void check_ask(struct check *c, const struct check_watch *watch);

/* The opening of a check over a bound topology: an empty report. All is borrowed. E_NOMEM. */
int check_open(struct check *c, const struct topology *t, const struct bound *b);
/* The report stays; it is the caller's. */
void check_close(struct check *c);
void check_report_free(struct check_report *r);

/* The packets of a question, as they leave. */
struct fw_region check_packets(const struct bind_question *q, struct fw_space *s);
/* The region in few boxes; those that are not listed are counted. What is all that q (NULL: none) speaks of, or speaks
 * of in the other direction when these are answers, is marked. */
struct check_boxes check_boxes_of(struct arena *a, struct fw_space *s, const struct fw_region *r,
                                  const struct bind_question *q, bool answers);
/* A copy that lives in another space. */
struct fw_region check_region_copy(struct fw_space *to, const struct fw_region *r);

#endif
