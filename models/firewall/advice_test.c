/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mistake, the packet that it drops, and the words that name the line and the cure. */
#include "models/firewall/advice.h"

#include "models/base/time.h"
#include "models/firewall/rig_test.h"
#include "models/testkit/testkit.h"

#define EXPE "object network expe\n host 10.0.10.2\nobject network public\n host 198.51.100.20\n"
#define STATIC EXPE "object network expe\n nat (dmz,outside) static public\n"      /* lines 1-6 */
#define BIND "access-group outside_in in interface outside\n"
#define A "access-list outside_in extended "
#define DENY A "deny ip any any log\n"
#define LINE "access-list outside_in extended permit "
#define TURN "tcp S 203.0.113.9:50100 > 198.51.100.20:28500"
#define WEB "tcp S 203.0.113.9:7 > 198.51.100.20:443"

static const struct mistake {
    const char *config, *in, *packet, *reason;
    unsigned line; /* blamed, behind HEAD; 0: none */
    const char *advice;
} mistakes[] = {
    /* T1: TURN opened for UDP only */
    {STATIC A "permit udp any host 10.0.10.2 eq 3478\n" DENY BIND, "outside",
     "tcp S 203.0.113.9:7 > 198.51.100.20:3478", "acl", 8,
     "wrong protocol: line 7 permits udp only; insert before line 8: " LINE "tcp any host 10.0.10.2 eq 3478"},
    /* T2: relay ports for UDP only */
    {STATIC A "permit udp any host 10.0.10.2 range 24000 29999\n" DENY BIND, "outside", TURN, "acl", 8,
     "wrong protocol: line 7 permits udp only; insert before line 8: " LINE
     "tcp any host 10.0.10.2 range 24000 29999"},
    /* T3: the range ends too early, also beside a UDP line that has it right */
    {STATIC A "permit udp any host 10.0.10.2 range 24000 29999\n" A
              "permit tcp any host 10.0.10.2 range 24000 27999\n" BIND,
     "outside", TURN, "implicit", 0,
     "the range of line 8 ends at 27999; access-list outside_in ends in an implicit deny; add after line 8: " LINE
     "tcp any host 10.0.10.2 range 24000 29999 (in interface outside)"},
    /* of two ranges that end too early, the nearer one */
    {STATIC A "permit tcp any host 10.0.10.2 range 24000 24999\n" A
              "permit tcp any host 10.0.10.2 range 24000 27999\n" DENY BIND,
     "outside", TURN, "acl", 9,
     "the range of line 8 ends at 27999; insert before line 9: " LINE "tcp any host 10.0.10.2 range 24000 29999"},
    /* T4: written on the public address */
    {STATIC A "permit tcp any4 host 198.51.100.20 eq https\n" DENY BIND, "outside", WEB, "acl", 8,
     "line 7 is written on the mapped address 198.51.100.20: since 8.3 access-lists match the real address "
     "10.0.10.2; "
     "in place of line 7: " LINE "tcp any4 host 10.0.10.2 eq 443"},
    /* T10: the global list comes too late */
    {STATIC DENY
     "access-list everywhere extended permit tcp any host 10.0.10.2 eq 443\naccess-group everywhere global\n" BIND,
     "outside", WEB, "acl", 7, "insert before line 7: " LINE "tcp any host 10.0.10.2 eq 443"},
    /* T13: the protocol group is right, the port is another */
    {STATIC "object-group protocol TCPUDP\n protocol-object tcp\n protocol-object udp\n" A
            "permit object-group TCPUDP any host 10.0.10.2 eq 3478\n" DENY BIND,
     "outside", TURN, "acl", 11, "insert before line 11: " LINE "tcp any host 10.0.10.2 range 24000 29999"},
    /* T14: a netmask with holes that does not have the host */
    {STATIC A "permit tcp any 10.0.10.1 255.255.255.1 eq 443\n" DENY BIND, "outside", WEB, "acl", 8,
     "line 7 permits it to other addresses than 10.0.10.2; insert before line 8: " LINE
     "tcp any host 10.0.10.2 eq 443"},
    /* T15 */
    {STATIC A "permit udp any host 10.0.10.2 eq dns\n" DENY BIND, "outside", "udp 203.0.113.9:7 > 198.51.100.20:53",
     "acl", 8,
     "`dns` in line 7 is port 195 (dnsix): write `domain`; insert before line 8: " LINE
     "udp any host 10.0.10.2 eq 53"},
    /* T16 */
    {STATIC A "permit tcp any host 10.0.10.2 eq 443 inactive\n" DENY BIND, "outside", WEB, "acl", 8,
     "line 7 would permit it, but is inactive: remove `inactive` from line 7"},
    {STATIC "time-range shares\n absolute start 8:00 1 March 2027\n" A
            "permit tcp any host 10.0.10.2 eq 443 time-range shares\n" DENY BIND, "outside", WEB, "acl", 10,
     "line 9 would permit it, but time-range shares is not active now: change the time-range, or remove it from "
     "line 9"},
    {STATIC "time-range shares\n absolute start 8:00 1 March 2027\n" A
            "permit tcp any host 10.0.10.2 eq 443 time-range shares inactive\n" DENY BIND, "outside", WEB, "acl", 10,
     "line 9 would permit it, but is inactive: remove `inactive` from line 9"},
    /* P17: shadowed */
    {STATIC DENY A "permit tcp any host 10.0.10.2 eq 443\n" BIND, "outside", WEB, "acl", 7,
     "line 8 permits it, but line 7 denies it first: move line 8 above line 7"},
    /* P16: a source port filter */
    {STATIC A "permit tcp any range 25000 29999 host 10.0.10.2 eq 7001\n" DENY BIND, "outside",
     "tcp S 203.0.113.9:50100 > 198.51.100.20:7001", "acl", 8,
     "line 7 asks for source port 25000-29999, the packet comes from 50100; insert before line 8: " LINE
     "tcp any host 10.0.10.2 eq 7001"},
    /* another host is permitted, from the inside of an outer firewall */
    {"access-list inside_in extended permit tcp host 10.1.0.30 gt 1023 host 10.0.10.2 eq 3478\n"
     "access-list inside_in extended deny ip any any\naccess-group inside_in in interface inside\n",
     "inside", "tcp S 10.1.0.40:44342 > 10.0.10.2:3478", "acl", 2,
     "line 1 permits it from other addresses than 10.1.0.40; insert before line 2: "
     "access-list inside_in extended permit tcp host 10.1.0.40 gt 1023 host 10.0.10.2 eq 3478"},
    /* nothing near */
    {STATIC DENY BIND, "outside", TURN, "acl", 7,
     "insert before line 7: " LINE "tcp any host 10.0.10.2 range 24000 29999"},
    /* a list of the way out */
    {STATIC A "permit tcp any host 10.0.10.2 eq 443\n" BIND "access-list dmz_out extended permit udp any any\n"
              "access-group dmz_out out interface dmz\n",
     "outside", WEB, "implicit", 0,
     "wrong protocol: line 9 permits udp only; access-list dmz_out ends in an implicit deny; add after line 9: "
     "access-list dmz_out extended permit tcp any host 10.0.10.2 eq 443 (out interface dmz)"},
    /* no list at all */
    {STATIC, "outside", WEB, "level", 0,
     "no access-list on interface outside, and its security level 0 is below the 50 of dmz: add " LINE
     "tcp any host 10.0.10.2 eq 443 and access-group outside_in in interface outside"},
    /* a list that nobody asks, or asks about the other direction */
    {STATIC A "permit tcp any host 10.0.10.2 eq 443\n" DENY "access-group outside_in out interface outside\n",
     "outside", WEB, "level", 0,
     "line 7 would permit it, but access-list outside_in is not bound to packets into interface outside: add "
     "access-group outside_in in interface outside"},
    /* T7: reflection without permission */
    {STATIC
     "object network expc\n host 10.0.10.3\nnat (dmz,dmz) source dynamic expc interface destination static public "
     "expe\n",
     "dmz", "tcp S 10.0.10.3:9 > 198.51.100.20:7001", "hairpin", 0,
     "the packet leaves by the interface it came in by (NAT reflection): add same-security-traffic permit "
     "intra-interface"},
    /* no static NAT, or one that is inactive, or on another interface, or for another port */
    {EXPE A "permit tcp any any\n" BIND, "outside", WEB, "hairpin", 0,
     "no static NAT for 198.51.100.20 on interface outside: add `nat (REAL-INTERFACE,outside) static 198.51.100.20` "
     "to "
     "the object of the real host; or, if it is to leave by the interface it came in by, add same-security-traffic "
     "permit intra-interface"},
    {EXPE "nat (dmz,outside) source static expe public inactive\n" A "permit tcp any any\n" BIND, "outside", WEB,
     "hairpin", 0, "line 5 translates 198.51.100.20, but is inactive: remove `inactive` from line 5"},
    {EXPE "nat (dmz,inside) source static expe public\n" A "permit tcp any any\n" BIND, "outside", WEB, "hairpin", 0,
     "line 5 translates 198.51.100.20, but only on interface inside, and the packet came in by outside"},
    {EXPE "object network expe\n nat (dmz,outside) static public service tcp 5061 5061\n" A
          "permit tcp any any\n" BIND,
     "outside", WEB, "hairpin", 0, "line 6 translates 198.51.100.20, but only tcp port 5061"},
    {A "permit tcp any any\n" BIND, "outside", "tcp S 203.0.113.9:7 > 198.51.100.2:443", "to-the-box", 0,
     "198.51.100.2 is the firewall's own address, and no NAT rule hands tcp port 443 on: add `nat "
     "(REAL-INTERFACE,outside) static interface service tcp 443 443` to the object of the real host"},
    {"object network lan\n subnet 10.1.0.0 255.255.0.0\n nat (inside,outside) dynamic 198.51.100.9\n", "outside",
     "tcp S 203.0.113.9:7 > 198.51.100.9:443", "nat-no-xlate", 3,
     "198.51.100.9 is an address of the dynamic NAT of line 3, through which nobody can be called; no static NAT for "
     "198.51.100.9 on interface outside: add `nat (REAL-INTERFACE,outside) static 198.51.100.9` to the object of the "
     "real host"},
    /* called by the real address */
    {STATIC A "permit tcp any any\n" BIND, "outside", "tcp S 203.0.113.9:7 > 10.0.10.2:443", "nat-rpf-failed", 6,
     "line 6 translates 10.0.10.2 to 198.51.100.20, so answers would come from another address: the sender must call "
     "198.51.100.20"},
    /* T17 */
    {"object network seen\n host 10.1.99.9\nobject network server\n host 203.0.113.77\n"
     "nat (inside,outside) source dynamic any interface destination static server seen\n",
     "inside", "tcp S 10.1.0.5:9 > 10.1.99.9:443", "hairpin", 0,
     "line 5 translates to the address 10.1.99.9, not from it: after `destination static` comes the mapped object, "
     "then "
     "the real one; swap them"},
    /* P12 */
    {"", "outside", "tcp SA 203.0.113.9:443 > 10.1.0.5:1000", "tcp-not-syn", 0,
     "the answer to a connection whose first packet did not pass here: the ways there and back differ (asymmetric "
     "routing); check the routes of both ends"},
};

