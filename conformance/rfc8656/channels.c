/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 12: channels. */
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

enum { HEADER = 4, LONGEST = 8, HUGE_LEN = 65533, MANY = 512 };

/* A relay with a peer that has channel 0x4000. */
static struct opening open_on(struct probe *p, struct allocation a)
{
    struct opening o = {.a = a, .peer = probe_udp(p, PEER1, IP_V4)};
    o.at = line_local(o.peer);
    bind_channel(&o.a, 0x4000, &o.at);
    return o;
}

static struct opening open_channel(struct probe *p)
{
    return open_on(p, relay(p));
}

/* Waits until then; allocation and permission are kept alive on the way, the channel is not. */
static void keep_permitted_until(struct opening *o, uint64_t t_ns)
{
    struct probe *p = o->a.p;
    while (probe_now(p) < t_ns) {
        probe_wait_until(p, time_min(t_ns, probe_now(p) + 200 * NS_S));
        expect_alive(&o->a, "while its channel is being watched");
        permit(&o->a, &o->at);
    }
}

static struct endpoint next_to(const struct endpoint *peer, unsigned port)
{
    return (struct endpoint){peer->ip, (uint16_t)port};
}

/* ---- 12: numbers, lifetimes ---- */

static void numbers_have_a_range(struct probe *p)
{
    struct allocation a = relay(p);
    static const struct {
        uint16_t number;
        int code;
        const char *what;
    } tries[] = {
        {0x4000, 0, "a ChannelBind of 0x4000"},
        {0x4fff, 0, "a ChannelBind of 0x4FFF"},
        {0x5000, 400, "a ChannelBind of 0x5000, which only RFC 5766 has,"},
        {0x7ffe, 400, "a ChannelBind of 0x7FFE, which only RFC 5766 has,"},
    };
    for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct endpoint peer = {probe_ip(p, PEER1, IP_V4), (uint16_t)(1001 + i)};
        struct heard h = ask_channel(a.login, a.control, tries[i].number, &peer);
        expect_code(p, &h, tries[i].code, tries[i].what);
    }
}

static void the_first_byte_tells(struct probe *p)
{
    static const uint8_t first[] = {4, 16, 20, 80, 128, 192, 255};
    struct opening o = open_channel(p);
    for (unsigned i = 0; i < sizeof first; i++) {
        uint8_t datagram[24] = {first[i], 0, 0, 4, 0x21, 0x12, 0xa4, 0x42};
        to_server(&o.a, datagram, sizeof datagram);
    }
    expect_silence(p, o.a.control, "a datagram whose first byte is not of STUN (0-3) nor of a channel (64-79)");
    probe_require(p, channel_passes(&o.a, 0x4000, o.peer),
                  "after datagrams that are neither STUN nor ChannelData the channel does not relay any more");
}

static void expect_data(struct opening *o, enum heard_kind kind, const char *when)
{
    struct heard h = from_peer(&o->a, o->peer);
    probe_require(o->a.p, h.kind != HEARD_NOTHING, "%s a datagram from the peer was dropped", when);
    probe_require(o->a.p, h.kind == kind, "%s a datagram from the peer came as %s", when,
                  h.kind == HEARD_STUN ? "a Data indication" : "ChannelData");
}

static void channel_lives_600_s(struct probe *p)
{
    struct opening o = open_channel(p);
    uint64_t from = probe_now(p);
    keep_permitted_until(&o, from + CHANNEL_LIFE - EARLY);
    expect_data(&o, HEARD_CHANNEL, "598 s after ChannelBind");
    probe_wait_until(p, from + CHANNEL_LIFE + LATE);
    expect_data(&o, HEARD_STUN, "603 s after ChannelBind");
}

static void channel_is_renewed(struct probe *p)
{
    struct opening o = open_channel(p);
    keep_permitted_until(&o, probe_now(p) + 500 * NS_S);
    bind_channel(&o.a, 0x4000, &o.at);
    uint64_t from = probe_now(p);
    keep_permitted_until(&o, from + CHANNEL_LIFE - EARLY);
    expect_data(&o, HEARD_CHANNEL, "598 s after a second ChannelBind");
    probe_wait_until(p, from + CHANNEL_LIFE + LATE);
    expect_data(&o, HEARD_STUN, "603 s after a second ChannelBind");
}

