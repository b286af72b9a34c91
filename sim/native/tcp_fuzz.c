/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection is brought into any of its states, then segments, user calls and time are thrown at it as the input
 * says. Numbers are drawn near those of the connection, or nothing would ever be accepted. After each step the
 * invariants of tcp_internal.h must hold. */
#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "sim/native/tcp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t iss = 0xfffffc00, irs = 0xffffff00; /* both soon wrap */

struct fuzz {
    struct reader in;
    struct tcp *t;
    uint64_t now_ns;
};

static void check_ranges(const struct ranges *s, uint32_t above, uint32_t end)
{
    assert(s->count <= s->cap);
    for (unsigned i = 0; i < s->count; i++) {
        assert(seq_lt(i ? s->v[i - 1].to : above, s->v[i].from));
        assert(seq_lt(s->v[i].from, s->v[i].to));
    }
    assert(!s->count || seq_le(s->v[s->count - 1].to, end));
}

static void check(const struct tcp *t)
{
    if (t->state == TCPS_CLOSED) {
        assert(tcp_deadline(t) == TIME_NEVER);
        return;
    }
    assert(seq_le(t->snd_una, t->snd_nxt) && seq_le(t->snd_nxt, t->snd_max) && seq_le(t->snd_max, t->snd_nxt + 1));
    assert(t->tx_len <= t->cfg.send_buffer && t->rx_len <= t->cfg.receive_buffer);
    if (t->state == TCPS_SYN_SENT)
        return;
    assert(seq_le(t->snd_nxt, tcp_snd_end(t)) || t->state == TCPS_TIME_WAIT);
    if (t->state != TCPS_SYN_RECEIVED && t->tx_len)
        assert(t->tx_seq == t->snd_una);
    assert(t->snd_wnd <= t->snd_wnd_max);
    assert(seq_le(t->rcv_adv, t->rcv_nxt + tcp_rcv_room(t)));
    if (tcp_in(t, IN_SENDING)) {
        assert(t->cwnd >= t->mss && t->mss >= MSS_MIN);
        assert(!tcp_flight(t) || t->timer[TIMER_RTX] != TIME_NEVER);
        assert(seq_le(t->rtx_next, t->snd_nxt));
        assert(t->mode == MODE_OPEN || (seq_lt(t->snd_una, t->recover) && seq_le(t->recover, t->snd_nxt)));
    }
    check_ranges(&t->sacked, t->snd_una, t->snd_nxt);
    check_ranges(&t->ahead, t->rcv_nxt, t->rcv_nxt + tcp_rcv_room(t));
    assert(t->recent_count <= TCP_SACK_BLOCKS);
    for (unsigned i = 0; i < t->recent_count; i++)
        assert(ranges_cover(&t->ahead, t->recent[i].from, t->recent[i].to));
}

static void drain(struct fuzz *f)
{
    struct tcp_segment s;
    for (unsigned n = 0; tcp_output(f->t, &s, f->now_ns); n++) {
        assert(n < 5000); /* a window's worth at most */
        size_t options = s.sack_count ? 4 + 8 * s.sack_count : 0; /* no timestamps */
        assert(!s.len || s.len + s.len2 + options <= f->t->mss);
        assert((!s.len || s.data) && (!s.len2 || s.data2));
        assert(s.sack_count <= TCP_SACK_BLOCKS);
        check(f->t);
    }
}

/* A number near one of the connection's. */
static uint32_t near(struct fuzz *f, bool own)
{
    const struct tcp *t = f->t;
    uint32_t base[2][4] = {{t->rcv_nxt, t->irs, t->rcv_nxt + tcp_rcv_room(t), t->rcv_adv},
                           {t->snd_una, t->snd_nxt, t->snd_max, t->iss}};
    uint8_t how = read8(&f->in);
    uint32_t off = how & 4 ? read16(&f->in) : how >> 4;
    return base[own][how & 3] + (how & 8 ? 0 - off : off);
}

