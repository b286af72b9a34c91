/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host's TCP socket: that of ns-3, told to the user as net.h says, and mended where ns-3 3.37 leaves RFC 9293 in ways
 * that a deployment would notice:
 *   - RST: checked against the window; with ACK in answer to a SYN it means refused (ns-3 ignores it);
 *   - FIN is sent when all data is acknowledged, and again with back-off a limited number of times. ns-3 takes any ACK
 *     for that of its FIN, forgets data that is on its way, does not answer a repeated FIN, and repeats its own forever;
 *   - a reader makes the window known again (ns-3 leaves it to probes); window probes and keep-alive are segments with
 *     an ACK and without data, and are answered;
 *   - the MSS option is sent and heard; a listener's options do not become those of its last caller;
 *   - simultaneous open; connecting from a port that is listened on; a SYN that takes the place of TIME_WAIT; initial
 *     sequence numbers that are not 0. */
#ifndef TP_SIM_NS3_TCP_H
#define TP_SIM_NS3_TCP_H

#include <ns3/tcp-header.h>
#include <ns3/tcp-socket-base.h>

extern "C" {
#include "sim/net.h"
}

namespace turnproof {

class HostTcp;

/* Called from an event of their own, never from within a call to the socket. */
class TcpUser
{
  public:
    virtual void tcp_connected(HostTcp &s) = 0;
    virtual void tcp_accepted(HostTcp &listener, HostTcp &s) = 0;
    virtual void tcp_readable(HostTcp &s) = 0;
    virtual void tcp_writable(HostTcp &s) = 0;
    virtual void tcp_ended(HostTcp &s, bool was_connected, int err) = 0;

  protected:
    ~TcpUser() = default;
};

struct TcpConfig
{
    TcpUser *user;
    ns3::Ptr<ns3::Node> node;
    net_node host;
    net_tcp_opts opts;
    uint16_t mss; /* the most that we send, and announce */
    uint64_t isn_key;
};

/* Puts the MSS option into a SYN on its way to IP. */
void tcp_announce_mss(ns3::Ptr<ns3::Packet> segment, const ns3::Address &from, const ns3::Address &to, uint16_t mss);

class HostTcp final : public ns3::TcpSocketBase
{
  public:
    explicit HostTcp(const TcpConfig &config);
    HostTcp(const HostTcp &listener); /* what a listener forks */
    ~HostTcp() override;

    int listen(const endpoint &local);
    int connect(const endpoint &local, const endpoint &remote); /* E_EXISTS */
    size_t send(const void *data, size_t len);
    size_t recv(void *buf, size_t cap, bool *eof);
    void shutdown();
    void close(); /* the user is gone: also of abort */
    void abort();

    endpoint local() const;
    endpoint remote() const;

    net_node host() const { return m_config.host; }
    net_sock id = 0; /* the user's */

  protected:
    ns3::Ptr<ns3::TcpSocketBase> Fork() override;
    void CompleteFork(ns3::Ptr<ns3::Packet> packet, const ns3::TcpHeader &header, const ns3::Address &from,
                      const ns3::Address &to) override;
    void DoForwardUp(ns3::Ptr<ns3::Packet> packet, const ns3::Address &from, const ns3::Address &to) override;
    void SendEmptyPacket(uint8_t flags) override;
    void ReTxTimeout() override;
    void PersistTimeout() override;

  private:
    enum class Owner
    {
        LISTENER,
        NOBODY_YET, /* forked, the handshake is not over */
        USER,
        NOBODY,     /* closed by its user, or its end was told */
    };

    int begin(const endpoint &local, const endpoint &remote);
    void configure();
    void configure_options();
    ns3::SequenceNumber32 new_isn(const endpoint &local, const endpoint &remote) const;
    void hear_mss(const ns3::TcpHeader &syn);
    bool in(unsigned states) const { return states & 1u << m_state.Get(); }
    bool bound() const { return m_endPoint || m_endPoint6; }
    bool handled(const ns3::TcpHeader &h, uint32_t len, const ns3::Address &from, const ns3::Address &to);
    void give_way(ns3::Ptr<ns3::Packet> syn, const endpoint &from, const endpoint &to);
    void reset_input(const ns3::TcpHeader &h);
    void refuse(const ns3::TcpHeader &h, const ns3::Address &from, const ns3::Address &to);
    void die(int err);
    void probe();
    void keep_timer();
    void keep_timers_running();
    uint32_t peer_window() const;
    void send_fin();
    bool window_news() const;
    bool any_news() const;
    void look();
    void tell();
    void icmp4(ns3::Ipv4Address from, uint8_t ttl, uint8_t type, uint8_t code, uint32_t info);
    void icmp6(ns3::Ipv6Address from, uint8_t ttl, uint8_t type, uint8_t code, uint32_t info);

    TcpConfig m_config;
    Owner m_owner = Owner::USER;
    ns3::Ptr<HostTcp> m_listener; /* of what is not accepted yet */
    ns3::EventId m_tellEvent, m_keepEvent;
    bool m_established = false; /* told */
    bool m_short = false;       /* send took less than given */
    bool m_finWanted = false, m_finSent = false;
    bool m_eofRead = false;
    int m_err = 0;              /* why it ended */
    unsigned m_fins = 0, m_probes = 0;
    ns3::SequenceNumber32 m_readTo{0}; /* told as readable */
    ns3::Time m_heard;
};

} // namespace turnproof

#endif
