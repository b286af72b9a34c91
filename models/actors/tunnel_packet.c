/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/tunnel_packet.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

enum { BLOCK = 8, PADDING_MIN = 4, PACKET_MIN = 16 };

const char *ssh_message_name(unsigned number)
{
    static const char *const names[] = {
        [SSH_DISCONNECT] = "DISCONNECT",
        [SSH_IGNORE] = "IGNORE",
        [SSH_UNIMPLEMENTED] = "UNIMPLEMENTED",
        [SSH_DEBUG] = "DEBUG",
        [SSH_GLOBAL_REQUEST] = "GLOBAL_REQUEST",
        [SSH_REQUEST_SUCCESS] = "REQUEST_SUCCESS",
        [SSH_REQUEST_FAILURE] = "REQUEST_FAILURE",
        [SSH_CHANNEL_OPEN] = "CHANNEL_OPEN",
        [SSH_CHANNEL_OPEN_CONFIRMATION] = "CHANNEL_OPEN_CONFIRMATION",
        [SSH_CHANNEL_OPEN_FAILURE] = "CHANNEL_OPEN_FAILURE",
        [SSH_CHANNEL_WINDOW_ADJUST] = "CHANNEL_WINDOW_ADJUST",
        [SSH_CHANNEL_DATA] = "CHANNEL_DATA",
        [SSH_CHANNEL_EOF] = "CHANNEL_EOF",
        [SSH_CHANNEL_CLOSE] = "CHANNEL_CLOSE",
    };
    const char *name = number < sizeof names / sizeof *names ? names[number] : NULL;
    return name ? name : "message";
}

void ssh_stream_free(struct ssh_stream *s)
{
    free(s->buf);
    *s = (struct ssh_stream){0};
}

void ssh_stream_push(struct ssh_stream *s, const void *bytes, size_t len)
{
    if (s->err)
        return;
    if (s->at) {
        s->have -= s->at;
        memmove(s->buf, s->buf + s->at, s->have);
        s->at = 0;
    }
    if (s->have + len > s->cap) {
        size_t cap = 2 * (s->have + len);
        uint8_t *more = realloc(s->buf, cap);
        if (!more) {
            s->err = E_NOMEM;
            return;
        }
        s->buf = more;
        s->cap = cap;
    }
    if (len)
        memcpy(s->buf + s->have, bytes, len);
    s->have += len;
}

/* Lines before the version are for people (4.2); 1: it has come. */
static int take_version(struct ssh_stream *s)
{
    while (!s->versioned) {
        const char *line = (const char *)s->buf + s->at;
        size_t have = s->have - s->at;
        const char *end = have ? memchr(line, '\n', have < SSH_LINE_MAX ? have : SSH_LINE_MAX) : NULL;
        if (!end)
            return have >= SSH_LINE_MAX ? E_RANGE : 0;
        size_t len = (size_t)(end - line) + 1;
        s->at += len;
        if (len < 4 || memcmp(line, "SSH-", 4) != 0)
            continue;
        if (len < 9 || memcmp(line, "SSH-2.0-", 8) != 0)
            return E_UNSUPPORTED;
        s->versioned = true;
    }
    return 1;
}

static int take_packet(struct ssh_stream *s, const uint8_t **payload, size_t *len)
{
    const uint8_t *p = s->buf + s->at;
    size_t have = s->have - s->at;
    if (have < SSH_HEADER)
        return 0;
    uint32_t packet = load32(p);
    unsigned padding = p[4];
    if (packet > SSH_PACKET_MAX - 4)
        return E_RANGE;
    if ((packet + 4) % BLOCK || packet + 4 < PACKET_MIN || padding < PADDING_MIN || padding + 2 > packet)
        return E_MALFORMED;
    if (have < packet + 4)
        return 0;
    *payload = p + SSH_HEADER;
    *len = packet - 1 - padding;
    s->at += packet + 4;
    return 1;
}

int ssh_stream_next(struct ssh_stream *s, const uint8_t **payload, size_t *len)
{
    int r = s->err ? s->err : take_version(s);
    if (r == 1)
        r = take_packet(s, payload, len);
    s->err = r < 0 ? r : 0;
    return r;
}

size_t ssh_packet_close(uint8_t *buf, size_t payload_len)
{
    size_t padding = BLOCK - (SSH_HEADER + payload_len) % BLOCK;
    if (padding < PADDING_MIN)
        padding += BLOCK;
    while (SSH_HEADER + payload_len + padding < PACKET_MIN)
        padding += BLOCK;
    size_t len = SSH_HEADER + payload_len + padding;
    store32(buf, (uint32_t)(len - 4));
    buf[4] = (uint8_t)padding;
    memset(buf + SSH_HEADER + payload_len, 0, padding);
    return len;
}
