/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turn_bench [ALLOCATIONS [MESSAGES]]: what the relay's core costs without a network under it. Makes allocations over
 * UDP, each with a channel; then messages of 172 bytes (a voice frame) go round them, by channel and by indication,
 * both ways. Prints nanoseconds of CPU a message, microseconds an allocation (401, Allocate, ChannelBind), and by how
 * much the resident memory grew for each allocation. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/turn/turn.h"

enum { ALLOCATIONS = 6000, MESSAGES = 3000000, PAYLOAD = 172, MAP = 1 << 16 };

struct client {
    struct endpoint at, relayed;
    io_id relay;
};

struct bench {
    struct io *io;
    struct turn *turn;
    io_id listener;
    io_id last_socket;     /* opened by what the core wanted last */
    struct endpoint last_at;
    uint8_t answer[2048];  /* the last that it sent */
    size_t answer_len;
    uint64_t sent;
    struct client *clients;
};

static const struct endpoint server = {{IP_V4, {192, 0, 2, 1}}, 3478};
static uint8_t key[16];

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident(void)
{
    long pages = 0, resident_pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &pages, &resident_pages) != 2)
        resident_pages = 0;
    if (f)
        fclose(f);
    return resident_pages * sysconf(_SC_PAGESIZE);
}

static void tell(struct bench *b, const struct io_in *in);

static void drain(struct bench *b, bool keep)
{
    struct io_out op;
    io_id opened[2];
    size_t n = 0;
    while (io_poll(b->io, &op))
        if (op.op == IO_OP_SENDTO) {
            b->sent++;
            b->answer_len = keep ? op.len : 0;
            if (keep)
                memcpy(b->answer, op.data, op.len);
        } else if (op.op == IO_OP_UDP) {
            opened[n++] = op.id;
            b->last_at = op.local;
            b->last_socket = op.id;
        }
    for (size_t i = 0; i < n; i++)
        tell(b, &(struct io_in){.event = IO_OPENED, .id = opened[i]});
}

static void tell(struct bench *b, const struct io_in *in)
{
    turn_input(b->turn, in);
    drain(b, true);
}

static void datagram(struct bench *b, io_id socket, const struct endpoint *from, uint8_t *data, size_t len, bool keep)
{
    struct io_in in = {.event = IO_DATAGRAM, .id = socket, .local = server, .remote = *from, .data = data, .len = len,
                       .room = data};
    turn_input(b->turn, &in);
    drain(b, keep);
}

/* What lies in the message behind the attributes of the method itself. */
static size_t signed_request(struct stun_out *o, const char *nonce)
{
    if (*nonce) {
        stun_put_text(o, ATTR_USERNAME, "u");
        stun_put_text(o, ATTR_REALM, "r");
        stun_put_text(o, ATTR_NONCE, nonce);
        stun_put_integrity(o, key, sizeof key, false);
    }
    long n = stun_end(o);
    assert(n > 0);
    return (size_t)n;
}

static void request(struct bench *b, const struct client *c, unsigned method, const char *nonce)
{
    uint8_t room[IO_ROOM + 512 + IO_ROOM], *buf = room + IO_ROOM;
    struct stun_out o;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, (uint8_t)method, *nonce != 0}};
    struct endpoint peer = {{IP_V4, {203, 0, 113, 9}}, 4000};
    stun_begin(&o, &stun_rfc8489, buf, 512, stun_type(STUN_REQUEST, method), &id);
    if (method == TURN_ALLOCATE) {
        stun_put_u32(&o, ATTR_REQUESTED_TRANSPORT, (uint32_t)PROTO_UDP << 24);
    } else {
        stun_put_u32(&o, ATTR_CHANNEL_NUMBER, UINT32_C(0x40000000));
        stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peer);
    }
    size_t n = signed_request(&o, nonce);
    datagram(b, b->listener, &c->at, buf, n, true);
}

