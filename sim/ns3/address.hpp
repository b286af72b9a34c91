/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses between this project's form and that of ns-3. */
#ifndef TP_SIM_NS3_ADDRESS_H
#define TP_SIM_NS3_ADDRESS_H

#include <cstring>

#include <ns3/ipv4-address.h>
#include <ns3/ipv6-address.h>

extern "C" {
#include "models/base/addr.h"
}

namespace turnproof {

inline ns3::Ipv4Address to_v4(const ip_addr &a)
{
    return ns3::Ipv4Address(a.family == IP_V4 ? ip_v4_value(&a) : 0);
}

inline ns3::Ipv6Address to_v6(const ip_addr &a)
{
    uint8_t b[16] = {};
    if (a.family == IP_V6)
        std::memcpy(b, a.b, sizeof b);
    return ns3::Ipv6Address(b);
}

inline ip_addr from_v4(ns3::Ipv4Address a)
{
    return ip_v4(a.Get());
}

inline ip_addr from_v6(ns3::Ipv6Address a)
{
    ip_addr out = {};
    out.family = IP_V6;
    a.GetBytes(out.b);
    return out;
}

} // namespace turnproof

#endif
