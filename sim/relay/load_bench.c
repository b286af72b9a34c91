/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load_bench MODE SERVER PID USER PASSWORD PEER-PORT [SESSIONS [AMOUNT [RATE]]]: load on a TURN server of any make,
 * over loopback, from one thread: clients and peers both. MODE:
 *
 *   setup   AMOUNT times Connect, a data connection, ConnectionBind, close (RFC 6062)
 *   tcp     AMOUNT MiB through bound pairs, half of them each way
 *   udp     AMOUNT ChannelData messages of 100 bytes, echoed by peers; both ways count. Clients send them in runs, as
 *           a kernel takes them best (UDP_SEGMENT)
 *   mixed   the same, of 100 to 1100 bytes as they fall: hardly two of one length behind each other, so no runs
 *   memory  SESSIONS allocations over UDP, each with a channel; what the server's memory grew by
 *   soak    SESSIONS allocations, each with a channel, RATE messages (20000) a second over all for AMOUNT seconds, each
 *           of which has to come back; the server's memory when all are there and at the end
 *
 * Prints one line: what was done, in what time, with how much CPU time of the server (process PID) and of this program,
 * and how often each of them slept. Who never sleeps is the limit; where that is this program, what counts is the
 * figure a second of the server's CPU. (Some kernels count what they do in soft interrupts for neither.) */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "models/base/time.h"
#include "sim/posix/posix.h"
#include "sim/relay/ask_test.h"

enum { CHUNK = 256 * 1024, WINDOW = 8, MESSAGE = 100, CHANNEL = 0x4000, CHANNEL_HEADER = 4, BUF = 2048, MIXED = 1000,
       RATE = 20000, TICKS = 100 };
#define TOO_LONG (180 * NS_S)
#define STALLED (200 * NS_MS)
#define HUNG (30 * NS_S) /* nothing has moved for so long */

enum mode { MODE_SETUP, MODE_TCP, MODE_UDP, MODE_MIXED, MODE_MEMORY, MODE_SOAK, MODES };
enum what { CLOSED, CONTROL, DATA, PEER };

/* What a socket is for. */
struct line {
    enum what what;
    struct session *session;
    uint32_t connection; /* DATA: to be bound */
    bool bound, pushes;
    size_t have;
    uint8_t in[BUF]; /* a message that is not whole */
};

struct session {
    net_sock control, peer_sock;
    struct asker asker;
    struct endpoint peer;
    bool ready, began;
    unsigned in_flight;
};

struct load {
    struct net *net;
    net_node node;
    enum mode mode;
    struct endpoint server;
    clockid_t server_cpu;
    int pid;
    uint16_t peer_port;
    struct session *session;
    size_t sessions, ready, opened;
    struct line **line;
    size_t line_cap;
    uint64_t amount, done, begun, last_done, lost;
    uint64_t last_moved, moved_ns; /* what there was of done and ready when either last grew, and when */
    uint32_t next_peer;
    uint64_t wall, cpu, own_cpu; /* of the measured part: when it began, then how long it took */
    long sleeps, own_sleeps;     /* likewise */
    long memory, memory_at_first; /* KiB */
    size_t next;                  /* SOAK: whose turn it is */
    unsigned rate;
};

static const char *const mode_name[MODES] = {"setup", "tcp", "udp", "mixed", "memory", "soak"};
static uint8_t chunk[CHUNK];

static void die(const char *why, int code)
{
    fprintf(stderr, "load_bench: %s (%d)\n", why, code);
    exit(1);
}

static uint64_t clock_of(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        die("the server's CPU time cannot be read", id);
    return (uint64_t)t.tv_sec * NS_S + (uint64_t)t.tv_nsec;
}

/* The number behind `field` in a status file of /proc; 0: none. */
static long status(const char *name, const char *field)
{
    char text[256];
    size_t len = strlen(field);
    long value = 0;
    FILE *f = fopen(name, "r");
    while (f && fgets(text, sizeof text, f))
        if (strncmp(text, field, len) == 0) {
            value = strtol(text + len, NULL, 10);
            break;
        }
    if (f)
        fclose(f);
    return value;
}

/* Resident memory of the server in KiB. */
static long resident(const struct load *l)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/status", l->pid);
    return status(name, "VmRSS:");
}

