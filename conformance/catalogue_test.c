/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue as data: what holds for every row. */
#include <string.h>

#include "conformance/conformance.h"
#include "conformance/monitor.h"
#include "models/testkit/testkit.h"

#define ALL_NEEDS (2u * NEED_LAST - 1)

static bool ends_sentence(const char *text)
{
    size_t len = strlen(text);
    return len > 1 && text[len - 1] == '.';
}

static void rows_are_whole(void **state)
{
    (void)state;
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++) {
        if (!r->id || !r->section || !r->text)
            fail_msg("row %zu has no id, section or text", i);
        if (!ends_sentence(r->text))
            fail_msg("%s: its text is no sentence: %s", r->id, r->text);
        bool monitor = monitors_watch(r->id);
        if (!(r->probe || monitor || r->none))
            fail_msg("%s has neither a check nor a reason", r->id);
        if (r->none && (r->probe || monitor))
            fail_msg("%s has a check, and a reason why it has none", r->id);
        if (r->none && (!r->none[0] || strlen(r->none) < 10))
            fail_msg("%s: no reason is \"%s\"", r->id, r->none);
        if (r->needs & ~ALL_NEEDS || r->setup >= SETUPS || !r->who || r->who >= 2 * WHO_NAT || r->level > LEVEL_OPEN)
            fail_msg("%s has an unknown need, setup, level or is for nobody", r->id);
        if (!r->probe && (r->needs || r->setup || r->seconds))
            fail_msg("%s needs something, and has no probe", r->id);
        if (!catalogue_document(r))
            fail_msg("%s is of no document", r->id);
    }
}

static void ids_are_unique(void **state)
{
    (void)state;
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++)
        if (catalogue_find(r->id) != r)
            fail_msg("%s is there twice", r->id);
    assert_null(catalogue_find("no such row"));
}

static void names(void **state)
{
    (void)state;
    for (int l = LEVEL_MUST; l <= LEVEL_OPEN; l++) {
        assert_non_null(level_name((enum level)l));
        assert_true(level_decides((enum level)l, true) || !level_decides((enum level)l, false));
    }
    assert_true(level_decides(LEVEL_DERIVED, false));
    assert_false(level_decides(LEVEL_SHOULD, false));
    assert_true(level_decides(LEVEL_SHOULD_NOT, true));
    assert_false(level_decides(LEVEL_OPEN, true));
    for (int s = 0; s < SETUPS; s++)
        assert_non_null(setup_name((enum setup)s));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"rows are whole", rows_are_whole, NULL, NULL, NULL},
        {"ids are unique", ids_are_unique, NULL, NULL, NULL},
        {"names", names, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
