/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that nobody reaches, that are too wide, that are written on the wrong address; and the index behind it, held
 * to a search of every rule. */
#include "models/firewall/audit.h"

#include "models/base/rng.h"
#include "models/firewall/audit_parts.h"
#include "models/firewall/rig_test.h"
#include "models/testkit/testkit.h"

#define A "access-list outside_in extended "
#define BIND "access-group outside_in in interface outside\n"

/* Line behind HEAD and those that cover it, "+" behind a contrary one. */
static const struct {
    const char *config, *unreached;
} cases[] = {
    {A "deny tcp any host 10.0.10.2 eq 80\n" A "permit tcp any host 10.0.10.2 eq 80\n" BIND, "2<1+ "},
    {A "permit tcp any host 10.0.10.2 range 1 100\n" A "permit tcp any host 10.0.10.2 range 101 200\n" A
       "permit tcp any host 10.0.10.2 range 50 150\n" BIND, "3<1,2 "},
    /* one port is left */
    {A "permit tcp any host 10.0.10.2 range 1 100\n" A "permit tcp any host 10.0.10.2 range 102 200\n" A
       "permit tcp any host 10.0.10.2 range 50 150\n" BIND, ""},
    /* 24.0.0.0/5 in two halves that are not each enough, with a rule between that has some of the second */
    {A "permit ip 24.0.0.0 252.0.0.0 any4\n" A "permit udp any4 any4 eq 53\n" A "permit ip 28.0.0.0 252.0.0.0 any4\n" A
       "deny ip 24.0.0.0 248.0.0.0 any4\n" BIND, "4<1,2,3+ "},
    /* what is inactive covers nothing, and a list that nobody asks has no findings */
    {A "deny ip any any inactive\n" A "permit tcp any any eq 1\n" BIND "access-list x extended deny ip any any\n"
       "access-list x extended permit tcp any any eq 1\n", ""},
    /* a netmask with holes */
    {A "deny ip any 10.0.0.192 255.0.0.192\n" A "permit tcp any host 10.7.7.200 eq 1\n" A
       "permit tcp any host 10.7.7.20 eq 1\n" BIND, "2<1+ "},
};

static void print_unreached(const struct fw_unreached *u, size_t count, struct text *t)
{
    for (size_t i = 0; i < count; i++) {
        text_add(t, "%u<", u[i].rule->line - HEAD_LINES);
        for (size_t k = 0; k < u[i].by_count; k++)
            text_add(t, k ? ",%u" : "%u", u[i].by[k]->line - HEAD_LINES);
        text_add(t, u[i].contrary ? "+ " : " ");
    }
}

static void unreached(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig g;
        rig_open(&g, cases[i].config, 0);
        struct fw_prepared *p = fw_prepare(g.rules);
        struct fw_space *s = fw_space_new(0);
        struct fw_unreached *u;
        size_t count;
        char words[200] = "";
        struct text t = text_of(words, sizeof words);
        assert_int_equal(fw_audit_unreached(p, s, &u, &count), 0);
        print_unreached(u, count, &t);
        assert_string_equal(words, cases[i].unreached);
        fw_space_free(s);
        fw_prepared_free(p);
        rig_close(&g);
    }
}

/* A rule that the system adds by itself: nobody can move it, so nobody is told that it is never reached. */
static void the_system_s_own_rules_have_no_findings(void **state)
{
    (void)state;
    for (int implied = 0; implied < 2; implied++) {
        struct rig g;
        rig_open(&g, A "deny ip any any\n" BIND, 0);
        struct fw_rule_spec spec = {.list = "outside_in", .action = FW_PERMIT, .implied = implied, .line = 99};
        assert_int_equal(fw_rules_add_rule(g.rules, &spec), 0);
        struct fw_prepared *p = fw_prepare(g.rules);
        struct fw_space *s = fw_space_new(0);
        struct fw_unreached *u;
        size_t count;
        assert_int_equal(fw_audit_unreached(p, s, &u, &count), 0);
        assert_int_equal(count, !implied);
        fw_space_free(s);
        fw_prepared_free(p);
        rig_close(&g);
    }
}