/* How often the threads of a process had nothing to do. */
static long sleeps_of(int pid)
{
    char name[64 + sizeof(((struct dirent *)0)->d_name)];
    long sum = 0;
    snprintf(name, sizeof name, "/proc/%d/task", pid);
    DIR *d = opendir(name);
    for (const struct dirent *e; d && (e = readdir(d));) {
        snprintf(name, sizeof name, "/proc/%d/task/%s/status", pid, e->d_name);
        sum += status(name, "voluntary_ctxt_switches:");
    }
    if (d)
        closedir(d);
    return sum;
}

static struct line *line_of(struct load *l, net_sock s)
{
    if (s >= l->line_cap) {
        size_t cap = l->line_cap ? l->line_cap : 64;
        while (cap <= s)
            cap *= 2;
        l->line = realloc(l->line, cap * sizeof(struct line *));
        if (!l->line)
            die("no memory", 0);
        memset(l->line + l->line_cap, 0, (cap - l->line_cap) * sizeof(struct line *));
        l->line_cap = cap;
    }
    if (!l->line[s] && !(l->line[s] = calloc(1, sizeof(struct line))))
        die("no memory", 0);
    return l->line[s];
}

static void set_line(struct load *l, net_sock s, enum what what, struct session *session)
{
    struct line *line = line_of(l, s);
    line->what = what;
    line->session = session;
    line->bound = line->pushes = false;
    line->have = 0;
}

static void drop(struct load *l, net_sock s)
{
    line_of(l, s)->what = CLOSED;
    net_posix.sock_close(l->net, s);
}

static bool over_udp(const struct load *l)
{
    return l->mode != MODE_SETUP && l->mode != MODE_TCP;
}

static bool echoes(const struct load *l)
{
    return l->mode == MODE_UDP || l->mode == MODE_MIXED;
}

static void ask(struct load *l, struct session *s, net_sock on, const struct ask *what)
{
    uint8_t out[STUN_MAX];
    size_t len = ask_make(&s->asker, what, out);
    if (over_udp(l))
        net_posix.udp_send(l->net, on, &l->server, out, len);
    else if (net_posix.tcp_send(l->net, on, out, len) != len)
        die("a request did not go out", (int)what->method);
}

static struct endpoint any4(void)
{
    return (struct endpoint){.ip.family = IP_V4};
}

/* ---- what is measured ---- */

/* Peers are all addresses of 127/8 at one port: no two connections have the same, so none meets an old TIME_WAIT. */
static void next_connect(struct load *l, struct session *s)
{
    if (l->begun == l->amount)
        return;
    l->begun++;
    struct endpoint peer = {ip_v4(0x7f010000 + l->next_peer++ % 0xfe0000), l->peer_port};
    ask(l, s, s->control, &(struct ask){.method = TURN_CONNECT, .peer = peer});
}

static void push(struct load *l, net_sock s)
{
    uint64_t left;
    while ((left = l->amount - l->begun) > 0) {
        size_t n = net_posix.tcp_send(l->net, s, chunk, left < CHUNK ? (size_t)left : CHUNK);
        l->begun += n;
        if (n == 0)
            return;
    }
}

static void send_message(struct load *l, struct session *s)
{
    uint8_t out[CHANNEL_HEADER + MESSAGE + MIXED] = {0};
    unsigned len = MESSAGE + (l->mode == MODE_MIXED ? (unsigned)rng_below(&s->asker.rng, MIXED) : 0);
    if (l->begun >= l->amount)
        return;
    store16(out, CHANNEL);
    store16(out + 2, len);
    net_posix.udp_send(l->net, s->control, &l->server, out, CHANNEL_HEADER + len);
    l->begun++;
    s->in_flight++;
}

static void finish(struct load *l)
{
    l->wall = net_posix.now(l->net) - l->wall;
    l->cpu = clock_of(l->server_cpu) - l->cpu;
    l->own_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - l->own_cpu;
    l->sleeps = sleeps_of(l->pid) - l->sleeps;
    l->own_sleeps = sleeps_of(getpid()) - l->own_sleeps;
    net_posix.stop(l->net);
}

static void count(struct load *l, uint64_t n)
{
    l->done += n;
    if (l->mode != MODE_SOAK && l->done >= l->amount && l->done - n < l->amount)
        finish(l);
}

