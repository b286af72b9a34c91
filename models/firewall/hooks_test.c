/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains at hooks: jumps, goto, return, policies, several base chains, connection states; and what is not known. */
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

static struct fw_rules *two_ports(void)
{
    struct fw_rules *r = fw_rules_new("fw");
    assert_int_equal(fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "eth0"}), 0);
    assert_int_equal(fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "eth1"}), 1);
    return r;
}

static void base(struct fw_rules *r, const char *list, enum fw_hook hook, int priority, enum fw_action policy)
{
    struct fw_base_spec spec = {.list = list, .hook = hook, .priority = priority, .policy = policy, .line = 1};
    assert_int_equal(fw_rules_add_base(r, &spec), 0);
}

/* A rule for TCP to that port; 0: any packet. */
static void rule(struct fw_rules *r, unsigned line, const char *list, enum fw_action action, unsigned port,
                 const char *target, const struct fw_conditions *when)
{
    struct fw_service s = {PROTO_TCP, PROTO_TCP, 0, 65535, (uint16_t)port, (uint16_t)port};
    struct fw_rule_spec spec = {.list = list, .action = action, .service = &s, .service_count = port != 0,
                                .target = target, .when = when, .line = line};
    assert_int_equal(fw_rules_add_rule(r, &spec), 0);
}

static struct fw_verdict forward(const struct fw_rules *r, unsigned port)
{
    struct fw_flow f = {PROTO_TCP, kit_ip("198.51.100.9"), kit_ip("10.0.10.2"), 50000, (uint16_t)port};
    return fw_eval_first(r, 0, 1, &f);
}

static void expect(const struct fw_rules *r, unsigned port, enum fw_decision decision, unsigned line)
{
    struct fw_verdict v = forward(r, port);
    assert_int_equal(v.decision, decision);
    assert_int_equal(v.rule ? v.rule->line : 0, line);
}

static void chains_jump_and_return(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    base(r, "FORWARD", FW_FORWARD, FW_PRIO_FILTER, FW_DENY);
    rule(r, 10, "FORWARD", FW_JUMP, 0, "a", NULL);
    rule(r, 11, "FORWARD", FW_GOTO, 3, "b", NULL);
    rule(r, 12, "FORWARD", FW_PERMIT, 0, NULL, NULL);
    rule(r, 20, "a", FW_RETURN, 2, NULL, NULL);
    rule(r, 21, "a", FW_DENY, 1, NULL, NULL);
    rule(r, 22, "a", FW_DENY, 2, NULL, NULL);
    rule(r, 23, "a", FW_GOTO, 4, "b", NULL);
    rule(r, 24, "a", FW_DENY, 4, NULL, NULL);
    rule(r, 30, "b", FW_PERMIT, 9, NULL, NULL);
    expect(r, 1, FW_DENIED, 21);
    expect(r, 2, FW_PERMITTED, 12); /* returned before 22 */
    expect(r, 3, FW_DENIED, 1);     /* goto from the base chain: its policy */
    expect(r, 4, FW_PERMITTED, 12); /* goto from a: what follows the jump to a */
    fw_rules_free(r);
}

static void every_base_chain_must_accept(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    base(r, "late", FW_FORWARD, 10, FW_PERMIT);
    base(r, "early", FW_FORWARD, -10, FW_PERMIT);
    base(r, "pre", FW_PREROUTING, FW_PRIO_RAW, FW_PERMIT);
    rule(r, 10, "early", FW_PERMIT, 0, NULL, NULL);
    rule(r, 20, "late", FW_REJECT, 5, NULL, NULL);
    rule(r, 30, "pre", FW_DENY, 6, NULL, &(struct fw_conditions){.states = FW_STATE_NEW});
    rule(r, 31, "pre", FW_DENY, 7, NULL, &(struct fw_conditions){.states = FW_STATE_INVALID});
    expect(r, 4, FW_PERMITTED, 10);
    expect(r, 5, FW_DENIED, 20);
    assert_true(forward(r, 5).reject);
    expect(r, 6, FW_PERMITTED, 10); /* before connection tracking nothing is new */
    expect(r, 7, FW_DENIED, 31);
    fw_rules_free(r);
}

static void conditions_narrow_a_rule(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    uint64_t syn = fw_flags_set(0x17, 2);
    assert_true(syn >> 2 & 1 && syn >> 10 & 1 && !(syn >> 18 & 1));
    base(r, "FORWARD", FW_FORWARD, 0, FW_DENY);
    rule(r, 1, "FORWARD", FW_PERMIT, 1, NULL, &(struct fw_conditions){.in_ifaces = 2});
    rule(r, 2, "FORWARD", FW_PERMIT, 2, NULL, &(struct fw_conditions){.out_ifaces = 2, .tcp_flags = syn});
    rule(r, 3, "FORWARD", FW_PERMIT, 3, NULL, &(struct fw_conditions){.states = FW_STATE_ESTABLISHED});
    rule(r, 4, "FORWARD", FW_PERMIT, 4, NULL, &(struct fw_conditions){.not_states = FW_STATE_ESTABLISHED});
    expect(r, 1, FW_DENIED, 1);
    expect(r, 2, FW_PERMITTED, 2);
    expect(r, 3, FW_DENIED, 1);
    expect(r, 4, FW_PERMITTED, 4);
    struct fw_flow f = {PROTO_TCP, kit_ip("192.0.2.1"), kit_ip("10.0.0.1"), 5, 3};
    struct fw_context ctx = {.in = 0, .out = 1, .states = FW_STATE_ESTABLISHED, .arrived = f, .real = f, .leaving = f};
    assert_int_equal(fw_eval(r, &ctx).decision, FW_PERMITTED);
    fw_rules_free(r);
}

