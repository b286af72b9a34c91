/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a message through the proxy: requests by their Route or the search rules, responses by our Via. */
#include <string.h>

#include "models/base/hash.h"
#include "models/sip/proxy_parts.h"

/* ---- answers of its own ---- */

static void respond(struct sip_proxy *p, const struct leg *to, const struct sip_msg *request, unsigned code,
                    const char *headers)
{
    if (sip_is(request->method, "ACK"))
        return; /* 17: never answered */
    struct text t = text_of(p->buf, PROXY_BUF);
    text_add(&t, "SIP/2.0 %u %s\r\n", code, sip_reason(code));
    sip_put_reply(&t, request, io_name(p->io));
    text_add(&t, "Server: %s\r\n%s", p->cfg.agent, headers);
    sip_put_body(&t, NULL, "", 0);
    struct sip_msg reply = {.code = code, .method = request->method};
    proxy_send(p, to, &t, &reply);
}

/* ---- requests ---- */

/* 16.11: the same for each request with the same branch, so that CANCEL and ACK follow their INVITE. */
static void put_via(struct sip_proxy *p, struct text *t, const struct leg *from, const struct leg *to)
{
    struct sip_iter it = {0};
    struct sip_str top;
    char token[PROXY_TOKEN], hex[2 * HASH_SHA256 + 1], at[ENDPOINT_TEXT];
    uint8_t digest[HASH_SHA256];
    struct sip_via via = {0};
    if (sip_next(&p->msg, "Via", &it, &top))
        sip_via_parse(top, &via);
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, via.host.p, via.host.len);
    sha256_add(&h, via.branch.p, via.branch.len);
    sha256_end(&h, digest);
    hex_of(digest, 8, hex);
    proxy_token(p, from, token);
    text_add(t, "Via: SIP/2.0/%s %s;branch=z9hG4bK%s.%s\r\n", p->cfg.side[to->side].udp ? "UDP" : "TCP",
             endpoint_text(&to->local, at), token, hex);
}

/* Those below ours; to the first is added what 18.2.1 wants when it names another address than the message
 * came from. */
static void put_vias(struct sip_proxy *p, struct text *t, const struct leg *from)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_via via;
    char ip[ADDR_TEXT];
    for (bool first = true; sip_next(&p->msg, "Via", &it, &value); first = false) {
        text_add(t, "Via: %.*s", SIP_STR(value));
        if (first && sip_via_parse(value, &via) == 0 && !sip_is(via.host, ip_text(&from->remote.ip, ip)))
            text_add(t, ";received=%s", ip);
        text_add(t, "\r\n");
    }
}

/* All header fields but those, as they came. */
static void put_others(struct text *t, const struct sip_msg *m, const char *const *but, size_t n)
{
    for (size_t i = 0; i < m->header_count; i++) {
        bool skip = false;
        for (size_t k = 0; k < n; k++)
            skip = skip || sip_is(m->header[i].name, but[k]);
        if (!skip)
            text_add(t, "%.*s: %.*s\r\n", SIP_STR(m->header[i].name), SIP_STR(m->header[i].value));
    }
}

static void put_record_route(struct sip_proxy *p, struct text *t, const struct leg *from,
                             const struct leg *to)
{
    char a[PROXY_TOKEN], b[PROXY_TOKEN];
    proxy_token(p, from, a);
    proxy_token(p, to, b);
    text_add(t, "Record-Route: <sip:%s;transport=tcp;lr;legs=%s.%s>\r\n", io_name(p->io), a, b);
}

/* Our own name in the first Route: the way that the call took (16.4). */
static bool own_route(struct sip_proxy *p, struct sip_str *legs)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_addr addr;
    struct sip_uri uri;
    return sip_next(&p->msg, "Route", &it, &value) && sip_addr_parse(value, &addr) == 0 &&
           sip_uri_parse(addr.uri, &uri) == 0 && sip_is(uri.host, io_name(p->io)) &&
           sip_param(uri.params, "legs", legs);
}

/* The other of the two legs that our Route names. NULL: it is gone; *down: its side. */
static struct leg *routed_leg(struct sip_proxy *p, const struct leg *from, struct sip_str legs, unsigned *down)
{
    const char *dot = memchr(legs.p, '.', legs.len);
    if (!dot)
        return NULL;
    struct sip_str a = {legs.p, (size_t)(dot - legs.p)}, b = {dot + 1, legs.len - (size_t)(dot - legs.p) - 1};
    struct sip_str other = a.len && a.p[0] == 'a' + (char)from->side ? b : a;
    if (other.len && other.p[0] >= 'a' && other.p[0] < 'a' + (int)p->sides)
        *down = (unsigned)(other.p[0] - 'a');
    return proxy_named(p, other);
}

static void put_routes(struct sip_proxy *p, struct text *t, bool skip_first)
{
    struct sip_iter it = {0};
    struct sip_str value;
    while (sip_next(&p->msg, "Route", &it, &value)) {
        if (!skip_first)
            sip_put_header(t, "Route", value);
        skip_first = false;
    }
}

