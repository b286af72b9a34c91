/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels: RFC 4254 5 and 7.2. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/tunnel_parts.h"
#include "models/base/err.h"

/* RFC 4254 5.1 */
enum { OPEN_PROHIBITED = 1, OPEN_UNKNOWN_TYPE = 3, OPEN_SHORTAGE = 4 };
static const char type_forwarded[] = "forwarded-tcpip";

static void put_string(struct writer *w, const char *s, size_t len)
{
    write32(w, (uint32_t)len);
    write_bytes(w, s, len);
}

static void send_number(struct tunnel *t, enum ssh_message number, uint32_t remote)
{
    struct writer w = message_begin(t, number);
    write32(&w, remote);
    message_end(t, t->up, &w);
}

static void channel_free(struct channel *c)
{
    free(c->out);
    *c = (struct channel){.used = false};
}

void channels_drop(struct tunnel *t)
{
    for (size_t i = 0; i < TUNNEL_CHANNELS_MAX; i++)
        channel_free(&t->channel[i]);
}

static struct channel *channel_new(struct tunnel *t, uint32_t *number)
{
    for (uint32_t i = 0; i < t->cfg.channels && i < TUNNEL_CHANNELS_MAX; i++)
        if (!t->channel[i].used) {
            *number = i;
            t->channel[i] = (struct channel){.used = true, .window = TUNNEL_WINDOW};
            return &t->channel[i];
        }
    return NULL;
}

/* ---- sending ---- */

static void send_data(struct tunnel *t, struct channel *c)
{
    size_t at = 0;
    while (at < c->out_len && c->send_window && !t->up->blocked) {
        size_t n = c->out_len - at;
        n = n < c->send_window ? n : c->send_window;
        n = n < c->packet_max ? n : c->packet_max;
        struct writer w = message_begin(t, SSH_CHANNEL_DATA);
        write32(&w, c->remote);
        put_string(&w, (const char *)c->out + at, n);
        message_end(t, t->up, &w);
        c->send_window -= (uint32_t)n;
        at += n;
    }
    if (at)
        memmove(c->out, c->out + at, c->out_len - at);
    c->out_len -= at;
}

static void pump(struct tunnel *t, struct channel *c)
{
    if (!c->used || !c->open || c->close_sent || !t->up)
        return;
    send_data(t, c);
    if (c->out_len)
        return;
    c->tell_writable |= c->waiting && !c->unwanted;
    c->waiting = false;
    if (c->eof_wanted && !c->eof_sent) {
        c->eof_sent = true;
        send_number(t, SSH_CHANNEL_EOF, c->remote);
    }
    if (c->unwanted) {
        c->close_sent = true;
        send_number(t, SSH_CHANNEL_CLOSE, c->remote);
    }
}

void channels_pump(struct tunnel *t)
{
    for (size_t i = 0; i < TUNNEL_CHANNELS_MAX; i++)
        pump(t, &t->channel[i]);
}

/* ---- for the user ---- */

static struct channel *channel_at(struct tunnel *t, uint32_t number)
{
    assert(number < TUNNEL_CHANNELS_MAX);
    struct channel *c = &t->channel[number];
    return c->used && !c->unwanted ? c : NULL;
}

int tunnel_open(struct tunnel *t, const struct endpoint *from, uint32_t *channel)
{
    char ip[ADDR_TEXT];
    if (!t->up)
        return E_REFUSED;
    struct channel *c = channel_new(t, channel);
    if (!c)
        return E_NOMEM;
    c->ours = true;
    struct writer w = message_begin(t, SSH_CHANNEL_OPEN);
    put_string(&w, type_forwarded, sizeof type_forwarded - 1);
    write32(&w, *channel);
    write32(&w, TUNNEL_WINDOW);
    write32(&w, CHANNEL_PACKET_MAX);
    put_string(&w, "0.0.0.0", 7);
    write32(&w, t->cfg.forward);
    ip_text(&from->ip, ip);
    put_string(&w, ip, strlen(ip));
    write32(&w, from->port);
    message_end(t, t->up, &w);
    return 0;
}

bool tunnel_send(struct tunnel *t, uint32_t channel, const void *data, size_t len)
{
    struct channel *c = channel_at(t, channel);
    if (!c || c->eof_wanted)
        return false;
    if (c->out_len + len > c->out_cap) {
        size_t cap = 2 * (c->out_len + len);
        uint8_t *more = realloc(c->out, cap);
        if (!more) {
            tunnel_close(t, channel);
            return true;
        }
        c->out = more;
        c->out_cap = cap;
    }
    if (len)
        memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
    pump(t, c);
    c->waiting = c->out_len > 0;
    return c->waiting;
}

void tunnel_taken(struct tunnel *t, uint32_t channel, size_t len)
{
    struct channel *c = channel_at(t, channel);
    if (!c || !c->open || c->close_sent)
        return;
    c->taken += (uint32_t)len;
    if (c->taken < TUNNEL_WINDOW / 2)
        return;
    struct writer w = message_begin(t, SSH_CHANNEL_WINDOW_ADJUST);
    write32(&w, c->remote);
    write32(&w, c->taken);
    message_end(t, t->up, &w);
    c->window += c->taken;
    c->taken = 0;
}

void tunnel_eof(struct tunnel *t, uint32_t channel)
{
    struct channel *c = channel_at(t, channel);
    if (!c)
        return;
    c->eof_wanted = true;
    pump(t, c);
}

