/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clouds' JSON: security groups and network ACLs of AWS, network security groups of Azure. The order of the members
 * means nothing: rules have numbers, or only permit. So a new one goes before the first of its list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/json.h"
#include "models/firewall/rules.h"
#include "sim/check/edit_parts.h"

static bool inbound(const struct edit_writing *w)
{
    return strcmp(w->b->part->verdict.list, "inbound") == 0;
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

static bool is_chosen(const struct edit_writing *w, const cJSON *object, const char *key)
{
    const char *section = w->c->topology->nodes.items[w->b->node].rules_section;
    const cJSON *name = member(object, key);
    return !section || (cJSON_IsString(name) && strcmp(name->valuestring, section) == 0);
}

typedef const cJSON *find_list(const struct edit_writing *w, const cJSON *root);

/* Before the first member of the list, if that begins its line; false: it does not, or there is none. */
static bool before_first(const struct edit_writing *w, find_list *find, struct edit_place *out)
{
    struct json *json;
    struct diag d;
    size_t len;
    const char *text = edit_text_join(w->a, w->text, &len);
    if (json_parse("", text, len, &json, &d) != 0)
        return false;
    const cJSON *list = find(w, json_root(json));
    if (cJSON_IsArray(list) && list->child && json_line(json, list->child) > json_line(json, list))
        out->line = json_line(json, list->child);
    json_free(json);
    text = edit_line(w->text, out->line);
    return text[strspn(text, " \t")] == '{';
}

/* The number behind the word in what the importer calls the deciding rule; `none` where it is another. */
static unsigned number_of(const struct edit_writing *w, const char *word, unsigned none)
{
    const struct fw_rule_ref *rule = w->b->part->verdict.rule;
    const char *p = rule && rule->text ? strstr(rule->text, word) : NULL;
    return p ? (unsigned)strtoul(p + strlen(word), NULL, 10) : none;
}

/* ---- AWS ---- */

/* The far side: what an entry says of the near one, nothing. */
static const char *far_block(const struct edit_writing *w, const struct edit_terms *r, const size_t at[4])
{
    return inbound(w) ? r->src.text[at[0]] : r->dst.text[at[2]];
}

static const cJSON *find_in(const struct edit_writing *w, const cJSON *objects, const char *id, const char *list)
{
    for (const cJSON *o = cJSON_IsArray(objects) ? objects->child : NULL; o; o = o->next)
        if (is_chosen(w, o, id))
            return member(o, list);
    return NULL;
}

static const cJSON *permissions(const struct edit_writing *w, const cJSON *root)
{
    return find_in(w, member(root, "SecurityGroups"), "GroupId", inbound(w) ? "IpPermissions" : "IpPermissionsEgress");
}

static const cJSON *entries(const struct edit_writing *w, const cJSON *root)
{
    return find_in(w, member(root, "NetworkAcls"), "NetworkAclId", "Entries");
}

/* "80-90", "80" */
static void two_ports(const char *ports, unsigned out[2])
{
    if (sscanf(ports, "%u-%u", &out[0], &out[1]) == 1)
        out[1] = out[0];
}

static void group_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r, const size_t at[4])
{
    unsigned port[2] = {0, UINT16_MAX};
    bool six = r->family != IP_V4;
    two_ports(r->dport.text[at[3]], port);
    text_add(t, "        {\"IpProtocol\": \"%s\", \"FromPort\": %u, \"ToPort\": %u, \"%s\": [{\"%s\": \"%s\"}]},",
             edit_proto(r->proto), port[0], port[1], six ? "Ipv6Ranges" : "IpRanges", six ? "CidrIpv6" : "CidrIp",
             far_block(w, r, at));
}

/* A group only permits. */
static bool group_place(const struct edit_writing *w, struct edit_place *out)
{
    return !w->deny && !edit_rules_of(w)->policy.stateless && w->b->part->verdict.list &&
           before_first(w, permissions, out);
}

const struct edit_dialect edit_security_group = {
    .format = "aws", .any_v4 = "0.0.0.0/0", .any_v6 = "::/0", .prefix = edit_prefix_slash,
    .ports = edit_ports_dash, .rule = group_rule, .place = group_place,
};

static void entry_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r, const size_t at[4])
{
    unsigned port[2] = {0, UINT16_MAX};
    two_ports(r->dport.text[at[3]], port);
    text_add(t, "        {\"RuleNumber\": %u, \"Protocol\": \"%u\", \"RuleAction\": \"%s\", \"Egress\": %s, ",
             r->number, r->proto, w->deny ? "deny" : "allow", inbound(w) ? "false" : "true");
    text_add(t, "\"%s\": \"%s\",\n         \"PortRange\": {\"From\": %u, \"To\": %u}},",
             r->family == IP_V4 ? "CidrBlock" : "Ipv6CidrBlock", far_block(w, r, at), port[0], port[1]);
}

static bool entry_place(const struct edit_writing *w, struct edit_place *out)
{
    enum { LAST = 32767 };
    out->number_limit = number_of(w, "entry ", LAST);
    return edit_rules_of(w)->policy.stateless && w->b->part->verdict.list && before_first(w, entries, out);
}

const struct edit_dialect edit_network_acl = {
    .format = "aws", .any_v4 = "0.0.0.0/0", .any_v6 = "::/0", .prefix = edit_prefix_slash,
    .ports = edit_ports_dash, .rule = entry_rule, .place = entry_place, .number_key = "\"RuleNumber\"",
};

/* ---- Azure ---- */

/* The rules of the group, wherever it is in the document. */
static const cJSON *security_rules(const struct edit_writing *w, const cJSON *at)
{
    const cJSON *props = member(at, "properties"), *rules = member(cJSON_IsObject(props) ? props : at, "securityRules");
    if (rules && is_chosen(w, at, "name"))
        return rules;
    rules = NULL;
    for (const cJSON *m = cJSON_IsArray(at) || cJSON_IsObject(at) ? at->child : NULL; m && !rules; m = m->next)
        rules = security_rules(w, m);
    return rules;
}

static void azure_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r, const size_t at[4])
{
    const char *ports[] = {r->sport.text[at[1]], r->dport.text[at[3]]};
    for (size_t i = 0; i < 2; i++)
        if (edit_all_ports(ports[i]))
            ports[i] = "*";
    text_add(t, "      {\"name\": \"turnproof-%s-%u\", \"priority\": %u, \"direction\": \"%s\", \"access\": \"%s\", ",
             inbound(w) ? "in" : "out", r->number, r->number, inbound(w) ? "Inbound" : "Outbound",
             w->deny ? "Deny" : "Allow");
    text_add(t, "\"protocol\": \"%s\",\n       \"sourceAddressPrefix\": \"%s\", \"sourcePortRange\": \"%s\",\n",
             r->proto == PROTO_TCP ? "Tcp" : "Udp", r->src.text[at[0]], ports[0]);
    text_add(t, "       \"destinationAddressPrefix\": \"%s\", \"destinationPortRange\": \"%s\"},", r->dst.text[at[2]],
             ports[1]);
}

/* A list of the management API has its attributes in "properties": of both forms the importer reads this one. */
static bool azure_place(const struct edit_writing *w, struct edit_place *out)
{
    enum { LAST = 4097 };
    out->number_limit = number_of(w, "(priority ", LAST);
    return w->b->part->verdict.list && before_first(w, security_rules, out);
}

const struct edit_dialect edit_azure = {
    .format = "azure", .any_v4 = "*", .any_v6 = "*", .prefix = edit_prefix_slash, .ports = edit_ports_dash,
    .rule = azure_rule, .place = azure_place, .number_key = "\"priority\"",
};
