/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stateful machine with hooks as time lines: NAT by chains, connection states, raw chains (see rig_test.h). */
#include "models/firewall/rig_test.h"

static struct fw_rules *router(void)
{
    static const char *const name[] = {"wan", "lan"}, *const address[] = {"198.51.100.2/24", "10.0.0.1/24"};
    struct fw_rules *r = fw_rules_new("fw");
    for (size_t i = 0; i < 2; i++) {
        struct ip_prefix p;
        assert_int_equal(prefix_parse(address[i], &p), 0);
        struct fw_iface_spec spec = {.name = name[i], .address = &p, .address_count = 1};
        assert_int_equal(fw_rules_add_interface(r, &spec), (int)i);
    }
    struct ip_prefix all = {.ip.family = IP_V4};
    struct ip_addr gateway = kit_ip("198.51.100.1");
    assert_int_equal(fw_rules_add_route(r, &all, 0, &gateway), 0);
    fw_rules_set_policy(r, &(struct fw_policy){.without_list = FW_DEFAULT_PERMIT, .tcp_loose = true});
    assert_int_equal(fw_rules_set_timer(r, FW_TIMER_UDP, 30 * NS_S, 0, NULL), 0);
    assert_int_equal(fw_rules_set_timer(r, FW_TIMER_UDP_STREAM, 120 * NS_S, 0, NULL), 0);
    return r;
}

static void base(struct fw_rules *r, const char *list, enum fw_hook hook, int priority, bool nat,
                 enum fw_action policy)
{
    struct fw_base_spec spec = {.list = list, .hook = hook, .priority = priority, .nat = nat, .policy = policy,
                                .line = 1};
    assert_int_equal(fw_rules_add_base(r, &spec), 0);
}

/* A rule for a protocol (0: any) to a port (0: any). */
static struct fw_rule_spec to_port(struct fw_service *s, unsigned line, const char *list, enum fw_action action,
                                   uint8_t proto, unsigned port)
{
    *s = (struct fw_service){proto, proto, 0, 65535, (uint16_t)port, port ? (uint16_t)port : 65535};
    return (struct fw_rule_spec){.list = list, .action = action, .service = s, .service_count = proto != 0,
                                 .line = line};
}

static void rule(struct fw_rules *r, unsigned line, const char *list, enum fw_action action, uint8_t proto,
                 unsigned port, uint8_t states)
{
    struct fw_service s;
    struct fw_conditions when = {.states = states};
    struct fw_rule_spec spec = to_port(&s, line, list, action, proto, port);
    spec.when = &when;
    assert_int_equal(fw_rules_add_rule(r, &spec), 0);
}

static void nat(struct fw_rules *r, unsigned line, const char *list, uint8_t proto, unsigned port,
                struct fw_nat_to to, uint64_t out)
{
    struct fw_service s;
    struct fw_conditions when = {.out_ifaces = out};
    struct fw_rule_spec spec = to_port(&s, line, list, FW_NAT_TO, proto, port);
    spec.nat = &to;
    spec.when = &when;
    assert_int_equal(fw_rules_add_rule(r, &spec), 0);
}

/* Masquerades towards wan; sends TCP 443 of its own address to 10.0.0.9:8443; answers alone come in. */
static struct fw_rules *home(void)
{
    struct fw_rules *r = router();
    struct fw_addr server = {kit_ip("10.0.0.9"), kit_ip("10.0.0.9"), false};
    base(r, "PREROUTING", FW_PREROUTING, FW_PRIO_DSTNAT, true, FW_PERMIT);
    base(r, "FORWARD", FW_FORWARD, FW_PRIO_FILTER, false, FW_DENY);
    base(r, "POSTROUTING", FW_POSTROUTING, FW_PRIO_SRCNAT, true, FW_PERMIT);
    nat(r, 10, "PREROUTING", PROTO_TCP, 443, (struct fw_nat_to){.to = &server, .port_lo = 8443, .port_hi = 8443}, 0);
    nat(r, 20, "POSTROUTING", 0, 0, (struct fw_nat_to){.own = true}, 1);
    rule(r, 30, "FORWARD", FW_DENY, 0, 0, FW_STATE_INVALID);
    rule(r, 31, "FORWARD", FW_PERMIT, 0, 0, FW_STATE_ESTABLISHED | FW_STATE_RELATED);
    rule(r, 32, "FORWARD", FW_PERMIT, PROTO_TCP, 8443, FW_STATE_DNAT);
    rule(r, 33, "FORWARD", FW_PERMIT, PROTO_UDP, 0, 0);
    rule(r, 34, "FORWARD", FW_REJECT, PROTO_TCP, 25, 0);
    rule(r, 35, "FORWARD", FW_PERMIT, PROTO_TCP, 80, FW_STATE_NEW);
    return r;
}

