/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents against each other, over streams in memory: each connection and each frame takes 10 ms. */
#include "models/ice/ice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/ice/candidate_test.h"
#include "models/ice/check.h"
#include "models/testkit/testkit.h"

enum { A, B, NOBODY, STREAMS = 64, THINGS = 512, LOG = 4096 };
#define LATENCY (10 * NS_MS)

/* What becomes of a connection to one address. */
enum path { WORKS, REFUSED, LOST };

struct thing {
    uint64_t at;
    enum { OPENED, OPEN_FAILED, ARRIVES, FRAME } what;
    int to;
    size_t pair;
    uint32_t stream;
    struct endpoint local, remote;
    uint8_t bytes[ICE_MESSAGE_MAX];
    size_t len;
};

struct world {
    uint64_t now;
    struct ice *agent[2];
    struct ice_config cfg[2];
    struct thing thing[THINGS]; /* in order of time, then of insertion */
    size_t things;
    uint32_t streams;
    struct {
        struct endpoint to;
        enum path path;
    } path[8];
    size_t paths;
    enum path other_paths;
    uint16_t lowest_port; /* that a connection was asked for to */
    struct endpoint nat;       /* where connections seem to come from, if set */
    const char *lost_label;    /* messages of this name from lost_from are lost */
    int lost_from;
    char log[LOG];             /* "12 A OPEN ...", times in ms */
    struct text out;
    unsigned uses[2];        /* requests with USE-CANDIDATE */
    uint64_t tie_breaker[2]; /* of the last request */
    unsigned opens[2], valid[2], nominated[2], failed[2], requests[2], indications[2];
    struct ice_event last_nominated[2];
    char failure[2][512];
};

static void schedule(struct world *w, const struct thing *t)
{
    assert_true(w->things < THINGS);
    size_t i = w->things++;
    for (; i > 0 && w->thing[i - 1].at > t->at; i--)
        w->thing[i] = w->thing[i - 1];
    w->thing[i] = *t;
}

static enum path path_to(const struct world *w, const struct endpoint *to)
{
    for (size_t i = 0; i < w->paths; i++)
        if (endpoint_equal(&w->path[i].to, to))
            return w->path[i].path;
    return w->other_paths;
}

static void set_path(struct world *w, const char *to, enum path path)
{
    w->path[w->paths].to = kit_endpoint(to);
    w->path[w->paths++].path = path;
}

static void on_open(struct world *w, int who, const struct ice_event *ev)
{
    struct thing t = {.at = w->now + LATENCY, .what = OPENED, .to = who, .pair = ev->pair};
    w->opens[who]++;
    w->lowest_port = ev->remote.address.port < w->lowest_port ? ev->remote.address.port : w->lowest_port;
    assert_int_equal(ev->local.transport, ICE_TCP_ACT);
    assert_int_equal(ev->remote.transport, ICE_TCP_PASS);
    enum path path = path_to(w, &ev->remote.address);
    if (path == REFUSED)
        t.what = OPEN_FAILED;
    if (path != LOST)
        schedule(w, &t);
    if (path != WORKS)
        return;
    size_t last = w->things - 1;
    t.stream = ++w->streams;
    for (; w->thing[last].what != OPENED || w->thing[last].pair != ev->pair || w->thing[last].to != who;
         last--)
        ;
    w->thing[last].stream = t.stream;
    t.what = ARRIVES;
    t.to = 1 - who;
    t.local = ev->remote.address;
    t.remote = w->nat.port ? w->nat : ev->local.address;
    schedule(w, &t);
}

static void look_at_request(struct world *w, int who, const struct ice_event *ev)
{
    struct stun_msg m;
    struct ice_check c;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, ev->data, ev->len, &m), 0);
    assert_int_equal(ice_check_decode(&m, &c), 0);
    w->requests[who]++;
    w->uses[who] += c.use_candidate;
    w->tie_breaker[who] = c.tie_breaker;
}

