/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/tunnel.h"

#include <stdlib.h>
#include <string.h>

#include "models/actors/tunnel_packet.h"
#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define E_AT "10.0.2.1:2222"

/* One end: C's gives back what comes by a channel (when told to), E's counts. */
struct end {
    struct io *io;
    struct core core;
    struct tunnel *t;
    bool echo, slow; /* slow: says nothing of what it has taken */
    unsigned up, down, opened, refused, closed, eof, writable;
    size_t got, untaken;
    uint32_t last;
};

static void end_poll(struct end *e)
{
    struct tunnel_event ev;
    while (tunnel_poll(e->t, &ev)) {
        e->up += ev.kind == TUNNEL_UP;
        e->down += ev.kind == TUNNEL_DOWN;
        e->opened += ev.kind == TUNNEL_OPENED;
        e->refused += ev.kind == TUNNEL_REFUSED;
        e->closed += ev.kind == TUNNEL_CLOSED;
        e->eof += ev.kind == TUNNEL_EOF;
        e->writable += ev.kind == TUNNEL_WRITABLE;
        e->last = ev.channel;
        e->got += ev.len;
        if (ev.kind == TUNNEL_DATA && e->slow)
            e->untaken += ev.len;
        else if (ev.kind == TUNNEL_DATA)
            tunnel_taken(e->t, ev.channel, ev.len);
        if (ev.kind == TUNNEL_DATA && e->echo)
            tunnel_send(e->t, ev.channel, ev.data, ev.len);
        if (ev.kind == TUNNEL_EOF && e->echo)
            tunnel_close(e->t, ev.channel);
    }
}

static void end_input(void *self, const struct io_in *in)
{
    struct end *e = self;
    tunnel_input(e->t, in);
    end_poll(e);
}

static uint64_t end_deadline(const void *self)
{
    return tunnel_deadline(((const struct end *)self)->t);
}

static void end_new(struct pipe *p, struct end *e, const char *name, const char *ip, bool outer, uint32_t channels)
{
    static const struct core_ops ops = {.input = end_input, .deadline = end_deadline};
    struct tunnel_config cfg = {.outer = outer, .at = kit_endpoint(E_AT), .first_port = 30001, .last_port = 30003,
                                .forward = 443, .channels = channels};
    *e = (struct end){.io = io_new(name, 1), .echo = !outer};
    e->t = tunnel_new(e->io, 1, &cfg);
    e->core = (struct core){&ops, e, e->io};
    pipe_host(p, &e->core, ip);
}

static void end_free(struct end *e)
{
    tunnel_free(e->t);
    io_free(e->io);
}

struct two {
    struct pipe *p;
    struct end e, c;
};

static void two_start(struct two *w, uint32_t channels)
{
    w->p = pipe_new(10 * NS_MS);
    end_new(w->p, &w->e, "e", "10.0.2.1", true, TUNNEL_CHANNELS_MAX);
    end_new(w->p, &w->c, "c", "10.0.3.1", false, channels);
    pipe_run_for(w->p, 3 * NS_S);
}

static void two_end(struct two *w)
{
    end_free(&w->e);
    end_free(&w->c);
    pipe_free(w->p);
}

static uint32_t open_one(struct two *w)
{
    struct endpoint browser = kit_endpoint("192.0.2.1:1234");
    uint32_t channel;
    assert_int_equal(tunnel_open(w->e.t, &browser, &channel), 0);
    return channel;
}

static void bytes_go_through_and_back(void **state)
{
    (void)state;
    struct two w;
    static uint8_t bytes[100000];
    two_start(&w, 8);
    assert_int_equal(w.e.up + w.c.up, 2);
    assert_true(tunnel_is_up(w.e.t) && tunnel_is_up(w.c.t));
    assert_int_equal(pipe_count(w.p, "ssh-tunnel up 10.0.2.1:2222 <- 10.0.3.1:30001"), 1);
    assert_int_equal(pipe_count(w.p, "ssh-tunnel up 10.0.3.1:30001 -> 10.0.2.1:2222"), 1);
    uint32_t a = open_one(&w), b = open_one(&w);
    for (int i = 0; i < 10; i++) /* before it is confirmed, and beyond the window */
        tunnel_send(w.e.t, a, bytes, sizeof bytes);
    tunnel_send(w.e.t, b, "x", 1);
    pipe_run_for(w.p, 10 * NS_S);
    assert_int_equal(w.c.got, 10 * sizeof bytes + 1);
    assert_int_equal(w.e.got, w.c.got);
    assert_true(w.e.writable > 0);
    tunnel_eof(w.e.t, a);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.c.eof, 1);
    assert_int_equal(w.e.closed, 1);
    tunnel_close(w.e.t, b);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.c.closed, 1);
    assert_int_equal(open_one(&w), a); /* numbers are free again */
    two_end(&w);
}

