/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP of the kernel as net.h has it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/parts.h"

enum { BACKLOG = 4096, ACCEPTS_MAX = 256 };
enum { TO_READ = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR };

static void set_number(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value); /* a wish: the kernel may have limits */
}

static void apply(int fd, const struct net_tcp_opts *o)
{
    set_number(fd, SOL_SOCKET, SO_OOBINLINE, 1); /* RFC 6093 6: urgent bytes are not taken out of the stream */
    if (o->send_buffer)
        set_number(fd, SOL_SOCKET, SO_SNDBUF, (int)o->send_buffer);
    if (o->receive_buffer)
        set_number(fd, SOL_SOCKET, SO_RCVBUF, (int)o->receive_buffer);
    if (o->keepalive_ns) {
        set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)((o->keepalive_ns + NS_S - 1) / NS_S));
    }
}

static void remote_of(int fd, struct endpoint *out)
{
    union any_address a = {0};
    socklen_t len = sizeof a;
    if (getpeername(fd, &a.any, &len) == 0)
        posix_from_sockaddr(&a, out);
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return posix_error(error);
}

/* The address as it was given, where it leaves no choice to the kernel, which then need not be asked for it. */
static struct endpoint if_given(const struct endpoint *e)
{
    return e->port && !ip_is_any(&e->ip) ? *e : (struct endpoint){0};
}

int posix_tcp_listen(struct net *n, net_node host, const struct endpoint *local, net_sock *out)
{
    struct posix *p = posix_of(n);
    int fd = posix_open(p, USE_LISTEN, local, local->ip.family);
    if (fd < 0)
        return fd;
    apply(fd, &p->node[host - 1].tcp); /* accepted sockets inherit it, and TCP_NODELAY */
    if (listen(fd, BACKLOG) != 0 || posix_reuse_port(fd) != 0) {
        int err = posix_error(errno);
        close(fd);
        return err;
    }
    *out = posix_sock_add(p, fd, SOCK_LISTENER, host);
    if (!*out)
        return E_NOMEM;
    p->sock[*out].local = if_given(local);
    return 0;
}

/* A socket bound to a port of the host's own range. */
static int open_in_range(const struct posix *p, struct node *node, const struct endpoint *local, uint8_t family)
{
    const struct net_tcp_opts *o = &node->tcp;
    if (!o->first_port || local->port)
        return posix_open(p, USE_CONNECT, local, family);
    int fd = E_NOMEM;
    struct endpoint e = *local;
    for (uint32_t i = 0; i <= (uint32_t)(o->last_port - o->first_port) && fd < 0; i++) {
        if (node->next_port < o->first_port || node->next_port > o->last_port)
            node->next_port = o->first_port;
        e.port = node->next_port++;
        fd = posix_open(p, USE_CONNECT, &e, family);
        if (fd < 0 && fd != E_EXISTS)
            return fd;
    }
    return fd < 0 ? E_NOMEM : fd;
}

int posix_tcp_connect(struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                      net_sock *out)
{
    struct posix *p = posix_of(n);
    int fd = open_in_range(p, &p->node[host - 1], local, remote->ip.family);
    if (fd < 0)
        return fd;
    apply(fd, &p->node[host - 1].tcp);
    union any_address a;
    socklen_t len = posix_to_sockaddr(remote, &a);
    if (connect(fd, &a.any, len) != 0 && errno != EINPROGRESS) {
        int err = posix_error(errno);
        close(fd);
        return err;
    }
    *out = posix_sock_add(p, fd, SOCK_CONNECTING, host);
    if (!*out)
        return E_NOMEM;
    p->sock[*out].local = if_given(local);
    p->sock[*out].remote = if_given(remote);
    return 0;
}

/* ---- accepting ---- */

/* No descriptor is left for a connection that waits: with the spare one it is taken and closed, so that the client
 * learns of it at once. */
