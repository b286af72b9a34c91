/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slow loris: many connections that say a byte now and then, to be kept open for nothing. On real sockets they cost
 * little and hinder nobody; in virtual time, where a minute costs nothing, all end in time, whatever they say. */
#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/host/host.h"
#include "sim/posix/rig_kit.h"

#ifdef __SANITIZE_ADDRESS__
enum { SLACK_KIB = 64 * 1024 };
#else
enum { SLACK_KIB = 0 };
#endif

/* ---- on sockets ---- */

static void tricklers_hinder_nobody(void **state)
{
    (void)state;
    enum { MANY = 2000, SHARE_KIB = 8 };
    struct turn_limits limits = turn_limits_default;
    limits.clients = MANY + 10;
    struct rig *r = rig_new(&limits);
    static net_sock s[MANY];
    struct asker a;
    struct endpoint relayed;
    ask_login(&a, "u", "p", 1);
    net_sock good = rig_allocate(r, &a, PROTO_TCP, &relayed);
    uint8_t out[STUN_MAX];
    struct asker nobody;
    ask_login(&nobody, "u", "p", 2);
    size_t len = ask_make(&nobody, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}, out);
    for (size_t i = 0; i < MANY; i++)
        s[i] = rig_dial(r, &r->at);
    long before = rig_resident();
    uint64_t slowest = 0;
    for (size_t k = 0; k + 1 < len; k++) /* all but the last byte */
        for (size_t i = 0; i < MANY; i++) {
            rig_say(r, s[i], out + k, 1);
            if (i % 500 == 0) {
                uint64_t begun = net_posix.now(r->net);
                assert_int_equal(rig_ask(r, good, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
                uint64_t took = net_posix.now(r->net) - begun;
                slowest = took > slowest ? took : slowest;
            }
        }
    rig_run(r, 20 * NS_MS);
    long grown = rig_resident() - before;
    print_message("#: %d connections say %zu bytes one by one: the process grew by %ld KiB, a Refresh of another took "
                  "at most %.1f ms\n", MANY, len - 1, grown, (double)slowest / 1e6);
    assert_int_equal(rig_stats(r).clients, MANY + 1);
    assert_true(grown < MANY * SHARE_KIB + SLACK_KIB); /* test and relay are one process */
    assert_true(slowest < NS_S);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(rig_line(r, s[i])->have, 0);
    rig_say(r, s[7], out + len - 1, 1);
    assert_int_equal(rig_hear(r, s[7], &nobody).code, 401);
    rig_free(r);
}

/* ---- in virtual time ---- */

enum { EACH = 50, STEP_S = 5, IDLE_S = 60, LINGER_S = 30 };

enum habit { SILENT, TRICKLES, ASKS_WITHOUT_CREDENTIALS, SAYS_HTTP, STAYS_AFTER_FIN, HABITS };

struct loris {
    io_id id;
    enum habit habit;
    size_t said;
    uint64_t opened_ns, ended_ns, closed_ns;
    int err;
};

struct crowd {
    struct io *io;
    struct loris loris[HABITS * EACH];
    uint64_t next_ns;
    uint8_t request[STUN_MAX];
    size_t request_len;
};

static void say(struct crowd *c, struct loris *l)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: example.org\r\n";
    if (l->id == IO_NONE || (l->ended_ns && l->habit != STAYS_AFTER_FIN))
        return;
    if (l->habit == TRICKLES || l->habit == STAYS_AFTER_FIN)
        io_send(c->io, l->id, c->request + l->said++ % (c->request_len - 1), 1, NULL);
    else if (l->habit == ASKS_WITHOUT_CREDENTIALS)
        io_send(c->io, l->id, c->request, c->request_len, NULL);
    else if (l->habit == SAYS_HTTP)
        io_send(c->io, l->id, http + l->said++ % (sizeof http - 1), 1, NULL);
}

static void loris_event(struct crowd *c, struct loris *l, const struct io_in *in)
{
    uint64_t now = io_now(c->io);
    switch (in->event) {
    case IO_OPENED:
        l->opened_ns = now;
        io_read(c->io, l->id, true);
        break;
    case IO_EOF:
        l->ended_ns = now;
        if (l->habit == STAYS_AFTER_FIN)
            break;
        io_close(c->io, l->id);
        l->id = IO_NONE;
        break;
    case IO_CLOSED:
    case IO_FAILED:
        l->id = IO_NONE;
        l->closed_ns = now;
        l->err = in->err;
        break;
    default:
        break;
    }
}

