/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP through a firewall that translates and inspects it (user's pain: calls with one-way media or none), over real TCP
 * with loss: what each side reads is the other's message with the addresses of its own side, to the byte. And what an
 * unsolicited SYN draws (RFC 5382 REQ-4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/wire/wire.h"
#include "sim/host/box.h"
#include "sim/net.h"

enum { PHONE, SERVER, SIDES, INSIDE = 0, OUTSIDE = 1, TEXT = 8192 };

struct side {
    struct world *w;
    net_node node;
    net_sock listener, sock;
    char got[TEXT];
    size_t got_len;
    unsigned messages; /* that have come, whole */
};

struct world {
    struct net *net;
    struct fw_rules *rules;
    struct box *box;
    struct side side[SIDES];
    struct ip_prefix own[2];
    unsigned rounds, padding;
    bool either; /* a message may come as it was said, too */
    unsigned untouched;
    unsigned notes;
    char note[512];
    unsigned icmp;     /* port unreachables that the server's link has carried */
    uint64_t icmp_ns;
};

/* ---- what is said, as one side says it and the other is to read it ---- */

static size_t invite(const struct world *w, char *out, unsigned n, const char *address)
{
    char body[512];
    int len = snprintf(body, sizeof body,
                       "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nm=audio 5004 RTP/AVP 0\r\n", n, address,
                       address);
    return (size_t)snprintf(out, TEXT,
                            "INVITE sip:x@example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s:5062;branch=z9hG4bK%u\r\n"
                            "Contact: <sip:phone@%s:5062>\r\nSubject: %0*u\r\nContent-Length: %d\r\n\r\n%s",
                            address, n, address, (int)w->padding, n, len, body);
}

static size_t answer(char *out, unsigned n, const char *via)
{
    return (size_t)snprintf(out, TEXT,
                            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP %s:5062;branch=z9hG4bK%u\r\n"
                            "Contact: <sip:server@203.0.113.9>\r\nContent-Length: 0\r\n\r\n", via, n);
}

#define PHONE_REAL "10.1.0.5"
#define PHONE_MAPPED "198.51.100.200"

static void say(struct side *s)
{
    char text[TEXT];
    struct world *w = s->w;
    bool phone = s == &w->side[PHONE];
    if (phone && s->messages >= w->rounds)
        return;
    size_t len = phone ? invite(w, text, s->messages, PHONE_REAL) : answer(text, s->messages - 1, PHONE_MAPPED);
    assert_int_equal(w->net->ops->tcp_send(w->net, s->sock, text, len), len);
}

/* One message at a time: the next is said when the answer has come. */
static void hear(struct side *s)
{
    bool eof, phone = s == &s->w->side[PHONE];
    s->got_len += s->w->net->ops->tcp_recv(s->w->net, s->sock, s->got + s->got_len, TEXT - s->got_len, &eof);
    char want[TEXT], said[TEXT];
    const char *inspected = s->w->rules && fw_rules_inspection(s->w->rules, "sip") ? "" : NULL;
    size_t len = phone ? answer(want, s->messages, inspected ? PHONE_REAL : PHONE_MAPPED)
                       : invite(s->w, want, s->messages, inspected ? PHONE_MAPPED : PHONE_REAL);
    size_t have = s->got_len < len ? s->got_len : len;
    if (!phone && s->w->either && memcmp(s->got, want, have) != 0) {
        s->w->untouched++;
        len = invite(s->w, said, s->messages, PHONE_REAL);
        memcpy(want, said, len);
        have = s->got_len < len ? s->got_len : len;
    }
    if (memcmp(s->got, want, have) != 0)
        fail_msg("message %u: expected\n%sfound\n%.*s", s->messages, want, (int)s->got_len, s->got);
    if (s->got_len < len)
        return;
    assert_int_equal(s->got_len, len);
    s->got_len = 0;
    s->messages++;
    say(s);
}

static void event(void *ctx, const struct net_event *ev)
{
    struct side *s = ctx;
    if (ev->kind == NET_CONNECTED) {
        s->sock = ev->sock;
        say(s);
    } else if (ev->kind == NET_ACCEPTED) {
        s->sock = ev->accepted;
    } else if (ev->kind == NET_READABLE) {
        hear(s);
    }
}

/* ---- the world ---- */

static void on_note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    struct world *w = ctx;
    (void)now_ns;
    w->notes++;
    snprintf(w->note, sizeof w->note, "%s", n->text);
}

static void on_drop(void *ctx, uint64_t now_ns, const struct box_drop *d)
{
    (void)ctx;
    (void)now_ns;
    (void)d;
}

static void on_tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct world *w = ctx;
    struct wire_packet k;
    uint8_t frame[2048];
    assert_true(tap->len <= sizeof frame);
    memcpy(frame, tap->frame, tap->len);
    assert_int_equal(wire_parse(frame, tap->len, &k), 0);
    assert_int_equal(wire_check(&k), 0);
    if (tap->kind == TAP_DELIVERED && k.proto == PROTO_ICMP && k.sport == 3 && k.dport == 3) {
        w->icmp++;
        w->icmp_ns = now_ns;
    }
}

