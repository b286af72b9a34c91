/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/ice/rfc4571.h"
#include "models/msturn/msturn.h"

enum { STREAMS_MAX = 16, PUMP_MAX = 32, NAME_MAX_LEN = 32, SDP_MAX = 4096, CHECK_MAX = 512 };

enum stream_state { STREAM_FREE, STREAM_CONNECTING, STREAM_AWAITED, STREAM_TCP, STREAM_RELAY };

struct stream {
    enum stream_state state;
    uint32_t number; /* the agent's name for it */
    size_t pair;     /* CONNECTING, AWAITED */
    io_id id;        /* CONNECTING, TCP */
    struct endpoint remote;
    bool blocked;
    struct rfc4571 frames;
    /* RELAY: the last check sent while nothing has been heard. A Send request is never answered, and a relay
     * that has no connection with the peer yet drops it: when the peer's own check comes, ours goes out
     * again. */
    bool heard;
    uint8_t check[CHECK_MAX];
    size_t check_len;
};

struct share {
    struct io *io;
    char name[NAME_MAX_LEN];
    struct share_config cfg;
    struct ms_turn_client *relay;
    struct ice *ice;
    struct ice_config ice_cfg;
    struct rng rng;
    struct stream stream[STREAMS_MAX];
    uint32_t streams_ever, nominated; /* 0: none */
    struct ice_candidate local[ICE_CANDIDATES_MAX], pair_local, pair_remote, far_relay;
    size_t local_count;
    char crypto_key[41];
    uint64_t sdp_session, sdp_version;
    struct screen screen;
    uint64_t heard_ns, blocked_since_ns;
    bool relay_blocked, running, finished, dead;
    const char *broken; /* to be told: why */
    bool stalled;       /* to be told */
    char sdp[SDP_MAX];
};

static void random_text(struct rng *rng, char *out, size_t len)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++)
        out[i] = chars[rng_below(rng, 64)];
    out[len] = '\0';
}

static struct rng stream_named(struct io *io, const char *name, const char *what)
{
    char text[NAME_MAX_LEN + 16];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%s/%s", name, what);
    return io_rng(io, text);
}

struct share *share_new(struct io *io, const char *name, const struct share_config *cfg,
                        struct ms_turn_client *relay)
{
    struct share *s = calloc(1, sizeof *s);
    assert(s);
    struct text t = text_of(s->name, sizeof s->name);
    text_add(&t, "%s", name);
    s->io = io;
    s->cfg = *cfg;
    s->relay = relay;
    s->rng = stream_named(io, name, "sdp");
    s->blocked_since_ns = TIME_NEVER;
    s->sdp_session = rng_u64(&s->rng) >> 32;
    random_text(&s->rng, s->crypto_key, 40);
    s->ice_cfg = (struct ice_config){.controlling = cfg->controlling,
                                     .tie_breaker = rng_u64(&s->rng),
                                     .candidate_id = cfg->candidate_id,
                                     .use_candidate_always = cfg->use_candidate_always,
                                     .total_timeout_ns = cfg->ice_timeout_ns};
    random_text(&s->rng, s->ice_cfg.ufrag, 4);
    random_text(&s->rng, s->ice_cfg.pwd, 24);
    s->ice = ice_new(&s->ice_cfg, stream_named(io, name, "ice"));
    assert(s->ice);
    screen_init(&s->screen, &cfg->screen, stream_named(io, name, "screen"));
    return s;
}

static void stream_clear(struct stream *st)
{
    rfc4571_free(&st->frames);
    *st = (struct stream){0};
}

void share_free(struct share *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        stream_clear(&s->stream[i]);
    ice_free(s->ice);
    free(s);
}

void share_close(struct share *s)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (s->stream[i].id != IO_NONE)
            io_close(s->io, s->stream[i].id);
        stream_clear(&s->stream[i]);
    }
    s->dead = true;
}

/* ---- description ---- */

