/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/server.h"

enum { LIFETIME_DEFAULT_S = 600, LIFETIME_MAX_S = 3600, UNKNOWN_MAX = 8 };

/* ---- answering ---- */

/* Codes of draft-rosenberg-midcom-turn-08 9.2.4 and RFC 3489 that later documents dropped. */
static const char *reason_of(int code)
{
    static const struct {
        int code;
        const char *reason;
    } old[] = {
        {431, "Integrity Check Failure"}, {432, "Missing Username"}, {434, "Missing Realm"},
        {435, "Missing Nonce"},           {436, "Unknown Username"}, {437, "No Binding"},
    };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (old[i].code == code)
            return old[i].reason;
    return NULL; /* stun_reason's */
}

static void put_sequence(struct stun_out *o, const struct ms_alloc *al)
{
    uint8_t v[MS_SEQUENCE_NUMBER];
    memcpy(v, al->connection_id, MS_CONNECTION_ID);
    store32(v + MS_CONNECTION_ID, al->sequence);
    stun_put(o, ATTR_MS_SEQUENCE_NUMBER, v, sizeof v);
}

/* MST-7, MST-8: the relay's address is MAPPED-ADDRESS, for the client's version is below 4. */
static void put_allocation(const struct ms_turn_server *s, const struct ms_client *c, struct stun_out *o)
{
    bool nat = !ip_is_any(&s->cfg.public_ip);
    struct endpoint relayed = {.ip = nat ? s->cfg.public_ip : s->cfg.relay_ip, .port = c->alloc.port};
    if (c->alloc.state == MS_ALLOC_LIVE) {
        stun_put_address(o, ATTR_MAPPED_ADDRESS, &relayed);
        stun_put_address(o, ATTR_MS_XOR_MAPPED_ADDRESS, &c->remote);
    }
    stun_put_u32(o, ATTR_LIFETIME, c->alloc.lifetime_s);
}

static void put_unknown(const struct stun_msg *request, struct stun_out *o)
{
    uint16_t types[UNKNOWN_MAX];
    uint8_t list[2 * UNKNOWN_MAX];
    size_t n = stun_unknown(request, types, UNKNOWN_MAX);
    n = n < UNKNOWN_MAX ? n : UNKNOWN_MAX;
    for (size_t i = 0; i < n; i++)
        store16(list + 2 * i, types[i]);
    stun_put(o, ATTR_UNKNOWN_ATTRIBUTES, list, 2 * n);
}

/* What an error says beside its code: how to do better. */
static void put_challenge(const struct ms_turn_server *s, const struct ms_client *c, int code,
                          struct stun_out *o)
{
    if (code != 401 && code != 434 && code != 435 && code != 438)
        return;
    stun_put_text(o, ATTR_REALM, s->cfg.realm);
    stun_put_text(o, ATTR_NONCE, c->nonce);
    if (code == 401) /* [MS-TURN] 2.2.2: the address of the server that answers */
        stun_put_address(o, ATTR_MS_ALTERNATE_SERVER, &c->local);
}

struct answer {
    uint16_t method;
    struct stun_id id;
    int code; /* 0: success */
    const uint8_t *key; /* NULL: without MESSAGE-INTEGRITY */
    const struct stun_msg *request; /* for 420 */
};

static void answer(struct ms_turn_server *s, struct ms_client *c, const struct answer *a)
{
    struct stun_out o;
    uint16_t type = stun_type(a->code ? STUN_ERROR : STUN_SUCCESS, a->method);
    stun_begin(&o, &stun_ms_turn, s->unit.bytes + MS_UNIT_HEADER, MS_UNIT_MAX, type, &a->id);
    stun_put_u32(&o, ATTR_MS_VERSION, MS_VERSION);
    if (a->code) {
        stun_put_error(&o, a->code, reason_of(a->code));
        put_challenge(s, c, a->code, &o);
        if (a->code == 420)
            put_unknown(a->request, &o);
    } else {
        if (a->method == TURN_ALLOCATE)
            put_allocation(s, c, &o);
        if (c->alloc.state == MS_ALLOC_LIVE)
            put_sequence(&o, &c->alloc);
    }
    if (a->key)
        stun_put_integrity(&o, a->key, sizeof s->users[0].key, false);
    long len = stun_end(&o);
    if (len < 0)
        return; /* a realm of 64 kB: the configuration's fault */
    char label[80];
    const char *name = stun_method_name(&stun_ms_turn, type);
    snprintf(label, sizeof label, a->code ? "MS-TURN %s error %d" : "MS-TURN %s success",
             name ? name : "unknown", a->code);
    ms_to_client(s, c, MS_UNIT_CONTROL, (size_t)len, label);
}