static void the_line_and_the_cure_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const struct mistake *m = &mistakes[i];
        struct rig g;
        rig_open(&g, m->config, 0);
        struct fw_packet p = packet_of(&g, m->in, m->packet);
        struct fw_result r = fw_pass(g.box, 0, &p);
        assert_int_equal(r.fate, FW_DROP);
        assert_string_equal(r.reason, m->reason);
        assert_int_equal(r.rule ? r.rule->line - HEAD_LINES : 0, m->line);
        /* Lines of the advice are those of the file: take away the head's. */
        char text[FW_ADVICE_TEXT], found[FW_ADVICE_TEXT];
        fw_advise(g.rules, &p, &r, text, sizeof text);
        struct text t = text_of(found, sizeof found);
        for (const char *s = text; *s;) {
            unsigned line;
            int n = 0;
            if (sscanf(s, "line %u%n", &line, &n) == 1 && n > 0 && line > HEAD_LINES) {
                text_add(&t, "line %u", line - HEAD_LINES);
                s += n;
            } else {
                text_add(&t, "%c", *s++);
            }
        }
        if (strcmp(found, m->advice) != 0)
            fail_msg("%s%s\nexpected: %s\nfound:    %s", m->config, m->packet, m->advice, found);
        rig_close(&g);
    }
}

