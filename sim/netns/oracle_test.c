/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Linux kernel as oracle: real rules in a network namespace and the same file in our model are sent the same
 * packets, first ones and later ones, at the boundaries of the rules' constants; both must say the same, down to the
 * translated addresses, or ours is UNKNOWN and names the line. ORACLE_SETS, ORACLE_PACKETS and ORACLE_SEED in the
 * environment make it longer or other. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"
#include "sim/netns/generate_kit.h"
#include "sim/netns/oracle_kit.h"

enum { TEXT_MAX = 1 << 20, FILES_MAX = 64 };

static char rules_text[TEXT_MAX], dump_text[TEXT_MAX];
static struct words words;
static struct netns_world world;

static const char *const restore4[] = {"iptables-restore", NULL}, *const save4[] = {"iptables-save", NULL};
static const char *const restore6[] = {"ip6tables-restore", NULL}, *const save6[] = {"ip6tables-save", NULL};
static const char *const nft_json[] = {"nft", "-j", "-f", "-", NULL}, *const nft_text[] = {"nft", "-f", "-", NULL};
static const char *const nft_list[] = {"nft", "-j", "list", "ruleset", NULL};

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *s = getenv(name);
    return s ? (unsigned)strtoul(s, NULL, 10) : otherwise;
}

static struct netns *open_or_skip(void)
{
    char why[NETNS_WHY];
    struct netns *n = netns_open(&world, why);
    if (!n) {
        print_message("no rules can be tried here: %s\n", why);
        skip();
    }
    return n;
}

/* The file as we read it, in this world; NULL: not read, and said why. */
static struct fw_rules *import(const char *name, const char *text)
{
    struct fw_port port[NETNS_IFACES];
    struct ip_prefix address[NETNS_IFACES][2 + NETNS_LOCALS];
    struct fw_diag diag = {0};
    struct fw_rules *r = NULL;
    for (size_t i = 0; i < world.iface_count; i++) {
        address[i][0] = world.iface[i].v4;
        address[i][1] = world.iface[i].v6;
        port[i] = (struct fw_port){world.iface[i].name, address[i], 2};
    }
    for (size_t i = 0; i < world.local_count; i++)
        address[0][port[0].address_count++] =
            (struct ip_prefix){world.local[i], world.local[i].family == IP_V4 ? 32 : 128};
    const struct fw_source src = {.name = name, .text = text, .len = strlen(text), .port = port,
                                  .port_count = world.iface_count, .clock_s = FW_NO_CLOCK};
    const struct fw_format *f = fw_format_of(text, src.len);
    if (!f || f->parse(&src, &r, &diag)) {
        printf("# %s: not read: %s line %u column %u: %s\n", name, f ? f->name : "no format", diag.line, diag.column,
               diag.text);
        return NULL;
    }
    return r;
}

static bool has_doubts(const struct fw_rules *r)
{
    for (size_t i = 0; i < r->list_count; i++)
        for (size_t k = 0; k < r->list[i]->count; k++)
            if (r->list[i]->rule[k].when && r->list[i]->rule[k].when->unknown)
                return true;
    return false;
}

static void compare(struct netns *n, const char *name, const char *text, uint8_t families, unsigned packets,
                    struct oracle_tally *t)
{
    struct rng rng = rng_named(setting("ORACLE_SEED", 1), name);
    struct fw_rules *r = import(name, text);
    if (!r) {
        t->disagree++;
        return;
    }
    const struct oracle o = {name, n, &world, &words, r, families, has_doubts(r)};
    oracle_run(&o, &rng, packets, t);
    fw_rules_free(r);
}

static void settle(const char *family, const struct oracle_tally *t)
{
    oracle_print(family, t);
    assert_int_equal(t->disagree, 0);
    assert_int_equal(t->unnamed, 0);
}

/* ---- the samples ---- */

