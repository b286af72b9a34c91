/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time is an unsigned count of nanoseconds of simulated (or monotonic) time, passed in as `now_ns`. */
#ifndef TP_BASE_TIME_H
#define TP_BASE_TIME_H

#include <stdint.h>

#define NS_US UINT64_C(1000)
#define NS_MS UINT64_C(1000000)
#define NS_S UINT64_C(1000000000)
#define TIME_NEVER UINT64_MAX

static inline uint64_t time_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
