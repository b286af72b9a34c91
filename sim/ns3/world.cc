/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/ns3/world.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <string>

#include <ns3/arp-cache.h>
#include <ns3/boolean.h>
#include <ns3/config.h>
#include <ns3/global-value.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-l3-protocol.h>
#include <ns3/ipv4-route.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv6-interface.h>
#include <ns3/ipv6-route.h>
#include <ns3/ipv6-l3-protocol.h>
#include <ns3/ipv6-static-routing-helper.h>
#include <ns3/mac48-address.h>
#include <ns3/ndisc-cache.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/tcp-l4-protocol.h>

#include "sim/ns3/address.hpp"

extern "C" {
#include "models/base/time.h"
}

using namespace ns3;

namespace turnproof {

static bool world_exists;

World::World(uint64_t seed) : ::net{nullptr}, m_seed(seed)
{
    world_exists = true;
    /* Nothing here draws from the random streams of ns-3 that would show on a link; all the same, the same ones. */
    RngSeedManager::SetSeed(static_cast<uint32_t>(seed % 4294944442u) + 1);
    RngSeedManager::SetRun(1);
    GlobalValue::Bind("ChecksumEnabled", BooleanValue(true));
    Config::SetDefault("ns3::Icmpv6L4Protocol::DAD", BooleanValue(false));
}

World::~World()
{
    Simulator::Destroy();
    m_sockets.clear();
    m_nodes.clear();
    world_exists = false;
}

Node &World::node(net_node id)
{
    assert(id > 0 && id <= m_nodes.size());
    return *m_nodes[id - 1];
}

/* ---- building ---- */

void World::add_stack(Node &host)
{
    host.node = CreateObject<ns3::Node>();
    Ipv4StaticRoutingHelper routing4;
    Ipv6StaticRoutingHelper routing6;
    InternetStackHelper stack;
    stack.SetRoutingHelper(routing4);
    stack.SetRoutingHelper(routing6);
    stack.Install(host.node);
    host.ip4 = host.node->GetObject<Ipv4>();
    host.ip6 = host.node->GetObject<Ipv6>();
    host.ip4->SetAttribute("IpForward", BooleanValue(false));
    host.routing4 = routing4.GetStaticRouting(host.ip4);
    host.routing6 = routing6.GetStaticRouting(host.ip6);

    Ptr<TcpL4Protocol> tcp = host.node->GetObject<TcpL4Protocol>();
    tcp->SetDownTarget(IpL4Protocol::DownTargetCallback(
        [this, &host, down = tcp->GetDownTarget()](Ptr<Packet> segment, Ipv4Address from, Ipv4Address to,
                                                   uint8_t protocol, Ptr<Ipv4Route> route) {
            tcp_announce_mss(segment, from, to, mss(host, from_v4(from)));
            down(segment, from, to, protocol, route);
        }));
    tcp->SetDownTarget6(IpL4Protocol::DownTargetCallback6(
        [this, &host, down = tcp->GetDownTarget6()](Ptr<Packet> segment, Ipv6Address from, Ipv6Address to,
                                                    uint8_t protocol, Ptr<Ipv6Route> route) {
            tcp_announce_mss(segment, from, to, mss(host, from_v6(from)));
            down(segment, from, to, protocol, route);
        }));
}

net_node World::node_add(const net_node_spec &spec)
{
    auto n = std::make_unique<Node>();
    n->id = static_cast<net_node>(m_nodes.size() + 1);
    n->spec = spec;
    if (spec.kind == NET_HOST) {
        struct rng r = rng_named(m_seed, ("host/" + std::string(spec.name) + "/isn").c_str());
        n->isn_key = rng_u64(&r);
        add_stack(*n);
    }
    m_nodes.push_back(std::move(n));
    return m_nodes.back()->id;
}

/* To its own addresses a host talks over the loopback interface, number 0. */
void World::add_addresses(Node &host, Port &port)
{
    uint32_t at4 = 0, at6 = 0;
    for (const ip_prefix &p : port.prefixes) {
        if (p.ip.family == IP_V4) {
            if (!at4) {
                at4 = host.ip4->AddInterface(port.device);
                host.ip4->SetUp(at4);
            }
            uint32_t mask = p.len ? UINT32_MAX << (32 - p.len) : 0;
            host.ip4->AddAddress(at4, Ipv4InterfaceAddress(to_v4(p.ip), Ipv4Mask(mask)));
            host.routing4->AddHostRouteTo(to_v4(p.ip), 0);
        } else {
            if (!at6) {
                at6 = host.ip6->AddInterface(port.device);
                host.ip6->SetUp(at6);
            }
            host.ip6->AddAddress(at6, Ipv6InterfaceAddress(to_v6(p.ip), Ipv6Prefix(p.len)));
            host.routing6->AddHostRouteTo(to_v6(p.ip), 0);
        }
    }
}

unsigned World::iface_add(const net_iface_spec &spec)
{
    Node &n = node(spec.node);
    unsigned number = static_cast<unsigned>(n.ports.size());
    n.ports.push_back(std::make_unique<Port>(*this, net_end{n.id, number}, spec));
    Port &port = *n.ports.back();
    for (const ip_prefix &p : port.prefixes)
        neighbour_add(p.ip, spec.mac);
    if (n.spec.kind == NET_HOST) {
        port.device = CreateObject<EthernetDevice>(&port);
        n.node->AddDevice(port.device);
        add_addresses(n, port);
    }
    return number;
}

void World::link_add(const net_link_spec &spec)
{
    Port &a = *node(spec.a.node).ports.at(spec.a.port), &b = *node(spec.b.node).ports.at(spec.b.port);
    a.connect(b, m_seed, spec.name, "ab", spec.ab);
    b.connect(a, m_seed, spec.name, "ba", spec.ba);
}

void World::route_add(const net_route &r)
{
    Node &host = node(r.node);
    host.routes.push_back({r.to, r.port, r.gateway});
    Ptr<EthernetDevice> device = host.ports.at(r.port)->device;
    bool via = r.gateway.family != IP_NONE;
    if (r.to.ip.family == IP_V4) {
        Ipv4Mask mask(r.to.len ? UINT32_MAX << (32 - r.to.len) : 0);
        Ipv4Address to = to_v4(r.to.ip).CombineMask(mask);
        int32_t at = host.ip4->GetInterfaceForDevice(device);
        assert(at > 0);
        if (via)
            host.routing4->AddNetworkRouteTo(to, mask, to_v4(r.gateway), static_cast<uint32_t>(at));
        else
            host.routing4->AddNetworkRouteTo(to, mask, static_cast<uint32_t>(at));
    } else {
        Ipv6Prefix prefix(r.to.len);
        Ipv6Address to = to_v6(r.to.ip).CombinePrefix(prefix);
        int32_t at = host.ip6->GetInterfaceForDevice(device);
        assert(at > 0);
        if (via)
            host.routing6->AddNetworkRouteTo(to, prefix, to_v6(r.gateway), static_cast<uint32_t>(at));
        else
            host.routing6->AddNetworkRouteTo(to, prefix, static_cast<uint32_t>(at));
    }
}

/* ---- neighbours ---- */

/* A permanent entry in the host's ARP or ND cache, if the address is on the link of this port. */
void World::know(Node &host, Port &port, const ip_addr &ip, const Mac &mac)
{
    bool on_link = false;
    for (const ip_prefix &p : port.prefixes)
        on_link = on_link || ip_in_prefix(&ip, &p);
    for (const Route &r : host.routes)
        on_link = on_link || (r.port == port.end.port && (r.gateway.family == IP_NONE ? ip_in_prefix(&ip, &r.to)
                                                                                      : ip_equal(&ip, &r.gateway)));
    if (!on_link)
        return;
    Mac48Address to;
    to.CopyFrom(mac.data());
    int32_t at4 = host.ip4->GetInterfaceForDevice(port.device), at6 = host.ip6->GetInterfaceForDevice(port.device);
    if (ip.family == IP_V4 && at4 > 0) {
        Ptr<Ipv4Interface> i =
            DynamicCast<Ipv4L3Protocol>(host.ip4)->GetInterface(static_cast<uint32_t>(at4));
        ArpCache::Entry *e = i->GetArpCache()->Lookup(to_v4(ip));
        if (!e)
            e = i->GetArpCache()->Add(to_v4(ip));
        e->SetMacAddress(to);
        e->MarkPermanent();
    } else if (ip.family == IP_V6 && at6 > 0) {
        Ptr<Ipv6Interface> i =
            DynamicCast<Ipv6L3Protocol>(host.ip6)->GetInterface(static_cast<uint32_t>(at6));
        Ptr<NdiscCache> cache = i->GetNdiscCache();
        if (!cache)
            return; /* down: its MTU is below 1280, RFC 8200 5 */
        NdiscCache::Entry *e = cache->Lookup(to_v6(ip));
        if (!e)
            e = cache->Add(to_v6(ip));
        e->SetMacAddress(to);
        e->MarkPermanent();
    }
}

/* All is built: before the first packet. */
void World::start()
{
    if (m_started)
        return;
    m_started = true;
    for (auto &n : m_nodes)
        for (auto &p : n->ports)
            for (auto &[ip, mac] : m_neighbours)
                if (p->device && !own(*n, ip))
                    know(*n, *p, ip, mac);
}

void World::neighbour_add(const ip_addr &ip, const uint8_t mac[6])
{
    Mac m;
    std::memcpy(m.data(), mac, m.size());
    m_neighbours[ip] = m;
    if (!m_started)
        return;
    for (auto &n : m_nodes)
        for (auto &p : n->ports)
            if (p->device)
                know(*n, *p, ip, m);
}

bool World::neighbour(const ip_addr &ip, uint8_t mac[6]) const
{
    auto it = m_neighbours.find(ip);
    if (it == m_neighbours.end())
        return false;
    std::memcpy(mac, it->second.data(), it->second.size());
    return true;
}

/* ---- links ---- */

void World::tapped(net_tap_kind kind, const Port &at, const Frame &frame, const char *reason)
{
    m_hops += kind == TAP_DELIVERED;
    if (!tap)
        return;
    net_tap t = {kind, at.end, frame.data(), frame.size(), reason};
    tap(tap_ctx, now(), &t);
}

void World::arrived(Port &at, Frame frame)
{
    if (at.device) {
        at.device->input(frame);
        return;
    }
    Node &box = node(at.end.node);
    int out = box.spec.box(box.spec.ctx, at.end.port, frame.data(), frame.size());
    if (out != NET_DROP)
        box.ports.at(static_cast<size_t>(out))->transmit(std::move(frame));
}

void World::box_send(net_node box, unsigned port, Frame frame)
{
    node(box).ports.at(port)->transmit(std::move(frame));
}

/* ---- running ---- */

/* Ends the run when the time has come and all that is due at it has happened: nothing but this, twice in a row. */
void World::finish(uint64_t events)
{
    uint64_t n = Simulator::GetEventCount();
    if (n == events + 1)
        Simulator::Stop();
    else
        m_end = Simulator::ScheduleNow(&World::finish, this, n);
}

void World::run(uint64_t until_ns)
{
    start();
    if (until_ns < now())
        return;
    if (until_ns < INT64_MAX)
        m_end = Simulator::Schedule(NanoSeconds(until_ns - now()), &World::finish, this, uint64_t{0});
    Simulator::Run();
    m_end.Cancel();
}

uint64_t World::now() const
{
    return static_cast<uint64_t>(Simulator::Now().GetNanoSeconds());
}

net_stats World::stats() const
{
    return {m_hops, Simulator::GetEventCount()};
}

net_timer World::timer_set(uint64_t when_ns, void (*fn)(void *ctx), void *ctx)
{
    if (when_ns >= INT64_MAX)
        when_ns = INT64_MAX;
    net_timer id = ++m_lastTimer;
    Time delay = NanoSeconds(when_ns > now() ? when_ns - now() : 0);
    m_timers[id] = Simulator::Schedule(delay, [this, id, fn, ctx] {
        m_timers.erase(id);
        fn(ctx);
    });
    return id;
}

void World::timer_cancel(net_timer timer)
{
    auto it = m_timers.find(timer);
    if (it == m_timers.end())
        return;
    it->second.Cancel();
    m_timers.erase(it);
}

} // namespace turnproof

