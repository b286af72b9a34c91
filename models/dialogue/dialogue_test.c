/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/dialogue/dialogue.h"

#include <string.h>

#include "models/testkit/testkit.h"

enum { STORY = 4096 };

/* What was said, as text: "S000b" a STUN message of that type, "C4000:3" ChannelData and its length, "F12" a frame,
 * "FS0001" one with STUN, "M0003" one of [MS-TURN], "H50" pseudo-TLS, "B5" bytes (runs are added up), "L4" lost, "e0"
 * an event of that kind; "*": bound. */
struct story {
    char text[STORY];
    size_t bytes; /* of a run of SAID_BYTES not told yet */
};

static void flush(struct story *s)
{
    struct text t = {s->text, STORY, strlen(s->text), false};
    if (s->bytes)
        text_add(&t, " B%zu", s->bytes);
    s->bytes = 0;
}

static void hear(void *ctx, const struct said *said)
{
    struct story *s = ctx;
    if (said->kind == SAID_BYTES) {
        s->bytes += said->len;
        return;
    }
    flush(s);
    struct text t = {s->text, STORY, strlen(s->text), false};
    switch (said->kind) {
    case SAID_STUN:
        text_add(&t, " S%04x", said->stun.type);
        break;
    case SAID_CHANNEL:
        text_add(&t, " C%04x:%zu", said->channel, said->len);
        break;
    case SAID_FRAME:
        if (said->stun.bytes)
            text_add(&t, " FS%04x", said->stun.type);
        else
            text_add(&t, " F%zu", said->len);
        break;
    case SAID_MS_TURN:
        text_add(&t, " M%04x", said->stun.type);
        break;
    case SAID_MS_HELLO:
        text_add(&t, " H%zu", said->len);
        break;
    case SAID_LOST:
        text_add(&t, " L%zu", said->len);
        break;
    case SAID_EVENT:
    case SAID_BYTES:
        text_add(&t, " e%d", said->seen->kind);
        break;
    }
    text_add(&t, "%s", said->bound ? "*" : "");
}

struct talk {
    struct dialogue *d;
    struct story story;
    enum ip_proto proto;
    size_t cut; /* streams come in pieces of so many bytes; 0: as given */
};

static void talk_begin(struct talk *t, enum ip_proto proto, size_t cut)
{
    *t = (struct talk){.proto = proto, .cut = cut};
    t->d = dialogue_new(8, hear, &t->story);
    assert_non_null(t->d);
}

static void talk_event(struct talk *t, uint32_t flow, bool reply, enum seen_kind kind)
{
    struct seen s = {.kind = kind, .proto = t->proto, .flow = flow, .reply = reply};
    dialogue_see(t->d, &s);
}

static void talk_say(struct talk *t, uint32_t flow, bool reply, const char *hex)
{
    uint8_t bytes[2048];
    size_t len = kit_hex(hex, bytes, sizeof bytes), piece = t->cut && t->proto == PROTO_TCP ? t->cut : len;
    for (size_t at = 0; at < len; at += piece) {
        struct seen s = {.kind = t->proto == PROTO_TCP ? SEEN_BYTES : SEEN_DATAGRAM, .proto = t->proto, .flow = flow,
                         .reply = reply, .data = bytes + at, .len = len - at < piece ? len - at : piece};
        dialogue_see(t->d, &s);
    }
}

/* What was said since the beginning. */
static void talk_end(struct talk *t, const char *expected)
{
    flush(&t->story);
    assert_string_equal(t->story.text[0] ? t->story.text + 1 : "", expected);
    dialogue_free(t->d);
}

#define ID " 2112a442 010203040506070809101112 "
#define BIND "000b0008" ID "002a0004 01020304"
#define BIND_401 "011b0000" ID
#define BIND_OK "010b0000" ID
#define BINDING "00010000" ID
#define REFRESH "00040000" ID
#define FRAMED "0014" BINDING

static void messages_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 60; cut++) {
        struct talk t;
        talk_begin(&t, PROTO_TCP, cut);
        talk_say(&t, 1, false, REFRESH "40000003 61626300 40010000" REFRESH);
        talk_say(&t, 1, true, "40000001 61000000");
        talk_end(&t, "S0004 C4000:3 C4001:0 S0004 C4000:1");
    }
}

static void payload_of_a_bound_connection_is_framed_or_plain(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 60; cut++) {
        struct talk t;
        talk_begin(&t, PROTO_TCP, cut);
        talk_say(&t, 1, false, BIND);
        talk_say(&t, 1, true, BIND_401);
        talk_say(&t, 1, false, BIND);
        talk_say(&t, 1, true, BIND_OK FRAMED "0002 8001");
        talk_say(&t, 1, false, "0003 800203" FRAMED);
        talk_say(&t, 2, false, BIND);
        talk_say(&t, 2, true, BIND_OK);
        talk_say(&t, 2, false, REFRESH "00"); /* RFC 6062 3: not interpreted any more */
        talk_end(&t, "S000b S011b S000b S010b FS0001* F2* F3* FS0001* S000b S010b B21");
    }
}

static void payload_may_follow_the_bind_at_once(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    talk_say(&t, 1, false, BIND "ffeeddccbbaa99887766");
    talk_say(&t, 1, true, BIND_OK "0102030405060708090a");
    talk_end(&t, "S000b B10 S010b B10");
}

