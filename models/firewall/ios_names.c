/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that IOS has for protocols, ports and ICMP messages (Cisco IOS Security Command Reference: permit, deny).
 * They are not those of an ASA: no https, no sip, and ICMP names may stand for a type and a code. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/firewall/ios.h"

struct name {
    const char *name;
    uint16_t value;
};

static const struct name tcp_ports[] = {
    {"bgp", 179},        {"chargen", 19},       {"cmd", 514},     {"connectedapps-plain", 15001},
    {"connectedapps-tls", 15002},               {"daytime", 13},  {"discard", 9},  {"domain", 53},
    {"drip", 3949},      {"echo", 7},           {"exec", 512},    {"finger", 79},  {"ftp", 21},
    {"ftp-data", 20},    {"gopher", 70},        {"hostname", 101}, {"ident", 113}, {"irc", 194},
    {"klogin", 543},     {"kshell", 544},       {"login", 513},   {"lpd", 515},    {"msrpc", 135},
    {"nntp", 119},       {"onep-plain", 15001}, {"onep-tls", 15002}, {"pim-auto-rp", 496}, {"pop2", 109},
    {"pop3", 110},       {"smtp", 25},          {"sunrpc", 111},  {"syslog", 514}, {"tacacs", 49},
    {"talk", 517},       {"telnet", 23},        {"time", 37},     {"uucp", 540},   {"whois", 43},
    {"www", 80},
};

static const struct name udp_ports[] = {
    {"biff", 512},       {"bootpc", 68},      {"bootps", 67},     {"discard", 9},     {"dnsix", 195},
    {"domain", 53},      {"echo", 7},         {"isakmp", 500},    {"mobile-ip", 434}, {"nameserver", 42},
    {"netbios-dgm", 138}, {"netbios-ns", 137}, {"netbios-ss", 139}, {"non500-isakmp", 4500}, {"ntp", 123},
    {"pim-auto-rp", 496}, {"rip", 520},       {"ripv6", 521},     {"snmp", 161},      {"snmptrap", 162},
    {"sunrpc", 111},     {"syslog", 514},     {"tacacs", 49},     {"talk", 517},      {"tftp", 69},
    {"time", 37},        {"who", 513},        {"xdmcp", 177},
};

enum { ALL = -1 };

struct icmp_name {
    const char *name;
    uint8_t type;
    int code; /* ALL: any */
};

static const struct icmp_name icmp[] = {
    {"administratively-prohibited", 3, 13}, {"alternate-address", 6, ALL},    {"conversion-error", 31, ALL},
    {"dod-host-prohibited", 3, 10},         {"dod-net-prohibited", 3, 9},     {"echo", 8, ALL},
    {"echo-reply", 0, ALL},                 {"general-parameter-problem", 12, 0}, {"host-isolated", 3, 8},
    {"host-precedence-unreachable", 3, 14}, {"host-redirect", 5, 1},          {"host-tos-redirect", 5, 3},
    {"host-tos-unreachable", 3, 12},        {"host-unknown", 3, 7},           {"host-unreachable", 3, 1},
    {"information-reply", 16, ALL},         {"information-request", 15, ALL}, {"mask-reply", 18, ALL},
    {"mask-request", 17, ALL},              {"mobile-redirect", 32, ALL},     {"net-redirect", 5, 0},
    {"net-tos-redirect", 5, 2},             {"net-tos-unreachable", 3, 11},   {"net-unreachable", 3, 0},
    {"network-unknown", 3, 6},              {"no-room-for-option", 12, 2},    {"option-missing", 12, 1},
    {"packet-too-big", 3, 4},               {"parameter-problem", 12, ALL},   {"port-unreachable", 3, 3},
    {"precedence-unreachable", 3, 15},      {"protocol-unreachable", 3, 2},   {"reassembly-timeout", 11, 1},
    {"redirect", 5, ALL},                   {"router-advertisement", 9, ALL}, {"router-solicitation", 10, ALL},
    {"source-quench", 4, ALL},              {"source-route-failed", 3, 5},    {"time-exceeded", 11, ALL},
    {"timestamp-reply", 14, ALL},           {"timestamp-request", 13, ALL},   {"traceroute", 30, ALL},
    {"ttl-exceeded", 11, 0},                {"unreachable", 3, ALL},
};

static const struct icmp_name icmp6[] = {
    {"beyond-scope", 1, 2},           {"destination-unreachable", 1, ALL}, {"dhaad-reply", 145, ALL},
    {"dhaad-request", 144, ALL},      {"echo-reply", 129, ALL},        {"echo-request", 128, ALL},
    {"header", 4, 0},                 {"hop-limit", 3, 0},             {"mld-query", 130, ALL},
    {"mld-reduction", 132, ALL},      {"mld-report", 131, ALL},        {"mldv2-report", 143, ALL},
    {"mpd-advertisement", 147, ALL},  {"mpd-solicitation", 146, ALL},  {"nd-na", 136, ALL},
    {"nd-ns", 135, ALL},              {"next-header", 4, 1},           {"no-admin", 1, 1},
    {"no-route", 1, 0},               {"packet-too-big", 2, ALL},      {"parameter-option", 4, 2},
    {"parameter-problem", 4, ALL},    {"port-unreachable", 1, 4},      {"reassembly-timeout", 3, 1},
    {"redirect", 137, ALL},           {"renum-command", 138, 0},       {"renum-result", 138, 1},
    {"renum-seq-number", 138, 255},   {"router-advertisement", 134, ALL}, {"router-renumbering", 138, ALL},
    {"router-solicitation", 133, ALL}, {"time-exceeded", 3, ALL},      {"unreachable", 1, ALL},
};

static bool look_up(const struct name *table, size_t count, const char *word, uint16_t *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].name, word) == 0) {
            *out = table[i].value;
            return true;
        }
    return false;
}

bool ios_protocol(const char *word, bool six, uint8_t *proto, bool *any)
{
    *any = six && strcmp(word, "ipv6") == 0;
    *proto = strcmp(word, "ahp") == 0 ? 51 : PROTO_ICMP6;
    if (*any || strcmp(word, "ahp") == 0 || (six && strcmp(word, "icmp") == 0))
        return true;
    return asa_protocol(word, proto, any);
}

bool ios_port(const char *word, unsigned protos, uint16_t *port)
{
    if (asa_is_number(word) && strtol(word, NULL, 10) <= 65535) {
        *port = (uint16_t)strtol(word, NULL, 10);
        return true;
    }
    if (protos & ASA_TCP && look_up(tcp_ports, sizeof tcp_ports / sizeof *tcp_ports, word, port))
        return true;
    return protos & ASA_UDP && look_up(udp_ports, sizeof udp_ports / sizeof *udp_ports, word, port);
}

bool ios_icmp(const char *word, bool six, struct fw_service *s)
{
    const struct icmp_name *table = six ? icmp6 : icmp;
    size_t count = six ? sizeof icmp6 / sizeof *icmp6 : sizeof icmp / sizeof *icmp;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].name, word) == 0) {
            s->sport_lo = s->sport_hi = table[i].type;
            s->dport_lo = table[i].code == ALL ? 0 : (uint16_t)table[i].code;
            s->dport_hi = table[i].code == ALL ? 65535 : (uint16_t)table[i].code;
            return true;
        }
    return false;
}