static void drain(struct world *w, int who)
{
    struct ice_event ev;
    while (ice_poll(w->agent[who], &ev)) {
        static const char *const kinds[] = {"OPEN", "SEND", "VALID", "NOMINATED", "FAILED", "LOST"};
        text_add(&w->out, "%llu %c %s%s%s\n", (unsigned long long)(w->now / NS_MS), who == A ? 'A' : 'B',
                 kinds[ev.kind], ev.kind == ICE_SEND ? " " : "", ev.kind == ICE_SEND ? ev.label : "");
        switch (ev.kind) {
        case ICE_OPEN:
            on_open(w, who, &ev);
            break;
        case ICE_SEND: {
            if (strcmp(ev.label, "Binding request") == 0)
                look_at_request(w, who, &ev);
            w->indications[who] += strcmp(ev.label, "Binding indication") == 0;
            if (w->lost_label && w->lost_from == who && strcmp(ev.label, w->lost_label) == 0)
                break;
            struct thing t = {
                .at = w->now + LATENCY, .what = FRAME, .to = 1 - who, .stream = ev.stream, .len = ev.len};
            memcpy(t.bytes, ev.data, ev.len);
            schedule(w, &t);
            break;
        }
        case ICE_VALID:
            w->valid[who]++;
            break;
        case ICE_NOMINATED:
            w->nominated[who]++;
            w->last_nominated[who] = ev;
            break;
        case ICE_FAILED:
            w->failed[who]++;
            snprintf(w->failure[who], sizeof w->failure[who], "%s", ev.text);
            break;
        case ICE_LOST: /* of UDP */
            fail();
        }
    }
}

static void happen(struct world *w, const struct thing *t)
{
    struct ice *a = w->agent[t->to];
    switch (t->what) {
    case OPENED:
        ice_opened(a, t->pair, t->stream, w->now);
        break;
    case OPEN_FAILED:
        ice_open_failed(a, t->pair, w->now);
        break;
    case ARRIVES:
        ice_incoming(a, t->stream, &t->local, &t->remote, w->now);
        break;
    case FRAME: /* in a buffer of its size, so that a sanitizer sees what reads past it */
    {
        uint8_t *frame = malloc(t->len);
        memcpy(frame, t->bytes, t->len);
        assert_true(ice_input(a, t->stream, frame, t->len, w->now));
        free(frame);
        break;
    }
    }
    drain(w, t->to);
}

static void run_until(struct world *w, uint64_t end)
{
    for (unsigned steps = 0; steps < 5000; steps++) {
        uint64_t at[3] = {TIME_NEVER, TIME_NEVER, w->things ? w->thing[0].at : TIME_NEVER};
        for (int i = A; i <= B; i++)
            if (w->agent[i])
                at[i] = ice_deadline(w->agent[i]) > w->now ? ice_deadline(w->agent[i]) : w->now;
        int first = at[B] < at[A] ? B : A;
        first = at[NOBODY] <= at[first] ? NOBODY : first;
        if (at[first] > end) {
            w->now = end;
            return;
        }
        w->now = at[first];
        if (first != NOBODY) {
            ice_timer(w->agent[first], w->now);
            drain(w, first);
        } else {
            struct thing t = w->thing[0];
            memmove(w->thing, w->thing + 1, --w->things * sizeof *w->thing);
            happen(w, &t);
        }
    }
    fail_msg("the agents do not come to rest:\n%s", w->log);
}

/* A candidate of one, told to the other. */
static void offer(struct world *w, int who, const char *address, enum ice_type type,
                  enum ice_transport transport, const char *f)
{
    struct ice_candidate c = candidate(address, type, transport, f);
    assert_int_equal(ice_add_local(w->agent[who], &c), 0);
    assert_int_equal(ice_add_remote(w->agent[1 - who], &c), 0);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->out = text_of(w->log, sizeof w->log);
    w->lowest_port = UINT16_MAX;
    w->cfg[A] =
        (struct ice_config){.controlling = true, .tie_breaker = 7, .ufrag = "l0MR", .pwd = "password-of-a"};
    w->cfg[B] =
        (struct ice_config){.tie_breaker = 5, .ufrag = "AoVy", .pwd = "password-of-b", .candidate_id = "3"};
    return w;
}

