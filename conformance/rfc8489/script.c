/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/rfc8489/script.h"

#include <stdio.h>

enum { PATIENCE_S = 5 };

void script_begin(struct script *s, struct probe *p, bool udp)
{
    struct line *listener = s->listener, *socket = s->udp ? s->line : NULL;
    *s = (struct script){.p = p, .udp = udp, .c = {.p = p, .login = login_new(p, USER1)}};
    snprintf(s->c.login->realm, sizeof s->c.login->realm, "%s", SCRIPT_REALM);
    if (udp)
        s->line = socket ? socket : probe_udp_server(p);
    else
        s->listener = listener ? listener : probe_serve(p);
    subject_wish(p, &(struct wish){.kind = udp ? WISH_ALLOCATE_UDP_OVER_UDP : WISH_ALLOCATE_TCP});
    if (!udp)
        probe_require(p, script_next_line(s, PATIENCE_S * NS_S), "the client opened no connection");
}

struct line *script_next_line(struct script *s, uint64_t ns)
{
    struct line *l = probe_accept(s->p, s->listener, ns);
    if (l)
        s->line = l;
    return l;
}

struct heard script_request(struct script *s, unsigned method)
{
    return server_hear(s->p, s->line, method, PATIENCE_S * NS_S);
}

void script_send(struct script *s, const struct message *m)
{
    line_send_message(s->line, m);
}

struct message *script_answer(struct script *s, const struct heard *request, int code)
{
    return code ? server_error(s->p, request, code) : server_success(s->p, request);
}

void script_challenge(struct script *s, const struct heard *request, int code, const char *nonce, const char *list)
{
    struct message *m = script_answer(s, request, code);
    message_put_text(m, ATTR_REALM, SCRIPT_REALM);
    message_put_text(m, ATTR_NONCE, nonce);
    if (list)
        message_put_hex(m, ATTR_PASSWORD_ALGORITHMS, list);
    script_send(s, m);
}

struct message *script_allocated(struct script *s, const struct heard *request)
{
    struct message *m = script_answer(s, request, 0);
    struct endpoint relayed = server_relayed(s->p), mapped = {probe_ip(s->p, CLIENT1, IP_V4), 40000};
    message_put_address(m, ATTR_XOR_RELAYED_ADDRESS, &relayed);
    message_put_address(m, ATTR_XOR_MAPPED_ADDRESS, &mapped);
    message_put_u32(m, ATTR_LIFETIME, 600);
    return m;
}

void script_sign(struct script *s, struct message *m)
{
    mac_put(m, &s->c, s->c.algorithm ? WITH_SHA256 : WITH_SHA1);
}

void script_grant(struct script *s)
{
    struct heard h = script_request(s, TURN_ALLOCATE);
    script_challenge(s, &h, 401, "nonce-of-5389", NULL);
    h = script_request(s, TURN_ALLOCATE);
    struct message *m = script_allocated(s, &h);
    script_sign(s, m);
    script_send(s, m);
    probe_require(s->p, subject_told(s->p, TOLD_ALLOCATED, PATIENCE_S * NS_S),
                  "the client did not take its allocation");
}
