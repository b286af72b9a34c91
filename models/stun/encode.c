/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages into a caller's buffer. A buffer that is too small is told once, by stun_end. */
#include <string.h>

#include "models/base/err.h"
#include "models/stun/dialect.h"

uint16_t stun_type(enum stun_class cls, unsigned method)
{
    unsigned c = cls;
    return (uint16_t)((method & 0xf80) << 2 | (method & 0x70) << 1 | (method & 0xf) | (c & 2) << 7 | (c & 1) << 4);
}

void stun_begin(struct stun_out *o, const struct stun_dialect *d, void *buf, size_t cap, uint16_t type,
                const struct stun_id *id)
{
    *o = (struct stun_out){.dialect = d, .w = writer_of(buf, cap)};
    write16(&o->w, type);
    write16(&o->w, 0);
    write_bytes(&o->w, id->b, sizeof id->b);
    if (!d->cookie)
        stun_put_u32(o, ATTR_MS_MAGIC_COOKIE, MS_TURN_COOKIE);
}

/* An attribute of two pieces; counted: what its length field says. */
static void put(struct stun_out *o, enum stun_attr_type type, size_t counted, const void *head, size_t head_len,
                const void *value, size_t len)
{
    size_t align = o->dialect->align, total = head_len + len;
    if (counted > UINT16_MAX) {
        o->w.failed = true;
        return;
    }
    write16(&o->w, type);
    write16(&o->w, (unsigned)counted);
    write_bytes(&o->w, head, head_len);
    write_bytes(&o->w, value, len);
    write_zeros(&o->w, (align - total % align) % align); /* 8489 14: padding is zero */
}

void stun_put(struct stun_out *o, enum stun_attr_type type, const void *value, size_t len)
{
    put(o, type, len, NULL, 0, value, len);
}

void stun_put_u32(struct stun_out *o, enum stun_attr_type type, uint32_t v)
{
    uint8_t b[4];
    store32(b, v);
    stun_put(o, type, b, sizeof b);
}

void stun_put_u64(struct stun_out *o, enum stun_attr_type type, uint64_t v)
{
    uint8_t b[8];
    store64(b, v);
    stun_put(o, type, b, sizeof b);
}

void stun_put_text(struct stun_out *o, enum stun_attr_type type, const char *s)
{
    size_t len = strlen(s), align = o->dialect->align;
    put(o, type, o->dialect->padded_length ? (len + align - 1) / align * align : len, NULL, 0, s, len);
}

void stun_put_address(struct stun_out *o, enum stun_attr_type type, const struct endpoint *e)
{
    size_t size = ip_size(&e->ip);
    uint8_t b[4 + 16] = {0, e->ip.family};
    store16(b + 2, e->port);
    memcpy(b + 4, e->ip.b, size);
    const struct stun_attr_row *row = stun_attr_row(o->dialect, (uint16_t)type);
    if (row && row->form == FORM_XOR_ADDRESS && !o->w.failed) {
        const uint8_t *id = o->w.base + 4;
        for (size_t i = 0; i < 2; i++)
            b[2 + i] ^= id[i];
        for (size_t i = 0; i < size; i++)
            b[4 + i] ^= id[i];
    }
    stun_put(o, type, b, 4 + size);
}

void stun_put_error(struct stun_out *o, int code, const char *reason)
{
    const uint8_t head[4] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    const char *text = reason ? reason : stun_reason(code);
    put(o, ATTR_ERROR_CODE, sizeof head + strlen(text), head, sizeof head, text, strlen(text));
}

long stun_end(struct stun_out *o)
{
    size_t len = writer_len(&o->w);
    if (o->w.failed || len - STUN_HEADER > UINT16_MAX)
        return E_SPACE;
    store16(o->w.base + 2, (unsigned)(len - STUN_HEADER));
    return (long)len;
}
