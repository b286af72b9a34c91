/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces, routes, timeouts, and the version that decides what all of it means. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/asa.h"

/* Before 8.3 access-lists matched mapped addresses, and NAT was written otherwise. Not so of FTD ("NGFW"). */
int asa_version(struct asa *a)
{
    char *end;
    const char *s = asa_peek(a);
    unsigned long major = strtoul(s, &end, 10), minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    if (end == s || major > 99 || minor > 99)
        return asa_expected(a, "a version such as 9.12(4)");
    a->version = (unsigned)(major * 100 + minor);
    if (a->version < 803)
        return asa_refuse(a, E_UNSUPPORTED,
                          "ASA Version %.20s is before 8.3: its access-lists match other addresses", s);
    return 0;
}

/* ---- interface ---- */

/* Kept until the block is over and it is known which interface it is of. */
static int strange_of_interface(struct asa *a, const char *why)
{
    if (a->pass != ASA_OBJECTS)
        return 0;
    struct asa_strange *s = fw_arena(a->rules, sizeof *s);
    if (!s)
        return asa_no_memory(a);
    *s = (struct asa_strange){a->line, fw_arena_text(a->rules, a->raw), fw_arena_text(a->rules, why),
                              a->iface.strange};
    a->iface.strange = s;
    return s->text && s->why ? 0 : asa_no_memory(a);
}

/* Whatever it is, it may decide about what comes in or goes out there. */
static int taint_interface(struct asa *a, int iface)
{
    int err = 0;
    for (const struct asa_strange *s = a->iface.strange; s && !err; s = s->next)
        for (int out = 0; out < 2 && !err; out++) {
            struct fw_taint_spec t = {.why = s->why, .line = s->line, .text = s->text};
            *(out ? &t.out_ifaces : &t.in_ifaces) = UINT64_C(1) << iface;
            err = fw_rules_add_taint(a->rules, &t) ? asa_no_memory(a) : 0;
        }
    return err;
}

int asa_interface(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "the name of an interface");
    a->iface.open = true;
    a->iface.name = NULL;
    a->iface.has_level = a->iface.shutdown = false;
    a->iface.address_count = 0;
    a->iface.strange = NULL;
    a->iface.again = NULL;
    a->below = strange_of_interface;
    return 0;
}

/* The block is over. Without a nameif no traffic passes. */
int asa_interface_end(struct asa *a)
{
    if (!a->iface.open || a->pass != ASA_OBJECTS)
        return 0;
    a->iface.open = false;
    int before = a->iface.again ? fw_rules_find_interface(a->rules, a->iface.again) : E_NOT_FOUND;
    if (!a->iface.name)
        return before < 0 ? 0 : taint_interface(a, before);
    int level = a->iface.has_level ? a->iface.level : strcmp(a->iface.name, "inside") == 0 ? 100 : 0;
    struct fw_iface_spec spec = {.name = a->iface.name, .level = level, .shutdown = a->iface.shutdown,
                                 .address = a->iface.address, .address_count = a->iface.address_count,
                                 .line = a->iface.line, .text = a->iface.text};
    int i = fw_rules_add_interface(a->rules, &spec);
    if (i >= 0)
        return taint_interface(a, i);
    a->line = a->iface.line;
    a->words = a->at = 0;
    return i == E_EXISTS ? asa_refuse(a, i, "a second interface has the name %.60s", a->iface.name)
                         : asa_refuse(a, i, "too many interfaces");
}

static int nameif(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "a name");
    a->iface.name = fw_arena_text(a->rules, asa_next(a));
    a->iface.text = fw_arena_text(a->rules, a->raw);
    a->iface.line = a->line;
    return a->iface.name && a->iface.text ? asa_end(a) : asa_no_memory(a);
}

static int security_level(struct asa *a)
{
    long level;
    int err = asa_number(a, 0, 100, "a security level", &level);
    a->iface.has_level = true;
    a->iface.level = err ? 0 : (int)level;
    return err ? err : asa_end(a);
}

static int no_security_level(struct asa *a)
{
    a->iface.has_level = true;
    a->iface.level = 0;
    return asa_end(a);
}

int asa_iface_address(struct asa *a, const struct ip_prefix *p)
{
    if (a->iface.address_count == sizeof a->iface.address / sizeof *a->iface.address)
        return asa_fail(a, E_RANGE, "too many addresses on an interface");
    a->iface.address[a->iface.address_count++] = *p;
    if (asa_take(a, "standby")) {
        struct ip_addr standby;
        int err = asa_ip(a, &standby);
        if (err)
            return err;
    }
    return asa_end(a);
}

