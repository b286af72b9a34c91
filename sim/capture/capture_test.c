/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of capture files: every variant of the formats, files that break off anywhere, lengths that lie. */
#include "sim/capture/capture.h"

#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/capture/file_kit.h"

static struct capture *open_file(struct file_kit *f, struct diag *d)
{
    const char *path = file_kit_write(f);
    struct capture *c = capture_open(path, d);
    unlink(path);
    return c;
}

static void expect_frame(struct capture *c, uint32_t interface, uint32_t link, uint64_t t_ns, const char *bytes,
                         size_t len)
{
    struct captured k;
    struct diag d = {""};
    assert_int_equal(capture_next(c, &k, &d), 1);
    assert_int_equal(k.interface, interface);
    assert_int_equal(k.link, link);
    assert_int_equal(k.t_ns, t_ns);
    assert_int_equal(k.caplen, strlen(bytes));
    assert_memory_equal(k.bytes, bytes, k.caplen);
    assert_int_equal(k.len, len);
}

static void expect_end(struct capture *c, int err, const char *says)
{
    struct captured k;
    for (unsigned again = 0; again < 2; again++) {
        struct diag d = {""};
        assert_int_equal(capture_next(c, &k, &d), err);
        if (!strstr(d.text, says)) {
            print_message("# %s\n# wanted: %s\n", d.text, says);
            fail();
        }
    }
    capture_close(c);
}

static void pcap_variants(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic;
        unsigned ns;
    } rows[] = {{PCAP_MICRO, 1000}, {PCAP_NANO, 1}, {PCAP_KUZNETSOV, 1000}};
    for (unsigned i = 0; i < 6; i++) {
        struct diag d;
        struct file_kit f = {.big = i & 1};
        file_kit_pcap(&f, rows[i / 2].magic, 0x50000000u | 113); /* the top bits speak of check sequences */
        file_kit_pcap_packet(&f, 4000000000u, 999999, "one", 3, 3);
        file_kit_pcap_packet(&f, 1, 2, "cut", 3, 1500);
        file_kit_pcap_packet(&f, 1, 2, "", 0, 0);
        struct capture *c = open_file(&f, &d);
        assert_non_null(c);
        assert_int_equal(capture_size(c), f.len);
        expect_frame(c, 0, 113, 4000000000 * NS_S + 999999ull * rows[i / 2].ns, "one", 3);
        expect_frame(c, 0, 113, NS_S + 2ull * rows[i / 2].ns, "cut", 1500);
        expect_frame(c, 0, 113, NS_S + 2ull * rows[i / 2].ns, "", 0);
        assert_int_equal(capture_position(c), f.len);
        expect_end(c, 0, "");
        file_kit_free(&f);
    }
}

/* Two sections of either byte order, interfaces that differ in everything, every kind of packet block. */
static void pcapng_everything(void **state)
{
    (void)state;
    struct diag d;
    for (unsigned i = 0; i < 2; i++) {
        struct file_kit f = {.big = i & 1};
        file_kit_section(&f);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = -1, .snaplen = 4});
        file_kit_interface(&f, &(struct file_kit_interface){.link = 276, .resolution = 9, .offset_s = 100});
        file_kit_packet(&f, 1, 5 * NS_S + 7, "second", 6, 6);
        file_kit_block(&f, 4, "some names", 10);
        file_kit_packet(&f, 0, 5000007, "first", 5, 1500);
        file_kit_simple(&f, "simp", 4, 9);
        file_kit_simple(&f, "si", 2, 2);
        file_kit_obsolete(&f, 1, 9, "obsolete", 8);
        f.big = !f.big;
        file_kit_section(&f);
        file_kit_block(&f, 0x40000bad, "", 0);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 101, .resolution = 0x8a, .offset_s = -1});
        file_kit_packet(&f, 0, 3 * 1024 + 512, "third", 5, 5);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 0});
        file_kit_packet(&f, 1, 60, "seconds", 7, 7);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 12});
        file_kit_packet(&f, 2, 60000000001999, "picoseconds", 11, 11);
        struct capture *c = open_file(&f, &d);
        assert_non_null(c);
        expect_frame(c, 1, 276, 105 * NS_S + 7, "second", 6);
        expect_frame(c, 0, 1, 5 * NS_S + 7 * NS_US, "first", 1500);
        expect_frame(c, 0, 1, 0, "simp", 9);
        expect_frame(c, 0, 1, 0, "si", 2);
        expect_frame(c, 1, 276, 100 * NS_S + 9, "obsolete", 8);
        expect_frame(c, 2, 101, 2 * NS_S + NS_S / 2, "third", 5);
        expect_frame(c, 3, 1, 60 * NS_S, "seconds", 7);
        expect_frame(c, 4, 1, 60 * NS_S + 1, "picoseconds", 11);
        expect_end(c, 0, "");
        file_kit_free(&f);
    }
}

