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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_to_host),
        cmocka_unit_test(every_combination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
