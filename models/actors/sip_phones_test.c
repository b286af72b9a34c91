/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Phones that call phones: an endpoint's, and those behind a trunk that takes their calls directly. */
#include "models/actors/sip_phones.h"

#include <stdio.h>
#include <string.h>

#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define HERE "192.0.2.20"
#define THERE "10.1.0.50"
#define TRUNK_1 THERE ":5061"
#define TRUNK_2 THERE ":5060"

enum { CALLS = 20 };

struct world {
    struct pipe *p;
    struct sip_phones_config here, there;
    struct call_plan plan[CALLS];
    struct core core[2];
};

static struct session_config media_at(const char *ip)
{
    static const struct media_config rate = {
        .packets_per_s = 10, .payload_bytes = 40, .payload_type = 8, .clock = 8000};
    return (struct session_config){.dialect = SESSION_PLAIN, .latch = true, .media = CALL_AUDIO | CALL_VIDEO,
                                   .address = kit_ip(ip), .first_port = 16384, .last_port = 32767,
                                   .host_candidates = true, .audio = rate, .video = rate};
}

static void world_init(struct world *w, size_t calls)
{
    static char names[CALLS][16];
    memset(w, 0, sizeof *w);
    w->p = pipe_new(10 * NS_MS);
    for (size_t i = 0; i < calls; i++) {
        snprintf(names[i], sizeof names[i], "desk-%zu", i + 1);
        w->plan[i] = (struct call_plan){.name = names[i], .to = "sip:8001@acme.example", .media = CALL_AUDIO,
                                        .at_ns = 2 * NS_S + i * 100 * NS_MS, .for_ns = 60 * NS_S};
    }
    w->here = (struct sip_phones_config){.peer = "Expressway-E", .uri = "sip:endpoint@partner.example", .agent = "e",
                                         .line = {{.server = kit_endpoint(TRUNK_1)}, {.server = kit_endpoint(TRUNK_2)}},
                                         .line_count = 2, .numbers = "", .media = media_at(HERE), .call = w->plan,
                                         .call_count = calls, .answer_ns = 20 * NS_S};
    w->there = (struct sip_phones_config){.peer = "Expressway-C", .uri = "sip:cucm@acme.example", .agent = "u",
                                          .line = {{.listen = kit_endpoint(TRUNK_1)},
                                                   {.listen = kit_endpoint(TRUNK_2)}},
                                          .line_count = 2, .numbers = "8", .media = media_at(THERE)};
}

static void world_start(struct world *w)
{
    const struct sip_phones_config *cfg[] = {&w->here, &w->there};
    static const char *const names[] = {"here", "there"}, *const ips[] = {HERE, THERE};
    for (int i = 1; i >= 0; i--) {
        assert_int_equal(sip_phones_make(io_new(names[i], 1), cfg[i], &w->core[i]), 0);
        pipe_host(w->p, &w->core[i], ips[i]);
    }
}

static void world_free(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        w->core[i].ops->free(w->core[i].self);
        io_free(w->core[i].io);
    }
    pipe_free(w->p);
}

/* The last that a host said of a service; "" when it said nothing. */
static const char *service(const struct world *w, const char *host, const char *name)
{
    size_t n, len = strlen(name);
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (n--)
        if (log[n].is_note && log[n].note == NOTE_SERVICE && strcmp(log[n].host, host) == 0 &&
            strncmp(log[n].text, name, len) == 0 && log[n].text[len] == ' ')
            return log[n].text + len + 1;
    return "";
}

static void assert_service(const struct world *w, const char *host, const char *name, const char *begins)
{
    if (strncmp(service(w, host, name), begins, strlen(begins)) != 0)
        fail_msg("%s: %s is \"%s\", not \"%s\"", host, name, service(w, host, name), begins);
}

/* Both ends know the call by its name, and end it together. */
static void a_call_from_ring_to_end(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    pipe_run_until(w.p, 30 * NS_S);
    assert_string_equal(service(&w, "here", "desk-1/signalling"), "up INVITE to Expressway-E");
    assert_string_equal(service(&w, "there", "desk-1/signalling"), "up INVITE from Expressway-C");
    assert_service(&w, "here", "desk-1/audio", "up");
    assert_service(&w, "there", "desk-1/audio", "up");
    assert_string_equal(service(&w, "there", "desk-1/video"), "");
    pipe_run_until(w.p, 150 * NS_S);
    for (int i = 0; i < 2; i++) {
        const char *host = i ? "there" : "here";
        assert_string_equal(service(&w, host, "desk-1/signalling"), "done");
        assert_service(&w, host, "desk-1/audio", "done");
        assert_true(w.core[i].ops->deadline(w.core[i].self) == TIME_NEVER);
    }
    assert_int_equal(pipe_count(w.p, "BYE"), 1);
    world_free(&w);
}

/* How many payload packets the other end got of the call's audio, from what its session notes at the end. */
static size_t received(const struct world *w, const char *host)
{
    size_t n;
    unsigned long count = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_RESULT && strcmp(log[i].host, host) == 0)
            sscanf(log[i].text, "desk-1/audio.received=%lu", &count);
    return count;
}

