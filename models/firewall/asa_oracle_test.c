/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others made of access-lists, against ours: devices (`show access-list`, `show nat`), a program that flattens
 * lists (flatAsaAcl) and its look-ups, reference flows (ntc-soteria). A line as typed and the lines made of it must
 * agree about every packet tried. Groups that the output does not show are written down here as it implies them. Needs
 * the sample files beside the tree. */
#include "models/base/bytes.h"
#include "models/base/rng.h"
#include "models/firewall/asa.h"
#include "models/firewall/parts_rig_test.h"

#define SHARED "../shared/rulesets/"
#define IFACE "interface g\n nameif outside\n ip address 192.0.2.200 255.255.255.0\n"

enum { TEXT_MAX = 64 * 1024, NAMED_MAX = 64 };

/* The name that a device could not resolve, resolved for both sides of the comparison. */
#define RESOLVED "host 192.0.2.77"
#define RESOLVED6 "host 2001:db8:77::77"

static char *sample(const char *path)
{
    size_t n = 0;
    char *text = rig_sample(path, &n);
    if (!text) {
        print_message("no %s here: skipped\n", path);
        skip();
    }
    text[n] = '\0';
    return text;
}

static struct fw_rules *parse(const struct text *t)
{
    return rig_read(fw_asa_parse, &(struct fw_source){.name = "made", .text = t->buf, .len = t->len,
                                                      .clock_s = FW_NO_CLOCK});
}

/* ---- a line of a list, as a list of its own ---- */

struct side {
    char buf[TEXT_MAX], list[TEXT_MAX];
    struct text objects, lists;
    unsigned ranges;
};

static void side_begin(struct side *s, const char *objects, bool six)
{
    s->objects = text_of(s->buf, sizeof s->buf);
    s->lists = text_of(s->list, sizeof s->list);
    s->ranges = 0;
    text_add(&s->objects, IFACE "object-group network resolved\n network-object " RESOLVED "\n%s%s",
             six ? " network-object " RESOLVED6 "\n" : "", objects);
}

/* `access-list NAME line N REST` as `access-list NAME-N REST`. What a device prints for addresses, `range A B` and
 * `fqdn NAME (unresolved)`, becomes objects. */
static void side_add(struct side *s, const char *line)
{
    char name[64], copy[1024], *save;
    unsigned n = 0;
    int at = 0;
    if (sscanf(line, " access-list %63s line %u %n", name, &n, &at) != 2)
        fail_msg("%s", line);
    text_add(&s->lists, "access-list %s-%u", name, n);
    snprintf(copy, sizeof copy, "%s", line + at);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        if (strcmp(w, "fqdn") == 0) {
            strtok_r(NULL, " ", &save);
            text_add(&s->lists, " object-group resolved");
        } else if (strcmp(w, "range") == 0 && save[strcspn(save, ".: ")] == '.') {
            char *a = strtok_r(NULL, " ", &save), *b = strtok_r(NULL, " ", &save);
            text_add(&s->objects, "object network r%u\n range %s %s\n", s->ranges, a, b);
            text_add(&s->lists, " object r%u", s->ranges++);
        } else if (strcmp(w, "(unresolved)") != 0) {
            text_add(&s->lists, " %s", w);
        }
    }
    text_add(&s->lists, "\n");
}

static struct fw_rules *side_parse(struct side *s)
{
    text_add(&s->objects, "%s", s->list);
    return parse(&s->objects);
}

/* ---- packets near what the rules say ---- */

static struct ip_addr near_set(struct rng *rng, const struct fw_set *set)
{
    static const uint32_t nobody = 0xcb007109;
    if (!set || rng_below(rng, 8) == 0)
        return ip_v4(nobody);
    const struct fw_addr *a = &set->addr[rng_below(rng, set->count)];
    struct ip_addr ip = a->masked || rng_below(rng, 2) ? a->a : a->b;
    if (a->masked) /* the bits that do not matter */
        ip = ip_v4(ip_v4_value(&ip) | ((uint32_t)rng_below(rng, UINT32_MAX) & ~ip_v4_value(&a->b)));
    if (rng_below(rng, 4) == 0)
        ip.b[ip_size(&ip) - 1] ^= (uint8_t)(1U << rng_below(rng, 8));
    return ip;
}

