/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/sip_alg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "models/base/bytes.h"

struct rewrite {
    fw_sip_map *map;
    void *ctx;
    struct writer out;
    struct fw_sip_change *change;
};

struct span {
    const char *p;
    size_t len;
};

/* ---- addresses in a line ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* May stand next to an address without being part of a longer word ("host-10.0.0.1", "1.2.3.4.5"). */
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

/* An IPv4 address that begins at p; its length, or 0. */
static size_t address_at(const char *p, size_t len, struct ip_addr *ip)
{
    char text[16];
    size_t n = 0;
    while (n < len && (is_digit(p[n]) || p[n] == '.'))
        n++;
    if (n >= sizeof text || (n < len && is_word(p[n])))
        return 0;
    memcpy(text, p, n);
    text[n] = '\0';
    return ip_parse(text, ip) == 0 ? n : 0;
}

static void put_line(struct rewrite *r, struct span line)
{
    for (size_t i = 0; i < line.len;) {
        struct ip_addr ip = {.family = IP_NONE}, was;
        bool begins = is_digit(line.p[i]) && (i == 0 || !is_word(line.p[i - 1]));
        size_t n = begins ? address_at(line.p + i, line.len - i, &ip) : 0;
        was = ip;
        if (n && r->map(r->ctx, &ip)) {
            char text[ADDR_TEXT];
            ip_text(&ip, text);
            write_bytes(&r->out, text, strlen(text));
            r->change->addresses++;
            r->change->was = was;
            r->change->is = ip;
        } else {
            n = n ? n : 1;
            write_bytes(&r->out, line.p + i, n);
        }
        i += n;
    }
}

/* ---- a message ---- */

/* The next line with its end; false: there is none. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->len);
    *line = (struct span){rest->p, end ? (size_t)(end - rest->p) + 1 : rest->len};
    rest->p += line->len;
    rest->len -= line->len;
    return true;
}

/* Is it this header field, by its long or its short name (RFC 3261 7.3.3)? */
static bool is_field(struct span line, const char *name, char brief)
{
    const char *colon = memchr(line.p, ':', line.len);
    size_t n = colon ? (size_t)(colon - line.p) : 0;
    while (n && (line.p[n - 1] == ' ' || line.p[n - 1] == '\t'))
        n--;
    return (n == strlen(name) && strncasecmp(line.p, name, n) == 0) || (n == 1 && (line.p[0] | 32) == brief);
}

static bool read_length(struct span line, size_t *out)
{
    const char *p = memchr(line.p, ':', line.len), *end = line.p + line.len;
    size_t n = 0;
    for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
        ;
    if (p == end || !is_digit(*p))
        return false;
    for (; p < end && is_digit(*p) && n < 1000000; p++)
        n = 10 * n + (size_t)(*p - '0');
    *out = n;
    return true;
}

/* Splits what begins with a message into its head, with the empty line, and its body. False: it is none, or
 * *unfinished. Without Content-Length the body is the rest (RFC 3261 18.3). */
static bool split(struct span in, struct span *head, struct span *body, bool *unfinished)
{
    struct span rest = in, line;
    size_t body_len = SIZE_MAX;
    if (!next_line(&rest, &line) || line.len < 12)
        return false;
    bool response = memcmp(line.p, "SIP/2.0 ", 8) == 0;
    const char *tail = line.p + line.len - (line.len >= 2 && line.p[line.len - 2] == '\r' ? 2 : 1);
    if (!response && memcmp(tail - 8, " SIP/2.0", 8) != 0)
        return false;
    while (next_line(&rest, &line)) {
        if (line.p[line.len - 1] != '\n')
            break;
        if (is_field(line, "Content-Length", 'l') && !read_length(line, &body_len))
            return false;
        if (line.p[0] != '\n' && (line.len < 2 || line.p[0] != '\r'))
            continue;
        *head = (struct span){in.p, (size_t)(rest.p - in.p)};
        *body = (struct span){rest.p, body_len == SIZE_MAX ? rest.len : body_len};
        *unfinished = body->len > rest.len;
        return !*unfinished;
    }
    *unfinished = true;
    return false;
}

static void put_body(struct rewrite *r, struct span body)
{
    struct span line;
    while (next_line(&body, &line)) {
        bool holds = line.len > 2 && line.p[1] == '=' && (line.p[0] == 'c' || line.p[0] == 'o');
        if (holds)
            put_line(r, line);
        else
            write_bytes(&r->out, line.p, line.len);
    }
}

static void put_head(struct rewrite *r, struct span head, size_t body_len)
{
    struct span line;
    while (next_line(&head, &line)) {
        char length[48];
        if (is_field(line, "Via", 'v') || is_field(line, "Contact", 'm')) {
            put_line(r, line);
        } else if (is_field(line, "Content-Length", 'l')) {
            int n = snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_len);
            write_bytes(&r->out, length, (size_t)n);
        } else {
            write_bytes(&r->out, line.p, line.len);
        }
    }
}

/* One message; false: no room. */
static bool put_message(struct rewrite *r, struct span head, struct span body, size_t at)
{
    struct writer start = r->out;
    unsigned before = r->change->addresses;
    put_body(r, body); /* once to know how long it is, then behind its head */
    size_t body_len = writer_len(&r->out) - writer_len(&start);
    unsigned of_body = r->change->addresses - before;
    r->change->addresses = before;
    r->out = start;
    put_head(r, head, body_len);
    if (r->change->addresses + of_body == before) { /* and not a byte else */
        r->out = start;
        write_bytes(&r->out, head.p, head.len + body.len);
        return !r->out.failed;
    }
    put_body(r, body);
    size_t n = r->change->message_count++;
    r->change->message[n].end = at + head.len + body.len;
    r->change->message[n].delta = (int)(writer_len(&r->out) - writer_len(&start)) - (int)(head.len + body.len);
    return !r->out.failed;
}

size_t fw_sip_rewrite(const uint8_t *in, size_t len, fw_sip_map *map, void *ctx, uint8_t *out, size_t cap,
                      struct fw_sip_change *change)
{
    *change = (struct fw_sip_change){0};
    struct rewrite r = {.map = map, .ctx = ctx, .out = writer_of(out, cap), .change = change};
    size_t at = 0;
    struct span head, body;
    while (at < len && change->message_count < FW_SIP_MESSAGES_MAX) {
        struct span rest = {(const char *)in + at, len - at};
        if (rest.p[0] == '\r' || rest.p[0] == '\n') { /* a keep-alive (RFC 5626 3.5.1) */
            write_bytes(&r.out, rest.p, 1);
            at++;
            continue;
        }
        if (!split(rest, &head, &body, &change->unfinished))
            break;
        if (!put_message(&r, head, body, at))
            return 0;
        at += head.len + body.len;
    }
    write_bytes(&r.out, in + at, len - at);
    return change->message_count && !r.out.failed ? writer_len(&r.out) : 0;
}