static void allocate(struct bench *b, struct client *c, unsigned n)
{
    char nonce[128];
    struct stun_msg m;
    const char *s;
    size_t len;
    c->at = (struct endpoint){ip_v4(UINT32_C(0x0a000000) + n), 5000};
    request(b, c, TURN_ALLOCATE, "");
    int err = stun_parse(&stun_rfc8489, b->answer, b->answer_len, &m);
    err = err ? err : stun_get_text(&m, ATTR_NONCE, &s, &len);
    assert(!err && len < sizeof nonce);
    memcpy(nonce, s, len);
    nonce[len] = '\0';
    request(b, c, TURN_ALLOCATE, nonce);
    c->relayed = b->last_at;
    c->relay = b->last_socket;
    request(b, c, TURN_CHANNEL_BIND, nonce);
    assert(load16(b->answer) == 0x0109);
}

/* Nanoseconds a message. */
static double messages(struct bench *b, unsigned allocations, unsigned count, bool to_peer, bool channel)
{
    static uint8_t room[IO_ROOM + 2048 + IO_ROOM];
    static const struct endpoint peers[2] = {{{IP_V4, {203, 0, 113, 9}}, 4001}, {{IP_V4, {203, 0, 113, 9}}, 4000}};
    uint8_t *buf = room + IO_ROOM, payload[PAYLOAD] = {0};
    struct stun_out o;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    size_t len = PAYLOAD;
    if (to_peer && channel) {
        store16(buf, 0x4000);
        store16(buf + 2, PAYLOAD);
        len += 4;
    } else if (to_peer) {
        stun_begin(&o, &stun_rfc8489, buf, 2048, stun_type(STUN_INDICATION, TURN_SEND), &id);
        stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peers[0]);
        stun_put(&o, ATTR_DATA, payload, sizeof payload);
        len = (size_t)stun_end(&o);
    }
    uint64_t before = b->sent;
    double start = cpu_now();
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &b->clients[i % allocations];
        if (to_peer)
            datagram(b, b->listener, &c->at, buf, len, false);
        else
            datagram(b, c->relay, &peers[channel], buf, len, false);
    }
    double ns = (cpu_now() - start) * 1e9 / count;
    assert(b->sent - before == count);
    return ns;
}

int main(int argc, char **argv)
{
    unsigned allocations = argc > 1 ? (unsigned)atoi(argv[1]) : ALLOCATIONS;
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : MESSAGES;
    static const struct turn_user user = {"u", "p"};
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = &user, .user_count = 1,
                              .listen_udp = &server, .listen_udp_count = 1, .relay_ip4 = server.ip,
                              .first_port = 10000, .last_port = 65535, .limits = turn_limits_default};
    cfg.limits.allocations = cfg.limits.user_allocations = allocations;
    struct bench b = {.io = io_new("bench", 1), .clients = calloc(allocations, sizeof(struct client))};
    stun_long_term_key("u", "r", "p", key);
    b.turn = turn_new(b.io, 1, &cfg);
    if (!b.turn || !b.clients)
        return 2;
    memset(b.clients, 1, allocations * sizeof *b.clients); /* resident before, not after */
    tell(&b, &(struct io_in){.event = IO_START});
    b.listener = b.last_socket;
    long before = resident();
    double start = cpu_now();
    for (unsigned i = 0; i < allocations; i++)
        allocate(&b, &b.clients[i], i + 1);
    printf("allocations=%u us_each=%.1f bytes_each=%ld footprint_mb=%zu\n", allocations,
           (cpu_now() - start) * 1e6 / allocations, (resident() - before) / allocations, turn_footprint(b.turn) >> 20);
    printf("channel_to_peer_ns=%.0f ", messages(&b, allocations, count, true, true));
    printf("channel_to_client_ns=%.0f ", messages(&b, allocations, count, false, true));
    printf("send_to_peer_ns=%.0f ", messages(&b, allocations, count, true, false));
    printf("data_to_client_ns=%.0f\n", messages(&b, allocations, count, false, false));
    turn_free(b.turn);
    io_free(b.io);
    free(b.clients);
    return 0;
}
