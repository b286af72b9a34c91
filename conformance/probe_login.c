/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users of the server: the long-term credential mechanism, and the requests that every probe makes. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conformance/probe_parts.h"

/* RFC 6062 5.2: a Connect may take the server 30 s and more. */
#define CONNECT_NS (45 * NS_S)
#define RTO_NS (500 * NS_MS) /* RFC 8489 6.2.1 */

struct login *login_new(struct probe *p, unsigned user)
{
    const struct bench_user *u = &p->bench->user[user == USER2];
    if (!u->name)
        probe_skip(p, "a second user of the server is not known");
    struct login *l = probe_alloc(p, sizeof *l);
    *l = (struct login){.user = user, .name = u->name, .password = u->password};
    if (user == USER_UNKNOWN)
        l->name = "nobody-of-that-name";
    if (user == USER_WRONG_PASSWORD)
        l->password = "not the password";
    return l;
}

void message_sign(struct message *m, const struct login *l)
{
    message_put_text(m, ATTR_USERNAME, l->name);
    message_put_text(m, ATTR_REALM, l->realm);
    message_put_text(m, ATTR_NONCE, l->nonce);
    message_seal(m, l);
}

void message_seal(struct message *m, const struct login *l)
{
    struct stun_out o = {.dialect = &stun_rfc8489, .w = writer_of(m->bytes, MESSAGE_MAX)};
    o.w.p += m->len;
    stun_put_integrity(&o, l->key, sizeof l->key, false);
    long len = stun_end(&o);
    assert(len > 0);
    m->len = (size_t)len;
    m->login = l;
}

static bool learn_text(const struct heard *h, enum stun_attr_type type, char *out, size_t cap)
{
    const char *text;
    size_t len;
    if (h->kind != HEARD_STUN || stun_get_text(&h->stun, type, &text, &len) != 0 || len >= cap)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

bool login_learn(struct login *l, const struct heard *h)
{
    if (!learn_text(h, ATTR_REALM, l->realm, sizeof l->realm) || !learn_text(h, ATTR_NONCE, l->nonce, sizeof l->nonce))
        return false;
    stun_long_term_key(l->name, l->realm, l->password, l->key);
    l->known = true;
    return true;
}

bool login_verifies(const struct login *l, const struct heard *h)
{
    return h->kind == HEARD_STUN && stun_check_integrity(&h->stun, l->key, sizeof l->key) == 0;
}

/* Over UDP it is sent again until it is answered. */
static struct heard exchange(struct line *via, const struct message *m, uint64_t ns)
{
    uint64_t end = probe_now(via->p) + ns, rto = via->kind == KIND_UDP ? RTO_NS : ns;
    for (unsigned sends = 1;; sends++, rto *= 2) {
        line_send_message(via, m);
        uint64_t left = end - probe_now(via->p);
        struct heard h = line_answer(via, m, time_min(rto, left));
        if (h.kind == HEARD_STUN && sends > 1)
            line_settle(via, m);
        if (h.kind != HEARD_NOTHING || probe_now(via->p) >= end)
            return h;
    }
}

static const char *method_name(unsigned method)
{
    const char *name = stun_method_name(&stun_rfc8489, (uint16_t)method);
    return name ? name : "that";
}

struct heard login_ask(struct login *l, struct line *via, unsigned method, fill_handler *fill, const void *arg)
{
    enum { TRIES = 3 };
    for (unsigned try = 0;; try++) {
        struct message *m = message_request(via->p, method);
        bool is_signed = l->known;
        if (fill)
            fill(m, arg);
        if (is_signed)
            message_sign(m, l);
        struct heard h = exchange(via, m, method == TURN_CONNECT ? CONNECT_NS : probe_soon(via->p));
        if (h.kind == HEARD_ENDED)
            probe_fail(via->p, "the server ended the connection instead of answering the %s request",
                       method_name(method));
        if (h.kind == HEARD_NOTHING)
            probe_fail(via->p, "the %s request was not answered", method_name(method));
        bool again = (h.code == 401 && !is_signed) || h.code == 438;
        if (!again || try == TRIES || !login_learn(l, &h))
            return h;
    }
}

/* ---- requests ---- */

static void fill_lifetime(struct message *m, const void *arg)
{
    const long *lifetime = arg;
    if (*lifetime >= 0)
        message_put_u32(m, ATTR_LIFETIME, (uint32_t)*lifetime);
}

struct heard ask_refresh(struct login *l, struct line *via, long lifetime)
{
    return login_ask(l, via, TURN_REFRESH, fill_lifetime, &lifetime);
}

static void fill_peer(struct message *m, const void *arg)
{
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, arg);
}

struct heard ask_permission(struct login *l, struct line *via, const struct endpoint *peer)
{
    return login_ask(l, via, TURN_CREATE_PERMISSION, fill_peer, peer);
}

struct channel {
    uint16_t number;
    const struct endpoint *peer;
};

static void fill_channel(struct message *m, const void *arg)
{
    const struct channel *c = arg;
    message_put_u32(m, ATTR_CHANNEL_NUMBER, (uint32_t)c->number << 16);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, c->peer);
}

struct heard ask_channel(struct login *l, struct line *via, uint16_t number, const struct endpoint *peer)
{
    return login_ask(l, via, TURN_CHANNEL_BIND, fill_channel, &(struct channel){number, peer});
}

struct heard ask_connect(struct login *l, struct line *via, const struct endpoint *peer)
{
    return login_ask(l, via, TURN_CONNECT, fill_peer, peer);
}

static void fill_connection(struct message *m, const void *arg)
{
    message_put_u32(m, ATTR_CONNECTION_ID, *(const uint32_t *)arg);
}

struct heard ask_bind(struct login *l, struct line *data, uint32_t connection)
{
    return login_ask(l, data, TURN_CONNECTION_BIND, fill_connection, &connection);
}

static struct message *begin(struct login *l, struct line *via, unsigned method, fill_handler *fill, const void *arg)
{
    assert(l->known);
    struct message *m = message_request(via->p, method);
    fill(m, arg);
    message_sign(m, l);
    line_send_message(via, m);
    return m;
}

struct message *begin_connect(struct login *l, struct line *via, const struct endpoint *peer)
{
    return begin(l, via, TURN_CONNECT, fill_peer, peer);
}

struct message *begin_bind(struct login *l, struct line *data, uint32_t connection)
{
    return begin(l, data, TURN_CONNECTION_BIND, fill_connection, &connection);
}

/* ---- what an answer is, in words ---- */

const char *heard_text(const struct heard *h, char out[HEARD_TEXT])
{
    struct text t = text_of(out, HEARD_TEXT);
    switch (h->kind) {
    case HEARD_NOTHING:
        text_add(&t, "no answer");
        break;
    case HEARD_ENDED:
        text_add(&t, "the end of the connection");
        break;
    case HEARD_CHANNEL:
        text_add(&t, "ChannelData on 0x%04x", h->channel);
        break;
    case HEARD_STUN:
        stun_label(&stun_rfc8489, h->stun.type, h->code > 0 ? h->code : 0, &t);
        break;
    }
    return out;
}

void expect_code(struct probe *p, const struct heard *h, int code, const char *what)
{
    char seen[HEARD_TEXT], wanted[24] = "success";
    if (h->kind == HEARD_STUN && h->code == code)
        return;
    if (code)
        snprintf(wanted, sizeof wanted, "error %d", code);
    probe_fail(p, "%s was answered with %s, not with %s", what, heard_text(h, seen), wanted);
}
