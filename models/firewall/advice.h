/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the person should change so that a dropped packet passes: the line to add, the line to mend, or words. */
#ifndef TP_FIREWALL_ADVICE_H
#define TP_FIREWALL_ADVICE_H

#include "models/firewall/fwbox.h"

enum { FW_ADVICE_TEXT = 512 };

/* About a packet p that fw_pass dropped with result d. */
void fw_advise(const struct fw_rules *r, const struct fw_packet *p, const struct fw_result *d, char *out, size_t cap);

#endif
