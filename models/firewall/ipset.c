/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets as `ipset save` prints them (ipset(8)), in the file of the rules that look into them. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/iptables.h"

enum dimension { NO_DIMENSION, ADDRESS, PORT, OTHER /* mac, mark, iface */ };
enum { DIMENSIONS = 3 };

struct element {
    const struct nf_addrs *addr[DIMENSIONS];
    const struct fw_service *port; /* proto and dport; NULL: no port in the set */
    struct element *next;
};

struct ipset {
    const char *name;
    enum dimension dimension[DIMENSIONS];
    size_t dimensions;
    uint8_t family;
    const char *unknown; /* why its content does not tell what matches; NULL: it does */
    struct element *first, **last;
    size_t count;
    struct ipset *next;
};

static struct ipset *find(const struct ipt *t, const char *name)
{
    struct ipset *s = t->sets;
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

/* Sets may be touched before they are made: the order of the parts of a file is free. */
static struct ipset *get(struct ipt *t, const char *name)
{
    struct ipset *s = find(t, name);
    if (s)
        return s;
    s = arena_alloc(&t->nf.memory, sizeof *s);
    *s = (struct ipset){.name = arena_copy(&t->nf.memory, name, strlen(name)), .last = &s->first, .next = t->sets};
    t->sets = s;
    return s;
}

void ipset_touch(struct ipt *t, const char *name)
{
    get(t, name)->unknown = "rules change it while the firewall runs";
}

/* "hash:ip,port": what an element is made of. */
static void read_type(struct ipset *s, const char *type)
{
    static const struct {
        const char *word;
        enum dimension is;
    } words[] = {{"ip", ADDRESS}, {"net", ADDRESS}, {"port", PORT}, {"mac", OTHER}, {"iface", OTHER},
                 {"mark", OTHER}};
    const char *p = strchr(type, ':');
    for (p = p ? p + 1 : ""; *p && s->dimensions < DIMENSIONS;) {
        size_t n = strcspn(p, ",");
        enum dimension d = OTHER;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i].word) == n && strncmp(p, words[i].word, n) == 0)
                d = words[i].is;
        s->dimension[s->dimensions++] = d;
        if (d == OTHER)
            s->unknown = s->unknown ? s->unknown : "its type is not modelled";
        p += n + (p[n] == ',');
    }
}

/* create NAME TYPE [family inet6] [timeout N] ... */
int ipset_create(struct ipt *t)
{
    if (t->words < 3)
        return ipt_fail(t, t->words, E_MALFORMED, "expected create NAME TYPE");
    struct ipset *s = get(t, t->word[1].text);
    if (s->dimensions)
        return ipt_fail(t, 1, E_EXISTS, "this set was there before");
    read_type(s, t->word[2].text);
    s->family = IP_V4;
    if (!s->dimensions)
        return ipt_fail(t, 2, E_MALFORMED, "expected a type of set, found \"%.40s\"", t->word[2].text);
    for (size_t i = 3; i + 1 < t->words; i++)
        if (strcmp(t->word[i].text, "family") == 0 && strcmp(t->word[i + 1].text, "inet6") == 0)
            s->family = IP_V6;
        else if (strcmp(t->word[i].text, "timeout") == 0 && strcmp(t->word[i + 1].text, "0") != 0)
            s->unknown = "its elements are forgotten after a time";
    return 0;
}

/* "tcp:80", "80-90", "icmp:echo-request"; without a protocol: tcp. */
static bool read_port(const char *word, struct fw_service *out)
{
    char text[64];
    const char *colon = strchr(word, ':'), *number = colon ? colon + 1 : word;
    *out = FW_SERVICE_ANY;
    out->proto_lo = out->proto_hi = PROTO_TCP;
    if (colon) {
        size_t n = (size_t)(colon - word);
        if (n >= sizeof text)
            return false;
        memcpy(text, word, n);
        text[n] = '\0';
        if (!nf_protocol(text, &out->proto_lo))
            return false;
        out->proto_hi = out->proto_lo;
    }
    if (out->proto_lo == PROTO_ICMP || out->proto_lo == PROTO_ICMP6) {
        struct nf_icmp i;
        if (!nf_icmp_type(number, out->proto_lo == PROTO_ICMP6, &i))
            return false;
        out->sport_lo = i.type_lo;
        out->sport_hi = i.type_hi;
        out->dport_lo = out->dport_hi = i.code_lo;
        return true;
    }
    size_t n = strcspn(number, "-");
    if (n >= sizeof text)
        return false;
    memcpy(text, number, n);
    text[n] = '\0';
    if (!nf_service_port(text, &out->dport_lo))
        return false;
    out->dport_hi = out->dport_lo;
    return (!number[n] || nf_service_port(number + n + 1, &out->dport_hi)) && out->dport_lo <= out->dport_hi;
}

