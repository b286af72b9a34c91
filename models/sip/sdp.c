/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/sdp.h"

#include <string.h>
#include <strings.h>

#include "models/base/err.h"

/* What is left of a line; words are taken from its front. */
struct line {
    const char *p, *end;
};

struct word {
    const char *p;
    size_t len;
};

static struct word take_until(struct line *l, char stop)
{
    const char *at = memchr(l->p, stop, (size_t)(l->end - l->p));
    struct word w = {l->p, (size_t)((at ? at : l->end) - l->p)};
    l->p = at ? at + 1 : l->end;
    return w;
}

static struct word take(struct line *l)
{
    return take_until(l, ' ');
}

static bool word_is(struct word w, const char *text)
{
    return strlen(text) == w.len && memcmp(w.p, text, w.len) == 0;
}

static int copy(struct word w, char *out, size_t cap)
{
    if (w.len >= cap)
        return E_RANGE;
    if (memchr(w.p, '\0', w.len))
        return E_MALFORMED;
    memcpy(out, w.p, w.len);
    out[w.len] = '\0';
    return 0;
}

static int number(struct word w, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (!w.len)
        return E_MALFORMED;
    for (size_t i = 0; i < w.len; i++) {
        if (w.p[i] < '0' || w.p[i] > '9')
            return E_MALFORMED;
        unsigned digit = (unsigned)(w.p[i] - '0');
        if (n > (max - digit) / 10)
            return E_RANGE;
        n = n * 10 + digit;
    }
    *out = n;
    return 0;
}

static int address(struct word ip, struct word port, struct endpoint *out)
{
    char text[ADDR_TEXT];
    uint64_t n;
    if (copy(ip, text, sizeof text) || ip_parse(text, &out->ip) || number(port, 65535, &n))
        return E_MALFORMED;
    out->port = (uint16_t)n;
    return 0;
}

/* "IN IP4 192.0.2.1" of c=, o= and a=rtcp */
static int get_connection_data(struct line *l, struct ip_addr *out)
{
    struct word net = take(l), family = take(l), ip = take(l);
    struct endpoint e;
    if (!word_is(net, "IN") || (!word_is(family, "IP4") && !word_is(family, "IP6")) ||
        address(ip, (struct word){"0", 1}, &e))
        return E_MALFORMED;
    *out = e.ip;
    return 0;
}

static void put_ip(struct text *t, const char *before, const struct ip_addr *ip)
{
    char a[ADDR_TEXT];
    if (ip->family != IP_NONE)
        text_add(t, "%sIN IP%d %s\r\n", before, ip->family == IP_V4 ? 4 : 6, ip_text(ip, a));
}

static const char *const transports[] = {
    [SDP_UDP] = "UDP", [SDP_TCP_ACT] = "TCP-ACT", [SDP_TCP_PASS] = "TCP-PASS"};
static const char *const types[] = {
    [SDP_HOST] = "host", [SDP_SRFLX] = "srflx", [SDP_PRFLX] = "prflx", [SDP_RELAY] = "relay"};
static const char *const directions[] = {[SDP_DIRECTION_NONE] = "", [SDP_SENDRECV] = "sendrecv",
                                         [SDP_SENDONLY] = "sendonly", [SDP_RECVONLY] = "recvonly",
                                         [SDP_INACTIVE] = "inactive"};
static const char *const setups[] = {
    [SDP_SETUP_NONE] = "", [SDP_ACTIVE] = "active", [SDP_PASSIVE] = "passive", [SDP_ACTPASS] = "actpass"};

/* The index of a word in a table; E_MALFORMED: not there. */
static int one_of(struct word w, const char *const *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (word_is(w, table[i]))
            return (int)i;
    return E_MALFORMED;
}
#define ONE_OF(w, table) one_of(w, table, sizeof(table) / sizeof *(table))

/* ---- a= lines: each a row that reads it and a row that writes it ---- */

struct attribute {
    const char *name;
    size_t at, cap; /* where the text goes, when the whole value is text */
    int (*get)(struct sdp_media *m, struct line *l, const struct attribute *a);
    void (*put)(const struct sdp_media *m, struct text *t, const struct attribute *a);
    bool for_all; /* may stand before all media */
};