/* 20.22. -1: it has come to its end. What is absent, or no number up to 255, begins anew. */
static int max_forwards(const struct sip_msg *m)
{
    struct sip_str value;
    int n = 0;
    if (!sip_find(m, "Max-Forwards", &value) || !value.len)
        return 70;
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return 70;
        n = n * 10 + (value.p[i] - '0');
        if (n > 255)
            return 70;
    }
    return n - 1;
}

/* The body as it goes on, by the leave of what reads descriptions. The code to refuse with, or 0. */
static unsigned pass_body(struct sip_proxy *p, const struct leg *from, const struct leg *to, struct sip_str *body)
{
    struct text t = text_of(p->body, sizeof p->body);
    *body = p->msg.body;
    if (!p->cfg.media.pass)
        return 0;
    struct sip_passage at = {from->side, to->side, from->remote, to->local};
    unsigned code = p->cfg.media.pass(p->cfg.media.ctx, &at, &p->msg, &t);
    if (code == 1 && !t.cut)
        *body = (struct sip_str){t.buf, t.len};
    return code > 1 ? code : 0;
}

static void forward_request(struct sip_proxy *p, struct leg *from, struct leg *to, bool routed, int forwards)
{
    static const char *const written[] = {"Via", "Max-Forwards", "Route", "Content-Length"};
    const struct sip_msg *m = &p->msg;
    struct sip_str body;
    unsigned code = pass_body(p, from, to, &body);
    if (code) {
        respond(p, from, m, code, "");
        return;
    }
    struct text t = text_of(p->buf, PROXY_BUF);
    text_add(&t, "%.*s %.*s SIP/2.0\r\n", SIP_STR(m->method), SIP_STR(m->uri));
    put_via(p, &t, from, to);
    put_vias(p, &t, from);
    text_add(&t, "Max-Forwards: %d\r\n", forwards);
    put_routes(p, &t, routed);
    if (sip_is(m->method, "INVITE") && !sip_tag(m, "To").len)
        put_record_route(p, &t, from, to);
    put_others(&t, m, written, sizeof written / sizeof *written);
    sip_put_body(&t, NULL, body.p, body.len);
    proxy_send(p, to, &t, m);
}

/* Ourselves in the Request-URI, and nobody there: OPTIONS that ask whether we are up (11). */
static bool for_us(const struct sip_proxy *p, const struct leg *from)
{
    struct sip_uri uri;
    char ip[ADDR_TEXT];
    return sip_is(p->msg.method, "OPTIONS") && sip_uri_parse(p->msg.uri, &uri) == 0 && !uri.user.len &&
           (sip_is(uri.host, ip_text(&from->local.ip, ip)) || sip_is(uri.host, io_name(p->io)));
}

void proxy_request(struct sip_proxy *p, struct leg *from)
{
    const char *headers = "";
    struct sip_str legs;
    unsigned refusal = 503, down = from->side;
    unsigned code = p->cfg.policy ? p->cfg.policy(&p->msg, &headers) : 0;
    if (!code && for_us(p, from)) {
        respond(p, from, &p->msg, 200, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n");
        return;
    }
    bool routed = own_route(p, &legs);
    struct leg *to = routed ? routed_leg(p, from, legs, &down) : side_search(p, from->side, &refusal, &down);
    int forwards = max_forwards(&p->msg);
    if (!code && forwards < 0)
        code = 483;
    if (!code && !to) {
        code = refusal;
        if (code == 503) {
            headers = "Retry-After: 3\r\n";
            io_note(p->io, NOTE_STATE, "request refused: no connection with %s", p->cfg.side[down].peer);
        }
    }
    if (code)
        respond(p, from, &p->msg, code, headers);
    else
        forward_request(p, from, to, routed, forwards);
}

/* ---- responses ---- */

/* 16.7: our Via goes, and says where to. What has no other below is an answer to OPTIONS of ours, or not for us. */
void proxy_response(struct sip_proxy *p, const struct leg *from)
{
    static const char cookie[] = "z9hG4bK";
    const struct sip_msg *m = &p->msg;
    struct sip_iter it = {0};
    struct sip_str top, below, body;
    struct sip_via via;
    if (!sip_next(m, "Via", &it, &top) || sip_via_parse(top, &via) || side_answered(p, &via) ||
        !sip_next(m, "Via", &it, &below) || via.branch.len < sizeof cookie ||
        memcmp(via.branch.p, cookie, sizeof cookie - 1) != 0)
        return;
    struct sip_str token = {via.branch.p + sizeof cookie - 1, via.branch.len - (sizeof cookie - 1)};
    const char *dot = memchr(token.p, '.', token.len);
    token.len = dot ? (size_t)(dot - token.p) : 0;
    struct leg *to = proxy_named(p, token);
    if (!to)
        return;
    pass_body(p, from, to, &body);
    struct text t = text_of(p->buf, PROXY_BUF);
    text_add(&t, "SIP/2.0 %u %.*s\r\n", m->code, SIP_STR(m->reason));
    it = (struct sip_iter){0};
    sip_next(m, "Via", &it, &top);
    while (sip_next(m, "Via", &it, &below))
        sip_put_header(&t, "Via", below);
    static const char *const written[] = {"Via", "Content-Length"};
    put_others(&t, m, written, sizeof written / sizeof *written);
    sip_put_body(&t, NULL, body.p, body.len);
    proxy_send(p, to, &t, m);
}
