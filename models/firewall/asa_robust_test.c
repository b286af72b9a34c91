/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are no configurations, or half of one: an error with its place, or lines that add up; never a crash, and
 * memory that does not grow with the file. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "models/firewall/parts_rig_test.h"
#include "models/firewall/rules.h"

/* The text as the format: 0, or the error, whose place is checked. */
static int try_text(fw_importer *parse, const char *text, size_t len, struct fw_diag *d)
{
    struct fw_rules *r = NULL;
    *d = (struct fw_diag){0};
    int err = parse(&(struct fw_source){.name = "t", .text = text, .len = len, .clock_s = FW_NO_CLOCK}, &r, d);
    if (err) {
        assert_true(d->line > 0 && d->column > 0 && d->text[0]);
        return err;
    }
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.modelled + n.no_effect + n.unsupported, n.total);
    fw_rules_free(r);
    return 0;
}

static unsigned cut_all(const char *dir, fw_importer *parse)
{
    DIR *d = opendir(dir);
    if (!d) {
        print_message("no %s here: skipped\n", dir);
        skip();
    }
    unsigned files = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        size_t len = 0;
        char *text = e->d_name[0] == '.' ? NULL : rig_sample(path, &len);
        if (!text)
            continue;
        files++;
        struct fw_diag diag;
        for (size_t n = 0; n < len; n += 97) {
            char *half = malloc(n + 1); /* a block of its own: a sanitizer sees what is read behind it */
            assert_non_null(half);
            memcpy(half, text, n);
            try_text(parse, half, n, &diag);
            free(half);
        }
        assert_int_equal(try_text(parse, text, len, &diag), 0);
        free(text);
    }
    closedir(d);
    return files;
}

static void samples_cut_anywhere(void **state)
{
    (void)state;
    assert_int_equal(cut_all("../shared/rulesets/asa", fw_asa_parse), 15);
    assert_int_equal(cut_all("../shared/rulesets/ios", fw_ios_parse), 2);
}

static fw_importer *const both[] = {fw_asa_parse, fw_ftd_parse, fw_ios_parse};

static char *filled(size_t len, const char *with)
{
    char *text = malloc(len);
    assert_non_null(text);
    size_t n = strlen(with);
    for (size_t i = 0; i < len; i += n)
        memcpy(text + i, with, n < len - i ? n : len - i);
    return text;
}

#ifdef __SANITIZE_ADDRESS__
enum { GROWTH_MAX_KB = 1024 * 1024 }; /* the sanitizer keeps what was freed, the texts among it */
#else
enum { GROWTH_MAX_KB = 100 * 1024 }; /* the largest of the texts, and a little */
#endif

static void garbage_is_refused_early(void **state)
{
    (void)state;
    static const struct {
        const char *with;
        size_t len;
        int err;
        unsigned line;
    } row[] = {
        {"a", 10 << 20, E_RANGE, 1},                    /* one line of 10 MB */
        {"x y z\n", 64 << 20, E_MALFORMED, 20001},      /* text, of another kind */
        {"\x7f" "ELF\x01\x01", 1000, E_MALFORMED, 1},
        {"{\"a\": [\n", 1 << 20, E_MALFORMED, 20001},
        {"\xff\xfe\xfd", 1000, E_MALFORMED, 1},         /* one line, not understood */
        {"\n", 64 << 20, E_RANGE, 4000001},
    };
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (size_t f = 0; f < sizeof both / sizeof *both; f++)
        for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
            struct fw_diag d;
            char *text = filled(row[i].len, row[i].with);
            int err = try_text(both[f], text, row[i].len, &d);
            if (err != row[i].err || d.line != row[i].line)
                fail_msg("row %zu: %d at %u:%u: %s", i, err, d.line, d.column, d.text);
            free(text);
        }
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < GROWTH_MAX_KB);
}

/* A gigabyte, of which the importer sees the first pages. */
static void a_gigabyte_is_not_read(void **state)
{
    (void)state;
    enum { GIGABYTE = 1 << 30 };
    char *text = calloc(1, GIGABYTE); /* pages that are not touched take no memory */
    if (!text) {
        print_message("no gigabyte of addresses: skipped\n");
        skip();
    }
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    struct fw_diag d;
    for (size_t f = 0; f < sizeof both / sizeof *both; f++) {
        assert_int_equal(try_text(both[f], text, GIGABYTE, &d), E_RANGE);
        assert_int_equal(d.line, 1);
    }
    assert_false(fw_asa_recognise(text, GIGABYTE) || fw_ios_recognise(text, GIGABYTE));
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
    free(text);
}

static void groups_that_nest_end(void **state)
{
    (void)state;
    static const char loop[] = "interface g\n ip address 10.0.0.1 255.0.0.0\n nameif outside\n"
                               "object-group network a\n group-object b\nobject-group network b\n group-object a\n";
    static const struct {
        fw_importer *parse;
        const char *use;
        unsigned line;
    } row[] = {{fw_asa_parse, "access-list x extended permit ip any object-group a\n", 8},
               {fw_ios_parse, "ip access-list extended x\n permit ip any object-group a\n", 9}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", loop, row[i].use);
        rig_refused(row[i].parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text)}, E_MALFORMED,
                    row[i].line, "contains itself");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gigabyte_is_not_read), cmocka_unit_test(garbage_is_refused_early),
        cmocka_unit_test(samples_cut_anywhere), cmocka_unit_test(groups_that_nest_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
