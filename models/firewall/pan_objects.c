/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, services and applications by name. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/pan.h"

void pan_clear(struct pan *p)
{
    struct fw_end *end[] = {&p->src, &p->dst, &p->more};
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        end[i]->set.count = 0;
        end[i]->any = false;
        end[i]->vague = NULL;
    }
    p->kinds.set.count = 0;
    p->kinds.any = false;
    p->kinds.vague = p->kinds.doubt = NULL;
}

bool pan_is_any(const struct fw_node *attr)
{
    return !attr || !attr->first || (strcmp(attr->first->word, "any") == 0 && !attr->first->next);
}

bool pan_yes(const struct pan *p, const struct fw_node *rule, const char *attr)
{
    struct fw_node *a = fw_tree_child(&p->t, rule, attr);
    return a && fw_tree_child(&p->t, a, "yes");
}

/* An object of the kind, in the nearest scope that has it. */
static struct fw_node *object(const struct pan *p, const char *kind, const char *name)
{
    for (size_t i = 0; i < p->scopes; i++) {
        struct fw_node *n = fw_tree_child(&p->t, fw_tree_child(&p->t, p->scope[i], kind), name);
        if (n)
            return n;
    }
    return NULL;
}

static int step(struct pan *p, const struct fw_node *at)
{
    return p->steps++ < PAN_STEPS_MAX ? 0
                                      : fw_tree_fail(&p->t, at, E_RANGE, "expected groups of fewer members altogether");
}

/* ---- addresses ---- */

static int vague(struct fw_node *at, const char **slot, const char *why)
{
    fw_tree_unsupported(at, why);
    *slot = why;
    return 0;
}

static int literal(struct pan *p, struct fw_node *value, struct fw_end *out)
{
    struct fw_addr a;
    int err = fw_addr_parse(value->word, &a);
    return err ? fw_tree_fail(&p->t, value, E_MALFORMED, "expected an address, a block or a range, found \"%.60s\"",
                              value->word)
               : fw_addrs_push(&out->set, &a);
}

static int one_address(struct pan *p, struct fw_node *obj, struct fw_end *out)
{
    struct fw_node *n;
    if ((n = fw_tree_child(&p->t, obj, "ip-netmask")) || (n = fw_tree_child(&p->t, obj, "ip-range")))
        return n->first ? literal(p, n->first, out) : fw_tree_fail(&p->t, n, E_MALFORMED, "expected an address");
    if ((n = fw_tree_child(&p->t, obj, "fqdn")))
        return vague(n, &out->vague, fw_tree_words(&p->t, "the addresses of the name %.60s are not in the file",
                                                   n->first ? n->first->word : ""));
    n = fw_tree_child(&p->t, obj, "ip-wildcard");
    return vague(n ? n : obj, &out->vague, fw_tree_words(&p->t, "the address %.60s has no value that is understood",
                                                         obj->word));
}

static int group_of(struct pan *p, struct fw_node *group, struct fw_end *out)
{
    if (group->busy)
        return fw_tree_fail(&p->t, group, E_MALFORMED, "address-group %.60s contains itself", group->word);
    struct fw_node *fixed = fw_tree_child(&p->t, group, "static"), *n = fw_tree_child(&p->t, group, "dynamic");
    if (n)
        return vague(n, &out->vague,
                     fw_tree_words(&p->t, "the members of the dynamic group %.60s change", group->word));
    group->busy = true;
    int err = 0;
    for (n = fixed ? fixed->first : NULL; n && !err; n = n->next)
        err = pan_address(p, n, out);
    group->busy = false;
    return err;
}

int pan_address(struct pan *p, struct fw_node *name, struct fw_end *out)
{
    int err = step(p, name);
    struct fw_node *obj = object(p, "address", name->word);
    if (err || obj)
        return err ? err : one_address(p, obj, out);
    if ((obj = object(p, "address-group", name->word)))
        return group_of(p, obj, out);
    if (strcmp(name->word, "any") == 0) {
        out->any = true;
        return 0;
    }
    struct fw_addr a;
    if (fw_addr_parse(name->word, &a) == 0)
        return fw_addrs_push(&out->set, &a);
    const char *what = object(p, "external-list", name->word) ? "the external list" : object(p, "region", name->word)
                           ? "the region" : "the name";
    return vague(name, &out->vague, fw_tree_words(&p->t, "the addresses of %s %.60s are not in the file", what,
                                                  name->word));
}

