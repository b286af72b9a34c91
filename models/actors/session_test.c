/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sessions against each other over the pipe. */
#include "models/actors/session_world_test.h"
#include "models/base/hash.h"
#include "models/stun/stun.h"

static void plain_audio_and_video_flow(void **state)
{
    (void)state;
    struct world *w = world_new(&plain, &plain);
    negotiate(w, &w->a, &w->b);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "wanted");
    pipe_run_until(w->p, 60 * NS_S);
    assert_true(w->a.up == 1 && w->b.up == 1);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up RTP over udp");
    assert_string_equal(service(w, "bob", "guest-1/video"), "up RTP over udp");
    struct media_count a = session_counted(w->a.session, CALL_AUDIO), b = session_counted(w->b.session, CALL_VIDEO);
    assert_in_range(a.sent, 2980, 3000);
    assert_in_range(a.received, 2980, 3000);
    assert_in_range(b.received_bytes, 1780 * 900, 1800 * 900);
    assert_int_equal(a.lost + b.lost, 0);
    assert_in_range(a.round_trip_ns, 19 * NS_MS, 21 * NS_MS);
    assert_int_equal(notes(w, NOTE_FAIL) + notes(w, NOTE_HINT), 0);
    close_both(w);
    assert_int_equal(strncmp(service(w, "alice", "guest-1/audio"), "done sent ", 10), 0);
    assert_true(pipe_count(w->p, "guest-1/audio.lost=0") == 2);
    world_free(w);
}

/* How many packets of audio each has received in that time. */
static void moved(struct world *w, uint64_t ns, uint64_t out[2])
{
    uint64_t a = session_counted(w->a.session, CALL_AUDIO).received;
    uint64_t b = session_counted(w->b.session, CALL_AUDIO).received;
    pipe_run_for(w->p, ns);
    out[0] = session_counted(w->a.session, CALL_AUDIO).received - a;
    out[1] = session_counted(w->b.session, CALL_AUDIO).received - b;
}

static void mute_and_hold(void **state)
{
    (void)state;
    uint64_t got[2];
    struct world *w = world_new(&plain, &plain);
    negotiate(w, &w->a, &w->b);
    pipe_run_until(w->p, 10 * NS_S);
    session_mute(w->a.session, true);
    pipe_run_for(w->p, NS_S);
    moved(w, 100 * NS_S, got); /* longer than silence is borne: reports go on */
    assert_true(got[0] == 5000 && got[1] == 0);
    session_mute(w->a.session, false);
    pipe_run_for(w->p, NS_S);
    moved(w, 10 * NS_S, got);
    assert_true(got[0] == 500 && got[1] == 500);
    session_hold(w->a.session, true);
    negotiate(w, &w->a, &w->b);
    assert_non_null(strstr(w->a.described, "a=inactive"));
    assert_non_null(strstr(w->b.described, "a=inactive"));
    pipe_run_for(w->p, NS_S);
    moved(w, 100 * NS_S, got);
    assert_true(got[0] == 0 && got[1] == 0);
    session_hold(w->a.session, false);
    negotiate(w, &w->a, &w->b);
    assert_null(strstr(w->b.described, "a=inactive"));
    pipe_run_for(w->p, NS_S);
    moved(w, 10 * NS_S, got);
    assert_true(got[0] == 500 && got[1] == 500);
    assert_true(w->a.up == 1 && w->b.up == 1 && !*w->a.lost && !*w->b.lost);
    assert_int_equal(session_counted(w->b.session, CALL_AUDIO).lost, 0);
    assert_string_equal(service(w, "bob", "guest-1/video"), "up RTP over udp");
    close_both(w);
    world_free(w);
}