static void play(struct fw_rules *r, const struct step *s, size_t count)
{
    struct rig g;
    rig_of(&g, r, 0);
    rig_play(&g, s, count);
    rig_close(&g);
}

#define PLAY(rules, ...)                                                                                            \
    do {                                                                                                            \
        static const struct step steps[] = {__VA_ARGS__};                                                           \
        play(rules, steps, sizeof steps / sizeof *steps);                                                           \
    } while (0)

static void translates_both_ways(void **state)
{
    (void)state;
    PLAY(home(), {0, "lan", "tcp S 10.0.0.5:1025 > 192.0.2.7:80", "wan 198.51.100.2:1025 > 192.0.2.7:80"},
         {1, "wan", "tcp SA 192.0.2.7:80 > 198.51.100.2:1025", "lan 192.0.2.7:80 > 10.0.0.5:1025"},
         {2, "lan", "tcp A 10.0.0.5:1025 > 192.0.2.7:80", "wan 198.51.100.2:1025 > 192.0.2.7:80"},
         {3, "lan", "tcp S 10.0.0.6:1025 > 192.0.2.7:80", "wan 198.51.100.2:1024 > 192.0.2.7:80"},
         {4, "wan", "tcp S 192.0.2.7:4000 > 198.51.100.2:443", "lan 192.0.2.7:4000 > 10.0.0.9:8443"},
         {5, "lan", "tcp SA 10.0.0.9:8443 > 192.0.2.7:4000", "wan 198.51.100.2:443 > 192.0.2.7:4000"},
         {6, "wan", "tcp S 192.0.2.7:4001 > 10.0.0.9:8443", "drop policy 1"});
}

static void states_are_seen(void **state)
{
    (void)state;
    PLAY(home(), {0, "wan", "tcp SA 192.0.2.7:80 > 10.0.0.5:1025", "drop acl 30"},
         {1, "lan", "tcp FS 10.0.0.5:1 > 192.0.2.7:80", "drop acl 30"},
         {2, "lan", "tcp A 10.0.0.5:2 > 192.0.2.7:80", "wan 198.51.100.2:2 > 192.0.2.7:80"},
         {3, "lan", "tcp S 10.0.0.5:1026 > 192.0.2.7:25", "drop acl 34"},
         {4, "lan", "udp 10.0.0.5:5000 > 192.0.2.7:53", "wan 198.51.100.2:5000 > 192.0.2.7:53"},
         {5, "wan", "err 203.0.113.1 > 198.51.100.2 : udp 198.51.100.2:5000 > 192.0.2.7:53",
          "lan 203.0.113.1 > 10.0.0.5 : 10.0.0.5:5000 > 192.0.2.7:53"},
         {6, "wan", "err 203.0.113.1 > 198.51.100.2 : udp 198.51.100.2:5001 > 192.0.2.7:53", "drop to-the-box"},
         {31000, "wan", "udp 192.0.2.7:53 > 198.51.100.2:5000", "drop to-the-box"});
}

static void a_stream_lives_longer(void **state)
{
    (void)state;
    PLAY(home(), {0, "lan", "udp 10.0.0.5:5000 > 192.0.2.7:53", "wan 198.51.100.2:5000 > 192.0.2.7:53"},
         {29000, "wan", "udp 192.0.2.7:53 > 198.51.100.2:5000", "lan 192.0.2.7:53 > 10.0.0.5:5000"},
         {148000, "wan", "udp 192.0.2.7:53 > 198.51.100.2:5000", "lan 192.0.2.7:53 > 10.0.0.5:5000"});
}

