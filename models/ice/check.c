/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/ice/check.h"

#include <assert.h>
#include <string.h>

#include "models/base/err.h"

enum { IMPLEMENTATION_VERSION = 2, UNKNOWN_MAX = 8 };

static void begin(struct stun_out *o, const struct stun_dialect *d, enum stun_class cls, const struct stun_id *id,
                  uint8_t buf[ICE_MESSAGE_MAX])
{
    stun_begin(o, d, buf, ICE_MESSAGE_MAX, stun_type(cls, STUN_BINDING), id);
}

static bool is_microsoft(const struct stun_dialect *d)
{
    return d == &stun_ms_ice2;
}

/* What all requests and responses end with. */
static size_t finish(struct stun_out *o, const char *key)
{
    if (is_microsoft(o->dialect))
        stun_put_u32(o, ATTR_MS_IMPLEMENTATION_VERSION, IMPLEMENTATION_VERSION);
    if (key)
        stun_put_integrity(o, key, strlen(key), true);
    stun_put_fingerprint(o);
    long len = stun_end(o);
    assert(len > 0);
    return (size_t)len;
}

size_t ice_check_encode(const struct stun_dialect *d, const struct ice_check *c, const struct stun_id *id,
                        const char *key, uint8_t buf[ICE_MESSAGE_MAX])
{
    struct stun_out o;
    begin(&o, d, STUN_REQUEST, id, buf);
    if (c->use_candidate)
        stun_put(&o, ATTR_USE_CANDIDATE, NULL, 0);
    stun_put_u32(&o, ATTR_PRIORITY, c->priority);
    stun_put_u64(&o, c->controlling ? ATTR_ICE_CONTROLLING : ATTR_ICE_CONTROLLED, c->tie_breaker);
    stun_put_text(&o, ATTR_USERNAME, c->username);
    if (is_microsoft(d) && *c->candidate_id)
        stun_put_text(&o, ATTR_MS_CANDIDATE_IDENTIFIER, c->candidate_id);
    return finish(&o, key);
}

/* A text attribute into a buffer, NUL-terminated. E_NOT_FOUND, E_RANGE: too long, or a NUL within. */
static int get_text(const struct stun_msg *m, enum stun_attr_type type, char *out, size_t cap)
{
    const char *text;
    size_t len;
    int err = stun_get_text(m, type, &text, &len);
    if (err)
        return err;
    if (len >= cap || memchr(text, 0, len))
        return E_RANGE;
    memcpy(out, text, len);
    out[len] = 0;
    return 0;
}

size_t ice_success_encode(const struct stun_msg *request, const struct endpoint *mapped, const char *key,
                          uint8_t buf[ICE_MESSAGE_MAX])
{
    struct stun_out o;
    begin(&o, request->dialect, STUN_SUCCESS, &request->id, buf);
    stun_put_address(&o, ATTR_XOR_MAPPED_ADDRESS, mapped);
    char username[2 * ICE_UFRAG_MAX];
    if (is_microsoft(o.dialect) && get_text(request, ATTR_USERNAME, username, sizeof username) == 0)
        stun_put_text(&o, ATTR_USERNAME, username);
    return finish(&o, key);
}

size_t ice_error_encode(const struct stun_msg *request, int code, const char *key,
                        uint8_t buf[ICE_MESSAGE_MAX])
{
    struct stun_out o;
    begin(&o, request->dialect, STUN_ERROR, &request->id, buf);
    stun_put_error(&o, code, NULL);
    uint16_t types[UNKNOWN_MAX];
    size_t n = code == 420 ? stun_unknown(request, types, UNKNOWN_MAX) : 0;
    if (n > UNKNOWN_MAX)
        n = UNKNOWN_MAX;
    if (n) {
        uint8_t list[2 * UNKNOWN_MAX];
        for (size_t i = 0; i < n; i++)
            store16(list + 2 * i, types[i]);
        stun_put(&o, ATTR_UNKNOWN_ATTRIBUTES, list, 2 * n);
    }
    return finish(&o, key);
}

size_t ice_indication_encode(const struct stun_dialect *d, const struct stun_id *id,
                             uint8_t buf[ICE_MESSAGE_MAX])
{
    struct stun_out o;
    begin(&o, d, STUN_INDICATION, id, buf);
    stun_put_fingerprint(&o);
    long len = stun_end(&o);
    assert(len > 0);
    return (size_t)len;
}

int ice_message_parse(const struct stun_dialect *d, const uint8_t *frame, size_t len, struct stun_msg *out)
{
    if (stun_parse(d, frame, len, out) != 0 || out->method != STUN_BINDING)
        return E_MALFORMED;
    return stun_check_fingerprint(out) == 0 ? 0 : E_INTEGRITY;
}

int ice_check_decode(const struct stun_msg *m, struct ice_check *out)
{
    *out = (struct ice_check){0};
    uint64_t controlling, controlled;
    int is_controlling = stun_get_u64(m, ATTR_ICE_CONTROLLING, &controlling);
    int is_controlled = stun_get_u64(m, ATTR_ICE_CONTROLLED, &controlled);
    bool one_role = (is_controlling == 0 && is_controlled == E_NOT_FOUND) ||
                    (is_controlled == 0 && is_controlling == E_NOT_FOUND);
    if (!one_role || stun_get_u32(m, ATTR_PRIORITY, &out->priority) != 0 ||
        get_text(m, ATTR_USERNAME, out->username, sizeof out->username) != 0)
        return E_MALFORMED;
    out->controlling = is_controlling == 0;
    out->tie_breaker = out->controlling ? controlling : controlled;
    struct stun_attr use;
    out->use_candidate = stun_find(m, ATTR_USE_CANDIDATE, &use);
    if (get_text(m, ATTR_MS_CANDIDATE_IDENTIFIER, out->candidate_id, sizeof out->candidate_id) != 0)
        *out->candidate_id = 0; /* nothing depends on it but the name of a peer-reflexive candidate */
    return 0;
}