/* A packet larger than the reader's buffer, among others. */
static void large_blocks(void **state)
{
    (void)state;
    static uint8_t many[1000000];
    struct file_kit f = {0};
    struct diag d;
    struct captured k;
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = (uint8_t)(i * 31 >> 3);
    file_kit_section(&f);
    file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 9});
    file_kit_packet(&f, 0, 1, "small", 5, 5);
    file_kit_packet(&f, 0, 2, many, sizeof many, sizeof many);
    file_kit_packet(&f, 0, 3, "small", 5, 5);
    struct capture *c = open_file(&f, &d);
    expect_frame(c, 0, 1, 1, "small", 5);
    assert_int_equal(capture_next(c, &k, &d), 1);
    assert_int_equal(k.caplen, sizeof many);
    assert_memory_equal(k.bytes, many, sizeof many);
    expect_frame(c, 0, 1, 3, "small", 5);
    expect_end(c, 0, "");
    file_kit_free(&f);
}

static void sample(struct file_kit *f, bool ng)
{
    static const uint8_t frame[300];
    if (ng) {
        file_kit_section(f);
        file_kit_interface(f, &(struct file_kit_interface){.link = 1, .resolution = 9});
    } else {
        file_kit_pcap(f, PCAP_NANO, 1);
    }
    for (unsigned i = 0; i < 7; i++)
        if (ng)
            file_kit_packet(f, 0, i, frame, 300 - i, 300);
        else
            file_kit_pcap_packet(f, 0, i, frame, 300 - i, 300);
}

/* Broken off at every byte of the first 2,000: each whole packet is delivered, then the cut is reported, unless it is
 * between two records. */
static void broken_off_anywhere(void **state)
{
    (void)state;
    for (unsigned ng = 0; ng < 2; ng++) {
        struct file_kit f = {0};
        sample(&f, ng);
        assert_true(f.len > 2000);
        size_t ends[16] = {ng ? 28 : 24}, records = 1; /* where packets may end */
        struct capture *c;
        struct captured k;
        struct diag d;
        assert_non_null(c = open_file(&f, &d));
        if (ng)
            ends[records++] = 28 + 12 + 8 + 8 + 8 + 4;
        while (capture_next(c, &k, &d) == 1)
            ends[records++] = (size_t)capture_position(c);
        capture_close(c);
        for (size_t cut = 0; cut <= 2000; cut++) {
            struct file_kit part = {.b = f.b, .len = cut};
            size_t whole = 0, frames = 0;
            while (whole < records && ends[whole] <= cut)
                whole++;
            c = open_file(&part, &d);
            if (!c) {
                assert_true(cut < (ng ? 4 : 24));
                assert_non_null(strstr(d.text, cut ? "the file ends within" : "the file is empty"));
                continue;
            }
            int e;
            while ((e = capture_next(c, &k, &d)) == 1)
                frames++;
            assert_int_equal(frames, whole > 1 + ng ? whole - 1 - ng : 0);
            assert_int_equal(e, whole && ends[whole - 1] == cut ? 0 : E_TRUNCATED);
            if (e)
                assert_non_null(strstr(d.text, "the file ends within"));
            capture_close(c);
        }
        file_kit_free(&f);
    }
}

static void no_captures(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *says;
    } rows[] = {
        {"", "byte 0: the file is empty"},
        {"\x1f\x8b\x08 and so on", "byte 0: compressed with gzip; try: gzip -dc"},
        {"\x28\xb5\x2f\xfd and so on", "compressed with zstd"},
        {"snoop and so on", "a snoop capture"},
        {"{\"json\": true}", "byte 0: no capture: expected the magic number"},
        {"\xd4\xc3\xb2\xa1\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01",
         "byte 4: pcap of version 257, expected 2"},
    };
    struct diag d;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file_kit f = {0};
        file_kit_put(&f, rows[i].bytes, strlen(rows[i].bytes));
        assert_null(open_file(&f, &d));
        if (!strstr(d.text, rows[i].says))
            fail_msg("%s", d.text);
        file_kit_free(&f);
    }
    assert_null(capture_open("/nonexistent/capture.pcap", &d));
    assert_string_equal(d.text, "/nonexistent/capture.pcap: No such file or directory");
    struct capture *c = capture_open("/", &d);
    assert_null(c);
    assert_string_equal(d.text, "/: byte 0: cannot be read: Is a directory");
}

