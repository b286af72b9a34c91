/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors and DF on the kernel's sockets: over loopback, through the relay, and in a network namespace where the
 * test is the router behind a TUN device and sees what is really sent. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/wire/wire.h"
#include "sim/netns/netns_kit.h"
#include "sim/posix/parts.h"
#include "sim/posix/rig_kit.h"

#define TOO_LONG (30 * NS_S)
enum { EVENTS = 512, LINK_MTU = 1500, WAY_MTU = 1000 };

/* A host that writes down its events; of a datagram the first byte. */
struct world {
    struct net *net;
    net_node host;
    struct net_event seen[EVENTS];
    uint8_t first[EVENTS];
    unsigned count, wanted;
};

static void handle(void *ctx, const struct net_event *ev)
{
    struct world *w = ctx;
    assert_true(w->count < EVENTS);
    w->first[w->count] = ev->len ? ev->data[0] : 0;
    w->seen[w->count++] = *ev;
    if (w->count >= w->wanted)
        net_posix.stop(w->net);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->net = net_posix.create(1);
    assert_non_null(w->net);
    struct net_node_spec spec = {.name = "host", .kind = NET_HOST, .handler = handle, .ctx = w};
    w->host = net_posix.node_add(w->net, &spec);
    return w;
}

static void world_free(struct world *w)
{
    net_posix.destroy(w->net);
    free(w);
}

/* Runs until so many events are there; they are counted from 0 again afterwards. */
static void await(struct world *w, unsigned events)
{
    w->wanted = events;
    if (w->count < events)
        net_posix.run(w->net, net_posix.now(w->net) + TOO_LONG);
    assert_int_equal(w->count, events);
    w->count = 0;
}

static net_sock open_at(struct world *w, const char *ip, uint16_t port, struct endpoint *at)
{
    net_sock s;
    *at = (struct endpoint){kit_ip(ip), port ? port : (uint16_t)(12000 + getpid() % 8000)};
    while (net_posix.udp_open(w->net, w->host, at, &s) != 0) {
        assert_int_equal(port, 0);
        at->port++;
    }
    return s;
}

static void send_to(struct world *w, net_sock s, const struct endpoint *to, uint8_t first, size_t len, bool whole)
{
    static uint8_t data[4096];
    data[0] = first;
    assert_true(len <= sizeof data);
    (whole ? net_posix.udp_send_whole : net_posix.udp_send)(w->net, s, to, data, len);
}

static void expect(const struct world *w, unsigned i, const struct endpoint *remote, unsigned type, unsigned code,
                   uint32_t mtu)
{
    const struct net_event *ev = &w->seen[i];
    assert_int_equal(ev->kind, NET_ICMP);
    assert_true(endpoint_equal(&ev->remote, remote));
    assert_int_equal(ev->icmp_type, type);
    assert_int_equal(ev->icmp_code, code);
    assert_int_equal(ev->icmp_mtu, mtu);
}

/* Loopback answers while the batch is still being sent, so each error is pending when the next datagram goes. */
static void unreachable_on(const char *ip, unsigned type, unsigned code)
{
    enum { EACH = 40 };
    struct world *w = world_new();
    struct endpoint at, open, shut;
    net_sock s = open_at(w, ip, 0, &at);
    open_at(w, ip, 0, &open);
    net_posix.sock_close(w->net, open_at(w, ip, 0, &shut));
    for (uint8_t i = 0; i < EACH; i++) {
        send_to(w, s, &shut, i, 10, false);
        send_to(w, s, &open, i, 10, i % 3 == 0);
    }
    net_posix.run(w->net, net_posix.now(w->net) + NS_MS);
    unsigned arrived = 0, errors = 0;
    while (arrived < EACH || !errors) {
        if (!w->count)
            await(w, 1), w->count = 1;
        for (unsigned i = 0; i < w->count; i++)
            if (w->seen[i].kind == NET_DATAGRAM)
                assert_int_equal(w->first[i], arrived++);
            else {
                expect(w, i, &shut, type, code, 0);
                assert_int_equal(w->seen[i].sock, s);
                errors++;
            }
        w->count = 0;
    }
    send_to(w, s, &open, 77, 10, false);
    do
        await(w, 1);
    while (w->seen[0].kind == NET_ICMP);
    assert_int_equal(w->first[0], 77);
    world_free(w);
}

static void a_closed_port_costs_nobody_else(void **state)
{
    (void)state;
    unreachable_on("127.0.0.1", 3, 3);
    unreachable_on("::1", 1, 4);
}