static int ip_address(struct asa *a)
{
    struct ip_prefix p = {0};
    struct ip_addr mask;
    a->doubt = asa_no_doubt; /* what names the interface's address sees to it */
    if (asa_take(a, "dhcp") || asa_take(a, "pppoe")) {
        asa_take(a, "setroute");
        return asa_end(a);
    }
    int err = asa_ip(a, &p.ip);
    if (err)
        return err;
    if (ip_parse(asa_peek(a), &mask) != 0 || mask.family != IP_V4 || p.ip.family != IP_V4)
        return asa_expected(a, "a netmask");
    uint32_t m = ip_v4_value(&mask);
    if ((~m & (~m + 1)) != 0)
        return asa_expected(a, "a netmask without holes");
    for (; m; m <<= 1)
        p.len++;
    a->at++;
    return asa_iface_address(a, &p);
}

static int ipv6_address(struct asa *a)
{
    struct ip_prefix p;
    a->doubt = asa_no_doubt; /* what names the interface's address sees to it */
    if (strcmp(asa_peek(a), "autoconfig") == 0 || a->words > a->at + 1)
        if (strcmp(asa_peek(a), "autoconfig") == 0 || strcmp(a->word[a->at + 1].text, "link-local") == 0) {
            a->quiet = true;
            return 0;
        }
    if (prefix_parse(asa_peek(a), &p) != 0 || p.ip.family != IP_V6)
        return asa_expected(a, "an IPv6 address and prefix length");
    a->at++;
    return asa_iface_address(a, &p);
}

static int shutdown(struct asa *a)
{
    a->iface.shutdown = true;
    return asa_end(a);
}

