/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and the resolver know of addresses. */
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/posix/parts.h"

int posix_source(const struct endpoint *to, struct ip_addr *out)
{
    int fd = socket(to->ip.family == IP_V6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return E_UNREACHABLE;
    union any_address a;
    socklen_t len = posix_to_sockaddr(to, &a);
    int err = connect(fd, &a.any, len) == 0 ? 0 : E_UNREACHABLE; /* of UDP: chooses the source, sends nothing */
    struct endpoint local = {0};
    if (!err)
        posix_local_of(fd, &local);
    close(fd);
    *out = local.ip;
    return err;
}

int posix_resolve(const char *name, struct ip_addr *v4, struct ip_addr *v6)
{
    struct addrinfo *all = NULL, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    *v4 = *v6 = (struct ip_addr){0};
    if (getaddrinfo(name, NULL, &hints, &all) != 0)
        return E_NOT_FOUND;
    for (const struct addrinfo *i = all; i; i = i->ai_next) {
        union any_address a = {0};
        struct endpoint e;
        memcpy(&a, i->ai_addr, i->ai_family == AF_INET6 ? sizeof a.v6 : sizeof a.v4);
        posix_from_sockaddr(&a, &e);
        struct ip_addr *out = i->ai_family == AF_INET6 ? v6 : v4;
        if (!out->family)
            *out = e.ip;
    }
    freeaddrinfo(all);
    return v4->family || v6->family ? 0 : E_NOT_FOUND;
}
