/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/netns_kit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/netns/nflog_kit.h"

enum { LOG_GROUP = 4711 };

struct netns {
    int tun[NETNS_IFACES];
    size_t tun_count;
    struct nflog log;
};

/* ---- files and tools ---- */

static int put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return E_IO;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : E_IO;
}

static size_t take_file(int fd, char *out, size_t cap)
{
    size_t n = 0;
    lseek(fd, 0, SEEK_SET);
    for (ssize_t got; n + 1 < cap && (got = read(fd, out + n, cap - 1 - n)) > 0;)
        n += (size_t)got;
    out[n] = '\0';
    return n;
}

static int wait_for(pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int netns_run(const char *const argv[], const char *in, struct text *out, char why[NETNS_WHY])
{
    int fd[3] = {memfd_create("in", MFD_CLOEXEC), memfd_create("out", MFD_CLOEXEC), memfd_create("err", MFD_CLOEXEC)};
    assert(fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0);
    for (size_t left = in ? strlen(in) : 0; left;) {
        ssize_t n = write(fd[0], in, left);
        assert(n > 0);
        in += n;
        left -= (size_t)n;
    }
    lseek(fd[0], 0, SEEK_SET);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++)
            dup2(fd[i], i);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        dprintf(2, "%s: %s", argv[0], strerror(errno));
        _exit(127);
    }
    int status = child < 0 ? -1 : wait_for(child);
    if (out)
        out->len = take_file(fd[1], out->buf, out->cap);
    if (status != 0) {
        char said[NETNS_WHY / 2];
        take_file(fd[2], said, sizeof said);
        said[strcspn(said, "\n")] = '\0';
        snprintf(why, NETNS_WHY, "%s %s: status %d: %s", argv[0], argv[1] ? argv[1] : "", status, said);
    }
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    return status == 0 ? 0 : E_IO;
}

/* ---- the namespace ---- */

/* As root a network namespace is enough; others need a user namespace around it, where they are root. */
static int enter(char why[NETNS_WHY])
{
    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    char uid[64], gid[64];
    snprintf(uid, sizeof uid, "0 %u 1", (unsigned)getuid());
    snprintf(gid, sizeof gid, "0 %u 1", (unsigned)getgid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        snprintf(why, NETNS_WHY, "no network namespace: %s", strerror(errno));
        return E_IO;
    }
    if (put_file("/proc/self/setgroups", "deny") || put_file("/proc/self/uid_map", uid) ||
        put_file("/proc/self/gid_map", gid)) {
        snprintf(why, NETNS_WHY, "no user namespace: %s", strerror(errno));
        return E_IO;
    }
    return 0;
}

/* A router that routes all, asks nobody, tells nobody and learns nothing. */
static int set_switches(char why[NETNS_WHY])
{
    static const char *const on[][2] = {{"net/ipv4/ip_forward", "1"},
                                        {"net/ipv4/conf/all/rp_filter", "0"},
                                        {"net/ipv4/conf/default/rp_filter", "0"},
                                        {"net/ipv4/conf/all/accept_local", "1"},
                                        {"net/ipv4/conf/all/accept_redirects", "0"},
                                        {"net/ipv4/conf/default/accept_redirects", "0"},
                                        {"net/ipv4/conf/all/send_redirects", "0"},
                                        {"net/ipv4/conf/default/send_redirects", "0"},
                                        {"net/ipv4/icmp_ratelimit", "0"},
                                        {"net/ipv4/icmp_ratemask", "0"},
                                        {"net/ipv4/icmp_echo_ignore_broadcasts", "0"},
                                        {"net/ipv6/conf/default/addr_gen_mode", "1"},
                                        {"net/ipv6/conf/default/accept_dad", "0"},
                                        {"net/ipv6/conf/default/dad_transmits", "0"},
                                        {"net/ipv6/conf/default/accept_ra", "0"},
                                        {"net/ipv6/conf/default/accept_redirects", "0"},
                                        {"net/ipv6/conf/all/forwarding", "1"},
                                        {"net/ipv6/icmp/ratelimit", "0"},
                                        {"net/ipv6/icmp/ratemask", "\n"}};
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        char path[80];
        snprintf(path, sizeof path, "/proc/sys/%s", on[i][0]);
        if (put_file(path, on[i][1])) {
            snprintf(why, NETNS_WHY, "%s cannot be set: %s", on[i][0], strerror(errno));
            return E_IO;
        }
    }
    return 0;
}