void tunnel_close(struct tunnel *t, uint32_t channel)
{
    struct channel *c = channel_at(t, channel);
    if (!c)
        return;
    c->unwanted = true;
    pump(t, c);
}

/* ---- what comes ---- */

static void refuse(struct tunnel *t, uint32_t remote, uint32_t reason)
{
    struct writer w = message_begin(t, SSH_CHANNEL_OPEN_FAILURE);
    write32(&w, remote);
    write32(&w, reason);
    put_string(&w, "", 0);
    put_string(&w, "", 0);
    message_end(t, t->up, &w);
}

static int on_open(struct tunnel *t, struct reader *r, struct tunnel_event *ev)
{
    uint32_t type_len = read32(r), number;
    const uint8_t *type = read_bytes(r, type_len);
    uint32_t remote = read32(r), window = read32(r), packet_max = read32(r);
    if (r->failed || !packet_max)
        return E_MALFORMED;
    if (t->cfg.outer || type_len != sizeof type_forwarded - 1 || memcmp(type, type_forwarded, type_len) != 0) {
        refuse(t, remote, t->cfg.outer ? OPEN_PROHIBITED : OPEN_UNKNOWN_TYPE);
        return 0;
    }
    struct channel *c = channel_new(t, &number);
    if (!c) {
        refuse(t, remote, OPEN_SHORTAGE);
        return 0;
    }
    c->open = true;
    c->remote = remote;
    c->send_window = window;
    c->packet_max = packet_max < CHANNEL_PACKET_MAX ? packet_max : CHANNEL_PACKET_MAX;
    struct writer w = message_begin(t, SSH_CHANNEL_OPEN_CONFIRMATION);
    write32(&w, remote);
    write32(&w, number);
    write32(&w, TUNNEL_WINDOW);
    write32(&w, CHANNEL_PACKET_MAX);
    message_end(t, t->up, &w);
    *ev = (struct tunnel_event){.kind = TUNNEL_OPENED, .channel = number};
    return 1;
}

static int on_confirmation(struct tunnel *t, struct channel *c, struct reader *r, struct tunnel_event *ev)
{
    uint32_t remote = read32(r), window = read32(r), packet_max = read32(r);
    if (r->failed || c->open || !packet_max)
        return E_MALFORMED;
    c->open = true;
    c->remote = remote;
    c->send_window = window;
    c->packet_max = packet_max < CHANNEL_PACKET_MAX ? packet_max : CHANNEL_PACKET_MAX;
    pump(t, c);
    ev->kind = TUNNEL_OPENED;
    return !c->unwanted;
}

static int on_failure(struct channel *c, struct tunnel_event *ev)
{
    bool unwanted = c->unwanted;
    if (c->open)
        return E_MALFORMED;
    channel_free(c);
    ev->kind = TUNNEL_REFUSED;
    return !unwanted;
}

static int on_adjust(struct tunnel *t, struct channel *c, struct reader *r)
{
    uint32_t more = read32(r);
    if (r->failed || !c->open || more > UINT32_MAX - c->send_window)
        return E_MALFORMED;
    c->send_window += more;
    pump(t, c);
    return 0;
}

static int on_data(struct channel *c, struct reader *r, struct tunnel_event *ev)
{
    uint32_t len = read32(r);
    const uint8_t *data = read_bytes(r, len);
    if (r->failed || !c->open || len > c->window || len > CHANNEL_PACKET_MAX)
        return E_MALFORMED;
    c->window -= len;
    ev->kind = TUNNEL_DATA;
    ev->data = data;
    ev->len = len;
    return !c->unwanted;
}

/* 5.3: CLOSE is answered by CLOSE, and the channel is no more; what waited is lost. */
static int on_close(struct tunnel *t, struct channel *c, struct tunnel_event *ev)
{
    bool unwanted = c->unwanted;
    if (!c->open)
        return E_MALFORMED;
    if (!c->close_sent)
        send_number(t, SSH_CHANNEL_CLOSE, c->remote);
    channel_free(c);
    ev->kind = TUNNEL_CLOSED;
    return !unwanted;
}

int channel_message(struct tunnel *t, enum ssh_message number, struct reader *r, struct tunnel_event *ev)
{
    if (number == SSH_CHANNEL_OPEN)
        return on_open(t, r, ev);
    uint32_t channel = read32(r);
    struct channel *c = !r->failed && channel < TUNNEL_CHANNELS_MAX ? &t->channel[channel] : NULL;
    if (!c || !c->used)
        return E_MALFORMED;
    *ev = (struct tunnel_event){.channel = channel};
    switch (number) {
    case SSH_CHANNEL_OPEN_CONFIRMATION:
        return on_confirmation(t, c, r, ev);
    case SSH_CHANNEL_OPEN_FAILURE:
        return on_failure(c, ev);
    case SSH_CHANNEL_WINDOW_ADJUST:
        return on_adjust(t, c, r);
    case SSH_CHANNEL_DATA:
        return on_data(c, r, ev);
    case SSH_CHANNEL_EOF:
        ev->kind = TUNNEL_EOF;
        return c->open ? !c->unwanted : E_MALFORMED;
    case SSH_CHANNEL_CLOSE:
        return on_close(t, c, ev);
    default:
        return E_MALFORMED;
    }
}
