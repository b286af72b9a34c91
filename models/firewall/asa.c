/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco ASA running-config, 8.3 and later: the file, its lines, and which part of the importer each is for. */
#include "models/firewall/asa.h"

#include <string.h>

#include "models/base/err.h"

static int pre83(struct asa *a)
{
    a->at = 0;
    return asa_refuse(a, E_UNSUPPORTED, "\"%.20s\" is the syntax before 8.3, which is not supported", asa_peek(a));
}

/* Of several firewalls in one box each has a file of its own; this is the file of the box. */
static int contexts(struct asa *a)
{
    a->at = 0;
    return asa_refuse(a, E_UNSUPPORTED,
                      "\"%.20s\" is of a box with several contexts: check the file of one context", asa_peek(a));
}

static int transparent(struct asa *a)
{
    return asa_refuse(a, E_UNSUPPORTED, "a transparent firewall (a bridge) is not supported");
}

static int other_box(struct asa *a)
{
    a->at = 0;
    return asa_refuse(a, E_UNSUPPORTED, "%.20s is not an ASA 8.3 or later: its access-lists match other addresses",
                      asa_peek(a));
}

/* FTD: the language of 9.x, and a second engine behind the lists. */
static int ftd_version(struct asa *a)
{
    static const char note[] = "what these lists permit, Snort may still drop: its rules are not in this file";
    a->quiet = true;
    return fw_rules_add_note(a->rules, a->line, a->raw, note) ? asa_no_memory(a) : 0;
}

static int certificate(struct asa *a)
{
    a->certificate = a->line;
    a->quiet = true;
    return 0;
}

static int dynamic_route(struct asa *a)
{
    a->unsure = "dynamic routes are not modelled: those of the file and of the deployment are used";
    return 0;
}

static const struct asa_command in_router[] = {
    {"", ASA_OBJECTS, dynamic_route, NULL},
    {0},
};

static const struct asa_command in_chain[] = {
    {"certificate", ASA_OBJECTS, certificate, asa_anything},
    {"", ASA_OBJECTS, NULL, NULL},
    {0},
};

static const struct asa_command top[] = {
    {"ASA Version", ASA_OBJECTS, asa_version, NULL},
    {"NGFW Version", ASA_OBJECTS, ftd_version, NULL},
    {"PIX Version", ASA_OBJECTS, other_box, NULL},
    {"FWSM Version", ASA_OBJECTS, other_box, NULL},
    {"firewall transparent", ASA_OBJECTS, transparent, NULL},
    {"mode multiple", ASA_OBJECTS, contexts, NULL},
    {"admin-context", ASA_OBJECTS, contexts, NULL},
    {"context", ASA_OBJECTS, contexts, NULL},
    {"interface", ASA_OBJECTS, asa_interface, asa_in_interface},
    {"name", ASA_OBJECTS, asa_name, NULL},
    {"time-range", ASA_OBJECTS, asa_time_range, asa_in_time_range},
    {"clock timezone", ASA_OBJECTS, asa_clock_timezone, NULL},
    {"clock summer-time", ASA_OBJECTS, asa_clock_summer_time, NULL},
    {"object network", ASA_OBJECTS, asa_object_network, asa_in_network},
    {"object service", ASA_OBJECTS, asa_object_service, asa_in_service},
    {"object-group network", ASA_OBJECTS, asa_group_network, asa_in_network_group},
    {"object-group service", ASA_OBJECTS, asa_group_service, asa_in_service_group},
    {"object-group protocol", ASA_OBJECTS, asa_group_protocol, asa_in_protocol_group},
    {"object-group icmp-type", ASA_OBJECTS, asa_group_icmp, asa_in_icmp_group},
    {"object-group user", ASA_OBJECTS, asa_group_opaque, asa_anything},
    {"object-group security", ASA_OBJECTS, asa_group_opaque, asa_anything},
    {"object-group network-service", ASA_OBJECTS, asa_group_opaque, asa_anything},
    {"object network-service", ASA_OBJECTS, asa_group_opaque, asa_anything},
    {"access-list alert-interval", ASA_OBJECTS, NULL, NULL},
    {"access-list deny-flow-max", ASA_OBJECTS, NULL, NULL},
    {"access-list", ASA_RULES, asa_access_list, NULL},
    {"ipv6 access-list", ASA_RULES, asa_access_list6, NULL},
    {"nat", ASA_RULES, asa_twice_nat, NULL},
    {"route", ASA_RULES, asa_route, NULL},
    {"ipv6 route", ASA_RULES, asa_route6, NULL},
    {"same-security-traffic", ASA_RULES, asa_same_security, NULL},
    {"timeout", ASA_RULES, asa_timeout, NULL},
    {"ip verify reverse-path", ASA_RULES, asa_verify_reverse, NULL},
    {"class-map type", ASA_OBJECTS, NULL, asa_anything}, /* inside a protocol, or to the box */
    {"class-map", ASA_OBJECTS, asa_class_map, asa_in_class_map},
    {"policy-map type", ASA_OBJECTS, NULL, asa_anything},
    {"policy-map", ASA_OBJECTS, asa_policy_map, asa_in_policy},
    {"service-policy", ASA_RULES, asa_service_policy, NULL},
    {"access-group", ASA_BINDINGS, asa_access_group, NULL},
    {"crypto ca certificate chain", ASA_OBJECTS, NULL, in_chain},
    {"crypto map", ASA_BINDINGS, asa_crypto_map, NULL},
    {"established", ASA_OBJECTS, asa_established, NULL},
    {"dynamic-filter drop", ASA_OBJECTS, asa_filter, NULL},
    {"filter url", ASA_OBJECTS, asa_filter_url, NULL},
    {"filter https", ASA_OBJECTS, asa_filter_url, NULL},
    {"filter ftp", ASA_OBJECTS, asa_filter_url, NULL},
    {"router", ASA_OBJECTS, dynamic_route, in_router},
    {"ipv6 router", ASA_OBJECTS, dynamic_route, in_router},
    {"shun", ASA_OBJECTS, asa_shun, NULL},
    {"wccp", ASA_OBJECTS, asa_filter, NULL},
    {"global", ASA_OBJECTS, pre83, NULL},
    {"static", ASA_OBJECTS, pre83, NULL},
    {"no names", ASA_OBJECTS, NULL, NULL},
    {0},
};