/* Every hundredth of a second its part of the messages, then a while for the last ones to come back. */
static void soak(void *ctx)
{
    struct load *l = ctx;
    if (l->begun == l->amount) {
        l->memory = resident(l);
        finish(l);
        return;
    }
    for (int i = 0; i < (int)l->rate / TICKS && l->begun < l->amount; i++)
        send_message(l, &l->session[l->next++ % l->sessions]);
    net_posix.timer_set(l->net, net_posix.now(l->net) + (l->begun < l->amount ? NS_S / TICKS : NS_S), soak, l);
}

static void begin(struct load *l)
{
    l->sleeps = sleeps_of(l->pid);
    l->own_sleeps = sleeps_of(getpid());
    l->wall = net_posix.now(l->net);
    l->cpu = clock_of(l->server_cpu);
    l->own_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    for (struct session *s = l->session; s < l->session + l->sessions; s++)
        if (l->mode == MODE_SETUP)
            next_connect(l, s);
        else if (echoes(l))
            for (int i = 0; i < WINDOW; i++)
                send_message(l, s);
    for (net_sock s = 0; l->mode == MODE_TCP && s < l->line_cap; s++)
        if (l->line[s] && l->line[s]->pushes)
            push(l, s);
    if (l->mode == MODE_SOAK) {
        l->memory_at_first = resident(l);
        soak(l);
    }
    if (l->mode == MODE_MEMORY) {
        l->memory = resident(l) - l->memory;
        l->done = l->amount;
        finish(l);
    }
}

/* Datagrams that were lost are sent again, and told. What hangs is given up. */
static void look(void *ctx)
{
    struct load *l = ctx;
    uint64_t now = net_posix.now(l->net);
    if (l->done + l->ready != l->last_moved) {
        l->last_moved = l->done + l->ready;
        l->moved_ns = now;
    } else if (now - l->moved_ns > HUNG)
        die("it hangs", (int)l->done);
    if (l->done == l->last_done && l->ready == l->sessions && echoes(l))
        for (struct session *s = l->session; s < l->session + l->sessions; s++) {
            l->lost += s->in_flight;
            l->begun -= s->in_flight;
            for (s->in_flight = 0; s->in_flight < WINDOW && l->begun < l->amount;)
                send_message(l, s);
        }
    l->last_done = l->done;
    net_posix.timer_set(l->net, now + STALLED, look, l);
}

/* ---- sessions ---- */

static void open_session(struct load *l);

static void ready(struct load *l, struct session *s)
{
    s->ready = true;
    l->ready++;
    if (l->opened < l->sessions)
        open_session(l);
    if (l->ready == l->sessions)
        begin(l);
}

static void open_session(struct load *l)
{
    struct session *s = &l->session[l->opened++];
    struct endpoint any = any4();
    ask_login(&s->asker, s->asker.user, s->asker.password, l->opened);
    s->peer = (struct endpoint){ip_v4(0x7f000001), l->peer_port};
    if (!over_udp(l)) {
        if (net_posix.tcp_connect(l->net, l->node, &any, &l->server, &s->control))
            die("no connection to the server", 0);
        set_line(l, s->control, CONTROL, s);
        return;
    }
    s->peer.ip = ip_v4(0x7f010000 + (uint32_t)l->opened);
    if (net_posix.udp_open(l->net, l->node, &any, &s->control) ||
        (l->mode != MODE_MEMORY && net_posix.udp_open(l->net, l->node, &s->peer, &s->peer_sock)))
        die("no socket", 0);
    set_line(l, s->control, CONTROL, s);
    if (s->peer_sock)
        set_line(l, s->peer_sock, PEER, s);
    ask(l, s, s->control, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_UDP});
}

static void bind_later(struct load *l, struct session *s, uint32_t connection)
{
    net_sock data;
    struct endpoint any = any4();
    if (net_posix.tcp_connect(l->net, l->node, &any, &l->server, &data))
        die("no data connection", 0);
    set_line(l, data, DATA, s);
    line_of(l, data)->connection = connection;
}