static void after_a_gap_the_next_message_is_found(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 60; cut++) {
        struct talk t;
        talk_begin(&t, PROTO_TCP, cut);
        talk_say(&t, 1, false, REFRESH "0004");
        talk_event(&t, 1, false, SEEN_GAP);
        talk_say(&t, 1, false, "0102030405060708090a0b0c" REFRESH "40000001 61000000");
        flush(&t.story);
        assert_ptr_equal(strstr(t.story.text, " S0004 e3 L"), t.story.text);
        assert_string_equal(t.story.text + strlen(t.story.text) - strlen(" S0004 C4000:1"), " S0004 C4000:1");
        assert_null(strstr(t.story.text, "B"));
        dialogue_free(t.d);
    }
}

static void a_connection_from_its_middle_on(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    talk_event(&t, 1, false, SEEN_OPEN); /* started is false */
    talk_say(&t, 1, false, "800102030405060708090a0b0c" FRAMED "0002 8001");
    talk_say(&t, 1, true, REFRESH);
    talk_end(&t, "e1 B13 FS0001 F2 S0004");
}

static void other_streams_are_passed_on(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    talk_say(&t, 1, false, "474554");
    talk_event(&t, 1, false, SEEN_FIN);
    talk_say(&t, 1, true, "485454502f312e31 20323030");
    talk_event(&t, 1, true, SEEN_RST);
    talk_end(&t, "B3 e4 B12 e5");
}

#define RANDOM "00112233 44556677 8899aabb ccddeeff 00112233 44556677 8899aabb ccddeeff"
#define CLIENT_HELLO "160301002d010000290301" RANDOM "00000200180100"
#define SERVER_HELLO "160301004e020000460301" RANDOM "20" RANDOM "0018000e000000"
#define MS_ALLOCATE "0200001c 00030008 00112233445566778899aabbccddeeff 000f0004 72c64bc6"
#define MS_DATA "03000003 800102"

static void units_of_ms_turn_behind_pseudo_tls(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 60; cut++) {
        struct talk t;
        talk_begin(&t, PROTO_TCP, cut);
        talk_say(&t, 1, false, CLIENT_HELLO MS_ALLOCATE);
        talk_say(&t, 1, true, SERVER_HELLO MS_DATA "03000014" BINDING);
        talk_say(&t, 2, false, MS_ALLOCATE MS_DATA);
        talk_end(&t, "H50 M0003 H83 F3 FS0001 M0003 F3");
    }
}

static void tls_in_earnest_is_none(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    talk_say(&t, 1, false, "160301002d010000290301" RANDOM "00000200350100"); /* another cipher suite */
    talk_say(&t, 1, true, "16030100 31020000 2d0303" RANDOM "00003500000000");
    talk_say(&t, 2, false, CLIENT_HELLO);
    talk_event(&t, 2, false, SEEN_GAP);
    talk_say(&t, 2, false, MS_ALLOCATE); /* where a unit begins is not known any more */
    talk_end(&t, "B100 H50 e3 B32");
}

static void channel_data_over_udp_wants_turn_before(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_UDP, 0);
    talk_say(&t, 1, false, "40000001 61");
    talk_say(&t, 1, false, BINDING);
    talk_say(&t, 1, true, "40000001 61");
    talk_say(&t, 1, true, "40000002 61"); /* shorter than it says */
    talk_end(&t, "B5 S0001 C4000:1 B5");
}

static void ms_turn_over_udp(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_UDP, 0);
    talk_say(&t, 1, false, "0003 0008 00112233445566778899aabbccddeeff 000f0004 72c64bc6");
    talk_say(&t, 1, true, "0103 0008 00112233445566778899aabbccddeeff 000f0004 72c64bc7"); /* another cookie */
    talk_say(&t, 1, true, "0103 0009 00112233445566778899aabbccddeeff 000f0004 72c64bc6"); /* longer than it is */
    talk_end(&t, "M0003 B56");
}

/* Text is not held back for what a STUN message might begin with. */
static void text_waits_for_nothing(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    struct seen open = {.kind = SEEN_OPEN, .proto = PROTO_TCP, .flow = 1};
    dialogue_see(t.d, &open);
    talk_say(&t, 1, false, "5349502f322e3020323030204f4b0d0a0d0a");
    talk_event(&t, 1, false, SEEN_SYN);
    talk_say(&t, 1, false, "0000");
    talk_event(&t, 1, false, SEEN_SYN);
    talk_end(&t, "e1 B18 e0 e0");
}

static void the_flow_longest_silent_is_forgotten(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PROTO_TCP, 0);
    talk_say(&t, 2, false, "0001 0000 2112a442 0102");
    talk_say(&t, 1, false, "0004 0000 2112a442 0102");
    for (uint32_t flow = 3; flow <= 9; flow++) /* of eight that are known */
        talk_event(&t, flow, false, SEEN_SYN);
    assert_int_equal(dialogue_missed(t.d), 1);
    talk_event(&t, 9, false, SEEN_END);
    talk_say(&t, 1, false, "030405060708 09101112");
    talk_say(&t, 2, false, "030405060708 09101112");
    assert_int_equal(dialogue_missed(t.d), 1); /* there was room again */
    talk_end(&t, "e0 e0 e0 e0 e0 e0 e0 e9 S0004 B10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_pieces_of_any_size),
        cmocka_unit_test(payload_of_a_bound_connection_is_framed_or_plain),
        cmocka_unit_test(payload_may_follow_the_bind_at_once),
        cmocka_unit_test(after_a_gap_the_next_message_is_found),
        cmocka_unit_test(a_connection_from_its_middle_on),
        cmocka_unit_test(other_streams_are_passed_on),
        cmocka_unit_test(units_of_ms_turn_behind_pseudo_tls),
        cmocka_unit_test(tls_in_earnest_is_none),
        cmocka_unit_test(channel_data_over_udp_wants_turn_before),
        cmocka_unit_test(ms_turn_over_udp),
        cmocka_unit_test(text_waits_for_nothing),
        cmocka_unit_test(the_flow_longest_silent_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
