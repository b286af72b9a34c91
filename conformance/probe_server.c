/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server's side, for scripts that judge a client. */
#include <stdio.h>
#include <string.h>

#include "conformance/probe_parts.h"

#define REALM "example.org"
enum { RELAY_PORT = 50000 };

struct line *probe_serve(struct probe *p)
{
    return probe_listen_at(p, SERVER, &p->bench->tcp[0]);
}

struct line *probe_udp_server(struct probe *p)
{
    return probe_udp_at(p, SERVER, &p->bench->udp[0]);
}

static struct message *reply(struct probe *p, const struct heard *request, enum stun_class cls)
{
    struct message *m = message_new(p, cls, request->stun.method);
    message_set_id(m, &request->stun.id);
    return m;
}

static void put_error(struct message *m, int code)
{
    uint8_t value[128] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    const char *reason = stun_reason(code);
    size_t len = strlen(reason);
    memcpy(value + 4, reason, len);
    message_put(m, ATTR_ERROR_CODE, value, 4 + len);
}

static struct login *client_login(struct probe *p)
{
    if (!p->server_login)
        p->server_login = login_new(p, USER1);
    return p->server_login;
}

struct message *server_challenge(struct probe *p, const struct heard *request, int code)
{
    struct login *l = client_login(p);
    snprintf(l->realm, sizeof l->realm, "%s", REALM);
    snprintf(l->nonce, sizeof l->nonce, "nonce-%016llx", (unsigned long long)rng_u64(&p->rng));
    stun_long_term_key(l->name, l->realm, l->password, l->key);
    l->known = true;
    struct message *m = server_error(p, request, code);
    message_put_text(m, ATTR_REALM, l->realm);
    message_put_text(m, ATTR_NONCE, l->nonce);
    return m;
}

struct message *server_success(struct probe *p, const struct heard *request)
{
    return reply(p, request, STUN_SUCCESS);
}

struct message *server_error(struct probe *p, const struct heard *request, int code)
{
    struct message *m = reply(p, request, STUN_ERROR);
    put_error(m, code);
    return m;
}

void server_sign(struct message *m)
{
    message_seal(m, client_login(m->p));
}

static bool text_is(const struct heard *h, enum stun_attr_type type, const char *expected)
{
    const char *text;
    size_t len;
    return stun_get_text(&h->stun, type, &text, &len) == 0 && len == strlen(expected) &&
           memcmp(text, expected, len) == 0;
}

bool server_verifies(struct probe *p, const struct heard *request)
{
    const struct login *l = client_login(p);
    return l->known && request->kind == HEARD_STUN && text_is(request, ATTR_USERNAME, l->name) &&
           text_is(request, ATTR_REALM, l->realm) && text_is(request, ATTR_NONCE, l->nonce) &&
           login_verifies(l, request);
}

struct heard server_hear(struct probe *p, struct line *l, unsigned method, uint64_t ns)
{
    struct heard h = line_request(l, method, ns);
    if (h.kind != HEARD_STUN)
        probe_fail(p, "the client has sent no %s request", stun_method_name(&stun_rfc8489, (uint16_t)method));
    return h;
}

struct endpoint server_relayed(const struct probe *p)
{
    return (struct endpoint){p->bench->ip[SERVER][0], RELAY_PORT};
}

struct line *server_grants(struct probe *p, struct line *listener, uint32_t lifetime)
{
    struct line *l = listener->kind == KIND_UDP ? listener : probe_accept(p, listener, probe_soon(p));
    if (!l)
        probe_fail(p, "the client has not connected to its server");
    struct heard h = server_hear(p, l, TURN_ALLOCATE, probe_soon(p));
    line_send_message(l, server_challenge(p, &h, 401));
    h = server_hear(p, l, TURN_ALLOCATE, probe_soon(p));
    if (!server_verifies(p, &h))
        probe_fail(p, "the client's second Allocate does not carry the credentials that were asked for");
    struct message *m = server_success(p, &h);
    struct endpoint relayed = server_relayed(p);
    message_put_address(m, ATTR_XOR_RELAYED_ADDRESS, &relayed);
    message_put_address(m, ATTR_XOR_MAPPED_ADDRESS, &l->remote);
    message_put_u32(m, ATTR_LIFETIME, lifetime);
    server_sign(m);
    line_send_message(l, m);
    return l;
}
