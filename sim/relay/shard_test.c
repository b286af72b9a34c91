/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shards with threads, on real sockets: connections are accepted by any and bound by the right one. */
#include "sim/relay/shard.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/rig_kit.h"

enum { SHARDS = 3, ROUNDS = 40 };

static void on_note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    (void)ctx, (void)now_ns;
    assert_int_not_equal(n->note, NOTE_FAIL);
}

static void *run_first(void *arg)
{
    const struct shard *s = arg;
    net_posix.run(s->net, TIME_NEVER);
    return NULL;
}

static void stop(struct shard *s, void *arg)
{
    (void)arg;
    net_posix.stop(s->net);
}

/* The shards, started; the rig's clients go to them instead of to the relay of its own. */
static void start(struct rig *r, struct shard all[SHARDS])
{
    static const struct turn_user users[] = {{"u", "p"}};
    static const uint8_t secret[32] = "of all of them";
    static const struct host_hooks hooks = {.note = on_note};
    net_sock s = rig_listen(r, &r->at); /* finds a free place */
    rig_close(r, s);
    struct ip_prefix loopback = {kit_ip("127.0.0.0"), 8};
    struct turn_config cfg = {
        .profile = turn_profile_named("rfc5766"), .realm = "shards", .users = users, .user_count = 1, .listen = &r->at,
        .listen_count = 1, .relay_ip4 = r->at.ip, .first_port = 24000, .last_port = 29999, .secret = secret,
        .allow_peer = &loopback, .allow_peer_count = 1, .limits = turn_limits_default};
    assert_int_equal(shards_init(all, SHARDS, &cfg, &hooks), 0);
    for (size_t i = 0; i < SHARDS; i++)
        net_posix.run(all[i].net, net_posix.now(all[i].net) + NS_MS);
    assert_int_equal(shards_start(all, SHARDS), 0);
    assert_int_equal(pthread_create(&all[0].thread, NULL, run_first, &all[0]), 0);
    all[0].threaded = true;
}

static void finish(struct shard all[SHARDS])
{
    shards_stop(all, SHARDS);
    shard_call(&all[0], stop, NULL);
    pthread_join(all[0].thread, NULL);
    all[0].threaded = false;
    shards_free(all, SHARDS);
}

static bool has(struct rig *r, const void *arg)
{
    const struct rig_line *l = rig_line(r, *(const net_sock *)arg);
    return l->have > 0 || l->closed;
}

static void hears(struct rig *r, net_sock s, const char *text)
{
    struct rig_line *l = rig_line(r, s);
    while (l->have < strlen(text)) {
        size_t had = l->have;
        l->have = 0;
        assert_true(rig_until(r, has, &s, RIG_PATIENCE_NS));
        assert_false(l->closed);
        memmove(l->in + had, l->in, l->have);
        l->have += had;
    }
    assert_int_equal(l->have, strlen(text));
    assert_memory_equal(l->in, text, l->have);
    l->have = 0;
}

/* RFC 6062 5.2, 5.4: the bind in two pieces, with payload behind it; both ways then. */
static void binds_find_their_shards(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct shard all[SHARDS];
    struct endpoint peer_at;
    start(r, all);
    net_sock listener = rig_listen(r, &peer_at);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct asker a;
        struct endpoint relayed;
        uint8_t out[STUN_MAX + 16];
        ask_login(&a, "u", "p", i);
        net_sock control = rig_allocate(r, &a, PROTO_TCP, &relayed);
        struct ask_answer connected = rig_ask(r, control, &a, &(struct ask){.method = TURN_CONNECT, .peer = peer_at});
        assert_int_equal(connected.code, 0);
        net_sock peer = rig_accepted(r, listener), data = rig_dial(r, &r->at);
        struct ask bind = {.method = TURN_CONNECTION_BIND, .connection = connected.connection};
        size_t len = ask_make(&a, &bind, out), cut = 1 + i * 7 % (len - 1);
        memcpy(out + len, "early", 5);
        rig_say(r, data, out, cut);
        rig_run(r, 2 * NS_MS);
        rig_say(r, data, out + cut, len + 5 - cut);
        struct ask_answer bound = rig_hear(r, data, &a);
        assert_int_equal(bound.code, 0);
        assert_int_equal(bound.method, TURN_CONNECTION_BIND);
        hears(r, peer, "early");
        rig_say(r, peer, "and back", 8);
        hears(r, data, "and back");
        rig_close(r, i % 2 ? data : control);
    }
    struct turn_stats sum = shards_stats(all, SHARDS);
    assert_int_equal(sum.allocated_ever, ROUNDS);
    for (size_t i = 0; i < SHARDS; i++) {
        struct turn_stats one = shards_stats(&all[i], 1);
        assert_true(one.allocated_ever > 0 && one.allocated_ever < ROUNDS);
    }
    finish(all);
    rig_free(r);
}

/* Each needs some of its own, in pairs. */
static void too_few_ports_are_refused(void **state)
{
    (void)state;
    static const struct host_hooks hooks = {.note = on_note};
    struct rig *r = rig_new(NULL);
    struct shard all[SHARDS];
    struct turn_config cfg = {.profile = &turn_strict, .realm = "x", .first_port = 5001,
                              .last_port = 5000 + SHARD_PORTS_LEAST * SHARDS - 1, .limits = turn_limits_default};
    assert_int_equal(shards_init(all, SHARDS, &cfg, &hooks), E_RANGE);
    shards_free(all, SHARDS);
    cfg.last_port++;
    assert_int_equal(shards_init(all, SHARDS, &cfg, &hooks), 0);
    shards_free(all, SHARDS);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_find_their_shards),
        cmocka_unit_test(too_few_ports_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
