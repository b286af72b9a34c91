/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatting by hand against printf's and endpoint_text's, and the hash of what went through a small buffer. */
#include "sim/scenario/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/testkit/testkit.h"

static void numbers_are_printfs(void **state)
{
    (void)state;
    uint64_t around = 1;
    for (int digits = 0; digits < 20; digits++, around *= 10)
        for (uint64_t v = around - 1; v != around + 2; v++) {
            char expected[32], found[32];
            snprintf(expected, sizeof expected, "%" PRIu64, v);
            *fmt_u64(found, v) = '\0';
            assert_string_equal(found, expected);
            snprintf(expected, sizeof expected, "%04x", (unsigned)(v & 0xffff));
            *fmt_hex16(found, (unsigned)(v & 0xffff)) = '\0';
            assert_string_equal(found, expected);
        }
    char found[FMT_U64 + 1];
    *fmt_u64(found, UINT64_MAX) = '\0';
    assert_string_equal(found, "18446744073709551615");
}

static void endpoints_are_endpoint_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.0.0.0:0", "10.48.54.229:3478", "255.255.255.255:65535", "192.0.2.10:9",
                                        "[2001:db8::1]:24000"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct endpoint e = kit_endpoint(texts[i]);
        char found[ENDPOINT_TEXT];
        *fmt_endpoint(found, &e) = '\0';
        assert_string_equal(found, texts[i]);
    }
}

/* All ways in, over many buffers, beside the same bytes in one piece. */
static void the_hash_is_of_all_bytes(void **state)
{
    (void)state;
    enum { ROUNDS = 3000 };
    struct sink s;
    assert_true(sink_open(&s, NULL, true));
    char *all = malloc(ROUNDS * 100), *end = all, digest[65], expected[65];
    uint8_t sum[HASH_SHA256];
    assert_non_null(all);
    for (unsigned i = 0; i < ROUNDS; i++) {
        sink_u64(&s, i);
        sink_string(&s, "a\"b\n");
        sink_used(&s, fmt_text(sink_room(&s, 40), "in place"));
        end += snprintf(end, 100, "%u\"a\\\"b\\u000a\"in place", i);
    }
    sink_bytes(&s, all, SINK_HASH_BUFFER * 2 + 1);
    assert_int_equal(sink_close(&s, digest), 0);
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, all, (size_t)(end - all));
    sha256_add(&h, all, SINK_HASH_BUFFER * 2 + 1);
    sha256_end(&h, sum);
    hex_of(sum, sizeof sum, expected);
    assert_string_equal(digest, expected);
    free(all);
}

static void paragraphs_keep_to_eighty_columns(void **state)
{
    (void)state;
    static const char a[] = "0123456789012345678901234567890123456789"; /* 40 */
    static const struct {
        const char *words[3], *expected;
    } rows[] = {
        {{"", "", ""}, "\n"},
        {{a, " 34567890123456789012345678901234", ""},
         "0123456789012345678901234567890123456789 34567890123456789012345678901234\n"},
        {{a, " 345678901234567890123456789012345", ""},
         "0123456789012345678901234567890123456789\n       345678901234567890123456789012345\n"},
        {{a, a, a}, "012345678901234567890123456789012345678901234567890123456789"
                    "012345678901234567890123456789012345678901234567890123456789\n"},
        {{a, "  two blanks", ""}, "0123456789012345678901234567890123456789  two blanks\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[] = "/tmp/turnproof-XXXXXX", text[200], found[400];
        int fd = mkstemp(path);
        struct sink s;
        assert_true(fd >= 0 && sink_open(&s, path, false));
        snprintf(text, sizeof text, "%s%s%s", rows[i].words[0], rows[i].words[1], rows[i].words[2]);
        sink_wrapped(&s, 7, text);
        assert_int_equal(sink_close(&s, NULL), 0);
        ssize_t n = read(fd, found, sizeof found - 1);
        assert_true(n >= 0);
        found[n] = '\0';
        assert_string_equal(found, rows[i].expected);
        close(fd);
        unlink(path);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_printfs),
        cmocka_unit_test(endpoints_are_endpoint_texts),
        cmocka_unit_test(the_hash_is_of_all_bytes),
        cmocka_unit_test(paragraphs_keep_to_eighty_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
