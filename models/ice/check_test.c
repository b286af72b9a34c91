/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of checks against the one that was captured (frame 2597 of the reference capture), and
 * priorities. */
#include "models/ice/check.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/ice/candidate.h"
#include "models/testkit/testkit.h"

static const char frame_2597[] =
    "00 01 00 58 21 12 a4 42 a7 d4 2d 51 9e 4d 78 c5 93 81 95 21"
    "00 25 00 00"
    "00 24 00 04 6e ff ff ff"
    "80 29 00 08 08 b2 67 4a 8b ee cd 68"
    "00 06 00 0c 6c 30 4d 52 3a 41 6f 56 79 00 00 00"
    "80 54 00 04 33 00 00 00"
    "80 70 00 04 00 00 00 02"
    "00 08 00 14 1d a4 84 25 29 57 5b 38 e0 6b 72 ef 45 8c 3e 17 2b 65 c7 6c"
    "80 28 00 04 ff 2f a7 18";
enum { FRAME_2597_LEN = 108, FRAME_2597_KEYED = 108 - 8 - 24 /* before MESSAGE-INTEGRITY */ };

static void captured_check_reads(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t len = kit_hex(frame_2597, bytes, sizeof bytes);
    assert_int_equal(len, FRAME_2597_LEN);
    struct stun_msg m;
    struct ice_check c;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, len, &m), 0);
    assert_int_equal(ice_check_decode(&m, &c), 0);
    assert_true(c.use_candidate); /* from an agent that says it is controlled */
    assert_false(c.controlling);
    assert_int_equal(c.priority, 0x6effffff);
    assert_true(c.tie_breaker == UINT64_C(0x08b2674a8beecd68));
    assert_string_equal(c.username, "l0MR:AoVy"); /* without the padding that its length counts */
    assert_string_equal(c.candidate_id, "3");
}

/* Told the same things we write the same bytes, but for the MAC, whose key nobody knows. */
static void captured_check_is_written(void **state)
{
    (void)state;
    uint8_t bytes[256], ours[ICE_MESSAGE_MAX];
    kit_hex(frame_2597, bytes, sizeof bytes);
    struct stun_msg m;
    struct ice_check c;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, FRAME_2597_LEN, &m), 0);
    assert_int_equal(ice_check_decode(&m, &c), 0);
    struct ice_candidate relayed = {.type = ICE_RELAY, .component = 1, .priority = 16777215};
    assert_int_equal(ice_check_priority(&relayed), c.priority);
    assert_int_equal(ice_check_encode(&stun_ms_ice2, &c, &m.id, "password", ours), FRAME_2597_LEN);
    assert_memory_equal(ours, bytes, FRAME_2597_KEYED);
    assert_memory_equal(ours + FRAME_2597_KEYED, "\x00\x08\x00\x14", 4);
}

/* Frame 2596 is 90 bytes of payload: 2 of length, 88 of a response to the 110 of a check like this. */
static void success_has_the_captured_length(void **state)
{
    (void)state;
    uint8_t bytes[256], ours[ICE_MESSAGE_MAX];
    kit_hex(frame_2597, bytes, sizeof bytes);
    struct stun_msg m, answer;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, FRAME_2597_LEN, &m), 0);
    struct endpoint mapped = kit_endpoint("10.48.54.229:24000"), seen;
    size_t len = ice_success_encode(&m, &mapped, "password", ours);
    assert_int_equal(len, 88);
    assert_int_equal(ice_message_parse(&stun_ms_ice2, ours, len, &answer), 0);
    assert_int_equal(answer.cls, STUN_SUCCESS);
    assert_memory_equal(answer.id.b, m.id.b, sizeof m.id.b);
    assert_int_equal(stun_get_address(&answer, ATTR_XOR_MAPPED_ADDRESS, &seen), 0);
    assert_true(endpoint_equal(&seen, &mapped));
    assert_int_equal(stun_check_integrity(&answer, "password", 8), 0);
    assert_int_equal(stun_check_integrity(&answer, "Password", 8), E_INTEGRITY);
}

