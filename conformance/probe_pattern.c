/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte `at` of pattern `which` is a function of both that does not repeat within what a probe sends, so that bytes
 * which are lost, repeated, moved or of another stream are seen where they stand. */
#include <inttypes.h>

#include "conformance/probe_parts.h"

enum { CHUNK = 16384 };

static uint8_t pattern_byte(unsigned which, uint64_t at)
{
    uint64_t x = (at >> 3) + ((uint64_t)which << 40);
    x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint8_t)(x >> (8 * (at & 7)));
}

static size_t fill(uint8_t *buf, unsigned which, uint64_t at, uint64_t len)
{
    size_t n = len < CHUNK ? (size_t)len : CHUNK;
    for (size_t i = 0; i < n; i++)
        buf[i] = pattern_byte(which, at + i);
    return n;
}

void line_send_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len)
{
    uint8_t buf[CHUNK];
    for (uint64_t done = 0; done < len;) {
        size_t n = fill(buf, which, at + done, len - done);
        line_send(l, buf, n);
        done += n;
    }
}

uint64_t line_offer_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len)
{
    uint8_t buf[CHUNK];
    uint64_t done = 0;
    while (done < len) {
        size_t n = fill(buf, which, at + done, len - done), taken = line_offer(l, buf, n);
        done += taken;
        if (taken < n)
            break;
    }
    return done;
}

void line_expect_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len, uint64_t ns)
{
    uint8_t buf[CHUNK];
    uint64_t end = probe_now(l->p) + ns;
    for (uint64_t done = 0; done < len;) {
        uint64_t now = probe_now(l->p), left = len - done;
        size_t n = line_read(l, buf, left < CHUNK ? (size_t)left : CHUNK, now < end ? end - now : 0);
        if (n == 0)
            probe_fail(l->p, "of %" PRIu64 " bytes only %" PRIu64 " came%s", len, done,
                       line_state_now(l) == LINE_OPEN ? "" : " before the end of the connection");
        for (size_t i = 0; i < n; i++)
            if (buf[i] != pattern_byte(which, at + done + i))
                probe_fail(l->p, "byte %" PRIu64 " of %" PRIu64 " is not the one that was sent", done + i, len);
        done += n;
    }
}