void share_add_local(struct share *s, enum ice_type type, enum ice_transport transport, uint32_t priority,
                     const struct endpoint *at, const struct endpoint *related)
{
    struct ice_candidate c = {
        .component = 1, .type = type, .transport = transport, .priority = priority, .address = *at};
    struct text t = text_of(c.foundation, sizeof c.foundation);
    if (type == ICE_RELAY)
        text_add(&t, "%s", s->cfg.candidate_id);
    else
        text_add(&t, "%u", 1 + (unsigned)type);
    if (related)
        c.related = *related;
    assert(s->local_count < ICE_CANDIDATES_MAX);
    s->local[s->local_count++] = c;
    ice_add_local(s->ice, &c);
}

/* Of the other side's candidates those that this share can use: TCP, component 1 (RTP; RTCP shares its
 * stream). */
int share_set_remote(struct share *s, const struct sdp_media *m)
{
    size_t used = 0;
    for (size_t i = 0; i < m->candidate_count; i++) {
        const struct sdp_candidate *c = &m->candidate[i];
        if (c->transport == SDP_UDP || c->component != 1)
            continue;
        struct ice_candidate ice = {.component = 1,
                                    .type = (enum ice_type)c->type,
                                    .transport = c->transport == SDP_TCP_ACT ? ICE_TCP_ACT : ICE_TCP_PASS,
                                    .priority = c->priority,
                                    .address = c->address,
                                    .related = c->related};
        memcpy(ice.foundation, c->foundation, sizeof ice.foundation);
        used += ice_add_remote(s->ice, &ice) == 0;
        if (ice.type == ICE_RELAY && ice.transport == ICE_TCP_PASS)
            s->far_relay = ice;
    }
    if (!used || !m->ufrag[0] || !m->pwd[0])
        return E_UNSUPPORTED;
    ice_set_remote_credentials(s->ice, m->ufrag, m->pwd);
    return 0;
}

static void put_candidate(struct sdp_media *m, const struct ice_candidate *c)
{
    struct sdp_candidate *out = &m->candidate[m->candidate_count++];
    *out = (struct sdp_candidate){.component = c->component,
                                  .transport = c->transport == ICE_TCP_ACT ? SDP_TCP_ACT : SDP_TCP_PASS,
                                  .priority = c->priority,
                                  .type = (enum sdp_type)c->type,
                                  .address = c->address,
                                  .related = c->related};
    memcpy(out->foundation, c->foundation, sizeof out->foundation);
}

const char *share_describe(struct share *s, const struct ip_addr *host)
{
    struct sdp d = {.user = "-", .session = s->sdp_session, .version = ++s->sdp_version, .ip = *host};
    struct sdp_media *m = &d.media[d.media_count++];
    struct text t = text_of(m->crypto, sizeof m->crypto);
    *m = (struct sdp_media){.kind = "applicationsharing",
                            .proto = "TCP/RTP/SAVP",
                            .formats = "127",
                            .mid = "1",
                            .rtpmap = "127 x-data/90000",
                            .setup = s->cfg.setup,
                            .connection_new = s->nominated == 0,
                            .rtcp_mux = true,
                            .sharing_session = "1",
                            .sharing_type = "rdp"};
    text_add(&t, "2 AES_CM_128_HMAC_SHA1_80 inline:%s|2^31", s->crypto_key);
    t = text_of(m->sharing_role, sizeof m->sharing_role);
    text_add(&t, "%s", s->cfg.role);
    memcpy(m->ufrag, s->ice_cfg.ufrag, sizeof s->ice_cfg.ufrag);
    memcpy(m->pwd, s->ice_cfg.pwd, sizeof s->ice_cfg.pwd);
    const struct endpoint *at = s->nominated ? &s->pair_local.address : &s->local[0].address;
    m->ip = at->ip;
    m->port = at->port;
    if (s->nominated) { /* MSI-13 */
        put_candidate(m, &s->pair_local);
        m->remote[m->remote_count++] = (struct sdp_remote){1, s->pair_remote.address};
    }
    for (size_t i = 0; i < s->local_count && !s->nominated; i++)
        put_candidate(m, &s->local[i]);
    t = text_of(s->sdp, sizeof s->sdp);
    sdp_write(&d, &t);
    assert(!t.cut);
    return s->sdp;
}

void share_check(struct share *s)
{
    if (s->running)
        return;
    s->running = true;
    ice_start(s->ice, io_now(s->io));
}

