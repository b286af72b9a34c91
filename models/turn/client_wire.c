/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's messages: requests composed, responses judged (RFC 8489 9.2.3, 9.2.5). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/turn/client.h"

enum { ALGORITHM_MD5 = 1, ALGORITHM_SHA256 = 2, STALE_MAX = 3 };

/* Optional attributes without a value, whose types the reference capture does not tell: two that nobody has. */
static void put_empty(struct stun_out *o, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        stun_put(o, (enum stun_attr_type)(0xfffe + i), NULL, 0);
}

static uint16_t method_of(const struct task *task)
{
    static const uint16_t methods[] = {
        [TASK_ALLOCATE] = TURN_ALLOCATE, [TASK_REFRESH] = TURN_REFRESH, [TASK_PERMIT] = TURN_CREATE_PERMISSION,
        [TASK_CONNECT] = TURN_CONNECT,   [TASK_BIND] = TURN_CONNECTION_BIND, [TASK_CHANNEL] = TURN_CHANNEL_BIND,
    };
    return methods[task->kind];
}

static void put_allocate(const struct turn_client *c, struct stun_out *o)
{
    stun_put_u32(o, ATTR_REQUESTED_TRANSPORT, (uint32_t)(c->cfg.udp_relay ? PROTO_UDP : PROTO_TCP) << 24);
    if (c->cfg.profile->lifetime_in_allocate || c->cfg.lifetime_s)
        stun_put_u32(o, ATTR_LIFETIME, c->cfg.lifetime_s ? c->cfg.lifetime_s : DEFAULT_LIFETIME);
    if (c->cfg.family)
        stun_put_u32(o, ATTR_REQUESTED_ADDRESS_FAMILY, (uint32_t)c->cfg.family << 24);
}

static void put_permissions(const struct turn_client *c, const struct task *task, struct stun_out *o)
{
    for (size_t i = 0; i < PERMISSIONS; i++)
        if (task->permissions >> i & 1) {
            struct endpoint e = {.ip = c->permissions[i].ip};
            stun_put_address(o, ATTR_XOR_PEER_ADDRESS, &e);
        }
}

static void put_body(const struct turn_client *c, const struct task *task, struct stun_out *o)
{
    switch (task->kind) {
    case TASK_ALLOCATE:
        put_allocate(c, o);
        break;
    case TASK_REFRESH:
        stun_put_u32(o, ATTR_LIFETIME, task->lifetime_s);
        break;
    case TASK_PERMIT:
        put_permissions(c, task, o);
        break;
    case TASK_CONNECT:
        stun_put_address(o, ATTR_XOR_PEER_ADDRESS, &task->peer);
        break;
    case TASK_BIND:
        stun_put_u32(o, ATTR_CONNECTION_ID, task->connection);
        break;
    case TASK_CHANNEL:
        stun_put_u32(o, ATTR_CHANNEL_NUMBER, (uint32_t)task->number << 16);
        stun_put_address(o, ATTR_XOR_PEER_ADDRESS, &task->peer);
        break;
    case TASK_FREE:
        break;
    }
}

/* 9.2.3.2, 9.2.5: user, realm, nonce, and if the server offered algorithms, those, the choice and the SHA-256 MAC. */
static void put_credentials(const struct turn_client *c, struct stun_out *o)
{
    const struct credentials *k = &c->cred;
    if (k->hash_user)
        stun_put(o, ATTR_USERHASH, k->user_hash, sizeof k->user_hash);
    else
        stun_put_text(o, ATTR_USERNAME, c->cfg.user);
    stun_put_text(o, ATTR_REALM, k->realm);
    stun_put_text(o, ATTR_NONCE, k->nonce);
    if (!k->algorithm) {
        stun_put_integrity(o, k->md5_key, sizeof k->md5_key, false);
        return;
    }
    stun_put(o, ATTR_PASSWORD_ALGORITHMS, k->algorithms, k->algorithms_len);
    stun_put_u32(o, ATTR_PASSWORD_ALGORITHM, (uint32_t)k->algorithm << 16);
    if (k->algorithm == ALGORITHM_SHA256)
        stun_put_integrity_sha256(o, k->sha256_key, sizeof k->sha256_key);
    else
        stun_put_integrity_sha256(o, k->md5_key, sizeof k->md5_key);
}

/* 6.2.1, RFC 6298 2: from what was measured of this server lately. */
static uint64_t rto(const struct turn_client *c)
{
    if (!c->srtt_ns || io_now(c->io) - c->rtt_at_ns > RTO_KEPT_NS)
        return RTO_NS;
    uint64_t ns = c->srtt_ns + 4 * c->rttvar_ns;
    return ns > RTO_NS ? ns : RTO_NS;
}