static void add_host(struct world *w, struct side *s, int side, const char *address)
{
    static const char *const name[] = {"phone", "server"};
    const struct net_ops *ops = w->net->ops;
    struct net_node_spec spec = {.name = name[side], .kind = NET_HOST, .handler = event, .ctx = s};
    struct ip_prefix own;
    s->w = w;
    s->node = ops->node_add(w->net, &spec);
    assert_int_equal(prefix_parse(address, &own), 0);
    struct net_iface_spec iface = {.node = s->node, .name = "eth0", .mac = {2, 0, 0, 0, 0, (uint8_t)(side + 1)},
                                   .prefix = &own, .prefix_count = 1};
    ops->iface_add(w->net, &iface);
    struct net_route route = {.node = s->node, .to = {.ip = {.family = IP_V4}}, .gateway = w->own[side].ip};
    ops->route_add(w->net, &route);
}

static struct fw_rules *make_rules(const struct world *w, bool inspect, enum fw_nat_syn syn)
{
    static const char *const name[2] = {"inside", "outside"};
    struct fw_rules *r = fw_rules_new("fw");
    struct fw_addr pool;
    for (int i = 0; i < 2; i++) {
        struct fw_iface_spec iface = {
            .name = name[i], .level = i == INSIDE ? 100 : 0, .address = &w->own[i], .address_count = 1};
        assert_int_equal(fw_rules_add_interface(r, &iface), i);
    }
    assert_int_equal(fw_addr_parse(PHONE_MAPPED, &pool), 0);
    struct fw_nat_spec spec = {.section = FW_NAT_MANUAL, .real_iface = INSIDE, .mapped_iface = OUTSIDE, .dynamic = true,
                               .pat = true, .mapped = &pool, .mapped_count = 1};
    assert_int_equal(fw_rules_add_nat(r, &spec), 0);
    fw_rules_set_nat_behaviour(r, &(struct fw_nat_behaviour){.unsolicited_syn = syn});
    if (inspect)
        assert_int_equal(fw_rules_add_inspection(r, "sip", 7, "inspect sip"), 0);
    return r;
}

static struct world *world_new(uint64_t seed, const struct net_link_dir *dir, bool inspect, enum fw_nat_syn syn)
{
    static const char *const own[2] = {"10.1.0.1/24", "203.0.113.1/24"}, *const host[2] = {PHONE_REAL "/24",
                                                                                          "203.0.113.9/24"};
    static const char *const name[2] = {"inside", "outside"};
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->net = net_native.create(seed);
    const struct net_ops *ops = w->net->ops;
    struct box_iface iface[2] = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(prefix_parse(own[i], &w->own[i]), 0);
        iface[i] = (struct box_iface){
            .name = name[i], .mac = {2, 0, 0, 0, 1, (uint8_t)i}, .prefix = &w->own[i], .prefix_count = 1};
    }
    w->rules = make_rules(w, inspect, syn);
    struct box_config cfg = {.kind = BOX_FIREWALL, .name = "fw", .iface = iface, .iface_count = 2, .rules = w->rules,
                             .drop = on_drop, .note = on_note, .ctx = w};
    w->box = box_new(w->net, &cfg);
    struct net_node_spec spec = {.name = "fw", .kind = NET_BOX, .box = box_frame, .ctx = w->box};
    net_node box = ops->node_add(w->net, &spec);
    for (int i = 0; i < 2; i++) {
        add_host(w, &w->side[i], i, host[i]);
        struct net_iface_spec end = {.node = box, .name = name[i], .prefix = &w->own[i], .prefix_count = 1};
        memcpy(end.mac, iface[i].mac, 6);
        struct net_end at = {box, ops->iface_add(w->net, &end)};
        struct net_link_spec link = {
            .name = name[i], .a = {w->side[i].node, 0}, .b = at, .ab = *dir, .ba = *dir};
        ops->link_add(w->net, &link);
    }
    box_attach(w->box, box);
    ops->tap_set(w->net, on_tap, w);
    return w;
}