static int get_text(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    char *field = (char *)m + a->at;
    if (*field)
        return 0; /* the first counts */
    return copy((struct word){l->p, (size_t)(l->end - l->p)}, field, a->cap);
}

static void put_text(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    const char *field = (const char *)m + a->at;
    if (*field)
        text_add(t, "a=%s:%s\r\n", a->name, field);
}

static int get_candidate(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    struct sdp_candidate c = {0};
    struct word foundation = take(l), component = take(l), transport = take(l), priority = take(l);
    int t = transport.len == 3 && strncasecmp(transport.p, "udp", 3) == 0 ? SDP_UDP : ONE_OF(transport, transports);
    if (t < 0) { /* the third word of draft 6 is a password (SDP-6) */
        m->v6_candidates++;
        return 0;
    }
    struct word ip = take(l), port = take(l), typ = take(l), type = take(l);
    int k = ONE_OF(type, types);
    uint64_t comp, prio;
    if (!foundation.len || number(component, 256, &comp) || number(priority, UINT32_MAX, &prio) ||
        address(ip, port, &c.address) || !word_is(typ, "typ") || k < 0)
        return E_MALFORMED;
    struct word raddr = take(l), rip = take(l), rport = take(l), rnum = take(l);
    if (word_is(raddr, "raddr") && (!word_is(rport, "rport") || address(rip, rnum, &c.related)))
        return E_MALFORMED;
    c.component = (unsigned)comp;
    c.priority = (uint32_t)prio;
    c.transport = (enum sdp_transport)t;
    c.type = (enum sdp_type)k;
    if (copy(foundation, c.foundation, sizeof c.foundation) || m->candidate_count == SDP_CANDIDATES_MAX)
        return E_RANGE;
    m->candidate[m->candidate_count++] = c;
    return 0;
}

static void put_candidates(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    char ip[ADDR_TEXT];
    for (size_t i = 0; i < m->candidate_count; i++) {
        const struct sdp_candidate *c = &m->candidate[i];
        text_add(t, "a=%s:%s %u %s %u %s %u typ %s", a->name, c->foundation, c->component,
                 transports[c->transport], (unsigned)c->priority, ip_text(&c->address.ip, ip),
                 c->address.port, types[c->type]);
        if (c->related.ip.family != IP_NONE)
            text_add(t, " raddr %s rport %u", ip_text(&c->related.ip, ip), c->related.port);
        text_add(t, "\r\n");
    }
}

static int get_remote(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    while (l->p < l->end) {
        struct sdp_remote r = {0};
        uint64_t comp;
        struct word component = take(l), ip = take(l), port = take(l);
        if (number(component, 256, &comp) || address(ip, port, &r.address))
            return E_MALFORMED;
        r.component = (unsigned)comp;
        if (m->remote_count == SDP_REMOTE_MAX)
            return E_RANGE;
        m->remote[m->remote_count++] = r;
    }
    return 0;
}

static void put_remote(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    char ip[ADDR_TEXT];
    if (!m->remote_count)
        return;
    text_add(t, "a=%s:", a->name);
    for (size_t i = 0; i < m->remote_count; i++)
        text_add(t, "%s%u %s %u", i ? " " : "", m->remote[i].component, ip_text(&m->remote[i].address.ip, ip),
                 m->remote[i].address.port);
    text_add(t, "\r\n");
}

static int get_setup(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    int s = ONE_OF(take(l), setups);
    m->setup = s < 0 ? SDP_SETUP_NONE : (enum sdp_setup)s;
    return s < 0 ? s : 0;
}

static void put_setup(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    if (m->setup != SDP_SETUP_NONE)
        text_add(t, "a=%s:%s\r\n", a->name, setups[m->setup]);
}

static int get_connection(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    m->connection_new = word_is(take(l), "new");
    return 0;
}

static void put_connection(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    if (m->setup != SDP_SETUP_NONE) /* the two go together (RFC 4145 5) */
        text_add(t, "a=%s:%s\r\n", a->name, m->connection_new ? "new" : "existing");
}