static void bound(struct load *l, net_sock sock, struct line *line)
{
    line->bound = true;
    if (l->mode == MODE_SETUP) {
        struct session *s = line->session;
        drop(l, sock);
        count(l, 1);
        next_connect(l, s);
        return;
    }
    line->pushes = (line->session - l->session) % 2 == 0;
    ready(l, line->session);
}

static void answered(struct load *l, net_sock sock, struct line *line, const struct ask_answer *a)
{
    struct session *s = line->session;
    uint8_t transport = over_udp(l) ? PROTO_UDP : PROTO_TCP;
    if (a->code == 401 && a->method == TURN_ALLOCATE && !s->began) {
        s->began = true;
        ask(l, s, sock, &(struct ask){.method = TURN_ALLOCATE, .transport = transport});
        return;
    }
    if (a->code == 438 && line->what == DATA) {
        ask(l, s, sock, &(struct ask){.method = TURN_CONNECTION_BIND, .connection = line->connection});
        return;
    }
    if (a->code)
        die("the server refuses", a->code);
    if (a->method == TURN_ALLOCATE && over_udp(l))
        ask(l, s, sock, &(struct ask){.method = TURN_CHANNEL_BIND, .channel = CHANNEL, .peer = s->peer});
    else if (a->method == TURN_ALLOCATE)
        ask(l, s, sock, &(struct ask){.method = TURN_CREATE_PERMISSION, .peer = s->peer});
    else if (a->method == TURN_CREATE_PERMISSION && l->mode == MODE_TCP)
        ask(l, s, sock, &(struct ask){.method = TURN_CONNECT, .peer = s->peer});
    else if (a->method == TURN_CREATE_PERMISSION || a->method == TURN_CHANNEL_BIND)
        ready(l, s);
    else if (a->method == TURN_CONNECT)
        bind_later(l, s, a->connection);
    else if (a->method == TURN_CONNECTION_BIND)
        bound(l, sock, line);
}

/* ---- events ---- */

/* Messages out of the stream of a connection that is not bound. */
static void messages(struct load *l, net_sock sock, struct line *line)
{
    bool eof;
    size_t n;
    while (line->what != CLOSED && !line->bound &&
           (n = net_posix.tcp_recv(l->net, sock, line->in + line->have, BUF - line->have, &eof)) > 0) {
        line->have += n;
        long len;
        while (!line->bound && (len = stun_stream_len(&stun_rfc8489, line->in, line->have, BUF)) > 0 &&
               (size_t)len <= line->have) {
            struct ask_answer a;
            if (ask_read(&line->session->asker, line->in, (size_t)len, &a))
                die("an answer cannot be read", 0);
            memmove(line->in, line->in + len, line->have -= (size_t)len);
            if (a.code >= 0)
                answered(l, sock, line, &a);
            if (line->what == CLOSED)
                return;
        }
    }
}

static void readable(struct load *l, net_sock sock)
{
    struct line *line = line_of(l, sock);
    bool eof = false;
    size_t n;
    if (line->what != PEER)
        messages(l, sock, line);
    if (line->what == CLOSED || (line->what != PEER && !line->bound))
        return;
    while ((n = net_posix.tcp_recv(l->net, sock, chunk, sizeof chunk, &eof)) > 0)
        count(l, n);
    if (eof)
        drop(l, sock);
}

static void datagram(struct load *l, const struct net_event *ev)
{
    struct line *line = line_of(l, ev->sock);
    struct session *s = line->session;
    struct ask_answer a;
    if (line->what == PEER)
        net_posix.udp_send(l->net, ev->sock, &ev->remote, ev->data, ev->len);
    else if (ev->len > CHANNEL_HEADER && load16(ev->data) == CHANNEL) {
        s->in_flight -= s->in_flight > 0;
        count(l, 1);
        if (echoes(l))
            send_message(l, s);
    } else if (ask_read(&s->asker, ev->data, ev->len, &a) == 0 && a.code >= 0)
        answered(l, ev->sock, line, &a);
}

