/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes into the relay (from its client and from a peer) and into the client (from its relay), as they
 * come or as messages with a good MAC around any attributes, cut anywhere; over TCP and over UDP. Neither may touch a
 * connection or socket that it does not have. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS = 512 };
enum life { UNBORN, LISTENING, OPENING, OPEN, BINDING, BOUND, DEAD };

struct fuzz {
    struct io *io;
    struct ms_turn_server *server; /* or NULL */
    struct ms_turn_client *client; /* or NULL */
    struct reader r;
    uint64_t now;
    enum life life[IDS]; /* by the low bits of the id */
    io_id ids[IDS];
    size_t id_count;
    struct stun_id asked; /* the client's last request */
    char nonce[64];
    uint8_t key[16];
};

static enum life *life_of(struct fuzz *f, io_id id)
{
    size_t i = id & 0xffffff;
    assert(i < IDS);
    if (f->life[i] == UNBORN)
        f->ids[f->id_count++] = id;
    return &f->life[i];
}

/* Remembers what the next scripted answer needs. */
static void look_at(struct fuzz *f, const struct io_out *op)
{
    struct stun_msg m;
    const char *nonce;
    size_t len;
    size_t header = op->op == IO_OP_SENDTO ? 0 : MS_UNIT_HEADER;
    if (op->len < header + STUN_HEADER ||
        stun_parse(&stun_ms_turn, op->data + header, op->len - header, &m) != 0)
        return;
    f->asked = m.id;
    if (stun_get_text(&m, ATTR_NONCE, &nonce, &len) == 0 && len < sizeof f->nonce) {
        memcpy(f->nonce, nonce, len);
        f->nonce[len] = 0;
    }
}

static void do_op(struct fuzz *f, const struct io_out *op)
{
    if (op->op == IO_OP_NOTE)
        return;
    enum life *life = life_of(f, op->id);
    switch (op->op) {
    case IO_OP_LISTEN:
    case IO_OP_CONNECT:
        assert(*life == UNBORN);
        *life = op->op == IO_OP_LISTEN ? LISTENING : OPENING;
        break;
    case IO_OP_UDP:
        assert(*life == UNBORN);
        *life = BINDING;
        break;
    case IO_OP_SEND:
        assert(*life == OPEN || *life == OPENING);
        look_at(f, op);
        break;
    case IO_OP_SENDTO:
        assert(*life == BOUND);
        look_at(f, op);
        break;
    case IO_OP_READ_ON:
    case IO_OP_READ_OFF:
        assert(*life == OPEN);
        break;
    case IO_OP_CLOSE:
    case IO_OP_ABORT:
        assert(*life != UNBORN && *life != DEAD);
        *life = DEAD;
        break;
    default:
        assert(!"an operation that neither has a use for");
    }
}

static void drain(struct fuzz *f)
{
    struct io_out op;
    while (io_poll(f->io, &op))
        do_op(f, &op);
}

static void input(struct fuzz *f, struct io_in in)
{
    io_set_now(f->io, f->now);
    if (f->server) {
        ms_turn_server_input(f->server, &in);
    } else {
        struct ms_turn_event ev;
        ms_turn_client_input(f->client, &in);
        while (ms_turn_client_poll(f->client, &ev))
            assert(ev.len == 0 || ev.data);
    }
    drain(f);
}

static io_id pick(struct fuzz *f)
{
    return f->id_count ? f->ids[read8(&f->r) % f->id_count] : IO_NONE;
}

/* What a host may tell of this id, by the state it is in. */
static void happen(struct fuzz *f, io_id id, uint8_t what)
{
    enum life *life = life_of(f, id);
    struct io_in in = {
        .id = id, .local = {ip_v4(0x0a000001), 443}, .remote = {ip_v4(0x0a000002 + (what >> 6)), 5000}};
    if (*life == LISTENING && what & 1) {
        in.event = IO_ACCEPTED;
        in.other = id;
        in.id = io_new_id(f->io, 1);
        *life_of(f, in.id) = OPEN;
    } else if (*life == LISTENING && what & 2) {
        in.event = IO_OPENED;
    } else if (*life == OPENING && what & 1) {
        in.event = IO_OPENED;
        *life = OPEN;
    } else if (*life == BINDING && what & 1) {
        in.event = IO_OPENED;
        *life = BOUND;
    } else if (*life == LISTENING || *life == OPENING || *life == BINDING) {
        in.event = IO_FAILED;
        in.err = E_REFUSED;
        *life = DEAD;
    } else if (*life == OPEN && what % 3) {
        in.event = what % 3 == 1 ? IO_BLOCKED : IO_WRITABLE;
    } else if (*life == OPEN) {
        in.event = what & 4 ? IO_EOF : IO_CLOSED;
        *life = what & 4 ? OPEN : DEAD;
    } else {
        return;
    }
    input(f, in);
}

/* In memory of its size. A datagram is from the server, or from one of a few. */
static void deliver_piece(struct fuzz *f, io_id id, const uint8_t *p, size_t len)
{
    uint8_t *piece = malloc(len);
    struct io_in in = {.event = IO_DATA, .id = id, .data = piece, .len = len};
    assert(piece);
    memcpy(piece, p, len);
    if (*life_of(f, id) == BOUND) {
        uint8_t from = f->server ? read8(&f->r) & 3 : 0;
        in.event = IO_DATAGRAM;
        in.local = (struct endpoint){ip_v4(0x0a000001), 443};
        in.remote = (struct endpoint){ip_v4(0x0a000001u + from), from ? 5000 : 443};
    }
    input(f, in);
    free(piece);
}

