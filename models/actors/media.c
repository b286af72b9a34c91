/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/media.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/time.h"

#define REPORT_MIN_NS (5 * NS_S) /* 6.2 */
#define NTP_EPOCH UINT64_C(2208988800) /* 1970 in the time of NTP, so that no time stamp is 0 */

enum {
    UDP_IP = 28,          /* 6.2: what lies below counts as well */
    REPORT_FIRST = 128,   /* bytes: a guess of the first report's size (6.3.2) */
    MEMBERS_MAX = 2,
    BANDWIDTH_LEAST = 8000,
    RTCP_PERCENT = 5,
    /* 6.3.1: T is divided by e - 3/2, which makes up for the reconsideration */
    COMPENSATION = 121828, COMPENSATION_UNIT = 100000,
};

/* ---- payload ---- */

static uint64_t key_of(const char *from, const char *to, const char *kind)
{
    struct sha256 h;
    uint8_t digest[HASH_SHA256];
    sha256_start(&h);
    sha256_add(&h, from, strlen(from) + 1);
    sha256_add(&h, to, strlen(to) + 1);
    sha256_add(&h, kind, strlen(kind) + 1);
    sha256_end(&h, digest);
    return load64(digest);
}

/* The generator splitmix64 (Steele, Lea, Flood), one word at a time. */
static uint64_t word_of(uint64_t key, uint16_t seq, size_t n)
{
    uint64_t z = key + ((uint64_t)seq << 32) + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill_payload(uint8_t *p, size_t len, uint64_t key, uint16_t seq)
{
    size_t n = 0;
    for (; len >= 8; len -= 8, p += 8)
        store64(p, word_of(key, seq, n++));
    uint64_t last = word_of(key, seq, n);
    for (; len; len--, last >>= 8)
        *p++ = (uint8_t)last;
}

static bool is_payload(const uint8_t *p, size_t len, uint64_t key, uint16_t seq)
{
    size_t n = 0;
    uint64_t wrong = 0;
    for (; len >= 8; len -= 8, p += 8)
        wrong |= load64(p) ^ word_of(key, seq, n++);
    uint64_t last = word_of(key, seq, n);
    for (; len; len--, last >>= 8)
        wrong |= *p++ ^ (last & 0xff);
    return !wrong;
}

/* ---- beginning, changes ---- */

static uint32_t new_ssrc(struct media *m)
{
    uint32_t ssrc;
    do
        ssrc = (uint32_t)rng_u64(&m->rng);
    while (!ssrc || ssrc == m->ssrc || ssrc == m->peer_ssrc);
    return ssrc;
}

static void copy_name(char *out, size_t cap, const char *name)
{
    struct text t = text_of(out, cap);
    text_add(&t, "%s", name);
}

void media_init(struct media *m, const struct media_config *cfg, const char *kind, const char *cname, struct rng rng)
{
    *m = (struct media){.cfg = *cfg, .rng = rng, .sending = true, .members = 1};
    if (m->cfg.payload_bytes > MEDIA_PAYLOAD_MAX)
        m->cfg.payload_bytes = MEDIA_PAYLOAD_MAX;
    copy_name(m->kind, sizeof m->kind, kind);
    copy_name(m->cname, sizeof m->cname, cname);
    m->ssrc = new_ssrc(m);
    m->seq = (uint16_t)rng_u64(&m->rng);
    m->stamp = (uint32_t)rng_u64(&m->rng);
    m->report_size16 = REPORT_FIRST * 16;
    m->heard_rtp_ns = m->report_at_ns = m->count.first_ns = m->count.reached_ns = TIME_NEVER;
    m->count.report_ns = TIME_NEVER;
}

void media_set_peer(struct media *m, const char *cname, uint32_t ssrc)
{
    copy_name(m->peer, sizeof m->peer, cname);
    m->key_out = key_of(m->cname, m->peer, m->kind);
    m->key_in = key_of(m->peer, m->cname, m->kind);
    m->peer_ssrc = ssrc;
    m->peer_known = ssrc != 0;
}

/* Sending begins (anew): the rate counts from now on, and the first packet is marked (RFC 3551 4.1). */
static void begin_epoch(struct media *m, uint64_t now_ns)
{
    m->epoch_ns = now_ns;
    m->epoch_sent = 0;
    m->marker = true;
}

void media_send(struct media *m, bool send, uint64_t now_ns)
{
    if (send && !m->sending)
        begin_epoch(m, now_ns);
    m->sending = send;
}

void media_bye(struct media *m)
{
    m->bye = true;
}

/* ---- when reports go out: 6.2, 6.3 ---- */

static uint64_t report_bandwidth(const struct media *m)
{
    uint64_t packet = m->cfg.payload_bytes + (uint64_t)RTP_HEADER + UDP_IP;
    uint64_t both = 2 * m->cfg.packets_per_s * packet;
    uint64_t all = m->cfg.bandwidth ? m->cfg.bandwidth : both > BANDWIDTH_LEAST ? both : BANDWIDTH_LEAST;
    return all * RTCP_PERCENT >= 100 ? all * RTCP_PERCENT / 100 : 1;
}

static bool we_sent(const struct media *m)
{
    return m->sent_before || m->count.sent > m->sent_reported;
}

/* 6.3.1, before chance comes in. Of two members, one sender is more than a quarter: nothing is set aside for senders.
 * While nobody sends, the receivers have their three quarters. */
static uint64_t calculated(const struct media *m)
{
    uint64_t share = report_bandwidth(m), least = m->reports_sent ? REPORT_MIN_NS : REPORT_MIN_NS / 2;
    if (!we_sent(m) && m->heard_rtp_ns == TIME_NEVER && share > 1)
        share = share * 3 / 4;
    uint64_t t = m->members * (uint64_t)m->report_size16 * NS_S / 16 / share;
    return t > least ? t : least;
}

static uint64_t interval(struct media *m)
{
    uint64_t t = calculated(m);
    t = t / 2 + rng_below(&m->rng, t);
    return t / COMPENSATION * COMPENSATION_UNIT;
}

void media_start(struct media *m, uint64_t now_ns)
{
    if (m->running)
        return;
    m->running = true;
    m->reported_ns = now_ns;
    begin_epoch(m, now_ns);
    m->report_at_ns = now_ns + interval(m);
}

static bool may_send(const struct media *m)
{
    return m->running && m->sending && !m->bye && m->cfg.packets_per_s;
}

static uint64_t packet_due(const struct media *m)
{
    uint64_t n = m->epoch_sent, rate = m->cfg.packets_per_s;
    return may_send(m) ? m->epoch_ns + n / rate * NS_S + n % rate * NS_S / rate : TIME_NEVER;
}

uint64_t media_deadline(const struct media *m)
{
    if (m->bye_sent || !m->running)
        return TIME_NEVER;
    return m->bye || m->give_up ? 0 : time_min(packet_due(m), m->report_at_ns);
}

/* ---- out ---- */

static uint32_t clock_at(const struct media *m, uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_S * m->cfg.clock + now_ns % NS_S * m->cfg.clock / NS_S);
}

