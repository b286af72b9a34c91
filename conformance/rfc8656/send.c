/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 11: Send and Data indications. */
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

enum { UNKNOWN_REQUIRED = 0x7abc, PORT_UNREACHABLE = 3, ICMP_UNREACHABLE = 3 };

static void expect_dropped(struct opening *o, struct message *m, const char *what)
{
    uint8_t got[64];
    line_send_message(o->a.control, m);
    expect_silence(o->a.p, o->a.control, what);
    probe_require(o->a.p, line_datagram(o->peer, got, sizeof got, NULL, 0) < 0, "%s was relayed", what);
}

static struct message *send_message(struct opening *o, const struct attr *attrs)
{
    struct message *m = message_new(o->a.p, STUN_INDICATION, TURN_SEND);
    put_attrs(m, attrs);
    return m;
}

/* ---- 11.2: from the client ---- */

static void send_has_to_be_whole(struct probe *p)
{
    struct opening o = open_with_permission(p);
    expect_dropped(&o, send_message(&o, ATTRS(HEX(ATTR_DATA, "6162"))), "a Send without XOR-PEER-ADDRESS");
    expect_dropped(&o, send_message(&o, ATTRS(PEER(&o.at))), "a Send without DATA");
    expect_dropped(&o, send_message(&o, ATTRS(HEX(ATTR_XOR_PEER_ADDRESS, "00010001c633"), HEX(ATTR_DATA, "6162"))),
                   "a Send with XOR-PEER-ADDRESS of 6 bytes");
    probe_require(p, send_passes(&o.a, o.peer), "after malformed Sends a good one was not relayed");
}

static void empty_data_is_data(struct probe *p)
{
    struct opening o = open_with_permission(p);
    send_indication(&o.a, &o.at, "", 0);
    probe_require(p, peer_gets(&o.a, o.peer, "", 0), "a Send with empty DATA made no empty datagram");
}

static void dont_fragment_in_send(struct probe *p)
{
    struct opening o = open_with_permission(p);
    line_send_message(o.a.control,
                      send_message(&o, ATTRS(PEER(&o.at), HEX(ATTR_DONT_FRAGMENT, ""), HEX(ATTR_DATA, "6466"))));
    bool relayed = peer_gets(&o.a, o.peer, "df", 2);
    expect_silence(p, o.a.control, "a Send with DONT-FRAGMENT");
    probe_defined(p, "a Send with DONT-FRAGMENT was %s", relayed ? "relayed (sockets do not tell whether DF was set)"
                                                                : "dropped, as by a server that does not support it");
}

static void send_needs_a_permission(struct probe *p)
{
    struct opening o = {.a = relay(p), .peer = probe_udp(p, PEER1, IP_V4)};
    o.at = line_local(o.peer);
    expect_dropped(&o, send_message(&o, ATTRS(PEER(&o.at), HEX(ATTR_DATA, "6162"))), "a Send without a permission");
    permit(&o.a, &o.at);
    probe_require(p, send_passes(&o.a, o.peer), "a Send with a permission was not relayed");
}

static void send_does_not_renew(struct probe *p)
{
    struct opening o = open_with_permission(p);
    uint64_t from = probe_now(p);
    for (unsigned s = 0; s <= 298; s += 2) {
        probe_wait_until(p, from + s * NS_S);
        probe_require(p, send_passes(&o.a, o.peer), "%u s after CreatePermission a Send was dropped", s);
    }
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !send_passes(&o.a, o.peer), "303 s after CreatePermission a Send was relayed");
}

static void send_is_exact(struct probe *p)
{
    struct opening o = open_with_permission(p);
    for (size_t len = 1; len <= 9; len++) {
        send_indication(&o.a, &o.at, "123456789", len);
        probe_require(p, peer_gets(&o.a, o.peer, "123456789", len), "a Send of %zu bytes was not relayed", len);
    }
}

