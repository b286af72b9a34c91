/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, services and virtual IPs by name. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/fortigate.h"

static int step(struct fortigate *f, const struct fw_node *at)
{
    return f->steps++ < FORTIGATE_STEPS_MAX
               ? 0 : fw_tree_fail(&f->t, at, E_RANGE, "expected groups of fewer members altogether");
}

static int vague(struct fw_node *at, const char **slot, const char *why)
{
    fw_tree_unsupported(at, why);
    *slot = why;
    return 0;
}

static int expected(struct fortigate *f, const struct fw_node *value, const char *what)
{
    return fw_tree_fail(&f->t, value, E_MALFORMED, "expected %s, found \"%.60s\"", what, value->word);
}

int fortigate_range(struct fortigate *f, const struct fw_node *value, struct fw_addrs *out)
{
    struct fw_addr a;
    return fw_addr_parse(value->word, &a) ? expected(f, value, "an address or a range") : fw_addrs_push(out, &a);
}

/* ---- addresses ---- */

/* "10.0.0.0 255.0.0.0" or "10.0.0.0/8"; a wildcard's mask need not be of one piece. */
static int masked(struct fortigate *f, const struct fw_node *value, struct fw_addrs *out)
{
    struct fw_addr a;
    struct ip_addr mask;
    if (!value->next)
        return fortigate_range(f, value, out);
    if (ip_parse(value->word, &a.a) || ip_parse(value->next->word, &mask) || a.a.family != IP_V4 ||
        mask.family != IP_V4)
        return expected(f, value, "an address and a mask");
    uint32_t m = ip_v4_value(&mask), low = ~m;
    a.a = ip_v4(ip_v4_value(&a.a) & m);
    a.masked = (low & (low + 1)) != 0;
    a.b = a.masked ? mask : ip_v4(ip_v4_value(&a.a) | low);
    return fw_addrs_push(out, &a);
}

static int between(struct fortigate *f, const struct fw_node *entry, struct fw_addrs *out)
{
    struct fw_node *lo = fortigate_set(f, entry, "start-ip"), *hi = fortigate_set(f, entry, "end-ip");
    struct fw_addr a = {0};
    if (!lo || !hi)
        return fw_tree_fail(&f->t, entry, E_MALFORMED, "expected start-ip and end-ip of %.60s", entry->word);
    if (ip_parse(lo->word, &a.a) || ip_parse(hi->word, &a.b) || ip_compare(&a.a, &a.b) > 0 ||
        a.a.family != a.b.family)
        return expected(f, lo, "the addresses of a range in order");
    return fw_addrs_push(out, &a);
}

static int one_address(struct fortigate *f, struct fw_node *entry, bool six, struct fw_end *out)
{
    struct fw_node *type = fortigate_set(f, entry, "type"), *value;
    const char *kind = type ? type->word : "ipmask";
    if (strcmp(kind, "iprange") == 0)
        return between(f, entry, &out->set);
    if (strcmp(kind, "wildcard") == 0 && (value = fortigate_set(f, entry, "wildcard")))
        return masked(f, value, &out->set);
    if (strcmp(kind, "ipmask") == 0 || strcmp(kind, "ipprefix") == 0) {
        value = fortigate_set(f, entry, six ? "ip6" : "subnet");
        struct fw_addr all = fw_addr_any(six ? IP_V6 : IP_V4);
        return value ? masked(f, value, &out->set) : fw_addrs_push(&out->set, &all);
    }
    fw_tree_unsupported(type ? type->parent : entry, "the addresses are not in the file");
    out->vague = fw_tree_words(&f->t, "the addresses of %.60s (type %.30s) are not in the file", entry->word, kind);
    return 0;
}

static int address(struct fortigate *f, struct fw_node *name, bool six, struct fw_end *out);

static int members(struct fortigate *f, struct fw_node *group, const char *key, bool six, struct fw_end *out)
{
    int err = 0;
    for (struct fw_node *n = fortigate_set(f, group, key); n && !err; n = n->next)
        err = address(f, n, six, out);
    return err;
}