static void what_cannot_be_told_is_unknown_only_where_it_matters(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    struct fw_conditions limit = {.unknown = "limit"};
    base(r, "FORWARD", FW_FORWARD, 0, FW_DENY);
    rule(r, 1, "FORWARD", FW_PERMIT, 1, NULL, &limit);
    rule(r, 2, "FORWARD", FW_PERMIT, 2, NULL, &limit);
    rule(r, 3, "FORWARD", FW_PERMIT, 2, NULL, NULL);
    rule(r, 4, "FORWARD", FW_DENY, 3, NULL, &limit);
    struct fw_verdict v = forward(r, 1);
    assert_int_equal(v.decision, FW_UNKNOWN);
    assert_int_equal(v.doubt_count, 1);
    assert_int_equal(v.doubt[0].ref->line, 1);
    char text[200];
    fw_verdict_text(r, &v, text, sizeof text);
    assert_string_equal(text, "unknown: line 1 (limit)");
    expect(r, 2, FW_PERMITTED, 3); /* by either */
    expect(r, 3, FW_DENIED, 1);
    assert_int_equal(forward(r, 3).doubt_count, 0);
    struct fw_addr to = {kit_ip("10.0.10.0"), kit_ip("10.0.10.2"), false};
    struct fw_taint_spec taint = {.dst = &to, .dst_count = 1, .why = "a zone", .line = 9, .text = "zone x"};
    assert_int_equal(fw_rules_add_taint(r, &taint), 0);
    assert_int_equal(fw_rules_add_unsupported(r, 9, "zone x", "a zone"), 0);
    assert_int_equal(forward(r, 3).decision, FW_UNKNOWN);
    assert_int_equal(fw_rules_lines(r).unsupported, 1);
    assert_int_equal(fw_rules_unsupported(r, 0)->line, 9);
    assert_null(fw_rules_unsupported(r, 1));
    fw_rules_free(r);
}

/* What a chain left unknown, a later one can deny, but not permit. */
static void a_later_chain_settles_no_doubt_by_permitting(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    struct fw_conditions limit = {.unknown = "limit"};
    base(r, "first", FW_FORWARD, 0, FW_PERMIT);
    base(r, "second", FW_FORWARD, 1, FW_PERMIT);
    rule(r, 5, "first", FW_DENY, 0, NULL, &limit);
    rule(r, 6, "second", FW_PERMIT, 1, NULL, NULL);
    rule(r, 7, "second", FW_DENY, 3, NULL, NULL);
    expect(r, 1, FW_UNKNOWN, 0);
    assert_int_equal(forward(r, 1).doubt[0].ref->line, 5);
    expect(r, 2, FW_UNKNOWN, 0); /* permitted by the policy of the second */
    expect(r, 3, FW_DENIED, 7);
    fw_rules_free(r);
}

static void the_first_nat_rule_translates(void **state)
{
    (void)state;
    struct fw_rules *r = two_ports();
    struct fw_base_spec spec = {.list = "nat", .hook = FW_PREROUTING, .priority = FW_PRIO_DSTNAT, .nat = true,
                                .policy = FW_PERMIT};
    assert_int_equal(fw_rules_add_base(r, &spec), 0);
    struct fw_addr to = {kit_ip("10.0.0.9"), kit_ip("10.0.0.9"), false};
    struct fw_rule_spec dnat = {.list = "nat", .action = FW_NAT_TO, .nat = &(struct fw_nat_to){.to = &to}, .line = 7};
    assert_int_equal(fw_rules_add_rule(r, &dnat), 0);
    struct fw_flow f = {PROTO_TCP, kit_ip("192.0.2.1"), kit_ip("192.0.2.2"), 5, 3};
    struct fw_context ctx = {.in = 0, .out = 1, .arrived = f, .real = f, .leaving = f};
    struct fw_verdict v = {0};
    const struct fw_rule *hit = fw_nat_chain(r, FW_PREROUTING, &ctx, &v);
    assert_non_null(hit);
    assert_int_equal(hit->ref->line, 7);
    assert_true(ip_equal(&hit->nat->to->a, &to.a));
    assert_null(fw_nat_chain(r, FW_POSTROUTING, &ctx, &v));
    fw_rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_jump_and_return),
        cmocka_unit_test(every_base_chain_must_accept),
        cmocka_unit_test(conditions_narrow_a_rule),
        cmocka_unit_test(what_cannot_be_told_is_unknown_only_where_it_matters),
        cmocka_unit_test(a_later_chain_settles_no_doubt_by_permitting),
        cmocka_unit_test(the_first_nat_rule_translates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
