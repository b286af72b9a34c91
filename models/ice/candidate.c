/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/ice/candidate.h"

enum { TYPE_PREFERENCE_PRFLX = 110 };

/* RFC 8445 5.1.2.2's recommendation, which Lync's priorities show too. */
static const uint8_t type_preference[] = {
    [ICE_HOST] = 126, [ICE_SRFLX] = 100, [ICE_PRFLX] = TYPE_PREFERENCE_PRFLX, [ICE_RELAY] = 0};

/* The local preference is transport << 12 | direction << 9 | other, with 6 for TCP, 5 for active, 2 for
 * passive. Of `other` only three values are known, from remembered priorities (1684798975, 7076863, 6556159);
 * the rest is ours. */
enum { TRANSPORT_TCP = 6 << 12, ACTIVE = 5 << 9, PASSIVE = 2 << 9 };
enum { UDP = 65535 };
static const uint16_t local_preference[][3] = {
    [ICE_HOST] = {TRANSPORT_TCP | ACTIVE | 0x1ff, TRANSPORT_TCP | PASSIVE | 0x1ff, UDP},
    [ICE_SRFLX] = {TRANSPORT_TCP | ACTIVE | 0x1fd, TRANSPORT_TCP | PASSIVE | 0x1fd, UDP},
    [ICE_PRFLX] = {TRANSPORT_TCP | ACTIVE | 0x1fd, TRANSPORT_TCP | PASSIVE | 0x1fd, UDP},
    [ICE_RELAY] = {TRANSPORT_TCP | ACTIVE | 0x1fb, TRANSPORT_TCP | PASSIVE | 0x009, UDP},
};

uint32_t ice_priority(enum ice_type type, enum ice_transport transport, unsigned component)
{
    return (uint32_t)type_preference[type] << 24 | (uint32_t)local_preference[type][transport] << 8 |
           (256 - component);
}

uint32_t ice_check_priority(const struct ice_candidate *local)
{
    return (uint32_t)TYPE_PREFERENCE_PRFLX << 24 | (local->priority & 0xffffff);
}

uint64_t ice_pair_priority(uint32_t controlling, uint32_t controlled)
{
    uint64_t low = controlling < controlled ? controlling : controlled;
    uint64_t high = controlling < controlled ? controlled : controlling;
    return (low << 32) + 2 * high + (controlling > controlled);
}

static bool is_link_local_v6(const struct ip_addr *ip)
{
    return ip->family == IP_V6 && ip_is_link_local(ip);
}

/* By our transport the one that the other side must have. */
static const enum ice_transport counterpart[] = {
    [ICE_TCP_ACT] = ICE_TCP_PASS, [ICE_TCP_PASS] = ICE_TCP_ACT, [ICE_UDP] = ICE_UDP};

bool ice_can_pair(const struct ice_candidate *local, const struct ice_candidate *remote)
{
    const struct ip_addr *ours = &local->address.ip, *theirs = &remote->address.ip;
    return local->component == remote->component && ours->family == theirs->family &&
           is_link_local_v6(ours) == is_link_local_v6(theirs) &&
           remote->transport == counterpart[local->transport];
}

bool ice_same_place(const struct ice_candidate *a, const struct ice_candidate *b)
{
    return a->component == b->component && a->transport == b->transport &&
           endpoint_equal(&a->address, &b->address);
}

const struct endpoint *ice_base(const struct ice_candidate *local)
{
    return local->type == ICE_SRFLX || local->type == ICE_PRFLX ? &local->related : &local->address;
}
