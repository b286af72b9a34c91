/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"

#define ANSWER_LIMIT (10 * NS_S) /* ours: over TCP nothing is sent again, the draft's timers do not apply */
/* RFC 3489 9.3, the draft's timers: sent again after this, doubling up to that; failed that after the ninth time. */
#define FIRST_WAIT_NS (100 * NS_MS)
#define LONGEST_WAIT_NS (1600 * NS_MS)
enum { TEXT_MAX = 256, CHALLENGES_MAX = 3, SENDS_MAX = 9 };

enum stage { IDLE, CONNECTING, HELLO, ALLOCATING, ALLOCATED, RELEASING, GONE };

/* A request that waits for its answer. */
struct pending {
    bool on;
    struct stun_id id;
    uint64_t at_ns;    /* then it is sent again, or has failed */
    uint64_t wait_ns;
    unsigned sends;    /* that are left */
    const char *label;
    size_t len;
    uint8_t bytes[STUN_MAX]; /* over UDP: what is sent again */
};

struct queued {
    struct ms_turn_event event;
    size_t at; /* of its data in the arena */
};

struct ms_turn_client {
    struct io *io;
    unsigned owner;
    struct ms_turn_client_config cfg;
    enum stage stage;
    io_id id;
    size_t hello_have;
    struct ms_units units;
    struct rng rng;

    unsigned challenges; /* of this request */
    char realm[TEXT_MAX], nonce[TEXT_MAX];
    uint8_t key[16];
    struct pending allocate, activate;
    uint64_t hello_by_ns, refresh_ns;
    uint8_t sequence_number[MS_SEQUENCE_NUMBER];
    bool has_sequence;
    struct endpoint active, wanted; /* port 0: none */

    struct queued *queue;
    size_t queue_cap, queue_len, queue_at;
    uint8_t *arena;
    size_t arena_cap, arena_len;
    struct ms_unit unit;
};

struct ms_turn_client *ms_turn_client_new(struct io *io, unsigned owner,
                                          const struct ms_turn_client_config *cfg)
{
    struct ms_turn_client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->io = io;
    c->owner = owner;
    c->cfg = *cfg;
    c->rng = io_rng(io, "ms-turn-client");
    c->hello_by_ns = c->refresh_ns = c->allocate.at_ns = c->activate.at_ns = TIME_NEVER;
    return c;
}

void ms_turn_client_free(struct ms_turn_client *c)
{
    if (!c)
        return;
    ms_units_free(&c->units);
    free(c->queue);
    free(c->arena);
    free(c);
}

/* ---- events ---- */

static void push(struct ms_turn_client *c, const struct ms_turn_event *ev)
{
    if (c->queue_len == c->queue_cap) {
        c->queue_cap = c->queue_cap ? 2 * c->queue_cap : 8;
        c->queue = realloc(c->queue, c->queue_cap * sizeof *c->queue);
        assert(c->queue);
    }
    c->queue[c->queue_len++] = (struct queued){.event = *ev, .at = c->arena_len};
    if (ev->len == 0)
        return;
    if (c->arena_cap - c->arena_len < ev->len) {
        c->arena_cap = 2 * (c->arena_len + ev->len);
        c->arena = realloc(c->arena, c->arena_cap);
        assert(c->arena);
    }
    memcpy(c->arena + c->arena_len, ev->data, ev->len);
    c->arena_len += ev->len;
}

bool ms_turn_client_poll(struct ms_turn_client *c, struct ms_turn_event *out)
{
    if (c->queue_at == c->queue_len) {
        c->queue_at = c->queue_len = c->arena_len = 0;
        return false;
    }
    const struct queued *q = &c->queue[c->queue_at++];
    *out = q->event;
    out->data = out->len ? c->arena + q->at : NULL;
    return true;
}

static void settle(struct pending *p)
{
    p->on = false;
    p->at_ns = TIME_NEVER;
}

