/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/ns3/tcp.hpp"

#include <algorithm>
#include <cstdio>

#include <ns3/inet-socket-address.h>
#include <ns3/inet6-socket-address.h>
#include <ns3/ipv4-end-point.h>
#include <ns3/ipv4-l3-protocol.h>
#include <ns3/ipv6-end-point.h>
#include <ns3/ipv6-l3-protocol.h>
#include <ns3/node.h>
#include <ns3/rtt-estimator.h>
#include <ns3/simulator.h>
#include <ns3/tcp-l4-protocol.h>
#include <ns3/tcp-linux-reno.h>
#include <ns3/tcp-option-rfc793.h>
#include <ns3/tcp-prr-recovery.h>
#include <ns3/tcp-rx-buffer.h>
#include <ns3/tcp-tx-buffer.h>

#include "sim/ns3/address.hpp"

extern "C" {
#include "models/base/err.h"
#include "models/base/rng.h"
}

using namespace ns3;

namespace turnproof {

/* As the native engine has them. */
constexpr uint32_t BUFFER_DEFAULT = 128 * 1024;
constexpr uint32_t INITIAL_WINDOW = 10;              /* segments, RFC 6928 */
constexpr uint32_t SYN_TRIES = 7, SYN_ACK_TRIES = 6; /* 1 + 2 + ... + 64 = 127 s; 63 s */
constexpr uint32_t DATA_RETRIES = 15;
constexpr unsigned FIN_TRIES = 16, PROBE_TRIES = 15, KEEP_PROBES = 9;
constexpr double MSL_S = 30;
static const Time rto_min = MilliSeconds(200), rto_max = Seconds(64);
static const Time persist_first = MilliSeconds(200), keep_interval = Seconds(75);

constexpr unsigned OPEN = 1u << TcpSocket::ESTABLISHED | 1u << TcpSocket::CLOSE_WAIT;
constexpr unsigned HEARS = 1u << TcpSocket::ESTABLISHED | 1u << TcpSocket::FIN_WAIT_1 | 1u << TcpSocket::FIN_WAIT_2;
constexpr unsigned LAST = 1u << TcpSocket::CLOSING | 1u << TcpSocket::LAST_ACK;
constexpr unsigned OVER = 1u << TcpSocket::TIME_WAIT | 1u << TcpSocket::CLOSED;
constexpr unsigned BEGINS =
    1u << TcpSocket::LISTEN | 1u << TcpSocket::SYN_SENT | 1u << TcpSocket::SYN_RCVD | 1u << TcpSocket::CLOSED;

HostTcp::HostTcp(const TcpConfig &config) : m_config(config)
{
    SetNode(config.node);
    SetTcp(config.node->GetObject<TcpL4Protocol>());
    SetRtt(CreateObject<RttMeanDeviation>());
    SetCongestionControlAlgorithm(CreateObject<TcpLinuxReno>()); /* RFC 5681 with bytes counted, as it recommends */
    SetRecoveryAlgorithm(CreateObject<TcpPrrRecovery>());
    m_txBuffer->SetRWndCallback(MakeCallback(&HostTcp::peer_window, this));
}

/* ns-3 constructs attributes after the constructor: what is set before would be lost. */
void HostTcp::configure()
{
    const net_tcp_opts &o = m_config.opts;
    SetSndBufSize(o.send_buffer ? o.send_buffer : BUFFER_DEFAULT);
    SetRcvBufSize(o.receive_buffer ? o.receive_buffer : BUFFER_DEFAULT);
    SetSegSize(m_config.mss);
    SetInitialCwnd(INITIAL_WINDOW);
    SetConnTimeout(Seconds(1));
    SetSynRetries(SYN_TRIES);
    SetDataRetries(DATA_RETRIES);
    SetMinRto(rto_min);
    SetDelAckMaxCount(2);
    SetDelAckTimeout(MilliSeconds(40));
    SetPersistTimeout(persist_first);
    SetTcpNoDelay(true);
    m_msl = MSL_S;
    configure_options();
}

/* Also for each SYN that a listener hears: ns-3 lets it change them before it forks. */
void HostTcp::configure_options()
{
    m_timestampEnabled = false;
    m_winScalingEnabled = true;
    m_sackEnabled = !m_config.opts.no_sack;
    m_txBuffer->SetSackEnabled(m_sackEnabled);
}

HostTcp::HostTcp(const HostTcp &listener)
    : TcpSocketBase(listener), m_config(listener.m_config), m_owner(Owner::NOBODY_YET)
{
    m_txBuffer->SetRWndCallback(MakeCallback(&HostTcp::peer_window, this));
}

HostTcp::~HostTcp()
{
    m_keepEvent.Cancel();
    m_tellEvent.Cancel();
}

/* ---- opening ---- */

static endpoint name_of(const Address &a)
{
    endpoint e = {};
    if (InetSocketAddress::IsMatchingType(a)) {
        InetSocketAddress s = InetSocketAddress::ConvertFrom(a);
        e.ip = from_v4(s.GetIpv4());
        e.port = s.GetPort();
    } else if (Inet6SocketAddress::IsMatchingType(a)) {
        Inet6SocketAddress s = Inet6SocketAddress::ConvertFrom(a);
        e.ip = from_v6(s.GetIpv6());
        e.port = s.GetPort();
    }
    return e;
}

/* RFC 6528: a clock of 4 us, and an offset for each pair of endpoints, so that a new connection begins above the last
 * one between the same. ns-3 compares some marks with 0, as which they begin: stay in the half above it. */
SequenceNumber32 HostTcp::new_isn(const endpoint &from, const endpoint &to) const
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], name[2 * ENDPOINT_TEXT + 8];
    std::snprintf(name, sizeof name, "isn/%s/%s", endpoint_text(&from, a), endpoint_text(&to, b));
    struct rng r = rng_named(m_config.isn_key, name);
    constexpr uint64_t half = 1u << 29;
    uint64_t clock = static_cast<uint64_t>(Simulator::Now().GetMicroSeconds()) / 4;
    return SequenceNumber32(static_cast<uint32_t>(1 + rng_below(&r, half) + clock % half));
}