static void make_agents(struct world *w)
{
    for (int i = A; i <= B; i++)
        w->agent[i] = ice_new(&w->cfg[i], rng_named(1, i == A ? "a/ice" : "b/ice"));
    for (int i = A; i <= B; i++)
        ice_set_remote_credentials(w->agent[i], w->cfg[1 - i].ufrag, w->cfg[1 - i].pwd);
}

static void start(struct world *w)
{
    for (int i = A; i <= B; i++) {
        ice_start(w->agent[i], w->now);
        drain(w, i);
    }
}

static void world_free(struct world *w)
{
    ice_free(w->agent[A]);
    ice_free(w->agent[B]);
    free(w);
}

/* ---- it works ---- */

#define EDGE "192.0.2.10:50000"
#define EXPRESSWAY "198.51.100.20:24000"

/* The lab: both relayed, the Edge connects. Each step at its time. */
static void lab_call(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    start(w);
    run_until(w, 100 * NS_MS);
    assert_string_equal(w->log,
                        "0 A OPEN\n"
                        "10 A SEND Binding request\n"
                        "20 B SEND Binding success\n"
                        "20 B SEND Binding request\n" /* triggered, at once: nothing was sent for Ta */
                        "30 A SEND Binding success\n"
                        "30 A VALID\n"
                        "40 B VALID\n"
                        "50 A SEND Binding request\n" /* with USE-CANDIDATE; Ta after the connection */
                        "60 B SEND Binding success\n"
                        "60 B NOMINATED\n"
                        "70 A NOMINATED\n");
    assert_int_equal(w->last_nominated[A].stream, w->last_nominated[B].stream);
    world_free(w);
}

/* The controlled side opens, the controlling side's relay is passive. */
static void controlled_side_opens(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_PASS, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_ACT, "1");
    start(w);
    run_until(w, 1 * NS_S);
    assert_int_equal(w->opens[B], 1);
    assert_int_equal(w->opens[A], 0);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    world_free(w);
}

static void offer_both_ways(struct world *w, bool passive_first)
{
    for (unsigned i = 0; i < 2; i++) {
        enum ice_transport transport = passive_first == (i == 0) ? ICE_TCP_PASS : ICE_TCP_ACT;
        offer(w, A, EDGE, ICE_RELAY, transport, "1");
        offer(w, B, EXPRESSWAY, ICE_RELAY, transport, "1");
    }
}

/* Both offer active and passive: the pair in which the controlling side is active is the better one, by one.
 * The other one works too, and is left alone from then on. */
static void better_pair_is_nominated(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct world *w = world_new();
        make_agents(w);
        offer_both_ways(w, order);
        start(w);
        run_until(w, 2 * NS_S);
        assert_int_equal(w->valid[A] + w->valid[B], 4);
        assert_int_equal(w->nominated[A] + w->nominated[B], 2);
        assert_int_equal(w->last_nominated[A].local.transport, ICE_TCP_ACT);
        assert_int_equal(w->last_nominated[B].local.transport, ICE_TCP_PASS);
        run_until(w, 20 * NS_S);
        assert_int_equal(w->indications[A] + w->indications[B], 2);
        assert_int_equal(w->failed[A] + w->failed[B], 0);
        world_free(w);
    }
}

/* Once there is a pair, what was not tried yet need not be. */
static void nothing_begins_after_nomination(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, "10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "h");
    for (unsigned i = 0; i < 12; i++) {
        char to[ENDPOINT_TEXT], f[8];
        snprintf(to, sizeof to, "10.0.1.1:%u", 100 + i);
        snprintf(f, sizeof f, "%u", i);
        offer(w, B, to, i == 11 ? ICE_HOST : ICE_RELAY, ICE_TCP_PASS,
              f); /* the last is the best, and works */
    }
    start(w);
    run_until(w, 10 * NS_S);
    assert_int_equal(w->nominated[A], 1);
    assert_int_equal(w->last_nominated[A].remote.address.port, 111);
    assert_int_equal(w->opens[A], 1); /* at 50 ms the nominating check went first */
    world_free(w);
}