/* ---- who asks ---- */

static bool text_is(const struct stun_msg *m, enum stun_attr_type type, const char *s)
{
    const char *text;
    size_t len;
    return stun_get_text(m, type, &text, &len) == 0 && len == strlen(s) && memcmp(text, s, len) == 0;
}

/* The user whose name and MAC the message has: 0, or 432, 436, 431. */
static int check_user(const struct ms_turn_server *s, const struct stun_msg *m, size_t *user)
{
    struct stun_attr name;
    if (!stun_find(m, ATTR_USERNAME, &name))
        return 432;
    for (*user = 0; *user < s->cfg.user_count; ++*user)
        if (text_is(m, ATTR_USERNAME, s->users[*user].name))
            return stun_check_integrity(m, s->users[*user].key, sizeof s->users[*user].key) == 0 ? 0 : 431;
    return 436;
}

/* MST-14 and the draft's 7.1: a first Allocate is challenged, a second has all it takes. */
static int check_challenged(const struct ms_turn_server *s, const struct ms_client *c,
                            const struct stun_msg *m, size_t *user)
{
    struct stun_attr found;
    if (!m->mac_at)
        return 401;
    if (!text_is(m, ATTR_REALM, s->cfg.realm))
        return 434;
    if (!stun_find(m, ATTR_NONCE, &found))
        return 435;
    if (!text_is(m, ATTR_NONCE, c->nonce))
        return 438;
    return check_user(s, m, user);
}

/* MST-11: what follows Allocate has name and MAC only, of the allocation's user, and its connection id if
 * any. */
static int check_owner(const struct ms_turn_server *s, const struct ms_client *c, const struct stun_msg *m)
{
    if (c->alloc.state != MS_ALLOC_LIVE)
        return 437;
    size_t user;
    int code = check_user(s, m, &user);
    if (code || user != c->alloc.user)
        return code ? code : 431;
    struct stun_attr seq;
    if (stun_find(m, ATTR_MS_SEQUENCE_NUMBER, &seq) &&
        (seq.len != MS_SEQUENCE_NUMBER || memcmp(seq.value, c->alloc.connection_id, MS_CONNECTION_ID) != 0))
        return 400;
    return 0;
}

static bool has_unknown(const struct stun_msg *m)
{
    uint16_t type;
    return stun_unknown(m, &type, 1) > 0;
}

/* ---- Allocate ---- */

/* Opens the next port; the host says if it is taken. When all have been tried: 500, as nothing better is
 * known. */
static void open_relay_port(struct ms_turn_server *s, struct ms_client *c)
{
    struct ms_alloc *al = &c->alloc;
    uint32_t ports = (uint32_t)s->cfg.last_port - s->cfg.first_port + 1;
    if (al->tries++ < ports) {
        struct endpoint local = {.ip = s->cfg.relay_ip, .port = s->next_port};
        s->next_port = s->next_port == s->cfg.last_port ? s->cfg.first_port : (uint16_t)(s->next_port + 1);
        al->port = local.port;
        al->listener = c->over_udp ? io_udp(s->io, s->owner, &local) : io_listen(s->io, s->owner, &local);
        return;
    }
    struct answer a = {
        .method = TURN_ALLOCATE, .id = al->request, .code = 500, .key = s->users[al->user].key};
    ms_alloc_free(s, c, "ports");
    answer(s, c, &a);
}

void ms_relay_port_failed(struct ms_turn_server *s, struct ms_client *c)
{
    c->alloc.listener = IO_NONE;
    c->alloc.port = 0;
    open_relay_port(s, c);
}

void ms_relay_port_opened(struct ms_turn_server *s, struct ms_client *c)
{
    struct ms_alloc *al = &c->alloc;
    al->state = MS_ALLOC_LIVE;
    al->expires_ns = io_now(s->io) + al->lifetime_s * NS_S;
    rng_fill(&s->rng, al->connection_id, sizeof al->connection_id);
    io_note(s->io, NOTE_STATE, "ms-alloc=%u NONE -> LIVE cause=allocate", al->port);
    answer(s, c, &(struct answer){.method = TURN_ALLOCATE, .id = al->request, .key = s->users[al->user].key});
}