static void what_must_be_understood(struct probe *p)
{
    struct opening o = open_with_permission(p);
    expect_dropped(&o, send_message(&o, ATTRS(PEER(&o.at), HEX(UNKNOWN_REQUIRED, "00000000"), HEX(ATTR_DATA, "6162"))),
                   "a Send with an unknown attribute that has to be understood");
}

/* ---- 11.3: from the peer ---- */

static void a_datagram_becomes_data(struct probe *p)
{
    struct opening o = open_with_permission(p);
    struct heard h = from_peer(&o.a, o.peer);
    probe_require(p, h.kind != HEARD_NOTHING, "a datagram from a peer with a permission was dropped");
    probe_require(p, h.kind == HEARD_STUN, "a datagram came as ChannelData, though no channel is bound");
}

static void data_names_the_peer(struct probe *p)
{
    struct opening o = open_with_permission(p);
    struct heard h = from_peer(&o.a, o.peer);
    struct endpoint named;
    char told[ENDPOINT_TEXT], true_one[ENDPOINT_TEXT];
    probe_require(p, h.kind == HEARD_STUN && heard_has(&h, ATTR_DATA), "no Data indication with DATA came");
    probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &named), "the Data indication has no XOR-PEER-ADDRESS");
    probe_require(p, endpoint_equal(&named, &o.at), "the Data indication names %s, the peer is %s",
                  endpoint_text(&named, told), endpoint_text(&o.at, true_one));
}

static void a_channel_comes_first(struct probe *p)
{
    struct opening o = open_with_permission(p);
    bind_channel(&o.a, 0x4001, &o.at);
    struct heard h = from_peer(&o.a, o.peer);
    probe_require(p, h.kind != HEARD_NOTHING, "a datagram from a peer with a channel was dropped");
    probe_require(p, h.kind == HEARD_CHANNEL && h.channel == 0x4001,
                  "a datagram from a peer with channel 0x4001 did not come as ChannelData of that number");
}

/* ---- 11.5: ICMP ---- */

/* Sends to a port where nobody is: the Data indication that tells of it. */
static struct heard unreachable(struct probe *p, struct endpoint *nobody)
{
    struct allocation a = relay(p);
    *nobody = probe_closed_port(p, PEER1, IP_V4);
    permit(&a, nobody);
    send_indication(&a, nobody, "is anybody there?", 17);
    struct heard h = line_indication(a.control, TURN_DATA, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN,
                  "a datagram was sent to a port where nobody is, and no Data indication told of the ICMP error");
    return h;
}

static void an_unreachable_port_is_told(struct probe *p)
{
    struct endpoint nobody;
    struct heard h = unreachable(p, &nobody);
    struct stun_attr icmp;
    probe_require(p, stun_find(&h.stun, ATTR_ICMP, &icmp) && icmp.len == 8,
                  "the Data indication has no ICMP attribute of 8 bytes");
    probe_require(p, icmp.value[2] == ICMP_UNREACHABLE, "port unreachable is told as ICMP type %u", icmp.value[2]);
}

static void icmp_names_the_peer(struct probe *p)
{
    struct endpoint nobody, named;
    struct heard h = unreachable(p, &nobody);
    char told[ENDPOINT_TEXT], true_one[ENDPOINT_TEXT];
    probe_require(p, heard_has(&h, ATTR_ICMP), "the Data indication has no ICMP");
    probe_require(p, !heard_has(&h, ATTR_DATA), "the Data indication has ICMP and DATA");
    probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &named) && endpoint_equal(&named, &nobody),
                  "a Data indication with ICMP about %s names %s", endpoint_text(&nobody, true_one),
                  endpoint_text(&named, told));
}