static void second_pair_when_the_first_fails(void **state)
{
    (void)state;
    static const enum path broken[] = {REFUSED, LOST};
    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_new();
        make_agents(w);
        offer_both_ways(w, false);
        set_path(w, EXPRESSWAY, broken[i]);
        start(w);
        run_until(w, 2 * NS_S);
        assert_int_equal(w->nominated[A] + w->nominated[B], 2);
        assert_int_equal(w->last_nominated[A].local.transport, ICE_TCP_PASS);
        assert_int_equal(w->last_nominated[B].local.transport, ICE_TCP_ACT);
        world_free(w);
    }
}

/* A better pair that hangs holds up nomination for half a second, no longer. */
static void nomination_waits_for_a_better_pair(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, "10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "h");
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "r");
    offer(w, B, "10.9.9.9:9", ICE_HOST, ICE_TCP_PASS, "h");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "r");
    set_path(w, "10.9.9.9:9", LOST);
    start(w);
    run_until(w, 600 * NS_MS);
    assert_true(w->valid[A] >= 1);
    assert_int_equal(w->nominated[A], 0);
    run_until(w, 700 * NS_MS);
    assert_int_equal(w->nominated[A], 1);
    assert_true(strcmp(w->last_nominated[A].remote.foundation, "r") == 0);
    world_free(w);
}

/* RFC 8445 6.1.4.2: one each 50 ms, best first; of one foundation the second waits for the first's fate. */
static void connections_are_paced(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, "10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "h");
    for (unsigned i = 1; i <= 4; i++) {
        char to[ENDPOINT_TEXT];
        snprintf(to, sizeof to, "10.0.1.%u:5", i);
        set_path(w, to, LOST);
        offer(w, B, to, ICE_HOST, ICE_TCP_PASS, i <= 3 ? (const char *[]){"", "x", "y", "z"}[i] : "z");
    }
    start(w);
    run_until(w, 5 * NS_S);
    assert_string_equal(w->log, "0 A OPEN\n50 A OPEN\n100 A OPEN\n");
    ice_open_failed(w->agent[A], 2, w->now); /* the third, of foundation z */
    drain(w, A);
    assert_int_equal(w->opens[A], 4);
    world_free(w);
}

/* Two components of one foundation: the second is tried when the first has worked (RFC 8445 6.1.4.2), and
 * each has its own pair. */
