/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A phone outside, Expressway-E, Expressway-C, a phone inside: whose media comes through, and from where. */
#include "models/actors/assent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/assent_sdp.h"
#include "models/actors/expressway.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define OUT_IP "10.0.1.1"
#define E_IP "10.0.2.1"
#define C_IP "10.0.3.1"
#define CMS_IP "10.0.4.1"
enum { PORTS = 4 };

/* Sockets at some ports, and what came to them. */
struct phone {
    struct io *io;
    struct core core;
    io_id sock[PORTS];
    uint16_t port[PORTS];
    unsigned got[PORTS], empty;
    struct endpoint from[PORTS];
    uint8_t last[PORTS][64];
};

static void phone_input(void *self, const struct io_in *in)
{
    struct phone *f = self;
    for (size_t i = 0; i < PORTS; i++) {
        if (in->event == IO_START && f->port[i])
            f->sock[i] = io_udp(f->io, 1, &(struct endpoint){.port = f->port[i]});
        if (in->event != IO_DATAGRAM || in->id != f->sock[i])
            continue;
        f->from[i] = in->remote;
        f->got[i] += in->len > 0;
        f->empty += in->len == 0;
        memcpy(f->last[i], in->data, in->len < 64 ? in->len : 64);
    }
}

static uint64_t phone_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

struct world {
    struct pipe *p;
    struct core e, c;
    struct phone out, in, thief;
    struct raw *ep, *cms;
    uint16_t e_port, c_port; /* what each phone was told */
    struct ip_addr e_ip;
};

static void phone_new(struct pipe *p, struct phone *f, const char *ip, uint16_t first)
{
    static const struct core_ops ops = {.input = phone_input, .deadline = phone_deadline};
    f->io = io_new(ip, 1);
    f->core = (struct core){&ops, f, f->io};
    for (unsigned i = 0; i < PORTS; i++)
        f->port[i] = (uint16_t)(first + i);
    pipe_host(p, &f->core, ip);
}

static struct assent_config media_of(unsigned pairs, uint16_t shared, uint32_t calls)
{
    return (struct assent_config){.first_port = 36000, .last_port = 59999, .shared_port = shared,
                                  .shared_pairs = pairs, .calls = calls, .idle_ns = 300 * NS_S};
}

static void world_start(struct world *w, const struct assent_config *media, const char *public)
{
    struct endpoint listen[] = {kit_endpoint(E_IP ":5060"), kit_endpoint(E_IP ":3478")};
    struct zone outer = {.kind = ZONE_TRAVERSAL_SERVER, .address = kit_endpoint(E_IP ":7001")};
    struct zone inner[] = {{.kind = ZONE_TRAVERSAL_CLIENT, .address = outer.address},
                           {.name = "cms", .kind = ZONE_NEIGHBOUR, .address = kit_endpoint(CMS_IP ":5061")}};
    struct turn_user user = {"turn", "secret"};
    struct expressway_e_config e = {
        .sip = {.listen = listen, .listen_count = 1, .listen_peer = "endpoints", .zone = &outer, .zone_count = 1},
        .media = *media,
        .turn = {.profile = &turn_expressway, .realm = "r", .users = &user, .user_count = 1, .listen = &listen[1],
                 .listen_count = 1, .relay_ip4 = kit_ip(E_IP), .first_port = 24000, .last_port = 29999,
                 .limits = turn_limits_default}};
    struct expressway_c_config c = {.sip = {.zone = inner, .zone_count = 2}, .media = *media};
    c.media.shared_pairs = 0;
    if (public)
        e.media.public_address = kit_ip(public);
    *w = (struct world){.p = pipe_new(5 * NS_MS)};
    raw_listen(w->p, CMS_IP ":5061");
    assert_int_equal(expressway_e_make(io_new("e", 1), &e, &w->e), 0);
    assert_int_equal(expressway_c_make(io_new("c", 1), &c, &w->c), 0);
    pipe_host(w->p, &w->e, E_IP);
    pipe_host(w->p, &w->c, C_IP);
    phone_new(w->p, &w->out, OUT_IP, 6000);
    phone_new(w->p, &w->in, CMS_IP, 50000);
    phone_new(w->p, &w->thief, "10.0.9.9", 6000);
    pipe_run_for(w->p, 5 * NS_S);
    w->cms = raw_accepted(w->p, CMS_IP ":5061");
    raw_forget(w->cms, w->cms->got_len);
    w->ep = raw_connect(w->p, OUT_IP ":2000", E_IP ":5060");
}

