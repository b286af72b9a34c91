/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/tunnel_parts.h"
#include "models/base/err.h"

#define SILENCE_NS (15 * NS_S)
#define CONNECT_NS (10 * NS_S)
#define AGREE_NS (10 * NS_S)
#define BACKOFF_NS (1 * NS_S)
#define BACKOFF_MAX_NS (60 * NS_S)
enum { ASKED_MAX = 3, PROTOCOL_ERROR = 2, BY_APPLICATION = 11 }; /* RFC 4253 11.1 */

static const char version[] = "SSH-2.0-turnproof\r\n", forward_name[] = "tcpip-forward",
                  sign_name[] = "keepalive@openssh.com", service[] = "ssh-tunnel";

struct tunnel *tunnel_new(struct io *io, unsigned owner, const struct tunnel_config *cfg)
{
    struct tunnel *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->io = io;
    t->owner = owner;
    t->cfg = *cfg;
    t->retry_at_ns = TIME_NEVER;
    t->backoff_ns = BACKOFF_NS;
    return t;
}

void tunnel_free(struct tunnel *t)
{
    if (!t)
        return;
    channels_drop(t);
    for (size_t i = 0; i < TUNNEL_CONNS; i++)
        ssh_stream_free(&t->conn[i].in);
    free(t);
}

bool tunnel_is_up(const struct tunnel *t)
{
    return t->up != NULL;
}

/* ---- messages ---- */

struct writer message_begin(struct tunnel *t, enum ssh_message number)
{
    struct writer w = writer_of(t->buf + SSH_HEADER, SSH_PAYLOAD_MAX);
    write8(&w, number);
    return w;
}

void message_end(struct tunnel *t, struct conn *c, const struct writer *w)
{
    char label[48];
    snprintf(label, sizeof label, "SSH %s", ssh_message_name(t->buf[SSH_HEADER]));
    io_send(t->io, c->id, t->buf, ssh_packet_close(t->buf, writer_len(w)), label);
}

static void send_global(struct tunnel *t, struct conn *c, const char *name)
{
    struct writer w = message_begin(t, SSH_GLOBAL_REQUEST);
    write32(&w, (uint32_t)strlen(name));
    write_bytes(&w, name, strlen(name));
    write8(&w, true);
    if (name == forward_name) {
        write32(&w, 7);
        write_bytes(&w, "0.0.0.0", 7);
        write32(&w, t->cfg.forward);
    }
    message_end(t, c, &w);
}

static void send_empty(struct tunnel *t, struct conn *c, enum ssh_message number)
{
    struct writer w = message_begin(t, number);
    message_end(t, c, &w);
}

static void send_disconnect(struct tunnel *t, struct conn *c, uint32_t reason)
{
    struct writer w = message_begin(t, SSH_DISCONNECT);
    write32(&w, reason);
    write32(&w, 0);
    write32(&w, 0);
    message_end(t, c, &w);
}

/* ---- connections ---- */

static struct conn *conn_find(struct tunnel *t, io_id id)
{
    for (size_t i = 0; i < TUNNEL_CONNS; i++)
        if (t->conn[i].id == id)
            return &t->conn[i];
    return NULL;
}

static void tunnel_went_down(struct tunnel *t, const char *why)
{
    t->up = NULL;
    channels_drop(t);
    t->tell_up = false;
    t->tell_down = true;
    io_note(t->io, NOTE_SERVICE, "%s lost %s", service, why);
}

/* The second failure in a row is told, as the SIP zones do; it is tried again, so the service's end is what counts. */
static void count_failure(struct tunnel *t, const char *why)
{
    if (++t->failures != 2)
        return;
    io_note(t->io, NOTE_HINT, "cannot connect to Expressway-E for the SSH tunnel: %s", why);
    if (!t->service_up)
        io_note(t->io, NOTE_SERVICE, "%s failed %s", service, why);
}

/* The connection is gone. */
static void conn_drop(struct tunnel *t, struct conn *c, const char *why)
{
    bool was_up = t->up == c;
    ssh_stream_free(&c->in);
    *c = (struct conn){.id = IO_NONE};
    if (was_up)
        tunnel_went_down(t, why);
    if (t->cfg.outer)
        return;
    if (!was_up)
        count_failure(t, why);
    t->retry_at_ns = io_now(t->io) + t->backoff_ns;
    t->backoff_ns = time_min(2 * t->backoff_ns, BACKOFF_MAX_NS);
}

static void conn_end(struct tunnel *t, struct conn *c, uint32_t reason, const char *why)
{
    if (c->open) {
        send_disconnect(t, c, reason);
        io_close(t->io, c->id);
    } else {
        io_abort(t->io, c->id);
    }
    conn_drop(t, c, why);
}