/* Flows, is released, and leaves nothing at the relay; how: each end's way. */
static void flows(const struct session_config *a, const struct session_config *b, const char *how_a, const char *how_b,
                  unsigned allocations)
{
    struct world *w = world_new(a, b);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 30 * NS_S);
    assert_true(w->a.up == 1 && w->b.up == 1);
    assert_string_equal(service(w, "alice", "guest-1/audio"), how_a);
    assert_string_equal(service(w, "bob", "guest-1/audio"), how_b);
    assert_string_equal(service(w, "bob", "guest-1/video"), how_b);
    assert_int_equal(relay_stats(w).allocations, allocations);
    struct media_count c = session_counted(w->b.session, CALL_AUDIO);
    assert_in_range(c.received, 1400, 1500);
    assert_int_equal(c.lost + (int64_t)c.foreign, 0);
    assert_int_equal(notes(w, NOTE_FAIL) + notes(w, NOTE_HINT), 0);
    close_both(w);
    assert_int_equal(relay_stats(w).allocations, 0);
    world_free(w);
}

static void ice_between_hosts(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, true, 0), b = ice_config(false, true, 0);
    flows(&a, &b, "up host -> host over udp", "up host -> host over udp", 0);
}

static void ice_through_relays(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 2), b = ice_config(false, true, 1);
    flows(&a, &b, "up relay -> host, TURN over udp 3478", "up host -> relay over udp", 4);
    b.host_candidates = false;
    flows(&a, &b, "up relay -> relay, TURN over udp 3478", "up relay -> relay, TURN over udp 3478", 4);
    a.relay[0].server.port = 3479; /* nobody listens there */
    flows(&a, &b, "degraded relay -> relay, TURN over tcp 3478 (TURN over udp 3479: refused)",
          "up relay -> relay, TURN over udp 3478", 4);
    a.relay[0].server = kit_endpoint("198.51.100.1:3478"); /* speaks something else */
    a.direct_wanted = true;
    flows(&a, &b, "degraded relay -> relay, TURN over tcp 3478 (TURN over udp 3478: timed out), no direct way",
          "up relay -> relay, TURN over udp 3478", 4);
}

/* The relay forbids one of the other end's addresses, itself; the others may be used all the same. */
static void a_forbidden_peer_harms_no_other(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 1), b = ice_config(false, true, 1);
    struct world *w = world_with(&a, &b, false);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 30 * NS_S);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up relay -> host, TURN over udp 3478");
    assert_int_equal(pipe_count(w->p, "guest-1/audio: the relay refuses to permit 192.0.2.1 (403)"), 2);
    close_both(w);
    world_free(w);
}

static void microsoft_through_edges(void **state)
{
    (void)state;
    struct session_config a = microsoft_config(true, true), b = microsoft_config(false, true);
    flows(&a, &b, "up host -> host over udp", "up host -> host over udp", 0);
    a.host_candidates = false;
    flows(&a, &b, "up relay -> host, MS-TURN over udp 3478", "up host -> relay over udp", 0);
    b.host_candidates = false;
    flows(&a, &b, "up relay -> relay, MS-TURN over udp 3478", "up relay -> relay, MS-TURN over udp 3478", 0);
}

/* The text with one thing replaced, at its first place. */
static const char *with(const char *text, const char *old, const char *new)
{
    static char out[SDP_CAP];
    const char *at = strstr(text, old);
    assert_non_null(at);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    return out;
}

/* Both have described themselves; the caller passes the answer on. */
static void offer_and_answer(struct world *w, const char *old, const char *new)
{
    session_offer(w->a.session);
    pipe_run_for(w->p, 10 * NS_S);
    assert_int_equal(answer(&w->b, old ? with(w->a.described, old, new) : w->a.described), 0);
    pipe_run_for(w->p, 10 * NS_S);
    assert_int_equal(w->b.descriptions, 1);
}

