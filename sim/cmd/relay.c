/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof relay: the TURN server that the simulation runs, on real sockets. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/cmd/cmd.h"
#include "sim/posix/posix.h"
#include "sim/relay/relay.h"

enum { REPEATED_MAX = 64 };

enum {
    OPT_LISTEN = 256, OPT_USER, OPT_USERS, OPT_REALM, OPT_RELAY_ADDRESS, OPT_PUBLIC_ADDRESS, OPT_RELAY_PORTS,
    OPT_ALLOW, OPT_DENY, OPT_PROFILE, OPT_SIZE, OPT_ALLOCATIONS, OPT_QUOTA, OPT_ALTERNATE, OPT_METRICS, OPT_DRAIN,
    OPT_THREADS, OPT_NO_UDP, OPT_NO_TCP, OPT_VERBOSE
};

static const struct cmd_option options[] = {
    {"listen", "[PROTO:]ADDR:PORT", "for clients, over tcp: or udp: or both; again for each", OPT_LISTEN},
    {"user", "NAME:PASSWORD", "who may use it; again for each", OPT_USER},
    {"users", "FILE", "lines of NAME:PASSWORD, read again on SIGHUP", OPT_USERS},
    {"realm", "REALM", "\"turnproof\" if not given", OPT_REALM},
    {"relay-address", "ADDR", "where relay ports open (the first listening address); again for IPv6",
     OPT_RELAY_ADDRESS},
    {"public-address", "ADDR", "what clients are told instead, behind static NAT; again for IPv6", OPT_PUBLIC_ADDRESS},
    {"relay-ports", "FIRST-LAST", "24000-29999 if not given", OPT_RELAY_PORTS},
    {"allow-peer", "CIDR", "peers that are allowed whatever else says; again for each", OPT_ALLOW},
    {"deny-peer", "CIDR", "peers that are refused; again for each", OPT_DENY},
    {"profile", "NAME", "strict (the RFCs; the default), rfc5766 or expressway", OPT_PROFILE},
    {"size", "SIZE", "small, medium or large: the limits of an appliance", OPT_SIZE},
    {"max-allocations", "N", "allocations at a time (1024)", OPT_ALLOCATIONS},
    {"user-quota", "N", "allocations of one user", OPT_QUOTA},
    {"alternate", "ADDR:PORT", "whom clients are sent to when it is full (300)", OPT_ALTERNATE},
    {"metrics", "ADDR:PORT", "serve the counters at http://ADDR:PORT/metrics", OPT_METRICS},
    {"drain", "SECONDS", "after SIGTERM, how long allocations may live on (5)", OPT_DRAIN},
    {"threads", "N", "serve with N threads, 1 to 64 (1)", OPT_THREADS},
    {"no-udp-relay", NULL, "refuse UDP allocations", OPT_NO_UDP},
    {"no-tcp-relay", NULL, "refuse TCP allocations (RFC 6062)", OPT_NO_TCP},
    {"verbose", NULL, "log each message and change of state", OPT_VERBOSE},
    {.name = NULL},
};

struct request {
    struct relay_config relay;
    struct endpoint tcp[REPEATED_MAX], udp[REPEATED_MAX];
    const char *user[REPEATED_MAX];
    struct ip_prefix allow[REPEATED_MAX], deny[2 * REPEATED_MAX];
};

/* ---- values ---- */

static bool parse_number(const char *s, unsigned long lo, unsigned long hi, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(s, &end, 10);
    return s[0] >= '0' && s[0] <= '9' && !*end && errno == 0 && *out >= lo && *out <= hi;
}

static bool parse_listen(const char *s, struct request *q)
{
    bool tcp = strncmp(s, "udp:", 4) != 0, udp = strncmp(s, "tcp:", 4) != 0;
    struct endpoint e;
    if (endpoint_parse(tcp && udp ? s : s + 4, &e) != 0 || e.port == 0)
        return false;
    struct turn_config *t = &q->relay.turn;
    if (t->listen_count == REPEATED_MAX || t->listen_udp_count == REPEATED_MAX)
        return false;
    if (tcp)
        q->tcp[t->listen_count++] = e;
    if (udp)
        q->udp[t->listen_udp_count++] = e;
    return true;
}

static bool parse_ports(const char *s, struct turn_config *t)
{
    unsigned first, last;
    char rest;
    if (sscanf(s, "%u-%u%c", &first, &last, &rest) != 2 || first < 1 || last > 65535 || first > last)
        return false;
    t->first_port = (uint16_t)first;
    t->last_port = (uint16_t)last;
    return true;
}