static uint16_t near_port(struct rng *rng, uint16_t lo, uint16_t hi)
{
    static const int step[] = {-1, 0, 0, 1};
    return (uint16_t)((rng_below(rng, 2) ? lo : hi) + step[rng_below(rng, 4)]);
}

static struct fw_flow near_rule(struct rng *rng, const struct fw_rule *r)
{
    struct fw_service any = FW_SERVICE_ANY;
    const struct fw_service *s = r->service_count ? &r->service[rng_below(rng, r->service_count)] : &any;
    uint8_t proto = s->proto_lo == 0 ? PROTO_TCP : s->proto_lo;
    if (rng_below(rng, 8) == 0)
        proto = PROTO_UDP;
    return (struct fw_flow){proto, near_set(rng, r->src), near_set(rng, r->dst),
                            near_port(rng, s->sport_lo, s->sport_hi), near_port(rng, s->dport_lo, s->dport_hi)};
}

/* Each list of x against that of y with the same name; the packets that a list matched. */
static unsigned agree(const struct fw_rules *x, const struct fw_rules *y, unsigned tries)
{
    struct rng rng = rng_named(1, "oracle");
    unsigned matched = 0;
    assert_int_equal(x->list_count, y->list_count);
    for (size_t l = 0; l < x->list_count; l++) {
        const struct fw_list *typed = x->list[l], *made = fw_rules_list(y, typed->name);
        assert_non_null(made);
        unsigned here = 0;
        for (unsigned i = 0; i < tries; i++) {
            const struct fw_list *from = i % 2 ? typed : made;
            struct fw_flow f = near_rule(&rng, &from->rule[rng_below(&rng, from->count)]);
            const struct fw_rule *a = fw_list_match(typed, &f), *b = fw_list_match(made, &f);
            if (!a != !b || (a && a->action != b->action))
                fail_msg("%s: typed %s, made %s", typed->name, a ? a->ref->text : "-", b ? b->ref->text : "-");
            here += a != NULL;
        }
        if (!here && !typed->rule[0].inactive)
            fail_msg("%s: no packet tried was matched", typed->name);
        assert_int_equal(typed->rule[0].inactive, made->rule[0].inactive);
        matched += here;
    }
    return matched;
}

/* ---- show access-list ---- */

/* Lines as typed stand at the margin, those made of them two blanks further in; one with no group is not repeated. */
static void add_shown(struct side *typed, struct side *made, char *shown)
{
    char *save;
    for (char *s = strtok_r(shown, "\r\n", &save); s; s = strtok_r(NULL, "\r\n", &save)) {
        char *hits = strstr(s, " (hitcnt"), *end = hits ? hits : strstr(s, " (inactive)");
        if (!end || !strstr(s, " extended "))
            continue; /* headings, remarks */
        *end = '\0';
        bool inner = *s == ' ', expands = strstr(s, " object");
        if (!inner)
            side_add(typed, s);
        if (inner || !expands)
            side_add(made, s);
    }
}

