/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a NAT is to those behind it: found out as RFC 5780 does it, and each switch of struct fw_nat_behaviour. */
#include "models/firewall/advice.h"
#include "models/firewall/rig_test.h"

#define PAT "object network lan\n subnet 10.1.0.0 255.255.0.0\n nat (inside,outside) dynamic interface\n"
#define S(s) ((s) * UINT64_C(1000))

static void open_with(struct rig *g, const struct fw_nat_behaviour *b, const char *timers)
{
    rig_open(g, PAT, 0);
    fw_box_free(g->box);
    fw_rules_set_nat_behaviour(g->rules, b);
    assert_int_equal(fw_rules_add_inspection(g->rules, "icmp", 0, NULL), 0); /* answers to a ping pass */
    assert_int_equal(fw_rules_set_timers(g->rules, timers), 0);
    g->box = fw_box_new(&(struct fw_box_config){.rules = g->rules, .routes = &g->routes, .name = "fw"});
}

/* ---- RFC 5780: a client and a server with two addresses and two ports ---- */

static const char *const server[2] = {"203.0.113.9", "203.0.113.8"};
static const uint16_t server_port[2] = {3478, 3479};

static struct fw_packet packet(const struct rig *g, const char *in, unsigned proto, struct endpoint from,
                               struct endpoint to)
{
    return (struct fw_packet){.iface = fw_rules_find_interface(g->rules, in),
                              .flow = {(uint8_t)proto, from.ip, to.ip, from.port, to.port},
                              .tcp_flags = proto == PROTO_TCP ? FW_SYN : 0};
}

static struct endpoint far(unsigned address, unsigned port)
{
    return (struct endpoint){.ip = kit_ip(server[address]), .port = server_port[port]};
}

/* As which outside endpoint a request of the client arrives. */
static struct endpoint mapped(struct rig *g, unsigned proto, uint16_t port, unsigned address, unsigned to_port)
{
    struct endpoint client = {.ip = kit_ip("10.1.0.5"), .port = port};
    struct fw_packet p = packet(g, "inside", proto, client, far(address, to_port));
    struct fw_result r = fw_pass(g->box, 0, &p);
    assert_int_equal(r.fate, FW_PASS);
    return r.src;
}

static bool arrives(struct rig *g, unsigned proto, struct endpoint from, struct endpoint to, uint16_t port)
{
    struct fw_packet p = packet(g, "outside", proto, from, to);
    struct fw_result r = fw_pass(g->box, 0, &p);
    return r.fate == FW_PASS && r.dst.port == port && ip_v4_value(&r.dst.ip) == 0x0a010005;
}

/* RFC 5780 4.3. */
static enum fw_nat_dependence discover_mapping(struct rig *g, unsigned proto)
{
    struct endpoint first = mapped(g, proto, 5000, 0, 0), second = mapped(g, proto, 5000, 1, 0);
    if (endpoint_equal(&first, &second))
        return FW_ENDPOINT_INDEPENDENT;
    struct endpoint third = mapped(g, proto, 5000, 1, 1);
    return endpoint_equal(&second, &third) ? FW_ADDRESS_DEPENDENT : FW_ADDRESS_AND_PORT_DEPENDENT;
}

/* RFC 5780 4.4, from a port of its own: the answer is asked for from the other address and port, then from the other
 * port. */
static enum fw_nat_dependence discover_filtering(struct rig *g, unsigned proto)
{
    struct endpoint outside = mapped(g, proto, 6000, 0, 0);
    if (arrives(g, proto, far(1, 1), outside, 6000))
        return FW_ENDPOINT_INDEPENDENT;
    return arrives(g, proto, far(0, 1), outside, 6000) ? FW_ADDRESS_DEPENDENT : FW_ADDRESS_AND_PORT_DEPENDENT;
}

static void discovery_finds_what_is_set(void **state)
{
    (void)state;
    static const unsigned proto[] = {PROTO_UDP, PROTO_TCP};
    static const enum fw_nat_ports ports[] = {FW_PORTS_PRESERVE, FW_PORTS_SEQUENTIAL, FW_PORTS_RANDOM};
    for (unsigned n = 0; n < 3 * 3 * 3 * 2 * 2; n++) {
        struct fw_nat_behaviour b = {.mapping = (enum fw_nat_dependence)(n % 3),
                                     .filtering = (enum fw_nat_dependence)(n / 3 % 3),
                                     .ports = ports[n / 9 % 3], .parity = n / 27 % 2};
        struct rig g;
        open_with(&g, &b, "rfc");
        unsigned p = proto[n / 54];
        if (discover_mapping(&g, p) != b.mapping || discover_filtering(&g, p) != b.filtering)
            fail_msg("mapping %u, filtering %u, ports %u, protocol %u", b.mapping, b.filtering, b.ports, p);
        rig_close(&g);
    }
}