/* ---- streams ---- */

static struct stream *stream_of_id(struct share *s, io_id id)
{
    for (size_t i = 0; i < STREAMS_MAX && id != IO_NONE; i++)
        if (s->stream[i].id == id)
            return &s->stream[i];
    return NULL;
}

/* The stream that the screen goes over; NULL: none yet, or gone. */
static const struct stream *screen_stream(const struct share *s)
{
    for (size_t i = 0; i < STREAMS_MAX && s->nominated; i++)
        if (s->stream[i].number == s->nominated)
            return &s->stream[i];
    return NULL;
}

static struct stream *stream_numbered(struct share *s, uint32_t number)
{
    for (size_t i = 0; i < STREAMS_MAX && number; i++)
        if (s->stream[i].number == number)
            return &s->stream[i];
    return NULL;
}

static struct stream *stream_to(struct share *s, enum stream_state state, const struct endpoint *remote)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (s->stream[i].state == state && endpoint_equal(&s->stream[i].remote, remote))
            return &s->stream[i];
    return NULL;
}

static struct stream *stream_add(struct share *s, enum stream_state state, size_t pair, io_id id,
                                 const struct endpoint *remote)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (s->stream[i].state == STREAM_FREE) {
            s->stream[i] = (struct stream){.state = state, .pair = pair, .id = id, .remote = *remote};
            return &s->stream[i];
        }
    }
    return NULL;
}

static bool is_request(const uint8_t *frame, size_t len)
{
    return len >= 2 && load16(frame) == 0x0001; /* Binding request (RFC 8489 6) */
}

static void send_frame(struct share *s, struct stream *st, const uint8_t *frame, size_t len,
                       const char *label)
{
    if (st->state == STREAM_RELAY) {
        ms_turn_client_send(s->relay, &st->remote, frame, len, label);
        if (!st->heard && len <= sizeof st->check && is_request(frame, len)) {
            memcpy(st->check, frame, len);
            st->check_len = len;
        }
        return;
    }
    uint8_t buf[RFC4571_HEADER + 2048];
    assert(len <= sizeof buf - RFC4571_HEADER);
    store16(buf, (unsigned)len);
    memcpy(buf + RFC4571_HEADER, frame, len);
    io_send(s->io, st->id, buf, RFC4571_HEADER + len, label);
}

void share_connect(struct share *s, size_t pair, unsigned owner, const struct endpoint *remote)
{
    struct stream *st = stream_add(s, STREAM_CONNECTING, pair, IO_NONE, remote);
    if (st)
        st->id = io_connect(s->io, owner, NULL, remote);
    else
        share_no_way(s, pair);
}

void share_via_relay(struct share *s, size_t pair, const struct endpoint *remote)
{
    struct stream *st = stream_add(s, STREAM_RELAY, pair, IO_NONE, remote);
    if (!st) {
        share_no_way(s, pair);
        return;
    }
    st->number = ++s->streams_ever;
    ice_opened(s->ice, pair, st->number, io_now(s->io));
}

void share_await(struct share *s, size_t pair, const struct endpoint *remote)
{
    if (!stream_add(s, STREAM_AWAITED, pair, IO_NONE, remote))
        share_no_way(s, pair);
}

void share_no_way(struct share *s, size_t pair)
{
    ice_open_failed(s->ice, pair, io_now(s->io));
}

void share_stream(struct share *s, io_id id, const struct endpoint *local, const struct endpoint *remote)
{
    uint64_t now = io_now(s->io);
    struct stream *st = stream_to(s, STREAM_AWAITED, remote);
    bool awaited = st;
    if (!st)
        st = stream_add(s, STREAM_TCP, 0, id, remote);
    if (!st) {
        io_abort(s->io, id);
        return;
    }
    st->state = STREAM_TCP;
    st->id = id;
    st->number = ++s->streams_ever;
    io_read(s->io, id, true);
    if (awaited)
        ice_opened(s->ice, st->pair, st->number, now);
    else
        ice_incoming(s->ice, st->number, local, remote, now);
}

