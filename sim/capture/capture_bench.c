/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture_bench MEGABYTES [PROGRAM [FILE]]: writes a capture of about that size (to FILE, else to one in /tmp that is
 * removed again), has the program (build/turnproof) diagnose it and tshark look for STUN and SIP in it, where there is
 * tshark, and reads it through the trace alone. Prints the time of each, the rate, and the most memory used. The
 * traffic is that of a busy relay: connections that begin and end, full segments acknowledged two by two, some lost
 * and sent again, some out of order, and UDP media. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/wire/wire.h"
#include "sim/capture/capture.h"

enum { RUNS = 3, CONNECTIONS = 200, MSS = 1460, FIN = 1, SYN = 2, ACK = 16 };

struct connection {
    struct endpoint end[2];
    uint32_t next[2];
    unsigned segments; /* that are still to be sent */
    uint32_t hole;     /* a lost segment, to be sent again; 0: none */
    uint8_t hole_in;   /* after so many others */
};

struct maker {
    FILE *f;
    struct rng g;
    uint64_t t_ns, written;
    uint8_t data[MSS];
    uint32_t made;
    struct connection c[CONNECTIONS];
};

static void write_frame(struct maker *m, const uint8_t *frame, size_t len)
{
    m->t_ns += 10 * NS_US;
    const uint32_t head[] = {(uint32_t)(m->t_ns / NS_S), (uint32_t)(m->t_ns % NS_S), (uint32_t)len, (uint32_t)len};
    if (fwrite(head, sizeof head, 1, m->f) != 1 || fwrite(frame, len, 1, m->f) != 1)
        abort();
    m->written += sizeof head + len;
}

static size_t put_ip(const struct connection *c, unsigned from, unsigned proto, uint8_t *b, size_t len)
{
    static const uint8_t mac[6] = {2};
    size_t n = wire_put_eth(b, mac, mac, ETHERTYPE_IP4);
    return n + wire_put_ip(b + n, &c->end[from].ip, &c->end[!from].ip, proto, 64, 1, len);
}

static void segment(struct maker *m, const struct connection *c, unsigned from, unsigned flags, uint32_t seq,
                    size_t len)
{
    uint8_t b[2000];
    const struct wire_tcp h = {.sport = c->end[from].port, .dport = c->end[!from].port, .seq = seq,
                               .ack = c->next[!from], .flags = (uint8_t)flags, .window = 65535,
                               .wscale = WIRE_NO_WSCALE};
    size_t n = put_ip(c, from, PROTO_TCP, b, WIRE_TCP + len);
    n += wire_put_tcp(b + n, &h);
    memcpy(b + n, m->data, len);
    write_frame(m, b, n + len);
}

static void media(struct maker *m, const struct connection *c)
{
    uint8_t b[300];
    enum { RTP = 172 };
    size_t n = put_ip(c, 0, PROTO_UDP, b, WIRE_UDP + RTP);
    n += wire_put_udp(b + n, c->end[0].port, c->end[1].port, RTP);
    memcpy(b + n, m->data, RTP);
    memcpy(b + n, &m->t_ns, sizeof m->t_ns); /* no two are alike */
    write_frame(m, b, n + RTP);
}

static void begin(struct maker *m, struct connection *c)
{
    uint32_t number = m->made++;
    *c = (struct connection){.end = {{ip_v4(0x0a000000 | number >> 14), (uint16_t)(49152 + (number & 16383))},
                                     {ip_v4(0x0a300001), 3478}},
                             .next = {(uint32_t)rng_u64(&m->g), (uint32_t)rng_u64(&m->g)},
                             .segments = 10 + (unsigned)rng_below(&m->g, 2000)};
    segment(m, c, 0, SYN, c->next[0]++, 0);
    segment(m, c, 1, SYN | ACK, c->next[1]++, 0);
    segment(m, c, 0, ACK, c->next[0], 0);
}

