/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ICE agents, a relay each, behind every pair of the nine NATs of RFC 4787: the pair that they come to. */
#include "models/base/err.h"
#include "models/firewall/fwbox.h"
#include "models/ice/udp_world_test.h"

enum { BEHAVIOURS = 9, INSIDE = 0, OUTSIDE = 1 };

/* ---- the boxes ---- */

struct nat {
    struct fw_rules *rules;
    struct fw_routes routes;
    struct fw_box *box;
    struct ip_addr outside;
};

static struct ip_prefix prefix(const char *s)
{
    struct ip_prefix p;
    assert_int_equal(prefix_parse(s, &p), 0);
    return p;
}

/* Number n of the nine: mapping n / 3, filtering n % 3, each as RFC 4787 orders them. */
static void nat_open(struct nat *n, const char *inside, const char *outside, unsigned number)
{
    struct ip_prefix own[2] = {prefix(inside), prefix(outside)}, everywhere = prefix("0.0.0.0/0");
    static const char *const name[2] = {"inside", "outside"};
    struct fw_nat_behaviour b = {.mapping = (enum fw_nat_dependence)(number / 3),
                                 .filtering = (enum fw_nat_dependence)(number % 3), .ports = FW_PORTS_SEQUENTIAL};
    n->rules = fw_rules_new("nat");
    n->outside = own[OUTSIDE].ip;
    for (int i = 0; i < 2; i++) {
        struct fw_iface_spec iface = {
            .name = name[i], .level = i == INSIDE ? 100 : 0, .address = &own[i], .address_count = 1};
        assert_int_equal(fw_rules_add_interface(n->rules, &iface), i);
        fw_routes_add(&n->routes, &(struct fw_route){.to = own[i], .iface = i});
    }
    fw_routes_add(&n->routes, &(struct fw_route){.to = everywhere, .iface = OUTSIDE});
    struct fw_nat_spec spec = {.section = FW_NAT_MANUAL, .real_iface = INSIDE, .mapped_iface = OUTSIDE,
                               .dynamic = true, .pat = true, .interface = true};
    assert_int_equal(fw_rules_add_nat(n->rules, &spec), 0);
    fw_rules_set_nat_behaviour(n->rules, &b);
    n->box = fw_box_new(&(struct fw_box_config){.rules = n->rules, .routes = &n->routes, .name = "nat"});
    assert_non_null(n->box);
}

static void nat_close(struct nat *n)
{
    fw_box_free(n->box);
    fw_routes_free(&n->routes);
    fw_rules_free(n->rules);
}

static struct fw_result pass(struct nat *n, int iface, const struct datagram *d)
{
    struct fw_packet p = {.iface = iface, .flow = {PROTO_UDP, d->from.ip, d->to.ip, d->from.port, d->to.port}};
    return fw_pass(n->box, d->at, &p);
}

static struct endpoint leaves(void *boxes, int who, const struct datagram *d)
{
    struct nat *n = boxes;
    struct fw_result r = pass(&n[who], INSIDE, d);
    assert_int_equal(r.fate, FW_PASS);
    return r.src;
}

static int enters(void *boxes, const struct datagram *d, struct endpoint *base)
{
    struct nat *n = boxes;
    for (int who = A; who <= B; who++) {
        struct fw_result r = {.fate = FW_DROP};
        if (ip_equal(&d->to.ip, &n[who].outside))
            r = pass(&n[who], OUTSIDE, d);
        if (r.fate == FW_PASS) {
            *base = r.dst;
            return who;
        }
    }
    return -1;
}

