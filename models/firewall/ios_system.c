/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces of IOS, what is bound to them, and static routes. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/ios.h"

/* ---- interface ---- */

static int this_iface(const struct asa *a)
{
    return fw_rules_find_interface(a->rules, a->policy);
}

int ios_interface(struct asa *a)
{
    int err = asa_interface(a);
    if (err)
        return err;
    a->policy = fw_arena_text(a->rules, asa_next(a));
    a->iface.block = fw_arena_text(a->rules, a->raw);
    a->iface.again = a->policy;
    a->iface.line = a->line;
    return a->policy && a->iface.block ? 0 : asa_no_memory(a);
}

/* An interface is one of the firewall's once it has an address, or gets one. */
static void has_address(struct asa *a)
{
    a->iface.name = a->policy;
    a->iface.text = a->iface.block;
}

static int ip_address(struct asa *a)
{
    struct ip_prefix p = {0};
    struct fw_addr net;
    has_address(a);
    if (asa_take(a, "dhcp") || asa_take(a, "negotiated")) {
        a->at = a->words;
        return 0;
    }
    a->doubt = asa_no_doubt;
    int err = asa_ip(a, &p.ip);
    a->at -= !err;
    err = err ? err : asa_ip_mask(a, &net);
    if (!err && net.masked)
        err = asa_fail(a, E_MALFORMED, "expected a netmask without holes");
    if (err)
        return err;
    p.len = 32;
    for (uint32_t hosts = ip_v4_value(&net.a) ^ ip_v4_value(&net.b); hosts; hosts >>= 1)
        p.len--;
    asa_take(a, "secondary");
    return asa_iface_address(a, &p);
}

static int ipv6_address(struct asa *a)
{
    struct ip_prefix p;
    has_address(a);
    a->doubt = asa_no_doubt;
    bool local = a->words > 0 && strcmp(a->word[a->words - 1].text, "link-local") == 0;
    a->quiet = local || strcmp(asa_peek(a), "autoconfig") == 0 || strcmp(asa_peek(a), "dhcp") == 0;
    if (a->quiet)
        return 0;
    if (prefix_parse(asa_peek(a), &p) != 0 || p.ip.family != IP_V6)
        return asa_expected(a, "an IPv6 address and prefix length");
    a->at++;
    a->at = a->words; /* eui-64, anycast */
    return asa_iface_address(a, &p);
}

static int unnumbered(struct asa *a)
{
    has_address(a);
    return 0;
}

static int shut(struct asa *a)
{
    a->iface.shutdown = true;
    return asa_end(a);
}

static int note(struct asa *a, const char *text)
{
    return fw_rules_add_note(a->rules, a->line, a->raw, text) ? asa_no_memory(a) : 0;
}

/* Neighbour discovery passes at the end of each IPv6 list, before the implicit deny ([IOS] ipv6 access-list). */
static int permit_discovery(struct asa *a, const char *list)
{
    enum { NS = 135, NA = 136 };
    const struct fw_service discovery = {PROTO_ICMP6, PROTO_ICMP6, NS, NA, 0, 65535};
    const struct fw_list *l = fw_rules_list(a->rules, list);
    const struct fw_rule *last = l->count ? &l->rule[l->count - 1] : NULL;
    if (last && last->service_count == 1 && memcmp(last->service, &discovery, sizeof discovery) == 0)
        return 0;
    a->ace = (struct asa_ace){.list = list};
    return asa_add_rule(a, &(struct fw_rule_spec){.list = list, .action = FW_PERMIT, .service = &discovery,
                                                  .service_count = 1}, NULL);
}

static int bind(struct asa *a, bool six)
{
    const char *list = asa_next(a);
    bool out = strcmp(asa_peek(a), "out") == 0;
    if (!out && strcmp(asa_peek(a), "in") != 0)
        return asa_expected(a, "in or out");
    a->at++;
    int err = asa_end(a), iface = this_iface(a);
    if (err)
        return err;
    a->quiet = iface < 0 || !fw_rules_list(a->rules, list);
    if (iface < 0)
        return 0;
    if (a->quiet)
        return note(a, "the file does not have this list: IOS lets everything pass");
    if (six && (err = permit_discovery(a, list)) != 0)
        return err;
    return asa_bind_later(a, list, six, iface, out ? FW_OUT : FW_IN);
}

static int access_group(struct asa *a)
{
    return bind(a, false);
}