static void old_fingerprint_is_taken(void **state)
{
    (void)state;
    struct ice_check c = {.priority = 1, .username = "a:b"};
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    uint8_t bytes[ICE_MESSAGE_MAX];
    struct stun_msg m;
    unsigned differ = 0;
    for (c.tie_breaker = 0; c.tie_breaker < 16; c.tie_breaker++) {
        size_t len = ice_check_encode(&stun_ms_ice2, &c, &id, "password", bytes);
        uint32_t standard = load32(bytes + len - 4), old = crc32_ms_legacy(bytes, len - 8) ^ 0x5354554e;
        store32(bytes + len - 4, old);
        assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, len, &m), 0);
        store32(bytes + len - 4, standard ^ 1);
        assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, len, &m), E_INTEGRITY);
        differ += old != standard;
    }
    assert_true(differ > 0); /* else nothing was tested */
}

/* What is not a message of ours is not acted on. */
static void others_are_dropped(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stun_msg m;
    size_t len = kit_hex(frame_2597, bytes, sizeof bytes);
    for (size_t i = 0; i < len; i++)
        assert_true(ice_message_parse(&stun_ms_ice2, bytes, i, &m) != 0); /* cut short */
    bytes[1] = 3; /* Allocate */
    assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, len, &m), E_MALFORMED);
    static const char no_fingerprint[] = "00 01 00 08 21 12 a4 42 a7 d4 2d 51 9e 4d 78 c5 93 81 95 21"
                                         "00 24 00 04 6e ff ff ff";
    len = kit_hex(no_fingerprint, bytes, sizeof bytes);
    assert_int_equal(ice_message_parse(&stun_ms_ice2, bytes, len, &m), E_INTEGRITY);
}

static void priorities(void **state)
{
    (void)state;
    assert_int_equal(ice_priority(ICE_RELAY, ICE_TCP_ACT, 1), 7076863);
    assert_int_equal(ice_priority(ICE_RELAY, ICE_TCP_PASS, 1), 6556159);
    assert_int_equal(ice_priority(ICE_RELAY, ICE_TCP_PASS, 2), 6556158);
    assert_int_equal(ice_priority(ICE_SRFLX, ICE_TCP_ACT, 1), 1684798975);
    assert_int_equal(ice_priority(ICE_HOST, ICE_TCP_ACT, 1) >> 24, 126);
    /* RFC 8445 6.1.2.3: 2^32 min + 2 max + (G > D) */
    assert_true(ice_pair_priority(2, 1) == (UINT64_C(1) << 32) + 5);
    assert_true(ice_pair_priority(1, 2) == (UINT64_C(1) << 32) + 4);
    assert_true(ice_pair_priority(7, 7) == (UINT64_C(7) << 32) + 14);
    assert_true(ice_pair_priority(UINT32_MAX, 2130706431) ==
                (UINT64_C(2130706431) << 32) + 2 * UINT64_C(4294967295) + 1);
}

static void active_pairs_with_passive_only(void **state)
{
    (void)state;
    struct ice_candidate active = {.transport = ICE_TCP_ACT, .component = 1, .address = kit_endpoint("10.0.0.1:1")};
    struct ice_candidate passive = {
        .transport = ICE_TCP_PASS, .component = 1, .address = kit_endpoint("10.0.0.2:2")};
    assert_true(ice_can_pair(&active, &passive));
    assert_true(ice_can_pair(&passive, &active));
    assert_false(ice_can_pair(&active, &active));
    assert_false(ice_can_pair(&passive, &passive));
    passive.component = 2;
    assert_false(ice_can_pair(&active, &passive));
    passive.component = 1;
    passive.address = kit_endpoint("[2001:db8::2]:2");
    assert_false(ice_can_pair(&active, &passive));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_check_reads),
        cmocka_unit_test(captured_check_is_written),
        cmocka_unit_test(success_has_the_captured_length),
        cmocka_unit_test(old_fingerprint_is_taken),
        cmocka_unit_test(others_are_dropped),
        cmocka_unit_test(priorities),
        cmocka_unit_test(active_pairs_with_passive_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