static void overwide(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g,
             "object network expe\n host 10.0.10.2\n nat (dmz,outside) static 198.51.100.20\n" A
             "permit tcp any host 10.0.10.2 range 443 450\n" A "permit ip any host 10.0.10.2\n" A
             "permit udp any host 10.0.10.2 eq 3478\n" BIND, 0);
    struct fw_prepared *p = fw_prepare(g.rules);
    struct fw_space *s = fw_space_new(0);
    struct fw_machine m = {p, &g.routes, NULL};
    struct fw_addr to = {.a = kit_ip("198.51.100.20"), .b = kit_ip("198.51.100.20")}, any = fw_addr_any(IP_V4);
    struct fw_service web = {PROTO_TCP, PROTO_TCP, 0, 65535, 443, 444};
    struct fw_region packets = fw_region_of(s, &any, 1, &to, 1, &web, 1);
    struct fw_part *parts;
    size_t count;
    assert_int_equal(fw_exact(&m, &(struct fw_question){.in = 0, .packets = &packets}, s, &parts, &count), 0);
    assert_int_equal(count, 1);
    const struct fw_part *needed[] = {&parts[0]};
    struct fw_overwide *wide;
    char words[200];
    assert_int_equal(fw_audit_overwide(p, needed, 1, s, &wide, &count), 0);
    assert_int_equal(count, 2); /* the third is never reached */
    assert_int_equal(wide[0].rule->line - HEAD_LINES, 5);
    assert_false(wide[0].needed);
    assert_int_equal(wide[1].rule->line - HEAD_LINES, 4);
    assert_true(wide[1].needed);
    assert_int_equal(wide[1].excess.count, 1);
    fw_cell_text(&wide[1].excess.cell[0], words, sizeof words);
    assert_string_equal(words, "tcp any > 10.0.10.2 ports 445-450");
    assert_true(wide[1].exposure == ((fw_wide)6 << 48));
    fw_space_free(s);
    fw_prepared_free(p);
    rig_close(&g);
}

static void mapped(void **state)
{
    (void)state;
    struct rig g;
    rig_open(&g,
             "object network expe\n host 10.0.10.2\n nat (dmz,outside) static 198.51.100.20\n" A
             "permit tcp any host 198.51.100.20 eq 443\n" A "permit tcp any host 10.0.10.2 eq 443\n" A
             "permit tcp any any eq 80\n" BIND, 0);
    struct fw_prepared *p = fw_prepare(g.rules);
    struct fw_space *s = fw_space_new(0);
    struct fw_machine m = {p, &g.routes, NULL};
    struct fw_mapped_rule *rule;
    size_t count;
    assert_int_equal(fw_audit_mapped(&m, s, &rule, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rule->rule->line - HEAD_LINES, 4);
    assert_int_equal(rule->nat->line - HEAD_LINES, 3);
    assert_string_equal(rule->list, "outside_in");
    fw_space_free(s);
    fw_prepared_free(p);
    rig_close(&g);
}

static struct fw_rules *many_rules(struct rng *rng, unsigned count)
{
    struct fw_rules *r = fw_rules_new("many");
    for (unsigned i = 0; i < count; i++) {
        static const unsigned len[] = {32, 32, 28, 24, 16, 0};
        struct ip_prefix from = {ip_v4((uint32_t)rng_u64(rng)), (uint8_t)len[rng_below(rng, 6)]};
        struct ip_prefix to = {ip_v4(10U << 24 | (uint32_t)rng_below(rng, 1 << 20)), (uint8_t)len[rng_below(rng, 6)]};
        struct fw_addr src = fw_addr_prefix(&from), dst = fw_addr_prefix(&to);
        struct fw_rule_spec spec = {.list = "l", .action = FW_PERMIT, .src = &src, .src_count = 1, .dst = &dst,
                                    .dst_count = 1, .line = i + 1};
        assert_int_equal(fw_rules_add_rule(r, &spec), 0);
    }
    return r;
}

static void index_finds_all(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "index");
    struct fw_rules *r = many_rules(&rng, 600);
    struct fw_prepared *p = fw_prepare(r);
    struct fw_space *s = fw_space_new(0);
    struct fw_index x;
    assert_true(fw_index_make(&x, &p->list[0], s));
    for (size_t i = 0; i < p->list[0].count; i++) {
        size_t n = fw_index_find(&x, &p->list[0].hull[i], i), k = 0;
        for (size_t j = 0; j < i; j++)
            if (fw_hulls_meet(&p->list[0].hull[j], &p->list[0].hull[i]))
                assert_true(k < n && x.found[k++] == j);
        assert_int_equal(k, n);
    }
    fw_space_free(s);
    fw_prepared_free(p);
    fw_rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unreached),
        cmocka_unit_test(the_system_s_own_rules_have_no_findings),
        cmocka_unit_test(overwide),
        cmocka_unit_test(mapped),
        cmocka_unit_test(index_finds_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