void share_none(struct share *s, const struct endpoint *remote)
{
    struct stream *st = stream_to(s, STREAM_AWAITED, remote);
    if (!st)
        return;
    size_t pair = st->pair;
    stream_clear(st);
    share_no_way(s, pair);
}

static void lose(struct share *s, struct stream *st)
{
    uint32_t number = st->number;
    bool connecting = st->state == STREAM_CONNECTING;
    size_t pair = st->pair;
    stream_clear(st);
    if (connecting)
        ice_open_failed(s->ice, pair, io_now(s->io));
    else if (number == s->nominated && !s->finished)
        s->broken = "the connection that the screen goes over was closed";
    else
        ice_closed(s->ice, number, io_now(s->io));
}

static void on_frame(struct share *s, uint32_t number, const uint8_t *frame, size_t len)
{
    bool stun = ice_input(s->ice, number, frame, len, io_now(s->io));
    if (!stun || !s->screen.bye_received) /* of keep-alives alone a share does not end */
        s->heard_ns = io_now(s->io);
    if (stun)
        return;
    if (number != s->nominated)
        return;
    int err = screen_input(&s->screen, frame, len, io_now(s->io));
    if (err == E_RANGE)
        s->broken = "an RTP packet is missing or came twice";
    else if (err)
        s->broken = "what came is neither RTP nor RTCP nor STUN";
}

static void on_data(struct share *s, struct stream *st, const uint8_t *p, size_t len)
{
    const uint8_t *frame;
    size_t frame_len;
    while (st->state == STREAM_TCP && rfc4571_take(&st->frames, &p, &len, &frame, &frame_len))
        on_frame(s, st->number, frame, frame_len);
}

void share_relayed(struct share *s, const struct endpoint *local, const struct endpoint *peer,
                   const uint8_t *frame, size_t len)
{
    struct stream *st = stream_to(s, STREAM_RELAY, peer);
    if (!st) {
        st = stream_add(s, STREAM_RELAY, 0, IO_NONE, peer);
        if (!st)
            return;
        st->number = ++s->streams_ever;
        ice_incoming(s->ice, st->number, local, peer, io_now(s->io));
    }
    bool again = !st->heard && st->check_len && is_request(frame, len);
    st->heard = true;
    if (again)
        send_frame(s, st, st->check, st->check_len, "Binding request");
    on_frame(s, st->number, frame, len);
}

/* ---- the screen ---- */

static bool blocked(const struct share *s)
{
    const struct stream *st = screen_stream(s);
    return !st || (st->state == STREAM_RELAY ? s->relay_blocked : st->blocked);
}

static void note_blocked(struct share *s)
{
    if (!blocked(s))
        s->blocked_since_ns = TIME_NEVER;
    else if (s->blocked_since_ns == TIME_NEVER)
        s->blocked_since_ns = io_now(s->io);
}

void share_relay_blocked(struct share *s, bool is)
{
    s->relay_blocked = is;
    note_blocked(s);
}

/* Not more than PUMP_MAX at once: back-pressure comes as an event. */
static void pump(struct share *s)
{
    const uint8_t *frame;
    size_t len;
    struct stream *st = stream_numbered(s, s->nominated);
    for (unsigned n = 0; n < PUMP_MAX && !blocked(s); n++) {
        len = screen_next(&s->screen, io_now(s->io), &frame);
        if (!len)
            return;
        send_frame(s, st, frame, len, NULL);
        ice_sent(s->ice, st->number, io_now(s->io));
    }
}

void share_begin(struct share *s)
{
    s->heard_ns = io_now(s->io);
    screen_start(&s->screen, io_now(s->io));
    pump(s);
}

static uint64_t stall_deadline(const struct share *s)
{
    uint64_t t = TIME_NEVER;
    if (!s->screen.started || s->finished)
        return t;
    if (!s->screen.bye_received || s->screen.bye_sent)
        t = s->heard_ns + s->cfg.stall_timeout_ns;
    if (!s->screen.bye_sent && s->blocked_since_ns != TIME_NEVER)
        t = time_min(t, s->blocked_since_ns + s->cfg.stall_timeout_ns);
    return t;
}

/* ---- events ---- */

