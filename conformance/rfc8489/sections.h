/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of this document, one file each. */
#ifndef TP_CONFORMANCE_RFC8489_SECTIONS_H
#define TP_CONFORMANCE_RFC8489_SECTIONS_H

#include "conformance/conformance.h"

extern const struct section rfc8489_format;      /* 5, 14 */
extern const struct section rfc8489_base;        /* 6.1, 6.3, 7: both sides */
extern const struct section rfc8489_transport;   /* 6.2: retransmission, TCP */
extern const struct section rfc8489_auth_server; /* 9, 9.2.4 */
extern const struct section rfc8489_auth_client; /* 9.1, 9.2.3, 9.2.5 */
extern const struct section rfc8489_other;       /* 8, 10 to 15; redirection */

#endif
