/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any packet is taken or refused, whether or not the other end is known; what is sent after it is taken there. */
#include <assert.h>

#include "models/actors/media.h"
#include "models/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct media_config cfg = {.packets_per_s = 2, .payload_bytes = 20, .payload_type = 8, .clock = 8000};
    static struct media known, unknown, far;
    const char *why;
    const uint8_t *out;
    media_init(&known, &cfg, "audio", "a", rng_named(1, "a"));
    media_init(&unknown, &cfg, "audio", "a", rng_named(1, "a"));
    media_init(&far, &cfg, "audio", "b", rng_named(1, "b"));
    media_set_peer(&known, "b", 0);
    media_set_peer(&far, "a", 0);
    media_start(&known, 0);
    media_start(&unknown, 0);
    for (size_t i = 0; i < 2; i++) { /* twice: as a duplicate, or after a jump */
        media_input(&known, data, size, NS_S, &why);
        media_input(&unknown, data, size, NS_S, &why);
    }
    assert(known.count.malformed == unknown.count.malformed);
    for (uint64_t t = NS_S; t < 20 * NS_S; t += NS_S / 2) {
        size_t len = media_next(&known, t, &out);
        if (len)
            assert(media_input(&far, out, len, t, &why) == 0);
    }
    return 0;
}
