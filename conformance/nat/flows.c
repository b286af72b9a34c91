/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/nat/flows.h"

struct line *nat_udp_socket(struct probe *p, enum place client, uint16_t port)
{
    struct endpoint local = {probe_ip(p, client, IP_V4), port};
    return port ? probe_udp_at(p, client, &local) : probe_udp(p, client, IP_V4);
}

struct endpoint nat_out(struct probe *p, struct line *from, struct line *peer)
{
    struct endpoint to = line_local(peer), source = {0};
    uint8_t b[8];
    while (line_datagram(peer, b, sizeof b, NULL, 0) >= 0)
        continue;
    line_send_to(from, &to, "out", 3);
    probe_require(p, line_datagram(peer, b, sizeof b, &source, probe_soon(p)) == 3,
                  "a datagram from inside has not come to the peer");
    return source;
}

bool nat_in(struct probe *p, struct line *peer, const struct endpoint *mapped, struct line *to)
{
    uint8_t b[8];
    while (line_datagram(to, b, sizeof b, NULL, 0) >= 0)
        continue;
    line_send_to(peer, mapped, "in", 2);
    return line_datagram(to, b, sizeof b, NULL, probe_soon(p)) == 2;
}

struct nat_pair nat_connect(struct probe *p, enum place client, uint16_t port, struct line *listener)
{
    struct endpoint local = {probe_ip(p, client, IP_V4), port}, to = line_local(listener);
    struct nat_pair pair = {.inner = probe_begin_dial_at(p, client, &local, &to)};
    probe_require(p, line_connected(pair.inner, probe_soon(p)), "a client's TCP connection to a peer does not come up");
    pair.outer = probe_accept(p, listener, probe_soon(p));
    probe_require(p, pair.outer, "the peer has accepted no connection");
    pair.mapped = line_remote(pair.outer);
    return pair;
}

bool nat_byte(struct line *from, struct line *to, uint64_t ns)
{
    char c = 0;
    line_send(from, "x", 1);
    return line_read_all(to, &c, 1, ns) && c == 'x';
}
