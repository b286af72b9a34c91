/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents over UDP against each other: which pair they come to, through what, and in which order. */
#include "models/base/err.h"
#include "models/ice/udp_world_test.h"

/* Both hosts can be reached: each step at its time. B's triggered check takes the place of the one under way. */
static void host_to_host(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_agents(w);
    world_offer(w, A, HOST);
    world_offer(w, B, HOST);
    world_start(w);
    world_run(w, 1 * NS_S);
#define A_TO_B "10.0.0.1:5000 > 10.1.0.1:6000\n"
#define B_TO_A "10.1.0.1:6000 > 10.0.0.1:5000\n"
    assert_string_equal(w->log, "0 A Binding request " A_TO_B
                                "0 B Binding request " B_TO_A
                                "10 B Binding success " B_TO_A
                                "10 A Binding success " A_TO_B
                                "20 A VALID " A_TO_B
                                "20 B VALID " B_TO_A
                                "50 A Binding request " A_TO_B /* with USE-CANDIDATE, Ta after the first */
                                "60 B Binding success " B_TO_A
                                "60 B NOMINATED " B_TO_A
                                "70 A NOMINATED " A_TO_B);
    world_agrees(w);
    assert_int_equal(w->last_nominated[A].mapped.type, ICE_HOST);
    world_free(w);
}

/* Can these two reach each other without a relay? A host that is told and open; reflexive addresses that both know,
 * and of two boxes at most one that maps anew for each peer, the other then letting everybody in. */
static bool may_be_direct(const enum box box[2], const unsigned offers[2])
{
    bool found[2];
    for (int i = A; i <= B; i++) {
        if (!(offers[i] & (HOST | SRFLX)) || (box[i] == OPEN && !(offers[i] & HOST)))
            return false; /* nothing to send from */
        found[i] = box[i] == OPEN || (offers[i] & SRFLX);
    }
    for (int i = A; i <= B; i++)
        if (found[i] && (box[i] == OPEN || box[i] == FULL_CONE))
            return true; /* the other one finds it, and is answered */
    return found[A] && found[B] && box[A] == CONE && box[B] == CONE;
}

static bool has_any(enum box box, unsigned offers)
{
    return (offers & ~(unsigned)(box == OPEN ? SRFLX : 0)) != 0;
}

/* Every set of candidates of each side behind every box: a direct pair where there is one, else one with a relay, else
 * none. */
static void every_combination(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8 * 8 * 4 * 4; n++) {
        unsigned offers[2] = {n & 7, n >> 3 & 7};
        enum box box[2] = {(enum box)(n >> 6 & 3), (enum box)(n >> 8 & 3)};
        if (!has_any(box[A], offers[A]) || !has_any(box[B], offers[B]))
            continue;
        struct world *w = world_new();
        memcpy(w->box, box, sizeof box);
        world_agents(w);
        world_offer(w, A, offers[A]);
        world_offer(w, B, offers[B]);
        world_start(w);
        world_run(w, 31 * NS_S);
        bool direct = may_be_direct(box, offers), relayed = (offers[A] | offers[B]) & RELAYED;
        bool up = w->nominated[A] == 1 && w->nominated[B] == 1;
        if (up != (direct || relayed) || w->failed[A] == up || w->failed[B] == up)
            fail_msg("boxes %u %u, offers %u %u: %s\n%s", box[A], box[B], offers[A], offers[B], up ? "up" : "down",
                     w->log);
        if (up) {
            const struct ice_event *ev = &w->last_nominated[A];
            bool by_relay = ev->mapped.type == ICE_RELAY || ev->remote.type == ICE_RELAY ||
                            endpoint_equal(&ev->remote.address, &w->relay[B]);
            world_agrees(w);
            if (by_relay == direct)
                fail_msg("boxes %u %u, offers %u %u: %s\n%s", box[A], box[B], offers[A], offers[B],
                         by_relay ? "relayed" : "direct", w->log);
        }
        world_free(w);
    }
}

/* Of all datagrams 30 % are lost: they come to one pair all the same, and to the same one. But for a few: seven times
 * there and back makes 0.51^7, nearly a hundredth, of the nominating checks go unanswered, and that is the end
 * (RFC 8445 7.2.5.3.4). */
