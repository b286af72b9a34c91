/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong, as the story shows it: a table of causes, each with a judge of its own. */
#ifndef TP_DIAGNOSE_CAUSES_H
#define TP_DIAGNOSE_CAUSES_H

#include "sim/diagnose/cms_log.h"
#include "sim/diagnose/story.h"

enum { FINDINGS = 64, EVIDENCE = 8, DOUBTS = 16, SENTENCE = 480, EVIDENCE_TEXT = 160 };

/* Whether firewalls on the way between the two ends may be why. */
enum cause_way { WAY_NOT_BLAMED, WAY_BLAMED, WAY_IDLE /* for what they forget */ };

struct cause {
    const char *id;
    const char *words; /* what it is, in a line */
    const char *todo;  /* what to check, and what mends it */
    enum cause_way way;
};

/* A flow whose way is worth a look. to unset: there is none; from unset: it was not seen. */
struct blamed {
    enum ip_proto proto;
    struct endpoint from, to;
    bool idle;
};

/* Something that was seen. frame 0 and line 0: what is said has no place of its own. */
struct evidence {
    struct mark at;
    size_t line; /* of the log, from 1 */
    char text[EVIDENCE_TEXT];
};

struct finding {
    const struct cause *cause;
    unsigned times;        /* that the same was found, between the same hosts */
    struct endpoint client, server;
    char saw[SENTENCE];
    struct blamed blamed;
    const char *advice;    /* beyond the cause's `todo`; NULL */
    struct evidence evidence[EVIDENCE];
    size_t evidences;
};

enum diagnosis_verdict { DIAGNOSIS_WELL, DIAGNOSIS_CAUSE, DIAGNOSIS_NOT_ENOUGH };

struct diagnosis {
    enum diagnosis_verdict verdict;
    struct finding finding[FINDINGS]; /* most likely first */
    size_t findings, findings_left_out;
    char doubt[DOUBTS][SENTENCE];     /* what the capture does not show */
    size_t doubts;
    struct {
        unsigned talks, tcp_allocations, udp_allocations, attempts, bound, valid;
        unsigned checked; /* TCP connections without TURN whose checks were complete */
    } count;
};

/* log NULL: none. out is some 100 kB: not for the stack. */
void diagnose_story(const struct story *s, const struct cms_log *log, struct diagnosis *out);

size_t causes_count(void);
const struct cause *causes_row(size_t i); /* in the order of likelihood */

#endif
