/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables rules do: verdicts, verdict maps, translation, and statements that matter to other rules. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/nft.h"

/* ---- into the model ---- */

static int emit(struct nft *n, struct nf_effect *e)
{
    if (n->naming) {
        if (e->target)
            nf_chain_jump(&n->nf, n->rule.chain, e->target, n->line);
        return 0;
    }
    n->modelled = true;
    e->line = n->line;
    e->text = n->text;
    int err = nf_emit(&n->rule, e);
    return err ? nft_fail(n, n->object, err, "the file, expanded, is too large for this program") : 0;
}

/* What a statement or a value of a verdict map does; *verdict: it is one. */
static int verdict(struct nft *n, const cJSON *statement, struct nf_effect *e, bool *is)
{
    static const struct {
        const char *word;
        enum fw_action action;
    } words[] = {{"accept", FW_PERMIT}, {"drop", FW_DENY}, {"return", FW_RETURN}, {"jump", FW_JUMP},
                 {"goto", FW_GOTO}};
    const cJSON *body = nft_only(statement);
    *is = false;
    for (size_t i = 0; body && i < sizeof words / sizeof *words; i++) {
        if (strcmp(body->string, words[i].word) != 0)
            continue;
        *is = true;
        *e = (struct nf_effect){.action = words[i].action};
        if (words[i].action == FW_JUMP || words[i].action == FW_GOTO) {
            const char *target = nft_text(body, "target");
            e->target = target ? nft_chain_find(n, target) : NULL;
            if (!e->target || e->target->base)
                return nft_fail(n, body, E_MALFORMED, "expected the name of a chain of this table that has no hook");
        }
        return 0;
    }
    return 0;
}

/* The rule narrowed further, for a statement that does several things. */
struct branch {
    struct nf_boxes box, not;
};

static struct branch keep(const struct nft *n)
{
    return (struct branch){n->rule.box, n->rule.not};
}

static void restore(struct nft *n, const struct branch *b)
{
    /* `not` is copied when it grows next: what was added behind its end is written over. */
    n->rule.box = b->box;
    n->rule.not = b->not;
}

static bool is_default(const cJSON *key)
{
    return cJSON_IsString(key) && strcmp(key->valuestring, "*") == 0;
}

/* ---- verdict maps ---- */

static int vmap_branch(struct nft *n, const struct nft_keys *keys, const cJSON *pair, struct nf_boxes *seen)
{
    struct branch before = keep(n);
    struct nf_effect e;
    const cJSON *key = nft_plain(pair->child), *value = pair->child ? pair->child->next : NULL;
    bool is;
    if (!key || !value)
        return nft_expected(n, pair, "a key and a verdict");
    int err = verdict(n, value, &e, &is);
    if (err)
        return err;
    if (!is && !nft_get(value, "continue"))
        return nft_expected(n, value, "a verdict");
    struct nf_boxes set = {0};
    if (is_default(key)) {
        nf_and_boxes(&n->rule, seen, true);
    } else {
        err = nft_element(n, keys, key, &set);
        for (size_t i = 0; i < set.count && !err && !n->rule.err; i++)
            *nf_box_add(&n->rule, seen) = set.v[i];
        nf_and_boxes(&n->rule, &set, false);
    }
    if (!err && is)
        err = emit(n, &e);
    restore(n, &before);
    return err;
}

static int untold(struct nft *n, const char *why)
{
    nf_and_unknown(&n->rule, why);
    return emit(n, &(struct nf_effect){.untold = true});
}

static int vmap(struct nft *n, const cJSON *body)
{
    struct nft_keys keys;
    const cJSON *list, *pair, *last = NULL;
    const char *why;
    int err = nft_keys(n, nft_get(body, "key"), &keys);
    err = err ? err : nft_elements(n, nft_get(body, "data"), &list, &why);
    if (err)
        return err;
    nft_imply(n, &keys);
    if (why || keys.why)
        nf_and_unknown(&n->rule, why ? why : keys.why);
    struct nf_boxes seen = {0};
    cJSON_ArrayForEach(pair, list) {
        if (cJSON_GetArraySize(pair) == 2 && is_default(nft_plain(pair->child)))
            last = pair;
        else if (!err && !n->rule.err)
            err = keys.why ? 0 : vmap_branch(n, &keys, pair, &seen);
    }
    if (!err && !n->rule.err && last && !keys.why)
        err = vmap_branch(n, &keys, last, &seen);
    if (!err && (keys.why || why)) /* any of its verdicts */
        err = untold(n, why ? why : keys.why);
    return err;
}