/* A slow end of one channel stops that channel, at its window, and no other. */
static void a_window_holds_back(void **state)
{
    (void)state;
    struct two w;
    static uint8_t bytes[300000];
    two_start(&w, 8);
    w.c.slow = true;
    w.c.echo = false;
    uint32_t a = open_one(&w), b = open_one(&w);
    assert_true(tunnel_send(w.e.t, a, bytes, sizeof bytes));
    pipe_run_for(w.p, 5 * NS_S);
    assert_int_equal(w.c.got, TUNNEL_WINDOW);
    tunnel_send(w.e.t, b, bytes, 10);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.c.got, TUNNEL_WINDOW + 10);
    tunnel_taken(w.c.t, 0, TUNNEL_WINDOW);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.c.got, 2 * TUNNEL_WINDOW + 10);
    tunnel_taken(w.c.t, 0, TUNNEL_WINDOW);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.c.got, sizeof bytes + 10);
    assert_int_equal(w.e.writable, 1);
    two_end(&w);
}

static void limits(void **state)
{
    (void)state;
    for (uint32_t channels = 0; channels < 3; channels++) {
        struct two w;
        two_start(&w, channels);
        for (uint32_t i = 0; i <= channels; i++)
            open_one(&w);
        pipe_run_for(w.p, NS_S);
        assert_int_equal(w.e.opened, channels);
        assert_int_equal(w.e.refused, 1);
        two_end(&w);
    }
}

/* C restarts, E goes away: tried again after 1, 2, 4, ... s from the next ports. */
static void it_comes_back(void **state)
{
    (void)state;
    struct two w;
    two_start(&w, 8);
    open_one(&w);
    pipe_run_for(w.p, NS_S);
    tunnel_free(w.c.t); /* without a word; the new one takes the old one's place */
    w.c.t = tunnel_new(w.c.io, 1, &(struct tunnel_config){.at = kit_endpoint(E_AT), .forward = 443, .channels = 8});
    tunnel_input(w.c.t, &(struct io_in){.event = IO_START});
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.e.down, 1);
    assert_int_equal(w.e.up, 2);
    assert_int_equal(pipe_count(w.p, "ssh-tunnel lost a newer one took its place"), 1);
    open_one(&w);
    two_end(&w);

    struct end c;
    struct pipe *p = pipe_new(10 * NS_MS);
    pipe_policy(p, E_AT, PIPE_REFUSE);
    end_new(p, &c, "c", "10.0.3.1", false, 1);
    pipe_run_until(p, 20 * NS_S);
    pipe_policy(p, E_AT, PIPE_ACCEPT);
    raw_listen(p, E_AT);
    pipe_run_until(p, 30 * NS_S); /* 0, 1, 3, 7, 15 s were refused */
    assert_null(raw_accepted(p, E_AT));
    pipe_run_until(p, 32 * NS_S);
    struct raw *r = raw_accepted(p, E_AT);
    assert_non_null(r);
    assert_int_equal(r->remote.port, 30001 + 5 % 3);
    assert_int_equal(pipe_count(p, "cannot connect to Expressway-E for the SSH tunnel: refused"), 1);
    assert_int_equal(pipe_count(p, "ssh-tunnel failed refused"), 1);
    pipe_run_until(p, 43 * NS_S); /* taken, but nobody speaks SSH */
    assert_int_equal(r->state == RAW_GONE || r->eof, true);
    end_free(&c);
    pipe_free(p);
}

