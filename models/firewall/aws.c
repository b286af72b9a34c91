/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS security groups and network ACLs, as `aws ec2 describe-security-groups` and `describe-network-acls` print them.
 *
 * Security groups only permit, all that apply to an instance at once (choose several as "sg-1,sg-2"), and follow
 * connections. A network ACL is asked about each packet, answers too; its entries go by number, the last denies.
 * What comes in enters at the outside of the node, what goes out at the inside (cloud.h). A group or prefix list that
 * a rule refers to is UNKNOWN, unless the same document has "NetworkInterfaces" (describe-network-interfaces) with
 * members of the group, or "PrefixLists" (describe-prefix-lists). */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/cloud.h"
#include "models/firewall/rules.h"

enum { ENTRIES_MAX = 65536 };

static const char *const ingress = "inbound", *const egress = "outbound";

struct aws {
    struct cloud c;
    bool inbound;      /* of the rule at hand */
    struct cloud_names names;
};

/* "tcp", "6", "-1"; *all: every protocol. */
static int protocol(struct aws *a, const cJSON *item, const cJSON *owner, uint8_t *proto, bool *all)
{
    static const struct {
        const char *name;
        uint8_t proto;
    } named[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"icmp", PROTO_ICMP}, {"icmpv6", PROTO_ICMP6}};
    const char *s = cJSON_IsString(item) ? item->valuestring : "";
    char *end = "";
    unsigned long n = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 256;
    *all = strcmp(s, "-1") == 0;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(s, named[i].name) == 0) {
            n = named[i].proto;
            end = "";
        }
    if (!*all && (n > 255 || *end))
        return item ? cloud_expected(&a->c, item, "a protocol (tcp, a number as text, -1)")
                    : cloud_fail(&a->c, owner, E_MALFORMED, "expected a protocol, found none");
    *proto = (uint8_t)n;
    cloud_used(&a->c, item);
    return 0;
}

/* A number of the object from -1 to max; absent: -1, which is all. */
static int number(struct aws *a, const cJSON *object, const char *key, unsigned max, long *out)
{
    const cJSON *item = cloud_get(object, key);
    uint64_t n;
    *out = -1;
    if (!item || cJSON_IsNull(item))
        return 0;
    cloud_used(&a->c, item);
    if (cJSON_IsNumber(item) && item->valuedouble == -1)
        return 0;
    if (!json_u64(a->c.json, item, &n) || n > max) {
        char what[40];
        struct text t = text_of(what, sizeof what);
        text_add(&t, "a number from -1 to %u", max);
        return cloud_expected(&a->c, item, what);
    }
    *out = (long)n;
    return 0;
}

/* The service of a rule: protocol and a range of ports, or type and code. from, to: -1 is all. */
static int service(struct aws *a, uint8_t proto, bool all, long from, long to, const cJSON *at)
{
    struct fw_service x = FW_SERVICE_ANY;
    if (all)
        return 0;
    x.proto_lo = x.proto_hi = proto;
    if (proto == PROTO_ICMP || proto == PROTO_ICMP6) {
        if (from >= 0)
            x.sport_lo = x.sport_hi = (uint16_t)from;
        if (to >= 0)
            x.dport_lo = x.dport_hi = (uint16_t)to;
    } else if ((proto == PROTO_TCP || proto == PROTO_UDP) && (from >= 0 || to >= 0)) {
        if (from < 0 || from > to)
            return cloud_fail(&a->c, at, E_MALFORMED, "expected ports in order, found %ld to %ld", from, to);
        x.dport_lo = (uint16_t)from;
        x.dport_hi = (uint16_t)to;
    }
    return fw_services_push(&a->c.service, &x);
}

static struct fw_addrs *far_side(struct aws *a)
{
    return a->inbound ? &a->c.from : &a->c.to;
}

static int list_of(struct aws *a, const cJSON *object, const char *key, const cJSON **first)
{
    const cJSON *list = cloud_get(object, key);
    *first = NULL;
    if (list && !cJSON_IsArray(list) && !cJSON_IsNull(list))
        return cloud_expected(&a->c, list, "a list");
    *first = list ? list->child : NULL;
    return 0;
}

/* ---- security groups ---- */

static int permit(struct aws *a, const cJSON *at, const char *whom, const char *unknown)
{
    char text[160];
    struct text t = text_of(text, sizeof text);
    const struct fw_service *x = a->c.service.count ? &a->c.service.v[0] : NULL;
    text_add(&t, "%s ", a->inbound ? "inbound from" : "outbound to");
    text_add(&t, "%.60s: ", whom);
    if (!x)
        text_add(&t, "all");
    else
        text_add(&t, "protocol %u, %u-%u", x->proto_lo, x->dport_lo, x->dport_hi);
    struct cloud_rule r = {.list = a->inbound ? ingress : egress, .action = FW_PERMIT, .unknown = unknown,
                           .line = json_line(a->c.json, at), .text = text};
    return cloud_rule(&a->c, &r);
}

