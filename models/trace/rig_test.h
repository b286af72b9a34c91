/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace fed with frames built here, and what it told as one line of text: "syn syn' open <GET> <200>' gap 3' fin".
 * A prime is a reply; "open?" one whose start was missed; of flows but the first the number stands in front. */
#ifndef TP_TRACE_RIG_TEST_H
#define TP_TRACE_RIG_TEST_H

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/trace/link.h"
#include "models/trace/trace.h"
#include "models/wire/wire.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { CLIENT, SERVER };

struct rig {
    struct trace *t;
    struct text log;
    char buf[4096];
    uint64_t t_ns;
    uint64_t last_frame;
    struct endpoint end[2];
    uint32_t interface;
    uint16_t id;       /* of the next IPv4 packet; 0: no identification at all */
    uint8_t ttl;
    size_t snaplen;    /* 0: none */
    struct seen last;
};

/* A frame being built: Ethernet, unless the IP packet is taken out of it. */
struct frame {
    uint8_t b[70000];
    size_t len;
};

static inline void rig_seen(void *ctx, const struct seen *s)
{
    struct rig *r = ctx;
    assert_true(s->frame >= r->last_frame);
    r->last_frame = s->frame;
    r->last = *s;
    if (r->log.len)
        text_add(&r->log, " ");
    if (s->flow != 1)
        text_add(&r->log, "%u:", s->flow);
    switch (s->kind) {
    case SEEN_SYN: text_add(&r->log, "syn"); break;
    case SEEN_OPEN: text_add(&r->log, s->started ? "open" : "open?"); break;
    case SEEN_BYTES: text_add(&r->log, "<%.*s>", (int)s->len, (const char *)s->data); break;
    case SEEN_GAP: text_add(&r->log, "gap %zu", s->len); break;
    case SEEN_FIN: text_add(&r->log, "fin"); break;
    case SEEN_RST: text_add(&r->log, "rst"); break;
    case SEEN_DATAGRAM:
        text_add(&r->log, "[%.*s%s]", (int)s->len, (const char *)s->data, s->cut ? "..." : "");
        break;
    case SEEN_ICMP: text_add(&r->log, "icmp %u/%u", s->icmp_type, s->icmp_code); break;
    case SEEN_CONFLICT: text_add(&r->log, "conflict <%.*s>", (int)s->len, (const char *)s->data); break;
    case SEEN_END: text_add(&r->log, "end"); break;
    }
    if (s->reply)
        text_add(&r->log, "'");
}

static inline void rig_start_with(struct rig *r, const struct trace_limits *limits)
{
    *r = (struct rig){.ttl = 64, .id = 1, .t_ns = NS_S};
    r->log = text_of(r->buf, sizeof r->buf);
    r->end[CLIENT] = kit_endpoint("10.0.0.1:50000");
    r->end[SERVER] = kit_endpoint("10.0.0.2:3478");
    r->t = trace_new(limits, rig_seen, r);
    assert_non_null(r->t);
}

static inline void rig_start(struct rig *r)
{
    rig_start_with(r, &trace_default_limits);
}

/* What was told since the last call. */
static inline void rig_told_at(struct rig *r, const char *want, const char *file, int line)
{
    assert_false(r->log.cut);
    if (strcmp(r->buf, want) != 0) {
        print_message("# told:   %s\n# wanted: %s\n", r->buf, want);
        _fail(file, line);
    }
    r->log = text_of(r->buf, sizeof r->buf);
}
#define rig_told(r, want) rig_told_at(r, want, __FILE__, __LINE__)

static inline void rig_stop(struct rig *r)
{
    trace_free(r->t);
}

static inline void rig_link(struct rig *r, uint32_t link, const uint8_t *bytes, size_t len)
{
    size_t caplen = r->snaplen && r->snaplen < len ? r->snaplen : len;
    uint8_t *exact = test_malloc(caplen ? caplen : 1); /* so that a sanitizer sees what reads behind it */
    memcpy(exact, bytes, caplen);
    trace_frame(r->t, &(struct captured){r->t_ns, r->interface, link, exact, caplen, len});
    test_free(exact);
}

static inline void rig_frame(struct rig *r, const struct frame *f)
{
    rig_link(r, LINK_ETHERNET, f->b, f->len);
}

static inline void frame_begin(struct frame *f, struct rig *r, unsigned from, unsigned proto, size_t payload)
{
    static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    const struct ip_addr *src = &r->end[from].ip, *dst = &r->end[!from].ip;
    f->len = wire_put_eth(f->b, mac[!from], mac[from], src->family == IP_V4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    f->len += wire_put_ip(f->b + f->len, src, dst, proto, r->ttl, r->id, payload);
    if (r->id)
        r->id++;
}

static inline void frame_add(struct frame *f, const void *bytes, size_t len)
{
    memcpy(f->b + f->len, bytes, len);
    f->len += len;
}

static inline void rig_tcp_frame(struct rig *r, struct frame *f, unsigned from, unsigned flags, uint32_t seq,
                                 uint32_t ack, const void *data, size_t len)
{
    const struct wire_tcp h = {.sport = r->end[from].port, .dport = r->end[!from].port, .seq = seq, .ack = ack,
                               .flags = (uint8_t)flags, .window = 65535, .wscale = WIRE_NO_WSCALE};
    frame_begin(f, r, from, PROTO_TCP, WIRE_TCP + len);
    f->len += wire_put_tcp(f->b + f->len, &h);
    frame_add(f, data, len);
}

/* A segment, one millisecond later. */
static inline void rig_tcp(struct rig *r, unsigned from, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
    struct frame f;
    rig_tcp_frame(r, &f, from, flags, seq, ack, text, strlen(text));
    r->t_ns += NS_MS;
    rig_frame(r, &f);
}

static inline void rig_udp_frame(struct rig *r, struct frame *f, unsigned from, const char *text)
{
    frame_begin(f, r, from, PROTO_UDP, WIRE_UDP + strlen(text));
    f->len += wire_put_udp(f->b + f->len, r->end[from].port, r->end[!from].port, strlen(text));
    frame_add(f, text, strlen(text));
}

static inline void rig_udp(struct rig *r, unsigned from, const char *text)
{
    struct frame f;
    rig_udp_frame(r, &f, from, text);
    r->t_ns += NS_MS;
    rig_frame(r, &f);
}

/* SYN, SYN+ACK, ACK: the first bytes are 101 from the client, 501 from the server. */
static inline void rig_handshake(struct rig *r)
{
    rig_tcp(r, CLIENT, SYN, 100, 0, "");
    rig_tcp(r, SERVER, SYN | ACK, 500, 101, "");
    rig_tcp(r, CLIENT, ACK, 101, 501, "");
    rig_told(r, "syn syn' open");
}

#endif