/* ---- the C interface ---- */

using turnproof::World;

static World *world(struct net *n)
{
    return static_cast<World *>(n);
}

static const World *world(const struct net *n)
{
    return static_cast<const World *>(n);
}

extern "C" __attribute__((visibility("default"))) const struct net_ops net_ns3;

const struct net_ops net_ns3 = {
    .name = "ns3",
    .create = [](uint64_t seed) -> struct net * {
        if (turnproof::world_exists)
            return nullptr;
        World *w = new World(seed);
        w->ops = &net_ns3;
        return w;
    },
    .destroy = [](struct net *n) { delete world(n); },
    .node_add = [](struct net *n, const struct net_node_spec *spec) { return world(n)->node_add(*spec); },
    .iface_add = [](struct net *n, const struct net_iface_spec *spec) { return world(n)->iface_add(*spec); },
    .link_add = [](struct net *n, const struct net_link_spec *spec) { world(n)->link_add(*spec); },
    .route_add = [](struct net *n, const struct net_route *route) { world(n)->route_add(*route); },
    .tap_set =
        [](struct net *n, net_tap_handler *tap, void *ctx) {
            world(n)->tap = tap;
            world(n)->tap_ctx = ctx;
        },
    .neighbour_add = [](struct net *n, const struct ip_addr *ip,
                        const uint8_t mac[6]) { world(n)->neighbour_add(*ip, mac); },
    .neighbour = [](const struct net *n, const struct ip_addr *ip,
                    uint8_t mac[6]) { return world(n)->neighbour(*ip, mac); },
    .run = [](struct net *n, uint64_t until_ns) { world(n)->run(until_ns); },
    .stop = [](struct net *) { ns3::Simulator::Stop(); },
    .now = [](const struct net *n) { return world(n)->now(); },
    .stats = [](const struct net *n, struct net_stats *out) { *out = world(n)->stats(); },
    .timer_set = [](struct net *n, uint64_t when_ns, void (*fn)(void *ctx),
                    void *ctx) { return world(n)->timer_set(when_ns, fn, ctx); },
    .timer_cancel = [](struct net *n, net_timer timer) { world(n)->timer_cancel(timer); },
    .tcp_listen = [](struct net *n, net_node host, const struct endpoint *local,
                     net_sock *out) { return world(n)->tcp_listen(host, *local, out); },
    .tcp_connect = [](struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                      net_sock *out) { return world(n)->tcp_connect(host, *local, *remote, out); },
    .udp_open = [](struct net *n, net_node host, const struct endpoint *local,
                   net_sock *out) { return world(n)->udp_open(host, *local, out); },
    .udp_send = [](struct net *n, net_sock s, const struct endpoint *to, const void *data,
                   size_t len) { return world(n)->udp_send(s, *to, data, len); },
    .udp_send_whole = nullptr,
    .tcp_send = [](struct net *n, net_sock s, const void *data,
                   size_t len) { return world(n)->connection(s).send(data, len); },
    .tcp_recv = [](struct net *n, net_sock s, void *buf, size_t cap,
                   bool *eof) { return world(n)->connection(s).recv(buf, cap, eof); },
    .tcp_shutdown = [](struct net *n, net_sock s) { world(n)->connection(s).shutdown(); },
    .sock_close = [](struct net *n, net_sock s) { world(n)->sock_close(s); },
    .tcp_abort = [](struct net *n, net_sock s) { world(n)->tcp_abort(s); },
    .box_send = [](struct net *n, net_node box, unsigned port, const uint8_t *frame,
                   size_t len) { world(n)->box_send(box, port, turnproof::Frame(frame, frame + len)); },
};
