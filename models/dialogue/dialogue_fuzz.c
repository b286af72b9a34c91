/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any order of events and pieces: nothing of the bytes is told twice, and nothing outside them is touched. */
#include <stdlib.h>

#include "models/dialogue/dialogue.h"

static void hear(void *ctx, const struct said *s)
{
    size_t *told = ctx;
    if (s->kind != SAID_EVENT)
        *told += s->len;
    for (size_t i = 0; i < s->len && s->data; i++)
        *(volatile const uint8_t *)(s->data + i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t told = 0, given = 0;
    struct dialogue *d = dialogue_new(3, hear, &told);
    if (!d)
        return 0;
    /* Each piece: flow and direction, kind and protocol, length. */
    for (size_t at = 0; size - at >= 3;) {
        uint8_t who = data[at], what = data[at + 1], want = data[at + 2];
        at += 3;
        struct seen s = {.kind = what % (SEEN_END + 1), .proto = what & 0x80 ? PROTO_UDP : PROTO_TCP,
                         .flow = 1 + who % 5, .reply = who & 0x80, .cut = what & 0x40};
        if (s.kind == SEEN_BYTES || s.kind == SEEN_DATAGRAM) {
            s.kind = s.proto == PROTO_UDP ? SEEN_DATAGRAM : SEEN_BYTES;
            s.len = want < size - at ? want : size - at;
            s.data = data + at;
            at += s.len;
            given += s.len;
        }
        dialogue_see(d, &s);
    }
    if (told > given)
        abort();
    dialogue_free(d);
    return 0;
}
