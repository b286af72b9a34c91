/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that an ASA has for protocols, ports and ICMP types ("Addresses, Protocols, and Ports" of its guide).
 * There is no name for 5061, 3478 or 7001; and `dns` of UDP is 195 (dnsix), not 53, which is `domain`. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/firewall/asa.h"

struct name {
    const char *name;
    uint16_t value;
};

static const struct name protocols[] = {
    {"ah", 51},   {"eigrp", 88}, {"esp", 50},   {"gre", 47}, {"icmp", 1},  {"icmp6", 58}, {"igmp", 2},
    {"igrp", 9},  {"ipinip", 4}, {"ipsec", 50}, {"nos", 94}, {"ospf", 89}, {"pcp", 108},  {"pim", 103},
    {"pptp", 47}, {"sctp", 132}, {"snp", 109},  {"tcp", 6},  {"udp", 17},
};

static const struct name tcp_ports[] = {
    {"aol", 5190},      {"bgp", 179},       {"chargen", 19},    {"cifs", 3020},      {"citrix-ica", 1494},
    {"cmd", 514},       {"ctiqbe", 2748},   {"daytime", 13},    {"discard", 9},      {"domain", 53},
    {"echo", 7},        {"exec", 512},      {"finger", 79},     {"ftp", 21},         {"ftp-data", 20},
    {"gopher", 70},     {"h323", 1720},     {"hostname", 101},  {"http", 80},        {"https", 443},
    {"ident", 113},     {"imap4", 143},     {"irc", 194},       {"kerberos", 750},   {"klogin", 543},
    {"kshell", 544},    {"ldap", 389},      {"ldaps", 636},     {"login", 513},      {"lotusnotes", 1352},
    {"lpd", 515},       {"netbios-ssn", 139}, {"nfs", 2049},    {"nntp", 119},       {"pcanywhere-data", 5631},
    {"pim-auto-rp", 496}, {"pop2", 109},    {"pop3", 110},      {"pptp", 1723},      {"rsh", 514},
    {"rtsp", 554},      {"sip", 5060},      {"smtp", 25},       {"sqlnet", 1521},    {"ssh", 22},
    {"sunrpc", 111},    {"tacacs", 49},     {"talk", 517},      {"telnet", 23},      {"uucp", 540},
    {"whois", 43},      {"www", 80},
};

static const struct name udp_ports[] = {
    {"biff", 512},      {"bootpc", 68},     {"bootps", 67},     {"cifs", 3020},      {"discard", 9},
    {"dns", 195},       {"dnsix", 195},     {"domain", 53},     {"echo", 7},         {"http", 80},
    {"isakmp", 500},    {"kerberos", 750},  {"mobile-ip", 434}, {"nameserver", 42},  {"netbios-dgm", 138},
    {"netbios-ns", 137}, {"nfs", 2049},     {"ntp", 123},       {"pcanywhere-status", 5632}, {"pim-auto-rp", 496},
    {"radius", 1645},   {"radius-acct", 1646}, {"rip", 520},    {"secureid-udp", 5510}, {"sip", 5060},
    {"snmp", 161},      {"snmptrap", 162},  {"sunrpc", 111},    {"syslog", 514},     {"tacacs", 49},
    {"talk", 517},      {"tftp", 69},       {"time", 37},       {"who", 513},        {"www", 80},
    {"xdmcp", 177},
};

static const struct name icmp_types[] = {
    {"echo-reply", 0},          {"unreachable", 3},          {"source-quench", 4},      {"redirect", 5},
    {"alternate-address", 6},   {"echo", 8},                 {"router-advertisement", 9}, {"router-solicitation", 10},
    {"time-exceeded", 11},      {"parameter-problem", 12},   {"timestamp-request", 13}, {"timestamp-reply", 14},
    {"information-request", 15}, {"information-reply", 16},  {"mask-request", 17},      {"mask-reply", 18},
    {"traceroute", 30},         {"conversion-error", 31},    {"mobile-redirect", 32},
};

/* RFC 4443, 4861, 2710. */
static const struct name icmp6_types[] = {
    {"unreachable", 1},          {"packet-too-big", 2},        {"time-exceeded", 3},    {"parameter-problem", 4},
    {"echo", 128},               {"echo-reply", 129},          {"membership-query", 130}, {"membership-report", 131},
    {"membership-reduction", 132}, {"router-solicitation", 133}, {"router-advertisement", 134},
    {"neighbor-solicitation", 135}, {"neighbor-advertisement", 136}, {"neighbor-redirect", 137},
    {"router-renumbering", 138},
};

static bool number(const char *word, long max, uint16_t *out)
{
    if (!asa_is_number(word) || strtol(word, NULL, 10) > max)
        return false;
    *out = (uint16_t)strtol(word, NULL, 10);
    return true;
}

static bool look_up(const struct name *table, size_t count, const char *word, uint16_t *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].name, word) == 0) {
            *out = table[i].value;
            return true;
        }
    return false;
}

#define LOOK_UP(table, word, out) look_up(table, sizeof table / sizeof *table, word, out)

bool asa_protocol(const char *word, uint8_t *proto, bool *any)
{
    uint16_t v = 0;
    *any = strcasecmp(word, "ip") == 0;
    if (!*any && !number(word, 255, &v) && !LOOK_UP(protocols, word, &v))
        return false;
    *any = *any || v == 0; /* `0` is ip */
    *proto = (uint8_t)v;
    return true;
}

bool asa_icmp_type(const char *word, bool six, uint16_t *type)
{
    if (number(word, 255, type))
        return true;
    return six ? LOOK_UP(icmp6_types, word, type) : LOOK_UP(icmp_types, word, type);
}

bool asa_port(const char *word, unsigned protos, uint16_t *port)
{
    if (number(word, 65535, port))
        return true;
    if (protos & ASA_TCP && LOOK_UP(tcp_ports, word, port))
        return true;
    return protos & ASA_UDP && LOOK_UP(udp_ports, word, port);
}

bool asa_built_in(const char *name, struct fw_service *s)
{
    uint8_t proto;
    bool any;
    *s = FW_SERVICE_ANY;
    if (strncmp(name, "icmp-", 5) == 0 && asa_icmp_type(name + 5, false, &s->sport_lo)) {
        s->proto_lo = s->proto_hi = PROTO_ICMP;
        s->sport_hi = s->sport_lo;
        return true;
    }
    if (!asa_protocol(name, &proto, &any) || any)
        return false;
    s->proto_lo = s->proto_hi = proto;
    return true;
}

const char *asa_port_note(const char *word)
{
    static const struct {
        const char *name, *note;
    } differs[] = {
        {"aol", "tables differ about the port aol: read as 5190 here, the number would be certain"},
        {"kerberos", "tables differ about the port kerberos (750, 88): read as 750 here, the number would be certain"},
        {"sqlnet", "tables differ about the port sqlnet (1521, 1522): read as 1521 here, the number would be certain"},
        {"dns", "the port dns is 195 (dnsix); port 53 is called domain"},
    };
    for (size_t i = 0; i < sizeof differs / sizeof *differs; i++)
        if (strcasecmp(differs[i].name, word) == 0)
            return differs[i].note;
    return NULL;
}