static void channels_are_of_one_allocation(struct probe *p)
{
    struct opening o = open_channel(p), other = open_channel(p);
    probe_require(p, channel_passes(&o.a, 0x4000, o.peer),
                  "another allocation has the same number, and the first drops");
    probe_require(p, channel_passes(&other.a, 0x4000, other.peer),
                  "an allocation with a number that another has drops");
    expect_data(&o, HEARD_CHANNEL, "with the same number on another allocation");
    expect_data(&other, HEARD_CHANNEL, "with a number that another allocation has");
}

/* ---- 12.2: ChannelBind ---- */

static void both_attributes_are_needed(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    struct heard h = channel_bind(&a, ATTRS(PEER(&peer)));
    expect_code(p, &h, 400, "a ChannelBind without CHANNEL-NUMBER");
    h = channel_bind(&a, ATTRS(HEX(ATTR_CHANNEL_NUMBER, "40000000")));
    expect_code(p, &h, 400, "a ChannelBind without XOR-PEER-ADDRESS");
}

static void numbers_out_of_range(struct probe *p)
{
    static const uint16_t number[] = {0, 0x3fff, 0x8000, 0xffff};
    struct allocation a = relay(p);
    for (unsigned i = 0; i < sizeof number / sizeof *number; i++) {
        struct endpoint peer = {probe_ip(p, PEER1, IP_V4), (uint16_t)(1001 + i)};
        struct heard h = ask_channel(a.login, a.control, number[i], &peer);
        char what[64];
        struct text t = text_of(what, sizeof what);
        text_add(&t, "a ChannelBind of 0x%04X", number[i]);
        expect_code(p, &h, 400, what);
    }
}

static void a_number_has_one_peer(struct probe *p)
{
    struct opening o = open_channel(p);
    struct endpoint other = next_to(&o.at, 9);
    struct heard h = ask_channel(o.a.login, o.a.control, 0x4000, &other);
    expect_code(p, &h, 400, "a ChannelBind of a number that is bound to another peer");
    probe_require(p, channel_passes(&o.a, 0x4000, o.peer),
                  "a refused ChannelBind has spoilt the binding that there was");
}

static void a_peer_has_one_number(struct probe *p)
{
    struct opening o = open_channel(p);
    struct heard h = ask_channel(o.a.login, o.a.control, 0x4001, &o.at);
    expect_code(p, &h, 400, "a ChannelBind for a peer that has another number");
    expect_data(&o, HEARD_CHANNEL, "after a second number for the same peer was refused");
}

static void another_port_is_another_peer(struct probe *p)
{
    struct opening o = open_channel(p);
    struct line *second = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(second);
    bind_channel(&o.a, 0x4001, &at);
    probe_require(p, channel_passes(&o.a, 0x4001, second), "the second of two channels to one address does not relay");
    probe_require(p, channel_passes(&o.a, 0x4000, o.peer), "the first of two channels to one address does not relay");
}

static void the_family_is_the_relays(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer = somebody6();
    struct heard h = ask_channel(a.login, a.control, 0x4000, &peer);
    expect_code(p, &h, 443, "a ChannelBind for an IPv6 address on an IPv4 relay");
}

static void a_denied_peer_has_no_channel(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer = {probe_ip(p, PEER2, IP_V4), 9};
    struct heard h = ask_channel(a.login, a.control, 0x4000, &peer);
    expect_code(p, &h, 403, "a ChannelBind for an address that the operator denies");
}

static void channels_run_out(struct probe *p)
{
    struct allocation a = relay(p);
    for (unsigned i = 0; i < MANY; i++) {
        struct endpoint peer = somebody(i);
        struct heard h = ask_channel(a.login, a.control, (uint16_t)(0x4000 + i), &peer);
        if (h.code == 0)
            continue;
        expect_code(p, &h, 508, "a ChannelBind beyond what the server has room for");
        return;
    }
    probe_defined(p, "%u channels were bound on one allocation, and the server had room for all", MANY);
}