static void one_step(struct maker *m, struct connection *c)
{
    if (c->segments == 0) {
        segment(m, c, 0, ACK | FIN, c->next[0], 0);
        segment(m, c, 1, ACK | FIN, c->next[1], 0);
        begin(m, c);
    }
    c->segments--;
    if (c->hole && c->hole_in-- == 0) {
        segment(m, c, 0, ACK, c->hole, MSS);
        c->hole = 0;
    }
    uint64_t luck = rng_below(&m->g, 200);
    if (luck == 0 && !c->hole) {
        c->hole = c->next[0];
        c->hole_in = 20;
    } else if (luck == 1) {
        segment(m, c, 0, ACK, c->next[0] + MSS, MSS);
        segment(m, c, 0, ACK, c->next[0], MSS);
        c->next[0] += MSS;
    } else {
        segment(m, c, 0, ACK, c->next[0], MSS);
    }
    c->next[0] += MSS;
    if (!c->hole && c->segments % 2)
        segment(m, c, 1, ACK, c->next[1], 0);
    if (luck < 60)
        media(m, c);
}

static void make(const char *path, uint64_t size)
{
    static struct maker m;
    const uint32_t header[] = {0xa1b23c4d, 4u << 16 | 2, 0, 0, 262144, 1};
    m.f = fopen(path, "wb");
    m.g = rng_named(1, "capture_bench");
    rng_fill(&m.g, m.data, sizeof m.data);
    if (!m.f || fwrite(header, sizeof header, 1, m.f) != 1)
        abort();
    for (size_t i = 0; i < CONNECTIONS; i++)
        begin(&m, &m.c[i]);
    while (m.written < size)
        one_step(&m, &m.c[rng_below(&m.g, CONNECTIONS)]);
    if (fclose(m.f) != 0)
        abort();
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(void *ctx, const struct seen *s)
{
    uint64_t *events = ctx;
    (void)s;
    ++*events;
}

static void read_it(const char *path)
{
    uint64_t events = 0;
    struct diag d;
    double began = now();
    struct capture *c = capture_open(path, &d);
    struct trace *t = trace_new(&trace_default_limits, count, &events);
    if (!c || !t || capture_trace(c, t, &d) != 0)
        abort();
    double took = now() - began;
    struct trace_stats s = trace_stats(t);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("turnproof %.3f s, %.0f MB/s, %.2f million frames/s: %llu frames, %llu flows, %llu events, %llu bytes in"
           " order, held at most %zu kB; %ld MB of memory\n",
           took, (double)capture_position(c) / 1e6 / took, (double)s.frames / 1e6 / took, (unsigned long long)s.frames,
           (unsigned long long)s.flows, (unsigned long long)events, (unsigned long long)s.bytes, s.held_peak / 1024,
           used.ru_maxrss / 1024);
    trace_free(t);
    capture_close(c);
}

/* Runs a program without input and output; its wall time. 0: it is not there, or failed badly. */
static double run_program(char *const argv[], uint64_t size)
{
    struct rusage used;
    int status;
    double began = now();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return 0;
    double took = now() - began;
    printf("%s %.3f s, %.0f MB/s, at most %.1f MB of memory\n", argv[0], took, (double)size / 1e6 / took,
           (double)used.ru_maxrss / 1024);
    return took;
}

/* The whole program, with its verdict, beside tshark that looks for STUN and SIP. */
static void compare(const char *program, const char *path, uint64_t size)
{
    char *const ours[] = {(char *)program, "diagnose", (char *)path, NULL};
    char *const theirs[] = {"tshark", "-r", (char *)path, "-d", "tcp.port==3478,stun", "-Y", "stun || sip", NULL};
    double best = 0, took;
    for (unsigned i = 0; i < RUNS; i++)
        if ((took = run_program(ours, size)) > 0 && (best == 0 || took < best))
            best = took;
    if (best == 0)
        printf("%s cannot be run\n", program);
    else if ((took = run_program(theirs, size)) > 0)
        printf("tshark takes %.1f times as long (aim: 5)\n", took / best);
    else
        printf("tshark is not installed\n");
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/capture_bench.XXXXXX";
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: capture_bench MEGABYTES [PROGRAM [FILE]]\n");
        return 2;
    }
    const char *program = argc > 2 ? argv[2] : "build/turnproof", *path = argc > 3 ? argv[3] : made;
    uint64_t size = strtoull(argv[1], NULL, 10) * 1000000;
    if (path == made && mkstemp(made) < 0)
        return 2;
    make(path, size);
    compare(program, path, size); /* first: a child's memory begins with its parent's */
    for (unsigned i = 0; i < RUNS; i++)
        read_it(path);
    if (path == made)
        unlink(path);
    return 0;
}