/* Takes the 4-tuple itself: ns-3's Bind would refuse a port that is listened on. */
int HostTcp::begin(const endpoint &from, const endpoint &to)
{
    configure();
    if (from.ip.family == IP_V6)
        m_endPoint6 = m_tcp->Allocate6(nullptr, to_v6(from.ip), from.port, to_v6(to.ip), to.port);
    else
        m_endPoint = m_tcp->Allocate(nullptr, to_v4(from.ip), from.port, to_v4(to.ip), to.port);
    if (!bound())
        return E_EXISTS;
    SetupCallback();
    m_tcp->AddSocket(this);
    return 0;
}

int HostTcp::listen(const endpoint &from)
{
    endpoint any = {};
    any.ip.family = from.ip.family;
    int e = begin(from, any);
    if (e)
        return e;
    m_owner = Owner::LISTENER;
    Listen();
    return 0;
}

int HostTcp::connect(const endpoint &from, const endpoint &to)
{
    int e = begin(from, to);
    if (e)
        return e;
    m_icmpCallback = MakeCallback(&HostTcp::icmp4, this);
    m_icmpCallback6 = MakeCallback(&HostTcp::icmp6, this);
    m_rtt->Reset();
    m_synCount = m_synRetries;
    m_dataRetrCount = m_dataRetries;
    m_tcb->m_nextTxSequence = new_isn(from, to);
    DoConnect();
    return 0;
}

Ptr<TcpSocketBase> HostTcp::Fork()
{
    Ptr<HostTcp> s = CopyObject<HostTcp>(Ptr<HostTcp>(this));
    s->m_listener = this;
    return s;
}

