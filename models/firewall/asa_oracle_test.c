/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device's own expansion of its access-lists (`show access-list`) against ours: the line with its groups and the
 * lines that the device made of it must agree about every packet tried. Needs the sample files beside the tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/rng.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

enum { TEXT_MAX = 64 * 1024 };

static bool slurp(const char *path, char text[TEXT_MAX])
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    size_t n = fread(text, 1, TEXT_MAX - 1, f);
    text[n] = '\0';
    fclose(f);
    return true;
}

/* The sample is a template; the addresses are those of the device that printed the expansion. */
static void add_objects(struct text *out, char *sample)
{
    static const struct {
        const char *name, *value;
    } value[] = {{"{{ mpe_network }}", "10.10.47.128 255.255.255.192"},
                 {"{{ mpi_network }}", "10.10.47.192 255.255.255.192"},
                 {"{{ users_network }}", "10.10.51.0 255.255.255.0"}};
    char *save;
    for (char *s = strtok_r(sample, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
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

/* Lines as typed stand at the margin, those made of them two blanks further in; one with no group is not repeated. */
static void add_lists(struct text *typed, struct text *made, char *shown)
{
    char *save;
    for (char *s = strtok_r(shown, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
        char *end = strstr(s, " (hitcnt");
        if (!end || strstr(s, "TEST_ACL"))
            continue;
        *end = '\0';
        bool inner = *s == ' ';
        if (!inner)
            text_add(typed, "%s\n", s);
        if (inner || !strstr(s, "object-group"))
            text_add(made, "%s\n", s + strspn(s, " "));
    }
}

static struct fw_rules *parse(const struct text *t)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    if (fw_asa_parse(&(struct fw_source){.name = "sample", .text = t->buf, .len = t->len}, &r, &d))
        fail_msg("line %u column %u: %s", d.line, d.column, d.text);
    return r;
}

static struct fw_flow any_flow(struct rng *rng)
{
    static const uint8_t base[][4] = {{71, 129, 45, 34}, {10, 10, 47, 128}, {10, 10, 47, 192}, {10, 10, 51, 0},
                                      {10, 100, 70, 160}, {10, 101, 70, 162}, {10, 7, 9, 192},  {10, 7, 9, 128},
                                      {10, 100, 51, 0},   {10, 100, 52, 0},   {10, 100, 60, 0}, {192, 0, 2, 1}};
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, 51, 97, PROTO_ICMP, 50};
    static const uint16_t port[] = {8443, 25, 1097, 1098, 1099, 1100, 20, 21, 22, 23, 24, 443, 8080, 53};
    struct ip_addr ip[2];
    for (int i = 0; i < 2; i++) {
        const uint8_t *b = base[rng_below(rng, sizeof base / sizeof *base)];
        ip[i] = ip_v4(load32(b) ^ (uint32_t)rng_below(rng, 4));
    }
    return (struct fw_flow){proto[rng_below(rng, sizeof proto)], ip[0], ip[1], 40000,
                            port[rng_below(rng, sizeof port / sizeof *port)]};
}

static void expansions_agree_with_the_device(void **state)
{
    (void)state;
    static char sample[TEXT_MAX], shown[TEXT_MAX], a[TEXT_MAX], b[TEXT_MAX];
    if (!slurp("../shared/rulesets/asa/a08-95-noncontiguous-masks.cfg", sample) ||
        !slurp("../shared/rulesets/oracle/a08-show_access-list.txt", shown)) {
        print_message("no ../shared/rulesets here: skipped\n");
        skip();
    }
    struct text typed = text_of(a, sizeof a), made = text_of(b, sizeof b);
    text_add(&typed, "interface g\n nameif outside\n");
    text_add(&made, "interface g\n nameif outside\n");
    add_objects(&typed, sample);
    add_lists(&typed, &made, shown);
    struct fw_rules *x = parse(&typed), *y = parse(&made);
    assert_true(x->list_count == 3 && y->list_count == 3);
    struct rng rng = rng_named(1, "oracle");
    unsigned permitted = 0;
    for (int i = 0; i < 30000; i++) {
        struct fw_flow f = any_flow(&rng);
        for (size_t l = 0; l < x->list_count; l++) {
            const struct fw_list *device = fw_rules_list(y, x->list[l]->name);
            bool ours = fw_list_match(x->list[l], &f) != NULL, theirs = fw_list_match(device, &f) != NULL;
            assert_int_equal(ours, theirs);
            permitted += ours && f.proto != PROTO_ICMP;
        }
    }
    assert_true(permitted > 300);
    fw_rules_free(x);
    fw_rules_free(y);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(expansions_agree_with_the_device)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