static int get_rtcp_mux(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)l;
    (void)a;
    m->rtcp_mux = true;
    return 0;
}

static void put_rtcp_mux(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    if (m->rtcp_mux)
        text_add(t, "a=%s\r\n", a->name);
}

/* RFC 3605: PORT, or PORT IN IP4 ADDRESS. */
static int get_rtcp(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    uint64_t port;
    int err = number(take(l), 65535, &port);
    if (!err && l->p < l->end)
        err = get_connection_data(l, &m->rtcp.ip);
    m->rtcp.port = err ? 0 : (uint16_t)port;
    return err;
}

static void put_rtcp(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    if (!m->rtcp.port)
        return;
    text_add(t, "a=%s:%u", a->name, m->rtcp.port);
    if (m->rtcp.ip.family == IP_NONE)
        text_add(t, "\r\n");
    else
        put_ip(t, " ", &m->rtcp.ip);
}

/* RFC 5576: of several sources the first that has a name; its other attributes are not modelled. */
static int get_ssrc(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)a;
    uint64_t n;
    int err = number(take(l), UINT32_MAX, &n);
    struct word what = take_until(l, ':');
    if (err || m->ssrc || !n || !word_is(what, "cname"))
        return err;
    m->ssrc = (uint32_t)n;
    return copy((struct word){l->p, (size_t)(l->end - l->p)}, m->cname, sizeof m->cname);
}

static void put_ssrc(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    if (m->ssrc)
        text_add(t, "a=%s:%u cname:%s\r\n", a->name, (unsigned)m->ssrc, m->cname);
}

/* Each direction is an attribute of its own; the row of the first writes whichever it is. */
static int get_direction(struct sdp_media *m, struct line *l, const struct attribute *a)
{
    (void)l;
    struct word name = {a->name, strlen(a->name)};
    m->direction = (enum sdp_direction)ONE_OF(name, directions);
    return 0;
}

static void put_direction(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    (void)a;
    if (m->direction != SDP_DIRECTION_NONE)
        text_add(t, "a=%s\r\n", directions[m->direction]);
}

static void put_nothing(const struct sdp_media *m, struct text *t, const struct attribute *a)
{
    (void)m;
    (void)t;
    (void)a;
}

#define FIELD(field) \
    offsetof(struct sdp_media, field), sizeof(((struct sdp_media *)0)->field), get_text, put_text
/* In the order of writing. */
static const struct attribute attributes[] = {
    {"mid", FIELD(mid), false},
    {"ice-ufrag", FIELD(ufrag), true},
    {"ice-pwd", FIELD(pwd), true},
    {"candidate", 0, 0, get_candidate, put_candidates, false},
    {"remote-candidates", 0, 0, get_remote, put_remote, false},
    {"crypto", FIELD(crypto), false},
    {"setup", 0, 0, get_setup, put_setup, false},
    {"connection", 0, 0, get_connection, put_connection, false},
    {"rtpmap", FIELD(rtpmap), false},
    {"rtcp", 0, 0, get_rtcp, put_rtcp, false},
    {"rtcp-mux", 0, 0, get_rtcp_mux, put_rtcp_mux, false},
    {"ssrc", 0, 0, get_ssrc, put_ssrc, false},
    {"sendrecv", 0, 0, get_direction, put_direction, true},
    {"sendonly", 0, 0, get_direction, put_nothing, true},
    {"recvonly", 0, 0, get_direction, put_nothing, true},
    {"inactive", 0, 0, get_direction, put_nothing, true},
    {"x-applicationsharing-session-id", FIELD(sharing_session), false},
    {"x-applicationsharing-role", FIELD(sharing_role), false},
    {"x-applicationsharing-media-type", FIELD(sharing_type), false},
};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static int get_attribute(struct sdp_media *m, bool for_all, struct line *l)
{
    struct word name = take_until(l, ':');
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (word_is(name, attributes[i].name) && (attributes[i].for_all || !for_all))
            return attributes[i].get(m, l, &attributes[i]);
    return 0;
}

