/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plan text in: taken or refused with a reason, never a crash; of one that is taken every corner cell can be had. */
#include <assert.h>
#include <stdint.h>

#include "sim/sweep/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sweep_plan *p;
    struct sweep_cell cell;
    struct diag d = {""};
    if (sweep_plan_parse("/nowhere/p", (const char *)data, size, &p, &d) != 0) {
        assert(d.text[0]);
        return 0;
    }
    assert(p->cells && p->pieces == p->cells * p->seeds && p->pieces <= SWEEP_PIECES_MAX);
    sweep_plan_cell(p, 0, &cell);
    sweep_plan_cell(p, p->cells - 1, &cell);
    for (size_t i = 0; i < p->axes.count; i++)
        assert(cell.on[i] == &p->axes.items[i].kinds.items[p->axes.items[i].kinds.count - 1]);
    sweep_plan_free(p);
    return 0;
}