/* A transaction is over that was sent once: of another nobody knows which request was answered (Karn). */
static void measure(struct turn_client *c, const struct task *task)
{
    if (!c->cfg.over_udp || task->sends != 1)
        return;
    uint64_t rtt = io_now(c->io) - task->sent_ns, off = rtt > c->srtt_ns ? rtt - c->srtt_ns : c->srtt_ns - rtt;
    bool first = !c->srtt_ns || io_now(c->io) - c->rtt_at_ns > RTO_KEPT_NS;
    c->rttvar_ns = first ? rtt / 2 : (3 * c->rttvar_ns + off) / 4;
    c->srtt_ns = first ? rtt : (7 * c->srtt_ns + rtt) / 8;
    c->rtt_at_ns = io_now(c->io);
}

void client_send(struct turn_client *c, struct task *task)
{
    const struct turn_client_profile *profile = c->cfg.profile;
    uint8_t buf[2 * STUN_MAX];
    struct stun_out o;
    uint16_t type = stun_type(STUN_REQUEST, method_of(task));
    task->id = stun_new_id(&stun_rfc8489, &c->rng);
    task->authenticated = c->cred.known;
    task->state = TASK_SENT;
    task->at = io_now(c->io) + TI_NS;
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, type, &task->id);
    put_body(c, task, &o);
    put_empty(&o, task->kind == TASK_ALLOCATE ? profile->empty_in_allocate : profile->empty_in_others);
    if (profile->software)
        stun_put_text(&o, ATTR_SOFTWARE, "turnproof");
    if (task->authenticated)
        put_credentials(c, &o);
    long n = stun_end(&o);
    assert(n > 0); /* user is the config's, realm and nonce were measured when they came */
    char label[64];
    struct text name = text_of(label, sizeof label);
    stun_label(&stun_rfc8489, type, 0, &name);
    if (!c->cfg.over_udp) {
        io_send(c->io, task->io ? task->io : c->control, buf, (size_t)n, label);
        return;
    }
    task->sends = 0;
    task->sent_ns = io_now(c->io);
    task->rto_ns = rto(c);
    task->have = (size_t)n;
    memcpy(task->bytes, buf, (size_t)n);
    client_send_again(c, task);
}

/* 6.2.1: over UDP, byte for byte, after twice the time each time. */
void client_send_again(struct turn_client *c, struct task *task)
{
    char label[64];
    struct text name = text_of(label, sizeof label);
    stun_label(&stun_rfc8489, load16(task->bytes), 0, &name);
    task->sends++;
    task->at = io_now(c->io) + task->rto_ns * (task->sends < SENDS ? UINT64_C(1) << (task->sends - 1) : LAST_WAIT);
    io_sendto(c->io, c->control, &c->server, task->bytes, task->have, label);
}

/* ---- responses ---- */

/* 8489 9.2, 18.1: what the first character behind the nonce's cookie says, its first bit first. The other order of bits
 * is about as common, but then that character says nothing. */
enum { PROMISES_ALGORITHMS = 32, TAKES_USER_HASH = 16 };

static bool nonce_has(const char *nonce, size_t len, unsigned feature)
{
    static const char cookie[] = "obMatJos2";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t at = sizeof cookie - 1;
    if (len <= at || memcmp(nonce, cookie, at) != 0)
        return false;
    const char *digit = memchr(digits, nonce[at], sizeof digits - 1);
    return digit && (unsigned)(digit - digits) & feature;
}

/* Somebody took the list of algorithms out (9.2.5). */
static bool bid_down(const struct stun_msg *m)
{
    const char *nonce;
    size_t len;
    struct stun_attr a;
    return stun_get_text(m, ATTR_NONCE, &nonce, &len) == 0 && nonce_has(nonce, len, PROMISES_ALGORITHMS) &&
           !stun_find(m, ATTR_PASSWORD_ALGORITHMS, &a);
}

static bool take_text(const struct stun_msg *m, enum stun_attr_type type, char out[CREDENTIAL_MAX])
{
    const char *s;
    size_t len;
    if (stun_get_text(m, type, &s, &len) || len >= CREDENTIAL_MAX || memchr(s, 0, len))
        return false;
    memcpy(out, s, len);
    out[len] = '\0';
    return true;
}