static void two_components(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    for (uint8_t component = 1; component <= 2; component++) {
        struct ice_candidate a = candidate(EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
        struct ice_candidate b = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        a.component = b.component = component;
        a.address.port = (uint16_t)(a.address.port + component);
        b.address.port = (uint16_t)(b.address.port + component);
        ice_add_local(w->agent[A], &a);
        ice_add_remote(w->agent[B], &a);
        ice_add_local(w->agent[B], &b);
        ice_add_remote(w->agent[A], &b);
    }
    start(w);
    run_until(w, 25 * NS_MS);
    assert_int_equal(w->opens[A], 1);
    run_until(w, 1 * NS_S);
    assert_int_equal(w->opens[A], 2);
    assert_int_equal(w->nominated[A], 2);
    assert_int_equal(w->nominated[B], 2);
    run_until(w, 60 * NS_S);
    assert_int_equal(w->failed[A] + w->failed[B], 0);
    world_free(w);
}

/* RFC 8445 6.1.2.4: a server-reflexive candidate connects from its base, so it is tried once only. */
static void server_reflexive_is_its_base(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, "10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "h");
    struct ice_candidate reflexive = candidate("203.0.113.7:61000", ICE_SRFLX, ICE_TCP_ACT, "s");
    reflexive.related = kit_endpoint("10.0.0.1:1");
    ice_add_local(w->agent[A], &reflexive);
    reflexive =
        candidate("203.0.113.7:61001", ICE_SRFLX, ICE_TCP_ACT, "t"); /* one without a host candidate */
    reflexive.related = kit_endpoint("10.0.0.1:2");
    ice_add_local(w->agent[A], &reflexive);
    struct ice_candidate far = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    ice_add_remote(w->agent[A], &far);
    set_path(w, EXPRESSWAY, LOST);
    start(w);
    run_until(w, 5 * NS_S);
    assert_int_equal(w->opens[A], 2);
    world_free(w);
}

/* RFC 8445 6.1.2.5: a hundred pairs at most, and the best of those that there could be, in whatever order
 * they come. */
static void full_list_keeps_the_best(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct world *w = world_new();
        make_agents(w);
        for (unsigned i = 0; i < ICE_CANDIDATES_MAX; i++) {
            unsigned rank = order ? ICE_CANDIDATES_MAX - 1 - i : i;
            char at[ENDPOINT_TEXT], f[8];
            snprintf(f, sizeof f, "%u", i);
            snprintf(at, sizeof at, "10.0.0.1:%u", 100 + rank);
            struct ice_candidate c = candidate(at, ICE_HOST, ICE_TCP_ACT, f);
            assert_int_equal(ice_add_local(w->agent[A], &c), 0);
            snprintf(at, sizeof at, "10.0.1.1:%u", 100 + rank);
            c = candidate(at, ICE_HOST, ICE_TCP_PASS, f);
            c.priority += rank;
            assert_int_equal(ice_add_remote(w->agent[A], &c), 0);
        }
        w->other_paths = LOST;
        start(w);
        run_until(w, 29 * NS_S);
        assert_int_equal(w->opens[A], ICE_PAIRS_MAX);
        assert_int_equal(w->lowest_port, 109); /* 16 pairs for each of 115 to 110, 4 for 109 */
        run_until(w, 31 * NS_S);
        assert_non_null(strstr(w->failure[A], "tried 100"));
        world_free(w);
    }
}

/* The relay's address is translated on the way: the candidate is learned from the connection. */
static void peer_reflexive(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    w->nat = kit_endpoint("203.0.113.7:61000");
    start(w);
    run_until(w, 1 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    const struct ice_candidate *learned = &w->last_nominated[B].remote;
    assert_int_equal(learned->type, ICE_PRFLX);
    assert_true(endpoint_equal(&learned->address, &w->nat));
    assert_int_equal(learned->priority, (110u << 24) + (7076863 & 0xffffff)); /* from the check */
    world_free(w);
}

/* The answer with B's candidates and password is overtaken by B's checks, and the other way round. */
static void late_candidates_and_password(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (int i = A; i <= B; i++)
        w->agent[i] = ice_new(&w->cfg[i], rng_named(1, "ice"));
    struct ice_candidate a = candidate(EDGE, ICE_RELAY, ICE_TCP_PASS, "1");
    struct ice_candidate b = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_ACT, "1");
    ice_add_local(w->agent[A], &a);
    ice_add_local(w->agent[B], &b);
    ice_set_remote_credentials(w->agent[B], "l0MR", "password-of-a");
    start(w);
    run_until(w, 1 * NS_S);
    assert_string_equal(w->log, "");
    ice_add_remote(w->agent[B], &a); /* late, after start */
    run_until(w, 2 * NS_S);
    assert_int_equal(w->requests[B], 1);
    assert_int_equal(w->requests[A], 0); /* answers, but cannot ask yet */
    ice_set_remote_credentials(w->agent[A], "AoVy", "password-of-b");
    ice_add_remote(w->agent[A], &b);
    run_until(w, 3 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    assert_int_equal(w->last_nominated[A].remote.type, ICE_RELAY); /* no longer peer-reflexive */
    world_free(w);
}

/* Both think they control, or neither: the larger tie-breaker does, whoever speaks first. */
static void role_conflict(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct world *w = world_new();
        w->cfg[A].controlling = w->cfg[B].controlling = i & 1;
        w->cfg[A].tie_breaker = i & 2 ? 9 : 4;
        make_agents(w);
        offer(w, A, EDGE, ICE_RELAY, i & 4 ? ICE_TCP_ACT : ICE_TCP_PASS, "1");
        offer(w, B, EXPRESSWAY, ICE_RELAY, i & 4 ? ICE_TCP_PASS : ICE_TCP_ACT, "1");
        start(w);
        run_until(w, 2 * NS_S);
        assert_int_equal(w->nominated[A], 1);
        assert_int_equal(w->nominated[B], 1);
        /* who controls is nominated last: it hears that its last request was answered */
        const char *last = strstr(w->log, "NOMINATED");
        assert_non_null(last);
        bool a_first = last[-2] == 'A';
        bool first_wins = i & 2; /* A's is the larger */
        bool refused = strstr(w->log, "Binding error 487") != NULL;
        bool a_speaks = i & 4;
        /* The speaker is refused when it says it controls and is smaller, or says it is controlled and is
         * larger. */
        assert_int_equal(refused, (i & 1) ? a_speaks != first_wins : a_speaks == first_wins);
        if (!refused)
            assert_int_equal(a_first, !first_wins);
        int speaker = a_speaks ? A : B; /* 7.2.5.1: refused, it takes another tie-breaker */
        assert_int_equal(w->tie_breaker[speaker] != w->cfg[speaker].tie_breaker, refused);
        world_free(w);
    }
}

