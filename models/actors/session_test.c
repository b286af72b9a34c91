/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sessions against each other over the pipe; the test does the signalling. */
#include "models/actors/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

enum { OWNER = 3, SDP_CAP = 8192 };

struct user {
    struct io *io;
    struct session *session;
    struct session_map *map;
    char described[SDP_CAP];
    unsigned descriptions, up;
    char failed[256], lost[256];
};

static void keep(struct user *u)
{
    struct session_event ev;
    while (session_poll(u->session, &ev))
        switch (ev.kind) {
        case SESSION_DESCRIBED:
            snprintf(u->described, sizeof u->described, "%s", ev.text);
            u->descriptions++;
            break;
        case SESSION_UP:
            u->up++;
            break;
        case SESSION_FAILED:
            snprintf(u->failed, sizeof u->failed, "%s", ev.text);
            break;
        case SESSION_LOST:
            snprintf(u->lost, sizeof u->lost, "%s", ev.text);
            break;
        }
}

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    struct session *of = session_map_find(u->map, in->id);
    bool ours = session_input(u->session, in);
    assert_true(!in->id || of == u->session);
    assert_true(ours || !in->id);
    keep(u);
}

static uint64_t user_deadline(const void *self)
{
    return session_deadline(((const struct user *)self)->session);
}

static const struct core_ops user_ops = {user_input, user_deadline, NULL};

struct world {
    struct pipe *p;
    struct user a, b;
};

static const struct session_config plain = {
    .name = "guest-1",
    .media = CALL_AUDIO | CALL_VIDEO,
    .first_port = 50000,
    .last_port = 50999,
    .host_candidates = true,
    .audio = {.packets_per_s = 50, .payload_bytes = 160, .payload_type = 8, .clock = 8000},
    .video = {.packets_per_s = 30, .payload_bytes = 900, .payload_type = 97, .clock = 90000},
};

static void add_user(struct world *w, struct user *u, const char *name, const char *ip, struct session_config cfg)
{
    cfg.address = kit_ip(ip);
    *u = (struct user){.io = io_new(name, 1), .map = session_map_new(8)};
    cfg.map = u->map;
    u->session = session_new(u->io, OWNER, &cfg);
    assert_non_null(u->session);
    pipe_host(w->p, &(struct core){&user_ops, u, u->io}, ip);
}

static struct world *world_new(const struct session_config *a, const struct session_config *b)
{
    struct world *w = test_calloc(1, sizeof *w);
    w->p = pipe_new(10 * NS_MS);
    add_user(w, &w->a, "alice", "10.1.0.1", *a);
    add_user(w, &w->b, "bob", "10.2.0.2", *b);
    return w;
}

static void world_free(struct world *w)
{
    session_free(w->a.session);
    session_free(w->b.session);
    session_map_free(w->a.map);
    session_map_free(w->b.map);
    io_free(w->a.io);
    io_free(w->b.io);
    pipe_free(w->p);
    test_free(w);
}

static struct sdp *parsed(const char *text)
{
    struct sdp *d = test_calloc(1, sizeof *d);
    assert_int_equal(sdp_parse(text, strlen(text), d), 0);
    return d;
}

static int answer(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answer(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

static int answered(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answered(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

/* Offer and answer, a tenth of a second each. */
static void negotiate(struct world *w, struct user *from, struct user *to)
{
    unsigned offers = from->descriptions, answers = to->descriptions;
    session_offer(from->session);
    keep(from);
    for (unsigned i = 0; i < 200 && from->descriptions == offers; i++)
        pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(from->descriptions, offers + 1);
    assert_int_equal(answer(to, from->described), 0);
    for (unsigned i = 0; i < 200 && to->descriptions == answers; i++)
        pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(to->descriptions, answers + 1);
    assert_int_equal(answered(from, to->described), 0);
}

static void close_both(struct world *w)
{
    session_close(w->a.session);
    session_close(w->b.session);
    pipe_run_for(w->p, 5 * NS_S);
    assert_true(session_closed(w->a.session) && session_closed(w->b.session));
    assert_true(session_deadline(w->a.session) == TIME_NEVER && session_deadline(w->b.session) == TIME_NEVER);
}

/* The last that became of a service at a host. */
static const char *service(const struct world *w, const char *host, const char *name)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (n-- > 0)
        if (log[n].is_note && log[n].note == NOTE_SERVICE && strcmp(log[n].host, host) == 0 &&
            strncmp(log[n].text, name, strlen(name)) == 0 && log[n].text[strlen(name)] == ' ')
            return log[n].text + strlen(name) + 1;
    return "";
}

static size_t notes(const struct world *w, enum io_note note)
{
    size_t n, found = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        found += log[i].is_note && log[i].note == note;
    return found;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_audio_and_video_flow),
        cmocka_unit_test(mute_and_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
