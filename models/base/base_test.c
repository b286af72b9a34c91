/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/io.h"
#include "models/testkit/testkit.h"

static void crc32_vectors(void **state)
{
    (void)state;
    assert_int_equal(crc32_of("123456789", 9), 0xcbf43926); /* rfc8489-requirements 7 */
    assert_int_equal(crc32_of("", 0), 0);
    assert_int_equal(crc32_ms_legacy("123456789", 9) == crc32_of("123456789", 9), 1); /* entry not hit */
}

static void addresses_round_trip(void **state)
{
    (void)state;
    static const char *const good[] = {"10.48.54.229:3478", "[2001:db8::1]:443", "0.0.0.0:0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char out[ENDPOINT_TEXT];
        struct endpoint e = kit_endpoint(good[i]);
        assert_string_equal(endpoint_text(&e, out), good[i]);
    }
    static const char *const bad[] = {"10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "::1:80",
                                      "[10.0.0.1]:80", "10.0.0.1: 80", "[::1]", ":80", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint e;
        assert_int_equal(endpoint_parse(bad[i], &e), E_MALFORMED);
    }
}

static void prefixes_contain(void **state)
{
    (void)state;
    struct ip_prefix p;
    assert_int_equal(prefix_parse("10.48.54.230/25", &p), 0);
    struct ip_prefix half = {.ip = kit_ip("10.48.54.128"), .len = 25};
    struct ip_addr in = kit_ip("10.48.54.255"), out = kit_ip("10.48.54.127"), six = kit_ip("::1");
    assert_true(ip_in_prefix(&in, &half));
    assert_true(ip_in_prefix(&in, &p));
    assert_false(ip_in_prefix(&out, &half));
    assert_false(ip_in_prefix(&six, &half));
    assert_int_equal(prefix_parse("10.0.0.0/33", &p), E_RANGE);
    assert_int_equal(prefix_parse("10.0.0.0/", &p), E_MALFORMED);
    assert_int_equal(prefix_parse("2001:db8::/129", &p), E_RANGE);
}

/* A stream depends on the seed and the name and on nothing else. */
static void streams_are_named(void **state)
{
    (void)state;
    struct rng a = rng_named(1, "link/a"), b = rng_named(1, "link/a"), c = rng_named(1, "link/b");
    uint64_t x = rng_u64(&a);
    assert_true(x == rng_u64(&b));
    assert_true(x != rng_u64(&c));
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&a, 3) < 3);
    assert_true(rng_chance(&a, 1, 1));
    assert_false(rng_chance(&a, 0, 1));
}

static void reader_and_writer_stop_at_the_end(void **state)
{
    (void)state;
    uint8_t buf[4];
    struct writer w = writer_of(buf, sizeof buf);
    write16(&w, 0x0102);
    write32(&w, 1);
    assert_true(w.failed);
    assert_int_equal(writer_len(&w), 2);
    struct reader r = reader_of(buf, 2);
    assert_int_equal(read16(&r), 0x0102);
    assert_int_equal(read8(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_left(&r), 0);
}

/* Operations come out in order, with their own copies of what they were given. */
static void io_queue_keeps_order_and_copies(void **state)
{
    (void)state;
    struct io *io = io_new("relay", 1);
    struct endpoint to = kit_endpoint("10.0.0.1:80");
    io_id id = io_connect(io, 7, NULL, &to);
    assert_int_equal(io_owner(id), 7);
    char text[] = "first";
    io_send(io, id, text, 5, "hello");
    memcpy(text, "later", 5);
    io_note(io, NOTE_STATE, "alloc=%d", 3);
    io_mute(io, NOTE_HINT);
    assert_true(io_muted(io, NOTE_HINT) && !io_muted(io, NOTE_STATE));
    io_note(io, NOTE_HINT, "that nobody hears");
    static const uint8_t lent[] = "lent";
    struct io_out loan = {.op = IO_OP_SENDTO, .id = id, .data = lent, .len = 4, .dont_fragment = true};
    assert_null(io_put(io, &loan));
    uint8_t *room = io_put(io, &(struct io_out){.op = IO_OP_SENDTO, .id = id, .len = 3, .label = "put"});
    assert_non_null(room);
    memcpy(room, "own", 3);
    for (int i = 0; i < 100; i++)
        io_read(io, id, true);

    struct io_out out;
    assert_true(io_poll(io, &out) && out.op == IO_OP_CONNECT && endpoint_equal(&out.remote, &to));
    assert_true(io_poll(io, &out) && out.op == IO_OP_SEND);
    assert_memory_equal(out.data, "first", 5);
    assert_string_equal(out.label, "hello");
    assert_true(io_poll(io, &out) && out.op == IO_OP_NOTE);
    assert_string_equal(out.label, "alloc=3");
    assert_true(io_poll(io, &out) && out.op == IO_OP_SENDTO && out.dont_fragment && !out.label);
    assert_ptr_equal(out.data, lent);
    assert_true(io_poll(io, &out) && out.op == IO_OP_SENDTO && !out.dont_fragment);
    assert_memory_equal(out.data, "own", 3);
    assert_string_equal(out.label, "put");
    for (int i = 0; i < 100; i++)
        assert_true(io_poll(io, &out) && out.op == IO_OP_READ_ON && !out.label);
    assert_false(io_poll(io, &out));
    io_free(io);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_vectors),
        cmocka_unit_test(addresses_round_trip),
        cmocka_unit_test(prefixes_contain),
        cmocka_unit_test(streams_are_named),
        cmocka_unit_test(reader_and_writer_stop_at_the_end),
        cmocka_unit_test(io_queue_keeps_order_and_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
