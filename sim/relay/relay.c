/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/relay/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/posix.h"
#include "sim/relay/metrics.h"
#include "sim/relay/shard.h"
#include "sim/relay/users.h"
#include "sim/scenario/files.h"

struct relay {
    const struct relay_config *cfg;
    struct shard *shard; /* cfg->threads of them; the first is this thread's, with signals and the page */
    struct net *net;     /* the first shard's */
    struct host_hooks hooks;
    struct io *page_io;
    struct core page;
    struct host *page_host;
    int signals;
    atomic_bool failed; /* a listener could not be opened */
    bool draining;
    net_timer watch_drain;
    uint64_t drain_until_ns;
};

/* ---- log ---- */

/* A line, whole: shards speak too. */
static void say_for(const struct relay *r, const struct shard *s, const char *fmt, va_list ap)
{
    FILE *log = r->cfg->log;
    char stamp[32];
    if (!log)
        return;
    flockfile(log);
    fprintf(log, "%s ", posix_stamp(stamp));
    if (s && s->count > 1)
        fprintf(log, "[%u] ", s->number);
    vfprintf(log, fmt, ap);
    fputc('\n', log);
    fflush(log);
    funlockfile(log);
}

static void say(const struct relay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct relay *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_for(r, NULL, fmt, ap);
    va_end(ap);
}

static void shard_says(const struct shard *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void shard_says(const struct shard *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_for(s->owner, s, fmt, ap);
    va_end(ap);
}

static void on_note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    const struct shard *s = ctx;
    struct relay *r = s->owner;
    (void)now_ns;
    if (n->note == NOTE_FAIL)
        r->failed = true;
    if (n->note == NOTE_FAIL || n->note == NOTE_HINT || r->cfg->verbose)
        shard_says(s, "%s", n->text);
}

static void on_message(void *ctx, uint64_t now_ns, const struct host_message *m)
{
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT];
    (void)now_ns;
    shard_says(ctx, "%s %s > %s %s", m->proto == PROTO_UDP ? "udp" : "tcp", endpoint_text(&m->local, local),
               endpoint_text(&m->remote, remote), m->label);
}

static void say_counters(const struct relay *r)
{
    struct turn_stats s = shards_stats(r->shard, r->cfg->threads);
    say(r, "allocations %" PRIu32 " (ever %" PRIu64 ", refused %" PRIu64 "), permissions %" PRIu32 ", channels %" PRIu32
        ", connections: clients %" PRIu32 ", pending %" PRIu32 ", bound %" PRIu32 "; datagrams to peers %" PRIu64
        " (%" PRIu64 " bytes), to clients %" PRIu64 " (%" PRIu64 " bytes), dropped %" PRIu64,
        s.allocations, s.allocated_ever, s.refused_ever, s.permissions, s.channels, s.clients, s.pending, s.bound,
        s.to_peers, s.to_peers_bytes, s.to_clients, s.to_clients_bytes, s.dropped);
}

/* ---- users ---- */

static int read_users(const struct relay_config *cfg, struct user_list *u, struct diag *d)
{
    for (size_t i = 0; i < cfg->user_count; i++) {
        int err = users_add(u, cfg->user[i], strlen(cfg->user[i]));
        if (err) {
            snprintf(d->text, sizeof d->text, "--user: expected NAME:PASSWORD with a name that is new");
            return err;
        }
    }
    if (!cfg->users_file)
        return 0;
    char *text;
    size_t len;
    int err = file_read(&u->arena, cfg->users_file, &text, &len, d);
    return err ? err : users_parse(u, cfg->users_file, text, len, d);
}

/* Each with the users as they were or as they are; E_NOMEM: as they were. */
struct users_told {
    const struct user_list *list;
    int err;
};

static void set_users(struct shard *s, void *arg)
{
    struct users_told *told = arg;
    int err = turn_set_users(s->turn, told->list->user, told->list->count);
    told->err = told->err ? told->err : err;
}

static void reread_users(struct relay *r)
{
    struct user_list u = {0};
    struct diag d = {{0}};
    int err = read_users(r->cfg, &u, &d);
    struct users_told told = {.list = &u};
    for (unsigned i = 0; i < r->cfg->threads && !err && !told.err; i++)
        shard_call(&r->shard[i], set_users, &told);
    err = err ? err : told.err;
    if (err)
        say(r, "the users stay as they were: %s", d.text[0] ? d.text : err_text(err));
    else
        say(r, "%zu users", u.count);
    users_free(&u);
}

/* ---- signals ---- */

static void check_drained(void *ctx)
{
    enum { LOOK_MS = 50 };
    struct relay *r = ctx;
    uint64_t now = net_posix.now(r->net);
    if (shards_stats(r->shard, r->cfg->threads).allocations == 0 || now >= r->drain_until_ns)
        net_posix.stop(r->net);
    else
        r->watch_drain = net_posix.timer_set(r->net, now + LOOK_MS * NS_MS, check_drained, r);
}

static void drain(struct shard *s, void *arg)
{
    (void)arg;
    turn_drain(s->turn);
    host_event(s->host, NULL);
}