/* ---- what is to be expected ----
 *
 * Each side has told its host address, which the other cannot reach, the one that a STUN server saw (S), and a relay
 * (R). Both have sent to each other's S, and each session keeps the mapping that it began with.
 *
 * A box with endpoint-independent mapping (rows and columns 0 to 2) is at S for everybody. Another one (3 to 8) sends
 * to the peer from a port that nobody was told: it is seen as peer-reflexive there (P), and at S it is reached only if
 * it filters by no address (3, 6), for S has a session with the STUN server alone.
 *  - Both independent: each is at S for the other and has sent there: "SS", whatever they filter.
 *  - A independent, B not: A has sent to B's address, though not to the port that B comes from: B's check passes unless
 *    A filters by port (2): "SP". Then A's own checks to B's S do not help, even if B lets in everybody: B has a
 *    session of its own with A's S, by another port. It takes a relay. Of the two kinds of pair, A's S with B's relay
 *    and A's relay with B's P, the second has the higher priority (P is worth 110, S 100): "RP".
 *  - B independent, A not: the same from the other side: "PS", and relayed "PR".
 *  - Neither: from P to the other's S where that lets in everybody; to B's, "PS", or to A's, "SP"; where both do, the
 *    one in which the controlling side has the better candidate, A's P: "PS". Else relayed: both kinds are P and R, and
 *    again the controlling side's better one tips it: "PR".
 */
static const char *const expected[BEHAVIOURS][BEHAVIOURS] = {
    /* B: mapping    endpoint-independent  address-dependent    address-and-port-dependent
     *    filtering  none  addr  port      none  addr  port     none  addr  port */
    /* A: 0 */     {"SS", "SS", "SS",       "SP", "SP", "SP",    "SP", "SP", "SP"},
    /*    1 */     {"SS", "SS", "SS",       "SP", "SP", "SP",    "SP", "SP", "SP"},
    /*    2 */     {"SS", "SS", "SS",       "RP", "RP", "RP",    "RP", "RP", "RP"},
    /*    3 */     {"PS", "PS", "PR",       "PS", "SP", "SP",    "PS", "SP", "SP"},
    /*    4 */     {"PS", "PS", "PR",       "PS", "PR", "PR",    "PS", "PR", "PR"},
    /*    5 */     {"PS", "PS", "PR",       "PS", "PR", "PR",    "PS", "PR", "PR"},
    /*    6 */     {"PS", "PS", "PR",       "PS", "SP", "SP",    "PS", "SP", "SP"},
    /*    7 */     {"PS", "PS", "PR",       "PS", "PR", "PR",    "PS", "PR", "PR"},
    /*    8 */     {"PS", "PS", "PR",       "PS", "PR", "PR",    "PS", "PR", "PR"},
};

static char letter(enum ice_type type)
{
    static const char letters[] = {[ICE_HOST] = 'H', [ICE_SRFLX] = 'S', [ICE_PRFLX] = 'P', [ICE_RELAY] = 'R'};
    return letters[type];
}

static void every_pair_of_nats(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (unsigned n = 0; n < BEHAVIOURS * BEHAVIOURS; n++) {
        struct nat nat[2] = {{0}};
        nat_open(&nat[A], "10.0.0.254/24", "203.0.113.1/24", n / BEHAVIOURS);
        nat_open(&nat[B], "10.1.0.254/24", "203.0.113.2/24", n % BEHAVIOURS);
        struct world *w = world_new();
        w->leaves = leaves;
        w->enters = enters;
        w->boxes = nat;
        world_agents(w);
        world_offer(w, A, HOST | SRFLX | RELAYED);
        world_offer(w, B, HOST | SRFLX | RELAYED);
        world_start(w);
        world_run(w, 5 * NS_S);
        assert_int_equal(w->nominated[A], 1);
        assert_int_equal(w->nominated[B], 1);
        world_agrees(w);
        const struct ice_event *ev = &w->last_nominated[A];
        char found[3] = {letter(ev->mapped.type), letter(ev->remote.type), 0};
        if (strcmp(found, expected[n / BEHAVIOURS][n % BEHAVIOURS]) != 0) {
            print_error("NAT %u with %u: expected %s, found %s\n", n / BEHAVIOURS, n % BEHAVIOURS,
                        expected[n / BEHAVIOURS][n % BEHAVIOURS], found);
            wrong++;
        }
        world_free(w);
        nat_close(&nat[A]);
        nat_close(&nat[B]);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_nats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