static void a_port_where_nobody_is(void **state)
{
    (void)state;
    struct session_config only = plain;
    only.media = CALL_AUDIO;
    struct world *w = world_new(&only, &only);
    offer_and_answer(w, NULL, NULL);
    const char *port = strstr(w->b.described, "m=audio ") + strlen("m=audio ");
    char old[32];
    snprintf(old, sizeof old, "m=audio %.5s", port);
    assert_int_equal(answered(&w->a, with(w->b.described, old, "m=audio 40000")), 0);
    pipe_run_for(w->p, 29 * NS_S);
    assert_string_equal(w->a.failed, "");
    assert_string_equal(service(w, "alice", "guest-1/audio"), "wanted");
    pipe_run_for(w->p, 2 * NS_S);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "failed the other end gets nothing of ours");
    const char *nothing = "failed reports come, but no media from 10.1.0.1:";
    assert_int_equal(strncmp(service(w, "bob", "guest-1/audio"), nothing, strlen(nothing)), 0);
    assert_int_equal(w->a.up + w->b.up, 0);
    world_free(w);
}

static void what_is_refused_has_failed(void **state)
{
    (void)state;
    struct session_config audio = plain;
    audio.media = CALL_AUDIO;
    struct world *w = world_new(&plain, &audio);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 20 * NS_S);
    assert_string_equal(service(w, "alice", "guest-1/video"), "failed the other end refused it");
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up RTP over udp");
    assert_string_equal(service(w, "bob", "guest-1/video"), "");
    assert_true(w->a.up == 1 && w->b.up == 1);
    close_both(w);
    world_free(w);
}

static void offers_that_cannot_be_taken(void **state)
{
    (void)state;
    static const char other[] = "v=0\r\no=- 1 1 IN IP4 10.9.9.9\r\nm=application 9 UDP/BFCP *\r\n";
    static const char no_ice[] = "v=0\r\no=- 1 1 IN IP4 10.9.9.9\r\nm=audio 9 RTP/AVP 8\r\n";
    struct session_config ice = ice_config(false, true, 0);
    struct world *w = world_new(&plain, &ice);
    assert_int_equal(answer(&w->a, other), E_UNSUPPORTED);
    assert_int_equal(answer(&w->b, no_ice), E_UNSUPPORTED);
    pipe_run_for(w->p, NS_S);
    assert_string_equal(service(w, "bob", "guest-1/audio"), "failed the offer has no address that can be used");
    assert_string_equal(w->b.failed, "the offer has no address that can be used");
    world_free(w);
}

static void ports_run_out(void **state)
{
    (void)state;
    struct session_config narrow = plain;
    narrow.first_port = 50000;
    narrow.last_port = 50002;
    struct world *w = world_new(&narrow, &plain);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 20 * NS_S);
    assert_string_equal(service(w, "alice", "guest-1/video"), "failed no free port in 50000-50002");
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up RTP over udp");
    close_both(w);
    world_free(w);
}

/* a is behind a NAT: its description is of no use, its packets are. */
static void media_are_answered_to_where_they_come_from(void **state)
{
    (void)state;
    struct session_config latching = plain;
    latching.latch = true;
    struct world *w = world_new(&plain, &latching);
    offer_and_answer(w, "c=IN IP4 10.1.0.1", "c=IN IP4 10.9.9.9");
    assert_int_equal(answered(&w->a, w->b.described), 0);
    pipe_run_for(w->p, 20 * NS_S);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up RTP over udp");
    assert_string_equal(service(w, "bob", "guest-1/video"), "up RTP over udp, to where media comes from");
    close_both(w);
    world_free(w);
}

static void data_of_another_call_is_a_failure(void **state)
{
    (void)state;
    struct world *w = world_new(&plain, &plain);
    offer_and_answer(w, NULL, NULL);
    assert_int_equal(answered(&w->a, with(w->b.described, "cname:bob/guest-1", "cname:bob/guest-2")), 0);
    pipe_run_for(w->p, 31 * NS_S);
    assert_int_equal(pipe_count(w->p, "guest-1/audio: data of another call under the other end's SSRC, from 10.1.0.1:"),
                     0);
    assert_in_range(notes(w, NOTE_FAIL), 2, 4);
    assert_string_equal(service(w, "bob", "guest-1/audio"), "failed all that comes is data of another call");
    assert_int_equal(strncmp(service(w, "bob", "guest-1/video"), "up ", 3), 0);
    close_both(w);
    assert_true(session_counted(w->b.session, CALL_AUDIO).foreign > 1000);
    world_free(w);
}