/* RFC 6691, RFC 9293 3.7.1. */
void HostTcp::hear_mss(const TcpHeader &syn)
{
    Ptr<const TcpOptionMSS> option = DynamicCast<const TcpOptionMSS>(syn.GetOption(TcpOption::MSS));
    if (!option || option->GetMSS() == 0 || option->GetMSS() >= m_tcb->m_segmentSize)
        return;
    m_tcb->m_segmentSize = option->GetMSS();
    m_txBuffer->SetSegmentSize(option->GetMSS());
    m_tcb->m_cWnd = m_tcb->m_initialCWnd * m_tcb->m_segmentSize;
    m_tcb->m_cWndInfl = m_tcb->m_cWnd;
}

void tcp_announce_mss(Ptr<Packet> segment, const Address &from, const Address &to, uint16_t mss)
{
    constexpr uint32_t FLAGS = 13;
    uint8_t head[FLAGS + 1];
    segment->CopyData(head, sizeof head);
    if (!(head[FLAGS] & TcpHeader::SYN))
        return;
    TcpHeader old, h;
    segment->RemoveHeader(old);
    h.SetSourcePort(old.GetSourcePort());
    h.SetDestinationPort(old.GetDestinationPort());
    h.SetSequenceNumber(old.GetSequenceNumber());
    h.SetAckNumber(old.GetAckNumber());
    h.SetFlags(old.GetFlags());
    h.SetWindowSize(old.GetWindowSize());
    Ptr<TcpOptionMSS> option = CreateObject<TcpOptionMSS>();
    option->SetMSS(mss);
    h.AppendOption(option);
    for (const Ptr<const TcpOption> &o : old.GetOptionList())
        if (o->GetKind() != TcpOption::END) /* the padding that was read */
            h.AppendOption(o);
    h.EnableChecksums();
    h.InitializeChecksum(from, to, TcpL4Protocol::PROT_NUMBER);
    segment->AddHeader(h);
}

void HostTcp::CompleteFork(Ptr<Packet> packet, const TcpHeader &header, const Address &from, const Address &to)
{
    m_tcb->m_nextTxSequence = new_isn(name_of(to), name_of(from));
    hear_mss(header);
    m_synRetries = SYN_ACK_TRIES;
    TcpSocketBase::CompleteFork(packet, header, from, to);
    if (!bound()) { /* a duplicate of the SYN came at the same time */
        m_state = CLOSED;
        m_listener = nullptr;
        m_tcp->RemoveSocket(this);
    }
}

endpoint HostTcp::local() const
{
    Address a;
    GetSockName(a);
    return name_of(a);
}

endpoint HostTcp::remote() const
{
    Address a;
    return GetPeerName(a) == 0 ? name_of(a) : endpoint{};
}

/* ---- input ---- */

void HostTcp::DoForwardUp(Ptr<Packet> packet, const Address &from, const Address &to)
{
    Ptr<HostTcp> keep(this);
    TcpHeader h;
    uint32_t len = packet->GetSize() - packet->PeekHeader(h);
    m_heard = Simulator::Now();
    m_probes = 0;
    bool last = in(LAST | OVER);
    if (in(1u << TIME_WAIT) && h.GetFlags() == TcpHeader::SYN &&
        h.GetSequenceNumber() > m_tcb->m_rxBuffer->NextRxSequence()) {
        give_way(packet, name_of(from), name_of(to));
        return;
    }
    if (!handled(h, len, from, to)) {
        if (in(1u << SYN_RCVD) && h.GetFlags() & TcpHeader::SYN && h.GetFlags() & TcpHeader::ACK) {
            /* Simultaneous open, RFC 9293 3.5: for ns-3 it has to look like the ACK of the ordinary one. */
            packet->RemoveHeader(h);
            h.SetFlags(TcpHeader::ACK);
            h.SetSequenceNumber(h.GetSequenceNumber() + 1);
            packet->AddHeader(h);
        }
        if (in(1u << ESTABLISHED) && h.GetFlags() & TcpHeader::FIN && h.GetFlags() & TcpHeader::ACK &&
            h.GetAckNumber() > m_txBuffer->HeadSequence())
            ReceivedAck(Create<Packet>(), h); /* which ns-3 does not look at in a FIN */
        if (in(1u << LISTEN))
            configure_options();
        else if (in(1u << SYN_SENT))
            hear_mss(h);
        TcpSocketBase::DoForwardUp(packet, from, to);
        if (m_rWnd.Get() > 0)
            m_persistTimeout = persist_first;
    }
    if (!bound() && !m_err && !last)
        m_err = E_RESET;
    keep_timers_running();
    look();
}

