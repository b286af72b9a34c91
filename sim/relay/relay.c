/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/relay/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/host/host.h"
#include "sim/posix/posix.h"
#include "sim/relay/metrics.h"
#include "sim/relay/users.h"
#include "sim/scenario/files.h"

struct relay {
    const struct relay_config *cfg;
    struct net *net;
    struct io *io, *page_io;
    struct turn *turn;
    struct core page;
    struct host *host, *page_host;
    int signals;
    bool failed;    /* a listener could not be opened */
    bool draining;
    net_timer watch_drain;
    uint64_t drain_until_ns;
};

/* ---- log ---- */

static void say(const struct relay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct relay *r, const char *fmt, ...)
{
    if (!r->cfg->log)
        return;
    char stamp[32];
    va_list ap;
    va_start(ap, fmt);
    fprintf(r->cfg->log, "%s ", posix_stamp(stamp));
    vfprintf(r->cfg->log, fmt, ap);
    fputc('\n', r->cfg->log);
    va_end(ap);
    fflush(r->cfg->log);
}

static void on_note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    struct relay *r = ctx;
    (void)now_ns;
    r->failed = r->failed || n->note == NOTE_FAIL;
    if (n->note == NOTE_FAIL || n->note == NOTE_HINT || r->cfg->verbose)
        say(r, "%s", n->text);
}

static void on_message(void *ctx, uint64_t now_ns, const struct host_message *m)
{
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT];
    (void)now_ns;
    say(ctx, "%s %s > %s %s", m->proto == PROTO_UDP ? "udp" : "tcp", endpoint_text(&m->local, local),
        endpoint_text(&m->remote, remote), m->label);
}

static void say_counters(const struct relay *r)
{
    struct turn_stats s;
    turn_stats(r->turn, &s);
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

static void reread_users(struct relay *r)
{
    struct user_list u = {0};
    struct diag d = {{0}};
    int err = read_users(r->cfg, &u, &d);
    if (!err)
        err = turn_set_users(r->turn, u.user, u.count);
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
    struct turn_stats s;
    turn_stats(r->turn, &s);
    uint64_t now = net_posix.now(r->net);
    if (s.allocations == 0 || now >= r->drain_until_ns)
        net_posix.stop(r->net);
    else
        r->watch_drain = net_posix.timer_set(r->net, now + LOOK_MS * NS_MS, check_drained, r);
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
    turn_drain(r->turn);
    host_event(r->host, NULL);
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

static void core_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t core_deadline(const void *self)
{
    return turn_deadline(self);
}

static void core_free(void *self)
{
    turn_free(self);
}

static struct host *add_host(struct relay *r, const struct core *core, const struct host_hooks *hooks)
{
    struct host *h = host_new(r->net, core, hooks);
    if (!h)
        return NULL;
    struct net_node_spec spec = {.name = io_name(core->io), .kind = NET_HOST, .handler = host_event, .ctx = h};
    net_node node = net_posix.node_add(r->net, &spec);
    if (node)
        host_start(h, node, net_posix.now(r->net));
    return h;
}

static void read_stats(void *ctx, struct turn_stats *out)
{
    const struct relay *r = ctx;
    turn_stats(r->turn, out);
}

static int build(struct relay *r, const struct turn_config *cfg, struct diag *d)
{
    static const struct core_ops ops = {core_input, core_deadline, core_free};
    r->net = net_posix.create(0);
    r->io = io_new("relay", 0);
    r->page_io = io_new("metrics", 0);
    if (!r->net || !r->io || !r->page_io || take_signals(r) != 0)
        return E_NOMEM;
    r->turn = turn_new(r->io, 0, cfg);
    if (!r->turn) {
        snprintf(d->text, sizeof d->text,
                 "the relay does not start: its limits or ports make no sense, or memory is out");
        return E_RANGE;
    }
    if (!r->cfg->verbose)
        io_mute(r->io, NOTE_STATE);
    struct host_hooks hooks = {.note = on_note, .message = r->cfg->verbose ? on_message : NULL, .ctx = r};
    r->host = add_host(r, &(struct core){&ops, r->turn, r->io}, &hooks);
    if (!r->host)
        return E_NOMEM;
    if (!r->cfg->metrics.port)
        return 0;
    int err = metrics_new(r->page_io, &r->cfg->metrics, read_stats, r, &r->page);
    if (err)
        return err;
    r->page_host = add_host(r, &r->page, &(struct host_hooks){.note = on_note, .ctx = r});
    return r->page_host ? 0 : E_NOMEM;
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
    net_posix.run(r->net, net_posix.now(r->net) + STARTED_MS * NS_MS); /* the listeners open, or do not */
    if (!r->failed) {
        say(r, "ready");
        if (!r->draining)
            net_posix.run(r->net, TIME_NEVER);
    }
    say_counters(r);
    return r->failed ? E_IO : 0;
}

void relay_close(struct relay *r)
{
    if (!r)
        return;
    host_free(r->host);
    host_free(r->page_host);
    if (r->net)
        net_posix.destroy(r->net);
    turn_free(r->turn);
    if (r->page.ops)
        r->page.ops->free(r->page.self);
    io_free(r->io);
    io_free(r->page_io);
    if (r->signals >= 0)
        close(r->signals);
    free(r);
}
