/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay's process is killed while connections are bound and full of bytes, and another starts at once at the same
 * address: it can, every connection of the old one ends, and nothing of the old comes out of the new. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/time.h"
#include "sim/posix/rig_kit.h"
#include "sim/relay/relay.h"

enum { ROUNDS = 6, PAIRS = 8, MIB = 1 << 20, LONGEST_MS = 60 };

static struct endpoint at; /* where the child listens */

/* Serves until it is killed. It has its parent's descriptors to begin with, which must not live on in it. */
static void serve(void)
{
    struct ip_prefix loopback = {kit_ip("127.0.0.0"), 8};
    static const char *const user[] = {"u:p"};
    struct relay_config cfg = {
        .user = user, .user_count = 1, .threads = 1,
        .turn = {.profile = turn_profile_named("rfc5766"), .realm = "kill", .listen = &at, .listen_count = 1,
                 .listen_udp = &at, .listen_udp_count = 1, .relay_ip4 = at.ip, .first_port = 30000, .last_port = 31999,
                 .allow_peer = &loopback, .allow_peer_count = 1, .limits = turn_limits_default}};
    struct relay *relay;
    struct diag d;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (close_range(STDERR_FILENO + 1, ~0u, 0) == 0 && relay_open(&cfg, &relay, &d) == 0)
        relay_run(relay);
    _exit(1);
}

static pid_t start(void)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        serve();
    return pid;
}

static void until_it_listens(struct rig *r, pid_t pid)
{
    enum { TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        net_sock s = rig_dial(r, &at);
        if (rig_line(r, s)->open) {
            rig_abort(r, s);
            return;
        }
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        rig_run(r, 2 * NS_MS);
    }
    fail_msg("the relay does not start");
}

static void end(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

struct lines {
    net_sock control, side[2 * PAIRS]; /* client and peer of each pair */
    uint64_t received[2 * PAIRS];
};

/* Each sends `amount` bytes to the other, which no other sends: those of the round are named from `name` on. */
static void open_pairs(struct rig *r, struct lines *l, uint32_t name, uint64_t amount)
{
    struct asker a;
    struct endpoint relayed;
    ask_login(&a, "u", "p", name);
    l->control = rig_allocate(r, &a, PROTO_TCP, &relayed);
    for (uint32_t i = 0; i < 2 * PAIRS; i += 2) {
        l->side[i + 1] = rig_dial(r, &relayed);
        struct ask bind = {.method = TURN_CONNECTION_BIND, .connection = rig_hear(r, l->control, &a).connection};
        l->side[i] = rig_dial(r, &at);
        assert_int_equal(rig_ask(r, l->side[i], &a, &bind).code, 0);
        rig_stream(r, l->side[i], name + i, amount, name + i + 1);
        rig_stream(r, l->side[i + 1], name + i + 1, amount, name + i);
    }
}

/* FIN or RST, on every one of them; nothing else came out. */
static void all_end(struct rig *r, struct lines *l)
{
    rig_gone(r, l->control);
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        rig_gone(r, l->side[i]);
        assert_int_equal(rig_line(r, l->side[i])->wrong, 0);
        l->received[i] = rig_line(r, l->side[i])->received;
    }
}

static bool all_received(struct rig *r, const void *arg)
{
    const struct lines *l = arg;
    for (size_t i = 0; i < 2 * PAIRS; i++)
        if (rig_line(r, l->side[i])->received < MIB)
            return false;
    return true;
}

static void let_go(struct rig *r, const struct lines *l)
{
    for (size_t i = 0; i < 2 * PAIRS; i++)
        if (rig_line(r, l->side[i])->open)
            rig_abort(r, l->side[i]);
    if (rig_line(r, l->control)->open)
        rig_abort(r, l->control);
}

static void killed_and_started_again(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct rng rng = rng_named(1, "kill -9");
    uint64_t slowest = 0, received = 0;
    rig_close(r, rig_listen(r, &at)); /* a port that is free */
    r->at = at;
    pid_t pid = start();
    until_it_listens(r, pid);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct lines old, new;
        open_pairs(r, &old, 4 * PAIRS * round, UINT64_MAX);
        rig_run(r, 10 * NS_MS + rng_below(&rng, LONGEST_MS * NS_MS));
        end(pid);
        uint64_t begun = net_posix.now(r->net);
        pid = start();
        all_end(r, &old); /* those that get a FIN stay open on their own side */
        until_it_listens(r, pid);
        uint64_t took = net_posix.now(r->net) - begun;
        slowest = took > slowest ? took : slowest;
        open_pairs(r, &new, 4 * PAIRS * round + 2 * PAIRS, MIB);
        assert_true(rig_until(r, all_received, &new, RIG_PATIENCE_NS));
        for (size_t i = 0; i < 2 * PAIRS; i++) {
            const struct rig_line *l = rig_line(r, new.side[i]);
            assert_int_equal(l->received, MIB);
            assert_int_equal(l->wrong, 0);
            received += old.received[i];
        }
        let_go(r, &old);
        let_go(r, &new);
    }
    end(pid);
    print_message("#: killed %d times with %d connections full of bytes (%llu MiB came through): it served again after "
                  "at most %.1f ms, none of the old bytes came out of it\n", ROUNDS, 2 * PAIRS,
                  (unsigned long long)received / MIB, (double)slowest / 1e6);
    assert_true(received > MIB);
    assert_true(slowest < 2 * NS_S);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_and_started_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