static void icmp_reads_as_it_should(struct probe *p)
{
    struct endpoint nobody;
    struct heard h = unreachable(p, &nobody);
    struct stun_attr icmp;
    probe_require(p, stun_find(&h.stun, ATTR_ICMP, &icmp) && icmp.len == 8,
                  "the Data indication has no ICMP attribute of 8 bytes");
    probe_require(p, load16(icmp.value) == 0, "the reserved bytes of ICMP are 0x%04x", load16(icmp.value));
    probe_require(p,
                  icmp.value[2] == ICMP_UNREACHABLE && icmp.value[3] == PORT_UNREACHABLE && load32(icmp.value + 4) == 0,
                  "port unreachable (3, 3, no data) is told as type %u, code %u, data %u", icmp.value[2], icmp.value[3],
                  load32(icmp.value + 4));
}

/* ---- the client ---- */

static void client_send(struct probe *p, const struct endpoint *peer)
{
    subject_wish(p, &(struct wish){.kind = WISH_SEND, .peer = *peer, .data = "hello", .len = 5});
}

static void client_asks_before_it_sends(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 600);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    client_send(p, &peer);
    struct heard h = line_indication(control, TURN_SEND, NS_S);
    probe_require(p, h.kind != HEARD_STUN, "the client sent a Send to a peer for which it has asked no permission");
    client_wants(p, WISH_PERMIT, &peer);
    h = server_hear(p, control, TURN_CREATE_PERMISSION, probe_soon(p));
    answer_success(p, control, &h);
    probe_wait(p, NS_S);
    client_send(p, &peer);
    h = line_indication(control, TURN_SEND, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN, "the client has a permission, and sent no Send");
}

static struct message *data_of(struct probe *p, const struct endpoint *peer, unsigned type, const char *hex)
{
    struct message *m = message_new(p, STUN_INDICATION, TURN_DATA);
    if (peer)
        message_put_address(m, ATTR_XOR_PEER_ADDRESS, peer);
    message_put_hex(m, type, hex);
    return m;
}

/* A client with a relay and a permission for that peer. */
static struct line *client_permits(struct probe *p, const struct endpoint *peer)
{
    struct line *control = client_has_relay(p, probe_serve(p), 600);
    client_wants(p, WISH_PERMIT, peer);
    struct heard h = server_hear(p, control, TURN_CREATE_PERMISSION, probe_soon(p));
    answer_success(p, control, &h);
    return control;
}

static void client_drops_data_of_strangers(struct probe *p)
{
    struct endpoint friend = {probe_ip(p, PEER1, IP_V4), 9}, stranger = somebody(7);
    struct line *control = client_permits(p, &friend);
    line_send_message(control, data_of(p, &stranger, ATTR_DATA, "6162"));
    probe_require(p, !subject_told(p, TOLD_DATAGRAM, NS_S), "the client took Data from a peer without a permission");
    line_send_message(control, data_of(p, &friend, ATTR_DATA, "6162"));
    probe_require(p, subject_told(p, TOLD_DATAGRAM, probe_soon(p)),
                  "the client dropped Data from a peer with a permission");
}

static void client_drops_icmp_about_nobody(struct probe *p)
{
    struct endpoint friend = {probe_ip(p, PEER1, IP_V4), 9};
    struct line *control = client_permits(p, &friend);
    line_send_message(control, data_of(p, NULL, ATTR_ICMP, "0000030300000000"));
    probe_require(p, !subject_told(p, TOLD_ICMP, NS_S), "the client took ICMP without XOR-PEER-ADDRESS for news");
    line_send_message(control, data_of(p, &friend, ATTR_ICMP, "0000030300000000"));
    probe_require(p, subject_told(p, TOLD_ICMP, probe_soon(p)),
                  "the client dropped ICMP about a peer with a permission");
}