/* Meeting Server asks with USE-CANDIDATE though controlled; that alone must not nominate. */
static void use_candidate_of_the_controlled_side(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->cfg[B].use_candidate_always = true;
    make_agents(w);
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    start(w);
    run_until(w, 45 * NS_MS);
    assert_int_equal(w->valid[A] + w->valid[B], 2);
    assert_int_equal(w->nominated[A] + w->nominated[B], 0);
    assert_int_equal(w->uses[B], 1);
    run_until(w, 100 * NS_MS);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    assert_int_equal(w->uses[A], 1); /* the second request only */
    world_free(w);
}

/* RFC 8445 11: after 15 s without a frame. */
static void keep_alives(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    start(w);
    run_until(w, 50 * NS_MS + 15 * NS_S - 1);
    assert_int_equal(w->indications[A], 0);
    run_until(w, 50 * NS_MS + 15 * NS_S);
    assert_int_equal(w->indications[A], 1);
    run_until(w, 40 * NS_S);
    ice_sent(w->agent[A], w->last_nominated[A].stream, w->now); /* media puts the next one off */
    unsigned before = w->indications[A];
    run_until(w, 55 * NS_S - 1);
    assert_int_equal(w->indications[A], before);
    run_until(w, 55 * NS_S);
    assert_int_equal(w->indications[A], before + 1);
    assert_int_equal(w->failed[A] + w->failed[B], 0);
    world_free(w);
}

/* ---- it does not ---- */

/* A pair is valid only when each side's request has been answered: lose each message in turn. Who sent the
 * lost answer cannot know; the other one waits in vain. Nothing is sent again on TCP. */