/* Muted for 20 of 60 seconds, on hold for 10: so much is missing at the other end; on hold both are silent. */
static void muted_and_held_as_planned(void **state)
{
    (void)state;
    static const struct call_span mute = {10 * NS_S, 20 * NS_S}, hold = {40 * NS_S, 10 * NS_S};
    struct world w;
    world_init(&w, 1);
    w.plan[0].mute = &mute;
    w.plan[0].hold = &hold;
    w.plan[0].mute_count = w.plan[0].hold_count = 1;
    world_start(&w);
    pipe_run_until(w.p, 100 * NS_S);
    assert_int_equal(pipe_count(w.p, "re-INVITE"), 2);
    assert_string_equal(service(&w, "here", "desk-1/signalling"), "done");
    assert_in_range(received(&w, "there"), 290, 302);
    assert_in_range(received(&w, "here"), 490, 502);
    world_free(&w);
}

/* The first line that stands takes the calls; each has its own media. */
static void many_calls_over_the_second_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, CALLS);
    pipe_policy(w.p, TRUNK_1, PIPE_REFUSE);
    world_start(&w);
    pipe_run_until(w.p, 40 * NS_S);
    for (size_t i = 0; i < CALLS; i++) {
        char name[32];
        snprintf(name, sizeof name, "desk-%zu/audio", i + 1);
        assert_service(&w, "here", name, "up");
        assert_service(&w, "there", name, "up");
    }
    world_free(&w);
}

/* A trunk is a service: known by OPTIONS, lost when they are not answered, back when they are. */
static void a_trunk_is_watched(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 0);
    w.here.line_count = 1;
    w.here.line[0].service = "trunk-1";
    w.here.options_ns = 60 * NS_S;
    world_start(&w);
    pipe_run_until(w.p, 170 * NS_S);
    assert_int_equal(pipe_count(w.p, "OPTIONS"), 3);
    assert_int_equal(pipe_count(w.p, "trunk-1 wanted"), 1);
    assert_service(&w, "here", "trunk-1", "up " HERE ":");
    world_free(&w);

    world_init(&w, 0);
    w.here.line_count = 1;
    w.here.line[0] = (struct sip_phones_line){.server = kit_endpoint("10.1.0.51:5061"), .service = "trunk-1"};
    w.here.options_ns = 60 * NS_S;
    raw_listen(w.p, "10.1.0.51:5061");
    world_start(&w);
    pipe_run_until(w.p, 31 * NS_S);
    assert_string_equal(service(&w, "here", "trunk-1"), "wanted"); /* connected is not enough */
    pipe_run_until(w.p, 33 * NS_S);
    assert_string_equal(service(&w, "here", "trunk-1"), "failed SIP signalling: TCP 10.1.0.51:5061: timed out");
    world_free(&w);
}

/* What goes wrong, and what is said of it. */
static void no_way(struct world *w)
{
    pipe_policy(w->p, TRUNK_1, PIPE_BLACK_HOLE);
    pipe_policy(w->p, TRUNK_2, PIPE_BLACK_HOLE);
}

static void wrong_number(struct world *w)
{
    w->plan[0].to = "sip:7001@acme.example";
}

static void other_media(struct world *w)
{
    w->there.media.media = CALL_VIDEO;
}

static void too_short(struct world *w)
{
    no_way(w);
    w->plan[0].for_ns = 10 * NS_S;
}

static const struct {
    void (*before)(struct world *w);
    const char *signalling, *audio;
} mishaps[] = {
    {no_way, "failed SIP signalling: no connection to Expressway-E at TCP " TRUNK_1 " or " TRUNK_2,
     "failed there is no call"},
    {wrong_number, "failed SIP signalling: INVITE was answered with 404 Not Found", "failed there is no call"},
    {other_media, "failed SIP signalling: INVITE was answered with 488 Not Acceptable Here",
     "failed there is no call"},
    {too_short, "failed SIP signalling: it came to nothing before the call was to end", "failed there is no call"},
};

static void each_mishap_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++) {
        struct world w;
        world_init(&w, 1);
        mishaps[i].before(&w);
        world_start(&w);
        pipe_run_until(w.p, 120 * NS_S);
        assert_service(&w, "here", "desk-1/signalling", mishaps[i].signalling);
        assert_service(&w, "here", "desk-1/audio", mishaps[i].audio);
        world_free(&w);
    }
}

/* Nothing comes through any more but TCP: one end notices first, and ends the call for both. */
static void media_that_stop_end_the_call(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    w.plan[0].for_ns = TIME_NEVER;
    world_start(&w);
    pipe_run_until(w.p, 10 * NS_S);
    assert_service(&w, "here", "desk-1/audio", "up");
    pipe_trouble(w.p, 1, 100, 0, 0);
    pipe_run_until(w.p, 200 * NS_S);
    bool here = strncmp(service(&w, "here", "desk-1/audio"), "lost", 4) == 0;
    assert_service(&w, here ? "here" : "there", "desk-1/audio", "lost");
    assert_service(&w, here ? "there" : "here", "desk-1/audio", "done");
    assert_string_equal(service(&w, "here", "desk-1/signalling"), "done");
    assert_string_equal(service(&w, "there", "desk-1/signalling"), "done");
    world_free(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_from_ring_to_end),         cmocka_unit_test(muted_and_held_as_planned),
        cmocka_unit_test(many_calls_over_the_second_line), cmocka_unit_test(a_trunk_is_watched),
        cmocka_unit_test(each_mishap_is_told),             cmocka_unit_test(media_that_stop_end_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