/* One address of each family. */
static bool parse_address(const char *s, struct ip_addr *v4, struct ip_addr *v6)
{
    struct ip_addr ip;
    if (ip_parse(s, &ip) != 0 || ip_is_any(&ip))
        return false;
    *(ip.family == IP_V4 ? v4 : v6) = ip;
    return true;
}

static bool parse_prefix(const char *s, struct ip_prefix *list, size_t *count)
{
    return *count < REPEATED_MAX && prefix_parse(s, &list[(*count)++]) == 0;
}

/* A share has a control connection and a data connection; some more come and go. */
static void set_allocations(struct turn_limits *l, uint32_t n)
{
    l->allocations = n;
    l->user_allocations = n;
    l->clients = 4 * n;
}

static bool parse_size(const char *s, struct turn_limits *l)
{
    const struct turn_size *size = turn_size_named(s);
    if (!size)
        return false;
    set_allocations(l, size->allocations);
    l->port_allocations = size->port_allocations;
    return true;
}

static bool parse_alternate(const char *s, struct turn_config *t)
{
    struct endpoint e;
    if (endpoint_parse(s, &e) != 0 || e.port == 0)
        return false;
    *(e.ip.family == IP_V4 ? &t->alternate4 : &t->alternate6) = e;
    return true;
}

/* ---- options ---- */

/* What an option's value should have been; NULL: it is fine. */
static const char *take(struct request *q, int option, const char *value)
{
    struct turn_config *t = &q->relay.turn;
    unsigned long n;
    switch (option) {
    case OPT_LISTEN:
        return parse_listen(value, q) ? NULL : "ADDR:PORT, tcp:ADDR:PORT or udp:ADDR:PORT";
    case OPT_USER:
        if (q->relay.user_count == REPEATED_MAX)
            return "at most 64 users here; --users takes a file";
        q->user[q->relay.user_count++] = value;
        return NULL;
    case OPT_USERS:
        q->relay.users_file = value;
        return NULL;
    case OPT_REALM:
        t->realm = value;
        return value[0] && strlen(value) <= 763 ? NULL : "a realm of 1 to 763 bytes"; /* 8489 14.9 */
    case OPT_RELAY_ADDRESS:
        return parse_address(value, &t->relay_ip4, &t->relay_ip6) ? NULL : "an address";
    case OPT_PUBLIC_ADDRESS:
        return parse_address(value, &t->public_ip4, &t->public_ip6) ? NULL : "an address";
    case OPT_RELAY_PORTS:
        return parse_ports(value, t) ? NULL : "FIRST-LAST";
    case OPT_ALLOW:
        return parse_prefix(value, q->allow, &t->allow_peer_count) ? NULL : "ADDR or ADDR/LENGTH, 64 at most";
    case OPT_DENY:
        return parse_prefix(value, q->deny, &t->deny_peer_count) ? NULL : "ADDR or ADDR/LENGTH, 64 at most";
    case OPT_PROFILE:
        t->profile = turn_profile_named(value);
        return t->profile ? NULL : "strict, rfc5766 or expressway";
    case OPT_SIZE:
        return parse_size(value, &t->limits) ? NULL : "small, medium or large";
    case OPT_ALLOCATIONS:
        if (!parse_number(value, 1, 1000000, &n))
            return "a number from 1 to 1000000";
        set_allocations(&t->limits, (uint32_t)n);
        return NULL;
    case OPT_QUOTA:
        if (!parse_number(value, 1, 1000000, &n))
            return "a number from 1 to 1000000";
        t->limits.user_allocations = (uint32_t)n;
        return NULL;
    case OPT_ALTERNATE:
        return parse_alternate(value, t) ? NULL : "ADDR:PORT";
    case OPT_METRICS:
        return endpoint_parse(value, &q->relay.metrics) == 0 && q->relay.metrics.port ? NULL : "ADDR:PORT";
    case OPT_DRAIN:
        if (!parse_number(value, 0, 86400, &n))
            return "seconds, 0 to 86400";
        q->relay.drain_ns = n * NS_S;
        return NULL;
    case OPT_THREADS:
        if (!parse_number(value, 1, RELAY_THREADS_MAX, &n))
            return "a number from 1 to 64";
        q->relay.threads = (unsigned)n;
        return NULL;
    case OPT_NO_UDP:
        t->no_udp_relay = true;
        return NULL;
    case OPT_NO_TCP:
        t->no_tcp_relay = true;
        return NULL;
    default:
        q->relay.verbose = true;
        return NULL;
    }
}