static void world_free(struct world *w)
{
    w->net->ops->destroy(w->net);
    box_free(w->box);
    fw_rules_free(w->rules);
    free(w);
}

static void call(struct world *w, unsigned rounds)
{
    struct endpoint at = kit_endpoint("203.0.113.9:5060"), from = {0};
    w->rounds = rounds;
    assert_int_equal(w->net->ops->tcp_listen(w->net, w->side[SERVER].node, &at, &w->side[SERVER].listener), 0);
    assert_int_equal(w->net->ops->tcp_connect(w->net, w->side[PHONE].node, &from, &at, &w->side[PHONE].sock), 0);
    w->net->ops->run(w->net, 3600 * NS_S);
    assert_int_equal(w->side[PHONE].messages, rounds);
    assert_int_equal(w->side[SERVER].messages, rounds);
}

/* Without loss and with much of it; messages that fit a segment, that do not when they are rewritten, and that never
 * did. */
static void messages_are_rewritten(void **state)
{
    (void)state;
    static const struct {
        uint32_t loss_ppm;
        unsigned padding;
        bool either; /* what is lost on the way in is not waited for: the message passes as it is */
    } rows[] = {{0, 1, 0},      {0, 1064, 0},      {0, 1200, 0},      {0, 3000, 0},
                {150000, 1, 0}, {150000, 1064, 0}, {150000, 3000, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_link_dir dir = {.delay_ns = 5 * NS_MS, .loss = {LOSS_BERNOULLI, .loss_ppm = rows[i].loss_ppm}};
        struct world *w = world_new(3, &dir, true, FW_SYN_DROP);
        w->padding = rows[i].padding;
        w->either = rows[i].either;
        call(w, rows[i].either ? 20 : 60); /* with what is held and lost TCP waits ever longer */
        assert_true(w->notes >= 2 * 60 || w->either);
        assert_int_equal(w->untouched > 0, w->either);
        assert_non_null(strstr(w->note, "SIP inspection (line 7, \"inspect sip\") has rewritten addresses (1) in a "
                                        "message from 203.0.113.9:5060 to " PHONE_MAPPED));
        assert_non_null(strstr(w->note, "the last from " PHONE_MAPPED " to " PHONE_REAL));
        world_free(w);
    }
}

static void without_inspection_they_are_not(void **state)
{
    (void)state;
    struct net_link_dir dir = {.delay_ns = 5 * NS_MS};
    struct world *w = world_new(3, &dir, false, FW_SYN_DROP);
    w->padding = 1;
    call(w, 5);
    assert_int_equal(w->notes, 0);
    world_free(w);
}

/* ---- unsolicited SYNs ---- */

/* Nobody is asked for at the outside address: the first answer is an ICMP error after 6 s, or nothing. */
static void a_held_syn_is_answered_late(void **state)
{
    (void)state;
    for (unsigned hold = 0; hold < 2; hold++) {
        struct net_link_dir dir = {.delay_ns = 5 * NS_MS};
        struct world *w = world_new(3, &dir, false, hold ? FW_SYN_HOLD : FW_SYN_DROP);
        struct endpoint to = kit_endpoint(PHONE_MAPPED ":5062"), from = kit_endpoint("203.0.113.9:4000");
        assert_int_equal(w->net->ops->tcp_connect(w->net, w->side[SERVER].node, &from, &to, &w->side[SERVER].sock), 0);
        w->net->ops->run(w->net, 5999 * NS_MS);
        assert_int_equal(w->icmp, 0);
        w->net->ops->run(w->net, 100 * NS_S);
        assert_int_equal(w->icmp > 0, hold);
        if (hold)
            assert_true(w->icmp_ns >= 6 * NS_S);
        world_free(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_rewritten),
        cmocka_unit_test(without_inspection_they_are_not),
        cmocka_unit_test(a_held_syn_is_answered_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
