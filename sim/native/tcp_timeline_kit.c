/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/tcp_timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

static uint8_t line_byte(uint32_t seq)
{
    return (uint8_t)(seq * 31 + (seq >> 8) * 7);
}

static void line_fail(const struct line *l, const char *why)
{
    print_message("# \"%s\": %s\n", l->step, why);
    for (unsigned i = 0; i < l->count; i++) {
        const struct line_sent *q = l->queue + (l->first + i) % LINE_QUEUE;
        print_message("#   sent at %.3f: flags %02x seq %u+%u ack %u win %u, %u SACK blocks\n", (double)q->at_ns / 1e6,
                      q->s.flags, q->s.seq - (uint32_t)LINE_ISS, (unsigned)q->s.len,
                      q->s.ack - (uint32_t)LINE_IRS, q->s.window, q->s.sack_count);
        for (unsigned k = 0; k < q->s.sack_count; k++)
            print_message("#     %u-%u\n", q->s.sack[k].from - (uint32_t)LINE_IRS,
                          q->s.sack[k].to - (uint32_t)LINE_IRS);
    }
    fail();
}

void line_drain(struct line *l)
{
    struct tcp_segment s;
    while (l->t && tcp_output(l->t, &s, l->now_ns)) {
        uint32_t at = s.seq - (uint32_t)LINE_ISS;
        for (size_t i = 0; i < s.len + s.len2; i++)
            if ((i < s.len ? s.data[i] : s.data2[i - s.len]) != line_byte(at + (uint32_t)i))
                line_fail(l, "wrong bytes sent");
        s.len += s.len2;
        s.data = s.data2 = NULL;
        s.len2 = 0;
        assert_true(l->count < LINE_QUEUE);
        l->queue[(l->first + l->count++) % LINE_QUEUE] = (struct line_sent){l->now_ns, s};
    }
}

void line_advance(struct line *l, uint64_t to_ns)
{
    while (l->t && tcp_deadline(l->t) <= to_ns) {
        assert_true(tcp_deadline(l->t) >= l->now_ns);
        l->now_ns = tcp_deadline(l->t);
        tcp_timer(l->t, l->now_ns);
        line_drain(l);
    }
    l->now_ns = to_ns;
}

/* The number after a word in the step, or none when the word is not there. */
static uint32_t line_number(const char *text, const char *word, uint32_t none)
{
    const char *at = strstr(text, word);
    return at ? (uint32_t)strtoul(at + strlen(word), NULL, 10) : none;
}

