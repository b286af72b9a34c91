/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP of the kernel: received and sent many at a time, runs of one length and flow as one. What a host sends while it
 * handles events waits in a batch, which goes out before the loop sleeps.
 *
 * ICMP errors are read from the sockets' error queues (IP_RECVERR). A socket with one pending fails the next call on
 * it, whatever that is about, so what fails is tried once more. A path MTU that an ICMP message claims over IPv4 is
 * told and not believed: neither what may be fragmented nor what may not is held to it here, so a forged one changes
 * nothing. Over IPv6 what may be fragmented has to be, and the kernel goes by what it has learnt. */
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h> /* wants <time.h> before it */

#include "models/base/err.h"
#include "sim/posix/parts.h"

enum {
    RECEIVE_MAX = 32,      /* datagrams a call */
    ROUNDS_MAX = 4,        /* calls for one socket before others have their turn */
    DATAGRAM_MAX = 65536,
    SEND_MAX = 256,
    SEND_SIZE = 2048,      /* longer ones go out by themselves */
    RUN_MAX = 64,          /* datagrams of one length that go out as one message; and their bytes */
    RUN_BYTES = 60000,
    ERRORS_MAX = 32,       /* ICMP errors of one socket before others have their turn */
    TOO_LONG_MAX = 32,
    ICMP4_UNREACHABLE = 3, ICMP4_FRAGMENTATION_NEEDED = 4, ICMP6_TOO_BIG = 2,
};

struct outgoing {
    union any_address to;
    socklen_t to_len;
    size_t len;
    uint32_t next; /* of the same socket, from 1 */
    bool whole;    /* not to be fragmented */
    uint8_t data[SEND_SIZE];
};

/* A datagram that was not to be fragmented and is longer than its first link takes. The kernel says so in the error
 * queue, over IPv4 without the port. */
struct too_long {
    net_sock sock;
    uint32_t generation;
    struct endpoint to;
};

struct batch {
    struct outgoing out[SEND_MAX];
    net_sock socks[SEND_MAX]; /* that have something in the batch */
    size_t count, sock_count;
    struct too_long too_long[TOO_LONG_MAX]; /* a ring */
    size_t too_long_next;
    uint8_t in[RECEIVE_MAX][DATAGRAM_MAX];
};

int posix_udp_init(struct posix *p)
{
    p->batch = malloc(sizeof *p->batch); /* pages that are never touched cost nothing */
    if (!p->batch)
        return E_NOMEM;
    p->batch->count = p->batch->sock_count = p->batch->too_long_next = 0;
    memset(p->batch->too_long, 0, sizeof p->batch->too_long);
    return 0;
}

void posix_udp_free(struct posix *p)
{
    free(p->batch);
}

/* Over IPv4 DF is not set unless asked for (RFC 8656 14), and whoever is on the way may fragment; over IPv6 that is for
 * the sender, by what it has learnt. What is to go as it is goes as far as it gets. */
static int discovery(uint8_t family, bool whole)
{
    if (family == IP_V6)
        return whole ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT;
    return whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT;
}

static void set_whole(struct sock *k, bool whole)
{
    bool v6 = k->local.ip.family == IP_V6;
    int how = discovery(k->local.ip.family, whole);
    setsockopt(k->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how, sizeof how);
    k->whole = whole;
}

int posix_udp_open(struct net *n, net_node host, const struct endpoint *local, net_sock *out)
{
    struct posix *p = posix_of(n);
    int fd = posix_open(p, USE_DATAGRAMS, local, local->ip.family);
    if (fd < 0)
        return fd;
    if (posix_is_shared(p, local))
        posix_reuse_port(fd); /* the first one too, now that it has the address */
    int on = 1; /* runs of datagrams as one; a kernel that cannot gives them one by one */
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    *out = posix_sock_add(p, fd, SOCK_UDP, host);
    if (!*out)
        return E_NOMEM;
    posix_local_of(fd, &p->sock[*out].local);
    bool v6 = local->ip.family == IP_V6;
    setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
    set_whole(&p->sock[*out], false);
    return 0;
}