static void event(void *ctx, const struct net_event *ev)
{
    struct load *l = ctx;
    struct line *line = line_of(l, ev->sock);
    switch (ev->kind) {
    case NET_CONNECTED:
        ask(l, line->session, ev->sock, line->what == CONTROL
                ? &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}
                : &(struct ask){.method = TURN_CONNECTION_BIND, .connection = line->connection});
        break;
    case NET_ACCEPTED:
        set_line(l, ev->accepted, PEER, NULL);
        if (l->mode == MODE_TCP) /* every second stream comes from the peer */
            line_of(l, ev->accepted)->pushes = l->next_peer++ % 2;
        break;
    case NET_READABLE:
        readable(l, ev->sock);
        break;
    case NET_WRITABLE:
        push(l, ev->sock);
        break;
    case NET_DATAGRAM:
        datagram(l, ev);
        break;
    case NET_FAILED:
        die("a connection failed", ev->err);
        break;
    case NET_CLOSED:
        line->what = CLOSED;
        break;
    case NET_ICMP:
        break;
    }
}

static void print(const struct load *l)
{
    double wall = (double)l->wall / 1e9, cpu = (double)l->cpu / 1e9, own = (double)l->own_cpu / 1e9;
    double units = l->mode == MODE_TCP ? (double)l->amount / 1e6 : (double)l->amount * (over_udp(l) ? 2 : 1);
    if (l->mode == MODE_MEMORY)
        printf("memory allocations=%zu kib=%ld bytes_each=%.0f\n", l->sessions, l->memory,
               (double)l->memory * 1024 / (double)l->sessions);
    else if (l->mode == MODE_SOAK)
        printf("soak allocations=%zu seconds=%.1f sent=%llu received=%llu kib_at_first=%ld kib_at_end=%ld\n",
               l->sessions, wall, (unsigned long long)l->begun, (unsigned long long)l->done, l->memory_at_first,
               l->memory);
    else
        printf("%s units=%.0f per_s=%.1f per_cpu_s=%.1f wall_s=%.3f cpu_s=%.3f own_cpu_s=%.3f sleeps_per_s=%.0f "
               "own_sleeps_per_s=%.0f lost=%llu\n",
               mode_name[l->mode], units, units / wall, units / cpu, wall, cpu, own,
               (double)l->sleeps / wall, (double)l->own_sleeps / wall, (unsigned long long)l->lost);
}

int main(int argc, char **argv)
{
    struct load l = {.mode = MODES};
    for (int i = 0; argc > 6 && i < MODES; i++)
        if (strcmp(argv[1], mode_name[i]) == 0)
            l.mode = (enum mode)i;
    if (l.mode == MODES || endpoint_parse(argv[2], &l.server))
        die("setup|tcp|udp|mixed|memory|soak SERVER PID USER PASSWORD PEER-PORT [SESSIONS [AMOUNT [RATE]]]", argc);
    l.pid = atoi(argv[3]);
    if (clock_getcpuclockid(l.pid, &l.server_cpu) != 0)
        die("no such process", l.pid);
    l.peer_port = (uint16_t)atoi(argv[6]);
    l.sessions = argc > 7 ? (size_t)atol(argv[7]) : 16;
    l.amount = (argc > 8 ? strtoull(argv[8], NULL, 10) : 1000) << (l.mode == MODE_TCP ? 20 : 0);
    l.rate = argc > 9 ? (unsigned)atoi(argv[9]) : RATE;
    if (l.mode == MODE_SOAK)
        l.amount *= l.rate;
    l.session = calloc(l.sessions, sizeof *l.session);
    posix_raise_descriptors();
    l.net = net_posix.create(1);
    struct net_node_spec spec = {.name = "load", .kind = NET_HOST, .handler = event, .ctx = &l};
    l.node = net_posix.node_add(l.net, &spec);
    for (size_t i = 0; i < l.sessions; i++)
        l.session[i].asker = (struct asker){.user = argv[4], .password = argv[5]};
    struct endpoint listen = {any4().ip, l.peer_port};
    net_sock listener;
    if (!over_udp(&l) && net_posix.tcp_listen(l.net, l.node, &listen, &listener))
        die("the peer's port is taken", l.peer_port);
    l.memory = resident(&l);
    enum { AT_ONCE = 16 };
    for (size_t i = 0; i < AT_ONCE && i < l.sessions; i++)
        open_session(&l);
    look(&l);
    net_posix.run(l.net, TOO_LONG);
    if (l.done < l.amount && l.mode != MODE_SOAK)
        die("it did not end", (int)l.done);
    print(&l);
    return 0;
}