/* ---- translation ---- */

static bool has_flag(const cJSON *flags, const char *word)
{
    const cJSON *f;
    if (cJSON_IsString(flags))
        return strcmp(flags->valuestring, word) == 0;
    cJSON_ArrayForEach(f, flags)
        if (cJSON_IsString(f) && strcmp(f->valuestring, word) == 0)
            return true;
    return false;
}

struct nat {
    struct fw_nat_to to;
    struct fw_addr addr;
    bool map_net; /* the network part alone is replaced */
};

/* An address, or an address and a port. */
static int new_address(struct nft *n, const cJSON *value, struct nat *nat)
{
    const cJSON *concat = nft_get(value, "concat"), *port = concat && concat->child ? concat->child->next : NULL;
    struct nf_span span = {0, 0};
    if (!nft_address(concat ? concat->child : value, &nat->addr))
        return nft_expected(n, value, "an address");
    if (port && !nft_span(port, nf_service_port, &span))
        return nft_expected(n, port, "a port");
    nat->to.to = &nat->addr;
    if (port) {
        nat->to.port_lo = span.lo;
        nat->to.port_hi = span.hi;
    }
    return 0;
}

static int new_port(struct nft *n, const cJSON *value, struct nat *nat)
{
    struct nf_span span;
    if (!nft_span(value, nf_service_port, &span))
        return nft_expected(n, value, "a port or a range of ports");
    nat->to.port_lo = span.lo;
    nat->to.port_hi = span.hi;
    return 0;
}

/* Position by position, for a network of the size of what the rule picks. */
static int map_net(struct nft *n, const struct nat *nat)
{
    enum { MAX = 256 };
    struct nf_rule *r = &n->rule;
    bool dst = r->chain->hooks & (1u << FW_PREROUTING | 1u << FW_OUTPUT);
    struct nf_box all = r->box.count ? r->box.v[0] : (struct nf_box){0};
    const struct nf_addrs *from = dst ? all.dst : all.src;
    uint64_t count = fw_addr_count(&nat->addr.a, &nat->addr.b);
    if (count > MAX || r->box.count != 1 || !from || from->count != 1 || from->v[0].masked ||
        fw_addr_count(&from->v[0].a, &from->v[0].b) != count) {
        nf_and_unknown(r, "a network translated to a network, of more than 256 addresses or of another size");
        return emit(n, &(struct nf_effect){.action = FW_NAT_TO});
    }
    int err = 0;
    struct branch before = keep(n);
    for (uint64_t i = 0; i < count && !err; i++) {
        struct fw_addr one = {fw_addr_plus(&from->v[0].a, i), fw_addr_plus(&from->v[0].a, i), false}, to = one;
        to.a = to.b = fw_addr_plus(&nat->addr.a, i);
        r->box = (struct nf_boxes){0};
        *nf_box_add(r, &r->box) = all;
        *(dst ? &r->box.v[0].dst : &r->box.v[0].src) = nf_addrs_of(&n->nf.scratch, &one, 1);
        err = emit(n, &(struct nf_effect){.action = FW_NAT_TO, .nat = &(struct fw_nat_to){.to = &to}});
    }
    restore(n, &before);
    return err;
}

static int translate(struct nft *n, const struct nat *nat)
{
    struct nf_rule *r = &n->rule;
    if (nat->to.to && r->family != nat->addr.a.family) {
        struct nf_boxes set = {0};
        nf_box_add(r, &set)->dst = nf_addrs_any(&n->nf.scratch, nat->addr.a.family);
        nf_and_boxes(r, &set, false);
    }
    if (nat->map_net)
        return map_net(n, nat);
    return emit(n, &(struct nf_effect){.action = FW_NAT_TO, .nat = &nat->to});
}

static int nat_unknown(struct nft *n, const char *why)
{
    nf_and_unknown(&n->rule, why);
    return emit(n, &(struct nf_effect){.action = FW_NAT_TO});
}

