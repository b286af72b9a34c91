/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port tables as data: which packets a deployment needs, row by row, as the documents of Expressway and Meeting Server
 * list them (facts: port-tables.json, expressway-facts.md), and which it must not let through. A table says nothing of
 * any topology; bind.h puts the two together. */
#ifndef TP_CHECK_PORTS_H
#define TP_CHECK_PORTS_H

#include "sim/scenario/topology.h"

/* Both inclusive. */
struct port_range {
    uint16_t lo, hi;
};
struct port_ranges {
    struct port_range *items;
    size_t count;
};

/* Which of an actor's addresses: the one that its peer uses, or one said outright. */
enum port_address { ADDRESS_SEEN, ADDRESS_PUBLIC, ADDRESS_PRIVATE };

struct port_end {
    enum port_actor actor;
    enum port_address address;
};

enum port_need {
    NEED_MUST,
    NEED_OPTIONAL, /* without it something is lost that degrades_to names */
    NEED_NEVER,    /* the packets must not pass */
};

/* Protocols as the tables name them; all but udp run over TCP. */
enum port_protocol { PORT_UDP, PORT_TCP, PORT_TLS, PORT_HTTPS };

/* Where the ports that a deployment may set differently stand: in the topology's member "check". */
enum port_setting {
    SETTING_NONE,
    SETTING_ADMINISTRATION_PORT,
    SETTING_TURN_PORT,
    SETTING_TCP_OVERRIDE_PORT, /* no default: without it the row does not apply */
    SETTING_TRAVERSAL_ZONES,
};

/* Services that are there only when they are switched on. */
enum port_switch { SWITCH_NONE, SWITCH_TURN_TCP_443, SWITCH_MRA, SWITCH_CLUSTER /* more than one Expressway-E */ };

/* The releases of Expressway that something holds for: from `since` on, up to but without `before`. */
struct port_releases {
    const char *since_text, *before_text; /* NULL: no such limit */
    struct release since, before;
};

enum port_size { PORT_SIZE_ANY, PORT_SIZE_SMALL_MEDIUM, PORT_SIZE_LARGE };
enum port_parity { PARITY_ANY, PARITY_EVEN, PARITY_ODD };

/* Destination ports, and when they are these. */
struct port_alternative {
    const cJSON *at;
    int size; /* enum port_size */
    LIST_OF(const char *) ports_text;
    struct port_ranges ports;
    bool any_of_ports; /* each range is a choice: one of them has to be open, the one that Expressway is set to */
    int parity;        /* enum port_parity: only the even or odd ones of each range */
};

struct port_row {
    const cJSON *at;
    const char *id; /* "2.6": of the tables; "2.mra": of ours. Unique among all tables */
    const char *purpose;
    int need; /* enum port_need */
    int from_end, to_end, from_end_translated, to_end_translated; /* as read; 0: none */
    LIST_OF(const char *) from_ports_text, to_ports_text, never_ports_text, note_ids;
    LIST_OF(int) protocols; /* enum port_protocol */
    bool any_of;            /* one of the protocols is enough */
    LIST_OF(struct port_alternative) alternatives; /* to_ports makes one that always holds; none: a setting's */
    const char *group;     /* one of the rows with the same name is enough */
    int setting, only_with; /* enum port_setting, enum port_switch */
    struct port_releases releases;
    const char *degrades_to; /* what happens with the row closed, when that is not failure */
    const char *also;        /* the table's own words on the row */

    struct port_end from, to, from_translated, to_translated;
    bool translated; /* the packet arrives as from_translated, to_translated: it is reflected */
    bool from_ephemeral; /* from_ports is what a host takes for itself: 1024-65535 */
    struct port_ranges from_ports, never_ports;
};

/* Who listens where: two services on one port of one host do not both start. */
struct port_listener {
    const cJSON *at;
    const char *service;
    int actor, protocol;
    LIST_OF(const char *) ports_text, shares_with, note_ids;
    int setting, only_with;
    struct port_releases releases;
    const char *shares_since_text; /* NULL: always */
    struct release shares_since;
    struct port_ranges ports;
};

/* What makes a deployment wrong for its releases, before any packet. */
enum port_condition {
    CONDITION_CLUSTER_BEHIND_NAT,   /* several Expressway-E with public addresses that are not their own */
    CONDITION_DUAL_NIC_WITHOUT_NAT, /* an Expressway-E with several interfaces and no such address */
    CONDITION_OLD_MEETING_SERVER,   /* Meeting Server's release is said and is below meeting_server_before */
};

struct port_advisory {
    const cJSON *at;
    int condition; /* enum port_condition */
    struct port_releases releases;
    const char *meeting_server_before_text, *text;
    struct release meeting_server_before;
    LIST_OF(const char *) note_ids;
};

/* What earlier editions of the table said. */
struct port_erratum {
    const char *date, *text;
    LIST_OF(const char *) rows, was_ports_text;
    struct port_ranges was_ports;
};

struct port_note {
    const cJSON *at;
    const char *id, *text;
};

struct port_table {
    const char *schema, *id, *title, *source;
    uint16_t number;
    LIST_OF(struct port_row) rows;
    LIST_OF(struct port_listener) listeners;
    LIST_OF(struct port_advisory) advisories;
    LIST_OF(struct port_erratum) errata;
    LIST_OF(struct port_note) notes;

    const char *file;
    struct json *json;
    struct arena arena;
};

/* Reads one table; name stands for the file in messages. E_MALFORMED, and d says what is wrong and where. */
int port_table_parse(const char *name, const char *text, size_t len, struct port_table **out, struct diag *d);
/* The table by its id ("web-proxy"), or from a file (anything with a `/` or a `.`). Tables are looked for in the folder
 * ports/ of $TURNPROOF_DATA when that is set, else beside the program as built (../topologies), then as installed
 * (../share/turnproof/topologies), then in ./topologies. E_NOT_FOUND and what topology_read returns; d says why. */
int port_table_find(const char *id, struct port_table **out, struct diag *d);
void port_table_free(struct port_table *t);

/* NULL: the table has no such note. */
const char *port_note_text(const struct port_table *t, const char *id);
bool port_releases_have(const struct port_releases *r, const struct release *release);
/* "udp", "tcp", "tls", "https"; what runs on the wire: PROTO_UDP or PROTO_TCP. */
const char *port_protocol_name(enum port_protocol p);
uint8_t port_protocol_wire(enum port_protocol p);

#endif
