/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/ns3/wire.hpp"

#include <cassert>
#include <cstring>

#include <ns3/arp-l3-protocol.h>
#include <ns3/mac48-address.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>

using namespace ns3;

namespace turnproof {

/* ---- the device ---- */

EthernetDevice::EthernetDevice(Port *port) : m_port(port) {}

void EthernetDevice::DoDispose()
{
    m_node = nullptr;
    m_receive.Nullify();
    NetDevice::DoDispose();
}

void EthernetDevice::SetAddress(Address address)
{
    Mac48Address::ConvertFrom(address).CopyTo(m_port->mac);
}

Address EthernetDevice::GetAddress() const
{
    Mac48Address mac;
    mac.CopyFrom(m_port->mac);
    return mac;
}

bool EthernetDevice::SetMtu(const uint16_t mtu)
{
    m_port->mtu = mtu;
    return true;
}

uint16_t EthernetDevice::GetMtu() const
{
    return m_port->mtu;
}

Address EthernetDevice::GetBroadcast() const
{
    return Mac48Address::GetBroadcast();
}

Address EthernetDevice::GetMulticast(Ipv4Address group) const
{
    return Mac48Address::GetMulticast(group);
}

Address EthernetDevice::GetMulticast(Ipv6Address group) const
{
    return Mac48Address::GetMulticast(group);
}

bool EthernetDevice::Send(Ptr<Packet> packet, const Address &to, uint16_t type)
{
    return SendFrom(packet, GetAddress(), to, type);
}

bool EthernetDevice::SendFrom(Ptr<Packet> packet, const Address &from, const Address &to, uint16_t type)
{
    Mac48Address dst = Mac48Address::ConvertFrom(to);
    if (dst.IsGroup() || type == ArpL3Protocol::PROT_NUMBER)
        return true;
    Frame frame(ETH_HEADER + packet->GetSize());
    dst.CopyTo(&frame[0]);
    Mac48Address::ConvertFrom(from).CopyTo(&frame[6]);
    frame[12] = static_cast<uint8_t>(type >> 8);
    frame[13] = static_cast<uint8_t>(type);
    packet->CopyData(&frame[ETH_HEADER], packet->GetSize());
    m_port->transmit(std::move(frame));
    return true;
}

void EthernetDevice::input(const Frame &frame)
{
    if (frame.size() < ETH_HEADER || std::memcmp(&frame[0], m_port->mac, 6) != 0 || m_receive.IsNull())
        return;
    Mac48Address from;
    from.CopyFrom(&frame[6]);
    uint16_t type = static_cast<uint16_t>(frame[12] << 8 | frame[13]);
    Ptr<Packet> packet =
        Create<Packet>(frame.data() + ETH_HEADER, static_cast<uint32_t>(frame.size() - ETH_HEADER));
    m_receive(this, packet, type, from);
}

/* ---- the port and its link ---- */

Port::Port(LinkUser &u, net_end e, const net_iface_spec &spec)
    : user(u), end(e), mtu(spec.mtu ? spec.mtu : static_cast<uint16_t>(NET_MTU_DEFAULT)),
      prefixes(spec.prefix, spec.prefix + spec.prefix_count)
{
    std::memcpy(mac, spec.mac, sizeof mac);
}

Port::~Port()
{
    if (peer)
        link_free(&out);
}

void Port::connect(Port &to, uint64_t seed, const char *link, const char *dir, const net_link_dir &cfg)
{
    assert(!peer);
    peer = &to;
    link_init(&out, seed, link, dir, &cfg, mtu);
}

static Time after(uint64_t when_ns)
{
    return NanoSeconds(when_ns) - Simulator::Now();
}

void Port::transmit(Frame frame)
{
    if (!peer)
        return;
    uint64_t now = static_cast<uint64_t>(Simulator::Now().GetNanoSeconds());
    struct link_fate fate = ::link_fate(&out, now, frame.size());
    if (!fate.sent) {
        user.tapped(TAP_DROPPED, *this, frame, fate.drop);
        return;
    }
    Shared shared = std::make_shared<const Frame>(std::move(frame));
    if (fate.depart_ns <= now)
        launch(shared, fate);
    else
        Simulator::Schedule(after(fate.depart_ns), [this, shared, fate] { launch(shared, fate); });
}

/* The frame's first bit leaves. */
void Port::launch(const Shared &frame, const struct link_fate &fate)
{
    user.tapped(TAP_SENT, *this, *frame, nullptr);
    if (fate.copies == 0)
        user.tapped(TAP_DROPPED, *this, *frame, fate.drop);
    for (unsigned i = 0; i < fate.copies; i++)
        Simulator::Schedule(after(fate.arrive_ns[i]), [to = peer, frame] {
            to->user.tapped(TAP_DELIVERED, *to, *frame, nullptr);
            to->user.arrived(*to, *frame);
        });
}

} // namespace turnproof
