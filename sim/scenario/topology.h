/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A deployment as a file says it: nodes, links, rule sets, settings; read, completed and checked. What a topology says
 * is all there is: whoever builds a world from one needs to check nothing again. */
#ifndef TP_SCENARIO_TOPOLOGY_H
#define TP_SCENARIO_TOPOLOGY_H

#include "models/actors/call.h"
#include "models/firewall/import.h"
#include "sim/net.h"
#include "sim/scenario/fault.h"
#include "sim/scenario/fields.h"
#include "sim/scenario/release.h"

enum topo_kind { TOPO_HOST, TOPO_SWITCH, TOPO_ROUTER, TOPO_FIREWALL };

struct topo_iface {
    const cJSON *at;
    const char *name;
    LIST_OF(struct ip_prefix) addresses;
    uint8_t mac[6];         /* derived from the names when the file gives none */
    struct ip_addr gateway; /* unset: none */
    uint16_t mtu;
    unsigned segment; /* interfaces that hear each other have the same */
    bool linked;
};

struct topo_route {
    const cJSON *at;
    struct ip_prefix to;
    struct ip_addr via;
    unsigned port;
};

struct topo_node {
    const cJSON *at;
    const char *name;
    int kind; /* enum topo_kind */
    LIST_OF(struct topo_iface) interfaces;
    LIST_OF(struct topo_route) routes; /* the gateways' default routes at the end */
    struct net_tcp_opts tcp;

    const char *system_name;
    const struct system *system; /* HOST; NULL: it has addresses and does nothing */
    const cJSON *settings_json;
    void *settings;   /* as the system's field table says */
    uint64_t start_ns; /* when the system is switched on */
    LIST_OF(struct call_plan) calls; /* that it makes */

    const cJSON *rules_json;
    const char *rules_file; /* NULL: the rules stand in the topology */
    const char *rules_section;             /* behind '#': which of several in the file; NULL: none named */
    const struct fw_format *rules_format;  /* NULL: JSON of our own */
    const char *rules_text;                /* of the file */
    size_t rules_len;
    struct fw_rules *rules; /* FIREWALL */
};

struct topo_outage {
    const cJSON *at;
    uint64_t from_ns, to_ns;
};

/* One direction of a link, as the keys say; loss_* are alternatives. */
struct topo_dir {
    uint64_t rate_bps, delay_ns, jitter_ns, reorder_ns;
    uint32_t queue_bytes, duplicate_ppm, reorder_ppm;
    const cJSON *loss_json;
    LIST_OF(struct topo_outage) outages;
    struct net_loss loss;
    struct net_outage *outage; /* outages, as the engines want them */
};

struct topo_link {
    const cJSON *at;
    const char *name, *end_text[2];
    const cJSON *dir_json[2]; /* "ab", "ba" */
    struct topo_dir both, dir[2];
    unsigned node[2], port[2]; /* indices of topology.nodes and of the node's ports */
};

/* Calls that a host is to make, as the file says it; what comes of it is in the node's `calls`. */
struct topo_expand {
    uint32_t count;    /* 0: one call, under its own name; else NAME-1, NAME-2, ... */
    uint64_t every_ns; /* between the beginnings of two */
};

struct topo_call {
    const cJSON *at;
    const char *name, *from, *to;
    LIST_OF(int) media; /* enum call_media */
    uint64_t at_ns, for_ns; /* for_ns 0: until the run ends */
    LIST_OF(struct call_span) mute, hold;
    struct topo_expand expand;
    size_t node; /* the index of `from` */
};

/* Who the port tables speak of. */
enum port_actor {
    ACTOR_GUEST_PC,
    ACTOR_WEBRTC_APP,
    ACTOR_ADMIN_PC,
    ACTOR_ANY,
    ACTOR_SIP_ENDPOINT,
    ACTOR_MICROSOFT_CLIENT,
    ACTOR_EXPRESSWAY_E,
    ACTOR_EXPRESSWAY_C,
    ACTOR_MEETING_SERVER,
    ACTOR_UNIFIED_CM,
    ACTOR_SKYPE_EDGE,
    ACTOR_COUNT
};
const char *actor_name(enum port_actor actor);

