/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/advice.h"

#include "models/base/bytes.h"

void fw_advise(const struct fw_rules *r, const struct fw_packet *p, const struct fw_result *d, char *out, size_t cap)
{
    (void)p;
    struct text t = text_of(out, cap);
    if (d->verdict.decision == FW_DENIED) {
        char words[200];
        fw_verdict_text(r, &d->verdict, words, sizeof words);
        text_add(&t, "%s", words);
    }
}