/* What ns-3 would get wrong. */
bool HostTcp::handled(const TcpHeader &h, uint32_t len, const Address &from, const Address &to)
{
    uint8_t flags = h.GetFlags();
    bool syn = flags & TcpHeader::SYN, fin = flags & TcpHeader::FIN, ack = flags & TcpHeader::ACK;
    SequenceNumber32 seq = h.GetSequenceNumber(), next = m_tcb->m_rxBuffer->NextRxSequence();
    if (flags & TcpHeader::RST) {
        reset_input(h);
        return true;
    }
    if (in(1u << LISTEN) && ack) {
        refuse(h, from, to);
        return true;
    }
    if (in(1u << SYN_SENT) && ack && h.GetAckNumber() != m_tcb->m_nextTxSequence.Get() + 1) {
        refuse(h, from, to);
        return true;
    }
    if (in(BEGINS))
        return false;
    if (syn) { /* RFC 5961 4; and our ACK of a SYN-ACK may be lost */
        SendEmptyPacket(TcpHeader::ACK);
        return true;
    }
    if (in(LAST) && (!ack || h.GetAckNumber() != m_tcb->m_highTxMark.Get() + 1)) {
        if (fin || len)
            SendEmptyPacket(TcpHeader::ACK);
        return true;
    }
    if (fin && seq + len < next) { /* again: our ACK is lost */
        SendEmptyPacket(TcpHeader::ACK);
        return true;
    }
    if (len == 0 && !fin && seq + 1 == next) /* a probe of the window, or keep-alive */
        SendEmptyPacket(TcpHeader::ACK);
    return false;
}

/* TIME_WAIT ends for a new connection between the same endpoints, RFC 6191 without time stamps: the SYN comes again. */
void HostTcp::give_way(Ptr<Packet> syn, const endpoint &from, const endpoint &to)
{
    Ptr<TcpL4Protocol> tcp = m_tcp;
    Ptr<Ipv4L3Protocol> ip4 = m_node->GetObject<Ipv4L3Protocol>();
    Ptr<Ipv6L3Protocol> ip6 = m_node->GetObject<Ipv6L3Protocol>();
    m_state = CLOSED;
    DeallocateEndPoint();
    look();
    if (to.ip.family == IP_V4) {
        Ipv4Header h;
        h.SetSource(to_v4(from.ip));
        h.SetDestination(to_v4(to.ip));
        int32_t at = ip4->GetInterfaceForAddress(h.GetDestination());
        tcp->Receive(syn, h, ip4->GetInterface(static_cast<uint32_t>(at)));
    } else {
        Ipv6Header h;
        h.SetSource(to_v6(from.ip));
        h.SetDestination(to_v6(to.ip));
        int32_t at = ip6->GetInterfaceForAddress(h.GetDestination());
        tcp->Receive(syn, h, ip6->GetInterface(static_cast<uint32_t>(at)));
    }
}

/* RFC 9293 3.10.7.3 and 3.10.7.4. */
void HostTcp::reset_input(const TcpHeader &h)
{
    SequenceNumber32 seq = h.GetSequenceNumber(), next = m_tcb->m_rxBuffer->NextRxSequence();
    if (in(1u << LISTEN | 1u << TIME_WAIT | 1u << CLOSED))
        return; /* RFC 1337 */
    if (in(1u << SYN_SENT)) {
        if (h.GetFlags() & TcpHeader::ACK && h.GetAckNumber() == m_tcb->m_nextTxSequence.Get() + 1)
            die(E_REFUSED);
    } else if (seq >= next && seq <= next + GetRcvBufSize()) {
        die(in(1u << SYN_RCVD) ? E_REFUSED : E_RESET);
    }
}

