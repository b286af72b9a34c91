/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/cloud.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/rules.h"

/* ---- messages ---- */

int cloud_fail(struct cloud *c, const cJSON *item, int err, const char *fmt, ...)
{
    char buf[160];
    struct text t = text_of(buf, sizeof buf);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    struct diag d;
    json_error(c->json, item, &d, "%s", buf);
    fw_diag_take(c->diag, c->src->name, &d);
    return err;
}

int cloud_expected(struct cloud *c, const cJSON *item, const char *what)
{
    char found[64];
    return cloud_fail(c, item, E_MALFORMED, "expected %s, found %s", what, json_found(c->json, item, found));
}

/* ---- the two sides ---- */

static bool among(const char *name, const char *const *words)
{
    bool it = false;
    for (; *words && !it; words++)
        it = strcmp(name, *words) == 0;
    return it;
}

static int which_side(const struct fw_source *src, int *inside)
{
    static const char *const in[] = {"inside",   "internal",  "private", "subnet", "vnet", "vpc",
                                     "instance", "instances", "lan",     "trust",  NULL};
    static const char *const out[] = {"outside", "external", "public", "internet", "wan", "untrust", NULL};
    if (src->port_count != 2)
        return E_UNSUPPORTED;
    bool a = among(src->port[0].name, in), b = among(src->port[1].name, in);
    if (a == b) {
        a = among(src->port[1].name, out);
        b = among(src->port[0].name, out);
    }
    *inside = b;
    return a != b ? 0 : E_UNSUPPORTED;
}

static int make_sides(struct cloud *c)
{
    static const struct fw_port alone[2] = {{.name = "inside"}, {.name = "outside"}};
    const struct fw_port *port = c->src->port_count ? c->src->port : alone;
    c->inside = 0;
    if (c->src->port_count && which_side(c->src, &c->inside))
        return cloud_fail(c, json_root(c->json), E_UNSUPPORTED,
                          "cannot tell the protected side: expected a node of two ports, one of them named inside");
    c->outside = 1 - c->inside;
    for (size_t i = 0; i < 2; i++) {
        struct fw_iface_spec spec = {.name = port[i].name, .address = port[i].address,
                                     .address_count = port[i].address_count};
        int at = fw_rules_add_interface(c->rules, &spec);
        if (at < 0)
            return cloud_fail(c, json_root(c->json), at, "the node has two ports of one name");
    }
    return 0;
}

/* ---- open and close ---- */

int cloud_open(struct cloud *c, const struct fw_source *src, struct fw_diag *diag)
{
    *c = (struct cloud){.src = src, .diag = diag};
    *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
    if (src->len > CLOUD_BYTES_MAX) {
        struct text t = text_of(diag->text, sizeof diag->text);
        text_add(&t, "expected at most %d bytes, found %zu", CLOUD_BYTES_MAX, src->len);
        return E_RANGE;
    }
    struct diag d;
    int err = json_parse(src->name, src->text, src->len, &c->json, &d);
    if (err) {
        fw_diag_take(c->diag, c->src->name, &d);
        return err;
    }
    c->rules = fw_rules_new(src->name);
    if (!c->rules)
        return E_NOMEM;
    err = fw_ledger_open(&c->ledger, src->text, src->len);
    return err ? err : make_sides(c);
}

int cloud_close(struct cloud *c, int err, struct fw_rules **out)
{
    if (!err)
        err = fw_ledger_count(&c->ledger, c->rules);
    fw_ledger_close(&c->ledger);
    json_free(c->json);
    free(c->from.v);
    free(c->to.v);
    free(c->service.v);
    if (err)
        fw_rules_free(c->rules);
    else
        *out = c->rules;
    return err;
}

/* ---- values ---- */

const cJSON *cloud_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *cloud_text(const cJSON *object, const char *key)
{
    const cJSON *v = cloud_get(object, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

void cloud_used(struct cloud *c, const cJSON *item)
{
    fw_ledger_mark(&c->ledger, json_line(c->json, item), FW_LINE_MODELLED, NULL);
}

int cloud_unsupported(struct cloud *c, const cJSON *item, const char *why)
{
    const char *kept = fw_arena_text(c->rules, why);
    if (!kept)
        return E_NOMEM;
    fw_ledger_mark(&c->ledger, json_line(c->json, item), FW_LINE_UNSUPPORTED, kept);
    return 0;
}

int cloud_known(struct cloud *c, const cJSON *object, const char *const known[], bool *strange)
{
    int err = 0;
    *strange = false;
    for (const cJSON *m = object->child; m && !err; m = m->next) {
        if (among(m->string, known))
            continue;
        char why[100];
        struct text t = text_of(why, sizeof why);
        text_add(&t, "\"%.60s\" is not understood", m->string);
        err = cloud_unsupported(c, m, why);
        *strange = true;
    }
    return err;
}

int cloud_prefix(struct cloud *c, const cJSON *item, struct fw_addrs *set)
{
    struct ip_prefix p;
    if (!cJSON_IsString(item) || prefix_parse(item->valuestring, &p))
        return cloud_expected(c, item, "an address block such as 10.0.0.0/8");
    struct fw_addr a = fw_addr_prefix(&p);
    cloud_used(c, item);
    return fw_addrs_push(set, &a);
}

/* ---- rules ---- */

void cloud_clear(struct cloud *c)
{
    c->from.count = c->to.count = c->service.count = 0;
}

int cloud_rule(struct cloud *c, const struct cloud_rule *rule)
{
    struct fw_conditions when = {.unknown = rule->unknown};
    struct fw_rule_spec spec = {.list = rule->list, .action = rule->action, .src = c->from.v, .dst = c->to.v,
                                .src_count = c->from.count, .dst_count = c->to.count, .service = c->service.v,
                                .service_count = c->service.count, .when = rule->unknown ? &when : NULL,
                                .implied = rule->implied, .line = rule->line, .text = rule->text};
    return fw_rules_add_rule(c->rules, &spec);
}

/* ---- which group ---- */

bool cloud_chosen(const struct cloud *c, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = c->src->section; p && *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && strncmp(p, name, n) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

void cloud_name(struct cloud_names *n, const char *name)
{
    struct text t = {.buf = n->text, .cap = sizeof n->text, .len = strlen(n->text)};
    text_add(&t, "%s%s", n->count++ ? ", " : "", name);
}

int cloud_choose(struct cloud *c, const struct cloud_names *n, const char *what)
{
    return cloud_fail(c, json_root(c->json), E_UNSUPPORTED, "expected one %s to be chosen; the file has %zu: %s", what,
                      n->count, n->text);
}

bool cloud_has(const char *text, size_t len, const char *word)
{
    size_t at = 0;
    while (at < len && ((unsigned char)text[at] <= ' ' || (unsigned char)text[at] >= 0x80))
        at++; /* white space, a byte order mark */
    return at < len && (text[at] == '{' || text[at] == '[') && memmem(text, len, word, strlen(word));
}