/* ---- ports ---- */

/* RFC 4787 REQ-4: the next port of the same parity; none of the other kind, however few are left. */
static void parity(void **state)
{
    (void)state;
    static const enum fw_nat_ports ports[] = {FW_PORTS_PRESERVE, FW_PORTS_SEQUENTIAL, FW_PORTS_RANDOM};
    struct rig g;
    for (size_t i = 0; i < 3; i++) {
        struct fw_nat_behaviour b = {.ports = ports[i], .parity = true};
        open_with(&g, &b, "rfc");
        for (unsigned host = 1; host <= 100; host++)
            for (uint16_t port = 5000; port < 5002; port++) {
                struct endpoint from = {.ip = ip_v4(0x0a010000 + host), .port = port};
                struct fw_packet p = packet(&g, "inside", PROTO_UDP, from, far(0, 0));
                assert_int_equal(fw_pass(g.box, 0, &p).src.port & 1, port & 1);
            }
        rig_close(&g);
    }
    struct fw_nat_behaviour b = {.ports = FW_PORTS_PRESERVE, .parity = true};
    open_with(&g, &b, "rfc");
    static const struct step steps[] = {
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:1", "outside 198.51.100.2:5002 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.6:5001 > 203.0.113.9:1", "outside 198.51.100.2:5001 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.7:5001 > 203.0.113.9:1", "outside 198.51.100.2:5003 > 203.0.113.9:1"},
    };
    rig_play(&g, steps, sizeof steps / sizeof *steps);
    rig_close(&g);
}

