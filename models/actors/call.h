/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call as a topology plans it, for the system that makes it. The one that is called learns of it from signalling
 * alone: the call's name is the user of its From. */
#ifndef TP_ACTORS_CALL_H
#define TP_ACTORS_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/io.h"

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

/* Whether one of the spans has this moment, since the call was begun. */
bool call_in_span(const struct call_span *span, size_t count, uint64_t since_ns);
/* The next moment after this one at which the plan has something to do: mute or hold begin or end, the call ends.
 * TIME_NEVER: nothing more. */
uint64_t call_next(const struct call_plan *p, uint64_t since_ns);

/* Notes services of a call (NOTE_SERVICE): of its signalling, or of each of the media; what: "wanted", "up ...". */
void call_note_signalling(struct io *io, const char *call, const char *what);
void call_note_media(struct io *io, const char *call, unsigned media, const char *what);

#endif