static void connect_out(struct tunnel *t)
{
    struct endpoint local = {.ip.family = t->cfg.at.ip.family};
    if (t->cfg.first_port)
        local.port = (uint16_t)(t->cfg.first_port + t->ports_used++ % (t->cfg.last_port - t->cfg.first_port + 1u));
    t->retry_at_ns = TIME_NEVER;
    t->conn[0] = (struct conn){.id = io_connect(t->io, t->owner, local.port ? &local : NULL, &t->cfg.at),
                               .due_ns = io_now(t->io) + CONNECT_NS};
}

static void conn_open(struct tunnel *t, struct conn *c, const struct io_in *in)
{
    c->open = true;
    c->local = in->local;
    c->remote = in->remote;
    c->heard_ns = io_now(t->io);
    c->due_ns = c->heard_ns + AGREE_NS;
    io_read(t->io, c->id, true);
    io_send(t->io, c->id, version, sizeof version - 1, "SSH version");
    if (!t->cfg.outer)
        send_global(t, c, forward_name);
}

/* Of those that wait to be more than a connection, the oldest makes room. */
static void on_accepted(struct tunnel *t, const struct io_in *in)
{
    struct conn *c = conn_find(t, IO_NONE);
    for (size_t i = 0; i < TUNNEL_CONNS && !c; i++)
        if (&t->conn[i] != t->up) {
            struct conn *oldest = &t->conn[i];
            for (size_t k = i; k < TUNNEL_CONNS; k++)
                if (&t->conn[k] != t->up && t->conn[k].id < oldest->id)
                    oldest = &t->conn[k];
            conn_end(t, oldest, BY_APPLICATION, "another came");
            c = oldest;
        }
    *c = (struct conn){.id = in->id};
    conn_open(t, c, in);
}

static void agreed(struct tunnel *t, struct conn *c)
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
    struct conn *old = t->up;
    if (old && old != c)
        conn_end(t, old, BY_APPLICATION, "a newer one took its place");
    t->up = c;
    t->tell_up = true;
    t->service_up = true;
    t->failures = 0;
    t->backoff_ns = BACKOFF_NS;
    c->due_ns = TIME_NEVER;
    io_note(t->io, NOTE_SERVICE, "%s up %s %s %s", service, endpoint_text(&c->local, a), t->cfg.outer ? "<-" : "->",
            endpoint_text(&c->remote, b));
}

/* ---- what comes ---- */

static bool is_named(const uint8_t *name, uint32_t len, const char *want)
{
    return len == strlen(want) && memcmp(name, want, len) == 0;
}

static int on_global(struct tunnel *t, struct conn *c, struct reader *r)
{
    uint32_t len = read32(r);
    const uint8_t *name = read_bytes(r, len);
    bool reply = read8(r);
    if (r->failed)
        return E_MALFORMED;
    bool forward = t->cfg.outer && t->up != c && is_named(name, len, forward_name);
    if (forward) {
        uint32_t address = read32(r);
        read_bytes(r, address);
        uint32_t port = read32(r);
        if (r->failed)
            return E_MALFORMED;
        t->cfg.forward = (uint16_t)port;
        agreed(t, c);
    }
    if (reply)
        send_empty(t, c, forward ? SSH_REQUEST_SUCCESS : SSH_REQUEST_FAILURE);
    return 0;
}

/* The first reply is to tcpip-forward, those after it to keep-alives: replies are in order (RFC 4254 4). */
static int on_reply(struct tunnel *t, struct conn *c, bool success)
{
    if (t->cfg.outer || t->up == c)
        return 0;
    if (!success)
        return E_REFUSED;
    agreed(t, c);
    return 0;
}

static int on_message(struct tunnel *t, struct conn *c, const uint8_t *payload, size_t len, struct tunnel_event *ev)
{
    struct reader r = reader_of(payload, len);
    unsigned number = read8(&r);
    switch (number) {
    case SSH_IGNORE:
    case SSH_UNIMPLEMENTED:
    case SSH_DEBUG:
        return 0;
    case SSH_DISCONNECT:
        return E_RESET;
    case SSH_GLOBAL_REQUEST:
        return on_global(t, c, &r);
    case SSH_REQUEST_SUCCESS:
    case SSH_REQUEST_FAILURE:
        return on_reply(t, c, number == SSH_REQUEST_SUCCESS);
    default:
        break;
    }
    if (number >= SSH_CHANNEL_OPEN && number < 128)
        return t->up == c ? channel_message(t, (enum ssh_message)number, &r, ev) : E_MALFORMED;
    send_empty(t, c, SSH_UNIMPLEMENTED); /* RFC 4253 11.4; without sequence numbers in the model */
    return 0;
}

