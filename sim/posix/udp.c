/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP of the kernel: received and sent many at a time, runs of one length and flow as one. What a host sends while it
 * handles events waits in a batch, which goes out before the loop sleeps. */
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
};

struct outgoing {
    union any_address to;
    socklen_t to_len;
    size_t len;
    uint32_t next; /* of the same socket, from 1 */
    uint8_t data[SEND_SIZE];
};

struct batch {
    struct outgoing out[SEND_MAX];
    net_sock socks[SEND_MAX]; /* that have something in the batch */
    size_t count, sock_count;
    uint8_t in[RECEIVE_MAX][DATAGRAM_MAX];
};

int posix_udp_init(struct posix *p)
{
    p->batch = malloc(sizeof *p->batch); /* pages that are never touched cost nothing */
    if (!p->batch)
        return E_NOMEM;
    p->batch->count = p->batch->sock_count = 0;
    return 0;
}

void posix_udp_free(struct posix *p)
{
    free(p->batch);
}

int posix_udp_open(struct net *n, net_node host, const struct endpoint *local, net_sock *out)
{
    struct posix *p = posix_of(n);
    int fd = posix_open(p, SOCK_DGRAM, local, local->ip.family);
    if (fd < 0)
        return fd;
    int on = 1; /* runs of datagrams as one; a kernel that cannot gives them one by one */
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    *out = posix_sock_add(p, fd, SOCK_UDP, host);
    if (!*out)
        return E_NOMEM;
    posix_local_of(fd, &p->sock[*out].local);
    return 0;
}

/* ---- sending ---- */

/* A run of datagrams of one length to one place, only the last of them shorter: one message for the kernel, which takes
 * it through its layers once (UDP_SEGMENT). */
struct run {
    unsigned first, count; /* of the socket's datagrams */
    char control[CMSG_SPACE(sizeof(uint16_t))];
};

static bool joins(const struct outgoing *first, const struct outgoing *last, const struct outgoing *o, size_t bytes,
                  unsigned count)
{
    return o->len && o->len <= first->len && last->len == first->len && count < RUN_MAX &&
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

/* One by one: of a run that the kernel refused, being longer than the way allows, say. UDP may lose one: no error. */
static void send_single(int fd, const struct msghdr *run)
{
    struct msghdr one = {.msg_name = run->msg_name, .msg_namelen = run->msg_namelen, .msg_iovlen = 1};
    for (size_t i = 0; i < run->msg_iovlen; i++) {
        one.msg_iov = &run->msg_iov[i];
        sendmsg(fd, &one, 0);
    }
}

/* The datagrams of one socket, in the order in which they were sent. */
static void flush_sock(struct posix *p, struct sock *k)
{
    struct batch *b = p->batch;
    struct mmsghdr msg[SEND_MAX];
    struct iovec iov[SEND_MAX];
    struct run run[SEND_MAX];
    unsigned count = 0, at = 0;
    for (uint32_t next = k->out_first; next; count++) {
        struct outgoing *first = &b->out[next - 1], *last = first, *o = first;
        size_t bytes = 0;
        run[count].first = at;
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
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(k->fd, msg + done, count - done, 0);
        if (sent < 0 && msg[done].msg_hdr.msg_iovlen > 1)
            send_single(k->fd, &msg[done].msg_hdr);
        done += sent > 0 ? (unsigned)sent : 1; /* UDP may lose one: no error to tell */
    }
    k->out_first = k->out_last = 0;
}

void posix_udp_flush(struct posix *p)
{
    struct batch *b = p->batch;
    for (size_t i = 0; i < b->sock_count; i++)
        if (p->sock[b->socks[i]].out_first)
            flush_sock(p, &p->sock[b->socks[i]]);
    b->count = b->sock_count = 0;
}

int posix_udp_send(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len)
{
    struct posix *p = posix_of(n);
    struct batch *b = p->batch;
    struct sock *k = &p->sock[s];
    if (len > SEND_SIZE) {
        if (k->out_first)
            posix_udp_flush(p);
        union any_address a;
        socklen_t a_len = posix_to_sockaddr(to, &a);
        return sendto(k->fd, data, len, 0, &a.any, a_len) < 0 ? posix_error(errno) : 0;
    }
    if (b->count == SEND_MAX)
        posix_udp_flush(p);
    struct outgoing *o = &b->out[b->count++];
    o->to_len = posix_to_sockaddr(to, &o->to);
    o->len = len;
    o->next = 0;
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

void posix_udp_event(struct posix *p, net_sock s)
{
    struct batch *b = p->batch;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct mmsghdr msg[RECEIVE_MAX];
        struct iovec iov[RECEIVE_MAX];
        union any_address from[RECEIVE_MAX];
        char control[RECEIVE_MAX][CMSG_SPACE(sizeof(int))];
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