/* 9.2.5: the first algorithm of the list that we have; 0: none of them. */
static uint8_t first_supported(const uint8_t *list, size_t len)
{
    for (size_t at = 0; at + 4 <= len; at += 4 + ((load16(list + at + 2) + 3u) & ~3u)) {
        unsigned algorithm = load16(list + at);
        if (algorithm == ALGORITHM_MD5 || algorithm == ALGORITHM_SHA256)
            return (uint8_t)algorithm;
    }
    return 0;
}

static void make_keys(const struct turn_client *c, struct credentials *k)
{
    char secret[3 * CREDENTIAL_MAX];
    struct text t = text_of(secret, sizeof secret);
    text_add(&t, "%s:%s:%s", c->cfg.user, k->realm, c->cfg.password);
    stun_long_term_key(c->cfg.user, k->realm, c->cfg.password, k->md5_key);
    stun_userhash(c->cfg.user, k->realm, k->user_hash);
    sha256(secret, t.len, k->sha256_key);
}

/* The challenge of a 401 or 438. False: it is none, or one that must not be answered (9.2.5-1, 4). */
static bool take_challenge(struct turn_client *c, const struct stun_msg *m)
{
    struct credentials k = {.known = true};
    struct stun_attr a;
    if (!take_text(m, ATTR_REALM, k.realm) || !take_text(m, ATTR_NONCE, k.nonce))
        return false;
    if (bid_down(m))
        return false;
    k.hash_user = nonce_has(k.nonce, strlen(k.nonce), TAKES_USER_HASH);
    if (stun_find(m, ATTR_PASSWORD_ALGORITHMS, &a)) {
        k.algorithm = first_supported(a.value, a.len);
        if (!k.algorithm || a.len > sizeof k.algorithms)
            return false;
        memcpy(k.algorithms, a.value, a.len);
        k.algorithms_len = a.len;
    }
    make_keys(c, &k);
    c->cred = k;
    return true;
}

static int check_mac(const struct turn_client *c, const struct stun_msg *m)
{
    const struct credentials *k = &c->cred;
    if (!k->algorithm)
        return stun_check_integrity(m, k->md5_key, sizeof k->md5_key);
    return k->algorithm == ALGORITHM_SHA256 ? stun_check_integrity_sha256(m, k->sha256_key, sizeof k->sha256_key)
                                            : stun_check_integrity_sha256(m, k->md5_key, sizeof k->md5_key);
}

/* 401: once, when nothing was sent yet to be refused. 438: with the new nonce, but not for ever. */
static enum verdict judge_challenge(struct turn_client *c, struct task *task, const struct stun_msg *m, int code)
{
    if (code == 401 && task->authenticated)
        return VERDICT_ERROR;
    if (code == 438 && ++task->stale > STALE_MAX)
        return VERDICT_ERROR;
    return take_challenge(c, m) ? VERDICT_RETRY : VERDICT_ERROR;
}

static enum verdict judge(struct turn_client *c, struct task *task, const struct stun_msg *m, int *code, int *err)
{
    const char *reason;
    size_t reason_len;
    *code = *err = 0;
    if (m->method != method_of(task) || (m->cls != STUN_SUCCESS && m->cls != STUN_ERROR))
        return VERDICT_IGNORE;
    if (m->cls == STUN_ERROR && stun_get_error(m, code, &reason, &reason_len)) {
        *err = E_MALFORMED; /* 8489 6.3.4 */
        return VERDICT_BROKEN;
    }
    if (*code == 401 || *code == 438)
        return judge_challenge(c, task, m, *code);
    if (bid_down(m))
        return VERDICT_IGNORE; /* 9.2.5 */
    if (task->authenticated && check_mac(c, m)) {
        if ((*code == 400 || *code == 300) && !m->mac_at && !m->mac256_at)
            return VERDICT_IGNORE; /* 9.2.5, 14.8: as if never received */
        *err = E_INTEGRITY; /* 9.2.5: over TCP the transaction ends at once, over UDP another answer may come */
        return c->cfg.over_udp ? VERDICT_IGNORE : VERDICT_BROKEN;
    }
    if (!task->authenticated && *code == 300)
        return VERDICT_IGNORE;
    if (stun_unknown(m, NULL, 0)) {
        *err = E_UNSUPPORTED; /* 6.3.3, 6.3.4 */
        return VERDICT_BROKEN;
    }
    return *code ? VERDICT_ERROR : VERDICT_SUCCESS;
}

enum verdict client_judge(struct turn_client *c, struct task *task, const struct stun_msg *m, int *code, int *err)
{
    enum verdict v = judge(c, task, m, code, err);
    if (v != VERDICT_IGNORE)
        measure(c, task);
    return v;
}
