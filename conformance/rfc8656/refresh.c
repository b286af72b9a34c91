/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 8: Refresh. */
#include "conformance/rfc8656/rfc8656.h"

enum { DEFAULT_S = 600 };

static uint32_t refreshed_for(struct allocation *a, long wanted)
{
    uint32_t s = 0;
    struct heard h = ask_refresh(a->login, a->control, wanted);
    expect_code(a->p, &h, 0, "a Refresh");
    probe_require(a->p, heard_u32(&h, ATTR_LIFETIME, &s), "the Refresh success has no LIFETIME");
    return s;
}

static void lifetime_0_deletes(struct probe *p)
{
    struct allocation a = relay(p);
    uint32_t s = 0;
    struct heard h = ask_refresh(a.login, a.control, 0);
    expect_code(p, &h, 0, "a Refresh with LIFETIME 0");
    probe_require(p, !heard_u32(&h, ATTR_LIFETIME, &s) || s == 0, "a Refresh with LIFETIME 0 was granted %u s", s);
    expect_gone(&a, "after one with LIFETIME 0");
}

static void the_lifetime_is_as_in_allocate(struct probe *p)
{
    struct allocation a = relay(p);
    uint32_t most = refreshed_for(&a, UINT32_MAX);
    static const uint32_t wanted[] = {1, 599, 600, 601, 99999};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        uint32_t want = wanted[i] <= DEFAULT_S ? DEFAULT_S : wanted[i] < most ? wanted[i] : most;
        uint32_t got = refreshed_for(&a, (long)wanted[i]);
        probe_require(p, got == want, "a Refresh with LIFETIME %u was granted %u s, not %u (the most is %u)", wanted[i],
                      got, want, most);
    }
}

static void without_lifetime_it_is_the_default(struct probe *p)
{
    struct allocation a = relay_with(p, ATTRS(ASK_UDP, HEX(ATTR_LIFETIME, "00000e10")));
    uint32_t got = refreshed_for(&a, -1);
    probe_require(p, got == DEFAULT_S, "a Refresh without LIFETIME was granted %u s", got);
}

static void another_family_is_refused(struct probe *p)
{
    struct allocation a = relay(p);
    struct heard h = ask(a.login, a.control, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000258"), ASK_IP6));
    expect_code(p, &h, 443, "a Refresh of the IPv6 relay of an allocation that has only an IPv4 one");
}

static void success_has_the_lifetime(struct probe *p)
{
    struct allocation a = relay(p);
    uint32_t got = refreshed_for(&a, DEFAULT_S);
    probe_require(p, got >= DEFAULT_S, "a Refresh was granted %u s", got);
}

static void the_clock_starts_anew(struct probe *p)
{
    struct allocation a = relay_with(p, ATTRS(ASK_UDP, HEX(ATTR_LIFETIME, "00000e10")));
    uint32_t got = refreshed_for(&a, DEFAULT_S);
    uint64_t from = probe_now(p);
    probe_require(p, got == DEFAULT_S, "with %u s left, a Refresh with LIFETIME 600 was granted %u s", a.lifetime, got);
    probe_wait_until(p, from + ALLOCATION_LIFE + LATE);
    expect_gone(&a, "603 s after the last, which was granted 600 s");
}

static void a_delete_sent_again(struct probe *p)
{
    struct line *line = probe_udp(p, CLIENT1, IP_V4);
    struct allocation a = relay_on(p, login_new(p, USER1), line, ATTRS(ASK_UDP));
    struct message *m = signed_request(p, a.login, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000000")));
    line_send_message(line, m);
    struct heard h = line_answer(line, m, probe_soon(p));
    if (h.code == 438 && login_learn(a.login, &h)) { /* the nonce of the Allocate is not good for more than that */
        m = signed_request(p, a.login, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000000")));
        line_send_message(line, m);
        h = line_answer(line, m, probe_soon(p));
    }
    expect_code(p, &h, 0, "a Refresh with LIFETIME 0");
    line_send_message(line, m);
    h = line_answer(line, m, probe_soon(p));
    if (h.code != 0 || h.kind != HEARD_STUN)
        expect_code(p, &h, 437, "the same Refresh with LIFETIME 0, byte for byte, once more,");
}

static void refresh_is_of_the_allocation_alone(struct probe *p)
{
    struct opening o = open_with_permission(p);
    uint64_t from = probe_now(p);
    probe_wait_until(p, from + 250 * NS_S);
    expect_alive(&o.a, "after 250 s");
    probe_wait_until(p, from + PERMISSION_LIFE - EARLY);
    probe_require(p, comes_through(&o.a, o.peer), "a permission has gone before its 300 s were over");
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !comes_through(&o.a, o.peer), "a Refresh at 250 s has prolonged a permission beyond its 300 s");
}

/* ---- the client ---- */

static void client_refreshes_in_time(struct probe *p)
{
    enum { GRANTED_S = 300 };
    struct line *control = client_has_relay(p, probe_serve(p), GRANTED_S);
    for (unsigned i = 0; i < 3; i++) {
        struct heard h = server_hear(p, control, TURN_REFRESH, (GRANTED_S - 1) * NS_S);
        answer_refresh(p, control, &h, GRANTED_S);
    }
    probe_require(p, subject_times(p, TOLD_GONE) == 0,
                  "the client was granted each Refresh, and gave its allocation up");
}

static void client_deletes_when_done(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), DEFAULT_S);
    uint32_t s = 1;
    client_wants(p, WISH_RELEASE, NULL);
    struct heard h = server_hear(p, control, TURN_REFRESH, probe_soon(p));
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &s) && s == 0, "the client is done, and its Refresh has LIFETIME %u",
                  s);
}

