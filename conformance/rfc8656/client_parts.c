/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server of the client that is judged, as far as the probes of RFC 8656 share it. */
#include "conformance/rfc8656/rfc8656.h"

struct line *client_comes(struct probe *p, struct line *listener)
{
    struct line *control = probe_accept(p, listener, probe_soon(p));
    probe_require(p, control, "the client did not connect to the server");
    return control;
}

void client_wants(struct probe *p, enum wish_kind kind, const struct endpoint *peer)
{
    struct wish w = {.kind = kind};
    if (peer)
        w.peer = *peer;
    subject_wish(p, &w);
}

void answer(struct line *control, struct message *m)
{
    server_sign(m);
    line_send_message(control, m);
}

void answer_success(struct probe *p, struct line *control, const struct heard *request)
{
    answer(control, server_success(p, request));
}

void answer_refresh(struct probe *p, struct line *control, const struct heard *request, uint32_t lifetime)
{
    struct message *m = server_success(p, request);
    message_put_u32(m, ATTR_LIFETIME, lifetime);
    answer(control, m);
}

void answer_error(struct probe *p, struct line *control, const struct heard *request, int code)
{
    answer(control, server_error(p, request, code));
}

void answer_allocate(struct probe *p, struct line *control, const struct heard *request, const struct endpoint *relayed,
                     uint32_t lifetime)
{
    struct message *m = server_success(p, request);
    struct endpoint mapped = line_remote(control);
    message_put_address(m, ATTR_XOR_RELAYED_ADDRESS, relayed);
    message_put_address(m, ATTR_XOR_MAPPED_ADDRESS, &mapped);
    message_put_u32(m, ATTR_LIFETIME, lifetime);
    answer(control, m);
}

struct heard client_allocates(struct probe *p, struct line *control)
{
    struct heard h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    if (server_verifies(p, &h))
        return h;
    line_send_message(control, server_challenge(p, &h, 401));
    h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    probe_require(p, server_verifies(p, &h), "the client answered a 401 with an Allocate without good credentials");
    return h;
}

struct line *client_has_relay(struct probe *p, struct line *listener, uint32_t lifetime)
{
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = server_grants(p, listener, lifetime);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, probe_soon(p)),
                  "the client did not take an Allocate success for one");
    return control;
}
