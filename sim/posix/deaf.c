/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners that do not answer. The kernel drops a SYN when the queue of connections to be accepted is full, so it is
 * filled with connections of our own; once they are gone, the next SYN is answered. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/posix/parts.h"

enum { FILLERS_MOST = 16, PATIENCE_MS = 30, BACKLOG_OPEN = 128 };

struct posix_filler {
    net_sock listener;
    int fd; /* -1: closed; its connection may still wait to be accepted */
    struct endpoint local;
};

bool posix_is_filler(const struct posix *p, const struct endpoint *remote)
{
    for (size_t i = 0; i < p->filler_count; i++)
        if (endpoint_equal(&p->filler[i].local, remote))
            return true;
    return false;
}

/* One more connection to it; false: it has not answered, so the queue is full. */
static bool fill(struct posix *p, net_sock s, const struct endpoint *at)
{
    struct posix_filler *all = realloc(p->filler, (p->filler_count + 1) * sizeof *all);
    if (!all)
        return false;
    p->filler = all;
    struct posix_filler *f = &all[p->filler_count];
    const struct endpoint any = {.port = 0};
    *f = (struct posix_filler){.listener = s, .fd = posix_open(p, USE_CONNECT, &any, at->ip.family)};
    if (f->fd < 0)
        return false;
    union any_address a;
    socklen_t len = posix_to_sockaddr(at, &a);
    if (connect(f->fd, &a.any, len) != 0 && errno != EINPROGRESS) {
        close(f->fd);
        return false;
    }
    posix_local_of(f->fd, &f->local);
    p->filler_count++;
    struct pollfd wait = {.fd = f->fd, .events = POLLOUT};
    return poll(&wait, 1, PATIENCE_MS) == 1;
}

int posix_deafen(struct net *n, net_sock s, bool deaf)
{
    struct posix *p = posix_of(n);
    struct sock *k = &p->sock[s];
    struct endpoint at;
    k->deaf = deaf;
    if (deaf) {
        posix_local_of(k->fd, &at);
        bool full = listen(k->fd, 0) != 0;
        for (int i = 0; !full && i < FILLERS_MOST; i++)
            full = !fill(p, s, &at);
        return full ? 0 : E_IO;
    }
    for (size_t i = 0; i < p->filler_count; i++)
        if (p->filler[i].listener == s && p->filler[i].fd >= 0) {
            close(p->filler[i].fd);
            p->filler[i].fd = -1;
        }
    k->starved = p->any_starved = true; /* the loop looks at it again */
    return listen(k->fd, BACKLOG_OPEN) == 0 ? 0 : posix_error(errno);
}

void posix_deaf_free(struct posix *p)
{
    for (size_t i = 0; i < p->filler_count; i++)
        if (p->filler[i].fd >= 0)
            close(p->filler[i].fd);
    free(p->filler);
}