static int traffic_filter(struct asa *a)
{
    return bind(a, true);
}

static int nat_side(struct asa *a)
{
    int iface = this_iface(a);
    uint64_t *side = strcmp(asa_peek(a), "inside") == 0    ? &a->nat_inside
                     : strcmp(asa_peek(a), "outside") == 0 ? &a->nat_outside
                                                           : NULL;
    if (!side)
        return asa_expected(a, "inside or outside");
    if (iface >= 0)
        *side |= UINT64_C(1) << iface;
    return 0;
}

static int verify(struct asa *a)
{
    int iface = this_iface(a);
    bool loose = strcmp(a->word[a->words - 1].text, "any") == 0 || a->words > 6;
    if (loose)
        return asa_fail(a, E_UNSUPPORTED, "only a plain check of the reverse path is supported");
    a->quiet = iface < 0;
    return a->quiet || !fw_rules_set_verify_reverse(a->rules, iface, a->line, a->raw) ? 0 : asa_no_memory(a);
}

/* What decides about packets there in ways that are not modelled: the block's doubt is told why. */
static int zone_member(struct asa *a)
{
    a->at = 0;
    return asa_fail(a, E_UNSUPPORTED, "zone-based firewalls are not modelled");
}

static int inspected(struct asa *a)
{
    a->at = 0;
    return asa_fail(a, E_UNSUPPORTED, "what inspection (ip inspect) opens and closes is not modelled");
}

static int other_table(struct asa *a)
{
    a->at = 0;
    return asa_fail(a, E_UNSUPPORTED, "an interface in a routing table of its own (vrf) is not modelled");
}

static int by_policy(struct asa *a)
{
    a->at = 0;
    return asa_fail(a, E_UNSUPPORTED, "routes by policy are not modelled");
}

#define QUIET(words) {words, ASA_OBJECTS, NULL, NULL}

const struct asa_command ios_in_interface[] = {
    {"ip address", ASA_OBJECTS, ip_address, NULL},
    {"ip unnumbered", ASA_OBJECTS, unnumbered, NULL},
    {"ipv6 address", ASA_OBJECTS, ipv6_address, NULL},
    {"shutdown", ASA_OBJECTS, shut, NULL},
    {"ip access-group", ASA_BINDINGS, access_group, NULL},
    {"ipv6 traffic-filter", ASA_BINDINGS, traffic_filter, NULL},
    {"ip nat", ASA_RULES, nat_side, NULL},
    {"ip verify unicast", ASA_RULES, verify, NULL},
    {"zone-member", ASA_OBJECTS, zone_member, NULL},
    {"ip inspect", ASA_OBJECTS, inspected, NULL},
    {"ipv6 inspect", ASA_OBJECTS, inspected, NULL},
    {"vrf forwarding", ASA_OBJECTS, other_table, NULL},
    {"ip vrf forwarding", ASA_OBJECTS, other_table, NULL},
    {"ip policy", ASA_OBJECTS, by_policy, NULL},
    QUIET("arp"), QUIET("authentication"), QUIET("auto"), QUIET("bandwidth"), QUIET("bfd"), QUIET("carrier-delay"),
    QUIET("cdp"), QUIET("channel-group"), QUIET("channel-protocol"), QUIET("clock rate"), QUIET("crypto map"),
    QUIET("cts"), QUIET("delay"), QUIET("description"), QUIET("device-tracking"), QUIET("dialer"), QUIET("dot1x"),
    QUIET("duplex"), QUIET("encapsulation"), QUIET("exit"), QUIET("fair-queue"), QUIET("flowcontrol"), QUIET("glbp"),
    QUIET("hold-queue"), QUIET("hsrp"), QUIET("ip arp"), QUIET("ip authentication"), QUIET("ip bandwidth-percent"),
    QUIET("ip dhcp"), QUIET("ip directed-broadcast"), QUIET("ip eigrp"), QUIET("ip flow"), QUIET("ip hello-interval"),
    QUIET("ip helper-address"), QUIET("ip hold-time"), QUIET("ip igmp"), QUIET("ip load-sharing"),
    QUIET("ip local-proxy-arp"), QUIET("ip mask-reply"), QUIET("ip mtu"), QUIET("ip nbar"), QUIET("ip ospf"),
    QUIET("ip pim"), QUIET("ip proxy-arp"), QUIET("ip redirects"), QUIET("ip rip"), QUIET("ip route-cache"),
    QUIET("ip rtp"), QUIET("ip summary-address"), QUIET("ip tcp"), QUIET("ip unreachables"),
    QUIET("ip virtual-reassembly"), QUIET("ipv6 enable"), QUIET("ipv6 mtu"), QUIET("ipv6 nd"), QUIET("ipv6 ospf"),
    QUIET("ipv6 redirects"), QUIET("ipv6 unreachables"), QUIET("isis"), QUIET("keepalive"), QUIET("lacp"),
    QUIET("lldp"), QUIET("load-interval"), QUIET("logging"), QUIET("mab"), QUIET("mac-address"), QUIET("macro"),
    QUIET("macsec"), QUIET("media-type"), QUIET("mls"), QUIET("mtu"), QUIET("negotiation"), QUIET("no"), QUIET("ntp"),
    QUIET("peer"), QUIET("plim"), QUIET("power"), QUIET("ppp"), QUIET("pppoe"), QUIET("priority-queue"), QUIET("qos"),
    QUIET("random-detect"), QUIET("service-policy"), QUIET("snmp"), QUIET("spanning-tree"), QUIET("speed"),
    QUIET("srr-queue"), QUIET("standby"), QUIET("storm-control"), QUIET("switchport"), QUIET("tunnel"),
    QUIET("tx-ring-limit"), QUIET("udld"), QUIET("vrrp"),
    {0},
};

