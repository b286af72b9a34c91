/* SPDX-License-Identifier: GPL-2.0-or-later */
/* time-range: `absolute [start T] [end T]`, `periodic DAYS hh:mm to [DAY] hh:mm`, and the clock's zone. A range is
 * active between start and end, within one of its periods if it has any ([ASA] time-range). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/base/err.h"
#include "models/firewall/asa.h"

enum active { INACTIVE, ACTIVE, ACTIVE_UNKNOWN };
enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };

/* Days from 1970-01-01 to the day of the Gregorian calendar. */
static int64_t days_since_1970(long year, long month, long day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return y * 365 + y / 4 - y / 100 + y / 400 + before[month - 1] + day + (month > 2 && leap) - 719163;
}

/* hh:mm in seconds. */
static int day_time(struct asa *a, int64_t *out)
{
    const char *s = asa_peek(a);
    char *end;
    long h = strtol(s, &end, 10), m = *end == ':' ? strtol(end + 1, &end, 10) : -1;
    if (*s < '0' || *s > '9' || *end || h > 23 || m < 0 || m > 59)
        return asa_expected(a, "a time as hh:mm");
    a->at++;
    *out = h * HOUR + m * MINUTE;
    return 0;
}

/* The word, or its first three letters at least, of the table; -1: none. */
static int word_of(const char *s, const char *const *table, int count)
{
    for (int i = 0; i < count; i++)
        if (strlen(s) >= 3 && strncasecmp(s, table[i], strlen(s)) == 0)
            return i;
    return -1;
}

/* `12:00 1 January 2030`, or the day behind the month. */
static int moment(struct asa *a, int64_t *out)
{
    static const char *const month[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
    int64_t seconds = 0;
    long day = 0, year = 0;
    int err = day_time(a, &seconds), m = err ? -1 : word_of(asa_peek(a), month, 12);
    a->at += m >= 0;
    err = err ? err : asa_number(a, 1, 31, "a day", &day);
    if (!err && m < 0) {
        m = word_of(asa_peek(a), month, 12);
        if (m < 0)
            return asa_expected(a, "a month");
        a->at++;
    }
    err = err ? err : asa_number(a, 1993, 2035, "a year", &year);
    *out = err ? 0 : days_since_1970(year, m + 1, day) * DAY + seconds;
    return err;
}

static int add(struct asa *a, const struct asa_period *period)
{
    struct asa_period *p = fw_arena(a->rules, sizeof *p);
    if (!p)
        return asa_no_memory(a);
    *p = *period;
    p->next = a->symbol->period;
    a->symbol->period = p;
    return 0;
}

static int absolute(struct asa *a)
{
    struct asa_period p = {.absolute = true, .from_s = INT64_MIN, .to_s = INT64_MAX};
    int err = 0;
    if (asa_take(a, "start"))
        err = moment(a, &p.from_s);
    if (!err && asa_take(a, "end")) {
        err = moment(a, &p.to_s);
        p.to_s += err ? 0 : MINUTE - 1; /* through the last minute */
    }
    err = err ? err : asa_end(a);
    return err ? err : add(a, &p);
}

static const char *const weekday[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

/* The days of a period as bits, and which was named last. */
static unsigned days(struct asa *a, int *last)
{
    static const struct {
        const char *word;
        unsigned days;
    } several[] = {{"daily", 0x7f}, {"weekdays", 0x3e}, {"weekend", 0x41}};
    unsigned set = 0;
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        if (asa_take(a, several[i].word))
            set |= several[i].days;
    for (int d; (d = word_of(asa_peek(a), weekday, 7)) >= 0; a->at++) {
        set |= 1U << d;
        *last = d;
    }
    return set;
}

static int periodic(struct asa *a)
{
    int first = -1, last = -1;
    unsigned set = days(a, &first);
    int64_t from = 0, to = 0;
    if (!set)
        return asa_expected(a, "days of the week");
    int err = day_time(a, &from);
    if (!err && !asa_take(a, "to"))
        err = asa_expected(a, "to");
    if (err)
        return err;
    unsigned end = days(a, &last);
    err = day_time(a, &to);
    err = err ? err : asa_end(a);
    if (!err && end && (end & (end - 1) || set & (set - 1)))
        err = asa_fail(a, E_MALFORMED, "expected one day to one day");
    if (!err && end)
        return add(a, &(struct asa_period){.from_s = first * DAY + from, .to_s = last * DAY + to + MINUTE - 1});
    for (int d = 0; d < 7 && !err; d++)
        if (set & 1U << d)
            err = add(a, &(struct asa_period){.from_s = d * DAY + from, .to_s = d * DAY + to + MINUTE - 1});
    return err;
}

const struct asa_command asa_in_time_range[] = {
    {"absolute", ASA_OBJECTS, absolute, NULL},
    {"periodic", ASA_OBJECTS, periodic, NULL},
    {0},
};

static bool active_at(const struct asa_symbol *range, int64_t local_s)
{
    int64_t since = local_s + 4 * DAY, week = ((since % WEEK) + WEEK) % WEEK; /* 1970-01-01 was a Thursday */
    bool has_periods = false, in_period = false;
    for (const struct asa_period *p = range->period; p; p = p->next) {
        if (p->absolute) {
            if (local_s < p->from_s || local_s > p->to_s)
                return false;
            continue;
        }
        has_periods = true;
        bool wraps = p->to_s < p->from_s;
        in_period = in_period || (wraps ? week >= p->from_s || week <= p->to_s : week >= p->from_s && week <= p->to_s);
    }
    return in_period || !has_periods;
}

static enum active time_active(const struct asa *a, const struct asa_symbol *range)
{
    if (a->src_file->clock_s == FW_NO_CLOCK || range->first) /* a line that is not understood */
        return ACTIVE_UNKNOWN;
    int64_t local = a->src_file->clock_s + a->zone_s;
    bool active = active_at(range, local);
    if (a->summer_time && active != active_at(range, local + HOUR))
        return ACTIVE_UNKNOWN;
    return active ? ACTIVE : INACTIVE;
}

int asa_rule_time_range(struct asa *a)
{
    const struct asa_symbol *s = asa_find(a, false, asa_peek(a));
    if (!s || s->kind != ASA_TIME_RANGE)
        return asa_expected(a, "the name of a time-range");
    a->at++;
    enum active active = time_active(a, s);
    if (active == INACTIVE && !a->ace.inactive) {
        a->ace.inactive = true;
        a->ace.time_range = s->name;
    } else if (active == ACTIVE_UNKNOWN) {
        a->ace.maybe = "whether the time-range is active depends on the clock";
    }
    return 0;
}

/* `clock timezone CET 1 [30]` */
int asa_clock_timezone(struct asa *a)
{
    asa_next(a);
    const char *s = asa_peek(a);
    bool west = *s == '-';
    if (!asa_is_number(s + west))
        return asa_expected(a, "hours from UTC");
    long hours = strtol(s + west, NULL, 10), minutes = 0;
    a->at++;
    if (hours > 23)
        return asa_fail(a, E_RANGE, "expected hours from -23 to 23");
    int err = asa_more(a) ? asa_number(a, 0, 59, "minutes", &minutes) : 0;
    a->zone_s = (west ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
    a->quiet = true;
    return err;
}

/* When it begins is not worked out: a range is judged by both times, and only if they agree. */
int asa_clock_summer_time(struct asa *a)
{
    a->summer_time = true;
    a->quiet = true;
    return 0;
}