/* ---- sending ---- */

/* A run of datagrams of one length to one place, only the last of them shorter: one message for the kernel, which takes
 * it through its layers once (UDP_SEGMENT). */
struct run {
    unsigned first, count; /* of the socket's datagrams */
    bool whole;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
};

static bool joins(const struct outgoing *first, const struct outgoing *last, const struct outgoing *o, size_t bytes,
                  unsigned count)
{
    return o->whole == first->whole && o->len && o->len <= first->len && last->len == first->len && count < RUN_MAX &&
           bytes + o->len <= RUN_BYTES && o->to_len == first->to_len && memcmp(&o->to, &first->to, o->to_len) == 0;
}

static void put_run(struct msghdr *m, struct run *run, struct outgoing *first, struct iovec *iov)
{
    *m = (struct msghdr){.msg_name = &first->to, .msg_namelen = first->to_len, .msg_iov = iov,
                         .msg_iovlen = run->count};
    if (run->count == 1)
        return;
    m->msg_control = run->control;
    m->msg_controllen = sizeof run->control;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    *c = (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
    memcpy(CMSG_DATA(c), &(uint16_t){(uint16_t)first->len}, sizeof(uint16_t));
}

/* How many of these went out, or -1. A call that fails because of an earlier datagram has taken that error with it. */
static int send_messages(int fd, struct mmsghdr *msg, unsigned count)
{
    int sent = sendmmsg(fd, msg, count, 0);
    return sent < 0 && errno != EAGAIN ? sendmmsg(fd, msg, count, 0) : sent;
}

/* UDP may lose one: no error to tell, but when it is too long. */
static void send_failed(struct posix *p, net_sock s, const union any_address *to)
{
    struct batch *b = p->batch;
    if (errno != EMSGSIZE || !p->sock[s].whole)
        return;
    struct too_long *t = &b->too_long[b->too_long_next++ % TOO_LONG_MAX];
    *t = (struct too_long){.sock = s, .generation = p->sock[s].generation};
    posix_from_sockaddr(to, &t->to);
}

/* One by one: of a run that the kernel refused, being longer than the way allows, say. */
static void send_single(struct posix *p, net_sock s, const struct msghdr *run)
{
    struct mmsghdr one = {.msg_hdr = {.msg_name = run->msg_name, .msg_namelen = run->msg_namelen, .msg_iovlen = 1}};
    for (size_t i = 0; i < run->msg_iovlen; i++) {
        one.msg_hdr.msg_iov = &run->msg_iov[i];
        if (send_messages(p->sock[s].fd, &one, 1) < 0)
            send_failed(p, s, run->msg_name);
    }
}

/* Runs of one kind: all of them, or none, are not to be fragmented. */
static void send_runs(struct posix *p, net_sock s, struct mmsghdr *msg, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        int sent = send_messages(p->sock[s].fd, msg + done, count - done);
        if (sent < 0 && msg[done].msg_hdr.msg_iovlen > 1)
            send_single(p, s, &msg[done].msg_hdr);
        else if (sent < 0)
            send_failed(p, s, msg[done].msg_hdr.msg_name);
        done += sent > 0 ? (unsigned)sent : 1;
    }
}

/* The datagrams of one socket, in the order in which they were sent. */
static void flush_sock(struct posix *p, net_sock s)
{
    struct batch *b = p->batch;
    struct sock *k = &p->sock[s];
    struct mmsghdr msg[SEND_MAX];
    struct iovec iov[SEND_MAX];
    struct run run[SEND_MAX];
    unsigned count = 0, at = 0;
    for (uint32_t next = k->out_first; next; count++) {
        struct outgoing *first = &b->out[next - 1], *last = first, *o = first;
        size_t bytes = 0;
        run[count].first = at;
        run[count].whole = first->whole;
        for (run[count].count = 0; next && (o == first || joins(first, last, o, bytes, run[count].count));
             o = next ? &b->out[next - 1] : NULL) {
            iov[at++] = (struct iovec){o->data, o->len};
            bytes += o->len;
            run[count].count++;
            last = o;
            next = o->next;
        }
        put_run(&msg[count].msg_hdr, &run[count], first, &iov[run[count].first]);
    }
    for (unsigned done = 0, same; done < count; done += same) {
        for (same = 1; done + same < count && run[done + same].whole == run[done].whole; same++)
            ;
        if (k->whole != run[done].whole)
            set_whole(k, run[done].whole);
        send_runs(p, s, msg + done, same);
    }
    k->out_first = k->out_last = 0;
}