/* 0 and what is asked for, or the error's code. */
static int judge_allocate(const struct ms_turn_server *s, const struct ms_client *c, const struct stun_msg *m,
                          size_t *user, uint32_t *lifetime_s)
{
    int code = check_challenged(s, c, m, user);
    if (code)
        return code;
    if (has_unknown(m))
        return 420;
    *lifetime_s = LIFETIME_DEFAULT_S;
    int err = stun_get_u32(m, ATTR_LIFETIME, lifetime_s);
    if (err && err != E_NOT_FOUND)
        return 400;
    if (*lifetime_s > LIFETIME_MAX_S)
        *lifetime_s = LIFETIME_MAX_S;
    if (c->alloc.state == MS_ALLOC_LIVE)
        return *user == c->alloc.user ? 0 : 431;
    return *lifetime_s ? 0 : 437;
}

static void allocate(struct ms_turn_server *s, struct ms_client *c, const struct stun_msg *m)
{
    struct ms_alloc *al = &c->alloc;
    if (al->state == MS_ALLOC_OPENING)
        return; /* it will be answered once */
    size_t user;
    uint32_t lifetime_s;
    struct answer a = {.method = m->method, .id = m->id, .request = m};
    a.code = judge_allocate(s, c, m, &user, &lifetime_s);
    if (a.code == 0 && al->state == MS_ALLOC_NONE) {
        *al = (struct ms_alloc){
            .state = MS_ALLOC_OPENING, .user = user, .request = m->id, .lifetime_s = lifetime_s};
        open_relay_port(s, c);
        return;
    }
    if (a.code == 0) { /* MST-4: a refresh, or the end */
        a.key = s->users[user].key;
        al->lifetime_s = lifetime_s;
        al->expires_ns = io_now(s->io) + lifetime_s * NS_S;
        if (lifetime_s == 0)
            ms_alloc_free(s, c, "deleted");
    }
    answer(s, c, &a);
}

/* ---- Send, Set Active Destination ---- */

static void send_request(struct ms_turn_server *s, struct ms_client *c, const struct stun_msg *m)
{
    struct endpoint to;
    struct stun_attr data;
    if (check_owner(s, c, m) || has_unknown(m) ||
        stun_get_address(m, ATTR_MS_DESTINATION_ADDRESS, &to) != 0 || !stun_find(m, ATTR_DATA, &data))
        return; /* MST-2: never answered */
    ms_relay_send(s, c, &to, data.value, data.len);
}

/* Who can become the active destination: on TCP one that is connected, as there is nowhere else for raw data to go;
 * over UDP one that is permitted. */
static struct ms_peer *who_can_be_active(const struct ms_turn_server *s, struct ms_client *c,
                                         const struct endpoint *at)
{
    if (!c->over_udp)
        return ms_peer_open_at(s, c, at);
    return ms_is_permitted(s, c, &at->ip) ? ms_peer_of(s, c, at) : NULL;
}

/* Without DESTINATION-ADDRESS nobody is the active destination any more. */
static int judge_active(const struct ms_turn_server *s, struct ms_client *c, const struct stun_msg *m,
                        struct ms_peer **peer)
{
    int code = check_owner(s, c, m);
    if (code)
        return code;
    if (has_unknown(m))
        return 420;
    struct endpoint at;
    int err = stun_get_address(m, ATTR_MS_DESTINATION_ADDRESS, &at);
    *peer = err ? NULL : who_can_be_active(s, c, &at);
    return *peer || err == E_NOT_FOUND ? 0 : 400;
}

static void set_active(struct ms_turn_server *s, struct ms_client *c, const struct stun_msg *m)
{
    struct ms_peer *peer;
    struct answer a = {.method = m->method, .id = m->id, .request = m};
    a.code = judge_active(s, c, m, &peer);
    if (a.code == 0) {
        a.key = s->users[c->alloc.user].key;
        c->alloc.active = peer;
    }
    answer(s, c, &a);
}

void ms_control(struct ms_turn_server *s, struct ms_client *c, const uint8_t *bytes, size_t len)
{
    struct stun_msg m;
    if (stun_parse(&stun_ms_turn, bytes, len, &m) != 0) {
        if (!c->over_udp)
            ms_client_close(s, c); /* MST-3: on TCP the connection ends */
        return;
    }
    if (m.cls != STUN_REQUEST)
        return;
    if (m.method == TURN_ALLOCATE)
        allocate(s, c, &m);
    else if (m.method == MS_TURN_SEND)
        send_request(s, c, &m);
    else if (m.method == MS_TURN_SET_ACTIVE_DESTINATION)
        set_active(s, c, &m);
    else
        answer(s, c, &(struct answer){.method = m.method, .id = m.id, .code = 400});
}
