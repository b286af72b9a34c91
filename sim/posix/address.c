/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and errors as the kernel has them. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/posix/parts.h"

socklen_t posix_to_sockaddr(const struct endpoint *e, union any_address *out)
{
    memset(out, 0, sizeof *out);
    if (e->ip.family == IP_V6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(e->port);
        memcpy(&out->v6.sin6_addr, e->ip.b, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(e->port);
    memcpy(&out->v4.sin_addr, e->ip.b, 4);
    return sizeof out->v4;
}

void posix_from_sockaddr(const union any_address *a, struct endpoint *out)
{
    *out = (struct endpoint){0};
    if (a->any.sa_family == AF_INET6) {
        out->ip.family = IP_V6;
        memcpy(out->ip.b, &a->v6.sin6_addr, 16);
        out->port = ntohs(a->v6.sin6_port);
    } else {
        out->ip.family = IP_V4;
        memcpy(out->ip.b, &a->v4.sin_addr, 4);
        out->port = ntohs(a->v4.sin_port);
    }
}

void posix_local_of(int fd, struct endpoint *out)
{
    union any_address a = {0};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) == 0)
        posix_from_sockaddr(&a, out);
}

int posix_error(int error)
{
    switch (error) {
    case 0:
        return 0;
    case EADDRINUSE:
        return E_EXISTS;
    case ECONNREFUSED:
        return E_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return E_RESET;
    case ETIMEDOUT:
        return E_TIMED_OUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return E_NOMEM;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EINVAL: /* connect to an address that one cannot connect to */
        return E_UNREACHABLE;
    default:
        return E_IO;
    }
}

static int set(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on);
}

bool posix_is_shared(const struct posix *p, const struct endpoint *local)
{
    for (size_t i = 0; i < p->shared_count; i++)
        if (endpoint_equal(&p->shared[i], local))
            return true;
    return false;
}

int posix_reuse_port(int fd)
{
    return set(fd, SOL_SOCKET, SO_REUSEPORT);
}

int posix_open(const struct posix *p, enum posix_use use, const struct endpoint *local, uint8_t family)
{
    int type = use == USE_DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(family == IP_V6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return posix_error(errno);
    if (fd >= p->most) {
        close(fd);
        return E_NOMEM;
    }
    bool bound = local->port || !ip_is_any(&local->ip);
    bool beside = use == USE_CONNECT || (posix_is_shared(p, local) && !p->shares_first);
    bool ok = (use == USE_DATAGRAMS ||
               (set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && set(fd, IPPROTO_TCP, TCP_NODELAY) == 0)) &&
              (!beside || posix_reuse_port(fd) == 0) &&
              (family != IP_V6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    union any_address a;
    struct endpoint e = *local;
    e.ip.family = family;
    socklen_t len = posix_to_sockaddr(&e, &a);
    if (ok && (!bound || bind(fd, &a.any, len) == 0))
        return fd;
    int err = posix_error(errno);
    close(fd);
    return err;
}

int posix_addresses(struct ip_addr *out, size_t max, size_t *count)
{
    struct ifaddrs *all = NULL;
    *count = 0;
    if (getifaddrs(&all) != 0)
        return E_IO;
    for (const struct ifaddrs *a = all; a && *count < max; a = a->ifa_next) {
        bool v4 = a->ifa_addr && a->ifa_addr->sa_family == AF_INET;
        if (!v4 && !(a->ifa_addr && a->ifa_addr->sa_family == AF_INET6))
            continue;
        union any_address address = {0};
        memcpy(&address, a->ifa_addr, v4 ? sizeof address.v4 : sizeof address.v6);
        struct endpoint e;
        posix_from_sockaddr(&address, &e);
        out[(*count)++] = e.ip;
    }
    freeifaddrs(all);
    return 0;
}

const char *posix_stamp(char out[32])
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now.tv_sec, &tm));
    return out;
}