const struct asa_command asa_in_interface[] = {
    {"nameif", ASA_OBJECTS, nameif, NULL},
    {"security-level", ASA_OBJECTS, security_level, NULL},
    {"no security-level", ASA_OBJECTS, no_security_level, NULL},
    {"ip address", ASA_OBJECTS, ip_address, NULL},
    {"ipv6 address", ASA_OBJECTS, ipv6_address, NULL},
    {"shutdown", ASA_OBJECTS, shutdown, NULL},
    {"management-only", ASA_OBJECTS, shutdown, NULL}, /* nothing passes through it */
    {"no shutdown", ASA_OBJECTS, NULL, NULL},
    {"no nameif", ASA_OBJECTS, NULL, NULL},
    {"no ip address", ASA_OBJECTS, NULL, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {"speed", ASA_OBJECTS, NULL, NULL},
    {"duplex", ASA_OBJECTS, NULL, NULL},
    {"vlan", ASA_OBJECTS, NULL, NULL},
    {"switchport", ASA_OBJECTS, NULL, NULL},
    {"mac-address", ASA_OBJECTS, NULL, NULL},
    {"channel-group", ASA_OBJECTS, NULL, NULL},
    {"lacp", ASA_OBJECTS, NULL, NULL},
    {"port-channel", ASA_OBJECTS, NULL, NULL},
    {"member-interface", ASA_OBJECTS, NULL, NULL},
    {"flowcontrol", ASA_OBJECTS, NULL, NULL},
    {"delay", ASA_OBJECTS, NULL, NULL},
    {"ospf", ASA_OBJECTS, NULL, NULL},
    {"ipv6 enable", ASA_OBJECTS, NULL, NULL},
    {"ipv6 nd", ASA_OBJECTS, NULL, NULL},
    {"igmp", ASA_OBJECTS, NULL, NULL},
    {"nve-only", ASA_OBJECTS, NULL, NULL},
    {"authentication", ASA_OBJECTS, NULL, NULL},
    {"bfd", ASA_OBJECTS, NULL, NULL},
    {"cts", ASA_OBJECTS, NULL, NULL}, /* tags of security groups, and what stands below: */
    {"propagate sgt", ASA_OBJECTS, NULL, NULL},
    {"policy static sgt", ASA_OBJECTS, NULL, NULL},
    {"ddns", ASA_OBJECTS, NULL, NULL},
    {"dhcp client", ASA_OBJECTS, NULL, NULL},
    {"dhcprelay", ASA_OBJECTS, NULL, NULL},
    {"eigrp", ASA_OBJECTS, NULL, NULL},
    {"hello-interval", ASA_OBJECTS, NULL, NULL},
    {"hold-time", ASA_OBJECTS, NULL, NULL},
    {"ipv6 dhcp", ASA_OBJECTS, NULL, NULL},
    {"ipv6 ospf", ASA_OBJECTS, NULL, NULL},
    {"media-type", ASA_OBJECTS, NULL, NULL},
    {"mtu", ASA_OBJECTS, NULL, NULL},
    {"multicast", ASA_OBJECTS, NULL, NULL},
    {"no cts", ASA_OBJECTS, NULL, NULL},
    {"no ipv6", ASA_OBJECTS, NULL, NULL},
    {"no mac-address", ASA_OBJECTS, NULL, NULL},
    {"no management-only", ASA_OBJECTS, NULL, NULL},
    {"pim", ASA_OBJECTS, NULL, NULL},
    {"pppoe", ASA_OBJECTS, NULL, NULL},
    {"rip", ASA_OBJECTS, NULL, NULL},
    {"split-horizon", ASA_OBJECTS, NULL, NULL},
    {"standby", ASA_OBJECTS, NULL, NULL},
    {"summary-address", ASA_OBJECTS, NULL, NULL},
    {"tunnel", ASA_OBJECTS, NULL, NULL},
    {"vtep-nic", ASA_OBJECTS, NULL, NULL},
    {0},
};

/* ---- routes and switches ---- */

static int iface_word(struct asa *a, int *out)
{
    *out = fw_rules_find_interface(a->rules, asa_peek(a));
    if (*out < 0)
        return asa_expected(a, "the name of an interface");
    a->at++;
    return 0;
}

static int add_route(struct asa *a, const struct ip_prefix *to, int iface)
{
    struct ip_addr gateway;
    long n;
    int err = asa_ip(a, &gateway);
    if (!err && asa_is_number(asa_peek(a)))
        err = asa_number(a, 1, 255, "a metric", &n);
    if (!err && asa_take(a, "track"))
        err = asa_number(a, 1, 500, "a track id", &n);
    if (err)
        return err;
    if (asa_more(a))
        return asa_fail(a, E_UNSUPPORTED, "a route with \"%.40s\" is not supported", asa_peek(a));
    return fw_rules_add_route(a->rules, to, iface, &gateway) ? asa_no_memory(a) : 0;
}

int asa_route(struct asa *a)
{
    int iface = -1, err = iface_word(a, &iface);
    struct fw_addr to;
    err = err ? err : asa_ip_mask(a, &to);
    if (err)
        return err;
    if (to.masked)
        return asa_fail(a, E_MALFORMED, "expected a netmask without holes");
    struct ip_prefix p = {.ip = to.a, .len = 32};
    for (uint32_t host = ip_v4_value(&to.a) ^ ip_v4_value(&to.b); to.a.family == IP_V4 && host; host >>= 1)
        p.len--;
    return add_route(a, &p, iface);
}

int asa_route6(struct asa *a)
{
    struct ip_prefix p;
    int iface = -1, err = iface_word(a, &iface);
    if (err)
        return err;
    if (prefix_parse(asa_peek(a), &p) != 0 || p.ip.family != IP_V6)
        return asa_expected(a, "an IPv6 prefix");
    a->at++;
    return add_route(a, &p, iface);
}

int asa_same_security(struct asa *a)
{
    a->doubt = asa_taint_anywhere;
    struct fw_policy p = a->rules->policy;
    if (!asa_take(a, "permit"))
        return asa_expected(a, "permit");
    if (asa_take(a, "inter-interface"))
        p.same_level_inter = true;
    else if (asa_take(a, "intra-interface"))
        p.same_level_intra = true;
    else
        return asa_expected(a, "inter-interface or intra-interface");
    fw_rules_set_policy(a->rules, &p);
    return asa_end(a);
}

int asa_verify_reverse(struct asa *a)
{
    a->doubt = asa_taint_anywhere;
    int iface = -1, err = asa_take(a, "interface") ? iface_word(a, &iface) : asa_expected(a, "interface");
    err = err ? err : asa_end(a);
    if (err)
        return err;
    return fw_rules_set_verify_reverse(a->rules, iface, a->line, a->raw) ? asa_no_memory(a) : 0;
}

/* ---- timeout ---- */

/* hh:mm:ss, at most 1193:0:0; 0 is never. */
int asa_time_word(struct asa *a, uint64_t *ns)
{
    const char *s = asa_peek(a);
    unsigned long part[3] = {0};
    size_t n = 0;
    while (*s >= '0' && *s <= '9' && n < 3) {
        char *end;
        part[n++] = strtoul(s, &end, 10);
        s = *end == ':' && end[1] ? end + 1 : end;
    }
    bool zero = n == 1 && part[0] == 0;
    if (*s || (n != 3 && !zero) || part[0] > 1193 || part[1] > 59 || part[2] > 59)
        return asa_expected(a, "a time as hh:mm:ss");
    *ns = (part[0] * 3600 + part[1] * 60 + part[2]) * NS_S;
    if (*ns == 0)
        *ns = TIME_NEVER;
    a->at++;
    return 0;
}

int asa_timeout(struct asa *a)
{
    static const struct {
        const char *word;
        int timer[2]; /* enum fw_timer; -1: of traffic that is not told apart here */
    } row[] = {
        {"conn", {FW_TIMER_TCP, FW_TIMER_OTHER}}, {"half-closed", {FW_TIMER_HALF_CLOSED, -1}},
        {"udp", {FW_TIMER_UDP, -1}},              {"icmp", {FW_TIMER_ICMP, -1}},
        {"xlate", {FW_TIMER_XLATE, -1}},          {"pat-xlate", {FW_TIMER_PAT_XLATE, -1}},
        {"sctp", {-1, -1}},                       {"sunrpc", {-1, -1}},
        {"h323", {-1, -1}},                       {"h225", {-1, -1}},
        {"mgcp", {-1, -1}},                       {"mgcp-pat", {-1, -1}},
        {"sip", {-1, -1}},                        {"sip_media", {-1, -1}},
        {"sip-invite", {-1, -1}},                 {"sip-disconnect", {-1, -1}},
        {"sip-provisional-media", {-1, -1}},      {"uauth", {-1, -1}},
        {"tcp-proxy-reassembly", {-1, -1}},       {"floating-conn", {-1, -1}},
        {"conn-holddown", {-1, -1}},              {"icmp-error", {-1, -1}},
    };
    if (asa_take(a, "igp")) {
        a->quiet = true;
        return 0;
    }
    a->quiet = true;
    while (asa_more(a)) {
        size_t i = 0;
        while (i < sizeof row / sizeof *row && !asa_take(a, row[i].word))
            i++;
        if (i == sizeof row / sizeof *row)
            return asa_expected(a, "a timer");
        uint64_t ns = 0;
        int err = asa_time_word(a, &ns);
        for (int k = 0; k < 2 && !err; k++)
            if (row[i].timer[k] >= 0) {
                a->quiet = false;
                err = fw_rules_set_timer(a->rules, (enum fw_timer)row[i].timer[k], ns, a->line, a->raw)
                          ? asa_no_memory(a)
                          : 0;
            }
        if (err)
            return err;
        if (!asa_take(a, "absolute")) /* of uauth */
            asa_take(a, "inactivity");
    }
    return 0;
}

/* `established`: openings for connections that follow others, which nothing here foretells. */
int asa_established(struct asa *a)
{
    uint8_t proto = 0;
    bool any = true, known = asa_protocol(asa_peek(a), &proto, &any) && !any;
    struct fw_service s = FW_SERVICE_ANY;
    if (known)
        s.proto_lo = s.proto_hi = proto;
    a->unsure = "openings for connections that follow others are not modelled";
    return asa_taint(a, a->unsure, (struct fw_taint_spec){.service = &s, .service_count = 1});
}

/* Who is shut out when is decided by something that is not in the file: a list of bad addresses, a filter server. */
int asa_filter(struct asa *a)
{
    a->unsure = "what this shuts out is decided outside of the file";
    return asa_taint_anywhere(a, a->unsure);
}

int asa_filter_url(struct asa *a)
{
    struct fw_service tcp = {PROTO_TCP, PROTO_TCP, 0, 65535, 0, 65535};
    a->unsure = "what this shuts out is decided by a filter server";
    return asa_taint(a, a->unsure, (struct fw_taint_spec){.service = &tcp, .service_count = 1});
}

/* `shun A ...`: nothing from A passes. */
int asa_shun(struct asa *a)
{
    struct ip_addr ip;
    a->doubt = asa_taint_anywhere;
    int err = asa_ip(a, &ip);
    struct fw_addr from = {.a = ip, .b = ip};
    a->unsure = "what is shunned depends on connections that were there before";
    return err ? err : asa_taint(a, a->unsure, (struct fw_taint_spec){.src = &from, .src_count = 1});
}
