/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/wire/wire.h"

/* RFC 1071 2: the sum may be taken in any byte order and in wider words; what comes out is swapped once. The
 * carry of each 64-bit addition is added back at once. */
static uint64_t add_carry(uint64_t sum, uint64_t v)
{
    bool carry = __builtin_add_overflow(sum, v, &sum);
    return sum + carry;
}

static uint16_t fold64(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    uint32_t s = (uint32_t)sum;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

/* Words as this machine reads them, in sizes that a load has: no copying to a buffer, which would be waited
 * for. */
static uint64_t word64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t word32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint16_t word16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t copy64(uint8_t *to, const uint8_t *p)
{
    uint64_t v = word64(p);
    memcpy(to, &v, sizeof v);
    return v;
}

static uint16_t network16(uint64_t sum)
{
    uint16_t words = fold64(sum);
    return load16((const uint8_t *)&words);
}

uint32_t wire_sum_add(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t a = 0, b = 0, c = 0, d = 0; /* four chains of additions run side by side */
    for (; len >= 32; p += 32, len -= 32) {
        a = add_carry(a, word64(p));
        b = add_carry(b, word64(p + 8));
        c = add_carry(c, word64(p + 16));
        d = add_carry(d, word64(p + 24));
    }
    for (; len >= 8; p += 8, len -= 8)
        a = add_carry(a, word64(p));
    if (len & 4) {
        b = add_carry(b, word32(p));
        p += 4;
    }
    if (len & 2) {
        c = add_carry(c, word16(p));
        p += 2;
    }
    if (len & 1)
        d = add_carry(d, word16((const uint8_t[2]){*p, 0}));
    return sum + network16(add_carry(add_carry(a, b), add_carry(c, d)));
}

uint32_t wire_sum_copy(uint32_t sum, void *to, const void *from, size_t len)
{
    const uint8_t *p = from;
    uint8_t *q = to;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; len >= 32; p += 32, q += 32, len -= 32) {
        a = add_carry(a, copy64(q, p));
        b = add_carry(b, copy64(q + 8, p + 8));
        c = add_carry(c, copy64(q + 16, p + 16));
        d = add_carry(d, copy64(q + 24, p + 24));
    }
    memcpy(q, p, len);
    return wire_sum_add(sum + network16(add_carry(add_carry(a, b), add_carry(c, d))), q, len);
}

uint32_t wire_sum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, size_t len)
{
    uint32_t sum = wire_sum_add(0, src->b, ip_size(src));
    sum = wire_sum_add(sum, dst->b, ip_size(dst));
    return sum + proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
}

uint16_t wire_sum_fold(uint32_t sum)
{
    return (uint16_t)~fold64(sum);
}

uint16_t wire_sum(const void *bytes, size_t len)
{
    return wire_sum_fold(wire_sum_add(0, bytes, len));
}