static bool has_bytes(struct rig *r, const void *arg)
{
    return rig_line(r, *(const net_sock *)arg)->have > 0;
}

/* RFC 8656 11.5: Data with the ICMP attribute and no DATA, to the client that asked. */
static void the_client_is_told(void **state)
{
    (void)state;
    static const char *const peers[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct rig *r = rig_new(NULL);
        struct asker a;
        struct endpoint relayed, shut = {kit_ip(peers[i]), 0};
        net_sock s;
        assert_int_equal(net_posix.udp_open(r->net, r->user, &shut, &s), 0);
        shut.port = posix_of(r->net)->sock[s].local.port;
        net_posix.sock_close(r->net, s);
        ask_login(&a, "u", "p", 1);
        a.family = shut.ip.family;
        s = rig_allocate(r, &a, PROTO_UDP, &relayed);
        assert_int_equal(relayed.ip.family, shut.ip.family);
        struct ask permit = {.method = TURN_CREATE_PERMISSION, .peer = shut};
        assert_int_equal(rig_ask(r, s, &a, &permit).code, 0);
        uint8_t out[256];
        struct stun_out o;
        struct stun_id id = stun_new_id(&stun_rfc8489, &a.rng);
        stun_begin(&o, &stun_rfc8489, out, sizeof out, stun_type(STUN_INDICATION, TURN_SEND), &id);
        stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &shut);
        stun_put_text(&o, ATTR_DATA, "anybody?");
        rig_say(r, s, out, (size_t)stun_end(&o));
        assert_true(rig_until(r, has_bytes, &s, RIG_PATIENCE_NS));
        struct rig_line *l = rig_line(r, s);
        struct stun_msg m;
        struct endpoint peer;
        uint64_t icmp;
        assert_int_equal(stun_parse(&stun_rfc8489, l->in, l->have, &m), 0);
        assert_int_equal(m.type, stun_type(STUN_INDICATION, TURN_DATA));
        assert_int_equal(stun_get_address(&m, ATTR_XOR_PEER_ADDRESS, &peer), 0);
        assert_true(endpoint_equal(&peer, &shut));
        assert_int_equal(stun_get_u64(&m, ATTR_ICMP, &icmp), 0);
        assert_int_equal(icmp >> 32, i == 0 ? 0x0303 : 0x0104);
        rig_free(r);
    }
}

/* ---- with the test as router ---- */

struct outside {
    struct netns *ns;
    struct world *w;
    net_sock s4, s6;
    struct endpoint at4, at6, peer4, peer6;
};

static bool outside_open(struct outside *o)
{
    char why[NETNS_WHY];
    static const char *const flush[] = {"nft", "flush", "ruleset", NULL};
    struct netns_world world = {.iface_count = 1, .iface = {{.name = "eth0"}}};
    assert_int_equal(prefix_parse("10.0.0.1/24", &world.iface[0].v4), 0);
    assert_int_equal(prefix_parse("fd00::1/64", &world.iface[0].v6), 0);
    *o = (struct outside){.ns = netns_open(&world, why)};
    if (!o->ns) {
        print_message("no router can be played here: %s\n", why);
        return false;
    }
    assert_int_equal(netns_run(flush, NULL, NULL, why), 0);
    o->w = world_new();
    o->s4 = open_at(o->w, "10.0.0.1", 5000, &o->at4);
    o->s6 = open_at(o->w, "fd00::1", 5000, &o->at6);
    o->peer4 = (struct endpoint){kit_ip("10.0.0.9"), 7000};
    o->peer6 = (struct endpoint){kit_ip("fd00::9"), 7000};
    return true;
}

static void outside_close(struct outside *o)
{
    world_free(o->w);
    netns_close(o->ns);
}

static void settle(struct outside *o)
{
    net_posix.run(o->w->net, net_posix.now(o->w->net) + 5 * NS_MS);
}

/* The next packet of ours that leaves; what the machine itself has to say is passed over. */
static bool leaves(struct outside *o, uint8_t frame[NETNS_FRAME], struct wire_packet *p)
{
    for (size_t len; (len = netns_next(o->ns, 0, frame));)
        if (wire_parse(frame, len, p) == 0 && (p->fragment || (p->proto == PROTO_UDP && p->sport == 5000)))
            return true;
    return false;
}

static struct wire_packet must_leave(struct outside *o, uint8_t frame[NETNS_FRAME])
{
    struct wire_packet p;
    settle(o);
    assert_true(leaves(o, frame, &p));
    return p;
}

