/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of this document, one file each. */
#ifndef TP_CONFORMANCE_MICROSOFT_SECTIONS_H
#define TP_CONFORMANCE_MICROSOFT_SECTIONS_H

#include "conformance/conformance.h"

extern const struct section microsoft_turn, microsoft_framing, microsoft_ice;

#endif