static void channel_bind_permits(struct probe *p)
{
    struct opening o = open_channel(p);
    uint64_t from = probe_now(p);
    probe_wait_until(p, from + PERMISSION_LIFE - EARLY);
    expect_data(&o, HEARD_CHANNEL, "298 s after ChannelBind, without CreatePermission,");
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !comes_through(&o.a, o.peer), "303 s after ChannelBind, without another or a CreatePermission, "
                                                   "a datagram from the peer was relayed");
    permit(&o.a, &o.at);
    expect_data(&o, HEARD_CHANNEL, "with a new permission, and the channel still bound,");
}

static void reserved_bits_of_the_number(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    struct heard h = channel_bind(&a, ATTRS(HEX(ATTR_CHANNEL_NUMBER, "4000ffff"), PEER(&at)));
    expect_code(p, &h, 0, "a ChannelBind with ones in the reserved bytes of CHANNEL-NUMBER");
    probe_require(p, channel_passes(&a, 0x4000, peer), "the channel does not relay");
}

/* ---- 12.4, 12.5: ChannelData ---- */

/* One frame, padded with bytes that must go nowhere; its size. */
static size_t frame(uint8_t *out, const char *data, size_t len, size_t padding)
{
    store16(out, 0x4000);
    store16(out + 2, (unsigned)len);
    memcpy(out + HEADER, data, len);
    memset(out + HEADER + len, 0xee, padding);
    return HEADER + len + padding;
}

static size_t padding(size_t len)
{
    return (4 - len % 4) % 4;
}

static void short_frames_do_not_stall(struct probe *p)
{
    struct opening o = open_on(p, *allocate(p, PROTO_TCP, PROTO_UDP));
    uint8_t bytes[16];
    for (size_t len = 0; len <= 4; len++) {
        to_server(&o.a, bytes, frame(bytes, "wxyz", len, padding(len)));
        probe_require(p, peer_gets(&o.a, o.peer, "wxyz", len),
                      "over TCP ChannelData of %zu bytes did not come to the peer", len);
    }
}

static void empty_channel_data(struct probe *p)
{
    struct opening o = open_channel(p);
    send_channel(&o.a, 0x4000, "", 0);
    probe_require(p, peer_gets(&o.a, o.peer, "", 0), "ChannelData of no bytes made no empty datagram");
}

static void a_bound_channel_is_used(struct probe *p)
{
    struct opening o = open_channel(p);
    for (unsigned i = 0; i < 10; i++)
        expect_data(&o, HEARD_CHANNEL, "with a channel bound");
}

static void streams_are_padded(struct probe *p)
{
    struct opening o = open_on(p, *allocate(p, PROTO_TCP, PROTO_UDP));
    uint8_t bytes[LONGEST * (HEADER + LONGEST)];
    size_t n = 0;
    for (size_t len = 1; len <= LONGEST; len++)
        n += frame(bytes + n, "abcdefgh", len, padding(len));
    to_server(&o.a, bytes, n);
    for (size_t len = 1; len <= LONGEST; len++)
        probe_require(p, peer_gets(&o.a, o.peer, "abcdefgh", len),
                      "of ChannelData of 1 to 8 bytes, back to back over TCP, %zu did not come to the peer", len);
    for (size_t len = 1; len <= LONGEST; len++)
        line_send_to(o.peer, &o.a.relayed, "ABCDEFGH", len);
    for (size_t len = 1; len <= LONGEST; len++) {
        struct heard h = line_hear(o.a.control, probe_soon(p));
        probe_require(p, h.kind == HEARD_CHANNEL && h.len == len && memcmp(h.data, "ABCDEFGH", len) == 0,
                      "of datagrams of 1 to 8 bytes the one of %zu did not come to the client over TCP, padded to four",
                      len);
    }
    expect_alive(&o.a, "behind padded ChannelData");
}

static void datagrams_may_be_padded(struct probe *p)
{
    struct opening o = open_channel(p);
    uint8_t bytes[16];
    for (size_t pad = 0; pad <= 3; pad++) {
        to_server(&o.a, bytes, frame(bytes, "p", 1, pad));
        probe_require(p, peer_gets(&o.a, o.peer, "p", 1), "over UDP ChannelData with %zu bytes of padding was dropped",
                      pad);
    }
}