static void nothing_leaves(struct outside *o)
{
    uint8_t frame[NETNS_FRAME];
    struct wire_packet p;
    settle(o);
    assert_false(leaves(o, frame, &p));
}

/* Datagram by datagram as it was asked, whatever lies in the batch beside it. */
static void df_is_as_asked(void **state)
{
    (void)state;
    struct outside o;
    if (!outside_open(&o))
        skip();
    static const char asked[] = "WnnWWnWnWWWWnnnnnW";
    for (unsigned round = 0; round < 2; round++) {
        for (uint8_t i = 0; asked[i]; i++)
            send_to(o.w, o.s4, &o.peer4, i, round ? 100u + i : 100, asked[i] == 'W');
        settle(&o);
        for (unsigned i = 0; asked[i]; i++) {
            uint8_t frame[NETNS_FRAME];
            struct wire_packet p;
            assert_true(leaves(&o, frame, &p));
            assert_int_equal(frame[p.payload], i);
            assert_int_equal(p.dont_fragment, asked[i] == 'W');
        }
    }
    outside_close(&o);
}

/* A router with a smaller MTU behind it says so: that is told, and nothing else changes, for it could be forged. */
static void a_router_s_mtu_is_told_and_not_believed(void **state)
{
    (void)state;
    struct outside o;
    if (!outside_open(&o))
        skip();
    for (int v6 = 0; v6 < 2; v6++) {
        net_sock s = v6 ? o.s6 : o.s4;
        const struct endpoint *peer = v6 ? &o.peer6 : &o.peer4;
        uint32_t mtu = v6 ? 1280 : WAY_MTU;
        uint8_t frame[NETNS_FRAME], error[NETNS_FRAME];
        struct ip_addr router = kit_ip(v6 ? "fd00::fe" : "10.0.0.254");
        send_to(o.w, s, peer, 1, 1400, true);
        struct wire_packet p = must_leave(&o, frame);
        assert_true(p.dont_fragment && !p.fragment);
        long len = wire_icmp_error(&p, &router, v6 ? 2 : 3, v6 ? 0 : 4, mtu, error, sizeof error);
        assert_true(len > 0);
        struct netns_seen seen;
        netns_send(o.ns, 0, error, (size_t)len, &seen);
        await(o.w, 1);
        if (v6)
            expect(o.w, 0, peer, 2, 0, mtu);
        else
            expect(o.w, 0, peer, 3, 4, mtu);
        send_to(o.w, s, peer, 2, 1400, true);
        p = must_leave(&o, frame);
        assert_true(p.dont_fragment && !p.fragment && p.payload_len == 1400);
        if (!v6) {
            send_to(o.w, s, peer, 3, 1400, false);
            p = must_leave(&o, frame);
            assert_true(!p.dont_fragment && !p.fragment && p.payload_len == 1400);
        }
    }
    outside_close(&o);
}

/* Longer than the first link takes: not sent, and told with that link's MTU and each one's port; others go on, those
 * that may be are fragmented. */
static void what_is_too_long_here_is_told_too(void **state)
{
    (void)state;
    struct outside o;
    if (!outside_open(&o))
        skip();
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t len = 1600; len <= 2400; len += 800) { /* in the batch, and by itself */
            net_sock s = v6 ? o.s6 : o.s4;
            struct endpoint peer[2] = {v6 ? o.peer6 : o.peer4};
            uint8_t frame[NETNS_FRAME];
            peer[1] = (struct endpoint){peer[0].ip, 7001};
            send_to(o.w, s, &peer[0], 1, len, true);
            send_to(o.w, s, &peer[1], 2, len, true);
            nothing_leaves(&o);
            await(o.w, 2);
            for (unsigned i = 0; i < 2; i++)
                expect(o.w, i, &peer[i], v6 ? 2 : 3, v6 ? 0 : 4, LINK_MTU);
            send_to(o.w, s, &peer[0], 3, 100, true);
            assert_int_equal(must_leave(&o, frame).payload_len, 100);
            send_to(o.w, s, &peer[0], 4, len, false);
            assert_true(must_leave(&o, frame).fragment);
            assert_true(must_leave(&o, frame).fragment);
            nothing_leaves(&o);
            assert_int_equal(o.w->count, 0);
        }
    outside_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_port_costs_nobody_else),
        cmocka_unit_test(the_client_is_told),
        cmocka_unit_test(df_is_as_asked),
        cmocka_unit_test(a_router_s_mtu_is_told_and_not_believed),
        cmocka_unit_test(what_is_too_long_here_is_told_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