static bool slurp(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, cap - 1, f) : 0;
    out[n] = '\0';
    if (f)
        fclose(f);
    return n > 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_file(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* A rule set that the tools refuse is no rule set: it is named. */
static void try_sample(const char *path, const char *name, const char *const argv[], uint8_t families,
                       struct oracle_tally *t)
{
    char why[NETNS_WHY];
    const char *only = getenv("ORACLE_ONLY");
    if ((only && !strstr(name, only)) || !slurp(path, rules_text, sizeof rules_text))
        return;
    words_find(&words, rules_text);
    struct rng rng = rng_named(setting("ORACLE_SEED", 1), path);
    words_world(&words, &rng, &world);
    struct netns *n = open_or_skip();
    if (netns_load(n, argv, rules_text, NULL, NULL, why))
        printf("#: %s does not load: %s\n", name, why);
    else
        compare(n, name, rules_text, families, setting("ORACLE_PACKETS", 200), t);
    netns_close(n);
}

static void samples(const char *folder, const char *family, const char *const argv[], uint8_t families)
{
    struct dirent **file;
    struct oracle_tally t = {0};
    int count = scandir(folder, &file, is_file, by_name);
    if (count < 0) {
        print_message("no ../shared/rulesets here: skipped\n");
        skip();
    }
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, file[i]->d_name);
        try_sample(path, file[i]->d_name, argv, families, &t);
        free(file[i]);
    }
    free(file);
    settle(family, &t);
}

static void iptables_samples_agree(void **state)
{
    (void)state;
    samples("../shared/rulesets/iptables", "iptables samples", restore4, 1 << IP_V4);
}

static void nft_samples_agree(void **state)
{
    (void)state;
    samples("../shared/rulesets/nft-json", "nft samples", nft_json, 1 << IP_V4 | 1 << IP_V6);
}

/* ---- generated ones ---- */

/* Read by us as the tools print what the kernel has. */
static void generated(const char *family, unsigned count, uint8_t families)
{
    bool nft = families == (1 << IP_V4 | 1 << IP_V6), six = families == 1 << IP_V6;
    struct oracle_tally t = {0};
    struct rng rng = rng_named(setting("ORACLE_SEED", 1), family);
    words_find(&words, generate_constants());
    words_world(&words, &rng, &world);
    struct netns *n = open_or_skip();
    for (unsigned i = 0; i < count; i++) {
        char name[64], why[NETNS_WHY];
        snprintf(name, sizeof name, "%s %u", family, i);
        if (getenv("ORACLE_ONLY") && strcmp(getenv("ORACLE_ONLY"), name) != 0)
            continue;
        struct text text = text_of(rules_text, sizeof rules_text), dump = text_of(dump_text, sizeof dump_text);
        rng = rng_named(setting("ORACLE_SEED", 1), name);
        if (nft)
            generate_nft(&text, &rng);
        else
            generate_iptables(&text, &rng, six ? IP_V6 : IP_V4);
        if (netns_load(n, nft ? nft_text : six ? restore6 : restore4, rules_text,
                       nft ? nft_list : six ? save6 : save4, &dump, why))
            fail_msg("%s: %s", name, why);
        if (getenv("ORACLE_ONLY"))
            printf("%s\n", dump_text);
        words_find(&words, dump_text);
        compare(n, name, dump_text, families, setting("ORACLE_PACKETS", 60), &t);
    }
    netns_close(n);
    settle(family, &t);
}

static void generated_iptables_agree(void **state)
{
    (void)state;
    generated("iptables", setting("ORACLE_SETS", 90), 1 << IP_V4);
}

static void generated_ip6tables_agree(void **state)
{
    (void)state;
    generated("ip6tables", setting("ORACLE_SETS", 40), 1 << IP_V6);
}

static void generated_nft_agree(void **state)
{
    (void)state;
    generated("nft", setting("ORACLE_SETS", 90), 1 << IP_V4 | 1 << IP_V6);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(iptables_samples_agree),    cmocka_unit_test(nft_samples_agree),
        cmocka_unit_test(generated_iptables_agree),  cmocka_unit_test(generated_ip6tables_agree),
        cmocka_unit_test(generated_nft_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