static void a_huge_frame(struct probe *p)
{
    struct opening o = open_on(p, *allocate(p, PROTO_TCP, PROTO_UDP));
    uint8_t bytes[HEADER + HUGE_LEN + 3] = {0x40, 0x00, HUGE_LEN >> 8, HUGE_LEN & 0xff};
    to_server(&o.a, bytes, sizeof bytes);
    expect_alive(&o.a, "behind ChannelData of 65533 bytes, which are 65540 with header and padding,");
    to_server(&o.a, bytes, frame(bytes, "next", 4, 0));
    probe_require(p, peer_gets(&o.a, o.peer, "next", 4), "behind ChannelData of 65533 bytes the next was not relayed");
}

/* ---- 12.6: what is dropped, and what is renewed ---- */

static void expect_dropped(struct opening *o, const void *bytes, size_t len, const char *what)
{
    uint8_t got[64];
    to_server(&o->a, bytes, len);
    expect_silence(o->a.p, o->a.control, what);
    probe_require(o->a.p, line_datagram(o->peer, got, sizeof got, NULL, 0) < 0, "%s was relayed", what);
}

static void no_such_numbers(struct probe *p)
{
    static const uint16_t first[] = {0x5000, 0x7fff, 0x8000, 0xc000, 0xffff};
    struct opening o = open_channel(p);
    for (unsigned i = 0; i < sizeof first / sizeof *first; i++) {
        uint8_t bytes[HEADER + 4] = {(uint8_t)(first[i] >> 8), (uint8_t)first[i], 0, 4};
        expect_dropped(&o, bytes, sizeof bytes, "a datagram that begins with 0x5000 or more");
    }
    probe_require(p, channel_passes(&o.a, 0x4000, o.peer), "after such datagrams the channel does not relay any more");
}

static void a_datagram_that_is_too_short(struct probe *p)
{
    struct opening o = open_channel(p);
    static const uint8_t bytes[HEADER + 4] = {0x40, 0x00, 0, 5, 'a', 'b', 'c', 'd'};
    expect_dropped(&o, bytes, sizeof bytes, "ChannelData that is shorter than it says");
}

static void an_unbound_channel(struct probe *p)
{
    struct opening o = open_channel(p);
    static const uint8_t bytes[HEADER + 4] = {0x4a, 0xbc, 0, 4, 'a', 'b', 'c', 'd'};
    expect_dropped(&o, bytes, sizeof bytes, "ChannelData of an unbound channel");
}

/* How long a permission of ChannelBind lives is another row's: a channel that is left alone tells. */
static void channel_data_renews_nothing(struct probe *p)
{
    struct opening idle = open_channel(p), o = open_channel(p);
    uint64_t from = probe_now(p), until;
    for (until = from; until < from + PERMISSION_LIFE; until += 20 * NS_S) {
        probe_wait_until(p, until);
        probe_require(p, channel_passes(&o.a, 0x4000, o.peer), "%u s after ChannelBind its ChannelData was dropped",
                      (unsigned)((until - from) / NS_S));
    }
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, comes_through(&idle.a, idle.peer) || !comes_through(&o.a, o.peer),
                  "ChannelData has kept the permission of a ChannelBind alive beyond its time");
    permit(&o.a, &o.at);
    for (until = probe_now(p); until < from + CHANNEL_LIFE - EARLY; until += 20 * NS_S) {
        probe_wait_until(p, until);
        channel_passes(&o.a, 0x4000, o.peer);
        if (until > from + CHANNEL_LIFE - 60 * NS_S)
            permit(&o.a, &o.at);
    }
    expect_alive(&o.a, "before it is 600 s old");
    permit(&o.a, &o.at);
    probe_wait_until(p, from + CHANNEL_LIFE + LATE);
    expect_data(&o, HEARD_STUN, "603 s after ChannelBind, with ChannelData all the time,");
}

static void a_channel_without_permission(struct probe *p)
{
    struct opening o = open_channel(p);
    probe_wait(p, PERMISSION_LIFE + LATE);
    if (comes_through(&o.a, o.peer))
        probe_skip(p, "the permission of a ChannelBind has not lapsed after 303 s");
    probe_defined(p, "ChannelData to a peer whose permission has lapsed was %s",
                  channel_passes(&o.a, 0x4000, o.peer) ? "relayed" : "dropped");
}

/* ---- the client ---- */

static uint16_t number_of(const struct heard *h)
{
    uint32_t number = 0;
    heard_u32(h, ATTR_CHANNEL_NUMBER, &number);
    return (uint16_t)(number >> 16);
}