static void segment(struct fuzz *f)
{
    static const uint8_t bytes[4096];
    static const uint8_t flags[8] = {TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK, TCP_ACK | TCP_FIN,
                                     TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK};
    uint8_t what = read8(&f->in);
    struct tcp_segment s = {.flags = flags[what & 7], .wscale = TCP_NO_WSCALE};
    s.seq = near(f, false);
    s.ack = near(f, true);
    s.len = what & 8 ? read16(&f->in) % sizeof bytes : 0;
    s.window = what & 16 ? read16(&f->in) : 4000;
    s.data = bytes;
    if (what & 32 && s.flags & TCP_SYN) {
        s.mss = read16(&f->in);
        s.wscale = read8(&f->in);
        s.sack_ok = true;
    } else if (what & 32) {
        for (s.sack_count = 0; s.sack_count < (what >> 6) + 1; s.sack_count++) {
            s.sack[s.sack_count].from = near(f, true);
            s.sack[s.sack_count].to = near(f, true);
        }
    }
    tcp_input(f->t, &s, f->now_ns);
}

static void user(struct fuzz *f, uint8_t what)
{
    uint8_t buf[4096] = {0};
    bool eof;
    size_t n = read16(&f->in) % sizeof buf;
    switch (what % 8) {
    case 0:
    case 1: tcp_write(f->t, buf, n); break;
    case 2:
    case 3: tcp_read(f->t, buf, n, &eof); break;
    case 4: tcp_shutdown_write(f->t); break;
    case 5: tcp_close(f->t); break;
    case 6: tcp_icmp(f->t, n & 1 ? E_REFUSED : 0, n & 1 ? 0 : (uint16_t)(n + 1), f->now_ns); break;
    case 7: if (n < 64) tcp_abort(f->t); break;
    }
}

/* The handshake, so that a few bytes reach deep. */
static void establish(struct fuzz *f, bool active, const struct tcp_config *cfg, bool sack)
{
    struct tcp_segment s = {.seq = irs, .flags = TCP_SYN, .window = 8000, .mss = 1000, .wscale = 2, .sack_ok = sack};
    if (active) {
        f->t = tcp_connect_new(cfg, iss, 0);
    } else {
        f->t = tcp_accept_new(cfg, iss, &s, 0);
    }
    assert(f->t);
    drain(f);
    s.ack = iss + 1;
    s.flags = TCP_ACK;
    if (active)
        s.flags |= TCP_SYN;
    else
        s.seq++;
    tcp_input(f->t, &s, 0);
    drain(f);
    assert(f->t->state == TCPS_ESTABLISHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.in = reader_of(data, size)};
    uint8_t how = read8(&f.in);
    struct tcp_config cfg = {.send_buffer = 20000, .receive_buffer = how & 8 ? 70000 : 5000, .mss = 1460,
                             .msl_ns = 30 * NS_S, .keepalive_ns = how & 16 ? 60 * NS_S : 0,
                             .delayed_ack_ns = 40 * NS_MS, .ipv6 = how & 32};
    if (how & 1) {
        establish(&f, how & 2, &cfg, how & 4);
    } else if (how & 2) {
        f.t = tcp_connect_new(&cfg, iss, 0);
    } else {
        struct tcp_segment syn = {.seq = irs, .flags = TCP_SYN, .window = 100, .wscale = TCP_NO_WSCALE};
        f.t = tcp_accept_new(&cfg, iss, &syn, 0);
    }
    assert(f.t);
    drain(&f);
    while (reader_left(&f.in)) {
        uint8_t what = read8(&f.in);
        if (what & 1) {
            segment(&f);
        } else if (what & 2) {
            user(&f, what >> 2);
        } else if (what & 4) {
            f.now_ns += (what >> 3) * 10 * NS_MS;
        } else if (tcp_deadline(f.t) != TIME_NEVER) {
            f.now_ns = f.now_ns < tcp_deadline(f.t) ? tcp_deadline(f.t) : f.now_ns;
        }
        tcp_timer(f.t, f.now_ns);
        check(f.t);
        drain(&f);
        check(f.t);
        tcp_news(f.t);
    }
    tcp_free(f.t);
    return 0;
}