/* The next thing to tell from what this connection has brought. */
static bool conn_poll(struct tunnel *t, struct conn *c, struct tunnel_event *ev)
{
    const uint8_t *payload;
    size_t len;
    int r = 0;
    while (c->open && (r = ssh_stream_next(&c->in, &payload, &len)) == 1) {
        r = on_message(t, c, payload, len, ev);
        if (r)
            break;
        if (t->tell_up || t->tell_down)
            return false; /* first things first */
    }
    if (r < 0)
        conn_end(t, c, PROTOCOL_ERROR, r == E_RESET ? "the other end disconnected" : err_text(r));
    return r == 1;
}

bool tunnel_poll(struct tunnel *t, struct tunnel_event *out)
{
    *out = (struct tunnel_event){.kind = TUNNEL_DOWN};
    for (size_t i = 0; i <= TUNNEL_CONNS; i++) {
        if (t->tell_down) {
            t->tell_down = false;
            return true;
        }
        if (t->tell_up) {
            t->tell_up = false;
            out->kind = TUNNEL_UP;
            return true;
        }
        if (i < TUNNEL_CONNS && conn_poll(t, &t->conn[i], out))
            return true;
        *out = (struct tunnel_event){.kind = TUNNEL_DOWN};
    }
    for (uint32_t i = 0; i < TUNNEL_CHANNELS_MAX; i++)
        if (t->channel[i].tell_writable) {
            t->channel[i].tell_writable = false;
            *out = (struct tunnel_event){.kind = TUNNEL_WRITABLE, .channel = i};
            return true;
        }
    return false;
}

/* ---- input ---- */

static void on_tick(struct tunnel *t)
{
    uint64_t now = io_now(t->io);
    if (now >= t->retry_at_ns)
        connect_out(t);
    for (size_t i = 0; i < TUNNEL_CONNS; i++) {
        struct conn *c = &t->conn[i];
        if (c->id == IO_NONE)
            continue;
        if (now >= c->due_ns) {
            conn_end(t, c, BY_APPLICATION, err_text(E_TIMED_OUT));
        } else if (c->open && now >= c->heard_ns + (c->asked + 1) * SILENCE_NS) {
            if (++c->asked > ASKED_MAX)
                conn_end(t, c, BY_APPLICATION, "the other end is silent");
            else
                send_global(t, c, sign_name);
        }
    }
}

static void on_start(struct tunnel *t)
{
    io_note(t->io, NOTE_SERVICE, "%s wanted", service);
    if (t->cfg.outer)
        t->listener = io_listen(t->io, t->owner, &t->cfg.at);
    else
        connect_out(t);
}

static void on_gone(struct tunnel *t, struct conn *c, const struct io_in *in)
{
    if (in->event == IO_EOF)
        io_close(t->io, c->id);
    conn_drop(t, c, in->err ? err_text(in->err) : "closed by the other end");
}

static void conn_event(struct tunnel *t, struct conn *c, const struct io_in *in)
{
    switch (in->event) {
    case IO_OPENED:
        conn_open(t, c, in);
        break;
    case IO_DATA:
        c->heard_ns = io_now(t->io);
        c->asked = 0;
        ssh_stream_push(&c->in, in->data, in->len);
        break;
    case IO_BLOCKED:
    case IO_WRITABLE:
        c->blocked = in->event == IO_BLOCKED;
        channels_pump(t);
        break;
    case IO_EOF:
    case IO_FAILED:
    case IO_CLOSED:
        on_gone(t, c, in);
        break;
    default:
        break;
    }
}

void tunnel_input(struct tunnel *t, const struct io_in *in)
{
    struct conn *c = in->id == IO_NONE ? NULL : conn_find(t, in->id);
    if (in->event == IO_START)
        on_start(t);
    else if (in->event == IO_TICK)
        on_tick(t);
    else if (in->event == IO_ACCEPTED)
        on_accepted(t, in);
    else if (in->event == IO_FAILED && in->id == t->listener)
        io_fail(t->io, &t->cfg.at, "cannot listen for the SSH tunnel: %s", err_text(in->err));
    else if (c)
        conn_event(t, c, in);
}

uint64_t tunnel_deadline(const struct tunnel *t)
{
    uint64_t at = t->retry_at_ns;
    for (size_t i = 0; i < TUNNEL_CONNS; i++) {
        const struct conn *c = &t->conn[i];
        if (c->id == IO_NONE)
            continue;
        at = time_min(at, c->due_ns);
        if (c->open)
            at = time_min(at, c->heard_ns + (c->asked + 1) * SILENCE_NS);
    }
    return at;
}