void posix_udp_flush(struct posix *p)
{
    struct batch *b = p->batch;
    for (size_t i = 0; i < b->sock_count; i++)
        if (p->sock[b->socks[i]].out_first)
            flush_sock(p, b->socks[i]);
    b->count = b->sock_count = 0;
}

/* Too long for the batch. */
static int send_now(struct posix *p, net_sock s, const struct endpoint *to, const void *data, size_t len, bool whole)
{
    struct sock *k = &p->sock[s];
    union any_address a;
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct mmsghdr one = {.msg_hdr = {.msg_name = &a, .msg_namelen = posix_to_sockaddr(to, &a), .msg_iov = &iov,
                                      .msg_iovlen = 1}};
    if (k->out_first)
        posix_udp_flush(p);
    if (k->whole != whole)
        set_whole(k, whole);
    if (send_messages(k->fd, &one, 1) > 0)
        return 0;
    int err = posix_error(errno);
    send_failed(p, s, &a);
    return err;
}

static int put(struct posix *p, net_sock s, const struct endpoint *to, const void *data, size_t len, bool whole)
{
    struct batch *b = p->batch;
    struct sock *k = &p->sock[s];
    if (len > SEND_SIZE)
        return send_now(p, s, to, data, len, whole);
    if (b->count == SEND_MAX)
        posix_udp_flush(p);
    struct outgoing *o = &b->out[b->count++];
    o->to_len = posix_to_sockaddr(to, &o->to);
    o->len = len;
    o->next = 0;
    o->whole = whole;
    memcpy(o->data, data, len);
    if (k->out_first)
        b->out[k->out_last - 1].next = (uint32_t)b->count;
    else {
        b->socks[b->sock_count++] = s;
        k->out_first = (uint32_t)b->count;
    }
    k->out_last = (uint32_t)b->count;
    return 0;
}

int posix_udp_send(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len)
{
    return put(posix_of(n), s, to, data, len, false);
}

int posix_udp_send_whole(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len)
{
    return put(posix_of(n), s, to, data, len, true);
}

/* ---- receiving ---- */

/* How long each datagram of a message is: the kernel may hand over a run of them as one (UDP_GRO). */
static size_t segment_of(struct msghdr *m, size_t len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size > 0 ? (size_t)size : len;
        }
    return len;
}

/* Each datagram of a message as an event of its own; false: the socket is gone. */
static bool tell_datagrams(struct posix *p, net_sock s, struct msghdr *m, size_t len)
{
    uint32_t generation = p->sock[s].generation;
    size_t size = segment_of(m, len), at = 0;
    struct net_event ev = {.kind = NET_DATAGRAM, .sock = s, .local = p->sock[s].local};
    posix_from_sockaddr(m->msg_name, &ev.remote);
    do {
        ev.data = (const uint8_t *)m->msg_iov->iov_base + at;
        ev.len = len - at < size ? len - at : size;
        at += size;
        posix_tell(p, p->sock[s].host, &ev);
        if (!posix_alive(p, s, generation))
            return false;
    } while (at < len);
    return true;
}

/* ---- ICMP errors ---- */

/* The datagram to that address which was longest ago too long, or one that is just told; false: none. */
static bool take_too_long(struct posix *p, net_sock s, struct endpoint *to)
{
    struct batch *b = p->batch;
    for (size_t i = 0; i < TOO_LONG_MAX; i++) {
        struct too_long *t = &b->too_long[(b->too_long_next + i) % TOO_LONG_MAX];
        if (t->sock != s || t->generation != p->sock[s].generation || !ip_equal(&t->to.ip, &to->ip))
            continue;
        *to = t->to;
        t->sock = 0;
        return true;
    }
    return false;
}