bool share_input(struct share *s, const struct io_in *in)
{
    struct stream *st = stream_of_id(s, in->id);
    if (!st)
        return false;
    switch (in->event) {
    case IO_OPENED:
        st->state = STREAM_TCP;
        st->number = ++s->streams_ever;
        io_read(s->io, st->id, true);
        ice_opened(s->ice, st->pair, st->number, io_now(s->io));
        break;
    case IO_DATA:
        on_data(s, st, in->data, in->len);
        break;
    case IO_BLOCKED:
    case IO_WRITABLE:
        st->blocked = in->event == IO_BLOCKED;
        note_blocked(s);
        pump(s);
        break;
    case IO_EOF:
        io_close(s->io, st->id);
        lose(s, st);
        break;
    case IO_FAILED:
    case IO_CLOSED:
        lose(s, st);
        break;
    default:
        break;
    }
    return true;
}

void share_tick(struct share *s)
{
    uint64_t now = io_now(s->io);
    if (s->dead || !s->running)
        return;
    if (now >= ice_deadline(s->ice))
        ice_timer(s->ice, now);
    pump(s);
    s->stalled = s->stalled || now >= stall_deadline(s);
}

uint64_t share_deadline(const struct share *s)
{
    if (s->dead || !s->running)
        return TIME_NEVER;
    uint64_t t = time_min(ice_deadline(s->ice), stall_deadline(s));
    return blocked(s) ? t : time_min(t, screen_deadline(&s->screen));
}

static bool on_nominated(struct share *s, const struct ice_event *ev, struct share_event *out)
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
    s->nominated = ev->stream;
    s->pair_local = ev->local;
    s->pair_remote = ev->remote;
    io_note(s->io, NOTE_STATE, "ice %s CHECKING -> NOMINATED local=%s remote=%s", s->name,
            endpoint_text(&ev->local.address, a), endpoint_text(&ev->remote.address, b));
    for (size_t i = 0; i < STREAMS_MAX; i++) { /* the others have had their use */
        struct stream *st = &s->stream[i];
        if (st->state == STREAM_FREE || st->number == s->nominated)
            continue;
        if (st->id != IO_NONE)
            io_close(s->io, st->id);
        if (st->number)
            ice_closed(s->ice, st->number, io_now(s->io));
        stream_clear(st);
    }
    out->kind = SHARE_NOMINATED;
    return true;
}

/* What the agent wants: true when the user has to know. */
static bool on_ice(struct share *s, const struct ice_event *ev, struct share_event *out)
{
    struct stream *st = stream_numbered(s, ev->stream);
    *out = (struct share_event){.pair = ev->pair, .local = ev->local, .remote = ev->remote, .text = ev->text};
    switch (ev->kind) {
    case ICE_OPEN:
        out->kind = SHARE_OPEN;
        return true;
    case ICE_SEND:
        if (st)
            send_frame(s, st, ev->data, ev->len, ev->label);
        return false;
    case ICE_VALID:
        io_note(s->io, NOTE_STATE, "ice %s stream=%u VALID", s->name, (unsigned)ev->stream);
        return false;
    case ICE_NOMINATED:
        return on_nominated(s, ev, out);
    case ICE_FAILED:
        out->kind = SHARE_NO_PAIR;
        out->remote = s->far_relay;
        return true;
    case ICE_LOST: /* consent is for UDP; a share is TCP */
        return false;
    }
    return false;
}

bool share_poll(struct share *s, struct share_event *out)
{
    struct ice_event ev;
    while (!s->dead && ice_poll(s->ice, &ev))
        if (on_ice(s, &ev, out))
            return true;
    *out = (struct share_event){.kind = SHARE_FINISHED, .remote = s->pair_remote, .text = s->broken};
    if (s->dead || s->finished)
        return false;
    if (screen_done(&s->screen)) {
        s->finished = true;
        return true;
    }
    if (s->broken || s->stalled) {
        out->kind = s->broken ? SHARE_BROKEN : SHARE_STALLED;
        s->dead = true;
        return true;
    }
    return false;
}

bool share_has_all(const struct share *s)
{
    return s->screen.bye_received;
}

void share_results(const struct share *s)
{
    screen_results(&s->screen, s->io);
}
