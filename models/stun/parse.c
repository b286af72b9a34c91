/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Views on the bytes of a message. */
#include <string.h>

#include "models/base/err.h"
#include "models/stun/dialect.h"

enum { ATTR_HEADER = 4, FIXED_BITS = 0xc000 };

static size_t aligned(const struct stun_dialect *d, size_t len)
{
    return (len + d->align - 1) / d->align * d->align;
}

static bool has_cookie(const struct stun_dialect *d, const uint8_t *p, size_t len)
{
    if (d->cookie)
        return load32(p + 4) == STUN_COOKIE;
    /* MST-3: the first attribute, so at a fixed place */
    return len >= STUN_HEADER + 8 && load32(p + 20) == ((uint32_t)ATTR_MS_MAGIC_COOKIE << 16 | 4) &&
           load32(p + 24) == MS_TURN_COOKIE;
}

enum stun_class stun_class_of(const struct stun_dialect *d, uint16_t type)
{
    if (d->indication && type == d->indication)
        return STUN_INDICATION;
    return (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
}

/* RFC 8489 5: M11..M7, C1, M6..M4, C0, M3..M0. */
static uint16_t method_of(uint16_t type)
{
    return (uint16_t)((type >> 2 & 0xf80) | (type >> 1 & 0x70) | (type & 0xf));
}

/* Walks the attributes once, so that nobody after us has to distrust a length, and notes the three that end it. */
static int index_attrs(struct stun_msg *m)
{
    struct stun_attr a = {0};
    while (stun_next(m, &a)) {
        if (m->fingerprint_at)
            return E_MALFORMED; /* 8489 14.7: it is the last */
        if (a.type == ATTR_MESSAGE_INTEGRITY && !m->mac_at)
            m->mac_at = a.at;
        else if (a.type == ATTR_MESSAGE_INTEGRITY_SHA256 && !m->mac256_at)
            m->mac256_at = a.at;
        else if (a.type == ATTR_FINGERPRINT)
            m->fingerprint_at = a.at;
    }
    size_t end = a.value ? a.at + ATTR_HEADER + aligned(m->dialect, a.len) : STUN_HEADER;
    return end == m->len ? 0 : E_MALFORMED;
}

int stun_parse(const struct stun_dialect *d, const void *bytes, size_t len, struct stun_msg *out)
{
    const uint8_t *p = bytes;
    if (len < STUN_HEADER)
        return E_TRUNCATED;
    size_t length = load16(p + 2);
    if (load16(p) & FIXED_BITS || length % d->align)
        return E_MALFORMED;
    if (len < STUN_HEADER + length)
        return E_TRUNCATED;
    if (len > STUN_HEADER + length || !has_cookie(d, p, len))
        return E_MALFORMED;
    struct stun_msg m = {.dialect = d, .bytes = p, .len = len, .type = load16(p)};
    m.method = method_of(m.type);
    m.cls = stun_class_of(d, m.type);
    memcpy(m.id.b, p + 4, sizeof m.id.b);
    int err = index_attrs(&m);
    if (err)
        return err;
    *out = m;
    return 0;
}

long stun_stream_len(const struct stun_dialect *d, const uint8_t *p, size_t have, size_t max)
{
    if (have >= 1 && p[0] & FIXED_BITS >> 8)
        return E_MALFORMED;
    if (have < 4)
        return 0;
    size_t length = load16(p + 2);
    if (length % d->align || STUN_HEADER + length > max)
        return E_MALFORMED;
    if (have >= (d->cookie ? 8 : STUN_HEADER + 8) && !has_cookie(d, p, STUN_HEADER + length))
        return E_MALFORMED;
    return have < 8 ? 0 : (long)(STUN_HEADER + length);
}

bool stun_looks_like(const uint8_t *p, size_t len)
{
    return len >= STUN_HEADER && !(load16(p) & FIXED_BITS) && load32(p + 4) == STUN_COOKIE &&
           load16(p + 2) % 4 == 0 && STUN_HEADER + (size_t)load16(p + 2) <= len;
}

bool stun_next(const struct stun_msg *m, struct stun_attr *it)
{
    size_t at = it->value ? it->at + ATTR_HEADER + aligned(m->dialect, it->len) : STUN_HEADER;
    if (at > m->len || m->len - at < ATTR_HEADER)
        return false;
    size_t len = load16(m->bytes + at + 2);
    if (m->len - at - ATTR_HEADER < aligned(m->dialect, len))
        return false;
    *it = (struct stun_attr){
        .type = load16(m->bytes + at), .len = (uint16_t)len, .value = m->bytes + at + ATTR_HEADER, .at = at};
    return true;
}

/* 8489 9: what follows MESSAGE-INTEGRITY does not count, but for the other MAC and FINGERPRINT. */
static bool counts(const struct stun_msg *m, const struct stun_attr *a)
{
    if (a->type == ATTR_FINGERPRINT)
        return true;
    if (a->type == ATTR_MESSAGE_INTEGRITY_SHA256)
        return a->at == m->mac256_at;
    if (m->mac_at && a->at > m->mac_at)
        return false;
    return !m->mac256_at || a->at <= m->mac256_at;
}

bool stun_find(const struct stun_msg *m, enum stun_attr_type type, struct stun_attr *out)
{
    struct stun_attr a = {0};
    while (stun_next(m, &a))
        if (a.type == type && counts(m, &a)) {
            *out = a;
            return true;
        }
    return false;
}

static int find_sized(const struct stun_msg *m, enum stun_attr_type type, size_t len, struct stun_attr *a)
{
    if (!stun_find(m, type, a))
        return E_NOT_FOUND;
    return a->len == len ? 0 : E_MALFORMED;
}

int stun_get_u32(const struct stun_msg *m, enum stun_attr_type type, uint32_t *out)
{
    struct stun_attr a;
    int err = find_sized(m, type, 4, &a);
    if (!err)
        *out = load32(a.value);
    return err;
}

int stun_get_u64(const struct stun_msg *m, enum stun_attr_type type, uint64_t *out)
{
    struct stun_attr a;
    int err = find_sized(m, type, 8, &a);
    if (!err)
        *out = load64(a.value);
    return err;
}

int stun_attr_address(const struct stun_msg *m, const struct stun_attr *a, struct endpoint *out)
{
    if (a->len < 4)
        return E_MALFORMED;
    struct endpoint e = {.ip.family = a->value[1], .port = load16(a->value + 2)};
    size_t size = ip_size(&e.ip);
    if (size == 0 || a->len != 4 + size)
        return E_MALFORMED;
    memcpy(e.ip.b, a->value + 4, size);
    const struct stun_attr_row *row = stun_attr_row(m->dialect, a->type);
    if (row && row->form == FORM_XOR_ADDRESS) {
        e.port ^= load16(m->id.b);
        for (size_t i = 0; i < size; i++)
            e.ip.b[i] ^= m->id.b[i];
    }
    *out = e;
    return 0;
}

int stun_get_address(const struct stun_msg *m, enum stun_attr_type type, struct endpoint *out)
{
    struct stun_attr a;
    return stun_find(m, type, &a) ? stun_attr_address(m, &a, out) : E_NOT_FOUND;
}

int stun_get_error(const struct stun_msg *m, int *code, const char **reason, size_t *reason_len)
{
    struct stun_attr a;
    if (!stun_find(m, ATTR_ERROR_CODE, &a))
        return E_NOT_FOUND;
    if (a.len < 4)
        return E_MALFORMED;
    unsigned hundreds = a.value[2] & 7, rest = a.value[3]; /* the 21 bits before are reserved: ignored */
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return E_RANGE;
    *code = (int)(hundreds * 100 + rest);
    *reason = (const char *)a.value + 4;
    *reason_len = a.len - 4u;
    return 0;
}

int stun_get_text(const struct stun_msg *m, enum stun_attr_type type, const char **text, size_t *len)
{
    struct stun_attr a;
    if (!stun_find(m, type, &a))
        return E_NOT_FOUND;
    size_t n = a.len;
    while (m->dialect->padded_length && n > 0 && a.value[n - 1] == 0)
        n--;
    *text = (const char *)a.value;
    *len = n;
    return 0;
}

size_t stun_unknown(const struct stun_msg *m, uint16_t *types, size_t cap)
{
    size_t n = 0;
    struct stun_attr a = {0};
    while (stun_next(m, &a))
        if (a.type < 0x8000 && counts(m, &a) && !stun_attr_row(m->dialect, a.type)) {
            if (n < cap)
                types[n] = a.type;
            n++;
        }
    return n;
}