static uint64_t ntp_at(uint64_t now_ns)
{
    return (NTP_EPOCH + now_ns / NS_S) << 32 | ((now_ns % NS_S << 32) / NS_S);
}

static uint32_t middle_of(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

static size_t put_packet(struct media *m, uint64_t due_ns)
{
    struct rtp_packet p = {.marker = m->marker,
                           .payload_type = m->cfg.payload_type,
                           .seq = m->seq++,
                           .timestamp = m->stamp + clock_at(m, due_ns),
                           .ssrc = m->ssrc};
    struct writer w = writer_of(m->packet, sizeof m->packet);
    rtp_write(&w, &p);
    fill_payload(m->packet + RTP_HEADER, m->cfg.payload_bytes, m->key_out, p.seq);
    m->marker = false;
    m->epoch_sent++;
    m->count.sent++;
    m->octets_sent += m->cfg.payload_bytes;
    return RTP_HEADER + m->cfg.payload_bytes;
}

static void average_size(struct media *m, size_t len)
{
    m->report_size16 += (uint32_t)(len + UDP_IP) - m->report_size16 / 16; /* 6.3.3 */
}

/* A compound: the report, who we are, and BYE for a source that ends. */
static size_t put_report(struct media *m, uint32_t ssrc, bool bye, uint64_t now_ns)
{
    struct rtcp_sender sender = {ntp_at(now_ns), m->stamp + clock_at(m, now_ns), (uint32_t)m->count.sent,
                                 (uint32_t)m->octets_sent};
    struct rtcp_block block = {0};
    bool any = m->source.received > m->source.received_reported;
    if (any) {
        block = rtp_source_report(&m->source);
        block.ssrc = m->peer_ssrc;
        block.lsr = m->lsr;
        block.dlsr = m->lsr ? (uint32_t)((ntp_at(now_ns) - ntp_at(m->sr_came_ns)) >> 16) : 0;
    }
    struct writer w = writer_of(m->packet, sizeof m->packet);
    rtcp_write_report(&w, ssrc, we_sent(m) ? &sender : NULL, any ? &block : NULL);
    rtcp_write_cname(&w, ssrc, m->cname);
    if (bye)
        rtcp_write_bye(&w, ssrc);
    m->sent_before = m->count.sent > m->sent_reported;
    m->sent_reported = m->count.sent;
    m->reports_sent++;
    average_size(m, writer_len(&w));
    return writer_len(&w);
}

/* 8.2: the SSRC is the other end's as well. */
static size_t leave_ssrc(struct media *m, uint64_t now_ns)
{
    size_t len = put_report(m, m->ssrc, true, now_ns);
    m->ssrc = new_ssrc(m);
    m->give_up = false;
    m->count.collisions++;
    return len;
}

/* 6.3.6: the interval is drawn again when it is over; only if that is over too is the report sent. */
static size_t report_is_due(struct media *m, uint64_t now_ns)
{
    if (m->heard_rtp_ns != TIME_NEVER && now_ns - m->heard_rtp_ns > 2 * calculated(m))
        m->heard_rtp_ns = TIME_NEVER; /* no sender any more (6.3.5) */
    uint64_t at = m->reported_ns + interval(m);
    if (at > now_ns) {
        m->report_at_ns = at;
        return 0;
    }
    size_t len = put_report(m, m->ssrc, false, now_ns);
    m->reported_ns = now_ns;
    m->report_at_ns = now_ns + interval(m);
    return len;
}

size_t media_next(struct media *m, uint64_t now_ns, const uint8_t **packet)
{
    *packet = m->packet;
    if (!m->running || m->bye_sent)
        return 0;
    if (m->bye) { /* 6.3.7: at once, there are few of us */
        m->bye_sent = true;
        return put_report(m, m->ssrc, true, now_ns);
    }
    if (m->give_up)
        return leave_ssrc(m, now_ns);
    if (now_ns >= m->report_at_ns) {
        size_t len = report_is_due(m, now_ns);
        if (len)
            return len;
    }
    uint64_t due = packet_due(m);
    return now_ns >= due ? put_packet(m, due) : 0;
}

/* ---- in ---- */

static int refuse(struct media *m, int err, const char **why, const char *text)
{
    m->count.malformed += err == E_MALFORMED;
    m->count.foreign += err == E_INTEGRITY;
    *why = text;
    return err;
}

static void join(struct media *m)
{
    m->members = MEMBERS_MAX;
    m->peer_bye = false;
}

/* The other end has another SSRC than before, for which his name or his payload speaks. */
static void set_source(struct media *m, uint32_t ssrc)
{
    if (m->peer_known && m->peer_ssrc == ssrc)
        return;
    m->peer_ssrc = ssrc;
    m->peer_known = true;
    m->lost_before += rtp_source_lost(&m->source);
    m->source = (struct rtp_source){0};
    m->lsr = 0;
}

static int take_rtp(struct media *m, const uint8_t *packet, size_t len, uint64_t now_ns, const char **why)
{
    struct rtp_packet p;
    int err = rtp_parse(packet, len, &p, why);
    if (err)
        return refuse(m, err, why, *why);
    if (p.payload_type != m->cfg.payload_type)
        return refuse(m, E_MALFORMED, why, "a payload type that was not agreed on");
    if (m->peer[0] && !is_payload(p.payload, p.payload_len, m->key_in, p.seq))
        return refuse(m, E_INTEGRITY, why, m->peer_known && p.ssrc == m->peer_ssrc
                                               ? "data of another call under the other end's SSRC"
                                               : "data of another call");
    if (p.ssrc == m->ssrc) {
        m->give_up = true;
        return 0;
    }
    set_source(m, p.ssrc);
    join(m);
    m->heard_rtp_ns = now_ns;
    m->count.first_ns = time_min(m->count.first_ns, now_ns);
    switch (rtp_source_take(&m->source, p.seq, p.timestamp, clock_at(m, now_ns))) {
    case RTP_DUPLICATE:
        m->count.duplicates++;
        return 0;
    case RTP_LATE:
        m->count.late++;
        break;
    case RTP_JUMP:
        return 0;
    case RTP_IN_ORDER:
        break;
    }
    m->count.received++;
    m->count.received_bytes += p.payload_len;
    return 0;
}

/* 6.4.1: what the other end says of itself. */
static void take_sender(struct media *m, const struct rtcp_packet *sr, uint64_t now_ns)
{
    struct rtcp_sender sender = rtcp_sender_of(sr);
    m->lsr = middle_of(sender.ntp);
    m->sr_came_ns = now_ns;
    m->missing = sender.packets != m->sent_to_us && (uint32_t)m->count.received == m->came_to_us;
    m->sent_to_us = sender.packets;
    m->came_to_us = (uint32_t)m->count.received;
}

/* ... and of us. */
static void take_block(struct media *m, const struct rtcp_packet *report, uint64_t now_ns)
{
    struct rtcp_block b;
    if (!rtcp_block_of(report, m->ssrc, &b))
        return;
    if (m->count.reached_ns == TIME_NEVER || b.highest != m->reached)
        m->count.reached_ns = now_ns;
    m->reached = b.highest;
    if (!b.lsr)
        return;
    uint32_t units = middle_of(ntp_at(now_ns)) - b.lsr - b.dlsr; /* 1/65536 s */
    m->count.round_trip_ns = (int32_t)units > 0 ? ((uint64_t)units * NS_S) >> 16 : 1;
}

/* 6.3.4: there are half as many now, so the next report is nearer. */
static void take_bye(struct media *m, uint64_t now_ns)
{
    m->peer_bye = true;
    m->members = 1;
    m->heard_rtp_ns = TIME_NEVER;
    if (m->report_at_ns > now_ns)
        m->report_at_ns = now_ns + (m->report_at_ns - now_ns) / MEMBERS_MAX;
    m->reported_ns = now_ns - (now_ns - m->reported_ns) / MEMBERS_MAX;
}

/* Whether a compound gives its source the other end's CNAME, as each has to (6.1). */
static bool is_named(const struct media *m, const uint8_t *packet, size_t len, uint32_t ssrc)
{
    struct reader r = reader_of(packet, len);
    struct rtcp_packet p;
    const char *name = NULL;
    size_t n = 0;
    while (!name && rtcp_next(&r, &p))
        if (p.type == RTCP_SDES)
            name = rtcp_cname_of(&p, ssrc, &n);
    return name && n == strlen(m->peer) && memcmp(name, m->peer, n) == 0;
}

static int take_rtcp(struct media *m, const uint8_t *packet, size_t len, uint64_t now_ns, const char **why)
{
    int err = rtcp_check(packet, len, why);
    if (err)
        return refuse(m, err, why, *why);
    uint32_t ssrc = load32(packet + 4);
    if (m->peer[0] && !is_named(m, packet, len, ssrc))
        return refuse(m, E_INTEGRITY, why, "reports of another call");
    if (ssrc == m->ssrc) {
        m->give_up = true;
        return 0;
    }
    set_source(m, ssrc);
    join(m);
    average_size(m, len);
    m->count.reports++;
    m->count.report_ns = now_ns;
    m->missing = false;
    struct reader r = reader_of(packet, len);
    struct rtcp_packet p;
    while (rtcp_next(&r, &p)) {
        if (p.type == RTCP_SR && rtcp_ssrc(&p) == ssrc)
            take_sender(m, &p, now_ns);
        if (p.type == RTCP_SR || p.type == RTCP_RR)
            take_block(m, &p, now_ns);
        if (p.type == RTCP_BYE && rtcp_bye_of(&p, ssrc))
            take_bye(m, now_ns);
    }
    return 0;
}

int media_input(struct media *m, const uint8_t *packet, size_t len, uint64_t now_ns, const char **why)
{
    *why = "";
    if (rtp_is_rtcp(packet, len))
        return take_rtcp(m, packet, len, now_ns, why);
    return take_rtp(m, packet, len, now_ns, why);
}

struct media_count media_counted(const struct media *m)
{
    struct media_count c = m->count;
    c.lost = m->lost_before + rtp_source_lost(&m->source);
    c.jitter = m->source.jitter16 >> 4;
    return c;
}
