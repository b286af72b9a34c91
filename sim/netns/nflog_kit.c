/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/nflog_kit.h"

#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

/* ---- messages: header, nfgenmsg, attributes ---- */

struct message {
    struct writer w;
    uint8_t buf[256];
};

static void native16(struct writer *w, uint16_t v)
{
    write_bytes(w, &v, sizeof v);
}

static void native32(struct writer *w, uint32_t v)
{
    write_bytes(w, &v, sizeof v);
}

static void begin(struct message *m, unsigned subsystem, unsigned kind, unsigned flags, uint8_t family, uint16_t res_id)
{
    m->w = writer_of(m->buf, sizeof m->buf);
    native32(&m->w, 0); /* its length, when it is known */
    native16(&m->w, (uint16_t)(subsystem << 8 | kind));
    native16(&m->w, (uint16_t)(NLM_F_REQUEST | flags));
    native32(&m->w, 0); /* sequence */
    native32(&m->w, 0);
    write8(&m->w, family);
    write8(&m->w, NFNETLINK_V0);
    write16(&m->w, res_id);
}

static size_t nest(struct message *m, unsigned type)
{
    size_t at = writer_len(&m->w);
    native16(&m->w, 0);
    native16(&m->w, (uint16_t)type);
    return at;
}

static void end_nest(struct message *m, size_t at)
{
    uint16_t len = (uint16_t)(writer_len(&m->w) - at);
    memcpy(m->buf + at, &len, sizeof len);
    write_zeros(&m->w, -(unsigned)len % 4);
}

static void attribute(struct message *m, unsigned type, const void *value, size_t len)
{
    size_t at = nest(m, type);
    write_bytes(&m->w, value, len);
    end_nest(m, at);
}

static void attribute8(struct message *m, unsigned type, uint8_t v)
{
    attribute(m, type, &v, 1);
}

static void attribute16(struct message *m, unsigned type, uint16_t v)
{
    uint8_t b[2];
    store16(b, v);
    attribute(m, type, b, 2);
}

static int dispatch(struct nflog *l, struct message *m)
{
    uint32_t len = (uint32_t)writer_len(&m->w), seq = ++l->seq;
    assert(!m->w.failed);
    memcpy(m->buf, &len, sizeof len);
    memcpy(m->buf + 8, &seq, sizeof seq);
    return send(l->fd, m->buf, len, 0) == (ssize_t)len ? 0 : E_IO;
}

/* ---- the log ---- */

/* The kernel answers within the send. */
static int acknowledged(struct nflog *l, struct message *m)
{
    struct nlmsghdr h;
    int32_t error;
    if (dispatch(l, m))
        return E_IO;
    ssize_t n = recv(l->fd, l->buf, sizeof l->buf, 0);
    if (n < (ssize_t)(sizeof h + sizeof error))
        return E_IO;
    memcpy(&h, l->buf, sizeof h);
    memcpy(&error, l->buf + sizeof h, sizeof error);
    errno = -error;
    return h.nlmsg_type == NLMSG_ERROR && error == 0 ? 0 : E_IO;
}

int nflog_open(struct nflog *l, uint16_t group, char *why, size_t cap)
{
    const struct nfulnl_msg_config_cmd bind_group = {NFULNL_CFG_CMD_BIND};
    struct nfulnl_msg_config_mode whole = {.copy_mode = NFULNL_COPY_PACKET};
    store32((uint8_t *)&whole.copy_range, 0xffff);
    struct message m;
    *l = (struct nflog){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER)};
    begin(&m, NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, NLM_F_ACK, AF_UNSPEC, group);
    attribute(&m, NFULA_CFG_CMD, &bind_group, sizeof bind_group);
    attribute(&m, NFULA_CFG_MODE, &whole, sizeof whole);
    if (l->fd < 0 || acknowledged(l, &m)) {
        snprintf(why, cap, "no netfilter log: %s", strerror(errno));
        return E_IO;
    }
    return 0;
}

void nflog_close(struct nflog *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static void read_attributes(const uint8_t *p, size_t len, struct nflog_packet *out)
{
    while (len >= 4) {
        uint16_t size, type;
        memcpy(&size, p, 2);
        memcpy(&type, p + 2, 2);
        if (size < 4 || size > len)
            return;
        if ((type & NLA_TYPE_MASK) == NFULA_PREFIX)
            snprintf(out->prefix, sizeof out->prefix, "%.*s", size - 4, (const char *)p + 4);
        if ((type & NLA_TYPE_MASK) == NFULA_PAYLOAD) {
            out->ip = p + 4;
            out->len = size - 4U;
        }
        size_t step = (size + 3U) & ~3U;
        if (step >= len)
            return;
        p += step;
        len -= step;
    }
}

bool nflog_read(struct nflog *l, struct nflog_packet *out)
{
    for (;;) {
        if (l->at + sizeof(struct nlmsghdr) > l->len) {
            ssize_t n = recv(l->fd, l->buf, sizeof l->buf, 0);
            if (n <= 0)
                return false;
            l->at = 0;
            l->len = (size_t)n;
        }
        struct nlmsghdr h;
        memcpy(&h, l->buf + l->at, sizeof h);
        const uint8_t *body = l->buf + l->at + sizeof h;
        if (h.nlmsg_len < sizeof h || h.nlmsg_len > l->len - l->at) {
            l->len = 0;
            continue;
        }
        l->at += (h.nlmsg_len + 3U) & ~3U;
        if (h.nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
            h.nlmsg_len < sizeof h + sizeof(struct nfgenmsg))
            continue;
        *out = (struct nflog_packet){.ip = NULL};
        read_attributes(body + sizeof(struct nfgenmsg), h.nlmsg_len - sizeof h - sizeof(struct nfgenmsg), out);
        if (out->ip)
            return true;
    }
}

/* ---- connections ---- */

void nflog_forget(struct nflog *l, const struct wire_packet *p, uint16_t echo_id)
{
    bool v4 = p->family == IP_V4, icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6;
    struct message m;
    begin(&m, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0, v4 ? AF_INET : AF_INET6, 0);
    size_t tuple = nest(&m, CTA_TUPLE_ORIG | NLA_F_NESTED);
    size_t ip = nest(&m, CTA_TUPLE_IP | NLA_F_NESTED);
    attribute(&m, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, p->src.b, ip_size(&p->src));
    attribute(&m, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, p->dst.b, ip_size(&p->dst));
    end_nest(&m, ip);
    size_t proto = nest(&m, CTA_TUPLE_PROTO | NLA_F_NESTED);
    attribute8(&m, CTA_PROTO_NUM, p->proto);
    if (icmp) {
        attribute16(&m, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, echo_id);
        attribute8(&m, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE, (uint8_t)p->sport);
        attribute8(&m, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE, (uint8_t)p->dport);
    } else {
        attribute16(&m, CTA_PROTO_SRC_PORT, p->sport);
        attribute16(&m, CTA_PROTO_DST_PORT, p->dport);
    }
    end_nest(&m, proto);
    end_nest(&m, tuple);
    int rc = dispatch(l, &m);
    assert(rc == 0);
}
