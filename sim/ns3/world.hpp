/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A world of net.h on ns-3: nodes, sockets, timers. ns-3 keeps its simulation in singletons, so there can be one such
 * world at a time. */
#ifndef TP_SIM_NS3_WORLD_H
#define TP_SIM_NS3_WORLD_H

#include <map>
#include <memory>
#include <vector>

#include <ns3/event-id.h>
#include <ns3/ipv4-end-point.h>
#include <ns3/ipv4-static-routing.h>
#include <ns3/ipv4.h>
#include <ns3/ipv6-end-point.h>
#include <ns3/ipv6-static-routing.h>
#include <ns3/ipv6.h>
#include <ns3/node.h>

#include "sim/ns3/tcp.hpp"
#include "sim/ns3/wire.hpp"

namespace turnproof {

struct Route
{
    ip_prefix to;
    unsigned port;
    ip_addr gateway;
};

struct Node
{
    net_node id;
    net_node_spec spec;
    std::vector<std::unique_ptr<Port>> ports;

    /* Hosts. */
    ns3::Ptr<ns3::Node> node;
    ns3::Ptr<ns3::Ipv4> ip4;
    ns3::Ptr<ns3::Ipv6> ip6;
    ns3::Ptr<ns3::Ipv4StaticRouting> routing4;
    ns3::Ptr<ns3::Ipv6StaticRouting> routing6;
    std::vector<Route> routes;
    std::vector<net_sock> sockets;
    unsigned next_port = 0;
    uint64_t isn_key;
};

enum class SockKind
{
    LISTENER,
    CONNECTION,
    UDP
};

/* What the user has an id of. An address that is not set stands for both families: two sockets of ns-3. */
struct Sock
{
    SockKind kind;
    Node &host;
    net_sock id;
    endpoint local, remote;
    std::vector<ns3::Ptr<HostTcp>> tcp;
    ns3::Ipv4EndPoint *udp4 = nullptr;
    ns3::Ipv6EndPoint *udp6 = nullptr;
};

struct AddressOrder
{
    bool operator()(const ip_addr &a, const ip_addr &b) const { return ip_compare(&a, &b) < 0; }
};

using Mac = std::array<uint8_t, 6>;

class World final : public ::net, public LinkUser, public TcpUser
{
  public:
    explicit World(uint64_t seed);
    ~World();
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    net_node node_add(const net_node_spec &spec);
    unsigned iface_add(const net_iface_spec &spec);
    void link_add(const net_link_spec &spec);
    void route_add(const net_route &route);
    void neighbour_add(const ip_addr &ip, const uint8_t mac[6]);
    bool neighbour(const ip_addr &ip, uint8_t mac[6]) const;
    void run(uint64_t until_ns);
    uint64_t now() const;
    net_stats stats() const;
    net_timer timer_set(uint64_t when_ns, void (*fn)(void *ctx), void *ctx);
    void timer_cancel(net_timer timer);
    void box_send(net_node box, unsigned port, Frame frame);

    /* sockets.cc */
    int tcp_listen(net_node host, const endpoint &local, net_sock *out);
    int tcp_connect(net_node host, endpoint local, const endpoint &remote, net_sock *out);
    int udp_open(net_node host, endpoint local, net_sock *out);
    int udp_send(net_sock id, const endpoint &to, const void *data, size_t len);
    HostTcp &connection(net_sock id);
    void sock_close(net_sock id);
    void tcp_abort(net_sock id);

    net_tap_handler *tap = nullptr;
    void *tap_ctx = nullptr;

  private:
    Node &node(net_node id);
    void add_stack(Node &host);
    void add_addresses(Node &host, Port &port);
    void know(Node &host, Port &port, const ip_addr &ip, const Mac &mac);
    void start();
    void finish(uint64_t events);

    void tapped(net_tap_kind kind, const Port &at, const Frame &frame, const char *reason) override;
    void arrived(Port &at, Frame frame) override;

    Sock &sock(net_sock id);
    Sock &sock_add(Node &host, SockKind kind, const endpoint &local);
    void sock_drop(Sock &s);
    bool own(const Node &host, const ip_addr &ip) const;
    bool bound(const Node &host, SockKind kind, const endpoint &local) const;
    int source_for(Node &host, const ip_addr &to, ip_addr *from);
    uint16_t next_port(Node &host, const ip_addr &local, const endpoint *remote);
    bool port_used(const Node &host, const endpoint &local, const endpoint *remote) const;
    uint16_t mss(const Node &host, const ip_addr &local) const;
    ns3::Ptr<HostTcp> tcp_new(Node &host, const ip_addr &local);
    void tell(const Sock &s, net_event ev);
    void datagram(net_sock id, const endpoint &from, const endpoint &to, ns3::Ptr<ns3::Packet> packet);

    void tcp_connected(HostTcp &s) override;
    void tcp_accepted(HostTcp &listener, HostTcp &s) override;
    void tcp_readable(HostTcp &s) override;
    void tcp_writable(HostTcp &s) override;
    void tcp_ended(HostTcp &s, bool was_connected, int err) override;

    uint64_t m_seed;
    std::vector<std::unique_ptr<Node>> m_nodes;
    std::map<ip_addr, Mac, AddressOrder> m_neighbours;
    std::vector<std::unique_ptr<Sock>> m_sockets; /* by id, from 1; an id is not used again */
    std::map<net_timer, ns3::EventId> m_timers;
    net_timer m_lastTimer = 0;
    uint64_t m_hops = 0;
    bool m_started = false;
    ns3::EventId m_end;
};

} // namespace turnproof

#endif