/* The end, told once: refused before there was an allocation, gone after. */
static void end(struct ms_turn_client *c, int code, int err)
{
    if (c->stage == GONE)
        return;
    enum ms_turn_event_kind kind = c->stage == ALLOCATED ? MS_TURN_GONE : MS_TURN_REFUSED;
    if (c->stage != RELEASING)
        push(c, &(struct ms_turn_event){.kind = kind, .code = code, .err = err});
    c->stage = GONE;
    settle(&c->allocate);
    settle(&c->activate);
    c->hello_by_ns = c->refresh_ns = TIME_NEVER;
}

static void end_and_close(struct ms_turn_client *c, int code, int err)
{
    if (c->stage != IDLE && c->stage != GONE)
        io_close(c->io, c->id);
    end(c, code, err);
}

/* ---- requests ---- */

static void begin(struct ms_turn_client *c, struct stun_out *o, size_t cap, unsigned method, const struct stun_id *id)
{
    stun_begin(o, &stun_ms_turn, c->unit.bytes + MS_UNIT_HEADER, cap, stun_type(STUN_REQUEST, method), id);
    stun_put_u32(o, ATTR_MS_VERSION, MS_VERSION);
}

/* What lies in the unit, as the way to the server has it. */
static void put_out(struct ms_turn_client *c, unsigned type, size_t len, const char *label)
{
    if (c->cfg.over_udp)
        io_sendto(c->io, c->id, &c->cfg.server, c->unit.bytes + MS_UNIT_HEADER, len, label);
    else
        io_send(c->io, c->id, c->unit.bytes, ms_unit_close(&c->unit, type, len), label);
}

static struct pending *expect(struct ms_turn_client *c, struct pending *p, const char *label)
{
    bool again = c->cfg.over_udp;
    p->on = true;
    p->id = stun_new_id(&stun_ms_turn, &c->rng);
    p->label = label;
    p->wait_ns = again ? FIRST_WAIT_NS : ANSWER_LIMIT;
    p->at_ns = io_now(c->io) + p->wait_ns;
    p->sends = again ? SENDS_MAX - 1 : 0;
    return p;
}

/* expecting: the request that this is; NULL: what has no answer. */
static void finish(struct ms_turn_client *c, struct stun_out *o, struct pending *expecting, const char *label)
{
    long len = stun_end(o);
    if (len <= 0)
        return; /* data too long for a Send request, or a name for any */
    put_out(c, MS_UNIT_CONTROL, (size_t)len, label);
    if (!expecting)
        return;
    expecting->len = (size_t)len;
    memcpy(expecting->bytes, c->unit.bytes + MS_UNIT_HEADER, expecting->len);
}

/* lifetime_s: 0 deletes; NULL leaves it to the server. */
static void send_allocate(struct ms_turn_client *c, const uint32_t *lifetime_s)
{
    enum ms_turn_stream stream = c->cfg.stream ? c->cfg.stream : MS_TURN_STREAM_DATA;
    const uint8_t quality[] = {0, (uint8_t)stream, 0, stream == MS_TURN_STREAM_DATA}; /* 1: reliable */
    struct stun_out o;
    struct pending *p = expect(c, &c->allocate, "MS-TURN Allocate request");
    begin(c, &o, sizeof p->bytes, TURN_ALLOCATE, &p->id);
    stun_put(&o, ATTR_MS_SERVICE_QUALITY, quality, sizeof quality);
    if (lifetime_s)
        stun_put_u32(&o, ATTR_LIFETIME, *lifetime_s);
    if (*c->nonce) {
        stun_put_text(&o, ATTR_USERNAME, c->cfg.user);
        stun_put_text(&o, ATTR_REALM, c->realm);
        stun_put_text(&o, ATTR_NONCE, c->nonce);
        stun_put_integrity(&o, c->key, sizeof c->key, false);
    }
    finish(c, &o, p, p->label);
}

/* MST-11: no realm and nonce from here on; each message counts the sequence number up. */
static void put_credentials(struct ms_turn_client *c, struct stun_out *o)
{
    stun_put_text(o, ATTR_USERNAME, c->cfg.user);
    if (!c->has_sequence)
        return;
    uint8_t *counter = c->sequence_number + MS_CONNECTION_ID;
    store32(counter, load32(counter) + 1);
    stun_put(o, ATTR_MS_SEQUENCE_NUMBER, c->sequence_number, MS_SEQUENCE_NUMBER);
}