/* The groups of the template a08, with the addresses of the device that printed the expansion. */
static void add_template(struct text *out, char *config)
{
    static const struct {
        const char *name, *value;
    } value[] = {{"{{ mpe_network }}", "10.10.47.128 255.255.255.192"},
                 {"{{ mpi_network }}", "10.10.47.192 255.255.255.192"},
                 {"{{ users_network }}", "10.10.51.0 255.255.255.0"}};
    char *save;
    for (char *s = strtok_r(config, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
        if (strncmp(s, "object-group", 12) != 0 && !strstr(s, "-object "))
            continue;
        const char *brace = strstr(s, "{{");
        text_add(out, "%.*s", brace ? (int)(brace - s) : (int)strlen(s), s);
        for (size_t i = 0; brace && i < sizeof value / sizeof *value; i++)
            if (strncmp(brace, value[i].name, strlen(value[i].name)) == 0)
                text_add(out, "%s", value[i].value);
        text_add(out, "\n");
    }
}

static struct side typed, made;

static void expansions_of_an_asav_agree(void **state)
{
    (void)state;
    /* Lists that the device had and the template has not. */
    static const char more[] =
        "object-group service SCW_12345_svc_AR2\n service-object icmp echo\n service-object udp destination eq syslog\n"
        " service-object tcp destination eq ldaps\n service-object ah\n"
        "object-group network SCW_12345_src_AR2\n network-object 10.10.10.200 255.255.255.254\n"
        " network-object 10.0.0.1 255.0.0.255\n"
        "object-group network SCW_12345_dst_AR1\n network-object host 10.1.1.1\n"
        "object-group network SCW_12345_dst_AR2\n network-object host 10.1.1.1\n";
    char *config = sample(SHARED "asa/a08-95-noncontiguous-masks.cfg");
    char *shown = sample(SHARED "oracle/a08-show_access-list.txt");
    side_begin(&typed, more, false);
    side_begin(&made, "", false);
    add_template(&typed.objects, config);
    add_shown(&typed, &made, shown);
    struct fw_rules *x = side_parse(&typed), *y = side_parse(&made);
    assert_int_equal(fw_rules_lines(x).unsupported + fw_rules_lines(y).unsupported, 0);
    assert_true(agree(x, y, 3000) > 10000);
    fw_rules_free(x);
    fw_rules_free(y);
    free(config);
    free(shown);
}

static void expansions_of_a_real_device_agree(void **state)
{
    (void)state;
    static const char implied[] =
        "object service svc1\n service icmp echo-reply 4\n"
        "object service svc10\n service tcp destination range www 88\n"
        "object network test1\n " RESOLVED "\nobject network test2\n host 10.1.1.2\n"
        "object network test3\n range 10.1.1.3 10.1.1.8\n"
        "object-group network grptest1\n network-object host 10.1.1.10\n network-object object test1\n"
        " network-object 10.1.1.8 255.255.255.248\n"
        "object-group network grptest2\n group-object grptest1\n network-object host 10.10.10.10\n"
        "object-group service svcgrp1\n service-object tcp destination eq 60\n service-object tcp destination eq www\n"
        " service-object tcp destination gt 100\n service-object tcp destination range gopher 71\n"
        "object-group service svcgrp4\n service-object tcp-udp destination eq domain\n"
        " service-object tcp-udp destination eq 55\n"
        "object-group service svcgrp6 tcp\n port-object eq aol\n port-object eq www\n port-object eq 84\n"
        "object-group service svcgrp7 tcp-udp\n port-object eq domain\n"
        "object-group service svcgrp8 tcp\n group-object svcgrp6\n"
        "object-group protocol prtgrp1\n protocol-object esp\n"
        "object-group network test_gr\n network-object host 212.179.71.34\n"
        "object-group network test_gr_02\n network-object host 10.2.74.35\n"
        "object network network-172.16.0.0\n subnet 172.16.0.0 255.240.0.0\n"
        "object network aps03-aps04_gaibu_vip\n host 10.2.66.237\nobject network ClientPC\n host 172.31.168.7\n"
        "object-group network NETWORK_100\n network-object host 10.2.88.104\n network-object host 10.2.88.100\n"
        "object-group network NETWORK_88\n network-object 10.0.247.0 255.255.255.0\n"
        "object network aps0506_VIP_10.2.66.53\n host 10.2.66.53\n";
    char *shown = sample(SHARED "oracle/ntc-show_access-list-1.raw"), *resolved;
    /* The device printed what it could not resolve as inactive; here it is resolved. */
    while ((resolved = strstr(shown, "(unresolved)")) != NULL)
        memset(resolved, ' ', strlen("(unresolved)"));
    side_begin(&typed, implied, false);
    side_begin(&made, "", false);
    add_shown(&typed, &made, shown);
    struct fw_rules *x = side_parse(&typed), *y = side_parse(&made);
    assert_int_equal(fw_rules_lines(x).unsupported + fw_rules_lines(y).unsupported, 0);
    assert_int_equal(x->list_count, 37); /* of 39 lines two are remarks */
    assert_true(agree(x, y, 2000) > 10000);
    fw_rules_free(x);
    fw_rules_free(y);
    free(shown);
}

/* ---- flatAsaAcl ---- */

/* The config with a number for each line of a list, as a device counts them, and its one name resolved. */
static void add_flat_config(struct side *s, char *config)
{
    struct {
        char name[32];
        unsigned count;
    } list[16] = {{{0}, 0}};
    char *save;
    for (char *l = strtok_r(config, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        char name[32], line[512];
        int at = 0;
        if (sscanf(l, "access-list %31s %n", name, &at) != 1 || !at) {
            text_add(&s->objects, "%s\n", strstr(l, " fqdn ") ? " " RESOLVED : l);
            continue;
        }
        size_t i = 0;
        while (list[i].count && strcmp(list[i].name, name) != 0)
            i++;
        snprintf(list[i].name, sizeof list[i].name, "%s", name);
        list[i].count++;
        snprintf(line, sizeof line, "access-list %s line %u %s", name, list[i].count, l + at);
        if (!strstr(l, " standard ")) /* two lines: of routing and VPN, not of packets */
            side_add(s, line);
    }
}

static void a_flattened_list_agrees(void **state)
{
    (void)state;
    char *config = sample(SHARED "asa/a15-flat-ipv4-ipv6.cfg"), *flat = sample(SHARED "oracle/a15-flat-expected.txt");
    side_begin(&typed, "", false);
    side_begin(&made, "", false);
    add_flat_config(&typed, config);
    char *save;
    unsigned rows = 0, standard = 0;
    for (char *row = strtok_r(flat, "\n", &save); row; row = strtok_r(NULL, "\n", &save), rows++)
        if (strstr(row, ",standard,"))
            standard++;
        else
            side_add(&made, strrchr(row, ',') + 1);
    assert_true(rows == 63 && standard == 2);
    struct fw_rules *x = side_parse(&typed), *y = side_parse(&made);
    assert_int_equal(fw_rules_lines(x).unsupported + fw_rules_lines(y).unsupported, 0);
    assert_true(agree(x, y, 3000) > 10000);
    fw_rules_free(x);
    fw_rules_free(y);
    free(config);
    free(flat);
}

/* `eq/53`, `range/20000-30000`, `eq/any`, `-/-`: a column of ports as numbers. */
static void same_ports(const char *column, uint16_t lo, uint16_t hi)
{
    unsigned a = 0, b = 65535;
    if (sscanf(column, "range/%u-%u", &a, &b) != 2 && sscanf(column, "eq/%u", &a) == 1)
        b = a;
    assert_true(lo == a && hi == b);
}

/* The program's numbers for the names of protocols, ports and ICMP types, column by column. */
static void numbers_agree(void **state)
{
    (void)state;
    char *flat = sample(SHARED "oracle/a15-flat-expected.txt"), *save;
    unsigned with_ports = 0;
    for (char *row = strtok_r(flat, "\n", &save); row; row = strtok_r(NULL, "\n", &save)) {
        char proto[8], sport[32], dport[32], icmp[16];
        unsigned type = 0, code = 0;
        if (strstr(row, ",standard,"))
            continue;
        int n = sscanf(row, "%*[^,],%*u,extended,%*[^,],%7[^,],%*[^,],%31[^,],%*[^,],%31[^,],%15[^,],", proto, sport,
                       dport, icmp);
        assert_int_equal(n, 4);
        side_begin(&made, "", true);
        side_add(&made, strrchr(row, ',') + 1);
        struct fw_rules *r = side_parse(&made);
        const struct fw_rule *rule = &r->list[0]->rule[0];
        struct fw_service any = FW_SERVICE_ANY;
        const struct fw_service *s = rule->service_count ? rule->service : &any;
        assert_int_equal(s->proto_lo, atoi(proto)); /* ip: 0 */
        assert_int_equal(s->proto_hi, strcmp(proto, "ip") == 0 ? 255 : atoi(proto));
        int of_icmp = sscanf(icmp, "%u/%u", &type, &code);
        if (of_icmp >= 1)
            assert_true(s->sport_lo == type && s->sport_hi == type);
        else
            same_ports(sport, s->sport_lo, s->sport_hi);
        if (of_icmp == 2)
            assert_true(s->dport_lo == code && s->dport_hi == code);
        else
            same_ports(of_icmp == 1 ? "-/-" : dport, s->dport_lo, s->dport_hi);
        with_ports += s->dport_lo == s->dport_hi;
        fw_rules_free(r);
    }
    assert_true(with_ports > 20);
    free(flat);
}

/* Which of its lines the program finds for a source, a destination, or both: ours by the sets of the same lines. */
static bool found(const struct fw_rule *r, const char *from, const char *to)
{
    struct ip_addr src = {0}, dst = {0}, dst6 = {0};
    if (from)
        src = kit_ip(from);
    if (to)
        dst = dst6 = kit_ip(to);
    if (to && strcmp(to, "192.0.2.77") == 0)
        dst6 = kit_ip("2001:db8:77::77"); /* a name may have addresses of both families */
    return (!from || fw_set_has(r->src, &src)) && (!to || fw_set_has(r->dst, &dst) || fw_set_has(r->dst, &dst6));
}

static void look_ups_agree(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to;
    } query[] = {{"from_192.168.0.1/32,", "192.168.0.1", NULL},
                 {"to_www.example.com,", NULL, "192.0.2.77"},
                 {"from_2001:db8:1111::1/128_to_10.1.0.22/32,", "2001:db8:1111::1", "10.1.0.22"}};
    char *flat = sample(SHARED "oracle/a15-flat-expected.txt");
    char *expected = sample(SHARED "oracle/a15-lookup-expected.txt");
    char *save;
    unsigned hits = 0, asked = 0;
    for (char *row = strtok_r(flat, "\n", &save); row; row = strtok_r(NULL, "\n", &save)) {
        if (strstr(row, ",standard,"))
            continue;
        side_begin(&made, "", true);
        side_add(&made, strrchr(row, ',') + 1);
        struct fw_rules *r = side_parse(&made);
        for (size_t q = 0; q < sizeof query / sizeof *query; q++, asked++) {
            char whole[1024];
            snprintf(whole, sizeof whole, "%s%s", query[q].label, row);
            bool theirs = strstr(expected, whole) != NULL;
            bool ours = found(&r->list[0]->rule[0], query[q].from, query[q].to);
            if (theirs != ours)
                fail_msg("%s%s: theirs %d, ours %d", query[q].label, row, theirs, ours);
            hits += ours;
        }
        fw_rules_free(r);
    }
    assert_true(asked == 61 * 3 && hits > 50);
    free(flat);
    free(expected);
}

/* ---- reference flows ---- */

/* The second flow is one that the file does not permit (its list names 10.0.2.1, not 10.200.1.1): what a check of
 * reference flows has to find. */
static void reference_flows_are_judged(void **state)
{
    (void)state;
    static const struct probe flows[] = {
        {"webfarm", "outside", "udp 10.0.1.1:40000 > 8.8.8.8:53", FW_PERMITTED, 63},
        {"webfarm", "inside", "tcp 10.0.1.1:40000 > 10.200.1.1:3306", FW_DENIED, 65},
        {"webfarm", "inside", "tcp 10.0.1.1:40000 > 10.0.2.1:3306", FW_PERMITTED, 62},
    };
    char *config = sample(SHARED "asa/a12-98-soteria.cfg");
    char *yml = sample(SHARED "oracle/a12-soteria-reference-flows.yml");
    assert_true(strstr(yml, "8.8.8.8/32") && strstr(yml, "10.200.1.1/32"));
    struct fw_rules *r = rig_read(fw_asa_parse, &(struct fw_source){.name = "a12", .text = config,
                                                                    .len = strlen(config), .clock_s = FW_NO_CLOCK});
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        rig_probe(r, &flows[i]);
    fw_rules_free(r);
    free(config);
    free(yml);
}

/* ---- show nat ---- */

/* A host for each object that the output names; those that it uses with IPv6 have IPv6. Their order is that in which
 * the device printed the rules of its second section. */
static const struct {
    const char *name, *value;
} object[] = {
    {"test1", "10.0.0.15"}, {"test2", "10.0.0.16"}, {"test3", "10.0.0.17"}, {"test4", "10.0.0.18"},
    {"test5", "10.0.0.19"}, {"test6", "2001:db8::1"}, {"test7", "2001:db8::2"}, {"test8", "2001:db8::8"},
    {"test9", "2001:db8::9"}, {"test11", "10.0.0.11"}, {"test12", "10.0.0.12"}, {"test13", "10.0.0.13"},
    {"test14", "10.0.0.14"}, {"test16", "2001:db8::16"}, {"test17", "2001:db8::17"},
    {"test18", "2001:db8::18"}, {"test19", "2001:db8::19"}, {"test21", "10.0.0.21"},
};

static const char *value_of(const char *name)
{
    for (size_t i = 0; i < sizeof object / sizeof *object; i++)
        if (strcmp(object[i].name, name) == 0)
            return object[i].value;
    return NULL;
}

/* A line of the output: what it says, for comparison, and the command that makes it. */
struct shown_nat {
    int section;
    unsigned number;
    char real[32], mapped[32], kind[16], first[32], second[64], rest[400];
    bool supported;
};

static bool read_shown(const char *s, int section, struct shown_nat *n)
{
    *n = (struct shown_nat){.section = section};
    int at = 0;
    if (sscanf(s, "%u (%31[^)]) to (%31[^)]) source %15s %31s %63s %n", &n->number, n->real, n->mapped, n->kind,
               n->first, n->second, &at) != 6)
        return false;
    snprintf(n->rest, sizeof n->rest, "%s", s + at);
    /* What is not a rule that the model has: `service any X`, any on one side alone. */
    char said[sizeof n->rest];
    snprintf(said, sizeof said, "%s", n->rest);
    char *description = strstr(said, "description");
    if (description)
        *description = '\0';
    char *to = strstr(said, "destination static"), mapped[64], real[64];
    bool half = to && ((sscanf(to, "destination static interface ipv6 %63s", real) == 1 && strcmp(real, "any") == 0) ||
                       (sscanf(to, "destination static %63s %63s", mapped, real) == 2 && strcmp(real, "any") == 0 &&
                        strcmp(mapped, "any") != 0));
    bool from_any = strcmp(n->kind, "static") == 0 && strcmp(n->first, "any") == 0 && strcmp(n->second, "any") != 0;
    n->supported = !strstr(said, "service any") && !half && !from_any;
    return true;
}

static void add_nat(struct text *t, const struct shown_nat *n)
{
    if (n->section == 2)
        text_add(t, "object network %s\n nat (%s,%s) %s %s %s\n", n->first, n->real, n->mapped, n->kind, n->second,
                 n->rest);
    else
        text_add(t, "nat (%s,%s) %ssource %s %s %s %s\n", n->real, n->mapped, n->section == 3 ? "after-auto " : "",
                 n->kind, n->first, n->second, n->rest);
}

static size_t read_show_nat(char *shown, struct shown_nat out[NAMED_MAX])
{
    size_t count = 0;
    int section = 0;
    char *save;
    for (char *s = strtok_r(shown, "\r\n", &save); s; s = strtok_r(NULL, "\r\n", &save)) {
        const char *head = strstr(s, "(Section ");
        section = head ? atoi(head + strlen("(Section ")) : section;
        /* Auto NAT 10 and 11 were added to the output by hand: static rules behind dynamic ones, and the second and
         * third of one object, which has one. */
        if (read_shown(s, section, &out[count]) && !(section == 2 && out[count].number > 9))
            count++;
    }
    return count;
}

/* Order, sections, addresses and switches of a rule as the device shows them. */
static void same_nat(const struct fw_nat *n, const struct shown_nat *s)
{
    char said[sizeof s->rest];
    snprintf(said, sizeof said, "%s", s->rest);
    char *description = strstr(said, "description");
    if (description)
        *description = '\0';
    assert_int_equal(n->section, s->section);
    assert_int_equal(n->dynamic, strcmp(s->kind, "dynamic") == 0);
    assert_int_equal(n->inactive, strstr(said, "inactive") != NULL);
    assert_int_equal(n->unidirectional, strstr(said, "unidirectional") != NULL);
    assert_int_equal(n->route_lookup, strstr(said, "route-lookup") != NULL);
    assert_int_equal(n->has_dst, strstr(said, "destination") != NULL);
    assert_int_equal(n->has_service, strstr(said, "service") != NULL);
    assert_int_equal(n->interface, strcmp(s->second, "interface") == 0 || strncmp(said, "interface", 9) == 0 ||
                                       strstr(said, " interface flat") != NULL);
    assert_int_equal(n->real_iface == FW_ANY_IFACE, strcmp(s->real, "any") == 0);
    if (value_of(s->first)) {
        struct ip_addr ip = kit_ip(value_of(s->first));
        assert_true(n->real && ip_equal(&n->real->addr[0].a, &ip));
    }
    bool same = strcmp(s->first, s->second) == 0;
    if (value_of(s->second) && !same) {
        struct ip_addr ip = kit_ip(value_of(s->second));
        assert_true(n->mapped && ip_equal(&n->mapped->addr[0].a, &ip));
    }
    assert_true(!same || !n->mapped);
}

static void nat_is_in_the_order_of_a_device(void **state)
{
    (void)state;
    static struct shown_nat line[NAMED_MAX];
    char *shown = sample(SHARED "oracle/ntc-show_nat.raw");
    size_t count = read_show_nat(shown, line), rules = 0;
    assert_int_equal(count, 24 + 9 + 23);
    struct text t = text_of(typed.buf, sizeof typed.buf);
    text_add(&t, IFACE " ipv6 address 2001:db8:f::1/64\ninterface h\n nameif inside\n ip address 10.9.0.1 255.255.0.0\n"
                 " ipv6 address 2001:db8:e::1/64\n");
    for (size_t i = 0; i < sizeof object / sizeof *object; i++)
        text_add(&t, "object network %s\n host %s\n", object[i].name, object[i].value);
    text_add(&t, "object service test-service-1\n service tcp destination eq 80\n"
                 "object service test-service-2\n service tcp destination eq 8080\n");
    for (size_t i = 0; i < count; i++) /* the second section backwards: its order is not the file's */
        add_nat(&t, &line[line[i].section == 2 ? count - i : i]);
    struct fw_rules *r = parse(&t);
    for (size_t i = 0; i < count; i++)
        if (line[i].supported)
            same_nat(&r->nat[rules++], &line[i]);
    assert_int_equal(rules, r->nat_count);
    assert_int_equal(fw_rules_lines(r).unsupported, count - rules);
    fw_rules_free(r);
    free(shown);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(expansions_of_an_asav_agree), cmocka_unit_test(expansions_of_a_real_device_agree),
        cmocka_unit_test(a_flattened_list_agrees),     cmocka_unit_test(look_ups_agree),
        cmocka_unit_test(numbers_agree),
        cmocka_unit_test(reference_flows_are_judged),  cmocka_unit_test(nat_is_in_the_order_of_a_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
