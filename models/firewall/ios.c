/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco IOS and IOS-XE running-config: the file, its lines, and which part of the importer each is for. */
#include "models/firewall/ios.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

static int certificate(struct asa *a)
{
    a->certificate = a->line;
    a->quiet = true;
    return 0;
}

static int zones(struct asa *a)
{
    a->unsure = "zone-based firewalls are not modelled"; /* the packets are in doubt at the interfaces of the zones */
    return 0;
}

static int inspection(struct asa *a)
{
    a->unsure = "what inspection (ip inspect) opens and closes is not modelled"; /* as above */
    return 0;
}

static int dynamic_route(struct asa *a)
{
    a->unsure = "dynamic routes are not modelled: those of the file and of the deployment are used";
    return 0;
}

static const struct asa_command in_zones[] = {{"", ASA_OBJECTS, zones, NULL}, {0}};
static const struct asa_command in_router[] = {{"", ASA_OBJECTS, dynamic_route, NULL}, {0}};
static const struct asa_command in_chain[] = {
    {"certificate", ASA_OBJECTS, certificate, asa_anything},
    {"", ASA_OBJECTS, NULL, NULL},
    {0},
};

static const struct asa_command top[] = {
    {"interface", ASA_OBJECTS, ios_interface, ios_in_interface},
    {"ip access-list extended", ASA_RULES, ios_extended_block, ios_in_extended},
    {"ip access-list standard", ASA_RULES, ios_standard_block, ios_in_standard},
    {"ipv6 access-list log-update", ASA_OBJECTS, NULL, NULL},
    {"ipv6 access-list", ASA_RULES, ios_block6, ios_in_list6},
    {"access-list", ASA_RULES, ios_numbered, NULL},
    {"object-group network", ASA_OBJECTS, ios_group_network, ios_in_network_group},
    {"object-group service", ASA_OBJECTS, ios_group_service, ios_in_service_group},
    {"object-group security", ASA_OBJECTS, asa_group_opaque, asa_anything},
    {"time-range", ASA_OBJECTS, asa_time_range, asa_in_time_range},
    {"clock timezone", ASA_OBJECTS, asa_clock_timezone, NULL},
    {"clock summer-time", ASA_OBJECTS, asa_clock_summer_time, NULL},
    {"ip route", ASA_RULES, ios_route, NULL},
    {"ipv6 route", ASA_RULES, ios_route6, NULL},
    {"ip nat pool", ASA_OBJECTS, ios_nat_pool, NULL},
    {"ip nat inside source", ASA_BINDINGS, ios_nat_inside, NULL},
    {"ip nat outside source", ASA_BINDINGS, ios_nat_outside, NULL},
    {"ip nat inside destination", ASA_BINDINGS, ios_nat_other, NULL},
    {"ip nat translation", ASA_RULES, ios_nat_timeout, NULL},
    {"zone security", ASA_OBJECTS, zones, in_zones},
    {"zone-pair", ASA_OBJECTS, zones, in_zones},
    {"class-map type inspect", ASA_OBJECTS, zones, in_zones},
    {"policy-map type inspect", ASA_OBJECTS, zones, in_zones},
    {"parameter-map type inspect", ASA_OBJECTS, zones, in_zones},
    {"ip inspect", ASA_OBJECTS, inspection, NULL},
    {"router", ASA_OBJECTS, dynamic_route, in_router},
    {"ipv6 router", ASA_OBJECTS, dynamic_route, in_router},
    {"crypto map", ASA_OBJECTS, ios_crypto_map, ios_in_crypto_map},
    {"crypto pki certificate chain", ASA_OBJECTS, NULL, in_chain},
    {"crypto ca certificate chain", ASA_OBJECTS, NULL, in_chain},
    {0},
};

static int pass_end(struct asa *a)
{
    int err = 0;
    if (a->pass == ASA_OBJECTS)
        err = asa_check_members(a);
    else if (a->pass == ASA_BINDINGS)
        err = asa_bind_families(a, true);
    return err;
}

static const struct asa_dialect ios = {.top = top, .quiet = ios_quiet, .port = ios_port, .banner_ends = true,
                                       .pass_end = pass_end};

/* A line that IOS writes, and an ASA does not, at the line's start. */
static bool tells(const char *line, size_t len)
{
    static const char *const said[] = {"ip access-list extended ", "ip access-list standard ", " ip access-group ",
                                       " ip nat inside", " ip nat outside", "ip nat inside source ",
                                       "zone-pair security ", " ipv6 traffic-filter "};
    static const char list[] = "access-list ";
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (len >= strlen(said[i]) && memcmp(line, said[i], strlen(said[i])) == 0)
            return true;
    size_t at = strlen(list);
    if (len < at || memcmp(line, list, at) != 0)
        return false;
    while (at < len && line[at] >= '0' && line[at] <= '9')
        at++;
    return at > strlen(list) && len > at + 7 &&
           (memcmp(line + at, " permit ", 8) == 0 || memcmp(line + at, " deny ", 6) == 0 ||
            memcmp(line + at, " remark ", 8) == 0);
}

bool fw_ios_recognise(const char *text, size_t len)
{
    return asa_any_line(text, len, tells);
}

/* Translations are forgotten by timers of their own ([IOS] ip nat translation: the defaults). */
static void set_timers(struct fw_rules *r)
{
    static const struct {
        enum fw_timer timer;
        uint64_t s;
    } row[] = {{FW_TIMER_TCP, 86400}, {FW_TIMER_EMBRYONIC, 60}, {FW_TIMER_HALF_CLOSED, 60}, {FW_TIMER_CLOSING, 60},
               {FW_TIMER_UDP, 300},   {FW_TIMER_ICMP, 60},      {FW_TIMER_OTHER, 86400},    {FW_TIMER_XLATE, 86400},
               {FW_TIMER_PAT_XLATE, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!r->timer_ref[row[i].timer])
            r->timer[row[i].timer] = row[i].s * NS_S;
}

int fw_ios_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    static const struct fw_policy policy = {.without_list = FW_DEFAULT_PERMIT, .tcp_loose = true, .stateless = true,
                                            .view = {FW_VIEW_ARRIVED, FW_VIEW_LEAVING}};
    int err = asa_read(&ios, src, out, diag);
    if (err)
        return err;
    fw_rules_set_policy(*out, &policy);
    set_timers(*out);
    return 0;
}
