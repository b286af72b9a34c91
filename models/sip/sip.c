/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/sip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/base/err.h"

static const struct sip_str empty = {"", 0};

/* RFC 3261 7.3.3 and 20. */
static const struct {
    char compact;
    const char *name;
} compact_forms[] = {
    {'i', "Call-ID"},      {'m', "Contact"}, {'e', "Content-Encoding"}, {'l', "Content-Length"},
    {'c', "Content-Type"}, {'f', "From"},    {'s', "Subject"},          {'k', "Supported"},
    {'t', "To"},           {'v', "Via"},
};

static const struct {
    unsigned code;
    const char *reason;
} reasons[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {183, "Session Progress"},
    {200, "OK"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {491, "Request Pending"},
    {500, "Server Internal Error"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
};

const char *sip_reason(unsigned code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return "Unknown";
}

bool sip_is(struct sip_str s, const char *text)
{
    return strlen(text) == s.len && strncasecmp(s.p, text, s.len) == 0;
}

bool sip_same(struct sip_str a, struct sip_str b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sip_str sip_trim(struct sip_str s)
{
    while (s.len && is_space(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* token of 25.1 */
static bool is_token(struct sip_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && !(c && strchr("-.!%*_+`'~", c)))
            return false;
    }
    return s.len > 0;
}

static struct sip_str slice(const char *from, const char *to)
{
    return (struct sip_str){from, (size_t)(to - from)};
}

/* Decimal digits and nothing else, at most max. */
static int parse_number(struct sip_str s, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    if (!s.len || s.len > 10)
        return E_MALFORMED;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return E_MALFORMED;
        n = n * 10 + (unsigned)(s.p[i] - '0');
    }
    if (n > max)
        return E_RANGE;
    *out = (uint32_t)n;
    return 0;
}

/* ---- lines ---- */

/* The next logical line, folds included, from *p on; *p goes behind its CRLF. A CR or LF on its own is an
 * error: what one reader takes for a line end and another does not is how header fields are smuggled. */
static int next_line(const char **p, const char *end, struct sip_str *line)
{
    const char *at = *p;
    for (;; at += 2) {
        at = memchr(at, '\r', (size_t)(end - at));
        if (!at || end - at < 2 || at[1] != '\n')
            return E_MALFORMED;
        bool fold = at > *p && end - at > 2 && (at[2] == ' ' || at[2] == '\t');
        if (!fold)
            break;
    }
    *line = slice(*p, at);
    for (size_t i = 0; i < line->len; i++)
        if (line->p[i] == '\0' || (line->p[i] == '\n' && (i == 0 || line->p[i - 1] != '\r')))
            return E_MALFORMED;
    *p = at + 2;
    return 0;
}

/* Up to the first `sep`, or all; rest goes behind it. */
static struct sip_str cut(struct sip_str *rest, char sep)
{
    const char *at = memchr(rest->p, sep, rest->len);
    struct sip_str head = at ? slice(rest->p, at) : *rest;
    *rest = at ? slice(at + 1, rest->p + rest->len) : empty;
    return head;
}

static int parse_start(struct sip_str line, struct sip_msg *out)
{
    struct sip_str first = cut(&line, ' ');
    if (sip_is(first, "SIP/2.0")) {
        uint32_t code;
        if (parse_number(cut(&line, ' '), 699, &code) || code < 100)
            return E_MALFORMED;
        out->code = code;
        out->reason = line;
        return 0;
    }
    out->request = true;
    out->method = first;
    out->uri = cut(&line, ' ');
    struct sip_uri uri;
    if (!is_token(first) || !sip_is(line, "SIP/2.0") || sip_uri_parse(out->uri, &uri))
        return E_MALFORMED;
    return 0;
}

static int parse_header(struct sip_str line, struct sip_msg *out)
{
    if (out->header_count == SIP_HEADERS_MAX)
        return E_RANGE;
    const char *colon = memchr(line.p, ':', line.len);
    if (!colon)
        return E_MALFORMED;
    struct sip_header *h = &out->header[out->header_count++];
    h->name = sip_trim(slice(line.p, colon));
    h->value = sip_trim(slice(colon + 1, line.p + line.len));
    if (!is_token(h->name))
        return E_MALFORMED;
    for (size_t i = 0; h->name.len == 1 && i < sizeof compact_forms / sizeof *compact_forms; i++)
        if ((h->name.p[0] | 0x20) == compact_forms[i].compact)
            h->name = (struct sip_str){compact_forms[i].name, strlen(compact_forms[i].name)};
    return 0;
}

static size_t count(const struct sip_msg *m, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < m->header_count; i++)
        n += sip_is(m->header[i].name, name);
    return n;
}

static int parse_cseq(struct sip_msg *m)
{
    struct sip_str value;
    if (!sip_find(m, "CSeq", &value))
        return E_MALFORMED;
    size_t digits = 0;
    while (digits < value.len && !is_space(value.p[digits]))
        digits++;
    struct sip_str method = sip_trim(slice(value.p + digits, value.p + value.len));
    if (parse_number((struct sip_str){value.p, digits}, INT32_MAX, &m->cseq) || !is_token(method))
        return E_MALFORMED;
    if (m->request && !sip_same(m->method, method))
        return E_MALFORMED;
    m->method = method;
    return 0;
}

/* 8.1.1: what every message has. */
static int check_required(struct sip_msg *m)
{
    static const char *const once[] = {"From", "To", "Call-ID", "CSeq"};
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (count(m, once[i]) != 1)
            return E_MALFORMED;
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_via via;
    if (!sip_next(m, "Via", &it, &value) || sip_via_parse(value, &via))
        return E_MALFORMED;
    struct sip_addr addr;
    if (!sip_find(m, "To", &value) || sip_addr_parse(value, &addr))
        return E_MALFORMED;
    if (!sip_find(m, "From", &value) || sip_addr_parse(value, &addr) || !sip_tag(m, "From").len)
        return E_MALFORMED;
    if (!sip_find(m, "Call-ID", &m->call_id) || !m->call_id.len)
        return E_MALFORMED;
    return parse_cseq(m);
}

/* 20.14; on a stream it must be there (18.3). */
static int content_length(const struct sip_msg *m, uint32_t *out)
{
    struct sip_str value;
    if (count(m, "Content-Length") != 1 || !sip_find(m, "Content-Length", &value))
        return E_MALFORMED;
    return parse_number(value, SIP_MESSAGE_MAX, out);
}

/* The start line and the header fields; *p goes behind the empty line. */
static int parse_head(const char **p, const char *end, struct sip_msg *out)
{
    *out = (struct sip_msg){0};
    struct sip_str line;
    int err = next_line(p, end, &line);
    if (!err)
        err = parse_start(line, out);
    while (!err) {
        err = next_line(p, end, &line);
        if (err || !line.len)
            return err;
        err = parse_header(line, out);
    }
    return err;
}

int sip_parse(const char *bytes, size_t len, struct sip_msg *out)
{
    const char *p = bytes, *end = bytes + len;
    uint32_t body = 0;
    int err = parse_head(&p, end, out);
    if (!err)
        err = content_length(out, &body);
    if (!err)
        err = check_required(out);
    if (err)
        return err;
    out->body = slice(p, end);
    return out->body.len == body ? 0 : out->body.len < body ? E_TRUNCATED : E_MALFORMED;
}

int sip_parse_datagram(const char *bytes, size_t len, struct sip_msg *out)
{
    const char *p = bytes, *end = bytes + len;
    int err = parse_head(&p, end, out);
    uint32_t body = (uint32_t)(end - p);
    if (!err && count(out, "Content-Length"))
        err = content_length(out, &body);
    if (!err)
        err = check_required(out);
    if (err)
        return err;
    out->body = slice(p, end);
    if (out->body.len < body)
        return E_TRUNCATED;
    out->body.len = body;
    return 0;
}

/* ---- streams ---- */

void sip_stream_free(struct sip_stream *s)
{
    free(s->buf);
    *s = (struct sip_stream){0};
}

void sip_stream_push(struct sip_stream *s, const void *bytes, size_t len)
{
    if (s->err || !len)
        return;
    if (s->at) {
        memmove(s->buf, s->buf + s->at, s->have - s->at);
        s->have -= s->at;
        s->at = 0;
    }
    if (s->cap - s->have < len) {
        size_t cap = s->cap ? s->cap : 4096;
        while (cap - s->have < len)
            cap *= 2;
        char *grown = realloc(s->buf, cap);
        if (!grown) {
            s->err = E_NOMEM;
            return;
        }
        s->buf = grown;
        s->cap = cap;
    }
    memcpy(s->buf + s->have, bytes, len);
    s->have += len;
}

/* The length of the message at s->at, 0 when its end has not come yet. */
static int message_len(struct sip_stream *s, size_t *len)
{
    const char *start = s->buf + s->at, *end = s->buf + s->have;
    size_t from = s->scanned > 3 ? s->scanned - 3 : 0;
    const char *gap = memmem(start + from, (size_t)(end - start) - from, "\r\n\r\n", 4);
    s->scanned = gap ? (size_t)(gap - start) : (size_t)(end - start);
    if (!gap)
        return s->scanned > SIP_MESSAGE_MAX ? E_RANGE : 0;
    size_t head = s->scanned + 4;
    struct sip_msg m;
    uint32_t body;
    const char *p = start;
    int err = parse_head(&p, start + head, &m);
    if (!err)
        err = content_length(&m, &body);
    if (err)
        return err;
    if (head + body > SIP_MESSAGE_MAX)
        return E_RANGE;
    *len = (size_t)(end - start) >= head + body ? head + body : 0;
    return 0;
}

int sip_stream_next(struct sip_stream *s, struct sip_msg *out)
{
    while (!s->err && s->have - s->at >= 2 && memcmp(s->buf + s->at, "\r\n", 2) == 0) {
        s->at += 2;
        s->scanned = 0;
    }
    if (s->err || s->at == s->have)
        return s->err;
    size_t len = 0;
    s->err = message_len(s, &len);
    if (s->err || !len)
        return s->err;
    s->err = sip_parse(s->buf + s->at, len, out);
    if (s->err)
        return s->err;
    s->at += len;
    s->scanned = 0;
    return 1;
}