/* A silent tunnel is asked for a sign, and given up after the third question. */
static void a_sign_now_and_then(void **state)
{
    (void)state;
    struct two w;
    two_start(&w, 8);
    pipe_run_for(w.p, 100 * NS_S);
    assert_int_equal(w.e.down + w.c.down, 0);
    two_end(&w);

    struct end e;
    struct pipe *p = pipe_new(10 * NS_MS);
    end_new(p, &e, "e", "10.0.2.1", true, 8);
    pipe_run_for(p, NS_S);
    struct raw *r = raw_connect(p, "10.0.3.1:30001", E_AT);
    uint8_t packet[128] = {0};
    struct writer m = writer_of(packet + SSH_HEADER, 80);
    write8(&m, SSH_GLOBAL_REQUEST);
    write32(&m, 13);
    write_bytes(&m, "tcpip-forward", 13);
    write8(&m, 1);
    write32(&m, 0);
    write32(&m, 443);
    pipe_run_for(p, NS_S);
    raw_send(p, r, "hello\r\nSSH-2.0-x\r\n", 18);
    raw_send(p, r, packet, ssh_packet_close(packet, writer_len(&m)));
    pipe_run_for(p, NS_S);
    assert_int_equal(e.up, 1);
    uint64_t from = pipe_now(p);
    pipe_run_for(p, 58 * NS_S);
    assert_int_equal(e.down, 0);
    pipe_run_for(p, 3 * NS_S);
    assert_int_equal(e.down, 1);
    assert_int_equal(pipe_count(p, "ssh-tunnel lost the other end is silent"), 1);
    assert_string_equal(pipe_story(p, "e", from), "17.010 SSH GLOBAL_REQUEST\n32.010 SSH GLOBAL_REQUEST\n"
                                                  "47.010 SSH GLOBAL_REQUEST\n62.010 SSH DISCONNECT\n");
    end_free(&e);
    pipe_free(p);
}

/* What a stranger may say to port 2222: his connection ends, the tunnel stays. */
static void hostile_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\nSSH-1.99-old\r\n", 32},
        {"SSH-2.0-x\r\n\0\0\0\x0c\x03\x50\0\0\0\0\0\0\0\0\0\0", 27}, /* padding too short */
        {"SSH-2.0-x\r\n\xff\xff\xff\xff\x04", 16},
        {"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x5a\0\0\0\0\0\0\0\0\0\0", 27}, /* CHANNEL_OPEN of nobody */
        {"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x01\0\0\0\0\0\0\0\0\0\0", 27}, /* DISCONNECT */
    };
    static char line[300];
    struct two w;
    two_start(&w, 8);
    open_one(&w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct raw *r = raw_connect(w.p, "10.0.9.9:0", E_AT);
        pipe_run_for(w.p, 100 * NS_MS);
        raw_send(w.p, r, rows[i].bytes, rows[i].len);
        pipe_run_for(w.p, 100 * NS_MS);
        if (r->state != RAW_GONE && !r->eof)
            print_error("row %zu\n", i);
        assert_true(r->state == RAW_GONE || r->eof);
    }
    memset(line, 'x', sizeof line);
    struct raw *r[8];
    for (size_t i = 0; i < 8; i++) { /* more than there is room for: the oldest go */
        char from[] = "10.0.9.9:2000";
        from[12] = (char)('0' + i);
        r[i] = raw_connect(w.p, from, E_AT);
        pipe_run_for(w.p, 50 * NS_MS);
    }
    assert_true(r[0]->state == RAW_GONE || r[0]->eof);
    raw_send(w.p, r[7], line, sizeof line);
    pipe_run_for(w.p, 100 * NS_MS);
    assert_true(r[7]->state == RAW_GONE || r[7]->eof);
    pipe_run_for(w.p, 12 * NS_S); /* those that only wait, too */
    assert_true(r[6]->state == RAW_GONE || r[6]->eof);
    assert_int_equal(w.e.down, 0);
    open_one(&w);
    two_end(&w);
}

/* Each payload length comes out as it went in, cut anywhere. */
static void packets(void **state)
{
    (void)state;
    static uint8_t packet[SSH_PACKET_MAX + 64];
    static const size_t lengths[] = {1, 2, 3, 6, 7, 8, 11, 100, 32768 + 9};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct ssh_stream s = {0};
        const uint8_t *payload = NULL;
        size_t len = 0, given = 0;
        memset(packet + SSH_HEADER, (int)i, lengths[i]);
        size_t whole = ssh_packet_close(packet, lengths[i]);
        assert_int_equal(whole % 8, 0);
        assert_true(whole >= 16);
        ssh_stream_push(&s, "SSH-2.0-a b\r\n", 13);
        for (; given < whole; given += 5) {
            assert_int_equal(ssh_stream_next(&s, &payload, &len), 0);
            ssh_stream_push(&s, packet + given, whole - given < 5 ? whole - given : 5);
        }
        assert_int_equal(ssh_stream_next(&s, &payload, &len), 1);
        assert_int_equal(len, lengths[i]);
        assert_int_equal(payload[len - 1], i);
        ssh_stream_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_through_and_back),
        cmocka_unit_test(a_window_holds_back),
        cmocka_unit_test(limits),
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(a_sign_now_and_then),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
