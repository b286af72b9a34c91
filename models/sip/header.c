/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of header fields, and writing them. */
#include <string.h>
#include <strings.h>

#include "models/base/err.h"
#include "models/sip/sip.h"

static struct sip_str from_to(const char *from, const char *to)
{
    return (struct sip_str){from, (size_t)(to - from)};
}

bool sip_find(const struct sip_msg *m, const char *name, struct sip_str *value)
{
    for (size_t i = 0; i < m->header_count; i++) {
        if (sip_is(m->header[i].name, name)) {
            *value = m->header[i].value;
            return true;
        }
    }
    return false;
}

/* How far a value goes: to a comma that stands in neither quotes nor angle brackets. */
static size_t value_len(struct sip_str s)
{
    bool quoted = false, angle = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '<')
            angle = true;
        else if (!quoted && c == '>')
            angle = false;
        else if (!quoted && !angle && c == ',')
            return i;
    }
    return s.len;
}

bool sip_next(const struct sip_msg *m, const char *name, struct sip_iter *it, struct sip_str *value)
{
    for (; it->header < m->header_count; it->header++, it->at = 0) {
        const struct sip_header *h = &m->header[it->header];
        if (!sip_is(h->name, name))
            continue;
        while (it->at < h->value.len) {
            struct sip_str rest = {h->value.p + it->at, h->value.len - it->at};
            size_t len = value_len(rest);
            it->at += len + 1;
            *value = sip_trim((struct sip_str){rest.p, len});
            if (value->len)
                return true;
        }
    }
    return false;
}

int sip_addr_parse(struct sip_str value, struct sip_addr *out)
{
    const char *end = value.p + value.len, *p = value.p;
    bool quoted = false;
    for (; p < end && (quoted || *p != '<'); p++) {
        if (quoted && *p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    if (quoted)
        return E_MALFORMED;
    if (p < end) {
        const char *close = memchr(p, '>', (size_t)(end - p));
        if (!close)
            return E_MALFORMED;
        out->uri = from_to(p + 1, close);
        out->params = sip_trim(from_to(close + 1, end));
    } else { /* 20.10: without brackets all parameters are the header field's */
        const char *semi = memchr(value.p, ';', value.len);
        out->uri = sip_trim(from_to(value.p, semi ? semi : end));
        out->params = semi ? from_to(semi, end) : from_to(end, end);
    }
    struct sip_uri uri;
    if (out->params.len && out->params.p[0] != ';')
        return E_MALFORMED;
    return sip_uri_parse(out->uri, &uri);
}

/* host[:port], host being a name, an IPv4 address or an IPv6 reference in brackets. */
static int host_port(struct sip_str s, struct sip_str *host, uint16_t *port)
{
    const char *end = s.p + s.len;
    const char *from = s.p;
    if (s.len && *s.p == '[') {
        from = memchr(s.p, ']', s.len);
        if (!from)
            return E_MALFORMED;
    }
    const char *colon = memchr(from, ':', (size_t)(end - from));
    *host = sip_trim(from_to(s.p, colon ? colon : end));
    *port = 0;
    if (!host->len)
        return E_MALFORMED;
    if (!colon)
        return 0;
    struct sip_str digits = sip_trim(from_to(colon + 1, end));
    unsigned n = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return E_MALFORMED;
        n = n * 10 + (unsigned)(digits.p[i] - '0');
        if (n > 65535)
            return E_MALFORMED;
    }
    *port = (uint16_t)n;
    return n ? 0 : E_MALFORMED;
}

int sip_uri_parse(struct sip_str text, struct sip_uri *out)
{
    *out = (struct sip_uri){0};
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == '<' || text.p[i] == '>' || text.p[i] == '"')
            return E_MALFORMED;
    const char *end = text.p + text.len;
    const char *colon = memchr(text.p, ':', text.len);
    if (!colon)
        return E_MALFORMED;
    struct sip_str scheme = from_to(text.p, colon);
    if (!sip_is(scheme, "sip") && !sip_is(scheme, "sips"))
        return E_MALFORMED;
    const char *p = colon + 1;
    const char *at = memchr(p, '@', (size_t)(end - p));
    if (at) {
        out->user = from_to(p, at);
        p = at + 1;
    }
    const char *stop = p;
    while (stop < end && *stop != ';' && *stop != '?')
        stop++;
    const char *query = memchr(stop, '?', (size_t)(end - stop));
    out->params = from_to(stop, query ? query : end);
    return host_port(from_to(p, stop), &out->host, &out->port);
}