/* An ACK of what was never sent: the sender has a connection that we have not. RFC 9293 3.10.7.2, 3.10.7.3. */
void HostTcp::refuse(const TcpHeader &h, const Address &from, const Address &to)
{
    TcpHeader rst;
    rst.SetFlags(TcpHeader::RST);
    rst.SetSequenceNumber(h.GetAckNumber());
    rst.SetSourcePort(h.GetDestinationPort());
    rst.SetDestinationPort(h.GetSourcePort());
    m_tcp->SendPacket(Create<Packet>(), rst, to, from);
}

/* RFC 5461: only a connection that is not established yet believes ICMP. */
void HostTcp::icmp4(Ipv4Address, uint8_t, uint8_t type, uint8_t code, uint32_t)
{
    enum { DEST_UNREACHABLE = 3, PROTOCOL = 2, PORT = 3, FRAGMENTATION_NEEDED = 4 };
    if (in(1u << SYN_SENT) && type == DEST_UNREACHABLE && code != FRAGMENTATION_NEEDED)
        die(code == PROTOCOL || code == PORT ? E_REFUSED : E_UNREACHABLE);
}

void HostTcp::icmp6(Ipv6Address, uint8_t, uint8_t type, uint8_t code, uint32_t)
{
    enum { DEST_UNREACHABLE = 1, PORT = 4 };
    if (in(1u << SYN_SENT) && type == DEST_UNREACHABLE)
        die(code == PORT ? E_REFUSED : E_UNREACHABLE);
}

/* ---- output and timers ---- */

void HostTcp::SendEmptyPacket(uint8_t flags)
{
    Ptr<HostTcp> keep(this);
    bool fin = flags & TcpHeader::FIN;
    if (fin && m_fins == FIN_TRIES) {
        die(E_TIMED_OUT);
        return;
    }
    TcpSocketBase::SendEmptyPacket(flags);
    if (fin && m_retxEvent.IsRunning()) { /* ns-3 does not back off */
        m_retxEvent.Cancel();
        Time wait = std::min(rto_max, m_rto.Get() * (1 << std::min(m_fins, 10u)));
        m_retxEvent = Simulator::Schedule(wait, &HostTcp::SendEmptyPacket, this, flags);
        m_fins++;
    }
    if (flags & TcpHeader::SYN && !bound() && !m_err) {
        m_err = E_TIMED_OUT;
        look();
    }
}

void HostTcp::ReTxTimeout()
{
    Ptr<HostTcp> keep(this);
    if (!in(OPEN) || UnAckDataCount() > 0)
        TcpSocketBase::ReTxTimeout();
    if (!bound() && !m_err)
        m_err = E_TIMED_OUT;
    keep_timers_running();
    look();
}

/* ns-3 sends a byte of data without ACK, which no stateful firewall lets through. */
void HostTcp::PersistTimeout()
{
    if (m_probes == PROBE_TRIES) {
        die(E_TIMED_OUT);
        return;
    }
    if (m_rWnd > 0 && m_txBuffer->Size() > 0 && UnAckDataCount() == 0) {
        /* Less than a segment fits, and no more is offered: RFC 9293 3.8.6.2.1. */
        m_tcb->m_nextTxSequence += SendDataPacket(m_tcb->m_nextTxSequence,
                                                  std::min(m_rWnd.Get(), m_tcb->m_segmentSize), true);
        return;
    }
    if (m_txBuffer->Size() > 0) {
        m_probes++;
        probe();
    }
    m_persistTimeout = std::min(rto_max, m_persistTimeout + m_persistTimeout);
    m_persistEvent = Simulator::Schedule(m_persistTimeout, &HostTcp::PersistTimeout, this);
}

/* An ACK with a sequence number before the window: it is answered, and carries nothing. RFC 9293 3.8.4. */
void HostTcp::probe()
{
    SequenceNumber32 edge = m_txBuffer->Size() ? m_txBuffer->HeadSequence() : m_tcb->m_nextTxSequence.Get();
    TcpHeader h;
    h.SetFlags(TcpHeader::ACK);
    h.SetSequenceNumber(edge - 1);
    h.SetAckNumber(m_tcb->m_rxBuffer->NextRxSequence());
    h.SetWindowSize(AdvertisedWindowSize());
    Address from, to;
    GetSockName(from);
    GetPeerName(to);
    h.SetSourcePort(local().port);
    h.SetDestinationPort(remote().port);
    m_tcp->SendPacket(Create<Packet>(), h, from, to);
}