/* Where an actor is in this deployment, as far as its system does not tell. */
struct topo_actor {
    const cJSON *json; /* NULL: nothing is said of it */
    const char *at;    /* a host, or a router for whoever is behind it; NULL: the nodes with its system */
    int node;          /* the index of `at`; negative: none given */
    LIST_OF(struct ip_prefix) addresses; /* its packets' sources; none: the host's own, or the Internet's */
    struct ip_addr public_address, private_address; /* instead of what the system's settings say */
};

enum appliance_size { SIZE_SMALL, SIZE_MEDIUM, SIZE_LARGE };

/* What the port tables need to know of a deployment beyond its nodes: the member "check". */
struct topo_check {
    const cJSON *json; /* NULL: the topology has none, all here is a default */
    LIST_OF(const char *) tables;
    int size; /* enum appliance_size, of Expressway */
    const char *release_text;
    struct release release; /* of Expressway */
    const char *meeting_server_text; /* NULL: not said */
    struct release meeting_server;
    const char *internet;   /* the router that stands for everybody outside */
    int internet_node;      /* negative: none */
    uint16_t administration_port;
    uint16_t turn_port;         /* the first one of a large appliance */
    uint16_t tcp_override_port; /* of Meeting Server's turnServers; 0: none */
    uint16_t traversal_zones;
    bool turn_multiplexed; /* large: one TURN port instead of six */
    bool turn_tcp_443;     /* the TCP 443 TURN service */
    bool mra;              /* Mobile and Remote Access on the same Expressway */
    struct topo_actor actor[ACTOR_COUNT];
};

struct topology {
    const char *schema, *name, *title;
    uint64_t seed, duration_ns;
    LIST_OF(struct topo_node) nodes;
    LIST_OF(struct topo_link) links;
    LIST_OF(struct topo_call) calls;
    LIST_OF(struct topo_fault) faults; /* what goes wrong, in no order */
    struct topo_check check;

    const char *file, *directory;
    int64_t clock_s; /* FW_NO_CLOCK: not known */
    struct json *json;
    struct arena arena;
};

struct topo_options {
    const char *const *set; /* PATH=JSON */
    size_t set_count;
    const char *const *rules; /* NODE=FILE, NODE=FORMAT:FILE, either with #SECTION behind */
    size_t rules_count;
    bool has_clock; /* the moment that time ranges in rules are asked about, seconds since 1970 */
    int64_t clock_s;
};

/* Reads the file and what it names. E_MALFORMED, E_NOT_FOUND, ...: d says what is wrong and where. */
int topology_read(const char *file, const struct topo_options *options, struct topology **out, struct diag *d);
/* The same from text; directory is where the rule files are looked for. */
int topology_parse(const char *file, const char *text, size_t len, const char *directory,
                   const struct topo_options *options, struct topology **out, struct diag *d);
void topology_free(struct topology *t);

/* The rules of a firewall from other text in the format of its file. E_MALFORMED, ...: d says what is wrong. */
int topology_import(struct topology *t, const struct topo_node *n, const char *text, size_t len,
                    struct fw_rules **out, struct diag *d);

/* The node that has the address; NULL: none. */
const struct topo_node *topology_owner(const struct topology *t, const struct ip_addr *ip);
/* The interface that a node sends packets for an address out of, and to whom there: the gateway, or the address
 * itself. NULL: it has no route. */
const struct topo_iface *topology_next_hop(const struct topo_node *n, const struct ip_addr *to, struct ip_addr *next);
/* An address among the settings of a node's system; unset: the node has no system, or that no such setting. */
struct ip_addr topology_setting_ip(const struct topo_node *n, const char *key);

#endif