static int blocks(struct aws *a, const cJSON *perm, const char *list, const char *key, const char *unknown)
{
    static const char *const known[] = {"CidrIp", "CidrIpv6", "Description", NULL};
    const cJSON *m;
    int err = list_of(a, perm, list, &m);
    for (; m && !err; m = m->next) {
        const cJSON *cidr = cloud_get(m, key);
        bool strange = false;
        far_side(a)->count = 0;
        err = cidr ? cloud_prefix(&a->c, cidr, far_side(a)) : cloud_expected(&a->c, m, "a block of addresses");
        err = err ? err : cloud_known(&a->c, m, known, &strange);
        if (!err)
            err = permit(a, cidr, cidr->valuestring, strange ? "a member that is not understood" : unknown);
    }
    return err;
}

/* The addresses of an interface that is in the group. */
static int member_addresses(struct aws *a, const cJSON *nic, const char *group)
{
    const cJSON *m;
    bool in = false;
    int err = list_of(a, nic, "Groups", &m);
    for (; m && !err; m = m->next) {
        const char *id = cloud_text(m, "GroupId");
        in = in || (id && strcmp(id, group) == 0);
    }
    static const struct {
        const char *list, *key;
    } holds[] = {{"PrivateIpAddresses", "PrivateIpAddress"}, {"Ipv6Addresses", "Ipv6Address"}};
    for (size_t i = 0; in && i < sizeof holds / sizeof *holds && !err; i++) {
        err = list_of(a, nic, holds[i].list, &m);
        for (; m && !err; m = m->next) {
            const cJSON *ip = cloud_get(m, holds[i].key);
            err = ip ? cloud_prefix(&a->c, ip, far_side(a)) : cloud_expected(&a->c, m, "an address");
        }
    }
    return err;
}

static int members_of(struct aws *a, const char *group)
{
    const cJSON *m;
    int err = list_of(a, json_root(a->c.json), "NetworkInterfaces", &m);
    for (; m && !err; m = m->next)
        err = member_addresses(a, m, group);
    return err;
}

static int blocks_of(struct aws *a, const char *list)
{
    const cJSON *m, *cidr;
    int err = list_of(a, json_root(a->c.json), "PrefixLists", &m);
    for (; m && !err; m = m->next) {
        const char *id = cloud_text(m, "PrefixListId");
        if (!id || strcmp(id, list) != 0)
            continue;
        err = list_of(a, m, "Cidrs", &cidr);
        for (; cidr && !err; cidr = cidr->next)
            err = cloud_prefix(&a->c, cidr, far_side(a));
    }
    return err;
}

/* What a rule refers to by id: another group, a prefix list. */
static int references(struct aws *a, const cJSON *perm, const char *list, const char *key,
                      int (*resolve)(struct aws *a, const char *id), const char *what, const char *unknown)
{
    const cJSON *m;
    int err = list_of(a, perm, list, &m);
    for (; m && !err; m = m->next) {
        const cJSON *id = cloud_get(m, key);
        if (!cJSON_IsString(id))
            return id ? cloud_expected(&a->c, id, "an id") : cloud_expected(&a->c, m, "a reference with an id");
        far_side(a)->count = 0;
        err = resolve(a, id->valuestring);
        if (err)
            return err;
        char why[120];
        struct text t = text_of(why, sizeof why);
        text_add(&t, "the addresses of %s %.40s are not in the file", what, id->valuestring);
        bool found = far_side(a)->count != 0;
        if (found)
            cloud_used(&a->c, id);
        else
            err = cloud_unsupported(&a->c, id, why);
        err = err ? err : permit(a, id, id->valuestring, found ? unknown : why);
    }
    return err;
}