void ms_turn_client_send(struct ms_turn_client *c, const struct endpoint *peer, const void *data, size_t len,
                         const char *label)
{
    if (c->stage != ALLOCATED || len > RFC4571_MAX)
        return;
    if (c->active.port && endpoint_equal(&c->active, peer)) {
        if (len)
            memcpy(c->unit.bytes + MS_UNIT_HEADER, data, len);
        put_out(c, MS_UNIT_DATA, len, label);
        return;
    }
    char text[128];
    snprintf(text, sizeof text, label ? "MS-TURN Send (%s)" : "MS-TURN Send", label);
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_ms_turn, &c->rng);
    begin(c, &o, MS_UNIT_MAX, MS_TURN_SEND, &id);
    put_credentials(c, &o);
    stun_put_address(&o, ATTR_MS_DESTINATION_ADDRESS, peer);
    stun_put(&o, ATTR_DATA, data, len);
    stun_put_integrity(&o, c->key, sizeof c->key, false);
    finish(c, &o, NULL, text);
}

void ms_turn_client_set_active(struct ms_turn_client *c, const struct endpoint *peer)
{
    if (c->stage != ALLOCATED || c->activate.on)
        return;
    struct stun_out o;
    struct pending *p = expect(c, &c->activate, "MS-TURN Set Active Destination request");
    c->wanted = *peer;
    begin(c, &o, sizeof p->bytes, MS_TURN_SET_ACTIVE_DESTINATION, &p->id);
    put_credentials(c, &o);
    stun_put_address(&o, ATTR_MS_DESTINATION_ADDRESS, peer);
    stun_put_integrity(&o, c->key, sizeof c->key, false);
    finish(c, &o, p, p->label);
}

void ms_turn_client_release(struct ms_turn_client *c)
{
    static const uint32_t none = 0;
    if (c->stage == ALLOCATED) {
        c->stage = RELEASING;
        settle(&c->activate);
        c->refresh_ns = TIME_NEVER;
        c->challenges = 0;
        send_allocate(c, &none);
    } else if (c->stage != RELEASING) {
        if (c->stage != IDLE && c->stage != GONE)
            io_close(c->io, c->id);
        c->stage = GONE;
        settle(&c->allocate);
        c->hello_by_ns = TIME_NEVER;
    }
}

/* ---- answers ---- */

static bool copy_text(const struct stun_msg *m, enum stun_attr_type type, char out[TEXT_MAX])
{
    const char *text;
    size_t len;
    if (stun_get_text(m, type, &text, &len) != 0 || len == 0 || len >= TEXT_MAX || memchr(text, 0, len))
        return false;
    memcpy(out, text, len);
    out[len] = 0;
    return true;
}

/* MST-14: the same request again, with what a 401 (or a 438, stale nonce) asks for; a second 401 is a
 * refusal. */
static bool take_challenge(struct ms_turn_client *c, const struct stun_msg *m, int code)
{
    bool first_401 = code == 401 && c->challenges == 0 && c->stage == ALLOCATING;
    if ((!first_401 && code != 438) || ++c->challenges > CHALLENGES_MAX)
        return false;
    if (!copy_text(m, ATTR_REALM, c->realm) || !copy_text(m, ATTR_NONCE, c->nonce))
        return false;
    stun_long_term_key(c->cfg.user, c->realm, c->cfg.password, c->key);
    static const uint32_t none = 0;
    send_allocate(c, c->stage == RELEASING ? &none : NULL);
    return true;
}