/* T8, T9: the timer, its line, and how long it would have to be. */
static void timers_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *config, *first, *late, *advice;
        uint64_t at_s;
    } row[] = {
        {"timeout conn 0:05:00\n", "tcp S 10.1.0.5:1000 > 203.0.113.9:443", "tcp A 10.1.0.5:1000 > 203.0.113.9:443",
         "the connection was silent for 600 s, and conn forgets it after 300 s (line 15): set timeout conn 0:11:00, "
         "or "
         "have a keep-alive sent more often",
         600},
        {"timeout udp 0:02:00\n", "udp 10.1.0.5:1000 > 203.0.113.9:443", "udp 203.0.113.9:443 > 10.1.0.5:1000",
         "the connection was silent for 150 s, and udp forgets it after 120 s (line 15): set timeout udp 0:03:00, or "
         "have "
         "a keep-alive sent more often",
         150},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct rig g;
        rig_open(&g, row[i].config, 0);
        struct fw_packet p = packet_of(&g, "inside", row[i].first),
                         answer = packet_of(&g, "outside", "tcp SA 203.0.113.9:443 > 10.1.0.5:1000"),
                         ack = packet_of(&g, "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443");
        assert_int_equal(fw_pass(g.box, 0, &p).fate, FW_PASS);
        if (p.flow.proto == PROTO_TCP) {
            assert_int_equal(fw_pass(g.box, 0, &answer).fate, FW_PASS);
            assert_int_equal(fw_pass(g.box, 0, &ack).fate, FW_PASS);
        }
        p = packet_of(&g, p.flow.proto == PROTO_TCP ? "inside" : "outside", row[i].late);
        struct fw_result r = fw_pass(g.box, row[i].at_s * NS_S, &p);
        char text[FW_ADVICE_TEXT];
        assert_string_equal(r.reason, "idle-timeout");
        fw_advise(g.rules, &p, &r, text, sizeof text);
        assert_string_equal(text, row[i].advice);
        rig_close(&g);
    }
}