static void silence_is_a_loss(void **state)
{
    (void)state;
    struct session_config dialects[] = {plain, ice_config(true, true, 0), ice_config(true, false, 1),
                                        microsoft_config(true, false)};
    static const char *const texts[] = {"lost nothing has come for 30 s from ", "lost no answer to consent checks ",
                                        "lost no answer to consent checks ", "lost nothing has come for 30 s from "};
    for (size_t i = 0; i < 4; i++) {
        struct session_config b = dialects[i];
        b.controlling = false;
        struct world *w = world_new(&dialects[i], &b);
        negotiate(w, &w->a, &w->b);
        pipe_run_for(w->p, 20 * NS_S);
        assert_int_equal(w->a.up, 1);
        pipe_trouble(w->p, 1, 100, 0, 0);
        pipe_run_for(w->p, 23 * NS_S);
        assert_string_equal(w->a.lost, "");
        pipe_run_for(w->p, 15 * NS_S);
        assert_int_equal(strncmp(service(w, "bob", "guest-1/audio"), texts[i], strlen(texts[i])), 0);
        assert_true(*w->a.lost && *w->b.lost);
        session_close(w->a.session);
        session_close(w->b.session);
        pipe_run_for(w->p, 60 * NS_S);
        assert_true(session_closed(w->a.session) && session_closed(w->b.session));
        world_free(w);
    }
}

/* The relay answers the Binding request that the session sends as soon as its socket is open. */
static void answer_binding(struct session *s, struct io *io, const struct endpoint *mapped)
{
    struct io_out op;
    struct stun_msg m;
    struct stun_out o;
    struct io_in in = {.event = IO_OPENED};
    uint8_t buf[128];
    while (io_poll(io, &op))
        if (op.op == IO_OP_UDP && op.local.port)
            in = (struct io_in){.event = IO_OPENED, .id = op.id, .local = op.local};
    session_input(s, &in);
    while (io_poll(io, &op))
        if (op.op == IO_OP_SENDTO && op.id == in.id) {
            assert_int_equal(stun_parse(&stun_rfc8489, op.data, op.len, &m), 0);
            stun_begin(&o, &stun_rfc8489, buf, sizeof buf, stun_type(STUN_SUCCESS, STUN_BINDING), &m.id);
            in.remote = op.remote;
        }
    stun_put_address(&o, ATTR_XOR_MAPPED_ADDRESS, mapped);
    in.event = IO_DATAGRAM;
    in.len = (size_t)stun_end(&o);
    in.data = buf;
    assert_true(session_input(s, &in));
}

/* Behind a NAT: the socket of the host candidate has an address outside. */
static void reflexive_candidates(void **state)
{
    (void)state;
    struct session_config cfg = ice_config(true, true, 1);
    struct endpoint outside = kit_endpoint("203.0.113.7:61000");
    struct io *io = io_new("alice", 1);
    struct session_event ev;
    cfg.media = CALL_AUDIO;
    cfg.address = kit_ip("10.1.0.1");
    struct session *s = session_new(io, OWNER, &cfg);
    session_offer(s);
    answer_binding(s, io, &outside);
    assert_false(session_poll(s, &ev)); /* the relay may allocate still */
    io_set_now(io, 4 * NS_S);
    session_input(s, &(struct io_in){.event = IO_TICK});
    assert_true(session_poll(s, &ev) && ev.kind == SESSION_DESCRIBED);
    struct sdp *d = parsed(ev.text);
    const struct sdp_media *m = sdp_find(d, "audio");
    assert_int_equal(m->candidate_count, 2);
    assert_int_equal(m->candidate[1].type, SDP_SRFLX);
    assert_true(endpoint_equal(&m->candidate[1].address, &outside));
    assert_true(endpoint_equal(&m->candidate[1].related, &m->candidate[0].address));
    assert_true(m->port == outside.port && ip_equal(&m->ip, &outside.ip));
    assert_true(m->candidate[0].priority > m->candidate[1].priority);
    test_free(d);
    session_free(s);
    io_free(io);
}

