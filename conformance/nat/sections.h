/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of this document, one file a protocol. */
#ifndef TP_CONFORMANCE_NAT_SECTIONS_H
#define TP_CONFORMANCE_NAT_SECTIONS_H

#include "conformance/conformance.h"

extern const struct section nat_udp;   /* RFC 4787 */
extern const struct section nat_tcp;   /* RFC 5382 */
extern const struct section nat_later; /* RFC 7857, 5508, 6888 */

#endif