static void take_allocated(struct ms_turn_client *c, const struct stun_msg *m)
{
    struct ms_turn_event ev = {.kind = MS_TURN_ALLOCATED};
    struct stun_attr seq;
    uint32_t lifetime_s;
    if (stun_get_address(m, ATTR_MAPPED_ADDRESS, &ev.relayed) != 0 ||
        stun_get_address(m, ATTR_MS_XOR_MAPPED_ADDRESS, &ev.mapped) != 0 ||
        stun_get_u32(m, ATTR_LIFETIME, &lifetime_s) != 0 || lifetime_s == 0) {
        end_and_close(c, 0, E_MALFORMED); /* MST-7 */
        return;
    }
    c->challenges = 0;
    c->refresh_ns = io_now(c->io) + lifetime_s * NS_S / 2;
    if (c->stage == ALLOCATED)
        return; /* refreshed */
    c->has_sequence = stun_find(m, ATTR_MS_SEQUENCE_NUMBER, &seq) && seq.len == MS_SEQUENCE_NUMBER;
    if (c->has_sequence)
        memcpy(c->sequence_number, seq.value, MS_SEQUENCE_NUMBER);
    c->stage = ALLOCATED;
    push(c, &ev);
}

static void take_answer(struct ms_turn_client *c, const struct stun_msg *m, int code)
{
    bool is_allocate = c->allocate.on && memcmp(&c->allocate.id, &m->id, sizeof m->id) == 0;
    bool is_activate = c->activate.on && memcmp(&c->activate.id, &m->id, sizeof m->id) == 0;
    if (!is_allocate && !is_activate)
        return;
    if (code == 0 && stun_check_integrity(m, c->key, sizeof c->key) != 0)
        return; /* [MS-TURN] 3.1.11; if the true one does not come, time runs out */
    settle(is_allocate ? &c->allocate : &c->activate);
    if (is_activate) {
        if (code == 0)
            c->active = c->wanted;
        push(c, &(struct ms_turn_event){.kind = MS_TURN_ACTIVE, .peer = c->wanted, .code = code});
    } else if (code) {
        if (!take_challenge(c, m, code))
            end_and_close(c, code, 0);
    } else if (c->stage == RELEASING) {
        end_and_close(c, 0, 0);
    } else {
        take_allocated(c, m);
    }
}

static void take_control(struct ms_turn_client *c, const uint8_t *bytes, size_t len)
{
    struct stun_msg m;
    struct ms_turn_event ev = {.kind = MS_TURN_FRAME};
    struct stun_attr data;
    int code = 0;
    const char *reason;
    size_t reason_len;
    if (stun_parse(&stun_ms_turn, bytes, len, &m) != 0) {
        if (!c->cfg.over_udp) /* on a stream nothing more can be found */
            end_and_close(c, 0, E_MALFORMED);
    } else if (m.cls == STUN_SUCCESS) {
        take_answer(c, &m, 0);
    } else if (m.cls == STUN_ERROR && stun_get_error(&m, &code, &reason, &reason_len) == 0) {
        take_answer(c, &m, code);
    } else if (m.type == MS_TURN_DATA_INDICATION && c->stage == ALLOCATED &&
               stun_get_address(&m, ATTR_MS_REMOTE_ADDRESS, &ev.peer) == 0 &&
               stun_find(&m, ATTR_DATA, &data)) {
        ev.data = data.value;
        ev.len = data.len;
        push(c, &ev);
    }
}

static void take_raw(struct ms_turn_client *c, const uint8_t *bytes, size_t len)
{
    if (c->stage == ALLOCATED && c->active.port)
        push(c, &(struct ms_turn_event){.kind = MS_TURN_FRAME, .peer = c->active, .data = bytes, .len = len});
}

static void take_bytes(struct ms_turn_client *c, const uint8_t *p, size_t len)
{
    if (c->stage == HELLO) {
        int done = ms_hello_take(&ms_server_hello, &c->hello_have, &p, &len);
        if (done < 0)
            end_and_close(c, 0, E_MALFORMED);
        if (done <= 0)
            return;
        c->hello_by_ns = TIME_NEVER;
        c->stage = ALLOCATING;
        send_allocate(c, NULL);
    }
    const uint8_t *content;
    size_t n;
    int unit;
    while (c->stage != GONE && (unit = ms_units_take(&c->units, &p, &len, &content, &n)) != 0) {
        if (unit < 0)
            end_and_close(c, 0, E_MALFORMED);
        else if (c->units.type == MS_UNIT_CONTROL)
            take_control(c, content, n);
        else
            take_raw(c, content, n);
    }
}