/* Bytes of a connection, cut where the script says; or a datagram. */
static void deliver(struct fuzz *f, io_id id, const uint8_t *p, size_t len)
{
    if (len && *life_of(f, id) == BOUND)
        deliver_piece(f, id, p, len);
    while (len && *life_of(f, id) == OPEN) {
        size_t n = 1 + read8(&f->r) * 8u;
        n = n < len ? n : len;
        deliver_piece(f, id, p, n);
        p += n;
        len -= n;
    }
}

static void good_message(struct fuzz *f, io_id id)
{
    static struct ms_unit u;
    static const uint16_t types[] = {0x0003, 0x0004, 0x0006, 0x0103, 0x0113, 0x0106, 0x0116, 0x0115};
    uint16_t how = read16(&f->r);
    struct endpoint at = {ip_v4(0x0a000002 + (how >> 14)), 5000};
    struct stun_out o;
    stun_begin(&o, &stun_ms_turn, u.bytes + MS_UNIT_HEADER, MS_UNIT_MAX, types[how & 7], &f->asked);
    if (how & 8)
        stun_put_text(&o, ATTR_USERNAME, "user");
    if (how & 16)
        stun_put_text(&o, ATTR_REALM, "realm");
    if (how & 32)
        stun_put_text(&o, ATTR_NONCE, f->nonce);
    if (how & 64)
        stun_put_u32(&o, ATTR_LIFETIME, read8(&f->r));
    if (how & 128) {
        stun_put_address(&o, ATTR_MAPPED_ADDRESS, &at);
        stun_put_address(&o, ATTR_MS_XOR_MAPPED_ADDRESS, &at);
    }
    if (how & 256)
        stun_put_address(&o, ATTR_MS_DESTINATION_ADDRESS, &at);
    if (how & 512)
        stun_put_address(&o, ATTR_MS_REMOTE_ADDRESS, &at);
    if (how & 1024)
        stun_put_error(&o, 300 + read8(&f->r), NULL);
    size_t n = how & 2048 ? read8(&f->r) : 0;
    const uint8_t *value = n ? read_bytes(&f->r, n) : NULL;
    if (value && n >= 2)
        stun_put(&o, (enum stun_attr_type)load16(value), value + 2, n - 2);
    if (how & 4096)
        stun_put_integrity(&o, f->key, sizeof f->key, false);
    long len = stun_end(&o);
    if (len > 0 && *life_of(f, id) == BOUND)
        deliver(f, id, u.bytes + MS_UNIT_HEADER, (size_t)len);
    else if (len > 0)
        deliver(f, id, u.bytes, ms_unit_close(&u, MS_UNIT_CONTROL, (size_t)len));
}

static void step(struct fuzz *f)
{
    uint8_t op = read8(&f->r), hello[MS_HELLO_MAX];
    io_id id = pick(f);
    size_t n;
    const uint8_t *p;
    struct rng rng = rng_named(1, "hello");
    struct endpoint to = {ip_v4(0x0a000002 + (op >> 6)), 5000};
    if (id == IO_NONE)
        return;
    switch (op & 7) {
    case 0:
        ms_hello_write(f->server ? &ms_client_hello : &ms_server_hello, &rng, hello);
        deliver(f, id, hello, f->server ? ms_client_hello.len : ms_server_hello.len);
        break;
    case 1:
    case 2:
        good_message(f, id);
        break;
    case 3:
        n = read8(&f->r);
        p = read_bytes(&f->r, n);
        if (p)
            deliver(f, id, p, n);
        break;
    case 4:
        f->now += read16(&f->r) * NS_S / 16;
        input(f, (struct io_in){.event = IO_TICK});
        break;
    case 5:
        if (f->client && op & 32)
            ms_turn_client_set_active(f->client, &to);
        else if (f->client)
            ms_turn_client_send(f->client, &to, "data", 4, op & 16 ? "label" : NULL);
        if (f->client && op == 0xfd)
            ms_turn_client_release(f->client);
        drain(f);
        break;
    default:
        happen(f, id, read8(&f->r));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ms_turn_user user = {"user", "password"};
    struct endpoint at = {ip_v4(0x0a000001), 443};
    struct fuzz *f = calloc(1, sizeof *f);
    assert(f);
    f->r = reader_of(data, size);
    f->io = io_new("fuzz", 1);
    stun_long_term_key("user", "realm", "password", f->key);
    uint8_t mode = read8(&f->r);
    if (mode & 1) {
        struct ms_turn_server_config cfg = {.realm = "realm",
                                            .users = &user,
                                            .user_count = 1,
                                            .listen = &at,
                                            .listen_count = 1,
                                            .listen_udp = &at,
                                            .listen_udp_count = 1,
                                            .relay_ip = at.ip,
                                            .first_port = 50000,
                                            .last_port = 50001,
                                            .max_clients = 3,
                                            .max_peers = 2,
                                            .connect_out = true};
        f->server = ms_turn_server_new(f->io, 1, &cfg);
        assert(f->server);
    } else {
        struct ms_turn_client_config cfg = {
            .server = at, .user = "user", .password = "password", .over_udp = mode & 2};
        f->client = ms_turn_client_new(f->io, 1, &cfg);
        assert(f->client);
        ms_turn_client_start(f->client);
    }
    input(f, (struct io_in){.event = IO_START});
    while (reader_left(&f->r) > 0 && f->id_count < IDS - 8)
        step(f);
    ms_turn_server_free(f->server);
    ms_turn_client_free(f->client);
    io_free(f->io);
    free(f);
    return 0;
}
