/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/assent_sdp.h"

#include <string.h>

#include "models/base/err.h"

enum { WORDS = 5, IP_MAX = 46 };

struct span {
    const char *p;
    size_t len;
};

/* The next line, without its end. */
static bool next_line(struct span *rest, struct span *line)
{
    if (!rest->len)
        return false;
    const char *end = memchr(rest->p, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->p) : rest->len;
    *line = (struct span){rest->p, len};
    rest->p += len + (end != NULL);
    rest->len -= len + (end != NULL);
    if (line->len && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool begins(struct span line, const char *prefix)
{
    size_t n = strlen(prefix);
    return line.len >= n && memcmp(line.p, prefix, n) == 0;
}

/* Words of a line behind its first n characters. */
static size_t words_of(struct span line, size_t n, struct span word[WORDS])
{
    size_t count = 0;
    const char *p = line.p + n, *end = line.p + line.len;
    while (p < end && count < WORDS) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        const char *to = space ? space : end;
        word[count++] = (struct span){p, (size_t)(to - p)};
        p = to + (to < end);
    }
    return count;
}

/* A port; what stands behind it ("/2") is left. */
static bool read_port(struct span s, uint16_t *out)
{
    unsigned n = 0;
    size_t i = 0;
    for (; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        if ((n = n * 10 + (unsigned)(s.p[i] - '0')) > 65535)
            return false;
    *out = (uint16_t)n;
    return i > 0 && (i == s.len || s.p[i] == '/');
}

/* "IN IP4 192.0.2.1", "IN IP4 233.252.0.1/127" */
static bool read_ip(const struct span *word, size_t count, struct ip_addr *out)
{
    char ip[IP_MAX];
    if (count != 3 || !begins(word[0], "IN") || !begins(word[1], "IP"))
        return false;
    const char *slash = memchr(word[2].p, '/', word[2].len);
    size_t len = slash ? (size_t)(slash - word[2].p) : word[2].len;
    if (len >= sizeof ip)
        return false;
    memcpy(ip, word[2].p, len);
    ip[len] = '\0';
    return ip_parse(ip, out) == 0;
}

static bool is_ice(struct span line)
{
    return begins(line, "a=candidate:") || begins(line, "a=ice-ufrag:") || begins(line, "a=ice-pwd:");
}

static int read_media(struct span line, struct assent_sdp *out, const struct ip_addr *session)
{
    struct span word[WORDS];
    size_t count = words_of(line, 2, word);
    uint16_t port;
    if (count < 4 || !read_port(word[1], &port))
        return E_MALFORMED;
    if (out->count == ASSENT_MEDIA_MAX)
        return E_RANGE;
    size_t i = out->count++;
    out->media[i].rtp = begins(word[2], "RTP/");
    out->media[i].rtp_at = (struct endpoint){*session, port};
    out->media[i].rtcp_at = (struct endpoint){.port = (uint16_t)(port + 1)};
    return 0;
}

static int read_line(struct span line, struct assent_sdp *out, struct ip_addr *session)
{
    struct span word[WORDS];
    struct ip_addr ip;
    out->ice |= is_ice(line);
    if (begins(line, "m="))
        return read_media(line, out, session);
    if (begins(line, "c=")) {
        if (!read_ip(word, words_of(line, 2, word), &ip))
            return E_MALFORMED;
        *(out->count ? &out->media[out->count - 1].rtp_at.ip : session) = ip;
    } else if (begins(line, "a=rtcp:") && out->count) {
        struct endpoint *at = &out->media[out->count - 1].rtcp_at;
        size_t count = words_of(line, 7, word);
        if (!count || !read_port(word[0], &at->port) || (count > 1 && !read_ip(word + 1, count - 1, &at->ip)))
            return E_MALFORMED;
    }
    return 0;
}

int assent_sdp_read(const char *text, size_t len, struct assent_sdp *out)
{
    struct span rest = {text, len}, line;
    struct ip_addr session = {.family = IP_NONE};
    *out = (struct assent_sdp){.count = 0};
    int err = 0;
    if (!begins(rest, "v=0"))
        return E_MALFORMED;
    while (!err && next_line(&rest, &line))
        err = read_line(line, out, &session);
    for (size_t i = 0; i < out->count && !err; i++) {
        struct endpoint *rtp = &out->media[i].rtp_at, *rtcp = &out->media[i].rtcp_at;
        if (rtp->ip.family == IP_NONE && rtp->port && out->media[i].rtp)
            err = E_MALFORMED;
        if (rtcp->ip.family == IP_NONE)
            rtcp->ip = rtp->ip;
    }
    return err;
}

/* ---- writing ---- */

static void put_connection(struct text *t, struct span line, const struct ip_addr *ip)
{
    struct span word[WORDS];
    struct ip_addr was;
    char at[ADDR_TEXT];
    if (ip->family == IP_NONE || (read_ip(word, words_of(line, 2, word), &was) && ip_is_any(&was)))
        text_add(t, "%.*s\r\n", (int)line.len, line.p);
    else
        text_add(t, "c=IN IP%c %s\r\n", ip->family == IP_V4 ? '4' : '6', ip_text(ip, at));
}

static void put_media(struct text *t, struct span line, const struct endpoint *at)
{
    struct span word[WORDS];
    uint16_t port = 0;
    words_of(line, 2, word);
    read_port(word[1], &port);
    if (!port || !at->port || !begins(word[2], "RTP/")) {
        text_add(t, "%.*s\r\n", (int)line.len, line.p);
        return;
    }
    const char *tail = word[1].p + word[1].len;
    text_add(t, "%.*s%u%.*s\r\n", (int)(word[1].p - line.p), line.p, at->port, (int)(line.p + line.len - tail), tail);
}

void assent_sdp_write(const char *text, size_t len, const struct endpoint at[ASSENT_MEDIA_MAX], struct text *out)
{
    struct span rest = {text, len}, line;
    struct ip_addr ip = {.family = IP_NONE}; /* one for all: that of the first that has one */
    size_t media = 0;
    for (size_t i = 0; i < ASSENT_MEDIA_MAX && ip.family == IP_NONE; i++)
        ip = at[i].ip;
    while (next_line(&rest, &line)) {
        bool ours = media && at[media - 1].port;
        if (begins(line, "c="))
            put_connection(out, line, &ip);
        else if (begins(line, "m=") && media < ASSENT_MEDIA_MAX)
            put_media(out, line, &at[media++]);
        else if (!ours || (!begins(line, "a=rtcp:") && !begins(line, "a=rtcp-mux")))
            text_add(out, "%.*s\r\n", (int)line.len, line.p);
    }
}
