/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <algorithm>
#include <cassert>

#include <ns3/ipv4-route.h>
#include <ns3/ipv6-route.h>
#include <ns3/simulator.h>
#include <ns3/udp-l4-protocol.h>

#include "sim/ns3/address.hpp"
#include "sim/ns3/world.hpp"

extern "C" {
#include "models/base/err.h"
}

using namespace ns3;

namespace turnproof {

constexpr uint16_t FIRST_PORT = 49152, LAST_PORT = 65535;
constexpr unsigned TCP_IP4 = 40, TCP_IP6 = 60;     /* headers */
constexpr size_t UDP_MAX = 65535 - 20 - 8;

/* ---- the table ---- */

Sock &World::sock(net_sock id)
{
    assert(id > 0 && id <= m_sockets.size() && m_sockets[id - 1]);
    return *m_sockets[id - 1];
}

Sock &World::sock_add(Node &host, SockKind kind, const endpoint &local)
{
    net_sock id = static_cast<net_sock>(m_sockets.size() + 1);
    m_sockets.push_back(std::unique_ptr<Sock>(new Sock{kind, host, id, local, {}, {}}));
    host.sockets.push_back(id);
    return *m_sockets.back();
}

void World::sock_drop(Sock &s)
{
    std::vector<net_sock> &all = s.host.sockets;
    all.erase(std::find(all.begin(), all.end(), s.id));
    m_sockets[s.id - 1].reset();
}

void World::tell(const Sock &s, net_event ev)
{
    if (!ev.sock)
        ev.sock = s.id;
    if (s.host.spec.handler)
        s.host.spec.handler(s.host.spec.ctx, &ev);
}

/* ---- addresses and ports ---- */

bool World::own(const Node &host, const ip_addr &ip) const
{
    for (const auto &port : host.ports)
        for (const ip_prefix &p : port->prefixes)
            if (ip_equal(&p.ip, &ip))
                return true;
    return false;
}

/* "Any" of a family, or not set: both. */
static bool overlap(const ip_addr &a, const ip_addr &b)
{
    bool any = ip_is_any(&a) || ip_is_any(&b);
    return any ? a.family == b.family || a.family == IP_NONE || b.family == IP_NONE : ip_equal(&a, &b);
}

bool World::bound(const Node &host, SockKind kind, const endpoint &local) const
{
    for (net_sock id : host.sockets) {
        const Sock &s = *m_sockets[id - 1];
        if (s.kind == kind && s.local.port == local.port && overlap(s.local.ip, local.ip))
            return true;
    }
    return false;
}

bool World::port_used(const Node &host, const endpoint &local, const endpoint *remote) const
{
    if (!remote)
        return bound(host, SockKind::UDP, local);
    for (net_sock id : host.sockets) {
        const Sock &s = *m_sockets[id - 1];
        if (s.kind == SockKind::CONNECTION && endpoint_equal(&s.local, &local) && endpoint_equal(&s.remote, remote))
            return true;
    }
    return bound(host, SockKind::LISTENER, local);
}

/* The next ephemeral port that is free; remote null: for UDP. 0: none. */
uint16_t World::next_port(Node &host, const ip_addr &local, const endpoint *remote)
{
    const net_tcp_opts &o = host.spec.tcp;
    unsigned first = o.first_port ? o.first_port : FIRST_PORT, last = o.first_port ? o.last_port : LAST_PORT;
    unsigned range = last - first + 1;
    for (unsigned i = 0; i < range; i++) {
        unsigned at = (host.next_port + i) % range;
        endpoint e = {local, static_cast<uint16_t>(first + at)};
        if (!port_used(host, e, remote)) {
            host.next_port = (at + 1) % range;
            return e.port;
        }
    }
    return 0;
}

/* from: in: wanted, or any; out: the one to use. */
int World::source_for(Node &host, const ip_addr &to, ip_addr *from)
{
    start();
    bool any = ip_is_any(from);
    if (!any && (!own(host, *from) || from->family != to.family))
        return E_UNREACHABLE;
    if (own(host, to)) {
        *from = any ? to : *from;
        return 0;
    }
    Socket::SocketErrno err;
    if (to.family == IP_V4) {
        Ipv4Header h;
        h.SetDestination(to_v4(to));
        Ptr<Ipv4Route> r = host.routing4->RouteOutput(nullptr, h, nullptr, err);
        if (r && any)
            *from = from_v4(r->GetSource());
        return r ? 0 : E_UNREACHABLE;
    }
    Ipv6Header h;
    h.SetDestination(to_v6(to));
    Ptr<Ipv6Route> r = host.routing6->RouteOutput(nullptr, h, nullptr, err);
    if (r && any)
        *from = from_v6(r->GetSource());
    return r ? 0 : E_UNREACHABLE;
}

/* ---- TCP ---- */

/* The segment size is that of the interface with the address, or of the smallest when that is any. */
uint16_t World::mss(const Node &host, const ip_addr &local) const
{
    unsigned mtu = UINT16_MAX;
    for (const auto &port : host.ports)
        for (const ip_prefix &p : port->prefixes)
            if (overlap(p.ip, local))
                mtu = std::min<unsigned>(mtu, port->mtu);
    unsigned mss = mtu - (local.family == IP_V6 ? TCP_IP6 : TCP_IP4);
    if (host.spec.tcp.mss)
        mss = std::min<unsigned>(mss, host.spec.tcp.mss);
    return static_cast<uint16_t>(mss);
}

Ptr<HostTcp> World::tcp_new(Node &host, const ip_addr &local)
{
    return CreateObject<HostTcp>(
        TcpConfig{this, host.node, host.id, host.spec.tcp, mss(host, local), host.isn_key});
}

int World::tcp_listen(net_node id, const endpoint &local, net_sock *out)
{
    Node &host = node(id);
    assert(local.port > 0);
    if (!ip_is_any(&local.ip) && !own(host, local.ip))
        return E_UNREACHABLE;
    if (bound(host, SockKind::LISTENER, local))
        return E_EXISTS;
    Sock &s = sock_add(host, SockKind::LISTENER, local);
    for (uint8_t family : {IP_V4, IP_V6}) {
        if (local.ip.family != IP_NONE && local.ip.family != family)
            continue;
        endpoint at = local;
        at.ip.family = family;
        Ptr<HostTcp> t = tcp_new(host, at.ip);
        t->id = s.id;
        int e = t->listen(at);
        assert(e == 0);
        (void)e;
        s.tcp.push_back(t);
    }
    *out = s.id;
    return 0;
}

int World::tcp_connect(net_node id, endpoint local, const endpoint &remote, net_sock *out)
{
    Node &host = node(id);
    int e = source_for(host, remote.ip, &local.ip);
    if (e)
        return e;
    bool chosen = local.port > 0;
    Ptr<HostTcp> t = tcp_new(host, local.ip);
    do {
        if (!chosen)
            local.port = next_port(host, local.ip, &remote);
        if (local.port == 0)
            return E_NOMEM;
        e = t->connect(local, remote); /* E_EXISTS also when the last one there is in TIME_WAIT */
    } while (e == E_EXISTS && !chosen);
    if (e)
        return e;
    Sock &s = sock_add(host, SockKind::CONNECTION, local);
    s.remote = remote;
    s.tcp.push_back(t);
    t->id = s.id;
    *out = s.id;
    return 0;
}

HostTcp &World::connection(net_sock id)
{
    Sock &s = sock(id);
    assert(s.kind == SockKind::CONNECTION);
    return *s.tcp.front();
}

void World::sock_close(net_sock id)
{
    Sock &s = sock(id);
    for (const Ptr<HostTcp> &t : s.tcp)
        t->close();
    Ptr<UdpL4Protocol> udp = s.host.node->GetObject<UdpL4Protocol>();
    if (s.udp4)
        udp->DeAllocate(s.udp4);
    if (s.udp6)
        udp->DeAllocate(s.udp6);
    sock_drop(s);
}

void World::tcp_abort(net_sock id)
{
    connection(id).abort();
    sock_drop(sock(id));
}

void World::tcp_connected(HostTcp &t)
{
    const Sock &s = sock(t.id);
    net_event ev = {};
    ev.kind = NET_CONNECTED;
    ev.local = s.local;
    ev.remote = s.remote;
    tell(s, ev);
}

void World::tcp_accepted(HostTcp &listener, HostTcp &t)
{
    Sock &s = sock_add(node(t.host()), SockKind::CONNECTION, t.local());
    s.remote = t.remote();
    s.tcp.push_back(&t);
    t.id = s.id;
    net_event ev = {};
    ev.kind = NET_ACCEPTED;
    ev.sock = listener.id;
    ev.accepted = s.id;
    ev.local = s.local;
    ev.remote = s.remote;
    tell(s, ev);
}

void World::tcp_readable(HostTcp &t)
{
    net_event ev = {};
    ev.kind = NET_READABLE;
    tell(sock(t.id), ev);
}

void World::tcp_writable(HostTcp &t)
{
    net_event ev = {};
    ev.kind = NET_WRITABLE;
    tell(sock(t.id), ev);
}

void World::tcp_ended(HostTcp &t, bool was_connected, int err)
{
    Sock &s = sock(t.id);
    Node &host = s.host;
    net_event ev = {};
    ev.kind = was_connected ? NET_CLOSED : NET_FAILED;
    ev.sock = s.id;
    ev.err = err;
    sock_drop(s);
    if (host.spec.handler)
        host.spec.handler(host.spec.ctx, &ev);
}

/* ---- UDP: the end points of ns-3's demultiplexer, without its socket ---- */

int World::udp_open(net_node id, endpoint local, net_sock *out)
{
    Node &host = node(id);
    if (!ip_is_any(&local.ip) && !own(host, local.ip))
        return E_UNREACHABLE;
    if (local.port == 0 && (local.port = next_port(host, local.ip, nullptr)) == 0)
        return E_NOMEM;
    if (bound(host, SockKind::UDP, local))
        return E_EXISTS;
    Sock &s = sock_add(host, SockKind::UDP, local);
    Ptr<UdpL4Protocol> udp = host.node->GetObject<UdpL4Protocol>();
    net_sock sid = s.id;
    if (local.ip.family != IP_V6) {
        s.udp4 = udp->Allocate(nullptr, to_v4(local.ip), local.port);
        s.udp4->SetRxCallback(Callback<void, Ptr<Packet>, Ipv4Header, uint16_t, Ptr<Ipv4Interface>>(
            [this, sid, port = local.port](Ptr<Packet> p, Ipv4Header h, uint16_t from, Ptr<Ipv4Interface>) {
                datagram(sid, {from_v4(h.GetSource()), from}, {from_v4(h.GetDestination()), port}, p);
            }));
    }
    if (local.ip.family != IP_V4) {
        s.udp6 = udp->Allocate6(nullptr, to_v6(local.ip), local.port);
        s.udp6->SetRxCallback(Callback<void, Ptr<Packet>, Ipv6Header, uint16_t, Ptr<Ipv6Interface>>(
            [this, sid, port = local.port](Ptr<Packet> p, Ipv6Header h, uint16_t from, Ptr<Ipv6Interface>) {
                datagram(sid, {from_v6(h.GetSource()), from}, {from_v6(h.GetDestination()), port}, p);
            }));
    }
    *out = sid;
    return 0;
}

/* Told in an event of its own: the handler may close the socket, and with it the end point that calls here. */
void World::datagram(net_sock id, const endpoint &from, const endpoint &to, Ptr<Packet> packet)
{
    Simulator::ScheduleNow([this, id, from, to, packet] {
        if (!m_sockets[id - 1])
            return;
        Frame data(packet->GetSize());
        packet->CopyData(data.data(), packet->GetSize());
        net_event ev = {};
        ev.kind = NET_DATAGRAM;
        ev.local = to;
        ev.remote = from;
        ev.data = data.data();
        ev.len = data.size();
        tell(sock(id), ev);
    });
}

int World::udp_send(net_sock id, const endpoint &to, const void *data, size_t len)
{
    Sock &s = sock(id);
    assert(s.kind == SockKind::UDP);
    ip_addr from = s.local.ip;
    int e = source_for(s.host, to.ip, &from);
    if (e)
        return e;
    if (len > UDP_MAX)
        return E_SPACE;
    Ptr<UdpL4Protocol> udp = s.host.node->GetObject<UdpL4Protocol>();
    Ptr<Packet> p = Create<Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(len));
    if (to.ip.family == IP_V4)
        udp->Send(p, to_v4(from), to_v4(to.ip), s.local.port, to.port);
    else
        udp->Send(p, to_v6(from), to_v6(to.ip), s.local.port, to.port);
    return 0;
}

} // namespace turnproof