static int permission(struct aws *a, const cJSON *perm)
{
    static const char *const known[] = {"IpProtocol", "FromPort", "ToPort", "IpRanges", "Ipv6Ranges",
                                        "PrefixListIds", "UserIdGroupPairs", NULL};
    struct cloud *c = &a->c;
    if (!cJSON_IsObject(perm))
        return cloud_expected(c, perm, "a permission");
    bool strange, all;
    long from, to;
    uint8_t proto;
    cloud_clear(c);
    int err = cloud_known(c, perm, known, &strange);
    const char *unknown = strange ? "this permission has a member that is not understood" : NULL;
    err = err ? err : protocol(a, cloud_get(perm, "IpProtocol"), perm, &proto, &all);
    err = err ? err : number(a, perm, "FromPort", 65535, &from);
    err = err ? err : number(a, perm, "ToPort", 65535, &to);
    err = err ? err : service(a, proto, all, from, to, perm);
    err = err ? err : blocks(a, perm, "IpRanges", "CidrIp", unknown);
    err = err ? err : blocks(a, perm, "Ipv6Ranges", "CidrIpv6", unknown);
    err = err ? err : references(a, perm, "PrefixListIds", "PrefixListId", blocks_of, "prefix list", unknown);
    return err ? err
               : references(a, perm, "UserIdGroupPairs", "GroupId", members_of, "the members of group", unknown);
}

/* A member of a group or an ACL that this program does not know: it may decide about any packet. */
static int strange_member(struct aws *a, const cJSON *object, const char *const known[])
{
    bool strange;
    int err = cloud_known(&a->c, object, known, &strange);
    struct fw_taint_spec t = {.why = "it has a member that is not understood", .line = json_line(a->c.json, object)};
    return err || !strange ? err : fw_rules_add_taint(a->c.rules, &t);
}

static int group(struct aws *a, const cJSON *object)
{
    static const char *const known[] = {"Description", "GroupName", "GroupId", "OwnerId", "Tags", "VpcId",
                                        "SecurityGroupArn", "IpPermissions", "IpPermissionsEgress", NULL};
    static const char *const list[] = {"IpPermissionsEgress", "IpPermissions"};
    int err = strange_member(a, object, known);
    cloud_used(&a->c, cloud_get(object, "GroupId"));
    for (int inbound = 0; inbound < 2 && !err; inbound++) {
        const cJSON *m;
        a->inbound = inbound;
        err = list_of(a, object, list[inbound], &m);
        for (; m && !err; m = m->next)
            err = permission(a, m);
    }
    return err;
}

/* ---- network ACLs ---- */

struct entry {
    const cJSON *item;
    uint64_t number;
    size_t at;
};

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int entry_service(struct aws *a, const cJSON *item)
{
    uint8_t proto;
    bool all;
    long from = -1, to = -1;
    int err = protocol(a, cloud_get(item, "Protocol"), item, &proto, &all);
    bool icmp = !err && !all && (proto == PROTO_ICMP || proto == PROTO_ICMP6);
    const cJSON *range = cloud_get(item, icmp ? "IcmpTypeCode" : "PortRange");
    err = err ? err : number(a, range, icmp ? "Type" : "From", 65535, &from);
    err = err ? err : number(a, range, icmp ? "Code" : "To", 65535, &to);
    return err ? err : service(a, proto, all, from, to, item);
}

static int entry(struct aws *a, const struct entry *e)
{
    static const char *const known[] = {"CidrBlock", "Ipv6CidrBlock", "Egress", "IcmpTypeCode", "PortRange",
                                        "Protocol", "RuleAction", "RuleNumber", NULL};
    struct cloud *c = &a->c;
    const cJSON *egress_flag = cloud_get(e->item, "Egress"), *action = cloud_get(e->item, "RuleAction");
    if (!cJSON_IsBool(egress_flag))
        return cloud_fail(c, egress_flag ? egress_flag : e->item, E_MALFORMED, "expected Egress true or false");
    a->inbound = !cJSON_IsTrue(egress_flag);
    const char *word = cJSON_IsString(action) ? action->valuestring : "";
    bool allow = strcmp(word, "allow") == 0;
    if (!allow && strcmp(word, "deny") != 0)
        return cloud_fail(c, action ? action : e->item, E_MALFORMED, "expected RuleAction allow or deny");
    cloud_used(c, egress_flag);
    cloud_used(c, action);
    cloud_clear(c);
    bool strange;
    int err = cloud_known(c, e->item, known, &strange);
    err = err ? err : entry_service(a, e->item);
    const cJSON *four = cloud_get(e->item, "CidrBlock"), *six = cloud_get(e->item, "Ipv6CidrBlock");
    if (!err && !four && !six)
        err = cloud_fail(c, e->item, E_MALFORMED, "expected a CidrBlock, found none");
    err = err || !four ? err : cloud_prefix(c, four, far_side(a));
    err = err || !six ? err : cloud_prefix(c, six, far_side(a));
    char text[160];
    struct text t = text_of(text, sizeof text);
    const cJSON *block = four ? four : six;
    text_add(&t, "entry %llu (%s, %s, %.50s)", (unsigned long long)e->number, a->inbound ? "inbound" : "outbound", word,
             cJSON_IsString(block) ? block->valuestring : "");
    struct cloud_rule r = {.list = a->inbound ? ingress : egress, .action = allow ? FW_PERMIT : FW_DENY,
                           .unknown = strange ? "this entry has a member that is not understood" : NULL,
                           .line = json_line(c->json, cloud_get(e->item, "RuleNumber")), .text = text};
    return err ? err : cloud_rule(c, &r);
}