int sip_via_parse(struct sip_str value, struct sip_via *out)
{
    *out = (struct sip_via){0};
    const char *end = value.p + value.len;
    const char *semi = memchr(value.p, ';', value.len);
    struct sip_str head = sip_trim(from_to(value.p, semi ? semi : end));
    out->params = semi ? from_to(semi, end) : from_to(end, end);
    /* "SIP/2.0/TCP host:port"; white space may stand around the slashes (25.1), nobody writes it */
    static const char protocol[] = "SIP/2.0/";
    if (head.len < sizeof protocol || strncasecmp(head.p, protocol, sizeof protocol - 1) != 0)
        return E_MALFORMED;
    const char *gap = head.p + sizeof protocol - 1, *stop = head.p + head.len;
    while (gap < stop && *gap != ' ' && *gap != '\t')
        gap++;
    sip_param(out->params, "branch", &out->branch);
    return host_port(sip_trim(from_to(gap, stop)), &out->host, &out->port);
}

bool sip_param(struct sip_str params, const char *name, struct sip_str *value)
{
    const char *p = params.p, *end = params.p + params.len;
    while (p < end) {
        const char *semi = p + (*p == ';');
        bool quoted = false;
        for (p = semi; p < end && (quoted || *p != ';'); p++) {
            if (quoted && *p == '\\' && p + 1 < end)
                p++;
            else if (*p == '"')
                quoted = !quoted;
        }
        const char *equals = memchr(semi, '=', (size_t)(p - semi));
        if (sip_is(sip_trim(from_to(semi, equals ? equals : p)), name)) {
            *value = sip_trim(equals ? from_to(equals + 1, p) : from_to(p, p));
            return true;
        }
    }
    return false;
}

struct sip_str sip_tag(const struct sip_msg *m, const char *name)
{
    struct sip_str value, tag = {"", 0};
    struct sip_addr addr;
    if (sip_find(m, name, &value) && sip_addr_parse(value, &addr) == 0)
        sip_param(addr.params, "tag", &tag);
    return tag;
}

const char *sip_label(const struct sip_msg *m, char out[SIP_LABEL])
{
    struct text t = text_of(out, SIP_LABEL);
    if (!m->request)
        text_add(&t, "%u %s (%.*s)", m->code, sip_reason(m->code), SIP_STR(m->method));
    else if (sip_is(m->method, "INVITE") && sip_tag(m, "To").len)
        text_add(&t, "re-INVITE");
    else
        text_add(&t, "%.*s", SIP_STR(m->method));
    return out;
}

/* ---- writing ---- */

void sip_put_header(struct text *t, const char *name, struct sip_str value)
{
    text_add(t, "%s: %.*s\r\n", name, SIP_STR(value));
}

void sip_copy(struct text *t, const struct sip_msg *m, const char *name)
{
    for (size_t i = 0; i < m->header_count; i++)
        if (sip_is(m->header[i].name, name))
            sip_put_header(t, name, m->header[i].value);
}

void sip_put_reply(struct text *t, const struct sip_msg *request, const char *to_tag)
{
    struct sip_str to;
    sip_copy(t, request, "Via");
    sip_copy(t, request, "Record-Route");
    sip_copy(t, request, "From");
    if (sip_find(request, "To", &to)) {
        text_add(t, "To: %.*s", SIP_STR(to));
        if (to_tag && !sip_tag(request, "To").len)
            text_add(t, ";tag=%s", to_tag);
        text_add(t, "\r\n");
    }
    sip_copy(t, request, "Call-ID");
    sip_copy(t, request, "CSeq");
}

void sip_put_body(struct text *t, const char *type, const char *body, size_t len)
{
    if (type)
        text_add(t, "Content-Type: %s\r\n", type);
    text_add(t, "Content-Length: %zu\r\n\r\n", len);
    if (t->cap - t->len <= len) {
        t->cut = true;
        return;
    }
    memcpy(t->buf + t->len, body, len); /* not text_add: a body may hold any byte */
    t->len += len;
    t->buf[t->len] = '\0';
}