/* The new address or port is looked up: a rule for each element of the map. */
static int translate_by(struct nft *n, const cJSON *map, const struct nat *nat, bool port)
{
    struct nft_keys keys;
    const cJSON *list, *pair;
    const char *why;
    int err = nft_keys(n, nft_get(map, "key"), &keys);
    err = err ? err : nft_elements(n, nft_get(map, "data"), &list, &why);
    if (err)
        return err;
    nft_imply(n, &keys);
    if (why || keys.why)
        return nat_unknown(n, why ? why : keys.why);
    cJSON_ArrayForEach(pair, list) {
        struct branch before = keep(n);
        struct nat to = *nat;
        struct nf_boxes set = {0};
        const cJSON *value = pair->child ? pair->child->next : NULL;
        if (!value)
            return nft_expected(n, pair, "a key and a value");
        err = is_default(nft_plain(pair->child)) ? nat_unknown(n, "a map with a default")
                                                 : nft_element(n, &keys, nft_plain(pair->child), &set);
        err = err ? err : port ? new_port(n, nft_plain(value), &to) : new_address(n, nft_plain(value), &to);
        if (err)
            return err;
        nf_and_boxes(&n->rule, &set, false);
        err = translate(n, &to);
        restore(n, &before);
        if (err || n->rule.err)
            return err;
    }
    return 0;
}

static int nat(struct nft *n, const cJSON *body)
{
    const cJSON *addr = nft_get(body, "addr"), *port = nft_get(body, "port"), *flags = nft_get(body, "flags");
    const char *kind = body->string;
    struct nat to = {0};
    int err = 0;
    to.to.own = strcmp(kind, "masquerade") == 0 || strcmp(kind, "redirect") == 0;
    to.to.random_port = has_flag(flags, "random") || has_flag(flags, "fully-random");
    to.map_net = has_flag(flags, "netmap");
    const cJSON *by_addr = nft_get(addr, "map"), *by_port = nft_get(port, "map");
    if (by_addr && by_port)
        return nat_unknown(n, "address and port looked up apart");
    if (addr && !by_addr)
        err = new_address(n, addr, &to);
    if (port && !by_port && !err)
        err = new_port(n, port, &to);
    if (err)
        return err;
    if (by_addr || by_port)
        return translate_by(n, by_addr ? by_addr : by_port, &to, by_port != NULL);
    if (!to.to.own && !addr && !port)
        return nft_expected(n, body, "an address or a port");
    return translate(n, &to);
}

/* ---- statements ---- */

static int helper(struct nft *n, const cJSON *body)
{
    const char *key = cJSON_IsString(body) ? arena_format(&n->nf.scratch, "%s %s", n->table, body->valuestring) : "";
    const struct nft_helper *h = n->helpers;
    while (h && strcmp(h->key, key) != 0)
        h = h->next;
    if (!h || n->naming)
        return 0;
    n->modelled = true;
    return fw_rules_add_inspection(n->nf.rules, h->type, n->line, n->text);
}

/* Marks, and headers that are written to. */
static int mangle(struct nft *n, const cJSON *body)
{
    const cJSON *key = nft_get(body, "key"), *payload = nft_get(key, "payload");
    const char *meta = nft_text(nft_get(key, "meta"), "key"), *ct = nft_text(nft_get(key, "ct"), "key");
    const char *field = nft_text(payload, "field");
    if ((meta && strcmp(meta, "mark") == 0) || (ct && strcmp(ct, "mark") == 0))
        n->nf.marks_set = true;
    static const char *const decide[] = {"saddr", "daddr", "sport", "dport", "protocol", "nexthdr", "flags", "type"};
    bool matters = payload && !field;
    for (size_t i = 0; field && i < sizeof decide / sizeof *decide; i++)
        matters = matters || strcmp(field, decide[i]) == 0;
    return matters ? nat_unknown(n, "it writes into headers that rules look at") : 0;
}

static int set_statement(struct nft *n, const cJSON *body)
{
    const char *name = nft_text(body, "set");
    struct nft_set *s = name ? nft_set_find(n, name) : NULL;
    if (s)
        s->unknown = "rules change it while the firewall runs";
    nf_and_unknown(&n->rule, "a set that rules fill: whether it has room, and the limits of its elements");
    return 0;
}

static int reject(struct nft *n, const cJSON *body)
{
    const char *type = nft_text(body, "type");
    struct nft_keys implied = {.count = 1};
    struct nft_key *k = &implied.v[0];
    k->family = type && strcmp(type, "icmp") == 0 ? IP_V4 : type && strcmp(type, "icmpv6") == 0 ? IP_V6 : 0;
    k->proto = type && strcmp(type, "tcp reset") == 0 ? PROTO_TCP : 0;
    nft_imply(n, &implied);
    return emit(n, &(struct nf_effect){.action = FW_REJECT});
}

static int notrack(struct nft *n, const cJSON *body)
{
    (void)body;
    return emit(n, &(struct nf_effect){.action = FW_NOTRACK});
}