/* ---- VPN ---- */

static int match_address(struct asa *a)
{
    a->unsure = "what goes into a VPN, and what comes out of it, is not modelled";
    return asa_taint_list(a, a->unsure, asa_peek(a), (struct fw_taint_spec){0}, true);
}

const struct asa_command ios_in_crypto_map[] = {
    {"match address", ASA_BINDINGS, match_address, NULL},
    {"", ASA_OBJECTS, NULL, NULL},
    {0},
};

int ios_crypto_map(struct asa *a)
{
    a->quiet = true;
    a->below = NULL;
    return 0;
}

/* ---- routes ---- */

/* The interface with the network that the gateway is in. */
static int towards(const struct asa *a, const struct ip_addr *gateway)
{
    const struct fw_rules *r = a->rules;
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++) {
            struct fw_addr net = fw_addr_prefix(&r->iface[i].address[k]);
            if (fw_addr_has(&net, gateway))
                return (int)i;
        }
    return E_NOT_FOUND;
}

/* `{IFACE | GATEWAY | IFACE GATEWAY} [distance] [...]` behind the prefix. */
static int add_route(struct asa *a, const struct ip_prefix *to)
{
    struct ip_addr gateway = {.family = to->ip.family};
    int iface = fw_rules_find_interface(a->rules, asa_peek(a));
    a->at += iface >= 0;
    bool known = ip_parse(asa_peek(a), &gateway) == 0;
    if (known)
        a->at++;
    else if (iface < 0 && strncmp(asa_peek(a), "Null", 4) == 0)
        return asa_fail(a, E_UNSUPPORTED, "a route to nowhere is not modelled");
    else if (iface < 0)
        return asa_expected(a, "a gateway or an interface with an address");
    if (iface < 0)
        iface = towards(a, &gateway);
    if (iface < 0)
        return asa_fail(a, E_UNSUPPORTED, "the gateway is in no network of an interface");
    return fw_rules_add_route(a->rules, to, iface, &gateway) ? asa_no_memory(a) : 0;
}

int ios_route(struct asa *a)
{
    struct fw_addr to;
    if (strcmp(asa_peek(a), "vrf") == 0)
        return asa_fail(a, E_UNSUPPORTED, "routing tables beside the main one (vrf) are not modelled");
    int err = asa_ip_mask(a, &to);
    if (!err && to.masked)
        err = asa_fail(a, E_MALFORMED, "expected a netmask without holes");
    if (err)
        return err;
    struct ip_prefix p = {.ip = to.a, .len = 32};
    for (uint32_t hosts = ip_v4_value(&to.a) ^ ip_v4_value(&to.b); to.a.family == IP_V4 && hosts; hosts >>= 1)
        p.len--;
    return add_route(a, &p);
}

int ios_route6(struct asa *a)
{
    struct ip_prefix p;
    if (prefix_parse(asa_peek(a), &p) != 0 || p.ip.family != IP_V6)
        return asa_expected(a, "an IPv6 prefix");
    a->at++;
    return add_route(a, &p);
}