static void world_end(struct world *w)
{
    struct core *cores[] = {&w->e, &w->c};
    struct phone *phones[] = {&w->out, &w->in, &w->thief};
    for (size_t i = 0; i < 2; i++) {
        cores[i]->ops->free(cores[i]->self);
        io_free(cores[i]->io);
    }
    for (size_t i = 0; i < 3; i++)
        io_free(phones[i]->io);
    pipe_free(w->p);
}

/* ---- signalling ---- */

static const char plain_offer[] = "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\n"
                                  "m=audio 6000 RTP/AVP 0 8\r\na=rtcp-mux\r\na=rtcp:6001\r\na=sendrecv\r\n";
static const char plain_answer[] = "v=0\r\no=- 2 1 IN IP4 10.0.4.1\r\ns=-\r\nt=0 0\r\n"
                                   "m=audio 50000 RTP/AVP 0\r\nc=IN IP4 10.0.4.1\r\n";

static void request(struct world *w, struct raw *r, const char *method, const char *id, const char *sdp)
{
    char bytes[2048];
    struct text t = text_of(bytes, sizeof bytes);
    text_add(&t, "%s sip:m@x SIP/2.0\r\nVia: SIP/2.0/TCP h:9;branch=z9hG4bK%s%s\r\n", method, id, method);
    text_add(&t, "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>%s\r\n", sip_is((struct sip_str){method, strlen(method)}, "BYE")
                                                                    ? ";tag=2" : "");
    text_add(&t, "Call-ID: %s\r\nCSeq: 1 %s\r\n", id, method);
    sip_put_body(&t, sdp ? "application/sdp" : NULL, sdp ? sdp : "", sdp ? strlen(sdp) : 0);
    raw_send(w->p, r, bytes, t.len);
    pipe_run_for(w->p, 100 * NS_MS);
}

/* What a raw peer has got as its first message; it is taken. */
static bool take(struct raw *r, struct sip_msg *m)
{
    static struct sip_stream s;
    sip_stream_free(&s);
    s = (struct sip_stream){0};
    sip_stream_push(&s, r->got, r->got_len);
    if (sip_stream_next(&s, m) != 1)
        return false;
    raw_forget(r, (size_t)(m->body.p + m->body.len - s.buf));
    return true;
}

static void answer(struct world *w, unsigned code, const char *sdp)
{
    char reply[2048];
    struct text t = text_of(reply, sizeof reply);
    struct sip_msg m;
    do
        assert_true(take(w->cms, &m));
    while (sip_is(m.method, "OPTIONS"));
    struct assent_sdp said;
    if (m.body.len && assent_sdp_read(m.body.p, m.body.len, &said) == 0 && said.count)
        w->c_port = said.media[0].rtp_at.port;
    text_add(&t, "SIP/2.0 %u Yes\r\n", code);
    sip_put_reply(&t, &m, "2");
    sip_put_body(&t, sdp ? "application/sdp" : NULL, sdp ? sdp : "", sdp ? strlen(sdp) : 0);
    raw_send(w->p, w->cms, reply, t.len);
    pipe_run_for(w->p, 100 * NS_MS);
}

static unsigned answered(struct world *w)
{
    struct sip_msg m;
    struct assent_sdp said;
    assert_true(take(w->ep, &m));
    if (m.body.len && assent_sdp_read(m.body.p, m.body.len, &said) == 0) {
        w->e_port = said.media[0].rtp_at.port;
        w->e_ip = said.media[0].rtp_at.ip;
    }
    return m.code;
}

