/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables' JSON: the document, its tables, chains and sets, and the account of its lines. */
#include "models/firewall/nft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

int nft_fail(struct nft *n, const cJSON *item, int err, const char *fmt, ...)
{
    char buf[160];
    struct text t = text_of(buf, sizeof buf);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    struct diag d;
    json_error(n->json, item ? item : n->object, &d, "%s", buf);
    fw_diag_take(n->nf.diag, n->nf.src->name, &d);
    return err;
}

int nft_expected(struct nft *n, const cJSON *item, const char *what)
{
    char found[64];
    if (!item)
        return nft_fail(n, item, E_MALFORMED, "expected %s, found nothing", what);
    return nft_fail(n, item, E_MALFORMED, "expected %s, found %s", what, json_found(n->json, item, found));
}

const cJSON *nft_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *nft_text(const cJSON *object, const char *key)
{
    const cJSON *v = nft_get(object, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

const cJSON *nft_only(const cJSON *object)
{
    return cJSON_IsObject(object) && object->child && !object->child->next ? object->child : NULL;
}

/* ---- names ---- */

static const char *const families[] = {"ip", "ip6", "inet", "bridge", "arp", "netdev"};

static int family_of(struct nft *n, const cJSON *object, enum nft_family *out)
{
    const char *name = nft_text(object, "family");
    for (size_t i = 0; name && i < sizeof families / sizeof *families; i++)
        if (strcmp(name, families[i]) == 0) {
            *out = (enum nft_family)i;
            return 0;
        }
    return nft_fail(n, object, E_MALFORMED, "expected a family (ip, ip6, inet, bridge, arp, netdev)");
}

/* "inet filter", of the object's table. */
static int table_of(struct nft *n, const cJSON *object, const char *key)
{
    const char *name = nft_text(object, key);
    int err = family_of(n, object, &n->family);
    if (err)
        return err;
    if (!name)
        return nft_fail(n, object, E_MALFORMED, "expected the name of a table (\"%s\")", key);
    n->table = arena_format(&n->nf.scratch, "%s %s", families[n->family], name);
    return 0;
}

static const char *key_of(struct nft *n, const char *name)
{
    return arena_format(&n->nf.scratch, "%s %s", n->table, name);
}

struct nf_chain *nft_chain_find(struct nft *n, const char *name)
{
    return nf_chain_find(&n->nf, key_of(n, name));
}

static struct nft_set **slot_of(const struct nft *n, const char *key)
{
    return (struct nft_set **)&n->set[fw_hash(key, strlen(key)) & 255];
}

struct nft_set *nft_set_find(const struct nft *n, const char *name)
{
    const char *key = key_of((struct nft *)n, name + (*name == '@'));
    struct nft_set *s = *slot_of(n, key);
    while (s && strcmp(s->key, key) != 0)
        s = s->next;
    return s;
}

/* Not about packets that are routed: a bridge's frames, ARP. Or, of netdev, before all that is modelled. */
static bool is_routed(enum nft_family family)
{
    return family == NFT_IP || family == NFT_IP6 || family == NFT_INET;
}

/* ---- lines ---- */

static int account(struct nft *n, enum fw_line_class class, const char *why)
{
    for (unsigned line = n->line; line <= n->last_line; line++)
        fw_ledger_mark(&n->ledger, line, class, why);
    return class == FW_LINE_UNSUPPORTED ? fw_rules_add_unsupported(n->nf.rules, n->line, n->text, why) : 0;
}

/* Several objects may share a line: the gravest counts, and all that is unsupported is told. */
static void count_lines(struct nft *n)
{
    struct fw_lines *l = &n->nf.rules->lines;
    *l = (struct fw_lines){.total = n->ledger.lines};
    for (unsigned i = 0; i < n->ledger.lines; i++) {
        l->modelled += n->ledger.line[i].class == FW_LINE_MODELLED;
        l->no_effect += n->ledger.line[i].class == FW_LINE_QUIET;
        l->unsupported += n->ledger.line[i].class == FW_LINE_UNSUPPORTED;
    }
}

static void describe(struct nft *n, const cJSON *object, const char *what)
{
    const cJSON *handle = nft_get(object, "handle"), *expr = nft_get(object, "expr");
    char *shown = expr ? cJSON_PrintUnformatted(expr) : NULL;
    struct text t = text_of(n->text, sizeof n->text);
    uint64_t h = 0;
    text_add(&t, "%s", what);
    if (handle && json_u64(n->json, handle, &h))
        text_add(&t, " handle %llu", (unsigned long long)h);
    const char *chain = nft_text(object, "chain");
    text_add(&t, " in %s%s%.40s%s%.440s", n->table, chain ? " " : "", chain ? chain : "", shown ? ": " : "",
             shown ? shown : "");
    cJSON_free(shown);
}

/* ---- objects ---- */

static int strange(struct nft *n, const struct nf_chain *chain)
{
    static const char why[] = "rules at a device (ingress, egress) come before what is modelled";
    uint64_t ifaces = chain->device ? nf_interfaces(&n->nf, chain->device, false) : 0;
    if (chain->device && !ifaces) /* a device that no packet comes by */
        return account(n, FW_LINE_UNSUPPORTED, why);
    struct fw_taint_spec t = {.why = why, .line = n->line, .text = n->text, .in_ifaces = ifaces};
    int err = fw_rules_add_taint(n->nf.rules, &t);
    return err ? err : account(n, FW_LINE_UNSUPPORTED, why);
}

/* A chain at a device: its rules and its policy come before all that is modelled. */
static int add_stray(struct nft *n, const cJSON *c, struct nf_chain *chain)
{
    const char *hook = nft_text(c, "hook"), *policy = nft_text(c, "policy");
    if (strcmp(hook, "ingress") != 0 && strcmp(hook, "egress") != 0)
        return nft_expected(n, nft_get(c, "hook"), "a hook");
    chain->stray = true;
    chain->device = nft_text(c, "dev");
    if (chain->device)
        nf_name_interface(&n->nf, chain->device);
    describe(n, c, "chain");
    return policy && strcmp(policy, "drop") == 0 ? strange(n, chain) : 0;
}

static int add_chain(struct nft *n, const cJSON *c)
{
    static const char *const hooks[] = {"prerouting", "input", "forward", "output", "postrouting"};
    int err = table_of(n, c, "table");
    const char *name = nft_text(c, "name"), *hook = nft_text(c, "hook"), *type = nft_text(c, "type");
    if (err)
        return err;
    if (!name)
        return nft_fail(n, c, E_MALFORMED, "expected the chain's name");
    if (nft_chain_find(n, name))
        return nft_fail(n, c, E_EXISTS, "this chain was there before");
    const char *key = key_of(n, name);
    struct nf_chain *chain = nf_chain_add(&n->nf, key, key, n->line);
    size_t h = 0;
    while (hook && h < 5 && strcmp(hook, hooks[h]) != 0)
        h++;
    if (!hook || n->family == NFT_BRIDGE || n->family == NFT_ARP)
        return 0;
    if (h == 5 || n->family == NFT_NETDEV)
        return add_stray(n, c, chain);
    const cJSON *prio = nft_get(c, "prio");
    if (!cJSON_IsNumber(prio) || prio->valuedouble < -1e9 || prio->valuedouble > 1e9)
        return nft_fail(n, c, E_MALFORMED, "expected the chain's priority (\"prio\") as a number");
    if (n->bases == n->base_cap) {
        size_t cap = n->base_cap ? 2 * n->base_cap : 16;
        struct nft_base *v = realloc(n->base, cap * sizeof *v);
        if (!v)
            return E_NOMEM;
        n->base = v;
        n->base_cap = cap;
    }
    const char *policy = nft_text(c, "policy");
    chain->base = true;
    chain->hooks = 1u << h;
    size_t number = n->bases++;
    n->base[number] = (struct nft_base){
        .chain = chain, .number = number, .hook = (enum fw_hook)h, .priority = (int64_t)prio->valuedouble,
        .nat = type && strcmp(type, "nat") == 0, .drop = policy && strcmp(policy, "drop") == 0,
        .family = n->family == NFT_IP ? IP_V4 : n->family == NFT_IP6 ? IP_V6 : 0, .line = n->line};
    return account(n, FW_LINE_MODELLED, NULL);
}

/* Does a member of the set go away by itself? */
static bool expires(const cJSON *elements)
{
    const cJSON *e;
    cJSON_ArrayForEach(e, elements) {
        const cJSON *key = cJSON_IsArray(e) ? e->child : e;
        const cJSON *inner = nft_get(key, "elem");
        if (nft_get(inner, "timeout") || nft_get(inner, "expires"))
            return true;
    }
    return false;
}

static int add_set(struct nft *n, const cJSON *c)
{
    int err = table_of(n, c, "table");
    const char *name = nft_text(c, "name");
    if (err)
        return err;
    if (!name)
        return nft_fail(n, c, E_MALFORMED, "expected the set's name");
    if (nft_set_find(n, name))
        return nft_fail(n, c, E_EXISTS, "this set was there before");
    const char *key = key_of(n, name);
    struct nft_set *s = arena_alloc(&n->nf.memory, sizeof *s), **slot = slot_of(n, key);
    *s = (struct nft_set){.key = arena_copy(&n->nf.memory, key, strlen(key)), .elem = nft_get(c, "elem"),
                          .next = *slot};
    if (nft_get(c, "timeout") || expires(s->elem))
        s->unknown = "its elements are forgotten after a time";
    *slot = s;
    return account(n, FW_LINE_MODELLED, NULL);
}

static int add_helper(struct nft *n, const cJSON *c)
{
    int err = table_of(n, c, "table");
    const char *name = nft_text(c, "name"), *type = nft_text(c, "type");
    if (err || !name || !type)
        return err;
    struct nft_helper *h = arena_alloc(&n->nf.memory, sizeof *h);
    const char *key = key_of(n, name);
    *h = (struct nft_helper){arena_copy(&n->nf.memory, key, strlen(key)), type, n->helpers};
    n->helpers = h;
    return 0;
}

static int add_table(struct nft *n, const cJSON *c)
{
    return table_of(n, c, "name");
}

static int add_rule(struct nft *n, const cJSON *c)
{
    int err = table_of(n, c, "table");
    const char *name = nft_text(c, "chain");
    const cJSON *expr = nft_get(c, "expr");
    if (err)
        return err;
    struct nf_chain *chain = name ? nft_chain_find(n, name) : NULL;
    if (!chain)
        return nft_fail(n, c, E_MALFORMED, "expected the name of a chain of this table (\"chain\")");
    if (!cJSON_IsArray(expr))
        return nft_fail(n, c, E_MALFORMED, "expected the rule's statements (\"expr\")");
    describe(n, c, "rule");
    if (chain->stray)
        return n->naming ? 0 : strange(n, chain);
    if (!is_routed(n->family))
        return 0;
    uint8_t family = n->family == NFT_IP ? IP_V4 : n->family == NFT_IP6 ? IP_V6 : 0;
    const char *table = arena_copy(&n->nf.memory, n->table, strlen(n->table));
    nf_rule_begin(&n->rule, &n->nf, chain, family);
    n->table = table;
    n->modelled = n->no_way_back = false;
    err = nft_rule(n, expr);
    if (!err && n->rule.err)
        return nft_fail(n, c, n->rule.err, "the rule, expanded, is too large for this program");
    if (err || n->naming)
        return err;
    const char *why = nf_doubt(&n->rule);
    if (why && n->modelled)
        return account(n, FW_LINE_UNSUPPORTED, why);
    return n->modelled ? account(n, FW_LINE_MODELLED, NULL) : 0;
}

/* ---- the document ---- */

static const struct kind {
    const char *name;
    int (*names)(struct nft *n, const cJSON *c); /* before the rules; NULL: nothing */
} kinds[] = {
    {"metainfo", NULL}, {"table", add_table}, {"chain", add_chain}, {"set", add_set}, {"map", add_set},
    {"ct helper", add_helper}, {"rule", NULL}, {"counter", NULL}, {"quota", NULL}, {"limit", NULL},
    {"flowtable", NULL}, {"ct timeout", NULL}, {"ct expectation", NULL}, {"synproxy", NULL}, {"secmark", NULL},
};

static int each(struct nft *n, const cJSON *list, bool rules)
{
    const cJSON *object;
    int err = 0;
    cJSON_ArrayForEach(object, list) {
        const cJSON *c = nft_only(object);
        size_t k = 0;
        while (c && k < sizeof kinds / sizeof *kinds && strcmp(c->string, kinds[k].name) != 0)
            k++;
        if (!c || k == sizeof kinds / sizeof *kinds)
            return nft_fail(n, object, E_MALFORMED, "expected one of an nftables ruleset's objects");
        n->object = object;
        n->line = json_line(n->json, object);
        n->last_line = object->next ? json_line(n->json, object->next) - 1 : n->line;
        if (n->last_line < n->line)
            n->last_line = n->line;
        if (rules && strcmp(c->string, "rule") == 0)
            err = add_rule(n, c);
        else if (!rules && kinds[k].names)
            err = kinds[k].names(n, c);
        if (err)
            return err;
    }
    if (n->nf.full)
        return nft_fail(n, list, E_RANGE, "the file names more than %d interfaces", FW_IFACE_MAX);
    return 0;
}

/* The kernel puts a chain before those of its priority that are there already. */
static int base_order(const void *x, const void *y)
{
    const struct nft_base *a = x, *b = y;
    int order = (a->priority > b->priority) - (a->priority < b->priority);
    return order ? order : (a->number < b->number) - (a->number > b->number);
}

/* Translation happens at a place of its own; the priorities of its chains are an order among themselves. */
static int add_bases(struct nft *n)
{
    if (n->bases)
        qsort(n->base, n->bases, sizeof *n->base, base_order);
    int err = 0;
    for (size_t i = 0; i < n->bases && !err; i++) {
        const struct nft_base *b = &n->base[i];
        bool before = b->hook == FW_PREROUTING || b->hook == FW_OUTPUT;
        struct fw_base_spec spec = {.list = b->chain->name, .hook = b->hook, .priority = (int)b->priority,
                                    .nat = b->nat, .policy = b->drop ? FW_DENY : FW_PERMIT, .family = b->family,
                                    .line = b->line, .text = b->chain->name};
        if (b->nat)
            spec.priority = before ? FW_PRIO_DSTNAT : FW_PRIO_SRCNAT;
        err = fw_rules_add_base(n->nf.rules, &spec);
    }
    return err;
}

static int read_all(struct nft *n)
{
    const cJSON *list = nft_get(json_root(n->json), "nftables");
    if (!cJSON_IsArray(list))
        return nft_fail(n, json_root(n->json), E_MALFORMED, "expected an object with the list \"nftables\"");
    int err = each(n, list, false);
    n->naming = true;
    err = err ? err : each(n, list, true);
    n->naming = false;
    if (err)
        return err;
    unsigned line;
    const char *why;
    err = nf_chains_follow(&n->nf, &line, &why);
    if (err) {
        nft_fail(n, list, err, "%s", why);
        n->nf.diag->line = line;
        return err;
    }
    err = add_bases(n);
    err = err ? err : each(n, list, true);
    if (!err)
        count_lines(n);
    return err;
}

bool fw_nft_recognise(const char *text, size_t len)
{
    static const char word[] = "\"nftables\"";
    size_t at = 0;
    while (at < len && strchr("{ \t\r\n", text[at]) && text[at])
        at++;
    return at + sizeof word - 1 <= len && memcmp(text + at, word, sizeof word - 1) == 0;
}

int fw_nft_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct nft *n = calloc(1, sizeof *n);
    if (!n)
        return E_NOMEM;
    int err = nf_open(&n->nf, src, diag);
    if (!err && src->len > NFT_BYTES_MAX) {
        struct text t = text_of(diag->text, sizeof diag->text);
        text_add(&t, "expected at most %d bytes, found %zu", NFT_BYTES_MAX, src->len);
        err = E_RANGE;
    }
    struct diag d;
    if (!err && (err = json_parse(src->name, src->text, src->len, &n->json, &d)) == E_MALFORMED)
        fw_diag_take(diag, src->name, &d);
    err = err ? err : fw_ledger_open(&n->ledger, src->text, src->len);
    err = err ? err : read_all(n);
    fw_ledger_close(&n->ledger);
    json_free(n->json);
    free(n->base);
    err = nf_close(&n->nf, err, out);
    free(n);
    return err;
}