/* Port overloading: two hosts have one outside port, each answer finds its own; with one remote both cannot have it. */
static void overloading(void **state)
{
    (void)state;
    struct rig g;
    struct fw_nat_behaviour b = {.mapping = FW_ADDRESS_AND_PORT_DEPENDENT,
                                 .filtering = FW_ADDRESS_AND_PORT_DEPENDENT, .ports = FW_PORTS_OVERLOAD};
    static const struct step dependent[] = {
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:2", "outside 198.51.100.2:5000 > 203.0.113.9:2"},
        {1, "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "inside 203.0.113.9:1 > 10.1.0.5:5000"},
        {1, "outside", "udp 203.0.113.9:2 > 198.51.100.2:5000", "inside 203.0.113.9:2 > 10.1.0.6:5000"},
        {2, "inside", "udp 10.1.0.7:5000 > 203.0.113.9:1", "outside 198.51.100.2:5001 > 203.0.113.9:1"},
        /* when the first is forgotten its port is free again for that remote */
        {S(301), "inside", "udp 10.1.0.8:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
    };
    open_with(&g, &b, "rfc");
    rig_play(&g, dependent, sizeof dependent / sizeof *dependent);
    rig_close(&g);
    b.mapping = FW_ENDPOINT_INDEPENDENT;
    static const struct step independent[] = {
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:2", "outside 198.51.100.2:5000 > 203.0.113.9:2"},
        {1, "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "inside 203.0.113.9:1 > 10.1.0.5:5000"},
        {2, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:1", "drop nat-clash"},
    };
    open_with(&g, &b, "rfc");
    rig_play(&g, independent, sizeof independent / sizeof *independent);
    rig_close(&g);
}

/* The ports 1 to 511 are a class of their own (RFC 4787 REQ-3a): the 512th sender from one finds none, and is told
 * which line to look at; with parity the 257th. A port comes back when its time is over. */
static void exhaustion(void **state)
{
    (void)state;
    for (unsigned parity = 0; parity < 2; parity++) {
        struct rig g;
        struct fw_nat_behaviour b = {.parity = parity};
        open_with(&g, &b, "rfc");
        const uint16_t port = 501;
        const unsigned enough = parity ? 256 : 511;
        struct fw_result r = {.fate = FW_PASS};
        struct fw_packet p = {0};
        for (unsigned host = 1; host <= enough + 1; host++) {
            assert_int_equal(r.fate, FW_PASS);
            struct endpoint from = {.ip = ip_v4(0x0a010000 + host), .port = port};
            p = packet(&g, "inside", PROTO_UDP, from, far(0, 0));
            r = fw_pass(g.box, 0, &p);
        }
        assert_int_equal(r.fate, FW_DROP);
        assert_string_equal(r.reason, "pat-exhausted");
        assert_int_equal(r.rule->line - g.head, 3);
        char advice[FW_ADVICE_TEXT];
        fw_advise(g.rules, &p, &r, advice, sizeof advice);
        assert_non_null(strstr(advice, "every address and port of line 17 is in use"));
        assert_int_equal(fw_pass(g.box, S(300) * NS_MS - 1, &p).fate, FW_DROP);
        assert_int_equal(fw_pass(g.box, S(300) * NS_MS, &p).fate, FW_PASS);
        rig_close(&g);
    }
}

/* ---- who keeps a mapping alive ---- */

static void refresh_directions(void **state)
{
    (void)state;
    static const struct {
        enum fw_nat_refresh refresh;
        bool outbound, inbound;
    } rows[] = {
        {FW_REFRESH_OUTBOUND, true, false}, {FW_REFRESH_INBOUND, false, true}, {FW_REFRESH_BOTH, true, true}};
#define OUT "udp 10.1.0.5:5000 > 203.0.113.9:1"
#define IN "udp 203.0.113.9:1 > 198.51.100.2:5000"
#define OUT_OK "outside 198.51.100.2:5000 > 203.0.113.9:1"
#define IN_OK "inside 203.0.113.9:1 > 10.1.0.5:5000"
    for (size_t i = 0; i < 3; i++)
        for (unsigned inbound = 0; inbound < 2; inbound++) {
            struct rig g;
            struct fw_nat_behaviour b = {.filtering = FW_ADDRESS_AND_PORT_DEPENDENT, .refresh = rows[i].refresh};
            open_with(&g, &b, "rfc");
            bool kept = inbound ? rows[i].inbound : rows[i].outbound;
            const struct step steps[] = {
                {0, "inside", OUT, OUT_OK},
                {S(299), inbound ? "outside" : "inside", inbound ? IN : OUT, inbound ? IN_OK : OUT_OK},
                {S(300), "outside", IN, kept ? IN_OK : "drop idle-timeout"},
            };
            rig_play(&g, steps, 3);
            rig_close(&g);
        }
}

/* ---- timers at their edges: RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 7857 2 ---- */

#define SYN "tcp S 10.1.0.5:5000 > 203.0.113.9:1"
#define SYN_ACK "tcp SA 203.0.113.9:1 > 198.51.100.2:5000"
#define ACK "tcp A 10.1.0.5:5000 > 203.0.113.9:1"
#define FIN_OUT "tcp FA 10.1.0.5:5000 > 203.0.113.9:1"
#define FIN_IN "tcp FA 203.0.113.9:1 > 198.51.100.2:5000"
#define RST_IN "tcp R 203.0.113.9:1 > 198.51.100.2:5000"
#define DATA_IN "tcp A 203.0.113.9:1 > 198.51.100.2:5000"
#define HANDSHAKE {0, "inside", SYN, OUT_OK}, {0, "outside", SYN_ACK, IN_OK}, {0, "inside", ACK, OUT_OK}

static void each_timer_at_its_edge(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms; /* idle so long */
        struct step before[6];
        const char *packet;
    } rows[] = {
        {S(300), {{0, "inside", OUT, OUT_OK}}, IN},
        {S(240), {{0, "inside", SYN, OUT_OK}}, SYN_ACK},                              /* partially open */
        {S(240), {{0, "inside", SYN, OUT_OK}, {0, "outside", SYN_ACK, IN_OK}}, DATA_IN},
        {S(7440), {HANDSHAKE}, DATA_IN},
        {S(240), {HANDSHAKE, {0, "inside", FIN_OUT, OUT_OK}}, DATA_IN},               /* partially closed */
        {S(240), {HANDSHAKE, {0, "inside", FIN_OUT, OUT_OK}, {0, "outside", FIN_IN, IN_OK}}, DATA_IN},
        {S(240), {HANDSHAKE, {0, "outside", RST_IN, IN_OK}}, DATA_IN},                /* transitory */
        {S(60), {{0, "inside", "ping 7 10.1.0.5 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 7"}},
         "pong 7 203.0.113.9 > 198.51.100.2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned late = 0; late < 2; late++) {
            struct rig g;
            struct fw_nat_behaviour b = {.filtering = FW_ADDRESS_AND_PORT_DEPENDENT};
            open_with(&g, &b, "rfc");
            size_t n = 0;
            while (n < 6 && rows[i].before[n].packet)
                n++;
            rig_play(&g, rows[i].before, n);
            struct fw_packet p = packet_of(&g, "outside", rows[i].packet);
            struct fw_result r = fw_pass(g.box, rows[i].ms * NS_MS - !late, &p);
            if (r.fate != (late ? FW_DROP : FW_PASS))
                fail_msg("row %zu %s: %s", i, late ? "late" : "in time", r.reason ? r.reason : "passed");
            rig_close(&g);
        }
}

/* A port that its last connection has left is kept for its mapping so long (asa: 30 s), and an address 3 hours: until
 * then its owner gets it again, and nobody else does. */
static void translations_outlive_their_connections(void **state)
{
    (void)state;
    struct rig g;
    struct fw_nat_behaviour b = {.filtering = FW_ADDRESS_AND_PORT_DEPENDENT, .refresh = FW_REFRESH_BOTH};
    static const struct step port[] = {
        {0, "inside", OUT, OUT_OK}, /* over at 120 s, its port at 150 s */
        {S(150) - 1, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:1", "outside 198.51.100.2:5001 > 203.0.113.9:1"},
        {S(150), "inside", "udp 10.1.0.7:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
    };
    open_with(&g, &b, "asa");
    rig_play(&g, port, 3);
    rig_close(&g);
    rig_open(&g, "object network pool\n range 198.51.100.30 198.51.100.31\nobject network lan\n"
                 " subnet 10.1.0.0 255.255.0.0\n nat (inside,outside) dynamic pool\n", 0);
    static const struct step address[] = {
        {0, "inside", OUT, "outside 198.51.100.30:5000 > 203.0.113.9:1"},
        {0, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:1", "outside 198.51.100.31:5000 > 203.0.113.9:1"},
        {S(120 + 10800) - 1, "inside", "udp 10.1.0.7:5000 > 203.0.113.9:1", "drop pat-exhausted 5"},
        {S(120 + 10800), "inside", "udp 10.1.0.7:5000 > 203.0.113.9:1",
         "outside 198.51.100.30:5000 > 203.0.113.9:1"},
    };
    rig_play(&g, address, 4);
    rig_close(&g);
}

/* ---- addresses in payload ---- */

/* What an inspection makes of addresses in a packet that passes: of its own two, of a host with a static rule both
 * ways, of other hosts inside, and of what is on neither side. */
static void payload_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *in, *packet, *was, *is;
    } rows[] = {
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "10.1.0.5", "198.51.100.2"},
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "203.0.113.9", NULL},
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "10.1.0.7", "198.51.100.7"},
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "10.1.0.9", "198.51.100.2"},
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "192.0.2.77", NULL},
        {"inside", "udp 10.1.0.5:5060 > 203.0.113.9:5060", "198.51.100.7", NULL},
        {"outside", "udp 203.0.113.9:5060 > 198.51.100.2:5060", "198.51.100.2", "10.1.0.5"},
        {"outside", "udp 203.0.113.9:5060 > 198.51.100.2:5060", "198.51.100.7", "10.1.0.7"},
        {"outside", "udp 203.0.113.9:5060 > 198.51.100.2:5060", "203.0.113.9", NULL},
        {"outside", "udp 203.0.113.9:5060 > 198.51.100.2:5060", "10.1.0.9", NULL},
    };
    struct rig g;
    rig_open(&g, "object network seven\n host 10.1.0.7\n nat (inside,outside) static 198.51.100.7\n"
                 "nat (inside,outside) after-auto source dynamic any interface\n", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fw_packet p = packet_of(&g, rows[i].in, rows[i].packet);
        struct fw_result r = fw_pass(g.box, 0, &p);
        assert_int_equal(r.fate, FW_PASS);
        struct ip_addr ip = kit_ip(rows[i].was), want = kit_ip(rows[i].is ? rows[i].is : rows[i].was);
        bool changed = fw_box_payload_address(g.box, &p, &r, &ip);
        if (changed != (rows[i].is != NULL) || !ip_equal(&ip, &want))
            fail_msg("row %zu", i);
    }
    rig_close(&g);
}