static void valid_needs_both_directions(void **state)
{
    (void)state;
    static const struct {
        const char *lost;
        int from;
        unsigned valid_a, valid_b;
    } rows[] = {
        {"Binding request", A, 0, 0},
        {"Binding success", A, 1, 0},
        {"Binding request", B, 0, 0},
        {"Binding success", B, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        make_agents(w);
        offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
        offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        w->lost_label = rows[i].lost;
        w->lost_from = rows[i].from;
        start(w);
        run_until(w, 60 * NS_S);
        assert_int_equal(w->valid[A], rows[i].valid_a);
        assert_int_equal(w->valid[B], rows[i].valid_b);
        assert_int_equal(w->nominated[A], rows[i].valid_a);
        assert_int_equal(w->nominated[B], 0);
        assert_int_equal(w->failed[A], !rows[i].valid_a);
        assert_int_equal(w->failed[B], 1);
        assert_true(w->requests[B] <= 1 && w->requests[A] <= 1 + rows[i].valid_a);
        world_free(w);
    }
}

static void wrong_password(void **state)
{
    (void)state;
    struct world *w = world_new();
    make_agents(w);
    ice_set_remote_credentials(w->agent[A], "AoVy", "not the password");
    offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    start(w);
    run_until(w, 60 * NS_S);
    assert_non_null(strstr(w->log, "20 B SEND Binding error 401\n30 A FAILED\n"));
    assert_string_equal(w->failure[A],
                        "no candidate pair works; tried 1: " EDGE " to " EXPRESSWAY ": Binding error 401");
    assert_int_equal(w->valid[A] + w->valid[B], 0);
    assert_int_equal(w->failed[B], 1);
    world_free(w);
}

/* What is given up when, and in which words. */
static void time_lines_of_failure(void **state)
{
    (void)state;
    static const struct {
        bool lost;  /* the connection; else all messages of B */
        uint64_t a_ms, b_ms;
        const char *a, *b;
    } rows[] = {
        {true, 30000, 30000, "still connecting", "no connection came"},
        {false, 10010, 30000, "no answer to the check", "no check from the peer"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        make_agents(w);
        offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
        offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        if (rows[i].lost)
            set_path(w, EXPRESSWAY, LOST);
        start(w);
        if (!rows[i].lost) {
            run_until(w, 15 * NS_MS);
            w->things = 0; /* A's request is lost, the stream stays */
        }
        run_until(w, rows[i].a_ms * NS_MS - 1);
        assert_int_equal(w->failed[A], 0);
        run_until(w, rows[i].a_ms * NS_MS);
        assert_int_equal(w->failed[A], 1);
        assert_non_null(strstr(w->failure[A], rows[i].a));
        run_until(w, rows[i].b_ms * NS_MS);
        assert_int_equal(w->failed[B], 1);
        assert_non_null(strstr(w->failure[B], rows[i].b));
        world_free(w);
    }
}

/* No pair is left: at once when nobody can connect to us, else when time is up. */
static void refused_everywhere(void **state)
{
    (void)state;
    for (unsigned passive = 0; passive < 2; passive++) {
        struct world *w = world_new();
        make_agents(w);
        offer(w, A, "10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "h");
        if (passive)
            offer(w, A, "10.0.0.1:2", ICE_HOST, ICE_TCP_PASS, "h");
        offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        set_path(w, EXPRESSWAY, REFUSED);
        start(w);
        run_until(w, 20 * NS_S);
        assert_int_equal(w->failed[A], !passive);
        run_until(w, 31 * NS_S);
        assert_int_equal(w->failed[A], 1);
        assert_non_null(strstr(w->failure[A], "could not connect"));
        world_free(w);
    }
}

/* A connection that ends while it is checked is a failure; after nomination it is the user's affair. */
static void connection_ends(void **state)
{
    (void)state;
    static const uint64_t when[] = {25 * NS_MS, 45 * NS_MS, 500 * NS_MS};
    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_new();
        make_agents(w);
        offer(w, A, EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
        offer(w, B, EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        start(w);
        run_until(w, when[i]);
        ice_closed(w->agent[A], 1, w->now);
        drain(w, A);
        assert_int_equal(w->failed[A], i < 2);
        run_until(w, 60 * NS_S);
        assert_int_equal(w->failed[A], i < 2);
        assert_int_equal(w->indications[A], 0);
        world_free(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lab_call),
        cmocka_unit_test(controlled_side_opens),
        cmocka_unit_test(better_pair_is_nominated),
        cmocka_unit_test(nothing_begins_after_nomination),
        cmocka_unit_test(second_pair_when_the_first_fails),
        cmocka_unit_test(nomination_waits_for_a_better_pair),
        cmocka_unit_test(connections_are_paced),
        cmocka_unit_test(two_components),
        cmocka_unit_test(server_reflexive_is_its_base),
        cmocka_unit_test(full_list_keeps_the_best),
        cmocka_unit_test(peer_reflexive),
        cmocka_unit_test(late_candidates_and_password),
        cmocka_unit_test(role_conflict),
        cmocka_unit_test(use_candidate_of_the_controlled_side),
        cmocka_unit_test(keep_alives),
        cmocka_unit_test(valid_needs_both_directions),
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(time_lines_of_failure),
        cmocka_unit_test(refused_everywhere),
        cmocka_unit_test(connection_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