static void call(struct world *w, const char *id)
{
    request(w, w->ep, "INVITE", id, plain_offer);
    answer(w, 200, plain_answer);
    assert_int_equal(answered(w), 200);
}

/* ---- media ---- */

static void say(struct world *w, struct phone *f, unsigned sock, const char *ip, uint16_t port, uint32_t ssrc,
                uint16_t seq)
{
    uint8_t rtp[20] = {0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq};
    uint8_t rtcp[8] = {0x80, 201, 0, 1};
    struct endpoint to = {kit_ip(ip), port};
    bool is_rtcp = port % 2;
    for (unsigned i = 0; i < 4; i++)
        (is_rtcp ? rtcp + 4 : rtp + 8)[i] = (uint8_t)(ssrc >> (24 - 8 * i));
    io_sendto(f->io, f->sock[sock], &to, is_rtcp ? rtcp : rtp, is_rtcp ? sizeof rtcp : sizeof rtp, NULL);
    pipe_run_for(w->p, 50 * NS_MS);
}

static void out_says(struct world *w, unsigned sock, uint32_t ssrc, uint16_t seq)
{
    say(w, &w->out, sock, E_IP, (uint16_t)(w->e_port + sock % 2), ssrc, seq);
}

static void in_says(struct world *w, unsigned sock)
{
    say(w, &w->in, sock, C_IP, (uint16_t)(w->c_port + sock), 7, 1);
}

static void media_goes_both_ways(void **state)
{
    (void)state;
    static const struct {
        unsigned pairs;
        uint16_t shared;
    } rows[] = {{1, 2776}, {1, 36000}, {6, 36000}};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        struct assent_config media = media_of(rows[i].pairs, rows[i].shared, 4);
        world_start(&w, &media, NULL);
        call(&w, "1");
        assert_true(w.e_port >= 36000 && w.e_port % 2 == 0 && w.c_port >= 36000 && w.c_port % 2 == 0);
        in_says(&w, 0); /* E has heard nothing from outside: it sends nothing there (2.10) */
        in_says(&w, 1);
        assert_int_equal(w.out.got[0] + w.out.got[1], 0);
        out_says(&w, 0, 5, 100);
        assert_int_equal(w.in.got[0], 1);
        assert_int_equal(w.in.from[0].port, w.c_port);
        in_says(&w, 1);
        assert_int_equal(w.out.got[1], 0); /* RTCP by itself */
        out_says(&w, 1, 5, 0);
        in_says(&w, 0);
        in_says(&w, 1);
        assert_int_equal(w.in.got[1], 1);
        assert_int_equal(w.out.got[0], 1);
        assert_int_equal(w.out.got[1], 1);
        assert_int_equal(w.out.from[0].port, w.e_port);
        assert_int_equal(w.out.from[1].port, w.e_port + 1);
        assert_int_equal(w.in.last[0][3], 100);
        request(&w, w.ep, "BYE", "1", NULL);
        out_says(&w, 0, 5, 101);
        assert_int_equal(w.in.got[0], 1); /* the call is over */
        world_end(&w);
    }
}

