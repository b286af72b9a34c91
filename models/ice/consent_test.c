/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After nomination: consent (RFC 7675), or keep-alives without it (RFC 8445 11). */
#include "models/ice/udp_world_test.h"

/* Hosts that have found each other: B at 60 ms, A at 70 ms. */
static struct world *nominated(bool consent)
{
    struct world *w = world_new();
    w->cfg[A].udp_consent = w->cfg[B].udp_consent = consent;
    world_agents(w);
    world_offer(w, A, HOST);
    world_offer(w, B, HOST);
    world_start(w);
    world_run(w, 1 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    return w;
}

/* The time of the last such line before a moment, in ms. */
static uint64_t last_time(const struct world *w, const char *what)
{
    uint64_t found = 0;
    for (const char *line = w->log; *line; line = strchr(line, '\n') + 1) {
        const char *text = strchr(line, ' ') + 1;
        if (strncmp(text, what, strlen(what)) == 0)
            found = strtoull(line, NULL, 10);
    }
    return found;
}

static void keep_alives_without_consent(void **state)
{
    (void)state;
    struct world *w = nominated(false);
    unsigned asked = w->requests[A];
    world_run(w, 50 * NS_MS + 15 * NS_S - 1); /* A's last was the check of 50 ms */
    assert_int_equal(w->indications[A], 0);
    world_run(w, 50 * NS_MS + 15 * NS_S);
    assert_int_equal(w->indications[A], 1);
    w->cut[B] = true;
    world_run(w, 300 * NS_S);
    assert_int_equal(w->indications[A], 19);
    assert_int_equal(w->requests[A], asked);
    assert_int_equal(w->lost[A] + w->failed[A], 0);
    world_free(w);
}

/* Every 4 to 6 s, not in step, and with no keep-alives beside. */
static void consent_is_asked_for(void **state)
{
    (void)state;
    struct world *w = nominated(true);
    uint64_t before_ms = 70, least = UINT64_MAX, most = 0;
    for (unsigned asked = w->requests[A]; w->now < 200 * NS_S;) {
        world_run(w, w->now + 1 * NS_MS);
        if (w->requests[A] == asked)
            continue;
        uint64_t gap = w->now / NS_MS - before_ms;
        before_ms += gap;
        asked = w->requests[A];
        least = time_min(least, gap);
        most = gap > most ? gap : most;
    }
    assert_true(least >= 4000 && least < 4500 && most > 5500 && most <= 6001);
    assert_int_equal(w->indications[A] + w->indications[B], 0);
    assert_int_equal(w->lost[A] + w->lost[B], 0);
    world_free(w);
}

/* 30 s after the last answer it is over, to the millisecond, and once. */
static void consent_ends(void **state)
{
    (void)state;
    struct world *w = nominated(true);
    world_run(w, 50 * NS_S);
    w->cut[B] = true;
    w->datagrams = 0;
    uint64_t answered = last_time(w, "A Binding request") + 20;
    world_run(w, (answered + 30000) * NS_MS - 1);
    assert_int_equal(w->lost[A], 0);
    world_run(w, (answered + 30001) * NS_MS);
    assert_int_equal(w->lost[A], 1);
    assert_string_equal(w->why[A], "no answer to consent checks from 10.0.0.1:5000 to 10.1.0.1:6000 for 30 s");
    unsigned asked = w->requests[A];
    world_run(w, 400 * NS_S);
    assert_int_equal(w->requests[A], asked);
    assert_int_equal(w->lost[A], 1);
    assert_int_equal(w->lost[B] + w->failed[A] + w->failed[B], 1); /* B's checks come through, its answers do not: B
                                                                     hears nothing either */
    world_free(w);
}

/* A gap of 20 s is no end. */
static void consent_survives_an_outage(void **state)
{
    (void)state;
    struct world *w = nominated(true);
    for (unsigned i = 0; i < 5; i++) {
        world_run(w, (50 * i + 20) * NS_S);
        w->cut[A] = w->cut[B] = true;
        world_run(w, (50 * i + 40) * NS_S);
        w->cut[A] = w->cut[B] = false;
    }
    world_run(w, 300 * NS_S);
    assert_int_equal(w->lost[A] + w->lost[B], 0);
    world_free(w);
}

/* Once there is a pair nothing is sent for the others, tried or not. */
static void others_rest(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_agents(w);
    world_offer(w, A, HOST | RELAYED);
    world_offer(w, B, HOST | RELAYED);
    struct endpoint nowhere = kit_endpoint("10.66.0.1:1");
    struct ice_candidate c = udp_candidate(ICE_HOST, &nowhere, "n");
    ice_add_remote(w->agent[A], &c);
    world_start(w);
    world_run(w, 2 * NS_S);
    assert_int_equal(w->nominated[A], 1);
    unsigned asked = w->requests[A] + w->requests[B];
    world_run(w, 60 * NS_S);
    assert_int_equal(w->requests[A] + w->requests[B], asked);
    world_free(w);
}

/* A better pair that does not answer holds nomination up for half a second, no longer. */
static void nomination_waits_for_a_better_pair(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->box[B] = SYMMETRIC; /* its host cannot be reached */
    world_agents(w);
    world_offer(w, A, RELAYED);
    world_offer(w, B, HOST | RELAYED);
    world_start(w);
    world_run(w, 500 * NS_MS);
    assert_true(w->valid[A] >= 1);
    assert_int_equal(w->nominated[A], 0);
    world_run(w, 700 * NS_MS);
    assert_int_equal(w->nominated[A], 1);
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alives_without_consent),
        cmocka_unit_test(consent_is_asked_for),
        cmocka_unit_test(consent_ends),
        cmocka_unit_test(consent_survives_an_outage),
        cmocka_unit_test(others_rest),
        cmocka_unit_test(nomination_waits_for_a_better_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
