/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference capture of the lab: which rules of the RFCs that deployment departs from, and which it keeps. */
#include "conformance/watch_capture.h"

#include <string.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/testkit/testkit.h"
#include "sim/capture/reference_kit.h"

/* No CreatePermission before the ConnectionAttempt; no SOFTWARE in requests; relay ports from 24000 on. What MS-ICE2
 * leaves open: USERNAME's length counts its padding, and the agent that says it is controlled nominates. */
static const char kept[] =
    "6062-3-4 6062-3-11 6062-4.1-1 6062-4.1-5 6062-4.1-6 6062-4.1-7 6062-4.1-9 6062-4.2-2 6062-4.3-9 6062-4.4-3 "
    "6062-4.4-4 6062-4.4-5 6062-4.4-6 6062-4.4-7 6062-4.6-1 6062-5.1-11 6062-5.1-13 6062-5.2-22 6062-5.3-7 6062-5.3-8 "
    "6062-5.3-12 6062-6.1-1 6062-6.2-1 6062-G-5 8656-5-9 8656-7.2-37 8656-7.2-39 8656-7.2-40 8656-7.2-41 8656-7.2-42 "
    "8656-7.2-43 8656-7.2-44 8656-7.2-47 8656-7.1-1 8656-7.1-2 8656-8-1 8656-8.2-2 8656-8.2-5 8489-5-3 8489-14.3-1 "
    "8489-14.7-1 8489-14.8-2 8489-14.9-1 8489-14.14-1 8489-6.3.1-3 8489-6.3.1-4 8489-6.2-1 8489-6.2.2-1 8489-9.2.4-1 "
    "8489-9.2.4-5 8489-9.2.4-14 8489-9.2.3-1 MSI-1 MSI-2 MSI-3 MSI-4 MSI-5 MSI-7";

static const struct judge_config all = {.bench = BENCH_MEMORY};

static void collect(const struct verdict *v, size_t count, enum outcome outcome, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    for (size_t i = 0; i < count; i++)
        if (v[i].outcome == outcome)
            text_add(&t, "%s%s", t.len ? " " : "", v[i].row->id);
    assert_false(t.cut);
}

static const struct verdict *find(const struct verdict *v, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(v[i].row->id, id) == 0)
            return &v[i];
    fail_msg("no verdict of %s", id);
    return NULL;
}

static void what_the_reference_departs_from(void **state)
{
    (void)state;
    struct file_kit file = {0};
    reference_file(&file);
    const char *path = file_kit_write(&file);
    struct verdict *v;
    size_t count;
    struct diag cut, d;
    char ids[4096];
    assert_int_equal(judge_capture(&all, path, &v, &count, &cut, &d), 0);
    assert_string_equal(cut.text, "");
    assert_int_equal(count, catalogue_count());
    collect(v, count, OUTCOME_FAIL, ids, sizeof ids);
    assert_string_equal(ids, "6062-5.3-5 8656-5-10 8656-7.2-36");
    collect(v, count, OUTCOME_DEFINED, ids, sizeof ids);
    assert_string_equal(ids, "MSI-10 MSI-11");
    collect(v, count, OUTCOME_PASS, ids, sizeof ids);
    assert_string_equal(ids, kept);
    const struct verdict *attempt = find(v, count, "6062-5.3-5");
    assert_non_null(strstr(attempt->saw, "frame 2526"));
    verdicts_free(v, count);
    unlink(path);
    file_kit_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_reference_departs_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
