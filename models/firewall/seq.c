/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/seq.h"

#include <string.h>

/* RFC 9293 3.4: numbers go round. */
static int is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void fw_seq_add(struct fw_seq *s, uint32_t end, int32_t delta)
{
    for (size_t i = 0; i < s->count; i++)
        if (!is_before(s->edit[i].end, end))
            return;
    if (s->count == FW_SEQ_EDITS) {
        s->before = s->edit[0].after;
        memmove(s->edit, s->edit + 1, --s->count * sizeof *s->edit);
    }
    int32_t so_far = s->count ? s->edit[s->count - 1].after : s->before;
    s->edit[s->count].end = end;
    s->edit[s->count++].after = so_far + delta;
}

uint32_t fw_seq_forward(const struct fw_seq *s, uint32_t seq)
{
    int32_t longer = s->before;
    for (size_t i = 0; i < s->count && !is_before(seq, s->edit[i].end); i++)
        longer = s->edit[i].after;
    return seq + (uint32_t)longer;
}

uint32_t fw_seq_back(const struct fw_seq *s, uint32_t ack)
{
    int32_t longer = s->before;
    for (size_t i = 0; i < s->count; i++) {
        uint32_t end = s->edit[i].end + (uint32_t)s->edit[i].after;
        if (is_before(ack, end)) {
            uint32_t seq = ack - (uint32_t)longer, last = s->edit[i].end - 1;
            return is_before(last, seq) ? last : seq;
        }
        longer = s->edit[i].after;
    }
    return ack - (uint32_t)longer;
}