static int address_group(struct fortigate *f, struct fw_node *group, bool six, struct fw_end *out)
{
    if (group->busy)
        return fw_tree_fail(&f->t, group, E_MALFORMED, "group %.60s contains itself", group->word);
    group->busy = true;
    struct fw_end all = {0}, less = {0};
    bool exclude = fortigate_is(f, group, "exclude", "enable");
    int err = members(f, group, "member", six, exclude ? &all : out);
    if (exclude) {
        err = err ? err : members(f, group, "exclude-member", six, &less);
        err = err ? err : fw_addrs_subtract(&all.set, &less.set);
        for (size_t i = 0; i < all.set.count && !err; i++)
            err = fw_addrs_push(&out->set, &all.set.v[i]);
        if (all.vague || less.vague)
            out->vague = all.vague ? all.vague : less.vague;
    }
    free(all.set.v);
    free(less.set.v);
    group->busy = false;
    return err;
}

static int address(struct fortigate *f, struct fw_node *name, bool six, struct fw_end *out)
{
    int err = step(f, name);
    struct fw_node *n = fortigate_entry(f, six ? "firewall address6" : "firewall address", name->word);
    if (err || n)
        return err ? err : one_address(f, n, six, out);
    if ((n = fortigate_entry(f, six ? "firewall addrgrp6" : "firewall addrgrp", name->word)))
        return address_group(f, n, six, out);
    if (fortigate_entry(f, "firewall vip", name->word) || fortigate_entry(f, "firewall vipgrp", name->word))
        return 0;
    if (strcmp(name->word, "all") == 0) {
        struct fw_addr all = fw_addr_any(six ? IP_V6 : IP_V4);
        return fw_addrs_push(&out->set, &all);
    }
    if (strcmp(name->word, "none") == 0)
        return 0;
    return vague(name->parent, &out->vague,
                 fw_tree_words(&f->t, "the addresses of %.60s are not in the file", name->word));
}

int fortigate_addresses(struct fortigate *f, const struct fw_node *policy, const char *key, bool six,
                        struct fw_end *out)
{
    f->steps = 0;
    out->set.count = 0;
    out->any = false;
    out->vague = NULL;
    int err = 0;
    for (struct fw_node *n = fortigate_set(f, policy, key); n && !err; n = n->next)
        err = address(f, n, six, out);
    return err;
}

int fortigate_each_vip(struct fortigate *f, struct fw_node *name,
                       int (*fn)(struct fortigate *f, struct fw_node *vip, void *ctx), void *ctx)
{
    int err = step(f, name);
    struct fw_node *n = fortigate_entry(f, "firewall vip", name->word);
    if (err || n)
        return err ? err : fn(f, n, ctx);
    n = fortigate_entry(f, "firewall vipgrp", name->word);
    if (!n)
        return 0;
    if (n->busy)
        return fw_tree_fail(&f->t, n, E_MALFORMED, "group %.60s contains itself", n->word);
    n->busy = true;
    for (struct fw_node *m = fortigate_set(f, n, "member"); m && !err; m = m->next)
        err = fortigate_each_vip(f, m, fn, ctx);
    n->busy = false;
    return err;
}

/* ---- services ---- */

/* "80", "80-90", "80:1024-65535" */
static bool port_span(const char *s, const char **end, uint16_t out[2])
{
    char *p;
    if (*s < '0' || *s > '9')
        return false;
    unsigned long lo = strtoul(s, &p, 10), hi = lo;
    if (*p == '-' && p[1] >= '0' && p[1] <= '9')
        hi = strtoul(p + 1, &p, 10);
    *end = p;
    out[0] = (uint16_t)lo;
    out[1] = (uint16_t)hi;
    return lo <= hi && hi <= 65535;
}

static bool parse_ports(const char *s, uint8_t proto, struct fw_service *x, const char **end)
{
    uint16_t to[2] = {0, 0}, from[2] = {0, 65535};
    bool ok = port_span(s, end, to);
    if (ok && **end == ':')
        ok = port_span(*end + 1, end, from);
    *x = (struct fw_service){proto, proto, from[0], from[1], to[0], to[1]};
    return ok;
}