/* A client that has bound a channel to that peer: its number. */
static uint16_t client_binds(struct probe *p, struct line *control, const struct endpoint *peer)
{
    client_wants(p, WISH_CHANNEL, peer);
    struct heard h = server_hear(p, control, TURN_CHANNEL_BIND, probe_soon(p));
    answer_success(p, control, &h);
    return number_of(&h);
}

/* A binding that the client has lost, as its renewal was refused, lives on at the server. */
static void client_waits_before_it_binds_anew(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 3600);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9}, other = somebody(1), bound;
    uint16_t number = client_binds(p, control, &peer);
    uint64_t until = probe_now(p) + CHANNEL_LIFE + 300 * NS_S;
    struct heard h = server_hear(p, control, TURN_CHANNEL_BIND, CHANNEL_LIFE);
    answer_error(p, control, &h, 508);
    probe_wait(p, NS_S);
    client_wants(p, WISH_CHANNEL, &other);
    client_wants(p, WISH_CHANNEL, &peer);
    for (;;) {
        h = line_request(control, TURN_CHANNEL_BIND, until - probe_now(p));
        if (h.kind != HEARD_STUN)
            return;
        probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &bound), "a ChannelBind has no XOR-PEER-ADDRESS");
        bool same_peer = endpoint_equal(&bound, &peer), same_number = number_of(&h) == number;
        probe_require(p, same_peer || !same_number,
                      "number 0x%04X may still be bound to one peer, and the client binds it to another", number);
        probe_require(p, same_number || !same_peer,
                      "a peer may still have number 0x%04X, and the client binds it to 0x%04X", number, number_of(&h));
        answer_success(p, control, &h);
    }
}

static void client_is_ready_at_once(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 600);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    client_wants(p, WISH_CHANNEL, &peer);
    struct heard h = server_hear(p, control, TURN_CHANNEL_BIND, probe_soon(p));
    uint8_t bytes[HEADER + 4] = {0, 0, 0, 4, 'f', 'a', 's', 't'};
    store16(bytes, number_of(&h));
    line_send(control, bytes, sizeof bytes);
    probe_require(p, subject_told(p, TOLD_DATAGRAM, probe_soon(p)),
                  "ChannelData came before the answer to ChannelBind, and the client dropped it");
}