static void loss(void **state)
{
    (void)state;
    unsigned refused = 0;
    static const enum box boxes[][2] = {{OPEN, OPEN}, {CONE, CONE}, {SYMMETRIC, CONE}, {OPEN, SYMMETRIC}};
    for (unsigned seed = 0; seed < 100; seed++) {
        struct world *w = world_new();
        char name[32];
        snprintf(name, sizeof name, "loss/%u", seed);
        w->rng = rng_named(1, name);
        w->loss_percent = 30;
        memcpy(w->box, boxes[seed % 4], sizeof w->box);
        world_agents(w);
        world_offer(w, A, HOST | SRFLX | RELAYED);
        world_offer(w, B, HOST | SRFLX | RELAYED);
        world_start(w);
        world_run(w, 45 * NS_S);
        assert_int_equal(w->nominated[B], 1);
        assert_int_equal(w->nominated[A] + w->failed[A], 1);
        refused += w->failed[A];
        if (!w->failed[A])
            world_agrees(w);
        world_free(w);
    }
    assert_true(refused <= 2);
}

/* Both think they control, or neither: the larger tie-breaker does, and nominates. */
static void role_conflict(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world *w = world_new();
        int winner = i & 2 ? A : B;
        w->cfg[A].controlling = w->cfg[B].controlling = i & 1;
        w->cfg[winner].tie_breaker = 9;
        world_agents(w);
        world_offer(w, A, HOST);
        world_offer(w, B, HOST);
        world_start(w);
        world_run(w, 2 * NS_S);
        assert_int_equal(w->nominated[A], 1);
        assert_int_equal(w->nominated[B], 1);
        assert_non_null(strstr(w->log, "Binding error 487"));
        assert_int_equal(w->uses[winner], 1);
        assert_int_equal(w->uses[1 - winner], 0);
        world_free(w);
    }
}

/* B's checks overtake the answer that has its password and candidates: A answers, learns where B is, checks as soon as
 * it may, and takes what it learned for what the answer then calls it. */
static void late_answer(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_agents(w);
    ice_set_remote_credentials(w->agent[A], "", "");
    struct ice_candidate a = udp_candidate(ICE_HOST, &w->host[A], "h"), b = udp_candidate(ICE_HOST, &w->host[B], "h");
    ice_add_local(w->agent[A], &a);
    ice_add_local(w->agent[B], &b);
    world_start(w);
    world_run(w, 1 * NS_S);
    assert_string_equal(w->log, "");
    ice_add_remote(w->agent[B], &a); /* late, after start */
    world_run(w, 2 * NS_S);
    assert_int_equal(w->requests[A], 0);
    assert_int_equal(w->valid[B], 1);
    ice_set_remote_credentials(w->agent[A], w->cfg[B].ufrag, w->cfg[B].pwd);
    ice_add_remote(w->agent[A], &b);
    world_run(w, 3 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    assert_int_equal(w->last_nominated[A].remote.type, ICE_HOST);
    assert_true(w->last_nominated[A].remote.priority == b.priority);
    world_free(w);
}

/* A candidate that is told when others have been under way for long is tried, and wins when it is the better one; told
 * after nomination it changes nothing. */
static void late_candidate(void **state)
{
    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        struct world *w = world_new();
        world_agents(w);
        world_offer(w, A, HOST);
        world_offer(w, B, after ? RELAYED : SRFLX); /* B is open: no reflexive one */
        world_start(w);
        world_run(w, 5 * NS_S);
        assert_int_equal(w->nominated[A], after);
        unsigned asked = w->requests[A];
        world_offer(w, B, HOST);
        world_run(w, 6 * NS_S);
        assert_int_equal(w->nominated[A], 1);
        assert_int_equal(w->last_nominated[A].remote.type, after ? ICE_RELAY : ICE_HOST);
        assert_int_equal(w->requests[A] == asked, after);
        world_free(w);
    }
}

/* Nobody has told of A's address on its box, nor has B of its own: each side learns what the other has, and what it
 * has itself. */