static void a_raw_chain_switches_tracking_off(void **state)
{
    (void)state;
    struct fw_rules *r = home();
    base(r, "raw", FW_PREROUTING, FW_PRIO_RAW, false, FW_PERMIT);
    rule(r, 40, "raw", FW_NOTRACK, PROTO_UDP, 9, 0);
    PLAY(r, {0, "lan", "udp 10.0.0.5:5000 > 192.0.2.7:9", "wan 10.0.0.5:5000 > 192.0.2.7:9"},
         {1, "lan", "udp 10.0.0.5:5000 > 192.0.2.7:8", "wan 198.51.100.2:5000 > 192.0.2.7:8"});
}

static void a_machine_without_state_is_asked_about_answers(void **state)
{
    (void)state;
    struct fw_rules *r = router();
    struct fw_conditions established = {.tcp_flags = fw_flags_set(FW_ACK, FW_ACK) | fw_flags_set(FW_RST, FW_RST)};
    struct fw_service any = {PROTO_TCP, PROTO_TCP, 0, 65535, 0, 65535};
    struct fw_rule_spec in = {.list = "in", .action = FW_PERMIT, .service = &any, .service_count = 1,
                              .when = &established, .line = 5};
    assert_int_equal(fw_rules_add_rule(r, &in), 0);
    assert_int_equal(fw_rules_bind(r, "in", 0, FW_IN), 0);
    fw_rules_set_policy(r, &(struct fw_policy){.without_list = FW_DEFAULT_PERMIT, .tcp_loose = true,
                                               .stateless = true,
                                               .view = {FW_VIEW_ARRIVED, FW_VIEW_LEAVING}});
    PLAY(r, {0, "lan", "tcp S 10.0.0.5:1025 > 192.0.2.7:80", "wan 10.0.0.5:1025 > 192.0.2.7:80"},
         {1, "wan", "tcp SA 192.0.2.7:80 > 10.0.0.5:1025", "lan 192.0.2.7:80 > 10.0.0.5:1025"},
         {2, "wan", "tcp S 192.0.2.7:80 > 10.0.0.5:1025", "drop implicit"},
         {3, "lan", "udp 10.0.0.5:5 > 192.0.2.7:5", "wan 10.0.0.5:5 > 192.0.2.7:5"},
         {4, "wan", "udp 192.0.2.7:5 > 10.0.0.5:5", "drop implicit"});
}

/* No state is made of what is shut, as it came or as it leaves; answers of what began the other way round pass. */
static void a_shutter_keeps_flows_from_beginning(void **state)
{
    (void)state;
    struct fw_rules *r = home();
    struct fw_addr server = {kit_ip("10.0.0.9"), kit_ip("10.0.0.9"), false};
    nat(r, 11, "PREROUTING", PROTO_UDP, 667, (struct fw_nat_to){.to = &server, .port_lo = 666, .port_hi = 666}, 0);
    PLAY(r, {0, "lan", "udp 10.0.0.5:1025 > 192.0.2.7:666", "drop shut"},
         {1, "wan", "udp 192.0.2.7:4000 > 198.51.100.2:667", "drop shut"},
         {2, "lan", "udp 10.0.0.5:666 > 192.0.2.7:1025", "wan 198.51.100.2:666 > 192.0.2.7:1025"},
         {3, "wan", "udp 192.0.2.7:1025 > 198.51.100.2:666", "lan 192.0.2.7:1025 > 10.0.0.5:666"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translates_both_ways),
        cmocka_unit_test(a_shutter_keeps_flows_from_beginning),
        cmocka_unit_test(states_are_seen),
        cmocka_unit_test(a_stream_lives_longer),
        cmocka_unit_test(a_raw_chain_switches_tracking_off),
        cmocka_unit_test(a_machine_without_state_is_asked_about_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