void HostTcp::keep_timer()
{
    Time idle = NanoSeconds(m_config.opts.keepalive_ns), since = Simulator::Now() - m_heard, wait = keep_interval;
    if (!bound() || !in(OPEN | HEARS))
        return;
    if (since < idle) {
        wait = idle - since;
    } else if (m_probes == KEEP_PROBES) {
        die(E_TIMED_OUT);
        return;
    } else if (m_txBuffer->Size() == 0) {
        m_probes++;
        probe();
    }
    m_keepEvent = Simulator::Schedule(wait, &HostTcp::keep_timer, this);
}

/* With data to send, something must be due. ns-3 stops its timer when the window closes, and has none while the window
 * is too small for a segment (RFC 9293 3.8.6.2.1). */
void HostTcp::keep_timers_running()
{
    if (!bound() || !in(OPEN) || m_txBuffer->Size() == 0 || m_retxEvent.IsRunning() || m_persistEvent.IsRunning() ||
        m_sendPendingDataEvent.IsRunning())
        return;
    if (UnAckDataCount() > 0)
        m_retxEvent = Simulator::Schedule(m_rto.Get(), &HostTcp::ReTxTimeout, this);
    else
        m_persistEvent = Simulator::Schedule(m_persistTimeout, &HostTcp::PersistTimeout, this);
}

/* What TcpTxBuffer::NextSeg asks for. With a window that is exactly used up it would offer a segment of no bytes, and
 * ns-3 crashes over that. */
uint32_t HostTcp::peer_window() const
{
    uint32_t w = m_rWnd;
    return w > 0 && w == UnAckDataCount() ? w - 1 : w;
}

void HostTcp::send_fin()
{
    if (!m_finWanted || m_finSent || !in(OPEN) || m_txBuffer->Size() > 0)
        return;
    m_finSent = true;
    ShutdownSend();
}

void HostTcp::die(int err)
{
    m_err = err;
    m_state = CLOSED;
    m_keepEvent.Cancel();
    DeallocateEndPoint();
    look();
    /* ns-3 may have something scheduled for now that holds no reference. */
    Simulator::ScheduleNow([keep = Ptr<HostTcp>(this)] {});
}

/* ---- the user ---- */

size_t HostTcp::send(const void *data, size_t len)
{
    if (m_finWanted)
        return 0;
    size_t room = in(OPEN) ? GetTxAvailable() : 0;
    size_t n = std::min(len, room);
    if (n > 0) {
        Send(Create<Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(n)), 0);
        /* At once, as a host without Nagle's algorithm does; ns-3 would wait for more of it. */
        m_sendPendingDataEvent.Cancel();
        SendPendingData(true);
    }
    m_short = n < len;
    keep_timers_running();
    return n;
}

size_t HostTcp::recv(void *buf, size_t cap, bool *eof)
{
    Ptr<TcpRxBuffer> rx = m_tcb->m_rxBuffer;
    size_t n = std::min<size_t>(cap, rx->Available());
    if (n > 0)
        rx->Extract(static_cast<uint32_t>(n))->CopyData(static_cast<uint8_t *>(buf), static_cast<uint32_t>(n));
    *eof = rx->Finished() && rx->Available() == 0;
    if (*eof)
        m_eofRead = true;
    if (window_news())
        SendEmptyPacket(TcpHeader::ACK);
    look();
    return n;
}

/* The window is twice what the peer was told last, and worth a segment. */
bool HostTcp::window_news() const
{
    if (!bound() || !in(HEARS) || m_tcb->m_rxBuffer->GotFin())
        return false;
    uint32_t w =
        static_cast<uint32_t>(m_tcb->m_rxBuffer->MaxRxSequence() - m_tcb->m_rxBuffer->NextRxSequence());
    return w >= 2 * m_advWnd.Get() && w >= std::min(m_tcb->m_segmentSize, m_tcb->m_rxBuffer->MaxBufferSize());
}

