/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of a client that knows no state: what the tests and the load generator ask a relay, whoever made it. The
 * long-term credentials are those of RFC 5389 (MD5, SHA-1), which every server takes. */
#ifndef TP_RELAY_ASK_TEST_H
#define TP_RELAY_ASK_TEST_H

#include <string.h>

#include "models/base/rng.h"
#include "models/stun/stun.h"

struct asker {
    const char *user, *password;
    char realm[256], nonce[256]; /* as the last 401 or 438 said */
    uint8_t key[16];
    bool known; /* there was one: requests carry credentials */
    uint8_t family; /* of what it allocates (RFC 8656 18.6); 0: it does not say */
    struct rng rng;
};

/* What a request has in it; zero members are left out. */
struct ask {
    unsigned method;
    uint8_t transport; /* enum ip_proto */
    struct endpoint peer;
    uint32_t connection;
    uint16_t channel;
    bool end; /* LIFETIME 0 */
};

struct ask_answer {
    int code; /* 0: success; -1: no answer, an indication */
    unsigned method;
    uint32_t connection;
    struct endpoint relayed, peer;
    struct stun_id id;
};

static inline void ask_login(struct asker *a, const char *user, const char *password, uint64_t seed)
{
    *a = (struct asker){.user = user, .password = password, .rng = rng_named(seed, "asker")};
}

/* Into out, of STUN_MAX bytes; how long it is. */
static inline size_t ask_make(struct asker *a, const struct ask *what, uint8_t *out)
{
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_rfc8489, &a->rng);
    stun_begin(&o, &stun_rfc8489, out, STUN_MAX, stun_type(STUN_REQUEST, what->method), &id);
    if (what->transport)
        stun_put_u32(&o, ATTR_REQUESTED_TRANSPORT, (uint32_t)what->transport << 24);
    if (what->transport && a->family)
        stun_put_u32(&o, ATTR_REQUESTED_ADDRESS_FAMILY, (uint32_t)(a->family == IP_V6 ? 2 : 1) << 24);
    if (what->channel)
        stun_put_u32(&o, ATTR_CHANNEL_NUMBER, (uint32_t)what->channel << 16);
    if (what->peer.ip.family)
        stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &what->peer);
    if (what->connection)
        stun_put_u32(&o, ATTR_CONNECTION_ID, what->connection);
    if (what->end)
        stun_put_u32(&o, ATTR_LIFETIME, 0);
    if (a->known) {
        stun_put_text(&o, ATTR_USERNAME, a->user);
        stun_put_text(&o, ATTR_REALM, a->realm);
        stun_put_text(&o, ATTR_NONCE, a->nonce);
        stun_put_integrity(&o, a->key, sizeof a->key, false);
    }
    return (size_t)stun_end(&o);
}

static inline void ask_text(const struct stun_msg *m, enum stun_attr_type type, char out[256])
{
    const char *text;
    size_t len;
    if (stun_get_text(m, type, &text, &len) || len > 255)
        return;
    memcpy(out, text, len);
    out[len] = '\0';
}

/* What a message says; a challenge is learnt. 0, or as stun_parse. */
static inline int ask_read(struct asker *a, const uint8_t *bytes, size_t len, struct ask_answer *out)
{
    struct stun_msg m;
    int err = stun_parse(&stun_rfc8489, bytes, len, &m);
    if (err)
        return err;
    const char *reason;
    size_t reason_len;
    *out = (struct ask_answer){.code = m.cls == STUN_SUCCESS ? 0 : -1, .method = m.method, .id = m.id};
    if (m.cls == STUN_ERROR && stun_get_error(&m, &out->code, &reason, &reason_len))
        return -1;
    stun_get_u32(&m, ATTR_CONNECTION_ID, &out->connection);
    stun_get_address(&m, ATTR_XOR_RELAYED_ADDRESS, &out->relayed);
    stun_get_address(&m, ATTR_XOR_PEER_ADDRESS, &out->peer);
    if (out->code == 401 || out->code == 438) {
        ask_text(&m, ATTR_REALM, a->realm);
        ask_text(&m, ATTR_NONCE, a->nonce);
        stun_long_term_key(a->user, a->realm, a->password, a->key);
        a->known = true;
    }
    return 0;
}

#endif