static int open_tun(const char *name, char why[NETNS_WHY])
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0) {
        snprintf(why, NETNS_WHY, "no TUN device %s: %s", name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static void add_prefix(struct text *t, const char *what, const struct ip_prefix *p, const char *dev, const char *more)
{
    char ip[ADDR_TEXT];
    if (p->ip.family)
        text_add(t, "%s %s/%u dev %s%s\n", what, ip_text(&p->ip, ip), p->len, dev, more);
}

static int set_addresses(const struct netns_world *w, char why[NETNS_WHY])
{
    enum { BATCH = 256 * 1024 };
    char *buf = malloc(BATCH);
    assert(buf);
    struct text t = text_of(buf, BATCH);
    text_add(&t, "link set lo up\n");
    for (size_t i = 0; i < w->iface_count; i++) {
        const struct netns_iface *f = &w->iface[i];
        text_add(&t, "link set %s up\n", f->name);
        add_prefix(&t, "addr add", &f->v4, f->name, "");
        add_prefix(&t, "addr add", &f->v6, f->name, " nodad");
    }
    for (size_t i = 0; i < w->local_count; i++) {
        const struct ip_prefix p = {w->local[i], w->local[i].family == IP_V4 ? 32 : 128};
        add_prefix(&t, "addr add", &p, "lo", p.ip.family == IP_V4 ? "" : " nodad");
    }
    for (size_t i = 0; i < w->route_count; i++)
        add_prefix(&t, "route replace", &w->route[i].to, w->iface[w->route[i].iface].name, "");
    assert(!t.cut);
    const char *const argv[] = {"ip", "-batch", "-", NULL};
    int rc = netns_run(argv, buf, NULL, why);
    free(buf);
    return rc;
}

/* The kernel makes an IPv6 address its own by and by: before that, packets to it are forwarded. */
static int wait_for_addresses(const struct netns_world *w, char why[NETNS_WHY])
{
    enum { TRIES = 1000, TABLE = 64 * 1024 };
    static const char *const argv[] = {"ip", "-6", "route", "show", "table", "local", NULL};
    static char table[TABLE];
    size_t own = 0;
    for (size_t i = 0; i < w->iface_count; i++)
        own += w->iface[i].v6.ip.family != IP_NONE;
    for (size_t i = 0; i < w->local_count; i++)
        own += w->local[i].family == IP_V6;
    for (int i = 0; i < TRIES; i++) {
        struct text t = text_of(table, sizeof table);
        size_t there = 0;
        if (netns_run(argv, NULL, &t, why))
            return E_IO;
        for (const char *s = table; (s = strstr(s, "local ")); s++)
            there += strncmp(s, "local ::1 ", 10) != 0;
        if (there >= own)
            return 0;
    }
    snprintf(why, NETNS_WHY, "the addresses did not become the machine's own");
    return E_IO;
}

/* ---- rules ---- */

static void drain(struct netns *n)
{
    uint8_t ip[NETNS_FRAME];
    struct nflog_packet p;
    for (size_t i = 0; i < n->tun_count; i++)
        while (read(n->tun[i], ip, sizeof ip) > 0)
            ;
    while (nflog_read(&n->log, &p))
        ;
}

/* What is delivered is logged where connection tracking is on, as on any machine with rules for it. The machine's own
 * chatter (multicast listeners, neighbours) would be taken for answers. */
static int watch(struct netns *n, char why[NETNS_WHY])
{
    static const char table[] =
        "table inet turnproof_watch {\n"
        " chain delivered { type filter hook input priority 2147483647;\n"
        "  ct state new,established,related,invalid,untracked log group 4711 queue-threshold 1 prefix \"in\"\n }\n"
        " chain answered { type filter hook output priority -2147483648;\n"
        "  icmpv6 type { 130, 131, 132, 133, 134, 135, 136, 137, 143 } drop\n  ip protocol igmp drop\n"
        "  log group 4711 queue-threshold 1 prefix \"out\"\n  drop\n }\n}\n";
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    int rc = netns_run(argv, table, NULL, why);
    drain(n);
    return rc;
}

int netns_load(struct netns *n, const char *const argv[], const char *rules, const char *const dump[], struct text *out,
               char why[NETNS_WHY])
{
    static const char *const flush[] = {"nft", "flush", "ruleset", NULL};
    int rc = netns_run(flush, NULL, NULL, why);
    if (!rc)
        rc = netns_run(argv, rules, NULL, why);
    if (!rc && dump)
        rc = netns_run(dump, NULL, out, why);
    return rc ? rc : watch(n, why);
}

/* ---- all of it ---- */

struct netns *netns_open(const struct netns_world *w, char why[NETNS_WHY])
{
    struct netns *n = calloc(1, sizeof *n);
    assert(n);
    n->log.fd = -1;
    if (enter(why) || set_switches(why)) {
        netns_close(n);
        return NULL;
    }
    for (; n->tun_count < w->iface_count; n->tun_count++)
        if ((n->tun[n->tun_count] = open_tun(w->iface[n->tun_count].name, why)) < 0) {
            netns_close(n);
            return NULL;
        }
    if (set_addresses(w, why) || wait_for_addresses(w, why) || nflog_open(&n->log, LOG_GROUP, why, NETNS_WHY) ||
        watch(n, why)) {
        netns_close(n);
        return NULL;
    }
    return n;
}

void netns_close(struct netns *n)
{
    for (size_t i = 0; n && i < n->tun_count; i++)
        close(n->tun[i]);
    if (n)
        nflog_close(&n->log);
    free(n);
}

/* ---- packets ---- */

static bool take(struct netns_seen *s, const uint8_t *ip, size_t len)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    if (len > sizeof s->frame - WIRE_ETH)
        return false;
    size_t eth = wire_put_eth(s->frame, mac, mac, ip[0] >> 4 == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
    memcpy(s->frame + eth, ip, len);
    return wire_parse(s->frame, eth + len, &s->packet) == 0;
}

/* What is delivered is not answered: what the machine says to it is not a matter of the rules. */
static void read_log(struct netns *n, struct netns_seen *s)
{
    struct nflog_packet p;
    while (nflog_read(&n->log, &p)) {
        bool in = strcmp(p.prefix, "in") == 0;
        if (!in && s->fate != NETNS_DROPPED)
            continue;
        s->strays += in && s->fate != NETNS_DROPPED;
        s->strays += !take(s, p.ip, p.len);
        s->fate = in ? NETNS_DELIVERED : NETNS_ANSWERED;
    }
}

void netns_send(struct netns *n, int iface, const uint8_t *frame, size_t len, struct netns_seen *seen)
{
    *seen = (struct netns_seen){.fate = NETNS_DROPPED, .iface = -1};
    assert(iface >= 0 && (size_t)iface < n->tun_count && len > WIRE_ETH);
    ssize_t sent = write(n->tun[iface], frame + WIRE_ETH, len - WIRE_ETH);
    assert(sent == (ssize_t)(len - WIRE_ETH));
    read_log(n, seen);
    uint8_t ip[NETNS_FRAME];
    for (size_t i = 0; i < n->tun_count; i++)
        for (ssize_t got; (got = read(n->tun[i], ip, sizeof ip)) > 0;) {
            seen->strays += seen->fate != NETNS_DROPPED || !take(seen, ip, (size_t)got);
            seen->fate = NETNS_FORWARDED;
            seen->iface = (int)i;
        }
}

size_t netns_next(struct netns *n, int iface, uint8_t frame[NETNS_FRAME])
{
    static const uint8_t none[6] = {0};
    ssize_t got = read(n->tun[iface], frame + WIRE_ETH, NETNS_FRAME - WIRE_ETH);
    if (got <= 0)
        return 0;
    wire_put_eth(frame, none, none, frame[WIRE_ETH] >> 4 == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
    return WIRE_ETH + (size_t)got;
}

void netns_forget(struct netns *n, const struct wire_packet *p, uint16_t echo_id)
{
    nflog_forget(&n->log, p, echo_id);
}