static int acl(struct aws *a, const cJSON *object)
{
    static const char *const known[] = {"Associations", "Entries", "IsDefault", "NetworkAclId", "Tags", "VpcId",
                                        "OwnerId", NULL};
    const cJSON *m;
    int err = strange_member(a, object, known);
    err = err ? err : list_of(a, object, "Entries", &m);
    struct entry *e = err ? NULL : calloc(ENTRIES_MAX, sizeof *e);
    size_t n = 0;
    if (!err && !e)
        return E_NOMEM;
    cloud_used(&a->c, cloud_get(object, "NetworkAclId"));
    for (; !err && m; m = m->next) {
        const cJSON *number = cloud_get(m, "RuleNumber");
        e[n] = (struct entry){.item = m, .at = n};
        if (!number || !json_u64(a->c.json, number, &e[n].number) || e[n].number > 32767)
            err = cloud_fail(&a->c, number ? number : m, E_MALFORMED, "expected a RuleNumber from 0 to 32767");
        else if (++n == ENTRIES_MAX)
            err = cloud_fail(&a->c, m, E_RANGE, "expected fewer than %d entries", ENTRIES_MAX);
        else
            cloud_used(&a->c, number);
    }
    if (n)
        qsort(e, n, sizeof *e, by_number);
    for (size_t i = 0; i < n && !err; i++)
        err = entry(a, &e[i]);
    free(e);
    return err;
}

/* ---- the document ---- */

struct kind {
    const char *list, *id, *what;
    int (*read)(struct aws *a, const cJSON *object);
    bool union_of; /* several may be chosen */
    bool stateless;
};

static const struct kind kinds[] = {
    {"SecurityGroups", "GroupId", "security group", group, true, false},
    {"NetworkAcls", "NetworkAclId", "network ACL", acl, false, true},
};

/* How many of section are there; the ids of all. */
static int survey(struct aws *a, const struct kind *k, const cJSON *list, size_t *chosen)
{
    *chosen = 0;
    for (const cJSON *m = list; m; m = m->next) {
        const char *id = cloud_text(m, k->id);
        if (!id)
            return cloud_fail(&a->c, m, E_MALFORMED, "expected a %s with a %s", k->what, k->id);
        cloud_name(&a->names, id);
        *chosen += cloud_chosen(&a->c, id);
    }
    return 0;
}

static size_t asked_for(const char *section)
{
    size_t n = 1;
    for (; *section; section++)
        n += *section == ',';
    return n;
}

static int read_kind(struct aws *a, const struct kind *k)
{
    const cJSON *list;
    size_t chosen;
    int err = list_of(a, json_root(a->c.json), k->list, &list);
    err = err ? err : survey(a, k, list, &chosen);
    if (err)
        return err;
    const char *section = a->c.src->section;
    bool only = !section && a->names.count == 1;
    if (!only && (chosen == 0 || chosen != asked_for(section) || (chosen > 1 && !k->union_of)))
        return cloud_choose(&a->c, &a->names, k->what);
    struct fw_policy policy = {.without_list = FW_DEFAULT_DENY, .stateless = k->stateless};
    fw_rules_set_policy(a->c.rules, &policy);
    for (const cJSON *m = list; m && !err; m = m->next)
        if (only || cloud_chosen(&a->c, cloud_text(m, k->id)))
            err = k->read(a, m);
    err = err ? err : fw_rules_set_timers(a->c.rules, "aws");
    err = err ? err : fw_rules_bind(a->c.rules, ingress, a->c.outside, FW_IN);
    return err ? err : fw_rules_bind(a->c.rules, egress, a->c.inside, FW_IN);
}

bool fw_aws_recognise(const char *text, size_t len)
{
    return cloud_has(text, len, "\"SecurityGroups\"") || cloud_has(text, len, "\"NetworkAcls\"");
}

int fw_aws_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct aws a = {0};
    int err = cloud_open(&a.c, src, diag);
    bool found = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !err && !found; i++)
        if (cloud_get(json_root(a.c.json), kinds[i].list)) {
            found = true;
            err = read_kind(&a, &kinds[i]);
        }
    if (!err && !found)
        err = cloud_fail(&a.c, json_root(a.c.json), E_MALFORMED,
                         "expected SecurityGroups or NetworkAcls, found neither");
    return cloud_close(&a.c, err, out);
}
