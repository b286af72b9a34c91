/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same frames from our reader and from libpcap, on all that libpcap reads; and what it does not. */
#include <pcap/pcap.h>
#include <string.h>
#include <unistd.h>

#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/capture/capture.h"
#include "sim/capture/file_kit.h"

static pcap_t *open_pcap(const char *path, char *error)
{
    return pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
}

/* libpcap's number of a link type is the file's, but for raw IP. */
static uint32_t link_of(pcap_t *p)
{
    return pcap_datalink(p) == DLT_RAW ? 101 : (uint32_t)pcap_datalink(p);
}

/* How many frames both have. Where the file breaks off, both have those before. */
static size_t compare(struct file_kit *f)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct diag d = {""};
    const char *path = file_kit_write(f);
    pcap_t *theirs = open_pcap(path, error);
    struct capture *ours = capture_open(path, &d);
    unlink(path);
    if (!theirs || !ours)
        fail_msg("libpcap: %s; we: %s", error, d.text);
    size_t n = 0;
    for (;; n++) {
        struct pcap_pkthdr *h;
        const u_char *bytes;
        struct captured k;
        int their = pcap_next_ex(theirs, &h, &bytes), our = capture_next(ours, &k, &d);
        if ((their == 1) != (our == 1) || (their == PCAP_ERROR_BREAK) != (our == 0)) /* the end */
            fail_msg("frame %zu: libpcap %d %s; we %d %s", n + 1, their, pcap_geterr(theirs), our, d.text);
        if (our != 1)
            break;
        assert_int_equal(k.t_ns, (uint64_t)h->ts.tv_sec * NS_S + (uint64_t)h->ts.tv_usec);
        assert_int_equal(k.caplen, h->caplen);
        assert_int_equal(k.len, h->len);
        assert_int_equal(k.link, link_of(theirs));
        assert_memory_equal(k.bytes, bytes, k.caplen);
    }
    pcap_close(theirs);
    capture_close(ours);
    return n;
}

static void random_packets(struct file_kit *f, struct rng *g, bool ng, bool whole_seconds)
{
    uint8_t bytes[2000];
    rng_fill(g, bytes, sizeof bytes);
    for (unsigned i = 0; i < 50; i++) {
        size_t caplen = rng_below(g, sizeof bytes), len = caplen + rng_below(g, 3) * 1000;
        uint64_t time = whole_seconds ? rng_below(g, 1000) : rng_below(g, UINT64_C(1) << 50);
        if (!ng)
            file_kit_pcap_packet(f, (uint32_t)rng_below(g, INT32_MAX), (uint32_t)rng_below(g, 1000000), bytes, caplen,
                                 len);
        else if (i % 7 == 3)
            file_kit_simple(f, bytes, caplen, caplen);
        else if (i % 7 == 5)
            file_kit_obsolete(f, 0, time, bytes, caplen);
        else
            file_kit_packet(f, 0, time, bytes, caplen, len);
        if (ng && i % 7 == 6)
            file_kit_block(f, 5, bytes, i * 4); /* statistics */
    }
}

static void same_frames(void **state)
{
    (void)state;
    static const uint32_t magics[] = {PCAP_MICRO, PCAP_NANO, PCAP_KUZNETSOV};
    static const uint32_t links[] = {1, 101, 113, 276, 0, 108, 9};
    static const int resolutions[] = {-1, 9, 6, 3, 0, 12, 0x8a, 0x80 | 20};
    struct rng g = rng_named(1, "capture/libpcap");
    for (unsigned i = 0; i < 42; i++) {
        struct file_kit f = {.big = i & 1};
        file_kit_pcap(&f, magics[i % 3], links[i % 7]);
        random_packets(&f, &g, false, false);
        assert_int_equal(compare(&f), 50);
        file_kit_free(&f);
    }
    for (unsigned i = 0; i < 64; i++) {
        struct file_kit f = {.big = i & 1};
        const struct file_kit_interface of = {.link = links[i % 7], .resolution = resolutions[i % 8],
                                              .offset_s = i % 3 ? 0 : 1000};
        file_kit_section(&f);
        file_kit_interface(&f, &of);
        if (i & 8 && of.link != 101) /* libpcap 1.10 takes two interfaces of raw IP for different ones */
            file_kit_interface(&f, &of);
        random_packets(&f, &g, true, of.resolution == 0);
        assert_int_equal(compare(&f), 50);
        file_kit_free(&f);
    }
}

static void same_cut(void **state)
{
    (void)state;
    struct rng g = rng_named(2, "capture/libpcap");
    for (unsigned ng = 0; ng < 2; ng++) {
        struct file_kit f = {0};
        if (ng) {
            file_kit_section(&f);
            file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 9});
        } else {
            file_kit_pcap(&f, PCAP_NANO, 1);
        }
        size_t head = f.len;
        for (unsigned i = 0; i < 20; i++)
            if (ng)
                file_kit_packet(&f, 0, i, "hello, world", 12, 12);
            else
                file_kit_pcap_packet(&f, i, i, "hello, world", 12, 12);
        for (unsigned i = 0; i < 60; i++) {
            struct file_kit part = {.b = f.b, .len = head + rng_below(&g, f.len - head)};
            compare(&part);
        }
        file_kit_free(&f);
    }
}

/* Why there is a reader of our own. */
static void what_libpcap_refuses(void **state)
{
    (void)state;
    static const struct {
        struct file_kit_interface other;
        const char *error;
    } rows[] = {
        {{.link = 113, .resolution = 9}, "different from the type of the first interface"},
        {{.link = 1, .resolution = 9, .snaplen = 96}, "different from the snapshot length of the first interface"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file_kit f = {0};
        struct diag d;
        struct captured k;
        char error[PCAP_ERRBUF_SIZE] = "";
        struct pcap_pkthdr *h;
        const u_char *bytes;
        file_kit_section(&f);
        file_kit_interface(&f, &(struct file_kit_interface){.link = 1, .resolution = 9});
        file_kit_interface(&f, &rows[i].other);
        file_kit_packet(&f, 1, 7, "of the second", 13, 13);
        const char *path = file_kit_write(&f);
        pcap_t *theirs = open_pcap(path, error);
        assert_non_null(theirs);
        assert_int_equal(pcap_next_ex(theirs, &h, &bytes), -1);
        assert_non_null(strstr(pcap_geterr(theirs), rows[i].error));
        pcap_close(theirs);
        struct capture *ours = capture_open(path, &d);
        assert_int_equal(capture_next(ours, &k, &d), 1);
        assert_int_equal(k.interface, 1);
        assert_int_equal(k.link, rows[i].other.link);
        assert_int_equal(capture_next(ours, &k, &d), 0);
        capture_close(ours);
        unlink(path);
        file_kit_free(&f);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_frames), cmocka_unit_test(same_cut), cmocka_unit_test(what_libpcap_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
