/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP of the kernel: received and sent many at a time. What a host sends while it handles events waits in a batch,
 * which goes out before the loop sleeps. */
#include <errno.h>
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
    *out = posix_sock_add(p, fd, SOCK_UDP, host);
    if (!*out)
        return E_NOMEM;
    posix_local_of(fd, &p->sock[*out].local);
    return 0;
}

/* ---- sending ---- */

/* The datagrams of one socket, in the order in which they were sent. */
static void flush_sock(struct posix *p, struct sock *k)
{
    struct batch *b = p->batch;
    struct mmsghdr msg[SEND_MAX];
    struct iovec iov[SEND_MAX];
    unsigned count = 0;
    for (uint32_t at = k->out_first; at; at = b->out[at - 1].next, count++) {
        struct outgoing *o = &b->out[at - 1];
        iov[count] = (struct iovec){o->data, o->len};
        msg[count].msg_hdr = (struct msghdr){
            .msg_name = &o->to, .msg_namelen = o->to_len, .msg_iov = &iov[count], .msg_iovlen = 1};
    }
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(k->fd, msg + done, count - done, 0);
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

void posix_udp_event(struct posix *p, net_sock s)
{
    struct batch *b = p->batch;
    uint32_t generation = p->sock[s].generation;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct mmsghdr msg[RECEIVE_MAX];
        struct iovec iov[RECEIVE_MAX];
        union any_address from[RECEIVE_MAX];
        for (size_t i = 0; i < RECEIVE_MAX; i++) {
            iov[i] = (struct iovec){b->in[i], DATAGRAM_MAX};
            msg[i].msg_hdr = (struct msghdr){
                .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1};
        }
        int count = recvmmsg(p->sock[s].fd, msg, RECEIVE_MAX, 0, NULL);
        if (count < 0 && errno != EAGAIN) /* an ICMP error about an earlier datagram: taken, and on */
            continue;
        for (int i = 0; i < count; i++) {
            struct net_event ev = {.kind = NET_DATAGRAM, .sock = s, .local = p->sock[s].local, .data = b->in[i],
                                   .len = msg[i].msg_len};
            posix_from_sockaddr(&from[i], &ev.remote);
            posix_tell(p, p->sock[s].host, &ev);
            if (!posix_alive(p, s, generation))
                return;
        }
        if (count < RECEIVE_MAX)
            return;
    }
    posix_later(p, s, LATER_RECEIVE, 0);
}
