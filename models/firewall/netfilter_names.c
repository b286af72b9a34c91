/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that Linux rule sets use in place of numbers (IANA's; iptables-extensions(8), nft(8)). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/base/bytes.h"
#include "models/firewall/netfilter.h"

struct name {
    const char *word;
    uint16_t value;
};

static const struct name protocols[] = {
    {"ip", 0},        {"hopopt", 0},   {"icmp", 1},       {"igmp", 2},       {"ggp", 3},       {"ipencap", 4},
    {"ipv4", 4},      {"st", 5},       {"tcp", 6},        {"egp", 8},        {"igp", 9},       {"pup", 12},
    {"udp", 17},      {"hmp", 20},     {"xns-idp", 22},   {"rdp", 27},       {"iso-tp4", 29},  {"dccp", 33},
    {"xtp", 36},      {"ddp", 37},     {"idpr-cmtp", 38}, {"ipv6", 41},      {"ipv6-route", 43}, {"ipv6-frag", 44},
    {"idrp", 45},     {"rsvp", 46},    {"gre", 47},       {"esp", 50},       {"ipv6-crypt", 50}, {"ah", 51},
    {"ipv6-auth", 51}, {"skip", 57},   {"ipv6-icmp", 58}, {"icmpv6", 58},    {"ipv6-nonxt", 59}, {"ipv6-opts", 60},
    {"rspf", 73},     {"vmtp", 81},    {"eigrp", 88},     {"ospf", 89},      {"ax.25", 93},    {"ipip", 94},
    {"etherip", 97},  {"encap", 98},   {"pim", 103},      {"ipcomp", 108},   {"comp", 108},    {"vrrp", 112},
    {"l2tp", 115},    {"isis", 124},   {"sctp", 132},     {"fc", 133},       {"mobility-header", 135}, {"mh", 135},
    {"ipv6-mh", 135}, {"udplite", 136}, {"mpls-in-ip", 137}, {"manet", 138}, {"hip", 139},     {"shim6", 140},
    {"wesp", 141},    {"rohc", 142},   {"ethernet", 143},
};

static const struct name ports[] = {
    {"ftp-data", 20}, {"ftp", 21}, {"ssh", 22}, {"telnet", 23}, {"smtp", 25}, {"domain", 53}, {"bootps", 67},
    {"bootpc", 68}, {"tftp", 69}, {"http", 80}, {"www", 80}, {"kerberos", 88}, {"pop3", 110}, {"sunrpc", 111},
    {"ntp", 123}, {"epmap", 135}, {"netbios-ns", 137}, {"netbios-dgm", 138}, {"netbios-ssn", 139}, {"imap2", 143},
    {"imap", 143}, {"snmp", 161}, {"snmp-trap", 162}, {"bgp", 179}, {"ldap", 389}, {"https", 443},
    {"microsoft-ds", 445}, {"submission", 587}, {"isakmp", 500}, {"syslog", 514}, {"ipp", 631}, {"ldaps", 636},
    {"imaps", 993}, {"pop3s", 995}, {"openvpn", 1194}, {"ms-sql-s", 1433}, {"h323hostcall", 1720}, {"radius", 1812},
    {"nfs", 2049}, {"mysql", 3306}, {"stun", 3478}, {"turn", 3478}, {"ipsec-nat-t", 4500}, {"sip", 5060},
    {"sip-tls", 5061}, {"mdns", 5353}, {"stuns", 5349}, {"postgresql", 5432}, {"x11", 6000}, {"http-alt", 8080},
};

static const struct name states[] = {
    {"new", FW_STATE_NEW}, {"established", FW_STATE_ESTABLISHED}, {"related", FW_STATE_RELATED},
    {"invalid", FW_STATE_INVALID}, {"untracked", FW_STATE_UNTRACKED}, {"snat", FW_STATE_SNAT},
    {"dnat", FW_STATE_DNAT},
};

/* CWR and ECE are bits of the byte that the model does not have: nft tests them by name. */
static const struct name flags[] = {{"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32},
                                    {"ecn", 64}, {"ece", 64}, {"cwr", 128}};

struct icmp_name {
    const char *word;
    uint8_t type;
    int16_t code; /* -1: any */
};

static const struct icmp_name icmp4[] = {
    {"any", 255, -1},
    {"echo-reply", 0, -1},
    {"pong", 0, -1},
    {"destination-unreachable", 3, -1},
    {"network-unreachable", 3, 0},
    {"host-unreachable", 3, 1},
    {"protocol-unreachable", 3, 2},
    {"port-unreachable", 3, 3},
    {"fragmentation-needed", 3, 4},
    {"source-route-failed", 3, 5},
    {"network-unknown", 3, 6},
    {"host-unknown", 3, 7},
    {"network-prohibited", 3, 9},
    {"host-prohibited", 3, 10},
    {"TOS-network-unreachable", 3, 11},
    {"TOS-host-unreachable", 3, 12},
    {"communication-prohibited", 3, 13},
    {"host-precedence-violation", 3, 14},
    {"precedence-cutoff", 3, 15},
    {"source-quench", 4, -1},
    {"redirect", 5, -1},
    {"network-redirect", 5, 0},
    {"host-redirect", 5, 1},
    {"TOS-network-redirect", 5, 2},
    {"TOS-host-redirect", 5, 3},
    {"echo-request", 8, -1},
    {"ping", 8, -1},
    {"router-advertisement", 9, -1},
    {"router-solicitation", 10, -1},
    {"time-exceeded", 11, -1},
    {"ttl-exceeded", 11, -1},
    {"ttl-zero-during-transit", 11, 0},
    {"ttl-zero-during-reassembly", 11, 1},
    {"parameter-problem", 12, -1},
    {"ip-header-bad", 12, 0},
    {"required-option-missing", 12, 1},
    {"timestamp-request", 13, -1},
    {"timestamp-reply", 14, -1},
    {"info-request", 15, -1},
    {"info-reply", 16, -1},
    {"address-mask-request", 17, -1},
    {"address-mask-reply", 18, -1},
};

static const struct icmp_name icmp6[] = {
    {"destination-unreachable", 1, -1},
    {"no-route", 1, 0},
    {"communication-prohibited", 1, 1},
    {"beyond-scope", 1, 2},
    {"address-unreachable", 1, 3},
    {"port-unreachable", 1, 4},
    {"failed-policy", 1, 5},
    {"reject-route", 1, 6},
    {"packet-too-big", 2, -1},
    {"time-exceeded", 3, -1},
    {"ttl-exceeded", 3, -1},
    {"ttl-zero-during-transit", 3, 0},
    {"ttl-zero-during-reassembly", 3, 1},
    {"parameter-problem", 4, -1},
    {"bad-header", 4, 0},
    {"unknown-header-type", 4, 1},
    {"unknown-option", 4, 2},
    {"echo-request", 128, -1},
    {"ping", 128, -1},
    {"echo-reply", 129, -1},
    {"pong", 129, -1},
    {"mld-listener-query", 130, -1},
    {"mld-listener-report", 131, -1},
    {"mld-listener-done", 132, -1},
    {"mld-listener-reduction", 132, -1},
    {"router-solicitation", 133, -1},
    {"nd-router-solicit", 133, -1},
    {"router-advertisement", 134, -1},
    {"nd-router-advert", 134, -1},
    {"neighbour-solicitation", 135, -1},
    {"neighbor-solicitation", 135, -1},
    {"nd-neighbor-solicit", 135, -1},
    {"neighbour-advertisement", 136, -1},
    {"neighbor-advertisement", 136, -1},
    {"nd-neighbor-advert", 136, -1},
    {"redirect", 137, -1},
    {"nd-redirect", 137, -1},
    {"router-renumbering", 138, -1},
    {"ind-neighbor-solicit", 141, -1},
    {"ind-neighbor-advert", 142, -1},
    {"mld2-listener-report", 143, -1},
};

/* nft's words for codes, which differ from those for types with codes. */
static const struct name codes4[] = {
    {"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2}, {"port-unreachable", 3},
    {"frag-needed", 4}, {"net-prohibited", 9}, {"host-prohibited", 10}, {"admin-prohibited", 13},
};
static const struct name codes6[] = {
    {"no-route", 0}, {"admin-prohibited", 1}, {"addr-unreachable", 3}, {"port-unreachable", 4}, {"policy-fail", 5},
    {"reject-route", 6},
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct name *find(const struct name *table, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].word, word) == 0)
            return &table[i];
    return NULL;
}

bool nf_number(const char *word, uint64_t max, uint64_t *out)
{
    if (*word < '0' || *word > '9' || strlen(word) > 20)
        return false;
    char *end;
    unsigned long long v = strtoull(word, &end, word[0] == '0' && (word[1] | 32) == 'x' ? 16 : 10);
    if (*end || v > max)
        return false;
    *out = v;
    return true;
}

static bool named(const struct name *table, size_t count, const char *word, uint64_t max, uint16_t *out)
{
    uint64_t v;
    const struct name *n = find(table, count, word);
    if (n)
        *out = n->value;
    else if (nf_number(word, max, &v))
        *out = (uint16_t)v;
    else
        return false;
    return true;
}

bool nf_protocol(const char *word, uint8_t *proto)
{
    uint16_t v = 0;
    bool ok = named(protocols, COUNT(protocols), word, 255, &v);
    *proto = (uint8_t)v;
    return ok;
}

bool nf_service_port(const char *word, uint16_t *port)
{
    return named(ports, COUNT(ports), word, 65535, port);
}

bool nf_icmp_code(const char *word, bool six, uint8_t *code)
{
    uint16_t v = 0;
    bool ok = six ? named(codes6, COUNT(codes6), word, 255, &v) : named(codes4, COUNT(codes4), word, 255, &v);
    *code = (uint8_t)v;
    return ok;
}

unsigned nf_state(const char *word)
{
    const struct name *n = find(states, COUNT(states), word);
    return n ? n->value : 0;
}

unsigned nf_tcp_flag(const char *word)
{
    const struct name *n = find(flags, COUNT(flags), word);
    return n ? n->value : 0;
}

bool nf_icmp_type(const char *word, bool six, struct nf_icmp *out)
{
    const struct icmp_name *table = six ? icmp6 : icmp4;
    size_t count = six ? COUNT(icmp6) : COUNT(icmp4);
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].word, word) == 0) {
            bool any = table[i].code < 0;
            uint8_t type = table[i].type, code = any ? 0 : (uint8_t)table[i].code;
            *out = (struct nf_icmp){type, type, code, any ? 255 : code};
            if (!six && type == 255)
                out->type_lo = 0;
            return true;
        }
    char type[8] = "";
    const char *slash = strchr(word, '/');
    size_t n = slash ? (size_t)(slash - word) : strlen(word);
    uint64_t t, c;
    if (n >= sizeof type)
        return false;
    memcpy(type, word, n);
    if (!nf_number(type, 255, &t) || (slash && !nf_number(slash + 1, 255, &c)))
        return false;
    *out = (struct nf_icmp){(uint8_t)t, (uint8_t)t, slash ? (uint8_t)c : 0, slash ? (uint8_t)c : 255};
    return true;
}
