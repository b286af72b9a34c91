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
static const uint16_t local_preference[][2] = {
    [ICE_HOST] = {TRANSPORT_TCP | ACTIVE | 0x1ff, TRANSPORT_TCP | PASSIVE | 0x1ff},
    [ICE_SRFLX] = {TRANSPORT_TCP | ACTIVE | 0x1fd, TRANSPORT_TCP | PASSIVE | 0x1fd},
    [ICE_PRFLX] = {TRANSPORT_TCP | ACTIVE | 0x1fd, TRANSPORT_TCP | PASSIVE | 0x1fd},
    [ICE_RELAY] = {TRANSPORT_TCP | ACTIVE | 0x1fb, TRANSPORT_TCP | PASSIVE | 0x009},
};

uint32_t ice_priority(enum ice_type type, enum ice_tcp tcp, unsigned component)
{
    return (uint32_t)type_preference[type] << 24 | (uint32_t)local_preference[type][tcp] << 8 |
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

bool ice_can_pair(const struct ice_candidate *local, const struct ice_candidate *remote)
{
    return local->component == remote->component && local->address.ip.family == remote->address.ip.family &&
           local->tcp != remote->tcp;
}

bool ice_same_place(const struct ice_candidate *a, const struct ice_candidate *b)
{
    return a->component == b->component && a->tcp == b->tcp && endpoint_equal(&a->address, &b->address);
}
