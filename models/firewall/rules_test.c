/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/rules.h"

#include "models/base/err.h"
#include "models/testkit/testkit.h"

static struct fw_addr addr(const char *s)
{
    struct fw_addr a;
    assert_int_equal(fw_addr_parse(s, &a), 0);
    return a;
}

static void address_sets_are_exact(void **state)
{
    (void)state;
    struct fw_addr s[] = {addr("10.0.0.128/25"), addr("10.0.0.0-10.0.0.127"), addr("10.0.2.1"), addr("::/0"),
                          {.a = kit_ip("10.0.0.192"), .b = kit_ip("255.0.0.192"), .masked = true}};
    size_t ranges;
    assert_int_equal(fw_addr_normalise(s, 5, &ranges), 4); /* the first two are one */
    assert_int_equal(ranges, 3);
    struct fw_set set = {s, ranges, 4};
    static const struct {
        const char *ip;
        bool in;
    } row[] = {{"10.0.0.0", true},   {"10.0.0.255", true},    {"10.0.1.0", false},  {"10.0.2.1", true},
               {"10.77.3.200", true}, {"10.77.3.191", false}, {"11.0.0.200", false}, {"2001:db8::1", true}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct ip_addr ip = kit_ip(row[i].ip);
        assert_int_equal(fw_set_has(&set, &ip), row[i].in);
    }
    struct fw_addr bad;
    assert_int_equal(fw_addr_parse("10.0.0.9-10.0.0.1", &bad), E_RANGE);
    assert_int_equal(fw_addr_parse("10.0.0.9-::1", &bad), E_MALFORMED);
    assert_int_equal(fw_addr_parse("any", &bad), E_MALFORMED);
}

static void positions_pair_addresses(void **state)
{
    (void)state;
    struct fw_addr s[] = {addr("10.0.0.8/29"), addr("10.0.0.1"), addr("2001:db8::ffff:ffff:ffff:fffe/127")};
    struct fw_set set = {s, 3, 3};
    assert_int_equal(fw_set_size(&set), 11);
    for (uint64_t i = 0; i < 11; i++) {
        struct ip_addr ip;
        uint64_t back = UINT64_MAX;
        assert_true(fw_set_at(&set, i, &ip) && fw_set_index(&set, &ip, &back));
        assert_int_equal(back, i);
    }
    struct ip_addr ip;
    assert_false(fw_set_at(&set, 11, &ip));
    struct fw_addr all = fw_addr_any(IP_V6);
    struct fw_set six = {&all, 1, 1};
    assert_true(fw_set_size(&six) == UINT64_MAX);
    struct ip_addr carry = kit_ip("2001:db8::ffff:ffff:ffff:ffff"), next = kit_ip("2001:db8:0:1::");
    carry = fw_addr_plus(&carry, 1);
    assert_true(ip_equal(&carry, &next));
}

/* outside (0) and inside (100); lists as the rows name them. */
static struct fw_rules *two_sides(void)
{
    struct fw_rules *r = fw_rules_new("test.json");
    assert_int_equal(fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "outside", .level = 0}), 0);
    assert_int_equal(fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "inside", .level = 100}), 1);
    assert_int_equal(fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "inside", .level = 1}), E_EXISTS);
    return r;
}

static void rule(struct fw_rules *r, const char *list, enum fw_action action, const char *dst, unsigned port,
                 unsigned line)
{
    struct fw_addr d = addr(dst);
    struct fw_service tcp = {PROTO_TCP, PROTO_TCP, 0, 65535, (uint16_t)port, (uint16_t)port};
    struct fw_rule_spec spec = {.list = list, .action = action, .dst = &d, .dst_count = 1, .service = &tcp,
                                .service_count = 1, .line = line, .text = list};
    assert_int_equal(fw_rules_add_rule(r, &spec), 0);
}

static struct fw_verdict ask(struct fw_rules *r, int in, int out, unsigned port)
{
    struct fw_flow f = {PROTO_TCP, kit_ip("198.51.100.9"), kit_ip("10.0.10.2"), 50000, (uint16_t)port};
    return fw_eval_first(r, in, out, &f);
}

static void levels_decide_without_lists(void **state)
{
    (void)state;
    struct fw_rules *r = two_sides();
    assert_int_equal(ask(r, 1, 0, 80).decision, FW_PERMITTED);
    assert_int_equal(ask(r, 0, 1, 80).decision, FW_DENIED);
    assert_string_equal(ask(r, 0, 0, 80).reason, "hairpin");
    fw_rules_set_policy(r, &(struct fw_policy){.same_level_intra = true});
    assert_int_equal(ask(r, 0, 0, 80).decision, FW_PERMITTED);
    assert_int_equal(ask(r, 0, 7, 80).decision, FW_NOT_REACHED);
    fw_rules_free(r);
}