/* The first time: no new allocations, those that there are get their time. The second time: now. */
static void end(struct relay *r)
{
    if (r->draining) {
        net_posix.stop(r->net);
        return;
    }
    r->draining = true;
    say(r, "stopping: no new allocations; the rest have %" PRIu64 " s", r->cfg->drain_ns / NS_S);
    for (unsigned i = 0; i < r->cfg->threads; i++)
        shard_call(&r->shard[i], drain, NULL);
    r->drain_until_ns = net_posix.now(r->net) + r->cfg->drain_ns;
    check_drained(r);
}

static void on_signal(void *ctx)
{
    struct relay *r = ctx;
    struct signalfd_siginfo got;
    while (read(r->signals, &got, sizeof got) == sizeof got)
        switch (got.ssi_signo) {
        case SIGHUP:
            reread_users(r);
            break;
        case SIGUSR1:
            say_counters(r);
            break;
        default:
            end(r);
            break;
        }
}

static int take_signals(struct relay *r)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return E_IO;
    r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return r->signals < 0 ? E_IO : posix_watch(r->net, r->signals, on_signal, r);
}

/* ---- building ---- */

static void read_stats(void *ctx, struct turn_stats *out)
{
    const struct relay *r = ctx;
    *out = shards_stats(r->shard, r->cfg->threads);
}

/* The page for Prometheus is a host of its own in the first shard's world. */
static int add_page(struct relay *r)
{
    r->page_io = io_new("metrics", 0);
    int err = r->page_io ? metrics_new(r->page_io, &r->cfg->metrics, read_stats, r, &r->page) : E_NOMEM;
    if (err)
        return err;
    r->page_host = host_new(r->net, &r->page, &(struct host_hooks){.note = on_note, .ctx = &r->shard[0]});
    if (!r->page_host)
        return E_NOMEM;
    struct net_node_spec spec = {.name = "metrics", .kind = NET_HOST, .handler = host_event, .ctx = r->page_host};
    net_node node = net_posix.node_add(r->net, &spec);
    if (!node)
        return E_NOMEM;
    host_start(r->page_host, node, net_posix.now(r->net));
    return 0;
}

static int build(struct relay *r, const struct turn_config *cfg, struct diag *d)
{
    r->hooks = (struct host_hooks){.note = on_note, .message = r->cfg->verbose ? on_message : NULL, .ctx = r};
    r->shard = calloc(r->cfg->threads, sizeof *r->shard);
    if (!r->shard)
        return E_NOMEM;
    int err = shards_init(r->shard, r->cfg->threads, cfg, &r->hooks);
    if (err == E_RANGE)
        snprintf(d->text, sizeof d->text,
                 "the relay does not start: its limits make no sense, or the relay ports are less than %d for each "
                 "thread, or memory is out", SHARD_PORTS_LEAST);
    if (err)
        return err;
    r->net = r->shard[0].net;
    err = take_signals(r);
    return err || !r->cfg->metrics.port ? err : add_page(r);
}

int relay_open(const struct relay_config *cfg, struct relay **out, struct diag *d)
{
    struct relay *r = calloc(1, sizeof *r);
    struct user_list u = {0};
    uint8_t secret[32];
    d->text[0] = '\0';
    if (!r)
        return E_NOMEM;
    r->cfg = cfg;
    r->signals = -1;
    int err = read_users(cfg, &u, d);
    if (!err && getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        err = E_IO;
    if (!err) {
        struct turn_config turn = cfg->turn;
        turn.users = u.user;
        turn.user_count = u.count;
        turn.secret = secret;
        turn.dont_fragment = true;
        posix_raise_descriptors();
        err = build(r, &turn, d);
    }
    explicit_bzero(secret, sizeof secret);
    users_free(&u);
    if (!err) {
        *out = r;
        return 0;
    }
    if (!d->text[0])
        snprintf(d->text, sizeof d->text, "the relay does not start: %s",
                 err == E_IO ? strerror(errno) : err_text(err));
    relay_close(r);
    return err;
}

int relay_run(struct relay *r)
{
    enum { STARTED_MS = 1 };
    unsigned threads = r->cfg->threads;
    for (unsigned i = 0; i < threads; i++) { /* the listeners open, or do not */
        struct net *n = r->shard[i].net;
        net_posix.run(n, net_posix.now(n) + STARTED_MS * NS_MS);
    }
    if (!r->failed && shards_start(r->shard, threads) != 0) {
        say(r, "the relay does not start: no thread can be had");
        r->failed = true;
    }
    if (!r->failed) {
        say(r, "ready");
        if (!r->draining)
            net_posix.run(r->net, TIME_NEVER);
    }
    shards_stop(r->shard, threads);
    say_counters(r);
    return r->failed ? E_IO : 0;
}

void relay_close(struct relay *r)
{
    if (!r)
        return;
    host_free(r->page_host);
    if (r->page.ops)
        r->page.ops->free(r->page.self);
    if (r->shard)
        shards_free(r->shard, r->cfg->threads);
    free(r->shard);
    io_free(r->page_io);
    if (r->signals >= 0)
        close(r->signals);
    free(r);
}