int pan_addresses(struct pan *p, struct fw_node *attr, struct fw_end *out)
{
    int err = 0;
    p->steps = 0;
    out->set.count = 0;
    out->any = pan_is_any(attr);
    out->vague = NULL;
    for (struct fw_node *n = attr && !out->any ? attr->first : NULL; n && !err; n = n->next)
        err = pan_address(p, n, out);
    return err;
}

/* ---- services ---- */

/* "1,5-7" of a source and a destination. NULL: all. */
static int spans(struct pan *p, const struct fw_node *value, uint16_t span[][2], size_t max, size_t *count)
{
    *count = 0;
    if (!value) {
        span[0][0] = 0;
        span[0][1] = 65535;
        *count = 1;
        return 0;
    }
    for (const char *s = value->word;;) {
        char *end = (char *)s;
        unsigned long lo = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 65536, hi = lo;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            hi = strtoul(end + 1, &end, 10);
        if (lo > hi || hi > 65535 || (*end && *end != ','))
            return fw_tree_fail(&p->t, value, E_MALFORMED, "expected ports such as 80,443-444, found \"%.60s\"",
                                value->word);
        if (*count == max)
            return fw_tree_fail(&p->t, value, E_RANGE, "expected at most %zu ports", max);
        span[*count][0] = (uint16_t)lo;
        span[(*count)++][1] = (uint16_t)hi;
        if (!*end)
            return 0;
        s = end + 1;
    }
}

static int protocol_ports(struct pan *p, struct fw_node *proto, uint8_t number, struct fw_kinds *out)
{
    enum { SPANS = 256 };
    uint16_t sport[SPANS][2], dport[SPANS][2];
    size_t sports = 0, dports = 0;
    struct fw_node *to = fw_tree_child(&p->t, proto, "port"), *from = fw_tree_child(&p->t, proto, "source-port");
    int err = spans(p, from ? from->first : NULL, sport, SPANS, &sports);
    err = err ? err : spans(p, to ? to->first : NULL, dport, SPANS, &dports);
    for (size_t i = 0; i < sports; i++)
        for (size_t k = 0; k < dports && !err; k++) {
            struct fw_service x = {number, number, sport[i][0], sport[i][1], dport[k][0], dport[k][1]};
            err = fw_services_push(&out->set, &x);
        }
    return err;
}

static int one_service(struct pan *p, struct fw_node *obj, struct fw_kinds *out)
{
    static const struct {
        const char *name;
        uint8_t proto;
    } table[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"sctp", 132}};
    struct fw_node *protocol = fw_tree_child(&p->t, obj, "protocol");
    bool found = false;
    int err = 0;
    for (size_t i = 0; protocol && i < sizeof table / sizeof *table && !err; i++) {
        struct fw_node *n = fw_tree_child(&p->t, protocol, table[i].name);
        found = found || n;
        err = n ? protocol_ports(p, n, table[i].proto, out) : 0;
    }
    if (!err && !found)
        vague(obj, &out->vague,
              fw_tree_words(&p->t, "the service %.60s has no protocol that is understood", obj->word));
    return err;
}

static int service(struct pan *p, struct fw_node *name, struct fw_kinds *out)
{
    static const struct {
        const char *name;
        struct fw_service is;
    } predefined[] = {
        {"service-http", {PROTO_TCP, PROTO_TCP, 0, 65535, 80, 80}},
        {"service-http", {PROTO_TCP, PROTO_TCP, 0, 65535, 8080, 8080}},
        {"service-https", {PROTO_TCP, PROTO_TCP, 0, 65535, 443, 443}},
    };
    int err = step(p, name);
    struct fw_node *obj = object(p, "service", name->word);
    if (err || obj)
        return err ? err : one_service(p, obj, out);
    if ((obj = object(p, "service-group", name->word))) {
        if (obj->busy)
            return fw_tree_fail(&p->t, obj, E_MALFORMED, "service-group %.60s contains itself", obj->word);
        struct fw_node *members = fw_tree_child(&p->t, obj, "members");
        obj->busy = true;
        for (struct fw_node *n = members ? members->first : NULL; n && !err; n = n->next)
            err = service(p, n, out);
        obj->busy = false;
        return err;
    }
    bool found = false;
    for (size_t i = 0; i < sizeof predefined / sizeof *predefined && !err; i++)
        if (strcmp(predefined[i].name, name->word) == 0) {
            found = true;
            err = fw_services_push(&out->set, &predefined[i].is);
        }
    return err || found ? err
                        : vague(name, &out->vague,
                                fw_tree_words(&p->t, "the service %.60s is not in the file", name->word));
}