static const char *option_name(int value)
{
    const struct cmd_option *o = options;
    while (o->name && o->value != value)
        o++;
    return o->name;
}

/* ---- what follows from the options ---- */

/* "Any" stands for every address of this machine: one listener each, so that an answer over UDP leaves from the
 * address that was asked. Link-local ones are left out. */
static bool expand(struct endpoint *list, size_t *count)
{
    struct ip_addr own[REPEATED_MAX];
    size_t n = *count, addresses;
    if (posix_addresses(own, REPEATED_MAX, &addresses) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ip_is_any(&list[i].ip))
            continue;
        struct endpoint any = list[i];
        size_t at = i;
        for (size_t k = 0; k < addresses && at < REPEATED_MAX; k++) {
            if (own[k].family != any.ip.family || ip_is_link_local(&own[k]))
                continue;
            list[at] = (struct endpoint){own[k], any.port};
            *count += at == *count;
            at = *count;
        }
    }
    return true;
}

/* Relays open where clients come in unless told otherwise; loopback only when there is nothing else. */
static void choose_relay_address(const struct request *q, struct turn_config *t)
{
    if (t->relay_ip4.family || t->relay_ip6.family)
        return;
    const struct endpoint *list[2] = {q->tcp, q->udp};
    size_t count[2] = {t->listen_count, t->listen_udp_count};
    for (int loopback = 0; loopback < 2; loopback++)
        for (size_t k = 0; k < 2; k++)
            for (size_t i = 0; i < count[k]; i++) {
                const struct ip_addr *ip = &list[k][i].ip;
                struct ip_addr *to = ip->family == IP_V4 ? &t->relay_ip4 : &t->relay_ip6;
                if (!to->family && ip_is_loopback(ip) == loopback)
                    *to = *ip;
            }
}

static int run(const struct cmd *self, int argc, char **argv)
{
    static struct request q; /* borrowed by the relay as long as it runs */
    struct turn_config *t = &q.relay.turn;
    *t = (struct turn_config){.profile = &turn_strict, .realm = "turnproof", .first_port = 24000, .last_port = 29999,
                              .limits = turn_limits_default, .listen = q.tcp, .listen_udp = q.udp,
                              .allow_peer = q.allow, .deny_peer = q.deny};
    /* Clients on the open net talk to more peers at once than a Meeting Server does. */
    t->limits.permissions = t->limits.channels = t->limits.peers = 128;
    q.relay.user = q.user;
    q.relay.drain_ns = 5 * NS_S;
    q.relay.log = stderr;
    q.relay.threads = 1;
    for (int option; (option = cmd_next(self, argc, argv)) != CMD_END;) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        const char *expected = take(&q, option, optarg);
        if (expected)
            return cmd_usage(self, "--%s: expected %s, found \"%s\"", option_name(option), expected, optarg);
    }
    if (argc != optind)
        return cmd_usage(self, "expected no argument, found \"%s\"", argv[optind]);
    if (!t->listen_count && !t->listen_udp_count)
        return cmd_usage(self, "expected --listen ADDR:PORT");
    if (!q.relay.user_count && !q.relay.users_file)
        return cmd_usage(self, "expected --user NAME:PASSWORD or --users FILE");
    if (!expand(q.tcp, &t->listen_count) || !expand(q.udp, &t->listen_udp_count)) {
        fprintf(stderr, "turnproof relay: the addresses of this machine cannot be had: %s\n", strerror(errno));
        return EXIT_FAILS;
    }
    choose_relay_address(&q, t);
    struct relay *r;
    struct diag d;
    if (relay_open(&q.relay, &r, &d) != 0) {
        fprintf(stderr, "%s\n", d.text);
        return EXIT_USAGE;
    }
    int err = relay_run(r);
    relay_close(r);
    return err ? EXIT_FAILS : EXIT_HOLDS;
}

const struct cmd cmd_relay = {
    .name = "relay",
    .arguments = "--listen ADDR:PORT... --user NAME:PASSWORD... [OPTION]...",
    .summary = "run the simulated TURN server on real sockets",
    .details = "Serves TURN (RFC 8656) with UDP and TCP relays (RFC 6062) until SIGTERM. SIGHUP reads --users\n"
               "again, SIGUSR1 logs the counters. Relaying to loopback, link-local, multicast and the server's\n"
               "own addresses is refused unless --allow-peer names them. With --threads, each thread has an equal\n"
               "part of the relay ports and of the limits (allocations, quotas, connections), rounded up, and the\n"
               "kernel spreads clients by their addresses and ports.\n",
    .options = options,
    .run = run,
};