/* A file without interfaces is about those of the deployment, with the levels that an ASA gives them. */
static int ports_as_interfaces(struct asa *a)
{
    for (size_t i = 0; i < a->src_file->port_count && i < FW_IFACE_MAX; i++) {
        const struct fw_port *p = &a->src_file->port[i];
        struct fw_iface_spec spec = {.name = p->name, .level = strcmp(p->name, "inside") == 0 ? 100 : 0,
                                     .address = p->address, .address_count = p->address_count};
        int err = fw_rules_add_interface(a->rules, &spec);
        if (err < 0)
            return asa_refuse(a, err, "expected each interface of the deployment once");
    }
    return 0;
}

static int pass_end(struct asa *a)
{
    int err = 0;
    if (a->pass == ASA_OBJECTS) {
        err = asa_check_members(a);
        return err || a->rules->iface_count ? err : ports_as_interfaces(a);
    }
    return a->pass == ASA_BINDINGS ? asa_bind_families(a, false) : 0;
}

static const struct asa_dialect asa = {.top = top, .quiet = asa_quiet, .port = asa_port, .pass_end = pass_end};

/* A line that only an ASA writes, at the line's start. */
static bool tells(const char *line, size_t len)
{
    static const char *const said[] = {"ASA Version ", ": Saved", " nameif ", "nameif ", "same-security-traffic ",
                                       "object network ", "access-group "};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (len >= strlen(said[i]) && memcmp(line, said[i], strlen(said[i])) == 0)
            return true;
    return false;
}

bool fw_asa_recognise(const char *text, size_t len)
{
    return asa_any_line(text, len, tells);
}

static bool tells_ftd(const char *line, size_t len)
{
    static const char said[] = "NGFW Version ";
    return len >= strlen(said) && memcmp(line, said, strlen(said)) == 0;
}

bool fw_ftd_recognise(const char *text, size_t len)
{
    return asa_any_line(text, len, tells_ftd);
}

int fw_asa_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    int err = asa_read(&asa, src, out, diag);
    if (!err)
        (*out)->asa = true;
    return err;
}

/* The packet filter of an FTD speaks the same language; its lines are made by a manager, so none are advised. */
int fw_ftd_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    return asa_read(&asa, src, out, diag);
}