static const struct requirement rows[] = {
    {"8656-11.1-1", "11.1", LEVEL_MUST, WHO_CLIENT, "A client asks for a permission before it sends a Send.",
     .probe = client_asks_before_it_sends, .needs = NEED_CLIENT},
    {"8656-11.2-1", "11.2", LEVEL_MUST, WHO_SERVER,
     "A Send without XOR-PEER-ADDRESS or DATA, or with an invalid one, is dropped without a word.",
     .probe = send_has_to_be_whole},
    {"8656-11.2-2", "11.2", LEVEL_STATED, WHO_SERVER, "A Send with empty DATA makes an empty datagram.",
     .probe = empty_data_is_data},
    {"8656-11.2-3", "11.2", LEVEL_STATED, WHO_SERVER,
     "A Send with DONT-FRAGMENT is relayed with DF set, or dropped by a server that does not support it.",
     .probe = dont_fragment_in_send},
    {"8656-11.2-4", "11.2", LEVEL_STATED, WHO_SERVER, "A Send to an address without a permission is dropped.",
     .probe = send_needs_a_permission},
    {"8656-11.2-5", "11.2", LEVEL_STATED, WHO_SERVER, "A Send does not prolong a permission.",
     .probe = send_does_not_renew, .seconds = 303},
    {"8656-11.2-6", "11.2", LEVEL_MAY, WHO_SERVER,
     "A Send to an address that the operator denies is dropped without a word.", .probe = probe_denied_peer,
     .needs = NEED_PEER2, .setup = SETUP_DENY},
    {"8656-11.2-7", "11.2", LEVEL_STATED, WHO_SERVER,
     "A Send's datagram comes from the relayed address and is the DATA, without its padding.", .probe = send_is_exact},
    {"8656-11.2-8", "11.2", LEVEL_DERIVED, WHO_SERVER,
     "A Send with an unknown attribute that has to be understood is dropped.", .probe = what_must_be_understood},
    {"8656-11.3-1", "11.3", LEVEL_STATED, WHO_SERVER,
     "A datagram from a peer with a permission and without a channel becomes a Data indication.",
     .probe = a_datagram_becomes_data},
    {"8656-11.3-2", "11.3", LEVEL_MUST, WHO_SERVER, "A Data indication has the peer's address and the DATA.",
     .probe = data_names_the_peer},
    {"8656-11.3-3", "11.3", LEVEL_STATED, WHO_SERVER, "A datagram from a peer with a channel becomes ChannelData.",
     .probe = a_channel_comes_first},
    {"8656-11.4-1", "11.4", LEVEL_SHOULD, WHO_CLIENT,
     "A client drops Data from an address for which it has no permission.", .probe = client_drops_data_of_strangers,
     .needs = NEED_CLIENT},
    {"8656-11.5-1", "11.5", LEVEL_STATED, WHO_SERVER,
     "ICMP errors about what was relayed are told to the client: unreachable and time exceeded, of IPv6 too big as "
     "well.",
     .probe = an_unreachable_port_is_told, .needs = NEED_ICMP},
    {"8656-11.5-2", "11.5", LEVEL_MUST_NOT, WHO_SERVER,
     "An ICMP error counts whoever complains: only its datagram's destination needs a permission.",
     .none = "it takes a router between relay and peer that complains, which no bench has"},
    {"8656-11.5-3", "11.5", LEVEL_MUST, WHO_SERVER,
     "An ICMP error becomes a Data indication with XOR-PEER-ADDRESS and ICMP, without DATA.",
     .probe = icmp_names_the_peer, .needs = NEED_ICMP},
    {"8656-11.5-4", "18.13", LEVEL_MUST, WHO_SERVER,
     "ICMP has two zero bytes, type, code and four bytes of data, the MTU of a packet that was too big, else 0.",
     .probe = icmp_reads_as_it_should, .needs = NEED_ICMP},
    {"8656-11.6-1", "11.6", LEVEL_STATED, WHO_CLIENT,
     "A client drops a Data indication with ICMP and without XOR-PEER-ADDRESS.",
     .probe = client_drops_icmp_about_nobody, .needs = NEED_CLIENT},
};

const struct section rfc8656_send = SECTION(rows);