/* ---- hairpinning (RFC 4787 REQ-9) ---- */

static void hairpinning(void **state)
{
    (void)state;
    static const struct {
        enum fw_nat_hairpin hairpin;
        const char *there;
    } rows[] = {
        {FW_HAIRPIN_NONE, "drop to-the-box"},
        {FW_HAIRPIN_EXTERNAL, "inside 198.51.100.2:6000 > 10.1.0.5:5000"},
        {FW_HAIRPIN_INTERNAL, "inside 10.1.0.6:6000 > 10.1.0.5:5000"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct rig g;
        struct fw_nat_behaviour b = {.hairpin = rows[i].hairpin};
        open_with(&g, &b, "rfc");
        const struct step steps[] = {{0, "inside", OUT, OUT_OK},
                                     {1, "inside", "udp 10.1.0.6:6000 > 198.51.100.2:5000", rows[i].there}};
        rig_play(&g, steps, 2);
        rig_close(&g);
    }
}

/* ---- unsolicited SYNs (RFC 5382 REQ-4) ---- */

#define SYN_IN "tcp S 203.0.113.9:1 > 198.51.100.2:5000"

static struct fw_result try(struct rig *g, uint64_t ns, const char *in, const char *text)
{
    struct fw_packet p = packet_of(g, in, text);
    return fw_pass(g->box, ns, &p);
}

static void unsolicited_syn(void **state)
{
    (void)state;
    struct rig g;
    struct fw_nat_behaviour b = {.filtering = FW_ADDRESS_AND_PORT_DEPENDENT, .unsolicited_syn = FW_SYN_HOLD};
    open_with(&g, &b, "rfc");
    struct fw_result r = try(&g, 0, "outside", SYN_IN);
    assert_int_equal(r.fate, FW_DROP);
    assert_int_not_equal(r.held, 0);
    assert_int_equal(try(&g, 1 * NS_S, "outside", SYN_IN).held, r.held); /* sent again: the same one */
    assert_true(fw_box_deadline(g.box) == 6 * NS_S);
    assert_int_equal(fw_box_due(g.box, 6 * NS_S - 1), 0);
    assert_int_equal(fw_box_due(g.box, 6 * NS_S), r.held);
    assert_int_equal(fw_box_due(g.box, 6 * NS_S), 0);
    assert_true(fw_box_deadline(g.box) == TIME_NEVER);
    /* an inside SYN crosses it: forgotten, and what comes again is let in (REQ-2) */
    assert_int_not_equal(try(&g, 10 * NS_S, "outside", SYN_IN).held, 0);
    assert_int_equal(try(&g, 12 * NS_S, "inside", SYN).fate, FW_PASS);
    assert_true(fw_box_deadline(g.box) == TIME_NEVER);
    assert_int_equal(try(&g, 13 * NS_S, "outside", SYN_IN).fate, FW_PASS);
    /* neither an answer, nor a datagram, nor what goes elsewhere is held */
    assert_int_equal(try(&g, 20 * NS_S, "outside", "tcp SA 203.0.113.8:1 > 198.51.100.2:5001").held, 0);
    assert_int_equal(try(&g, 20 * NS_S, "outside", "udp 203.0.113.8:1 > 198.51.100.2:5001").held, 0);
    assert_int_equal(try(&g, 20 * NS_S, "outside", "tcp S 203.0.113.8:1 > 10.0.10.9:5001").held, 0);
    rig_close(&g);
    /* as many as there is room for */
    open_with(&g, &b, "rfc");
    for (uint16_t i = 0; i < FW_HELD_MAX + 2; i++) {
        struct fw_packet p = packet_of(&g, "outside", SYN_IN);
        p.flow.sport = (uint16_t)(1000 + i);
        assert_int_equal(fw_pass(g.box, 0, &p).held, i < FW_HELD_MAX ? i + 1 : 0);
    }
    rig_close(&g);
    b.unsolicited_syn = FW_SYN_DROP;
    open_with(&g, &b, "rfc");
    assert_int_equal(try(&g, 0, "outside", SYN_IN).held, 0);
    rig_close(&g);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovery_finds_what_is_set),
        cmocka_unit_test(parity),
        cmocka_unit_test(overloading),
        cmocka_unit_test(exhaustion),
        cmocka_unit_test(refresh_directions),
        cmocka_unit_test(each_timer_at_its_edge),
        cmocka_unit_test(translations_outlive_their_connections),
        cmocka_unit_test(payload_addresses),
        cmocka_unit_test(hairpinning),
        cmocka_unit_test(unsolicited_syn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
