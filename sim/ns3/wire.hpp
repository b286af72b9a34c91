/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports and the links between them. Both engines decide with sim/native/link.h what becomes of a frame on a link; they
 * differ in their hosts: here the IP, TCP and UDP are those of ns-3. A host's port has an EthernetDevice, which is what
 * ns-3 sees of it; a box has ports only, and is no ns-3 node. */
#ifndef TP_SIM_NS3_WIRE_H
#define TP_SIM_NS3_WIRE_H

#include <cstdint>
#include <memory>
#include <vector>

#include <ns3/channel.h>
#include <ns3/net-device.h>
#include <ns3/node.h>

extern "C" {
#include "sim/native/link.h"
#include "sim/net.h"
}

namespace turnproof {

using Frame = std::vector<uint8_t>;

struct Port;

/* What happens to a frame at the ends of a link. */
class LinkUser
{
  public:
    virtual void tapped(net_tap_kind kind, const Port &at, const Frame &frame, const char *reason) = 0;
    virtual void arrived(Port &at, Frame frame) = 0;

  protected:
    ~LinkUser() = default;
};

/* An Ethernet interface of a host, full duplex. ARP and ND are not simulated: what ns-3 wants to send of them, or to any
 * group, goes nowhere. */
class EthernetDevice final : public ns3::NetDevice
{
  public:
    EthernetDevice(Port *port);
    /* A frame from the link; dropped unless for this interface. */
    void input(const Frame &frame);

    void SetIfIndex(const uint32_t index) override { m_index = index; }
    uint32_t GetIfIndex() const override { return m_index; }
    ns3::Ptr<ns3::Channel> GetChannel() const override { return nullptr; }
    void SetAddress(ns3::Address address) override;
    ns3::Address GetAddress() const override;
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override;
    bool IsLinkUp() const override { return true; }
    void AddLinkChangeCallback(ns3::Callback<void>) override {}
    bool IsBroadcast() const override { return true; }
    ns3::Address GetBroadcast() const override;
    bool IsMulticast() const override { return true; }
    ns3::Address GetMulticast(ns3::Ipv4Address group) const override;
    ns3::Address GetMulticast(ns3::Ipv6Address group) const override;
    bool IsBridge() const override { return false; }
    bool IsPointToPoint() const override { return false; }
    bool Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address &to, uint16_t type) override;
    bool SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address &from, const ns3::Address &to,
                  uint16_t type) override;
    ns3::Ptr<ns3::Node> GetNode() const override { return m_node; }
    void SetNode(ns3::Ptr<ns3::Node> node) override { m_node = node; }
    bool NeedsArp() const override { return true; }
    void SetReceiveCallback(ReceiveCallback cb) override { m_receive = cb; }
    void SetPromiscReceiveCallback(PromiscReceiveCallback) override {}
    bool SupportsSendFrom() const override { return true; }

  private:
    void DoDispose() override;

    Port *m_port;
    uint32_t m_index = 0;
    ns3::Ptr<ns3::Node> m_node;
    ReceiveCallback m_receive;
};

struct Port
{
    Port(LinkUser &user, net_end end, const net_iface_spec &spec);
    ~Port();
    Port(const Port &) = delete;
    Port &operator=(const Port &) = delete;

    void connect(Port &peer, uint64_t seed, const char *link, const char *dir, const net_link_dir &cfg);
    /* Hands a frame to the link; without one it is lost. */
    void transmit(Frame frame);

    LinkUser &user;
    net_end end;
    uint8_t mac[6];
    uint16_t mtu;
    std::vector<ip_prefix> prefixes;
    Port *peer = nullptr;
    struct link out = {};
    ns3::Ptr<EthernetDevice> device; /* of a host */

  private:
    using Shared = std::shared_ptr<const Frame>;
    void launch(const Shared &frame, const struct link_fate &fate);
};

} // namespace turnproof

#endif