static const struct requirement rows[] = {
    {"8656-12-1", "12", LEVEL_STATED, WHO_SERVER | WHO_CLIENT, "Channel numbers are 0x4000 to 0x4FFF.",
     .probe = numbers_have_a_range},
    {"8656-12-2", "12", LEVEL_MUST, WHO_SERVER | WHO_CLIENT,
     "The first byte tells STUN (0-3) from ChannelData (64-79); what is neither is dropped.",
     .probe = the_first_byte_tells,
     .needs = NEED_UDP_CLIENT},
    {"8656-12-3", "12", LEVEL_STATED, WHO_SERVER,
     "A channel lives 600 s.", .probe = channel_lives_600_s,
     .seconds = 603},
    {"8656-12-4", "12", LEVEL_STATED, WHO_SERVER, "A channel that is bound again lives 600 s from then on.",
     .probe = channel_is_renewed, .seconds = 1103},
    {"8656-12-5", "12", LEVEL_MUST, WHO_CLIENT,
     "A client waits five minutes after a channel has expired before it binds its number to another peer, or its peer "
     "to another number.",
     .probe = client_waits_before_it_binds_anew, .needs = NEED_CLIENT, .seconds = 900},
    {"8656-12-6", "12", LEVEL_SHOULD, WHO_CLIENT, "A client takes ChannelData as soon as it has sent ChannelBind.",
     .probe = client_is_ready_at_once, .needs = NEED_CLIENT},
    {"8656-12-7", "12", LEVEL_STATED, WHO_SERVER, "A channel is of one allocation: others may use its number.",
     .probe = channels_are_of_one_allocation},
    {"8656-12.2-1", "12.2", LEVEL_STATED, WHO_SERVER,
     "A ChannelBind without CHANNEL-NUMBER or XOR-PEER-ADDRESS draws 400.", .probe = both_attributes_are_needed},
    {"8656-12.2-2", "12.2", LEVEL_STATED, WHO_SERVER, "A ChannelBind of a number that is out of range draws 400.",
     .probe = numbers_out_of_range},
    {"8656-12.2-3", "12.2", LEVEL_STATED, WHO_SERVER,
     "A ChannelBind of a number that is bound to another peer draws 400 and changes nothing.",
     .probe = a_number_has_one_peer},
    {"8656-12.2-4", "12.2", LEVEL_STATED, WHO_SERVER, "A ChannelBind for a peer that has another number draws 400.",
     .probe = a_peer_has_one_number},
    {"8656-12.2-5", "12.2", LEVEL_DERIVED, WHO_SERVER, "Two ports of one address may have two channels.",
     .probe = another_port_is_another_peer},
    {"8656-12.2-6", "12.2", LEVEL_STATED, WHO_SERVER,
     "A ChannelBind for an address of another family than the relay's draws 443.", .probe = the_family_is_the_relays},
    {"8656-12.2-7", "12.2", LEVEL_MAY, WHO_SERVER, "A ChannelBind for an address that is not allowed draws 403.",
     .probe = a_denied_peer_has_no_channel, .needs = NEED_PEER2, .setup = SETUP_DENY},
    {"8656-12.2-8", "12.2", LEVEL_STATED, WHO_SERVER, "A ChannelBind that the server has no room for draws 508.",
     .probe = channels_run_out, .needs = NEED_ALONE},
    {"8656-12.2-9", "12.2", LEVEL_STATED, WHO_SERVER,
     "A ChannelBind makes a permission of 300 s, which may end before the channel does.", .probe = channel_bind_permits,
     .seconds = 303},
    {"8656-12.2-10", "18.1", LEVEL_MUST, WHO_SERVER, "The two reserved bytes of CHANNEL-NUMBER are ignored.",
     .probe = reserved_bits_of_the_number},
    {"8656-12.4-1", "12.4", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "The length of ChannelData is that of its data, without header and padding; 0 is a length.",
     .probe = short_frames_do_not_stall},
    {"8656-12.5-1", "12.5", LEVEL_MUST, WHO_SERVER, "What comes from a peer with a channel is sent as ChannelData.",
     .probe = a_bound_channel_is_used},
    {"8656-12.5-2", "12.5", LEVEL_MUST, WHO_SERVER | WHO_CLIENT,
     "Over TCP, ChannelData is padded to a multiple of four bytes, which its length does not count.",
     .probe = streams_are_padded},
    {"8656-12.5-3", "12.5", LEVEL_MAY, WHO_SERVER | WHO_CLIENT,
     "Over UDP, ChannelData may be padded or not; padding is not relayed.", .probe = datagrams_may_be_padded,
     .needs = NEED_UDP_CLIENT},
    {"8656-12.5-4", "12.5", LEVEL_DERIVED, WHO_SERVER,
     "ChannelData whose length with padding needs more than 16 bits is framed rightly.", .probe = a_huge_frame},
    {"8656-12.6-1", "12.6", LEVEL_STATED, WHO_SERVER, "A datagram that begins with 0x5000 to 0xFFFF is dropped.",
     .probe = no_such_numbers, .needs = NEED_UDP_CLIENT},
    {"8656-12.6-2", "12.6", LEVEL_STATED, WHO_SERVER,
     "ChannelData in a datagram that is shorter than it says is dropped.",
     .probe = a_datagram_that_is_too_short, .needs = NEED_UDP_CLIENT},
    {"8656-12.6-3", "12.6", LEVEL_STATED, WHO_SERVER, "ChannelData of an unbound channel is dropped.",
     .probe = an_unbound_channel},
    {"8656-12.6-4", "12.6", LEVEL_MUST_NOT, WHO_SERVER, "ChannelData prolongs neither its channel nor a permission.",
     .probe = channel_data_renews_nothing, .seconds = 603},
    {"8656-12.6-5", "12.6", LEVEL_OPEN, WHO_SERVER,
     "Whether ChannelData to a peer whose permission has lapsed is relayed is left open.",
     .probe = a_channel_without_permission, .seconds = 303},
    {"8656-12.6-6", "12.6", LEVEL_STATED, WHO_SERVER, "ChannelData without data makes an empty datagram.",
     .probe = empty_channel_data},
};

const struct section rfc8656_channels = SECTION(rows);
