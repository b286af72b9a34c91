/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan in: taken, with ranges in order, or refused with its place. */
#include <assert.h>
#include <string.h>

#include "sim/explore/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan *p = NULL;
    struct diag d = {""};
    if (plan_parse("fuzz", (const char *)data, size, &p, &d) != 0) {
        assert(strncmp(d.text, "fuzz:", 5) == 0);
        return 0;
    }
    assert(p->links.loss_ppm.items[0] <= p->links.loss_ppm.items[1] && p->links.loss_ppm.items[1] <= 1000000);
    assert(p->faults.count.items[1] <= PLAN_FAULTS_MAX && p->faults.kinds.count > 0);
    assert(p->load.buffer_kb.items[0] > 0);
    plan_free(p);
    return 0;
}
