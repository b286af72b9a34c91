/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Skype client's planned call, with real media, against phones that take its audio and video and know no shares. The
 * share is lab_test's. */
#include "models/actors/skype_client.h"

#include <stdio.h>
#include <string.h>

#include "models/actors/sip_phones.h"
#include "models/actors/skype_edge.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define CLIENT_IP "203.0.113.50"
#define SERVER_IP "192.168.1.252"
#define SIP_AT SERVER_IP ":5061"
#define EDGE_IP "198.51.100.7"

struct world {
    struct pipe *p;
    struct call_plan plan;
    struct skype_client_config client;
    struct sip_phones_config phones;
    struct core core[3]; /* the client, the phones, the Edge if there is one */
};

static struct session_config media_at(const char *ip)
{
    static const struct media_config rate = {
        .packets_per_s = 10, .payload_bytes = 40, .payload_type = 8, .clock = 8000};
    return (struct session_config){.dialect = SESSION_PLAIN, .media = CALL_AUDIO | CALL_VIDEO, .address = kit_ip(ip),
                                   .first_port = 50000, .last_port = 50100, .host_candidates = true, .audio = rate,
                                   .video = rate};
}

static void world_init(struct world *w, unsigned media)
{
    *w = (struct world){.p = pipe_new(10 * NS_MS)};
    w->plan = (struct call_plan){.name = "alice", .to = "sip:8001@acme.example", .media = media, .at_ns = 3 * NS_S,
                                 .for_ns = 60 * NS_S};
    w->client = (struct skype_client_config){.address = kit_ip(CLIENT_IP),
                                             .uri = "sip:somebody@fabrikam.example",
                                             .conference = "sip:else@acme.example",
                                             .peer = "the Skype Edge",
                                             .edge_sip = kit_endpoint(SIP_AT),
                                             .host_candidates = true,
                                             .media_port = 50040,
                                             .call_at_ns = 100 * NS_S,
                                             .share_at_ns = 20 * NS_S,
                                             .allocate_timeout_ns = 15 * NS_S,
                                             .answer_timeout_ns = 30 * NS_S,
                                             .ice_timeout_ns = 30 * NS_S,
                                             .stall_timeout_ns = 30 * NS_S,
                                             .call = &w->plan,
                                             .media = media_at(CLIENT_IP)};
    w->phones = (struct sip_phones_config){.peer = "the Skype Edge", .uri = "sip:p@acme.example", .agent = "p",
                                           .line = {{.listen = kit_endpoint(SIP_AT)}}, .line_count = 1, .numbers = "8",
                                           .media = media_at(SERVER_IP)};
}

static void world_start(struct world *w)
{
    assert_int_equal(skype_client_make(io_new("skype-client", 1), &w->client, &w->core[0]), 0);
    assert_int_equal(sip_phones_make(io_new("phones", 1), &w->phones, &w->core[1]), 0);
    pipe_host(w->p, &w->core[1], SERVER_IP);
    pipe_host(w->p, &w->core[0], CLIENT_IP);
}

static void world_free(struct world *w)
{
    for (int i = 0; i < 3 && w->core[i].io; i++) {
        w->core[i].ops->free(w->core[i].self);
        io_free(w->core[i].io);
    }
    pipe_free(w->p);
}

/* The last that a host said of a service. */
static void assert_service(const struct world *w, const char *host, const char *name, const char *begins)
{
    size_t n, len = strlen(name);
    const struct pipe_entry *log = pipe_log(w->p, &n);
    const char *said = "";
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_SERVICE && strcmp(log[i].host, host) == 0 &&
            strncmp(log[i].text, name, len) == 0 && log[i].text[len] == ' ')
            said = log[i].text + len + 1;
    if (strncmp(said, begins, strlen(begins)) != 0)
        fail_msg("%s: %s is \"%s\", not \"%s\"", host, name, said, begins);
}