/* What the description says for all media, a medium has unless it says otherwise. */
static void inherit(struct sdp *s, const struct sdp_media *all)
{
    for (struct sdp_media *m = s->media; m < s->media + s->media_count; m++) {
        if (!m->ufrag[0])
            memcpy(m->ufrag, all->ufrag, sizeof m->ufrag);
        if (!m->pwd[0])
            memcpy(m->pwd, all->pwd, sizeof m->pwd);
        if (m->direction == SDP_DIRECTION_NONE)
            m->direction = all->direction;
    }
}

static int get_media(struct sdp *s, struct line *l)
{
    if (s->media_count == SDP_MEDIA_MAX)
        return E_RANGE;
    struct sdp_media *m = &s->media[s->media_count++];
    uint64_t n;
    int err = copy(take(l), m->kind, sizeof m->kind);
    if (!err)
        err = number(take(l), 65535, &n);
    if (err)
        return err;
    m->port = (uint16_t)n;
    m->ip = s->ip;
    err = copy(take(l), m->proto, sizeof m->proto);
    if (!err)
        err = copy((struct word){l->p, (size_t)(l->end - l->p)}, m->formats, sizeof m->formats);
    return err ? err : m->kind[0] && m->proto[0] && m->formats[0] ? 0 : E_MALFORMED;
}

static int get_origin(struct sdp *s, struct line *l)
{
    int err = s->user[0] ? E_MALFORMED : copy(take(l), s->user, sizeof s->user);
    if (!err && !s->user[0])
        err = E_MALFORMED;
    if (!err)
        err = number(take(l), UINT64_MAX, &s->session);
    if (!err)
        err = number(take(l), UINT64_MAX, &s->version);
    return err ? err : get_connection_data(l, &s->ip);
}

static int get_line(struct sdp *s, struct sdp_media *all, char kind, struct line *l)
{
    struct sdp_media *m = s->media_count ? &s->media[s->media_count - 1] : NULL;
    switch (kind) {
    case 'o':
        return m ? E_MALFORMED : get_origin(s, l);
    case 'c':
        return get_connection_data(l, m ? &m->ip : &s->ip);
    case 'm':
        return get_media(s, l);
    case 'a':
        return get_attribute(m ? m : all, !m, l);
    default:
        return 0;
    }
}

int sdp_parse(const char *text, size_t len, struct sdp *out)
{
    *out = (struct sdp){0};
    struct line rest = {text, text + len};
    struct sdp_media all = {0};
    bool first = true;
    while (rest.p < rest.end) {
        struct word w = take_until(&rest, '\n'); /* RFC 4566 5: a lone LF is to be accepted */
        if (w.len && w.p[w.len - 1] == '\r')
            w.len--;
        if (w.len < 2 || w.p[1] != '=' || first != word_is(w, "v=0"))
            return E_MALFORMED;
        first = false;
        struct line l = {w.p + 2, w.p + w.len};
        int err = get_line(out, &all, w.p[0], &l);
        if (err)
            return err;
    }
    inherit(out, &all);
    return out->user[0] ? 0 : E_MALFORMED; /* no o= line, or nothing at all */
}

/* ---- writing ---- */

void sdp_write(const struct sdp *s, struct text *t)
{
    text_add(t, "v=0\r\no=%s %llu %llu ", s->user, (unsigned long long)s->session,
             (unsigned long long)s->version);
    put_ip(t, "", &s->ip);
    text_add(t, "s=session\r\n");
    put_ip(t, "c=", &s->ip);
    text_add(t, "t=0 0\r\n");
    for (size_t i = 0; i < s->media_count; i++) {
        const struct sdp_media *m = &s->media[i];
        text_add(t, "m=%s %u %s %s\r\n", m->kind, m->port, m->proto, m->formats);
        if (!ip_equal(&m->ip, &s->ip))
            put_ip(t, "c=", &m->ip);
        for (size_t k = 0; k < ATTRIBUTES; k++)
            attributes[k].put(m, t, &attributes[k]);
    }
}

const struct sdp_media *sdp_find(const struct sdp *s, const char *kind)
{
    for (size_t i = 0; i < s->media_count; i++)
        if (strcmp(s->media[i].kind, kind) == 0)
            return &s->media[i];
    return NULL;
}