static void turn_away(struct posix *p, net_sock listener)
{
    if (p->spare >= 0) {
        close(p->spare);
        int fd = accept4(p->sock[listener].fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
    }
    p->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void posix_tcp_accept(struct posix *p, net_sock s)
{
    uint32_t generation = p->sock[s].generation;
    for (int i = 0; posix_alive(p, s, generation) && !p->sock[s].deaf; i++) {
        union any_address from = {0};
        socklen_t len = sizeof from;
        int fd = i < ACCEPTS_MAX ? accept4(p->sock[s].fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
        if (i == ACCEPTS_MAX || (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS))) {
            if (i < ACCEPTS_MAX)
                turn_away(p, s);
            p->sock[s].starved = p->any_starved = true;
            return;
        }
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0)
            return;
        struct net_event ev = {.kind = NET_ACCEPTED, .sock = s, .local = p->sock[s].local};
        posix_from_sockaddr(&from, &ev.remote);
        if (posix_is_filler(p, &ev.remote)) {
            close(fd);
            continue;
        }
        ev.accepted = posix_sock_add(p, fd, SOCK_STREAM_OPEN, p->sock[s].host);
        if (!ev.accepted)
            return;
        if (!ev.local.port)
            posix_local_of(fd, &ev.local);
        posix_tell(p, p->sock[s].host, &ev);
    }
}

/* ---- connections ---- */

static void connected(struct posix *p, net_sock s, uint32_t events)
{
    struct sock *k = &p->sock[s];
    net_node host = k->host;
    struct net_event ev = {.kind = NET_CONNECTED, .sock = s, .local = k->local, .remote = k->remote,
                           .err = events & (EPOLLERR | EPOLLHUP) ? error_of(k->fd) : 0};
    if (ev.err) {
        ev.kind = NET_FAILED;
        posix_sock_remove(p, s);
    } else {
        k->kind = SOCK_STREAM_OPEN;
        k->dry = !(events & TO_READ);
        if (!ev.local.port)
            posix_local_of(k->fd, &ev.local);
        if (!ev.remote.port)
            remote_of(k->fd, &ev.remote);
    }
    posix_tell(p, host, &ev);
}

static void tell(struct posix *p, net_sock s, enum net_event_kind kind)
{
    posix_tell(p, p->sock[s].host, &(struct net_event){.kind = kind, .sock = s});
}

/* epoll(7): a read that gives less than was asked for has read all, and what comes later is an edge of its own. But not
 * where an end or an error may lie behind the bytes, for its edge was seen with theirs; nor with urgent data, at which
 * the kernel stops a read short. */
static void note_arrival(struct sock *k, uint32_t events)
{
    if (events & TO_READ)
        k->dry = false;
    if (events & (TO_READ & ~(uint32_t)EPOLLIN))
        k->to_the_end = true;
}

void posix_tcp_event(struct posix *p, net_sock s, uint32_t events)
{
    uint32_t generation = p->sock[s].generation;
    note_arrival(&p->sock[s], events);
    if (p->sock[s].kind == SOCK_CONNECTING) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            connected(p, s, events);
        events &= ~(uint32_t)EPOLLOUT;
    }
    if (!posix_alive(p, s, generation) || p->sock[s].kind != SOCK_STREAM_OPEN)
        return;
    if (events & TO_READ)
        tell(p, s, NET_READABLE);
    if (!posix_alive(p, s, generation))
        return;
    if (events & EPOLLERR) {
        posix_later(p, s, LATER_CLOSED, error_of(p->sock[s].fd));
        return;
    }
    if (events & EPOLLOUT && p->sock[s].want_write) {
        p->sock[s].want_write = false;
        tell(p, s, NET_WRITABLE);
    }
    if (!posix_alive(p, s, generation) || !(events & EPOLLHUP))
        return;
    /* Both directions are closed. What is not read yet may still be: CLOSED follows when it is. */
    char byte;
    if (recv(p->sock[s].fd, &byte, 1, MSG_PEEK) > 0)
        p->sock[s].hung_up = true;
    else
        posix_later(p, s, LATER_CLOSED, 0);
}

/* The kernel tells of a reset once: who meets it in a call has taken it away from the events, which then say no more
 * than that both directions are closed. The connection is over as if the event had said so. */
static void met(struct posix *p, net_sock s, int error)
{
    if (error != EAGAIN && error != EINTR && error != ENOBUFS && error != ENOMEM)
        posix_later(p, s, LATER_CLOSED, posix_error(error));
}

size_t posix_tcp_send(struct net *n, net_sock s, const void *data, size_t len)
{
    struct sock *k = &posix_of(n)->sock[s];
    if (k->kind != SOCK_STREAM_OPEN)
        return 0;
    ssize_t sent = send(k->fd, data, len, MSG_NOSIGNAL);
    k->want_write = sent < (ssize_t)len;
    if (sent < 0)
        met(posix_of(n), s, errno);
    return sent > 0 ? (size_t)sent : 0;
}

size_t posix_tcp_recv(struct net *n, net_sock s, void *buf, size_t cap, bool *eof)
{
    struct posix *p = posix_of(n);
    struct sock *k = &p->sock[s];
    *eof = false;
    if (k->dry)
        return 0;
    ssize_t got = recv(k->fd, buf, cap, 0);
    k->dry = got < (ssize_t)cap && !k->to_the_end;
    *eof = got == 0 && cap > 0;
    if (got < 0)
        met(p, s, errno);
    if (*eof && k->hung_up) {
        k->hung_up = false;
        posix_later(p, s, LATER_CLOSED, 0);
    }
    return got > 0 ? (size_t)got : 0;
}

void posix_tcp_shutdown(struct net *n, net_sock s)
{
    shutdown(posix_of(n)->sock[s].fd, SHUT_WR);
}

void posix_tcp_abort(struct net *n, net_sock s)
{
    struct posix *p = posix_of(n);
    struct linger now = {.l_onoff = 1};
    setsockopt(p->sock[s].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    posix_sock_remove(p, s);
}