static void peer_reflexive_on_both_sides(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->box[A] = SYMMETRIC;
    w->box[B] = FULL_CONE;
    world_agents(w);
    world_offer(w, A, HOST);
    struct endpoint stun = kit_endpoint("192.0.2.1:3478"), seen = world_mapped(w, B, &w->host[B], &stun);
    struct ice_candidate host = udp_candidate(ICE_HOST, &w->host[B], "h");
    struct ice_candidate told = udp_candidate(ICE_SRFLX, &seen, "s");
    ice_add_local(w->agent[B], &host);
    ice_add_remote(w->agent[A], &told);
    world_start(w);
    world_run(w, 2 * NS_S);
    const struct ice_event *a = &w->last_nominated[A], *b = &w->last_nominated[B];
    assert_int_equal(a->mapped.type, ICE_PRFLX);
    assert_int_equal(a->remote.type, ICE_SRFLX);
    assert_int_equal(b->mapped.type, ICE_PRFLX);
    assert_int_equal(b->remote.type, ICE_PRFLX);
    assert_true(endpoint_equal(&a->local.address, &w->host[A]));
    assert_true(endpoint_equal(&b->mapped.related, &w->host[B]));
    assert_true(b->remote.priority == (110u << 24 | (ice_priority(ICE_HOST, ICE_UDP, 1) & 0xffffff)));
    world_agrees(w);
    world_free(w);
}

/* Two hosts of IPv6, and which addresses are a pair at all: of one family, link-local with its like (RFC 8445
 * 6.1.2.2). */
static void ipv6(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->host[A] = kit_endpoint("[2001:db8::1]:5000");
    w->host[B] = kit_endpoint("[2001:db8::2]:6000");
    world_agents(w);
    world_offer(w, A, HOST);
    world_offer(w, B, HOST);
    static const char *const more[][2] = {{"[fe80::1]:5000", "[fe80::2]:6000"}, {"10.0.0.1:5000", "10.0.0.2:6000"}};
    for (unsigned i = 0; i < 2; i++) {
        for (int who = A; who <= B; who++) {
            struct endpoint at = kit_endpoint(more[i][who]);
            struct ice_candidate c = udp_candidate(ICE_HOST, &at, i ? "i" : "j");
            c.priority -= (i + 1) << 8;
            world_tell(w, who, &c);
        }
    }
    w->cut[B] = true;
    world_start(w);
    world_run(w, 400 * NS_MS);
    assert_int_equal(w->requests[A], 3);
    w->cut[B] = false;
    world_run(w, 2 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    assert_true(endpoint_equal(&w->last_nominated[A].remote.address, &w->host[B]));
    world_free(w);
}

/* Microsoft's attributes and paddings, over UDP. */
static void microsoft(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (int i = A; i <= B; i++)
        w->cfg[i].dialect = ICE_DIALECT_MICROSOFT;
    world_agents(w);
    world_offer(w, A, HOST | RELAYED);
    world_offer(w, B, HOST | RELAYED);
    world_start(w);
    world_run(w, 2 * NS_S);
    assert_int_equal(w->nominated[A] + w->nominated[B], 2);
    world_agrees(w);
    world_free(w);
}

/* Each component has its pair. */
static void two_components(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_agents(w);
    for (int who = A; who <= B; who++) {
        for (uint8_t component = 1; component <= 2; component++) {
            struct endpoint at = w->host[who];
            at.port = (uint16_t)(at.port + component);
            struct ice_candidate c = udp_candidate(ICE_HOST, &at, "h");
            c.component = component;
            c.priority = ice_priority(ICE_HOST, ICE_UDP, component);
            world_tell(w, who, &c);
        }
    }
    world_start(w);
    world_run(w, 1 * NS_S);
    assert_int_equal(w->nominated[A], 2);
    assert_int_equal(w->nominated[B], 2);
    world_run(w, 60 * NS_S);
    assert_int_equal(w->failed[A] + w->failed[B], 0);
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_to_host),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(loss),
        cmocka_unit_test(role_conflict),
        cmocka_unit_test(late_answer),
        cmocka_unit_test(late_candidate),
        cmocka_unit_test(peer_reflexive_on_both_sides),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(microsoft),
        cmocka_unit_test(two_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