/* Rules that are not an ASA's are answered in words. */
static void other_rules_get_words(void **state)
{
    (void)state;
    struct fw_rules *r = fw_rules_new("rules.json");
    fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "outside"});
    fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "inside", .level = 100});
    struct fw_service udp = {PROTO_UDP, PROTO_UDP, 0, 65535, 24000, 29999};
    fw_rules_add_rule(r, &(struct fw_rule_spec){.list = "in",
                                                .action = FW_PERMIT,
                                                .service = &udp,
                                                .service_count = 1,
                                                .line = 7,
                                                .text = "{}"});
    fw_rules_bind(r, "in", 0, FW_IN);
    struct fw_packet p = {.iface = 0, .flow = {PROTO_TCP, ip_v4(0xcb007109), ip_v4(0x0a000a02), 5, 24001}};
    struct fw_result d = {.reason = "implicit", .iface = 1, .seen = p.flow, .verdict = fw_eval_first(r, 0, 1, &p.flow)};
    char text[FW_ADVICE_TEXT];
    fw_advise(r, &p, &d, text, sizeof text);
    assert_string_equal(text,
                        "wrong protocol: line 7 permits udp only; access-list in ends in an implicit deny; add "
                        "after line 7: permit tcp from 203.0.113.9 to 10.0.10.2 ports 24000-29999 (in interface "
                        "outside)");
    fw_rules_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_and_the_cure_are_named),
        cmocka_unit_test(timers_are_named),
        cmocka_unit_test(other_rules_get_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