static int port_list(struct fortigate *f, const struct fw_node *entry, const char *key, uint8_t proto,
                     struct fw_kinds *out)
{
    int err = 0;
    for (struct fw_node *n = fortigate_set(f, entry, key); n && !err; n = n->next) {
        struct fw_service x;
        const char *end = "";
        if (!parse_ports(n->word, proto, &x, &end) || *end)
            return expected(f, n, "ports such as 80 or 80-90:1024-65535");
        err = fw_services_push(&out->set, &x);
    }
    return err;
}

static int small(struct fortigate *f, const struct fw_node *value, uint16_t *lo, uint16_t *hi)
{
    char *end = "";
    unsigned long v = value->word[0] >= '0' && value->word[0] <= '9' ? strtoul(value->word, &end, 10) : 256;
    if (v > 255 || *end)
        return expected(f, value, "a number from 0 to 255");
    *lo = *hi = (uint16_t)v;
    return 0;
}

static int one_service(struct fortigate *f, struct fw_node *entry, struct fw_kinds *out)
{
    struct fw_node *protocol = fortigate_set(f, entry, "protocol"), *n;
    const char *kind = protocol ? protocol->word : "TCP/UDP/SCTP";
    struct fw_service x = FW_SERVICE_ANY;
    int err = 0;
    static const char *const narrowing[] = {"iprange", "fqdn", "application", "app-category"};
    for (size_t i = 0; i < sizeof narrowing / sizeof *narrowing; i++)
        if ((n = fortigate_set(f, entry, narrowing[i])) && strcmp(n->word, "0.0.0.0") != 0)
            vague(n->parent, &out->doubt, fw_tree_words(&f->t, "the service %.60s asks for more than ports (%s)",
                                                        entry->word, narrowing[i]));
    if (strcmp(kind, "TCP/UDP/SCTP") == 0 || strcmp(kind, "TCP/UDP/UDP-Lite/SCTP") == 0) {
        err = port_list(f, entry, "tcp-portrange", PROTO_TCP, out);
        err = err ? err : port_list(f, entry, "udp-portrange", PROTO_UDP, out);
        return err ? err : port_list(f, entry, "sctp-portrange", 132, out);
    }
    if (strcmp(kind, "ICMP") == 0 || strcmp(kind, "ICMP6") == 0) {
        x.proto_lo = x.proto_hi = kind[4] ? PROTO_ICMP6 : PROTO_ICMP;
        if ((n = fortigate_set(f, entry, "icmptype")))
            err = small(f, n, &x.sport_lo, &x.sport_hi);
        if (!err && (n = fortigate_set(f, entry, "icmpcode")))
            err = small(f, n, &x.dport_lo, &x.dport_hi);
        return err ? err : fw_services_push(&out->set, &x);
    }
    if (strcmp(kind, "IP") == 0) {
        uint16_t lo = 0, hi = 0;
        if ((n = fortigate_set(f, entry, "protocol-number")))
            err = small(f, n, &lo, &hi);
        if (lo) {
            x.proto_lo = (uint8_t)lo;
            x.proto_hi = (uint8_t)hi;
        }
        out->any = out->any || !lo;
        return err || !lo ? err : fw_services_push(&out->set, &x);
    }
    return vague(protocol->parent, &out->vague,
                 fw_tree_words(&f->t, "the service %.60s is of protocol %.30s", entry->word, kind));
}

