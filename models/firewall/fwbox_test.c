/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stateful firewall as time lines: a packet goes in, what comes out is written beside it (see rig_test.h): "IFACE
 * SRC > DST", "drop REASON" or "drop REASON LINE", LINE counted behind the head of the configuration. */
#include "models/firewall/rig_test.h"
#include "models/testkit/testkit.h"

#include "models/base/time.h"

static void run(const char *config, const struct step *s, size_t count)
{
    struct rig g;
    rig_open(&g, config, 0);
    rig_play(&g, s, count);
    rig_close(&g);
}

#define RUN(config, ...)                                                                                            \
    do {                                                                                                            \
        static const struct step steps[] = {__VA_ARGS__};                                                           \
        run(config, steps, sizeof steps / sizeof *steps);                                                           \
    } while (0)

#define S(n) ((n) * UINT64_C(1000))
#define ANSWER "tcp SA 203.0.113.9:443 > 10.1.0.5:1000"

static void tcp_lives_and_dies(void **state)
{
    (void)state;
    RUN("",
        {0, "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "drop tcp-not-syn"},
        {0, "inside", "tcp S 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {1, "dmz", ANSWER, "drop tcp-not-syn"}, /* on another interface it is no answer */
        {1, "outside", ANSWER, "inside 203.0.113.9:443 > 10.1.0.5:1000"},
        {2, "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(3599), "outside", "tcp A 203.0.113.9:443 > 10.1.0.5:1000", "inside 203.0.113.9:443 > 10.1.0.5:1000"},
        {S(7198), "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(7199), "inside", "tcp FA 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(7798), "outside", "tcp A 203.0.113.9:443 > 10.1.0.5:1000", "inside 203.0.113.9:443 > 10.1.0.5:1000"},
        {S(8397), "outside", "tcp FA 203.0.113.9:443 > 10.1.0.5:1000", "inside 203.0.113.9:443 > 10.1.0.5:1000"},
        {S(8398), "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(8399), "inside", "tcp S 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(8429), "outside", ANSWER, "drop idle-timeout"}, /* embryonic: 30 s */);
}

/* No state is made of what is shut; answers of what began the other way round pass. */
static void a_shutter_keeps_flows_from_beginning(void **state)
{
    (void)state;
    RUN("",
        {0, "inside", "udp 10.1.0.5:1000 > 203.0.113.9:666", "drop shut"},
        {1, "outside", "udp 203.0.113.9:666 > 10.1.0.5:1000", "drop level"},
        {2, "inside", "udp 10.1.0.5:666 > 203.0.113.9:1000", "outside 10.1.0.5:666 > 203.0.113.9:1000"},
        {3, "outside", "udp 203.0.113.9:1000 > 10.1.0.5:666", "inside 203.0.113.9:1000 > 10.1.0.5:666"});
}

/* T8: timeout conn 0:05:00 and a TURN control connection that is silent for ten minutes. */
static void tcp_idle_too_long(void **state)
{
    (void)state;
    RUN("timeout conn 0:05:00 half-closed 0:00:30\n",
        {0, "inside", "tcp S 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {1, "outside", ANSWER, "inside 203.0.113.9:443 > 10.1.0.5:1000"},
        {2, "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"},
        {S(600), "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:443", "drop idle-timeout 1"},
        {S(601), "outside", "tcp A 203.0.113.9:443 > 10.1.0.5:1000", "drop idle-timeout 1"},
        {S(602), "inside", "tcp S 10.1.0.5:1000 > 203.0.113.9:443", "outside 10.1.0.5:1000 > 203.0.113.9:443"});
}

/* RFC 5382 REQ-2: both SYNs cross. */
static void simultaneous_open_passes(void **state)
{
    (void)state;
    RUN("timeout conn 1:00:00\n",
        {0, "inside", "tcp S 10.1.0.5:1000 > 203.0.113.9:1000", "outside 10.1.0.5:1000 > 203.0.113.9:1000"},
        {1, "outside", "tcp S 203.0.113.9:1000 > 10.1.0.5:1000", "inside 203.0.113.9:1000 > 10.1.0.5:1000"},
        {2, "inside", "tcp SA 10.1.0.5:1000 > 203.0.113.9:1000", "outside 10.1.0.5:1000 > 203.0.113.9:1000"},
        {3, "outside", "tcp SA 203.0.113.9:1000 > 10.1.0.5:1000", "inside 203.0.113.9:1000 > 10.1.0.5:1000"},
        {4, "inside", "tcp A 10.1.0.5:1000 > 203.0.113.9:1000", "outside 10.1.0.5:1000 > 203.0.113.9:1000"},
        {S(1000), "outside", "tcp A 203.0.113.9:1000 > 10.1.0.5:1000", "inside 203.0.113.9:1000 > 10.1.0.5:1000"});
}

/* T9: udp 0:02:00 and a mute of 150 s: the other side's packets find no way in. */
static void udp_mute(void **state)
{
    (void)state;
    RUN("timeout udp 0:02:00\n",
        {0, "inside", "udp 10.1.0.5:1000 > 203.0.113.9:3478", "outside 10.1.0.5:1000 > 203.0.113.9:3478"},
        {S(119), "outside", "udp 203.0.113.9:3478 > 10.1.0.5:1000", "inside 203.0.113.9:3478 > 10.1.0.5:1000"},
        {S(238), "outside", "udp 203.0.113.9:3478 > 10.1.0.5:1000", "inside 203.0.113.9:3478 > 10.1.0.5:1000"},
        {S(388), "outside", "udp 203.0.113.9:3478 > 10.1.0.5:1000", "drop idle-timeout 1"},
        {S(389), "outside", "udp 203.0.113.9:3478 > 10.1.0.5:1000", "drop level"},
        {S(390), "inside", "udp 10.1.0.5:1000 > 203.0.113.9:3478", "outside 10.1.0.5:1000 > 203.0.113.9:3478"});
}

#define EXPE "object network expe\n host 10.0.10.2\nobject network public\n host 198.51.100.20\n"
#define STATIC EXPE "object network expe\n nat (dmz,outside) static public\n"
#define IN(rule) "access-list outside_in extended " rule "\naccess-group outside_in in interface outside\n"

/* T4: behind static NAT the rules see the real address; the reply goes out with the public one. */
static void static_nat_both_ways(void **state)
{
    (void)state;
    RUN(STATIC IN("permit tcp any host 10.0.10.2 eq 443"),
        {0, "outside", "tcp S 203.0.113.9:7 > 198.51.100.20:443", "dmz 203.0.113.9:7 > 10.0.10.2:443"},
        {1, "dmz", "tcp SA 10.0.10.2:443 > 203.0.113.9:7", "outside 198.51.100.20:443 > 203.0.113.9:7"},
        {2, "dmz", "tcp S 10.0.10.2:25000 > 203.0.113.9:5061", "outside 198.51.100.20:25000 > 203.0.113.9:5061"},
        {3, "outside", "tcp S 203.0.113.9:7 > 198.51.100.20:444", "drop implicit"},
        {3, "outside", "tcp S 203.0.113.9:7 > 10.0.10.2:443", "drop nat-rpf-failed 6"});
    RUN(STATIC IN("permit tcp any host 198.51.100.20 eq 443"),
        {0, "outside", "tcp S 203.0.113.9:7 > 198.51.100.20:443", "drop implicit"});
}

static void static_pat_by_service(void **state)
{
    (void)state;
    RUN(EXPE "object network expe\n nat (dmz,outside) static interface service tcp 443 8443\n"
        IN("permit tcp any host 10.0.10.2 eq 443"),
        {0, "outside", "tcp S 203.0.113.9:7 > 198.51.100.2:8443", "dmz 203.0.113.9:7 > 10.0.10.2:443"},
        {1, "dmz", "tcp SA 10.0.10.2:443 > 203.0.113.9:7", "outside 198.51.100.2:8443 > 203.0.113.9:7"},
        {2, "outside", "tcp S 203.0.113.9:7 > 198.51.100.2:443", "drop to-the-box"},
        {3, "dmz", "tcp S 10.0.10.2:1025 > 203.0.113.9:5061", "outside 10.0.10.2:1025 > 203.0.113.9:5061"});
}

#define PAT "object network lan\n subnet 10.1.0.0 255.255.0.0\n nat (inside,outside) dynamic interface\n"

/* Dynamic PAT: the source port if it is free, the next one else; nothing comes in without a mapping. */
static void dynamic_pat(void **state)
{
    (void)state;
    RUN(PAT,
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:53", "outside 198.51.100.2:5000 > 203.0.113.9:53"},
        {1, "inside", "udp 10.1.0.6:5000 > 203.0.113.9:53", "outside 198.51.100.2:5001 > 203.0.113.9:53"},
        {2, "inside", "tcp S 10.1.0.6:5000 > 203.0.113.9:53", "outside 198.51.100.2:5000 > 203.0.113.9:53"},
        {3, "outside", "udp 203.0.113.9:53 > 198.51.100.2:5001", "inside 203.0.113.9:53 > 10.1.0.6:5000"},
        {4, "inside", "udp 10.1.0.6:5000 > 203.0.113.7:99", "outside 198.51.100.2:5001 > 203.0.113.7:99"},
        {5, "inside", "udp 10.1.0.7:1023 > 203.0.113.9:53", "outside 198.51.100.2:1023 > 203.0.113.9:53"},
        {6, "inside", "udp 10.1.0.8:1023 > 203.0.113.9:53", "outside 198.51.100.2:512 > 203.0.113.9:53"},
        {7, "outside", "udp 203.0.113.9:53 > 198.51.100.2:6000", "drop nat-no-xlate 3"},
        {8, "inside", "ping 7 10.1.0.5 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 7"},
        {8, "inside", "ping 7 10.1.0.6 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 8"},
        {S(119), "inside", "udp 10.1.0.5:5000 > 203.0.113.9:53", "outside 198.51.100.2:5000 > 203.0.113.9:53"},
        /* 10.1.0.6's port 5001 was idle for 2 min and is free 30 s later */
        {S(149), "inside", "udp 10.1.0.9:5001 > 203.0.113.9:53", "outside 198.51.100.2:5002 > 203.0.113.9:53"},
        {S(151), "inside", "udp 10.1.0.3:5001 > 203.0.113.9:53", "outside 198.51.100.2:5001 > 203.0.113.9:53"});
}

/* A pool of two whole addresses, then the interface by ports; without that, T18: exhausted. */
static void dynamic_pool(void **state)
{
    (void)state;
#define POOL \
    "object network pool\n range 198.51.100.30 198.51.100.31\nobject network lan\n subnet 10.1.0.0 255.255.0.0\n"
    RUN(POOL " nat (inside,outside) dynamic pool interface\n",
        {0, "inside", "tcp S 10.1.0.5:1 > 203.0.113.9:53", "outside 198.51.100.30:1 > 203.0.113.9:53"},
        {0, "inside", "tcp S 10.1.0.6:1 > 203.0.113.9:53", "outside 198.51.100.31:1 > 203.0.113.9:53"},
        {0, "inside", "tcp S 10.1.0.5:2 > 203.0.113.9:54", "outside 198.51.100.30:2 > 203.0.113.9:54"},
        {0, "inside", "tcp S 10.1.0.7:2 > 203.0.113.9:53", "outside 198.51.100.2:2 > 203.0.113.9:53"});
    RUN(POOL " nat (inside,outside) dynamic pool\n",
        {0, "inside", "udp 10.1.0.5:1 > 203.0.113.9:53", "outside 198.51.100.30:1 > 203.0.113.9:53"},
        {0, "inside", "udp 10.1.0.6:1 > 203.0.113.9:53", "outside 198.51.100.31:1 > 203.0.113.9:53"},
        {0, "inside", "udp 10.1.0.7:1 > 203.0.113.9:53", "drop pat-exhausted 5"},
        {S(120), "inside", "udp 10.1.0.7:1 > 203.0.113.9:53", "drop pat-exhausted 5"}, /* xlate 3:00:00 */
        {S(10920), "inside", "udp 10.1.0.7:1 > 203.0.113.9:53", "outside 198.51.100.30:1 > 203.0.113.9:53"});
}

/* NAT order: manual first, then objects (static before dynamic, small before large), then after-auto; one rule wins.
 */
static void nat_order(void **state)
{
    (void)state;
#define NETS \
    "object network a\n host 10.1.0.5\nobject network ma\n host 198.51.100.41\nobject network mb\n" \
    " host 198.51.100.42\nobject network mc\n host 198.51.100.43\nobject network partner\n host 203.0.113.77\n"
    RUN(NETS PAT "nat (inside,outside) after-auto source static a mb\n"
        "object network a\n nat (inside,outside) static ma\n"
        "nat (inside,outside) source static a mc destination static partner partner\n",
        {0, "inside", "udp 10.1.0.5:1 > 203.0.113.9:53", "outside 198.51.100.41:1 > 203.0.113.9:53"},
        {0, "inside", "udp 10.1.0.6:1 > 203.0.113.9:53", "outside 198.51.100.2:1 > 203.0.113.9:53"},
        {0, "inside", "udp 10.1.0.5:1 > 203.0.113.77:53", "outside 198.51.100.43:1 > 203.0.113.77:53"});
}

/* Twice NAT; T17: the destination is written mapped, then real. */
static void twice_nat(void **state)
{
    (void)state;
#define TWICE \
    "object network real\n host 10.1.0.5\nobject network mapped\n host 198.51.100.41\n" \
    "object network seen\n host 10.1.99.9\nobject network server\n host 203.0.113.77\n"
    RUN(TWICE "nat (inside,outside) source static real mapped destination static seen server\n",
        {0, "inside", "tcp S 10.1.0.5:9 > 10.1.99.9:443", "outside 198.51.100.41:9 > 203.0.113.77:443"},
        {1, "outside", "tcp SA 203.0.113.77:443 > 198.51.100.41:9", "inside 10.1.99.9:443 > 10.1.0.5:9"});
    RUN(TWICE "nat (inside,outside) source static real mapped destination static server seen\n"
              "access-list inside_in extended permit tcp any host 203.0.113.77\naccess-group inside_in in interface "
              "inside\n",
        {0, "inside", "tcp S 10.1.0.5:9 > 10.1.99.9:443", "drop hairpin"},
        {0, "inside", "tcp S 10.1.0.5:9 > 203.0.113.77:443", "drop implicit"});
    RUN(TWICE
        "object service s1\n service tcp destination eq 443\nobject service s2\n service tcp destination eq 8443\n"
        "nat (inside,outside) source dynamic any interface destination static seen server service s1 s2\n",
        {0, "inside", "tcp S 10.1.0.5:9 > 10.1.99.9:443", "outside 198.51.100.2:9 > 203.0.113.77:8443"},
        {1, "outside", "tcp SA 203.0.113.77:8443 > 198.51.100.2:9", "inside 10.1.99.9:443 > 10.1.0.5:9"});
}

/* T6, T7: reflection on one interface, with the permission and the source translated so that answers come back. */
static void hairpin_by_twice_nat(void **state)
{
    (void)state;
#define REFLECT \
    "object network expc\n host 10.0.10.3\nobject network expc-out\n host 198.51.100.3\n" EXPE \
    "nat (dmz,dmz) source static expc expc-out destination static public expe\n"
    RUN(REFLECT, {0, "dmz", "tcp S 10.0.10.3:9 > 198.51.100.20:7001", "drop hairpin"});
    RUN(REFLECT "same-security-traffic permit intra-interface\n",
        {0, "dmz", "tcp S 10.0.10.3:9 > 198.51.100.20:7001", "dmz 198.51.100.3:9 > 10.0.10.2:7001"},
        {1, "dmz", "tcp SA 10.0.10.2:7001 > 198.51.100.3:9", "dmz 198.51.100.20:7001 > 10.0.10.3:9"});
}

static void icmp_and_errors(void **state)
{
    (void)state;
#define INSPECT "policy-map p\n class c\n  inspect icmp\nservice-policy p global\n"
    RUN(PAT INSPECT,
        {0, "inside", "ping 7 10.1.0.5 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 7"},
        {1, "outside", "pong 7 203.0.113.9 > 198.51.100.2", "inside 203.0.113.9 > 10.1.0.5 7"},
        {2, "inside", "udp 10.1.0.5:33 > 203.0.113.9:44", "outside 198.51.100.2:33 > 203.0.113.9:44"},
        {3, "outside", "err 203.0.113.9 > 198.51.100.2 : udp 198.51.100.2:33 > 203.0.113.9:44",
         "inside 203.0.113.9 > 10.1.0.5 : 10.1.0.5:33 > 203.0.113.9:44"},
        {4, "outside", "err 192.0.2.1 > 198.51.100.2 : udp 198.51.100.2:33 > 203.0.113.9:44",
         "inside 192.0.2.1 > 10.1.0.5 : 10.1.0.5:33 > 203.0.113.9:44"},
        {5, "outside", "err 203.0.113.9 > 198.51.100.2 : udp 198.51.100.2:34 > 203.0.113.9:44",
         "drop nat-no-xlate 3"},
        /* REQ-12: the error ended nothing */
        {6, "outside", "udp 203.0.113.9:44 > 198.51.100.2:33", "inside 203.0.113.9:44 > 10.1.0.5:33"});
    RUN(PAT, /* without inspection the reply needs a rule */
        {0, "inside", "ping 7 10.1.0.5 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 7"},
        {1, "outside", "pong 7 203.0.113.9 > 198.51.100.2", "drop level"});
    RUN(PAT IN("permit icmp any any echo-reply"),
        {0, "inside", "ping 7 10.1.0.5 > 203.0.113.9", "outside 198.51.100.2 > 203.0.113.9 7"},
        {1, "outside", "pong 7 203.0.113.9 > 198.51.100.2", "inside 203.0.113.9 > 10.1.0.5 7"});
}

static void other_drops(void **state)
{
    (void)state;
    RUN("ip verify reverse-path interface outside\naccess-list out extended permit udp any any eq 53\n"
        "access-group out out interface outside\n" IN("permit ip any any"),
        {0, "outside", "udp 10.1.0.5:1 > 10.0.10.2:1", "drop rpf-violated 1"},
        {0, "inside", "udp 10.1.0.5:1 > 203.0.113.9:53", "outside 10.1.0.5:1 > 203.0.113.9:53"},
        {0, "inside", "udp 10.1.0.5:1 > 203.0.113.9:54", "drop implicit"},
        {0, "wan", "udp 10.1.0.5:1 > 203.0.113.9:54", "drop no-interface"},
        {0, "outside", "udp 203.0.113.9:1 > 198.51.100.2:54", "drop to-the-box"});
}

/* ---- RFC 4787: the nine combinations ---- */

/* From 10.1.0.5:5000 to three remotes: the mapped ports as the mapping has it; then who may come in by the first. */
static void nine_behaviours(void **state)
{
    (void)state;
    static const char *const mapped[3][3] = { /* to 203.0.113.9:1, 203.0.113.9:2, 203.0.113.8:1 */
        {"5000", "5000", "5000"},
        {"5000", "5000", "5001"},
        {"5000", "5001", "5002"},
    };
    static const bool admits[3][2] = {{true, true}, {true, false}, {false, false}}; /* other port, other address */
    for (int m = 0; m < 3; m++)
        for (int f = 0; f < 3; f++) {
            struct rig g;
            rig_open(&g, PAT, 0);
            struct fw_nat_behaviour b = {(enum fw_nat_dependence)m, (enum fw_nat_dependence)f, FW_PORTS_PRESERVE,
                                         FW_POOL_PAIRED, .hairpin = FW_HAIRPIN_NONE};
            fw_rules_set_nat_behaviour(g.rules, &b);
            static const char *const remote[] = {"203.0.113.9:1", "203.0.113.9:2", "203.0.113.8:1"};
            char packet[3][100], expect[3][100];
            for (int i = 0; i < 3; i++) {
                snprintf(packet[i], sizeof packet[i], "udp 10.1.0.5:5000 > %s", remote[i]);
                snprintf(expect[i], sizeof expect[i], "outside 198.51.100.2:%s > %s", mapped[m][i], remote[i]);
                rig_play(&g, &(struct step){0, "inside", packet[i], expect[i]}, 1);
            }
            rig_play(&g, &(struct step){1, "outside", "udp 203.0.113.9:7 > 198.51.100.2:5000",
                                    admits[f][0] ? "inside 203.0.113.9:7 > 10.1.0.5:5000" : "drop level"}, 1);
            rig_play(&g, &(struct step){1, "outside", "udp 203.0.113.7:1 > 198.51.100.2:5000",
                                    admits[f][1] ? "inside 203.0.113.7:1 > 10.1.0.5:5000" : "drop level"}, 1);
            rig_close(&g);
        }
}

/* REQ-6: the mapping lives by what goes out; REQ-5: five minutes in the profile "rfc". */
static void inbound_does_not_refresh(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g, PAT, 0);
    fw_box_free(g.box);
    assert_int_equal(fw_rules_set_timers(g.rules, "rfc"), 0);
    struct fw_nat_behaviour b = {.filtering = FW_ENDPOINT_INDEPENDENT};
    fw_rules_set_nat_behaviour(g.rules, &b);
    struct fw_box_config cfg = {.rules = g.rules, .routes = &g.routes, .name = "fw"};
    g.box = fw_box_new(&cfg);
    static const struct step steps[] = {
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
        {S(200), "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "inside 203.0.113.9:1 > 10.1.0.5:5000"},
        {S(299), "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "inside 203.0.113.9:1 > 10.1.0.5:5000"},
        {S(300), "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "drop idle-timeout"},
        {S(301), "outside", "udp 203.0.113.9:1 > 198.51.100.2:5000", "drop nat-no-xlate 3"},
    };
    rig_play(&g, steps, sizeof steps / sizeof *steps);
    rig_close(&g);
}

/* REQ-9: two inside hosts meet by their outside addresses, and each sees the other's. */
static void hairpin_by_mapping(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g, PAT, 0);
    struct fw_nat_behaviour b = {.hairpin = FW_HAIRPIN_EXTERNAL, .refresh = FW_REFRESH_BOTH};
    fw_rules_set_nat_behaviour(g.rules, &b);
    static const struct step steps[] = {
        {0, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1", "outside 198.51.100.2:5000 > 203.0.113.9:1"},
        {1, "inside", "udp 10.1.0.6:6000 > 198.51.100.2:5000", "inside 198.51.100.2:6000 > 10.1.0.5:5000"},
        {2, "inside", "udp 10.1.0.5:5000 > 198.51.100.2:6000", "inside 198.51.100.2:5000 > 10.1.0.6:6000"},
    };
    rig_play(&g, steps, sizeof steps / sizeof *steps);
    rig_close(&g);
}

static void ports_are_chosen_as_asked(void **state)
{
    (void)state;
    uint16_t port[2][3];
    for (int round = 0; round < 2; round++) {
        struct rig g;
        rig_open(&g, PAT, 0);
        struct fw_nat_behaviour b = {.ports = round ? FW_PORTS_RANDOM : FW_PORTS_SEQUENTIAL};
        fw_rules_set_nat_behaviour(g.rules, &b);
        for (uint16_t i = 0; i < 3; i++) {
            struct fw_packet p = packet_of(&g, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1");
            p.flow.sport = (uint16_t)(5000 + i);
            port[round][i] = fw_pass(g.box, 0, &p).src.port;
        }
        rig_close(&g);
    }
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(port[0][i], 1024 + i);
        assert_true(port[1][i] >= 1024 && port[1][i] != 1024 + i);
    }
}

/* RFC 4787 REQ-2: a host keeps its outside address, whatever port and remote; arbitrary pooling takes turns. */
static void pooling(void **state)
{
    (void)state;
    static const enum fw_nat_pooling kind[] = {FW_POOL_FILL, FW_POOL_PAIRED, FW_POOL_ARBITRARY};
    for (size_t k = 0; k < 3; k++) {
        struct rig g;
        rig_open(&g, "object network pool\n range 198.51.100.30 198.51.100.33\nobject network lan\n"
                     " subnet 10.1.0.0 255.255.0.0\n nat (inside,outside) dynamic pat-pool pool\n", 0);
        struct fw_nat_behaviour b = {.pooling = kind[k]};
        fw_rules_set_nat_behaviour(g.rules, &b);
        unsigned used = 0, moved = 0;
        uint8_t last[8] = {0};
        for (unsigned i = 0; i < 32; i++) {
            struct fw_packet p = packet_of(&g, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1");
            p.flow.src.b[3] = (uint8_t)(i % 8);
            p.flow.sport = (uint16_t)(5000 + i);
            uint8_t address = fw_pass(g.box, 0, &p).src.ip.b[3];
            assert_true(address >= 30 && address <= 33);
            used |= 1U << (address - 30);
            moved += last[i % 8] && last[i % 8] != address;
            last[i % 8] = address;
        }
        assert_true(kind[k] == FW_POOL_FILL ? used == 1 : used != 1);
        assert_true(kind[k] == FW_POOL_ARBITRARY || moved == 0);
        assert_true(kind[k] != FW_POOL_ARBITRARY || used == 15);
        rig_close(&g);
    }
}

/* Full tables turn packets away, and go on when room is made. */
static void tables_are_bounded(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g, PAT, 8);
    for (unsigned round = 0; round < 3; round++) {
        for (uint16_t i = 0; i < 12; i++) {
            struct fw_packet p = packet_of(&g, "inside", "udp 10.1.0.5:5000 > 203.0.113.9:1");
            p.flow.sport = (uint16_t)(5000 + 100 * round + i);
            struct fw_result r = fw_pass(g.box, S(round * 1000) * NS_MS, &p);
            assert_int_equal(r.fate == FW_PASS, i < 8);
        }
        assert_int_equal(fw_box_stats(g.box).connections, 8);
        assert_int_equal(fw_box_stats(g.box).translations, 8);
    }
    rig_close(&g);
}

static void answer_for(void *ctx, int iface, const struct ip_addr *ip)
{
    char a[ADDR_TEXT];
    text_add(ctx, "%d %s,", iface, ip_text(ip, a));
}

static void mapped_addresses_are_answered_for(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g, REFLECT POOL " nat (inside,outside) dynamic pool\n", 0);
    char buf[300];
    struct text t = text_of(buf, sizeof buf);
    fw_box_proxied(g.box, answer_for, &t);
    assert_string_equal(buf, "1 198.51.100.3,1 198.51.100.20,0 198.51.100.30,0 198.51.100.31,");
    rig_close(&g);
}

static void ipv6_passes(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g, "interface Gi0/3\n nameif six\n ipv6 address 2001:db8:2::1/64\n", 0);
    struct fw_packet p = {.iface = 2, .flow = {PROTO_TCP, kit_ip("2001:db8:1::5"), kit_ip("2001:db8:2::9"), 1, 443},
                          .tcp_flags = FW_SYN};
    struct fw_result r = fw_pass(g.box, 0, &p);
    assert_true(r.fate == FW_PASS && r.iface == 3);
    struct fw_packet back = {.iface = 3, .flow = {PROTO_TCP, p.flow.dst, p.flow.src, 443, 1},
                             .tcp_flags = FW_SYN | FW_ACK};
    r = fw_pass(g.box, 1, &back);
    assert_true(r.fate == FW_PASS && r.iface == 2);
    rig_close(&g);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_lives_and_dies),
        cmocka_unit_test(a_shutter_keeps_flows_from_beginning), cmocka_unit_test(tcp_idle_too_long),
        cmocka_unit_test(simultaneous_open_passes),  cmocka_unit_test(udp_mute),
        cmocka_unit_test(static_nat_both_ways),      cmocka_unit_test(static_pat_by_service),
        cmocka_unit_test(dynamic_pat),               cmocka_unit_test(dynamic_pool),
        cmocka_unit_test(nat_order),                 cmocka_unit_test(twice_nat),
        cmocka_unit_test(hairpin_by_twice_nat),      cmocka_unit_test(icmp_and_errors),
        cmocka_unit_test(other_drops),               cmocka_unit_test(nine_behaviours),
        cmocka_unit_test(inbound_does_not_refresh),  cmocka_unit_test(hairpin_by_mapping),
        cmocka_unit_test(ports_are_chosen_as_asked), cmocka_unit_test(pooling), cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(mapped_addresses_are_answered_for), cmocka_unit_test(ipv6_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
