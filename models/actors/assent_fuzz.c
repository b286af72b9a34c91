/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions that are read and rewritten: what was written can be read again, and says what was put in. */
#include <assert.h>
#include <string.h>

#include "models/actors/assent_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[1 << 17];
    struct assent_sdp in, again;
    struct endpoint at[ASSENT_MEDIA_MAX];
    if (size > 32768 || memchr(data, 0, size) || assent_sdp_read((const char *)data, size, &in))
        return 0;
    for (unsigned i = 0; i < ASSENT_MEDIA_MAX; i++)
        at[i] = (struct endpoint){ip_v4(0xc0000201), (uint16_t)(in.media[i].rtp ? 40000 + 2 * i : 0)};
    struct text t = text_of(out, sizeof out);
    assent_sdp_write((const char *)data, size, at, &t);
    assert(!t.cut && assent_sdp_read(out, t.len, &again) == 0);
    assert(again.count == in.count && again.ice == in.ice);
    for (size_t i = 0; i < in.count; i++)
        if (in.media[i].rtp && in.media[i].rtp_at.port) {
            assert(again.media[i].rtp_at.port == at[i].port);
            assert(again.media[i].rtcp_at.port == at[i].port + 1);
        }
    return 0;
}