/* T10: interface list, then the global list, then the implicit deny; a bound list replaces the levels. */
static void lists_decide_in_order(void **state)
{
    (void)state;
    struct fw_rules *r = two_sides();
    rule(r, "outside_in", FW_PERMIT, "10.0.10.2", 80, 10);
    rule(r, "outside_in", FW_REJECT, "10.0.10.0/24", 80, 11);
    rule(r, "outside_in", FW_REJECT, "10.0.10.0/24", 81, 12);
    rule(r, "everywhere", FW_PERMIT, "10.0.10.0/24", 81, 20);
    rule(r, "everywhere", FW_PERMIT, "10.0.10.0/24", 82, 21);
    rule(r, "to_inside", FW_DENY, "10.0.10.2", 83, 30);
    assert_int_equal(fw_rules_bind(r, "outside_in", 0, FW_IN), 0);
    assert_int_equal(ask(r, 0, 1, 80).rule->line, 10);
    struct fw_verdict v = ask(r, 0, 1, 81);
    assert_true(v.decision == FW_DENIED && v.reject && v.rule->line == 12);
    v = ask(r, 0, 1, 82);
    assert_true(v.decision == FW_DENIED && !v.rule);
    char text[120];
    fw_verdict_text(r, &v, text, sizeof text);
    assert_string_equal(text,
                        "denied by the implicit deny at the end of access-list outside_in (in interface outside)");
    assert_int_equal(ask(r, 1, 0, 1).decision, FW_PERMITTED);

    assert_int_equal(fw_rules_bind(r, "everywhere", FW_ANY_IFACE, FW_IN), 0);
    assert_int_equal(ask(r, 0, 1, 81).rule->line, 12);
    assert_int_equal(ask(r, 0, 1, 82).rule->line, 21);
    assert_int_equal(ask(r, 1, 0, 1).decision, FW_DENIED); /* the global implicit deny now */

    assert_int_equal(fw_rules_bind(r, "to_inside", 1, FW_OUT), 0);
    v = ask(r, 0, 1, 80);
    assert_true(v.decision == FW_DENIED && v.dir == FW_OUT && v.iface == 1 && !v.rule);
    fw_rules_free(r);
}

static void object_nat_is_sorted(void **state)
{
    (void)state;
    struct fw_rules *r = two_sides();
    static const struct {
        enum fw_nat_section section;
        const char *object, *real;
        bool dynamic;
        unsigned place;
    } row[] = { /* as the manual orders them */
        {FW_NAT_AFTER_AUTO, "", "10.9.9.9", false, 7},     {FW_NAT_OBJECT, "abc", "172.16.1.0/24", true, 5},
        {FW_NAT_OBJECT, "def", "172.16.1.0/24", true, 6},  {FW_NAT_OBJECT, "a", "192.168.1.0/24", false, 4},
        {FW_NAT_OBJECT, "b", "10.1.1.0/24", false, 3},     {FW_NAT_OBJECT, "z", "192.168.1.1", false, 2},
        {FW_NAT_MANUAL, "", "10.0.0.0/8", true, 0},        {FW_NAT_MANUAL, "", "10.1.1.1", false, 1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fw_addr real = addr(row[i].real);
        struct fw_nat_spec spec = {.section = row[i].section, .object = row[i].object, .real_iface = 1,
                                   .mapped_iface = 0, .dynamic = row[i].dynamic, .interface = row[i].dynamic,
                                   .real = &real, .real_count = 1, .line = row[i].place + 1};
        assert_int_equal(fw_rules_add_nat(r, &spec), 0);
    }
    for (unsigned i = 0; i < r->nat_count; i++)
        assert_int_equal(r->nat[i].ref->line, i + 1);
    struct fw_addr two = addr("10.0.0.0/31"), one = addr("10.0.0.1");
    struct fw_nat_spec uneven = {.section = FW_NAT_MANUAL, .real = &two, .real_count = 1, .mapped = &one,
                                 .mapped_count = 1};
    assert_int_equal(fw_rules_add_nat(r, &uneven), E_RANGE);
    fw_rules_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_sets_are_exact),      cmocka_unit_test(positions_pair_addresses),
        cmocka_unit_test(levels_decide_without_lists), cmocka_unit_test(lists_decide_in_order),
        cmocka_unit_test(object_nat_is_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
