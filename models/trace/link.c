/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/trace/link.h"

#include <stdbool.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/wire/wire.h"

enum {
    ETHERTYPE_VLAN = 0x8100,       /* 802.1Q */
    ETHERTYPE_SERVICE = 0x88a8,    /* 802.1ad */
    ETHERTYPE_QINQ_OLD = 0x9100,
    ETHERTYPE_PPPOE = 0x8864,      /* RFC 2516 */
    ETHERTYPE_LEAST = 0x0600,      /* below: the length of an 802.3 frame */
    PPP_IP4 = 0x0021,              /* RFC 1332 */
    PPP_IP6 = 0x0057,              /* RFC 5072 */
    PPP_ADDRESS_CONTROL = 0xff03,  /* RFC 1662 3.1 */
    NO_TYPE = 0xff,
};

/* What stands in front of the packet, and how it says what the packet is. */
enum naming { BY_ETHERTYPE, BY_PPP, BY_FAMILY, BY_NOTHING };

static const struct link {
    uint32_t number;
    const char *name;
    uint8_t size;    /* of the header */
    uint8_t type_at; /* offset of the type in it */
    enum naming naming;
} links[] = {
    {LINK_ETHERNET, "Ethernet", WIRE_ETH, 12, BY_ETHERTYPE},
    {LINK_LINUX_SLL, "Linux cooked v1", 16, 14, BY_ETHERTYPE},
    {LINK_LINUX_SLL2, "Linux cooked v2", 20, 0, BY_ETHERTYPE},
    {LINK_RAW, "raw IP", 0, NO_TYPE, BY_NOTHING},
    {LINK_IPV4, "raw IPv4", 0, NO_TYPE, BY_NOTHING},
    {LINK_IPV6, "raw IPv6", 0, NO_TYPE, BY_NOTHING},
    {LINK_NULL, "BSD loopback", 4, 0, BY_FAMILY},
    {LINK_LOOP, "OpenBSD loopback", 4, 0, BY_FAMILY},
    {LINK_PPP, "PPP", 0, 0, BY_PPP},
    {LINK_PPP_HDLC, "PPP in HDLC framing", 0, 0, BY_PPP},
    {12, "raw IP", 0, NO_TYPE, BY_NOTHING}, /* DLT_RAW of most systems, */
    {14, "raw IP", 0, NO_TYPE, BY_NOTHING}, /* and of OpenBSD */
};

static const struct link *find(uint32_t number)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].number == number)
            return &links[i];
    return NULL;
}

const char *link_name(uint32_t link)
{
    const struct link *l = find(link);
    return l ? l->name : NULL;
}

static long ppp(const uint8_t *p, size_t len, size_t at)
{
    if (len < at + 4)
        return E_TRUNCATED;
    if (load16(p + at) == PPP_ADDRESS_CONTROL)
        at += 2;
    unsigned protocol = load16(p + at);
    return protocol == PPP_IP4 || protocol == PPP_IP6 ? (long)at + 2 : E_UNSUPPORTED;
}

/* at: behind the type. */
static long ethertype(const uint8_t *p, size_t len, unsigned type, size_t at)
{
    static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0, 0, 0}; /* RFC 1042 */
    for (;;) {
        switch (type) {
        case ETHERTYPE_IP4:
        case ETHERTYPE_IP6:
            return (long)at;
        case ETHERTYPE_VLAN:
        case ETHERTYPE_SERVICE:
        case ETHERTYPE_QINQ_OLD:
            if (len < at + 4)
                return E_TRUNCATED;
            type = load16(p + at + 2);
            at += 4;
            break;
        case ETHERTYPE_PPPOE:
            return ppp(p, len, at + 6);
        default:
            if (type >= ETHERTYPE_LEAST || len < at + 8 || memcmp(p + at, snap, sizeof snap) != 0)
                return E_UNSUPPORTED;
            type = load16(p + at + 6);
            at += 8;
        }
    }
}

/* The protocol family, whose number for IPv6 each system chose, in the byte order of the machine that captured. */
static bool is_ip_family(const uint8_t *p)
{
    static const uint8_t families[] = {2, 10, 24, 28, 30}; /* IPv4; IPv6 of Linux, NetBSD, FreeBSD, Darwin */
    uint32_t family = load32(p);
    if (family > UINT16_MAX)
        family = __builtin_bswap32(family);
    return family < UINT8_MAX && memchr(families, (int)family, sizeof families);
}

long link_ip_at(uint32_t link, const uint8_t *frame, size_t len)
{
    const struct link *l = find(link);
    if (!l)
        return E_UNSUPPORTED;
    if (len <= l->size)
        return E_TRUNCATED;
    switch (l->naming) {
    case BY_ETHERTYPE:
        return ethertype(frame, len, load16(frame + l->type_at), l->size);
    case BY_PPP:
        return ppp(frame, len, 0);
    case BY_FAMILY:
        return is_ip_family(frame) ? l->size : E_UNSUPPORTED;
    case BY_NOTHING:
        break;
    }
    return l->size;
}