/* What stands before the lie is delivered, what it is and where is told. */
static void lies(void **state)
{
    (void)state;
    static const struct {
        size_t at;   /* of a 32-bit number, from the start of the second packet's block or record */
        uint32_t is;
        bool ng;
        const char *says;
    } rows[] = {
        {8, 262145, false, ": a packet of 262145 captured bytes, expected at most 262144"},
        {4, 0, true, ": a block of length 0, expected a multiple of 4 from 12"},
        {4, 61, true, ": a block of length 61, expected"},
        {4, 0xfffffffc, true, ": a block of length 4294967292, expected"},
        {4, 24, true, ": a block ends with length "},
        {8, 1, true, ": a packet of interface 1, but the section has 1"},
        {20, 21, true, ": a packet of 21 captured bytes in a block with room for 20"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file_kit f = {0};
        struct diag d;
        size_t at = 0;
        if (rows[i].ng) {
            file_kit_section(&f);
            file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 9});
        } else {
            file_kit_pcap(&f, PCAP_NANO, 1);
        }
        for (unsigned n = 0; n < 2; n++) {
            at = f.len;
            if (rows[i].ng)
                file_kit_packet(&f, 0, 1, "good", 4, 4);
            else
                file_kit_pcap_packet(&f, 0, 1, "good", 4, 4);
        }
        size_t len = f.len;
        f.len = at + rows[i].at;
        file_kit_number(&f, rows[i].is, 4);
        f.len = len;
        struct capture *c = open_file(&f, &d);
        assert_non_null(c);
        expect_frame(c, 0, 1, 1, "good", 4);
        expect_end(c, E_MALFORMED, rows[i].says);
        file_kit_free(&f);
    }
}

static void odd_interfaces(void **state)
{
    (void)state;
    static const struct {
        int resolution;
        const char *says;
    } rows[] = {
        {20, "a time resolution of 20"}, {0x7f, "a time resolution of 127"}, {0xc0, "a time resolution of 192"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file_kit f = {0};
        struct diag d;
        file_kit_section(&f);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = rows[i].resolution});
        struct capture *c = open_file(&f, &d);
        expect_end(c, E_MALFORMED, rows[i].says);
        file_kit_free(&f);
    }
    static const uint8_t long_option[] = {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 9, 0, 1, 2, 3, 4};
    struct file_kit f = {0};
    struct diag d;
    file_kit_section(&f);
    file_kit_block(&f, 1, long_option, sizeof long_option);
    expect_end(open_file(&f, &d), E_MALFORMED, "an option of 9 bytes is longer than its block");
    f.len -= 28;
    file_kit_block(&f, 1, long_option, 4);
    expect_end(open_file(&f, &d), E_MALFORMED, "an interface block of 4 bytes");
    file_kit_free(&f);
}

/* Standard input: a pipe that gives a byte at a time. */
static void from_a_pipe(void **state)
{
    (void)state;
    struct file_kit f = {0};
    struct diag d;
    int ends[2], was = dup(STDIN_FILENO);
    file_kit_pcap(&f, PCAP_NANO, 1);
    file_kit_pcap_packet(&f, 0, 1, "piped", 5, 5);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(write(ends[1], f.b, f.len - 1), (ssize_t)f.len - 1);
    struct capture *c = capture_open("-", &d);
    assert_int_equal(write(ends[1], f.b + f.len - 1, 1), 1);
    assert_int_equal(write(ends[1], f.b + 24, 10), 10);
    close(ends[1]);
    assert_non_null(c);
    assert_int_equal(capture_size(c), 0);
    expect_frame(c, 0, 1, 1, "piped", 5);
    expect_end(c, E_TRUNCATED, "standard input: byte 55: the file ends within a packet's header");
    assert_int_equal(dup2(was, STDIN_FILENO), STDIN_FILENO);
    close(was);
    file_kit_free(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_variants), cmocka_unit_test(pcapng_everything),
        cmocka_unit_test(large_blocks),  cmocka_unit_test(broken_off_anywhere),
        cmocka_unit_test(no_captures),   cmocka_unit_test(lies),
        cmocka_unit_test(odd_interfaces), cmocka_unit_test(from_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