/* Standard ports of applications, for `service application-default`; sure: the protocol alone tells it. */
static const struct application {
    const char *name;
    struct fw_service is;
    bool sure;
} applications[] = {
    {"icmp", {PROTO_ICMP, PROTO_ICMP, 0, 65535, 0, 65535}, true},
    {"ipv6-icmp", {PROTO_ICMP6, PROTO_ICMP6, 0, 65535, 0, 65535}, true},
    {"ping", {PROTO_ICMP, PROTO_ICMP, 8, 8, 0, 65535}, true},
    {"ping6", {PROTO_ICMP6, PROTO_ICMP6, 128, 128, 0, 65535}, true},
    {"gre", {47, 47, 0, 65535, 0, 65535}, true},
    {"ipsec-esp", {50, 50, 0, 65535, 0, 65535}, true},
    {"ipsec-ah", {51, 51, 0, 65535, 0, 65535}, true},
    {"ospf", {89, 89, 0, 65535, 0, 65535}, true},
    {"web-browsing", {PROTO_TCP, PROTO_TCP, 0, 65535, 80, 80}, false},
    {"ssl", {PROTO_TCP, PROTO_TCP, 0, 65535, 443, 443}, false},
    {"ssh", {PROTO_TCP, PROTO_TCP, 0, 65535, 22, 22}, false},
    {"dns", {PROTO_UDP, PROTO_UDP, 0, 65535, 53, 53}, false},
    {"dns", {PROTO_TCP, PROTO_TCP, 0, 65535, 53, 53}, false},
    {"ntp", {PROTO_UDP, PROTO_UDP, 0, 65535, 123, 123}, false},
    {"smtp", {PROTO_TCP, PROTO_TCP, 0, 65535, 25, 25}, false},
};

/* The services of an application; false: it is not in the table. */
static bool standard_ports(struct fw_kinds *out, const char *name, bool *sure, int *err)
{
    bool found = false;
    for (size_t i = 0; i < sizeof applications / sizeof *applications && !*err; i++)
        if (strcmp(applications[i].name, name) == 0) {
            found = true;
            *sure = *sure && applications[i].sure;
            *err = fw_services_push(&out->set, &applications[i].is);
        }
    return found;
}

/* Applications whose protocol tells them do so on any service; of others the service says where they may be, or,
 * under application-default, their standard ports do. */
static int by_application(struct pan *p, bool standard, struct fw_node *apps, struct fw_kinds *out)
{
    int err = 0;
    bool sure = true, all_known = true;
    struct fw_kinds known = {0};
    for (struct fw_node *n = apps->first; n && !err; n = n->next) {
        bool told = true, found = standard_ports(&known, n->word, &told, &err);
        all_known = all_known && found;
        if (!found || !told) {
            sure = false;
            vague(n, &out->doubt, fw_tree_words(&p->t, "whether a packet is of application %.60s its content "
                                                "decides (App-ID)", n->word));
        }
    }
    if (sure || (standard && all_known)) {
        free(out->set.v);
        out->set = known.set;
        out->any = false;
    } else {
        free(known.set.v);
        out->any = out->any || standard;
    }
    return err;
}

int pan_services(struct pan *p, struct fw_node *attr, struct fw_node *apps, struct fw_kinds *out)
{
    p->steps = 0;
    out->set.count = 0;
    out->vague = out->doubt = NULL;
    bool standard = attr && fw_tree_child(&p->t, attr, "application-default");
    out->any = pan_is_any(attr) || (standard && pan_is_any(apps));
    int err = 0;
    for (struct fw_node *n = attr && !out->any && !standard ? attr->first : NULL; n && !err; n = n->next)
        err = service(p, n, out);
    /* Any application on its standard port: which that is, its content decides. */
    if (!err && standard && pan_is_any(apps)) {
        out->doubt = "application-default with any application: the content decides (App-ID)";
        fw_tree_unsupported(attr, out->doubt);
    }
    return err || pan_is_any(apps) ? err : by_application(p, standard, apps, out);
}