static void crowd_input(void *self, const struct io_in *in)
{
    struct crowd *c = self;
    struct endpoint relay = kit_endpoint("10.0.0.1:3478");
    for (size_t i = 0; i < HABITS * EACH; i++) {
        struct loris *l = &c->loris[i];
        if (in->event == IO_START)
            *l = (struct loris){.id = io_connect(c->io, 1, NULL, &relay), .habit = (enum habit)(i % HABITS)};
        else if (in->id && in->id == l->id)
            loris_event(c, l, in);
    }
    if (io_now(c->io) < c->next_ns)
        return;
    for (size_t i = 0; i < HABITS * EACH; i++)
        say(c, &c->loris[i]);
    c->next_ns = io_now(c->io) + STEP_S * NS_S;
}

static uint64_t crowd_deadline(const void *self)
{
    return ((const struct crowd *)self)->next_ns;
}

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static struct host *add_host(struct net *net, const struct core *core, uint8_t number)
{
    struct host *h = host_new(net, core, NULL);
    struct net_node_spec spec = {.name = io_name(core->io), .kind = NET_HOST, .handler = host_event, .ctx = h};
    struct ip_prefix prefix = {ip_v4(0x0a000000u | number), 24};
    net_node node = net_native.node_add(net, &spec);
    assert_int_equal(node, number);
    struct net_iface_spec iface = {.node = node, .name = "eth0", .mac = {2, 0, 0, 0, 0, number}, .prefix = &prefix,
                                   .prefix_count = 1};
    net_native.iface_add(net, &iface);
    host_start(h, node, (number - 1u) * NS_MS);
    return h;
}

static struct turn *relay_new(struct io *io)
{
    static const struct turn_user users[] = {{"u", "p"}};
    struct endpoint at = kit_endpoint("10.0.0.1:3478");
    struct turn_config cfg = {.profile = &turn_strict, .realm = "slow", .users = users, .user_count = 1, .listen = &at,
                              .listen_count = 1, .relay_ip4 = at.ip, .first_port = 50000, .last_port = 50099,
                              .limits = turn_limits_default};
    return turn_new(io, 0, &cfg);
}

/* IDLE_S after it came, whatever it says; and who does not end its own side is reset LINGER_S later. */
static void ended_in_time(const struct loris *l)
{
    uint64_t ended = l->ended_ns - l->opened_ns, closed = l->closed_ns - l->ended_ns;
    if (!l->opened_ns || !l->ended_ns || ended < IDLE_S * NS_S - NS_S || ended > IDLE_S * NS_S + NS_S)
        fail_msg("habit %d: ended after %llu ms", (int)l->habit, (unsigned long long)(ended / NS_MS));
    if (l->habit == STAYS_AFTER_FIN && (!l->closed_ns || l->err != E_RESET || closed > LINGER_S * NS_S + NS_S))
        fail_msg("who stays: error %d after %llu ms", l->err, (unsigned long long)(closed / NS_MS));
}

static void all_end_in_time(void **state)
{
    (void)state;
    static const struct core_ops crowd_ops = {crowd_input, crowd_deadline, NULL},
                                 relay_ops = {relay_input, relay_deadline, NULL};
    static struct crowd c;
    struct net *net = net_native.create(1);
    struct asker nobody;
    struct turn_stats st;
    ask_login(&nobody, "u", "p", 1);
    c = (struct crowd){.io = io_new("crowd", 1)};
    c.request_len = ask_make(&nobody, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}, c.request);
    struct io *io = io_new("relay", 1);
    struct turn *turn = relay_new(io);
    assert_non_null(turn);
    struct host *host = add_host(net, &(struct core){&relay_ops, turn, io}, 1);
    struct host *crowd = add_host(net, &(struct core){&crowd_ops, &c, c.io}, 2);
    struct net_link_dir dir = {.rate_bps = 100000000, .delay_ns = NS_MS};
    net_native.link_add(net, &(struct net_link_spec){.name = "l", .a = {1, 0}, .b = {2, 0}, .ab = dir, .ba = dir});
    net_native.run(net, IDLE_S / 2 * NS_S);
    turn_stats(turn, &st);
    assert_int_equal(st.clients, HABITS * EACH);
    net_native.run(net, 2 * IDLE_S * NS_S);
    turn_stats(turn, &st);
    assert_int_equal(st.clients, 0);
    for (size_t i = 0; i < HABITS * EACH; i++)
        ended_in_time(&c.loris[i]);
    net_native.destroy(net);
    host_free(host);
    host_free(crowd);
    turn_free(turn);
    io_free(io);
    io_free(c.io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tricklers_hinder_nobody), cmocka_unit_test(all_end_in_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