static void client_takes_errors_rightly(struct probe *p)
{
    struct line *listener = probe_serve(p), *control = client_has_relay(p, listener, 120);
    struct heard h = server_hear(p, control, TURN_REFRESH, 120 * NS_S);
    line_send_message(control, server_challenge(p, &h, 438));
    h = server_hear(p, control, TURN_REFRESH, probe_soon(p));
    probe_require(p, server_verifies(p, &h), "after 438 the client did not ask again with the new nonce");
    answer_refresh(p, control, &h, DEFAULT_S);
    client_wants(p, WISH_RELEASE, NULL);
    h = server_hear(p, control, TURN_REFRESH, probe_soon(p));
    answer_error(p, control, &h, 437);
    h = line_request(control, TURN_REFRESH, 60 * NS_S);
    probe_require(p, h.kind != HEARD_STUN, "a delete was answered 437, and the client sent it again");
    probe_require(p, subject_times(p, TOLD_GONE) == 0,
                  "a delete was answered 437, and the client took it for a failure");

    control = client_has_relay(p, listener, 120);
    h = server_hear(p, control, TURN_REFRESH, 120 * NS_S);
    answer_error(p, control, &h, 437);
    probe_require(p, subject_told(p, TOLD_GONE, probe_soon(p)),
                  "a Refresh drew 437, and the client keeps the allocation");
}

static const struct requirement rows[] = {
    {"8656-8-1", "8", LEVEL_MUST, WHO_CLIENT, "A client refreshes its allocation before it expires.",
     .probe = client_refreshes_in_time, .needs = NEED_CLIENT, .seconds = 900},
    {"8656-8-2", "8", LEVEL_SHOULD, WHO_CLIENT,
     "A client that is done deletes its allocation: Refresh with LIFETIME 0.",
     .probe = client_deletes_when_done, .needs = NEED_CLIENT},
    {"8656-8.2-1", "8.2", LEVEL_STATED, WHO_SERVER, "A Refresh with LIFETIME 0 succeeds and deletes the allocation.",
     .probe = lifetime_0_deletes},
    {"8656-8.2-2", "8.2", LEVEL_STATED, WHO_SERVER, "A Refresh is granted its lifetime as an Allocate is.",
     .probe = the_lifetime_is_as_in_allocate},
    {"8656-8.2-3", "8.2", LEVEL_STATED, WHO_SERVER, "A Refresh without LIFETIME is granted 600 s.",
     .probe = without_lifetime_it_is_the_default},
    {"8656-8.2-4", "8.2", LEVEL_STATED, WHO_SERVER,
     "A Refresh whose REQUESTED-ADDRESS-FAMILY the allocation does not have draws 443.",
     .probe = another_family_is_refused},
    {"8656-8.2-5", "8.2", LEVEL_STATED, WHO_SERVER,
     "A Refresh success has LIFETIME.", .probe = success_has_the_lifetime},
    {"8656-8.2-6", "8.2", LEVEL_DERIVED, WHO_SERVER,
     "A Refresh starts the clock anew, also for less time than was left.", .probe = the_clock_starts_anew,
     .seconds = 603},
    {"8656-8.2-7", "8.2", LEVEL_STATED, WHO_SERVER,
     "A Refresh with LIFETIME 0 that is sent again draws 437 or success.",
     .probe = a_delete_sent_again, .needs = NEED_UDP_CLIENT},
    {"8656-8.2-8", "8.2", LEVEL_DERIVED, WHO_SERVER, "A Refresh does not prolong permissions.",
     .probe = refresh_is_of_the_allocation_alone, .seconds = 303},
    {"8656-8.3-1", "8.3", LEVEL_STATED, WHO_CLIENT,
     "438 to a Refresh is asked again with the new nonce; 437 means that the allocation is gone, which is what a "
     "delete is for.",
     .probe = client_takes_errors_rightly, .needs = NEED_CLIENT, .seconds = 180},
};

const struct section rfc8656_refresh = SECTION(rows);