/* ---- input ---- */

void ms_turn_client_start(struct ms_turn_client *c)
{
    assert(c->stage == IDLE);
    c->id = c->cfg.over_udp ? io_udp(c->io, c->owner, &c->cfg.local)
                            : io_connect(c->io, c->owner, NULL, &c->cfg.server);
    c->stage = CONNECTING;
}

static void on_opened(struct ms_turn_client *c)
{
    uint8_t hello[MS_HELLO_MAX];
    if (c->cfg.over_udp) {
        c->stage = ALLOCATING;
        send_allocate(c, NULL);
        return;
    }
    ms_hello_write(&ms_client_hello, &c->rng, hello);
    io_send(c->io, c->id, hello, ms_client_hello.len, "pseudo-TLS ClientHello");
    io_read(c->io, c->id, true);
    c->stage = HELLO;
    c->hello_by_ns = io_now(c->io) + ANSWER_LIMIT;
}

/* A pair of requests, each sent again on its own; the first that fails is the end. */
static void wait_for(struct ms_turn_client *c, struct pending *p)
{
    if (io_now(c->io) < p->at_ns)
        return;
    if (p->sends == 0) {
        end_and_close(c, 0, E_TIMED_OUT);
        return;
    }
    p->sends--;
    p->wait_ns = time_min(2 * p->wait_ns, LONGEST_WAIT_NS);
    p->at_ns = io_now(c->io) + p->wait_ns;
    io_sendto(c->io, c->id, &c->cfg.server, p->bytes, p->len, p->label);
}

static void on_tick(struct ms_turn_client *c)
{
    if (io_now(c->io) >= c->hello_by_ns)
        end_and_close(c, 0, E_TIMED_OUT);
    wait_for(c, &c->allocate);
    wait_for(c, &c->activate);
    if (io_now(c->io) >= c->refresh_ns) {
        c->refresh_ns = TIME_NEVER;
        send_allocate(c, NULL);
    }
}

/* Only the server speaks to this socket: what others send is not heard. */
static void take_datagram(struct ms_turn_client *c, const struct io_in *in)
{
    if (!endpoint_equal(&in->remote, &c->cfg.server))
        return;
    if (ms_is_control(in->data, in->len))
        take_control(c, in->data, in->len);
    else
        take_raw(c, in->data, in->len);
}

io_id ms_turn_client_control(const struct ms_turn_client *c)
{
    return c->stage == IDLE || c->stage == GONE ? IO_NONE : c->id;
}

void ms_turn_client_input(struct ms_turn_client *c, const struct io_in *in)
{
    if (in->event == IO_TICK) {
        on_tick(c);
        return;
    }
    if (c->stage == IDLE || c->stage == GONE || in->id != c->id)
        return;
    switch (in->event) {
    case IO_OPENED:
        on_opened(c);
        break;
    case IO_DATA:
        take_bytes(c, in->data, in->len);
        break;
    case IO_BLOCKED:
        push(c, &(struct ms_turn_event){.kind = MS_TURN_BLOCKED});
        break;
    case IO_WRITABLE:
        push(c, &(struct ms_turn_event){.kind = MS_TURN_WRITABLE});
        break;
    case IO_EOF:
        end_and_close(c, 0, E_RESET);
        break;
    case IO_FAILED:
    case IO_CLOSED:
        end(c, 0, in->err ? in->err : E_RESET);
        break;
    case IO_DATAGRAM:
        take_datagram(c, in);
        break;
    case IO_START:
    case IO_TICK:
    case IO_ACCEPTED:
    case IO_ICMP: /* a hint at most: retransmission decides (RFC 8489 6.2.1) */
        break;
    }
}

uint64_t ms_turn_client_deadline(const struct ms_turn_client *c)
{
    uint64_t at = time_min(c->hello_by_ns, c->refresh_ns);
    return time_min(at, time_min(c->allocate.at_ns, c->activate.at_ns));
}