/* add NAME A[,B[,C]] [nomatch] [timeout N] [comment ...] */
int ipset_add(struct ipt *t)
{
    struct ipset *s = t->words > 2 ? find(t, t->word[1].text) : NULL;
    if (!s || !s->dimensions)
        return ipt_fail(t, 1, E_MALFORMED, "expected add, the name of a set that was created, and an element");
    if (s->count++ == NF_ITEMS_MAX)
        return ipt_fail(t, 0, E_RANGE, "expected at most %d elements in a set", NF_ITEMS_MAX);
    for (size_t i = 3; i < t->words; i++) {
        if (strcmp(t->word[i].text, "comment") == 0)
            break;
        if (strcmp(t->word[i].text, "nomatch") == 0)
            s->unknown = "it has exceptions (nomatch)";
        if (strcmp(t->word[i].text, "timeout") == 0 && !s->unknown)
            s->unknown = "its elements are forgotten after a time";
    }
    struct element *e = arena_alloc(&t->nf.memory, sizeof *e);
    const char *p = t->word[2].text;
    char one[128];
    for (size_t d = 0; d < s->dimensions; d++) {
        size_t n = strcspn(p, ",");
        if (n >= sizeof one || (d + 1 == s->dimensions) != (p[n] == '\0'))
            return ipt_fail(t, 2, E_MALFORMED, "expected an element of %zu parts", s->dimensions);
        memcpy(one, p, n);
        one[n] = '\0';
        struct fw_addr a;
        struct fw_service *port = arena_alloc(&t->nf.memory, sizeof *port);
        bool ok = true;
        if (s->dimension[d] == ADDRESS) {
            ok = !fw_addr_parse(one, &a) && a.a.family == s->family;
            e->addr[d] = ok ? nf_addrs_of(&t->nf.memory, &a, 1) : NULL;
        } else if (s->dimension[d] == PORT) {
            ok = read_port(one, port);
            e->port = port;
            if (s->dimensions == 1) { /* bitmap:port looks at either protocol */
                port->proto_lo = 0;
                port->proto_hi = 255;
            }
        }
        if (!ok)
            return ipt_fail(t, 2, E_MALFORMED, "expected an element of the set's type, found \"%.60s\"", one);
        p += n + (p[n] == ',');
    }
    *s->last = e;
    s->last = &e->next;
    return 0;
}

/* The port of an element on the side that the rule looks at. */
static void add_services(struct ipt *t, struct nf_box *b, const struct fw_service *port, bool src)
{
    struct nf_services *set = arena_alloc(&t->nf.scratch, sizeof *set);
    set->v = arena_alloc(&t->nf.scratch, 2 * sizeof *set->v);
    for (int i = 0; i < 2; i++) {
        struct fw_service s = *port;
        if (port->proto_lo != port->proto_hi)
            s.proto_lo = s.proto_hi = i ? PROTO_UDP : PROTO_TCP;
        else if (i)
            break;
        bool icmp = s.proto_lo == PROTO_ICMP || s.proto_lo == PROTO_ICMP6;
        if (src && !icmp) {
            s.sport_lo = s.dport_lo;
            s.sport_hi = s.dport_hi;
            s.dport_lo = 0;
            s.dport_hi = 65535;
        }
        set->v[set->count++] = s;
    }
    b->service = set;
}

/* Sets of addresses alone become one box. */
static int match_addresses(struct ipt *t, const struct ipset *s, bool src, bool negated)
{
    struct fw_addr *v = arena_alloc(&t->nf.scratch, (s->count + 1) * sizeof *v);
    size_t n = 0;
    for (const struct element *e = s->first; e; e = e->next)
        v[n++] = e->addr[0]->v[0];
    const struct nf_addrs *set = nf_addrs_of(&t->nf.scratch, v, n);
    if (src)
        nf_and_src(&t->rule, set, negated);
    else
        nf_and_dst(&t->rule, set, negated);
    return 0;
}

static int unknown(struct ipt *t, const char *name, const char *why)
{
    nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "the set %.40s: %s", name, why));
    return 0;
}

int ipset_match(struct ipt *t, const char *name, const char *fields, bool negated)
{
    const struct ipset *s = find(t, name);
    if (!s || !s->dimensions)
        return unknown(t, name, "the file does not have its content");
    if (s->unknown)
        return unknown(t, name, s->unknown);
    bool src[DIMENSIONS] = {0};
    size_t n = 0;
    for (const char *p = fields; *p && n < DIMENSIONS; n++) {
        src[n] = strncmp(p, "src", 3) == 0;
        if (!src[n] && strncmp(p, "dst", 3) != 0)
            return ipt_expected(t, "src or dst for each part of the set");
        p += 3;
        p += *p == ',';
    }
    if (n < s->dimensions)
        return ipt_expected(t, "src or dst for each part of the set");
    if (s->family != t->rule.family && s->dimension[0] == ADDRESS)
        return ipt_expected(t, "a set of the table's family");
    if (s->dimensions == 1 && s->dimension[0] == ADDRESS)
        return match_addresses(t, s, src[0], negated);
    struct nf_boxes all = {0};
    for (const struct element *e = s->first; e && !t->rule.err; e = e->next) {
        struct nf_box *b = nf_box_add(&t->rule, &all);
        for (size_t d = 0; d < s->dimensions; d++) {
            const struct nf_addrs **side = src[d] ? &b->src : &b->dst;
            if (s->dimension[d] == ADDRESS)
                *side = nf_addrs_and(&t->nf.scratch, *side, e->addr[d]);
            else
                add_services(t, b, e->port, src[d]);
        }
    }
    nf_and_boxes(&t->rule, &all, negated);
    return 0;
}