/* Who takes whose place (assent.h). */
static void only_a_rebinding_moves_it(void **state)
{
    (void)state;
    struct world w;
    struct assent_config media = media_of(1, 2776, 4);
    world_start(&w, &media, NULL);
    call(&w, "1");
    say(&w, &w.thief, 0, E_IP, w.e_port, 5, 100); /* first, but from nowhere that the call knows of */
    assert_int_equal(w.in.got[0], 0);
    assert_int_equal(pipe_count(w.p, "media of call 1 from 10.0.9.9:6000 is not taken: that is not where its endpoint "
                                     "is"), 1);
    out_says(&w, 0, 5, 100);
    out_says(&w, 2, 5, 101); /* goes on from another port at once: not yet */
    assert_int_equal(w.in.got[0], 1);
    pipe_run_for(w.p, 2 * NS_S);
    out_says(&w, 2, 6, 102); /* another SSRC; far off; backwards */
    out_says(&w, 2, 5, 5000);
    out_says(&w, 2, 5, 100);
    assert_int_equal(w.in.got[0], 1);
    out_says(&w, 2, 5, 102);
    assert_int_equal(w.in.got[0], 2);
    in_says(&w, 0);
    assert_int_equal(w.out.got[0], 0);
    assert_int_equal(w.out.got[2], 1);
    say(&w, &w.thief, 1, E_IP, (uint16_t)(w.e_port + 1), 5, 0); /* RTCP of that SSRC from elsewhere */
    assert_int_equal(w.in.got[1], 0);
    out_says(&w, 1, 5, 0);
    assert_int_equal(w.in.got[1], 1);
    world_end(&w);
}

/* C opens the way for what E sends, and keeps it open. */
static void c_sends_first(void **state)
{
    (void)state;
    struct world w;
    struct assent_config media = media_of(1, 2776, 4);
    world_start(&w, &media, NULL);
    call(&w, "1");
    pipe_run_for(w.p, 300 * NS_MS);
    out_says(&w, 0, 5, 1);
    assert_int_equal(w.in.got[0], 1); /* though nobody inside has spoken */
    assert_int_equal(w.in.empty + w.out.empty, 0);
    say(&w, &w.thief, 0, E_IP, 2776, 5, 1); /* no port of C */
    say(&w, &w.thief, 0, C_IP, 36000, 5, 1); /* not E */
    assert_int_equal(w.in.got[0] + w.out.got[0], 1);
    world_end(&w);
}

static void idle_calls_end(void **state)
{
    (void)state;
    struct world w;
    struct assent_config media = media_of(1, 2776, 2);
    world_start(&w, &media, NULL);
    call(&w, "1");
    for (int i = 0; i < 10; i++) {
        pipe_run_for(w.p, 100 * NS_S);
        in_says(&w, 1); /* RTCP alone keeps it */
    }
    assert_int_equal(pipe_count(w.p, "call=1 ANCHORED -> ENDED cause=idle"), 0);
    pipe_run_for(w.p, 310 * NS_S);
    assert_int_equal(pipe_count(w.p, "call=1 ANCHORED -> ENDED cause=idle"), 2);
    world_end(&w);
}

static void limits(void **state)
{
    (void)state;
    for (uint32_t calls = 0; calls < 3; calls++) {
        struct world w;
        char id[8];
        struct assent_config media = media_of(1, 2776, calls);
        world_start(&w, &media, NULL);
        for (uint32_t i = 0; i < calls; i++) {
            snprintf(id, sizeof id, "%u", i);
            call(&w, id);
        }
        request(&w, w.ep, "INVITE", "more", plain_offer);
        assert_int_equal(answered(&w), 503);
        if (calls) { /* one that is refused makes room, as one that ends does */
            request(&w, w.ep, "BYE", "0", NULL);
            request(&w, w.ep, "INVITE", "next", plain_offer);
            struct sip_msg bye;
            take(w.cms, &bye);
            answer(&w, 486, NULL);
            assert_int_equal(answered(&w), 486);
            call(&w, "last");
        }
        world_end(&w);
    }
    struct world w; /* ports for one medium at E, for two streams and no more at C */
    struct assent_config media = media_of(1, 2776, 4);
    media.last_port = 36003;
    world_start(&w, &media, NULL);
    call(&w, "1");
    request(&w, w.ep, "INVITE", "2", plain_offer);
    assert_int_equal(answered(&w), 503);
    world_end(&w);
}