/* Services that the device has unless the file says otherwise: ports by protocol, as the file would write them. */
static const struct predefined {
    const char *name, *tcp, *udp;
    uint8_t proto; /* neither tcp nor udp */
    int16_t type;  /* ICMP; -1: any */
} predefined[] = {
    {"ALL_TCP", "1-65535", "", 0, 0},
    {"ALL_UDP", "", "1-65535", 0, 0},
    {"ALL_ICMP", "", "", PROTO_ICMP, -1},
    {"ALL_ICMP6", "", "", PROTO_ICMP6, -1},
    {"GRE", "", "", 47, -1},
    {"AH", "", "", 51, -1},
    {"ESP", "", "", 50, -1},
    {"OSPF", "", "", 89, -1},
    {"PING", "", "", PROTO_ICMP, 8},
    {"PING6", "", "", PROTO_ICMP6, 128},
    {"BGP", "179", "", 0, 0},
    {"DHCP", "", "67-68", 0, 0},
    {"DNS", "53", "53", 0, 0},
    {"FTP", "21", "", 0, 0},
    {"H323", "1720 1503", "1719", 0, 0},
    {"HTTP", "80", "", 0, 0},
    {"HTTPS", "443", "", 0, 0},
    {"IKE", "", "500 4500", 0, 0},
    {"IMAP", "143", "", 0, 0},
    {"IMAPS", "993", "", 0, 0},
    {"KERBEROS", "88 464", "88 464", 0, 0},
    {"LDAP", "389", "", 0, 0},
    {"LDAP_UDP", "", "389", 0, 0},
    {"MGCP", "", "2427 2727", 0, 0},
    {"NTP", "123", "123", 0, 0},
    {"POP3", "110", "", 0, 0},
    {"POP3S", "995", "", 0, 0},
    {"RADIUS", "", "1812 1813", 0, 0},
    {"RDP", "3389", "", 0, 0},
    {"RTSP", "554 7070 8554", "554", 0, 0},
    {"SAMBA", "139", "", 0, 0},
    {"SCCP", "2000", "", 0, 0},
    {"SIP", "5060", "5060", 0, 0},
    {"SMB", "445", "", 0, 0},
    {"SMTP", "25", "", 0, 0},
    {"SMTPS", "465", "", 0, 0},
    {"SNMP", "161-162", "161-162", 0, 0},
    {"SSH", "22", "", 0, 0},
    {"SYSLOG", "", "514", 0, 0},
    {"TELNET", "23", "", 0, 0},
    {"TFTP", "", "69", 0, 0},
    {"TRACEROUTE", "", "33434-33535", 0, 0},
};

static int add_predefined(const struct predefined *p, struct fw_kinds *out)
{
    struct fw_service x = FW_SERVICE_ANY;
    int err = 0;
    if (p->proto) {
        x.proto_lo = x.proto_hi = p->proto;
        if (p->type >= 0)
            x.sport_lo = x.sport_hi = (uint16_t)p->type;
        return fw_services_push(&out->set, &x);
    }
    for (int k = 0; k < 2; k++)
        for (const char *s = k ? p->udp : p->tcp; *s && !err; s += *s == ' ')
            if (parse_ports(s, k ? PROTO_UDP : PROTO_TCP, &x, &s))
                err = fw_services_push(&out->set, &x);
    return err;
}

static int service(struct fortigate *f, struct fw_node *name, struct fw_kinds *out)
{
    int err = step(f, name);
    struct fw_node *n = fortigate_entry(f, "firewall service custom", name->word);
    if (err || n)
        return err ? err : one_service(f, n, out);
    if ((n = fortigate_entry(f, "firewall service group", name->word))) {
        if (n->busy)
            return fw_tree_fail(&f->t, n, E_MALFORMED, "group %.60s contains itself", n->word);
        n->busy = true;
        for (struct fw_node *m = fortigate_set(f, n, "member"); m && !err; m = m->next)
            err = service(f, m, out);
        n->busy = false;
        return err;
    }
    if (strcmp(name->word, "ALL") == 0 || strcmp(name->word, "ANY") == 0) {
        out->any = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof predefined / sizeof *predefined; i++)
        if (strcmp(predefined[i].name, name->word) == 0)
            return add_predefined(&predefined[i], out);
    return vague(name->parent, &out->vague,
                 fw_tree_words(&f->t, "the service %.60s is not in the file", name->word));
}

int fortigate_services(struct fortigate *f, const struct fw_node *policy, struct fw_kinds *out)
{
    f->steps = 0;
    out->set.count = 0;
    out->any = false;
    out->vague = out->doubt = NULL;
    int err = 0;
    for (struct fw_node *n = fortigate_set(f, policy, "service"); n && !err; n = n->next)
        err = service(f, n, out);
    return err;
}