/* What an entry of the error queue says, if it is an ICMP error or as good as one: "fragmentation needed" (RFC 1191)
 * and "packet too big" (RFC 4443 3.2) of this very host. */
static bool read_error(struct posix *p, net_sock s, struct msghdr *m, struct net_event *ev)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct sock_extended_err e;
    if (!c || c->cmsg_len < CMSG_LEN(sizeof e))
        return false;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    posix_from_sockaddr(m->msg_name, &ev->remote);
    bool v6 = ev->remote.ip.family == IP_V6;
    ev->icmp_type = e.ee_type;
    ev->icmp_code = e.ee_code;
    if (e.ee_origin == SO_EE_ORIGIN_LOCAL) {
        ev->icmp_type = v6 ? ICMP6_TOO_BIG : ICMP4_UNREACHABLE;
        ev->icmp_code = v6 ? 0 : ICMP4_FRAGMENTATION_NEEDED;
    }
    bool too_big = v6 ? ev->icmp_type == ICMP6_TOO_BIG
                      : ev->icmp_type == ICMP4_UNREACHABLE && ev->icmp_code == ICMP4_FRAGMENTATION_NEEDED;
    ev->icmp_mtu = too_big ? e.ee_info : 0;
    if (e.ee_origin == SO_EE_ORIGIN_LOCAL)
        return e.ee_errno == EMSGSIZE && take_too_long(p, s, &ev->remote);
    return e.ee_origin == (v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP);
}

/* The queue is empty: what is left has lost its entry there. */
static void forget_too_long(struct posix *p, net_sock s)
{
    for (size_t i = 0; i < TOO_LONG_MAX; i++)
        if (p->batch->too_long[i].sock == s)
            p->batch->too_long[i].sock = 0;
}

/* False: the socket is gone. */
static bool tell_errors(struct posix *p, net_sock s)
{
    uint32_t generation = p->sock[s].generation;
    for (int i = 0; i < ERRORS_MAX; i++) {
        union any_address to = {0};
        enum { ROOM = sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6) };
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(ROOM)];
        struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_control = control,
                           .msg_controllen = sizeof control};
        if (recvmsg(p->sock[s].fd, &m, MSG_ERRQUEUE) < 0) {
            forget_too_long(p, s);
            return true;
        }
        struct net_event ev = {.kind = NET_ICMP, .sock = s, .local = p->sock[s].local};
        if (!read_error(p, s, &m, &ev))
            continue;
        posix_tell(p, p->sock[s].host, &ev);
        if (!posix_alive(p, s, generation))
            return false;
    }
    posix_later(p, s, LATER_RECEIVE, 0);
    return true;
}

/* An error that comes while datagrams are read ends that early, but has an event of its own: the rest is read then. */
void posix_udp_event(struct posix *p, net_sock s, uint32_t events)
{
    struct batch *b = p->batch;
    if (events & EPOLLERR && !tell_errors(p, s))
        return;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct mmsghdr msg[RECEIVE_MAX];
        struct iovec iov[RECEIVE_MAX];
        union any_address from[RECEIVE_MAX];
        _Alignas(struct cmsghdr) char control[RECEIVE_MAX][CMSG_SPACE(sizeof(int))];
        for (size_t i = 0; i < RECEIVE_MAX; i++) {
            iov[i] = (struct iovec){b->in[i], DATAGRAM_MAX};
            msg[i].msg_hdr = (struct msghdr){
                .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1,
                .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        int count = recvmmsg(p->sock[s].fd, msg, RECEIVE_MAX, 0, NULL);
        if (count < 0 && errno != EAGAIN) /* an ICMP error about an earlier datagram: taken, and on */
            continue;
        for (int i = 0; i < count; i++)
            if (!tell_datagrams(p, s, &msg[i].msg_hdr, msg[i].msg_len))
                return;
        if (count < RECEIVE_MAX)
            return;
    }
    posix_later(p, s, LATER_RECEIVE, 0);
}