static void ended_early(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 2);
    struct world *w = world_new(&a, &plain);
    session_offer(w->a.session);
    pipe_run_for(w->p, 15 * NS_MS);
    close_both(w);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "failed ended before it came up");
    assert_string_equal(w->a.described, "");
    assert_int_equal(relay_stats(w).allocations, 0);
    world_free(w);
}

static void no_relay_and_no_socket(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 2);
    a.relay[0].password = "wrong";
    a.relay[1].server.port = 1;
    struct world *w = world_new(&a, &plain);
    session_offer(w->a.session);
    pipe_run_for(w->p, 10 * NS_S);
    assert_string_equal(w->a.failed, "no candidate: TURN over udp 3478: refused with 401; TURN over tcp 1: refused");
    close_both(w);
    world_free(w);
}

/* A twentieth lost, some twice, some late: it comes up and stays, and the counters say what happened. */
static void a_bad_network(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 2), b = ice_config(false, true, 1);
    struct world *w = world_new(&a, &b);
    pipe_trouble(w->p, 7, 5, 5, 5);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 120 * NS_S);
    struct media_count c = session_counted(w->b.session, CALL_AUDIO);
    assert_true(w->a.up == 1 && w->b.up == 1 && !*w->a.lost && !*w->b.lost);
    assert_true(c.duplicates > 100 && c.late > 5 && c.received < 5900 && c.received > 5000);
    assert_int_equal(c.foreign + c.malformed, 0);
    session_close(w->a.session);
    session_close(w->b.session);
    pipe_run_for(w->p, 60 * NS_S);
    assert_int_equal(relay_stats(w).allocations, 0);
    world_free(w);
}

/* All that both said, and when. */
static uint64_t history(void)
{
    struct session_config a = ice_config(true, false, 2), b = ice_config(false, true, 1);
    struct world *w = world_new(&a, &b);
    uint64_t h = 0;
    size_t n;
    pipe_trouble(w->p, 7, 5, 5, 5);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 20 * NS_S);
    session_close(w->a.session);
    session_close(w->b.session);
    pipe_run_for(w->p, 20 * NS_S);
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        h = (h ^ log[i].t_ns ^ crc32_of(log[i].text, strlen(log[i].text))) * UINT64_C(0x100000001b3);
    world_free(w);
    return h;
}

static void twice_the_same(void **state)
{
    (void)state;
    assert_true(history() == history());
}

/* A map has room for the sockets that there are at a time, however many there were. */
static void sockets_are_crossed_out(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, true, 2), b = ice_config(false, true, 1);
    struct world *w = world_new(&a, &b);
    for (unsigned i = 0; i < 4; i++) {
        negotiate(w, &w->a, &w->b);
        pipe_run_for(w->p, 10 * NS_S);
        assert_int_equal(w->a.up, i + 1);
        close_both(w);
        renew(&w->a, "10.1.0.1", a);
        renew(&w->b, "10.2.0.2", b);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_audio_and_video_flow),
        cmocka_unit_test(mute_and_hold),
        cmocka_unit_test(ice_between_hosts),
        cmocka_unit_test(ice_through_relays),
        cmocka_unit_test(a_forbidden_peer_harms_no_other),
        cmocka_unit_test(microsoft_through_edges),
        cmocka_unit_test(a_port_where_nobody_is),
        cmocka_unit_test(what_is_refused_has_failed),
        cmocka_unit_test(offers_that_cannot_be_taken),
        cmocka_unit_test(ports_run_out),
        cmocka_unit_test(media_are_answered_to_where_they_come_from),
        cmocka_unit_test(data_of_another_call_is_a_failure),
        cmocka_unit_test(silence_is_a_loss),
        cmocka_unit_test(reflexive_candidates),
        cmocka_unit_test(ended_early),
        cmocka_unit_test(no_relay_and_no_socket),
        cmocka_unit_test(a_bad_network),
        cmocka_unit_test(twice_the_same),
        cmocka_unit_test(sockets_are_crossed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