static void a_call_without_a_share(void **state)
{
    (void)state;
    static const struct call_span mute = {10 * NS_S, 10 * NS_S}, hold = {30 * NS_S, 10 * NS_S};
    struct world w;
    world_init(&w, CALL_AUDIO | CALL_VIDEO);
    w.plan.mute = &mute;
    w.plan.hold = &hold;
    w.plan.mute_count = w.plan.hold_count = 1;
    world_start(&w);
    pipe_run_until(w.p, 10 * NS_S);
    assert_service(&w, "skype-client", "alice/signalling", "up INVITE answered");
    assert_service(&w, "skype-client", "alice/audio", "up");
    assert_service(&w, "phones", "alice/video", "up");
    pipe_run_until(w.p, 120 * NS_S);
    assert_int_equal(pipe_count(w.p, "re-INVITE"), 2);
    assert_service(&w, "skype-client", "alice/signalling", "done");
    assert_service(&w, "skype-client", "alice/audio", "done sent 40");
    assert_service(&w, "phones", "alice/audio", "done sent 50");
    assert_true(w.core[0].ops->deadline(w.core[0].self) == TIME_NEVER);
    world_free(&w);
}

/* Signalling through the Edge, and media through its relay over UDP: the client has no other way. */
static void audio_and_video_through_the_edge(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, CALL_AUDIO | CALL_VIDEO);
    const struct skype_edge_config edge = {.address = kit_ip(EDGE_IP),
                                           .sip = kit_endpoint("0.0.0.0:5061"),
                                           .federation = kit_endpoint(SIP_AT),
                                           .turn = kit_endpoint("0.0.0.0:443"),
                                           .turn_udp = kit_endpoint("0.0.0.0:3478"),
                                           .realm = "edge",
                                           .turn_user = "alice",
                                           .turn_password = "secret",
                                           .first_port = 50000,
                                           .last_port = 50099};
    assert_int_equal(skype_edge_make(io_new("edge", 1), &edge, &w.core[2]), 0);
    pipe_host(w.p, &w.core[2], EDGE_IP);
    w.client.edge_sip = kit_endpoint(EDGE_IP ":5061");
    w.client.media.dialect = w.phones.media.dialect = SESSION_MICROSOFT;
    w.client.media.host_candidates = false;
    w.client.media.relay[0] =
        (struct session_relay){SESSION_MS_TURN, kit_endpoint(EDGE_IP ":3478"), "alice", "secret"};
    w.client.media.relay_count = 1;
    world_start(&w);
    pipe_run_until(w.p, 40 * NS_S);
    assert_service(&w, "skype-client", "alice/audio", "up relay -> host, MS-TURN over udp 3478");
    assert_service(&w, "phones", "alice/video", "up host -> relay");
    pipe_run_until(w.p, 120 * NS_S);
    assert_service(&w, "phones", "alice/audio", "done");
    assert_int_equal(pipe_count(w.p, "ms-alloc=50000 LIVE -> NONE cause=deleted"), 1);
    world_free(&w);
}

/* A share that comes to nothing does not end what people say to each other. */
static void the_call_outlives_its_share(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, CALL_AUDIO | CALL_SHARE);
    world_start(&w);
    pipe_run_until(w.p, 40 * NS_S);
    assert_service(&w, "skype-client", "alice/share", "failed the share was answered with 488 Not Acceptable Here");
    assert_service(&w, "skype-client", "alice/audio", "up");
    pipe_run_until(w.p, 62 * NS_S);
    assert_service(&w, "phones", "alice/audio", "up");
    pipe_run_until(w.p, 120 * NS_S);
    assert_service(&w, "skype-client", "alice/audio", "done sent 6");
    assert_service(&w, "skype-client", "alice/signalling", "done");
    world_free(&w);
}

static void nobody_takes_the_call(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, CALL_AUDIO | CALL_SHARE);
    w.plan.to = "sip:7001@acme.example";
    world_start(&w);
    pipe_run_until(w.p, 120 * NS_S);
    assert_service(&w, "skype-client", "alice/signalling", "failed SIP signalling: the call never came up");
    assert_service(&w, "skype-client", "alice/audio", "failed there is no call");
    assert_service(&w, "skype-client", "alice/share", "failed the audio/video call was answered with 404 Not Found");
    world_free(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_without_a_share),
        cmocka_unit_test(audio_and_video_through_the_edge),
        cmocka_unit_test(the_call_outlives_its_share),
        cmocka_unit_test(nobody_takes_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