/* Sequence numbers of the sender count from own, those that it acknowledges from other. */
static struct tcp_segment line_segment(const char *text, uint32_t own, uint32_t other, bool *window)
{
    static const struct { char letter; uint8_t flag; } letters[] = {
        {'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'.', TCP_ACK}};
    struct tcp_segment s = {.wscale = TCP_NO_WSCALE};
    char *p = strchr(text, ' ');
    assert_non_null(p);
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (memchr(text, letters[i].letter, (size_t)(p - text)))
            s.flags |= letters[i].flag;
    uint32_t from = (uint32_t)strtol(p, &p, 10);
    assert_int_equal(*p, ':');
    s.seq = own + from;
    s.len = (uint32_t)strtol(p + 1, NULL, 10) - from;
    if (s.flags & TCP_ACK)
        s.ack = other + line_number(text, " ack ", 0);
    *window = strstr(text, " win ");
    s.window = (uint16_t)line_number(text, " win ", 60000);
    s.mss = (uint16_t)line_number(text, " mss ", 0);
    s.wscale = (uint8_t)line_number(text, " ws ", TCP_NO_WSCALE);
    s.sack_ok = strstr(text, " sackok");
    p = strstr(text, " sack ");
    for (p = p ? p + 5 : NULL; p && *p == ' '; s.sack_count++) {
        assert_true(s.sack_count < TCP_SACK_BLOCKS);
        s.sack[s.sack_count].from = other + (uint32_t)strtoul(p, &p, 10);
        s.sack[s.sack_count].to = other + (uint32_t)strtoul(p + 1, &p, 10);
    }
    return s;
}

void line_arrive(struct line *l, const char *text)
{
    static uint8_t bytes[LINE_BYTES];
    bool window;
    struct tcp_segment s = line_segment(text, (uint32_t)LINE_IRS, (uint32_t)LINE_ISS, &window);
    for (uint32_t i = 0; i < s.len; i++)
        bytes[i] = line_byte(s.seq - (uint32_t)LINE_IRS + i);
    s.data = bytes;
    if (l->t)
        tcp_input(l->t, &s, l->now_ns);
    else
        l->t = tcp_accept_new(&l->cfg, (uint32_t)LINE_ISS, &s, l->now_ns);
}

static void line_expect(struct line *l, const char *text)
{
    bool window;
    struct tcp_segment want = line_segment(text, (uint32_t)LINE_ISS, (uint32_t)LINE_IRS, &window);
    if (!l->count)
        line_fail(l, "nothing was sent");
    const struct line_sent *q = l->queue + l->first;
    if (q->at_ns != l->now_ns)
        line_fail(l, "not sent at this time");
    const struct tcp_segment *s = &q->s;
    if (s->flags != want.flags || s->seq != want.seq || s->len != want.len ||
        (s->flags & TCP_ACK && s->ack != want.ack))
        line_fail(l, "another segment was sent");
    if (window && s->window != want.window)
        line_fail(l, "another window");
    if (s->mss != want.mss || s->wscale != want.wscale || s->sack_ok != want.sack_ok)
        line_fail(l, "other options");
    if (s->sack_count != want.sack_count || memcmp(s->sack, want.sack, s->sack_count * sizeof *s->sack))
        line_fail(l, "other SACK blocks");
    l->first = (l->first + 1) % LINE_QUEUE;
    l->count--;
}

static void line_write(struct line *l, const char *text)
{
    static uint8_t bytes[LINE_BYTES];
    uint32_t n = (uint32_t)strtoul(text, NULL, 10), took = line_number(text, " took ", n);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = line_byte(1 + l->written + i);
    if (tcp_write(l->t, bytes, n) != took)
        line_fail(l, "took another number of bytes");
    l->written += took;
}

static void line_read(struct line *l, const char *text)
{
    static uint8_t bytes[LINE_BYTES];
    uint32_t cap = (uint32_t)strtoul(text, NULL, 10);
    bool eof;
    size_t n = tcp_read(l->t, bytes, cap ? cap : sizeof bytes, &eof);
    if (n != line_number(text, "got ", cap) || eof != !!strstr(text, "eof"))
        line_fail(l, "read something else");
    for (uint32_t i = 0; i < n; i++)
        if (bytes[i] != line_byte(1 + l->read + i))
            line_fail(l, "wrong bytes read");
    l->read += (uint32_t)n;
}

static int line_error(const char *text)
{
    static const struct { const char *name; int err; } errors[] = {
        {"OK", 0}, {"REFUSED", E_REFUSED}, {"RESET", E_RESET}, {"TIMED_OUT", E_TIMED_OUT},
        {"UNREACHABLE", E_UNREACHABLE}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(text, errors[i].name))
            return errors[i].err;
    fail();
    return 0;
}

static void line_news(struct line *l, const char *text)
{
    struct tcp_news n = tcp_news(l->t);
    const char *closed = strstr(text, "closed ");
    if (n.connected != !!strstr(text, "connected") || n.readable != !!strstr(text, "readable") ||
        n.writable != !!strstr(text, "writable") || n.closed != !!closed || (closed && n.err != line_error(closed + 7)))
        line_fail(l, "other news");
}

static void line_check(struct line *l, const char *verb, const char *text)
{
    struct tcp_info i;
    tcp_info(l->t, &i);
    uint64_t want = strtoul(text, NULL, 10);
    const struct { const char *verb; uint64_t value; } numbers[] = {
        {"cwnd", i.cwnd}, {"ssthresh", i.ssthresh}, {"rto", i.rto_ns / NS_MS}, {"flight", i.flight}, {"mss", i.mss},
        {"sndwnd", i.snd_wnd}};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        if (strcmp(verb, numbers[k].verb))
            continue;
        if (numbers[k].value != want) {
            print_message("# it is %lu\n", (unsigned long)numbers[k].value);
            line_fail(l, "another value");
        }
        return;
    }
    if (!strcmp(verb, "state")) {
        if (strcmp(tcp_state_name(tcp_state(l->t)), text))
            line_fail(l, tcp_state_name(tcp_state(l->t)));
    } else if (!strcmp(verb, "replaceable")) {
        if (tcp_may_be_replaced(l->t, (uint32_t)LINE_IRS + (uint32_t)want) != !!strstr(text, "YES"))
            line_fail(l, "otherwise");
    } else if (!strcmp(verb, "stats")) {
        char have[80];
        snprintf(have, sizeof have, "%u %u %u", (unsigned)i.retransmits, (unsigned)i.timeouts,
                 (unsigned)i.fast_recoveries);
        if (strcmp(have, text))
            line_fail(l, have);
    } else {
        line_fail(l, "no such step");
    }
}

void line_step(struct line *l, const char *step)
{
    char verb[16] = "";
    int used = 0;
    l->step = step;
    double at_ms = 0;
    if (sscanf(step, "%lf %15s %n", &at_ms, verb, &used) < 2)
        line_fail(l, "no step");
    const char *text = step + used;
    line_advance(l, (uint64_t)(at_ms * 1000 + 0.5) * NS_US);
    if (!strcmp(verb, ">")) {
        line_expect(l, text);
        return;
    }
    if (l->count)
        line_fail(l, "more was sent");
    if (!strcmp(verb, "connect"))
        l->t = tcp_connect_new(&l->cfg, (uint32_t)LINE_ISS, l->now_ns);
    else if (verb[0] == '<')
        line_arrive(l, text);
    else if (!strcmp(verb, "write"))
        line_write(l, text);
    else if (!strcmp(verb, "read"))
        line_read(l, text);
    else if (!strcmp(verb, "shutdown"))
        tcp_shutdown_write(l->t);
    else if (!strcmp(verb, "close"))
        tcp_close(l->t);
    else if (!strcmp(verb, "abort"))
        tcp_abort(l->t);
    else if (!strcmp(verb, "icmp"))
        tcp_icmp(l->t, line_error(text), 0, l->now_ns);
    else if (!strcmp(verb, "mtu"))
        tcp_icmp(l->t, 0, (uint16_t)strtoul(text, NULL, 10), l->now_ns);
    else if (!strcmp(verb, "news"))
        line_news(l, text);
    else
        line_check(l, verb, text);
    if (strcmp(verb, "<<"))
        line_drain(l);
}

struct tcp_config line_config(void)
{
    return (struct tcp_config){.send_buffer = 128 << 10, .receive_buffer = 128 << 10, .mss = 1460, .msl_ns = 30 * NS_S,
                               .delayed_ack_ns = 40 * NS_MS};
}

void line_run(struct tcp_config cfg, const char *const *steps, size_t count)
{
    struct line l = {.cfg = cfg};
    for (size_t i = 0; i < count; i++)
        line_step(&l, steps[i]);
    if (l.count)
        line_fail(&l, "more was sent");
    tcp_free(l.t);
}
