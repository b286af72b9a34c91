/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call as a topology plans it, for the system that makes it. The one that is called learns of it from signalling
 * alone: the call's name is the user of its From. */
#ifndef TP_ACTORS_CALL_H
#define TP_ACTORS_CALL_H

#include <stddef.h>
#include <stdint.h>

enum call_media { CALL_AUDIO = 1, CALL_VIDEO = 2, CALL_SHARE = 4 };

struct call_span {
    uint64_t at_ns, for_ns; /* at: since the call was begun */
};

struct call_plan {
    const char *name;       /* "guest-1": what its services are called by */
    const char *to;         /* "sip:meeting@acme.example" */
    unsigned media;         /* enum call_media, any of them */
    uint64_t at_ns, for_ns; /* hung up after for_ns; TIME_NEVER: not */
    const struct call_span *mute, *hold;
    size_t mute_count, hold_count;
};

#endif