static void what_is_announced(void **state)
{
    (void)state;
    struct world w;
    struct assent_config media = media_of(1, 2776, 4);
    world_start(&w, &media, "198.51.100.7");
    struct sip_msg m;
    struct ip_addr public = kit_ip("198.51.100.7");
    request(&w, w.ep, "INVITE", "1", plain_offer);
    assert_true(take(w.cms, &m));
    char inside[512];
    snprintf(inside, sizeof inside, "%.*s", SIP_STR(m.body));
    assert_string_equal(inside, "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.3.1\r\nt=0 0\r\n"
                                "m=audio 36002 RTP/AVP 0 8\r\na=sendrecv\r\n");
    world_end(&w);
    world_start(&w, &media, "198.51.100.7");
    call(&w, "1");
    assert_true(ip_equal(&w.e_ip, &public));
    static const char ice[] = "v=0\r\nc=IN IP4 10.0.1.1\r\nm=audio 6000 RTP/AVP 0\r\na=ice-ufrag:abcd\r\n";
    request(&w, w.ep, "INVITE", "2", ice);
    assert_true(take(w.cms, &m));
    snprintf(inside, sizeof inside, "%.*s", SIP_STR(m.body));
    assert_string_equal(inside, ice);
    request(&w, w.ep, "INVITE", "3", "v=0\r\nm=audio 6000 RTP/AVP 0\r\n");
    assert_int_equal(answered(&w), 488);
    world_end(&w);
}

static void another_may_not_take_a_call(void **state)
{
    (void)state;
    struct world w;
    struct assent_config media = media_of(1, 2776, 4);
    world_start(&w, &media, NULL);
    call(&w, "1");
    struct raw *other = raw_connect(w.p, "10.0.9.9:2000", E_IP ":5060");
    struct sip_msg m;
    pipe_run_for(w.p, 300 * NS_MS);
    request(&w, other, "INVITE", "1", plain_offer);
    assert_true(take(other, &m));
    assert_int_equal(m.code, 403);
    request(&w, other, "BYE", "1", NULL);
    out_says(&w, 0, 5, 1);
    assert_int_equal(w.in.got[0], 1);
    world_end(&w);
}

static void a_text_with_all_there_is(void **state)
{
    (void)state;
    static const char text[] = "v=0\nc=IN IP4 10.0.0.1\r\nm=audio 1000/2 RTP/AVP 0\r\na=rtcp:1009 IN IP4 10.0.0.2\r\n"
                               "m=video 0 RTP/AVP 96\r\na=rtcp-mux\r\nm=application 9 TCP/BFCP *\r\n"
                               "m=video 1002 RTP/SAVP 97\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n";
    struct assent_sdp said;
    char at[ENDPOINT_TEXT], buf[512];
    assert_int_equal(assent_sdp_read(text, sizeof text - 1, &said), 0);
    assert_int_equal(said.count, 4);
    assert_string_equal(endpoint_text(&said.media[0].rtp_at, at), "10.0.0.1:1000");
    assert_string_equal(endpoint_text(&said.media[0].rtcp_at, at), "10.0.0.2:1009");
    assert_int_equal(said.media[1].rtp_at.port, 0);
    assert_false(said.media[2].rtp);
    assert_true(ip_is_any(&said.media[3].rtp_at.ip));
    struct endpoint put[ASSENT_MEDIA_MAX] = {kit_endpoint("192.0.2.1:40"), {.port = 0}, {.port = 0},
                                             kit_endpoint("192.0.2.1:44")};
    struct text t = text_of(buf, sizeof buf);
    assent_sdp_write(text, sizeof text - 1, put, &t);
    assert_string_equal(buf, "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 40 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\n"
                             "a=rtcp-mux\r\nm=application 9 TCP/BFCP *\r\nm=video 44 RTP/SAVP 97\r\n"
                             "c=IN IP4 0.0.0.0\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_goes_both_ways),
        cmocka_unit_test(only_a_rebinding_moves_it),
        cmocka_unit_test(c_sends_first),
        cmocka_unit_test(idle_calls_end),
        cmocka_unit_test(limits),
        cmocka_unit_test(what_is_announced),
        cmocka_unit_test(another_may_not_take_a_call),
        cmocka_unit_test(a_text_with_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