enum { GOES_ON = 0, ENDS = 1 };

/* run NULL: it changes nothing, or makes the rest uncertain (why). */
static const struct statement {
    const char *name;
    int (*run)(struct nft *n, const cJSON *body);
    int then;
    const char *why;
} statements[] = {
    {"match", nft_match, GOES_ON, NULL},
    {"counter", NULL, GOES_ON, NULL},
    {"log", NULL, GOES_ON, NULL},
    {"last", NULL, GOES_ON, NULL},
    {"continue", NULL, GOES_ON, NULL},
    {"comment", NULL, GOES_ON, NULL},
    {"dup", NULL, GOES_ON, NULL},
    {"flow", NULL, GOES_ON, NULL},
    {"secmark", NULL, GOES_ON, NULL},
    {"reset", NULL, GOES_ON, NULL},
    {"ct timeout", NULL, GOES_ON, NULL},
    {"ct expectation", NULL, GOES_ON, NULL},
    {"mangle", mangle, GOES_ON, NULL},
    {"notrack", notrack, GOES_ON, NULL},
    {"ct helper", helper, GOES_ON, NULL},
    {"set", set_statement, GOES_ON, NULL},
    {"limit", NULL, GOES_ON, "limit: depends on the packets that came before"},
    {"quota", NULL, GOES_ON, "quota: depends on the packets that came before"},
    {"ct count", NULL, GOES_ON, "ct count: depends on the packets that came before"},
    {"meter", NULL, GOES_ON, "meter: depends on the packets that came before"},
    {"vmap", vmap, ENDS, NULL},
    {"dnat", nat, ENDS, NULL},
    {"snat", nat, ENDS, NULL},
    {"masquerade", nat, ENDS, NULL},
    {"redirect", nat, ENDS, NULL},
    {"reject", reject, ENDS, NULL},
    {"queue", NULL, ENDS, "queue: a program decides"},
    {"tproxy", NULL, GOES_ON, "tproxy: a proxy on the firewall takes the connection"},
    {"synproxy", NULL, ENDS, "synproxy: the firewall answers for the server"},
    {"fwd", NULL, ENDS, "fwd: it leaves by another device"},
};

/* What has no name here, or is text that nft could not print as JSON: anything may come of it. */
static int stranger(struct nft *n, const cJSON *statement)
{
    const cJSON *body = nft_only(statement);
    const char *name = body ? body->string : cJSON_IsString(statement) ? "a chain within the rule" : "?";
    return untold(n, arena_format(&n->nf.scratch, "%.40s: not told by the file as far as this program can read", name));
}

static int verify_reverse(struct nft *n)
{
    n->modelled = true;
    return n->naming ? 0 : nf_verify_reverse(&n->rule, n->line, n->text);
}

static int one(struct nft *n, const cJSON *statement, bool *ended)
{
    struct nf_effect e;
    bool is;
    int err = verdict(n, statement, &e, &is);
    if (err)
        return err;
    const cJSON *body = nft_only(statement);
    if (is) {
        *ended = true;
        if (n->no_way_back && e.action == FW_DENY && nf_is_reverse_check(&n->rule))
            return verify_reverse(n);
        if (n->no_way_back)
            nf_and_unknown(&n->rule, "fib: the way back");
        return emit(n, &e);
    }
    size_t i = 0;
    while (body && i < sizeof statements / sizeof *statements && strcmp(body->string, statements[i].name) != 0)
        i++;
    if (!body || i == sizeof statements / sizeof *statements)
        return stranger(n, statement);
    const struct statement *s = &statements[i];
    *ended = s->then == ENDS;
    if (n->no_way_back && (s->run || s->why) && s->run != nft_match)
        nf_and_unknown(&n->rule, "fib: the way back");
    if (s->run)
        return s->run(n, body);
    if (!s->why)
        return 0;
    nf_and_unknown(&n->rule, s->why);
    return s->then == ENDS || strcmp(s->name, "tproxy") == 0 ? untold(n, s->why) : 0;
}

int nft_rule(struct nft *n, const cJSON *expr)
{
    const cJSON *statement;
    bool ended = false;
    cJSON_ArrayForEach(statement, expr) {
        bool tells = nft_get(statement, "counter") || nft_get(statement, "log");
        if (ended && tells)
            continue;
        /* Behind a verdict stands nothing else in files that nft prints. */
        int err = ended ? stranger(n, statement) : one(n, statement, &ended);
        if (err || n->rule.err)
            return err;
    }
    return 0;
}
