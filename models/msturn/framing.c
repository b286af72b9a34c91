/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/msturn/framing.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

static const uint8_t client_bytes[50] = {
    0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01, /* then 32 random bytes */
    [43] = 0x00, 0x00, 0x02, 0x00, 0x18, 0x01, 0x00, /* no session, suite 0x0018, no compression */
};
static const uint8_t server_bytes[83] = {
    0x16, 0x03, 0x01, 0x00, 0x4e, 0x02, 0x00, 0x00, 0x46, 0x03, 0x01, /* then 32 random bytes */
    [43] = 0x20,                                                      /* a session id of 32 */
    [76] = 0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00,                  /* suite, no compression; ServerHelloDone */
};
const struct ms_hello ms_client_hello = {client_bytes, sizeof client_bytes, {{11, 43}}};
const struct ms_hello ms_server_hello = {server_bytes, sizeof server_bytes, {{11, 43}, {44, 76}}};

static bool is_any(const struct ms_hello *h, size_t at)
{
    return (at >= h->any[0].from && at < h->any[0].to) || (at >= h->any[1].from && at < h->any[1].to);
}

void ms_hello_write(const struct ms_hello *h, struct rng *rng, uint8_t out[MS_HELLO_MAX])
{
    memcpy(out, h->bytes, h->len);
    for (size_t i = 0; i < 2; i++)
        rng_fill(rng, out + h->any[i].from, (size_t)(h->any[i].to - h->any[i].from));
}

int ms_hello_take(const struct ms_hello *h, size_t *have, const uint8_t **p, size_t *len)
{
    for (; *have < h->len && *len > 0; ++*have, ++*p, --*len)
        if (!is_any(h, *have) && **p != h->bytes[*have])
            return E_MALFORMED;
    return *have == h->len;
}

void ms_units_free(struct ms_units *u)
{
    rfc4571_free(&u->frame);
    *u = (struct ms_units){0};
}

int ms_units_take(struct ms_units *u, const uint8_t **p, size_t *len, const uint8_t **content,
                  size_t *content_len)
{
    for (; u->have < 2 && *len > 0; u->have++, ++*p, --*len) {
        if (u->have == 0)
            u->type = **p;
        if (u->type != MS_UNIT_CONTROL && u->type != MS_UNIT_DATA)
            return E_MALFORMED;
    }
    if (u->have < 2 || !rfc4571_take(&u->frame, p, len, content, content_len))
        return 0;
    u->have = 0;
    return 1;
}

size_t ms_unit_close(struct ms_unit *u, unsigned type, size_t len)
{
    u->bytes[0] = (uint8_t)type;
    u->bytes[1] = 0;
    store16(u->bytes + 2, (unsigned)len);
    return MS_UNIT_HEADER + len;
}

bool ms_is_control(const uint8_t *data, size_t len)
{
    enum { COOKIE_AT = STUN_HEADER + 4 };
    return len >= COOKIE_AT + 4 && load32(data + COOKIE_AT) == MS_TURN_COOKIE;
}

const char *ms_inner_label(const uint8_t *frame, size_t len)
{
    static const char *const names[] = {
        [STUN_REQUEST] = "Binding request",
        [STUN_INDICATION] = "Binding indication",
        [STUN_SUCCESS] = "Binding success",
        [STUN_ERROR] = "Binding error",
    };
    if (!stun_looks_like(frame, len))
        return NULL;
    for (unsigned cls = 0; cls < sizeof names / sizeof *names; cls++)
        if (load16(frame) == stun_type((enum stun_class)cls, STUN_BINDING))
            return names[cls];
    return NULL;
}
