/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/call.h"

#include "models/base/time.h"

bool call_in_span(const struct call_span *span, size_t count, uint64_t since_ns)
{
    for (size_t i = 0; i < count; i++)
        if (since_ns >= span[i].at_ns && since_ns - span[i].at_ns < span[i].for_ns)
            return true;
    return false;
}

static uint64_t after(uint64_t next_ns, uint64_t t_ns, uint64_t since_ns)
{
    return t_ns > since_ns ? time_min(next_ns, t_ns) : next_ns;
}

static uint64_t next_in(const struct call_span *span, size_t count, uint64_t since_ns)
{
    uint64_t next = TIME_NEVER;
    for (size_t i = 0; i < count; i++) {
        next = after(next, span[i].at_ns, since_ns);
        next = after(next, span[i].at_ns + span[i].for_ns, since_ns);
    }
    return next;
}

uint64_t call_next(const struct call_plan *p, uint64_t since_ns)
{
    uint64_t next = time_min(next_in(p->mute, p->mute_count, since_ns), next_in(p->hold, p->hold_count, since_ns));
    return after(next, p->for_ns, since_ns);
}

void call_note_signalling(struct io *io, const char *call, const char *what)
{
    io_note(io, NOTE_SERVICE, "%s/signalling %s", call, what);
}

void call_note_media(struct io *io, const char *call, unsigned media, const char *what)
{
    static const struct {
        enum call_media medium;
        const char *name;
    } names[] = {{CALL_AUDIO, "audio"}, {CALL_VIDEO, "video"}, {CALL_SHARE, "share"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (media & names[i].medium)
            io_note(io, NOTE_SERVICE, "%s/%s %s", call, names[i].name, what);
}