void HostTcp::shutdown()
{
    m_finWanted = true;
    m_short = false;
    send_fin();
    look();
}

void HostTcp::close()
{
    bool listener = m_owner == Owner::LISTENER;
    m_owner = Owner::NOBODY;
    if (listener || in(1u << SYN_SENT)) {
        die(0);
        return;
    }
    m_tcb->m_rxBuffer->Extract(m_tcb->m_rxBuffer->Available());
    m_readTo = m_tcb->m_rxBuffer->NextRxSequence();
    shutdown();
}

void HostTcp::abort()
{
    m_owner = Owner::NOBODY;
    if (bound() && !in(1u << LISTEN | 1u << SYN_SENT | OVER)) {
        SequenceNumber32 next = std::max(m_tcb->m_nextTxSequence.Get(), m_tcb->m_highTxMark.Get());
        m_tcb->m_nextTxSequence = in(1u << SYN_RCVD) ? next + 1 : next;
        SendEmptyPacket(TcpHeader::RST | TcpHeader::ACK);
    }
    die(0);
}

/* ---- what is new for the user ---- */

bool HostTcp::any_news() const
{
    if (m_owner == Owner::LISTENER)
        return false;
    if (!m_established && in(~BEGINS))
        return true;
    if (m_owner == Owner::NOBODY_YET)
        return false;
    bool unread = m_established && m_tcb->m_rxBuffer->NextRxSequence() != m_readTo;
    bool fin = m_finWanted && !m_finSent && in(OPEN) && m_txBuffer->Size() == 0;
    if (m_owner == Owner::NOBODY)
        return bound() && (fin || (unread && m_tcb->m_rxBuffer->Available() > 0));
    return unread || fin || (m_short && in(OPEN) && GetTxAvailable() > 0) || m_err ||
           (in(OVER) && (m_eofRead || !m_established));
}

void HostTcp::look()
{
    if (!m_tellEvent.IsRunning() && any_news())
        m_tellEvent = Simulator::ScheduleNow(&HostTcp::tell, this);
}

/* Each call to the user may close or abort this socket. */
void HostTcp::tell()
{
    Ptr<HostTcp> keep(this);
    TcpUser &user = *m_config.user;
    if (!m_established && in(~BEGINS)) {
        m_established = true;
        m_readTo = m_tcb->m_rxBuffer->NextRxSequence() - m_tcb->m_rxBuffer->Available() -
                   (m_tcb->m_rxBuffer->Finished() ? 1 : 0);
        if (m_config.opts.keepalive_ns)
            m_keepEvent = Simulator::Schedule(NanoSeconds(m_config.opts.keepalive_ns), &HostTcp::keep_timer, this);
        if (m_owner == Owner::USER) {
            user.tcp_connected(*this);
        } else if (m_owner == Owner::NOBODY_YET) {
            Ptr<HostTcp> listener = m_listener;
            m_listener = nullptr;
            if (listener->m_owner != Owner::LISTENER) {
                abort();
                return;
            }
            m_owner = Owner::USER;
            user.tcp_accepted(*listener, *this);
        }
    }
    send_fin();
    if (m_owner == Owner::USER && m_tcb->m_rxBuffer->NextRxSequence() != m_readTo) {
        m_readTo = m_tcb->m_rxBuffer->NextRxSequence();
        user.tcp_readable(*this);
    }
    if (m_owner == Owner::USER && m_short && in(OPEN) && GetTxAvailable() > 0) {
        m_short = false;
        user.tcp_writable(*this);
    }
    if (m_owner == Owner::NOBODY && bound() && m_tcb->m_rxBuffer->Available() > 0) {
        abort(); /* RFC 9293 3.6.1: there is no reader any more, let the peer know */
        return;
    }
    if (m_owner == Owner::USER && (m_err || (in(OVER) && (m_eofRead || !m_established)))) {
        m_owner = Owner::NOBODY;
        user.tcp_ended(*this, m_established, m_err);
    }
    look();
}

} // namespace turnproof
