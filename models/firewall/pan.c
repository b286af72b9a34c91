/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Palo Alto PAN-OS: what is where in the tree, and in what order it counts. */
#include "models/firewall/pan.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/rules.h"

/* What may stand in a place that holds rules or objects, beside rulebases. */
enum part { QUIET, OBJECTS /* marked where they are used */, PLACE /* looked into by itself */ };

static const struct known {
    const char *name;
    enum part part;
} known[] = {
    {"address", OBJECTS},
    {"address-group", OBJECTS},
    {"service", OBJECTS},
    {"service-group", OBJECTS},
    {"zone", PLACE},
    {"network", PLACE},
    {"rulebase", PLACE},
    {"pre-rulebase", PLACE},
    {"post-rulebase", PLACE},
    {"deviceconfig", PLACE},
    {"vsys", PLACE},
    {"device-group", PLACE},
    {"shared", PLACE},
    {"config", PLACE},
    {"devices", PLACE},
    {"template", PLACE},
    {"template-stack", QUIET},
    {"policy", PLACE},
    {"alg-override", PLACE},
    {"external-list", QUIET},
    {"region", QUIET},
    {"application", QUIET},
    {"application-group", QUIET},
    {"application-filter", QUIET},
    {"application-tag", QUIET},
    {"application-status", QUIET},
    {"schedule", QUIET},
    {"tag", QUIET},
    {"profiles", QUIET},
    {"profile-group", QUIET},
    {"log-settings", QUIET},
    {"log-collector", QUIET},
    {"log-collector-group", QUIET},
    {"mgt-config", QUIET},
    {"certificate", QUIET},
    {"certificate-profile", QUIET},
    {"ssl-tls-service-profile", QUIET},
    {"ssl-decrypt", QUIET},
    {"ssl-exclude-cert", QUIET},
    {"authentication-profile", QUIET},
    {"authentication-sequence", QUIET},
    {"authentication-object", QUIET},
    {"server-profile", QUIET},
    {"user-id-agent", QUIET},
    {"user-id-collector", QUIET},
    {"user-id-hub", QUIET},
    {"group-mapping", QUIET},
    {"captive-portal", QUIET},
    {"global-protect", QUIET},
    {"admin-role", QUIET},
    {"botnet", QUIET},
    {"dns-proxy", QUIET},
    {"dynamic-user-group", QUIET},
    {"device-object", QUIET},
    {"email-scheduler", QUIET},
    {"local-user-database", QUIET},
    {"override", QUIET},
    {"display-name", QUIET},
    {"description", QUIET},
    {"import", QUIET},
    {"setting", QUIET},
    {"report-group", QUIET},
    {"reports", QUIET},
    {"pdf-summary-report", QUIET},
    {"response-page", QUIET},
    {"url-admin-override", QUIET},
    {"url-content-types", QUIET},
    {"threats", QUIET},
    {"wildfire", QUIET},
    {"readonly", QUIET},
    {"reference-templates", QUIET},
    {"plugins", QUIET},
    {"iot", QUIET},
    {"urldb", QUIET},
    {"version", QUIET},
    {"settings", QUIET},
    {"variable", QUIET},
};

/* The places that a configuration nests in: shared, devices with virtual systems, device groups, what was pushed. */
struct places {
    struct fw_node *shared, *pushed, *unit[256]; /* unit: virtual systems and device groups */
    size_t units;
};

static int look_into(struct pan *p, struct fw_node *at, struct places *out);

static int units_below(struct pan *p, struct fw_node *holder, struct places *out)
{
    for (struct fw_node *n = holder ? holder->first : NULL; n; n = n->next) {
        if (out->units == sizeof out->unit / sizeof *out->unit)
            return fw_tree_fail(&p->t, n, E_RANGE, "expected fewer virtual systems and device groups");
        out->unit[out->units++] = n;
    }
    return 0;
}

static int below(struct pan *p, struct fw_node *holder, struct places *out)
{
    int err = 0;
    for (struct fw_node *n = holder ? holder->first : NULL; n && !err; n = n->next)
        err = look_into(p, n, out);
    return err;
}

/* A node that may be a device: it has the network. */
static int look_into(struct pan *p, struct fw_node *at, struct places *out)
{
    const struct fw_tree *t = &p->t;
    if (p->devices == PAN_SCOPES_MAX)
        return fw_tree_fail(&p->t, at, E_RANGE, "expected at most %d devices", PAN_SCOPES_MAX);
    p->device[p->devices++] = at;
    struct fw_node *n;
    if ((n = fw_tree_child(t, at, "shared")))
        out->shared = n;
    if ((n = fw_tree_find(t, at, "policy panorama")))
        out->pushed = n;
    int err = units_below(p, fw_tree_child(t, at, "vsys"), out);
    err = err ? err : units_below(p, fw_tree_child(t, at, "device-group"), out);
    err = err ? err : below(p, fw_tree_child(t, at, "devices"), out);
    err = err ? err : below(p, fw_tree_child(t, at, "template"), out);
    n = fw_tree_child(t, at, "config");
    return err || !n ? err : look_into(p, n, out);
}

static bool is_group(const struct fw_node *unit)
{
    return strcmp(unit->parent->word, "device-group") == 0;
}

/* The chosen ones: of virtual systems at most one, of device groups at most one. */
static int choose(struct pan *p, const struct places *at, struct fw_node **vsys, struct fw_node **group)
{
    const char *section = p->t.src->section;
    char names[120] = "";
    size_t count[2] = {0, 0}, met = 0;
    struct text t = text_of(names, sizeof names);
    *vsys = *group = NULL;
    for (size_t i = 0; i < at->units; i++) {
        struct fw_node *u = at->unit[i];
        bool it = section && strcmp(section, u->word) == 0;
        text_add(&t, "%s%s", t.len ? ", " : "", u->word);
        count[is_group(u)]++;
        met += it;
        if (!section || it)
            *(is_group(u) ? group : vsys) = u;
        if (section && !it)
            fw_tree_quiet(u);
    }
    if (section ? met != 1 : count[0] > 1 || count[1] > 1)
        return fw_tree_fail_at(&p->t, 1, 1, E_UNSUPPORTED,
                               "expected one virtual system or device group to be chosen; the file has %zu: %s",
                               at->units, names);
    return 0;
}

static void push(struct fw_node **list, size_t *count, struct fw_node *n)
{
    if (n && *count < PAN_SCOPES_MAX)
        list[(*count)++] = n;
}

static void order(struct pan *p, const struct places *at, struct fw_node *vsys, struct fw_node *group)
{
    struct fw_node *scope[] = {vsys, group, at->pushed, at->shared};
    const struct fw_tree *t = &p->t;
    for (size_t i = 0; i < sizeof scope / sizeof *scope; i++)
        push(p->scope, &p->scopes, scope[i]);
    for (size_t i = 0; i < p->devices; i++)
        push(p->scope, &p->scopes, p->device[i]);
    push(p->book, &p->books, fw_tree_child(t, at->shared, "pre-rulebase"));
    push(p->book, &p->books, fw_tree_child(t, at->pushed, "pre-rulebase"));
    push(p->book, &p->books, fw_tree_child(t, group, "pre-rulebase"));
    for (size_t i = 0; i < p->devices; i++)
        push(p->book, &p->books, fw_tree_child(t, p->device[i], "pre-rulebase"));
    push(p->book, &p->books, fw_tree_child(t, vsys, "rulebase"));
    for (size_t i = 0; i < p->devices; i++)
        push(p->book, &p->books, fw_tree_child(t, p->device[i], "rulebase"));
    push(p->book, &p->books, fw_tree_child(t, group, "post-rulebase"));
    for (size_t i = 0; i < p->devices; i++)
        push(p->book, &p->books, fw_tree_child(t, p->device[i], "post-rulebase"));
    push(p->book, &p->books, fw_tree_child(t, at->pushed, "post-rulebase"));
    push(p->book, &p->books, fw_tree_child(t, at->shared, "post-rulebase"));
}

/* ---- what is not looked into ---- */

static int strange(struct pan *p, struct fw_node *n)
{
    const char *why = fw_tree_words(&p->t, "\"%.60s\" is not understood", n->word);
    char text[FW_LEDGER_TEXT];
    fw_tree_unsupported(n, why);
    struct fw_taint_spec t = {.why = why, .line = n->line, .text = fw_ledger_text(&p->t.ledger, n->line, text)};
    return fw_rules_add_taint(p->t.rules, &t);
}

static int mark_place(struct pan *p, struct fw_node *at)
{
    int err = 0;
    for (struct fw_node *n = at->first; n && !err; n = n->next) {
        const struct known *k = known, *end = k + sizeof known / sizeof *known;
        while (k < end && strcmp(k->name, n->word) != 0)
            k++;
        if (k == end)
            err = strange(p, n);
        else if (k->part == QUIET)
            fw_tree_quiet(n);
        else if (k->part == OBJECTS)
            fw_tree_used(n);
    }
    return err;
}

/* Of network and deviceconfig what is not read has no say in what passes. */
static void mark_device(struct pan *p, struct fw_node *device)
{
    struct fw_node *network = fw_tree_child(&p->t, device, "network");
    for (struct fw_node *n = network ? network->first : NULL; n; n = n->next)
        if (!n->marked)
            fw_tree_quiet(n);
    struct fw_node *config = fw_tree_child(&p->t, device, "deviceconfig");
    if (config)
        fw_tree_quiet(config);
}

/* ---- rules ---- */

static const struct policy {
    const char *name;
    int (*read)(struct pan *p, struct fw_node *rules);
    const char *why; /* its rules cast doubt; NULL: they do not */
} policies[] = {
    {"security", pan_security, NULL},
    {"nat", NULL, NULL}, /* read by itself, behind the security rules */
    {"default-security-rules", NULL, NULL},
    {"pbf", NULL, "policy-based forwarding is not followed"},
    {"application-override", NULL, NULL}, /* rules for an application are in doubt with it and without */
    {"authentication", NULL, "whether a user has to log in first is not known"},
    {"captive-portal", NULL, "whether a user has to log in first is not known"},
    {"sdwan", NULL, "the choice of a path (SD-WAN) is not followed"},
    {"decryption", NULL, NULL},
    {"qos", NULL, NULL},
    {"dos", NULL, NULL},
    {"tunnel-inspect", NULL, NULL},
    {"network-packet-broker", NULL, NULL},
};

static int one_policy(struct pan *p, struct fw_node *node)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        const struct policy *k = &policies[i];
        if (strcmp(k->name, node->word) != 0)
            continue;
        struct fw_node *rules = fw_tree_child(&p->t, node, "rules");
        if (k->read)
            return k->read(p, rules);
        if (!k->why) {
            fw_tree_quiet(node);
            return 0;
        }
        int err = 0;
        for (struct fw_node *n = rules ? rules->first : NULL; n && !err; n = n->next)
            err = pan_taint(p, n, k->why);
        return err;
    }
    return strange(p, node);
}

static int read_books(struct pan *p)
{
    int err = 0;
    for (size_t i = 0; i < p->books && !err; i++)
        for (struct fw_node *n = p->book[i]->first; n && !err; n = n->next)
            err = one_policy(p, n);
    for (size_t i = 0; i < p->books && !err; i++)
        err = pan_nat(p, fw_tree_find(&p->t, p->book[i], "nat rules"));
    for (size_t i = 0; i < p->books && !err; i++)
        err = pan_defaults(p, fw_tree_find(&p->t, p->book[i], "default-security-rules rules"));
    return err;
}

/* The application layer gateway for SIP is on unless the file turns it off. */
static int gateways(struct pan *p)
{
    for (size_t i = 0; i < p->scopes; i++) {
        struct fw_node *off = fw_tree_find(&p->t, p->scope[i], "alg-override application sip alg-disabled");
        if (off && fw_tree_child(&p->t, off, "yes")) {
            fw_tree_used(off);
            return 0;
        }
    }
    return fw_rules_add_inspection(p->t.rules, "sip", 0, "the SIP gateway is on unless alg-override turns it off");
}

static int bind(struct pan *p)
{
    struct fw_policy policy = {.without_list = FW_DEFAULT_ZONES, .nat_by_session = true,
                               .view = {FW_VIEW_ARRIVED, FW_VIEW_ARRIVED}};
    fw_rules_set_policy(p->t.rules, &policy);
    /* Persistent mappings are an option that is off: a port for each destination. */
    struct fw_nat_behaviour b = {.mapping = FW_ADDRESS_AND_PORT_DEPENDENT, .filtering = FW_ADDRESS_AND_PORT_DEPENDENT,
                                 .ports = FW_PORTS_RANDOM, .pooling = FW_POOL_PAIRED, .refresh = FW_REFRESH_BOTH};
    fw_rules_set_nat_behaviour(p->t.rules, &b);
    return fw_rules_bind(p->t.rules, "security", FW_ANY_IFACE, FW_IN);
}

static int read_all(struct pan *p)
{
    struct places at = {0};
    struct fw_node *vsys, *group;
    int err = pan_read(p);
    err = err ? err : look_into(p, &p->t.root, &at);
    err = err ? err : choose(p, &at, &vsys, &group);
    if (err)
        return err;
    order(p, &at, vsys, group);
    if (p->books == 0)
        return fw_tree_fail_at(&p->t, 1, 1, E_MALFORMED, "expected a rulebase, found none");
    for (size_t i = 0; i < p->scopes && !err; i++)
        err = mark_place(p, p->scope[i]);
    err = err ? err : pan_network(p);
    for (size_t i = 0; i < p->devices; i++)
        mark_device(p, p->device[i]);
    err = err ? err : gateways(p);
    err = err ? err : read_books(p);
    if (!err && p->t.rules->iface_count == 0)
        err = fw_tree_fail_at(&p->t, 1, 1, E_MALFORMED, "expected zones or interfaces, found none");
    return err ? err : bind(p);
}

int fw_pan_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct pan *p = calloc(1, sizeof *p);
    if (!p) {
        *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
        return E_NOMEM;
    }
    int err = fw_tree_open(&p->t, src, diag);
    err = err ? err : read_all(p);
    free(p->src.set.v);
    free(p->dst.set.v);
    free(p->more.set.v);
    free(p->kinds.set.v);
    err = fw_tree_close(&p->t, err, out);
    free(p);
    return err;
}

/* A line that only PAN-OS has: `set ... rulebase ...`, or a block rulebase { */
static bool tells(const char *line, size_t n)
{
    static const char *const set[] = {" rulebase ", " pre-rulebase ", " post-rulebase "};
    static const char *const block[] = {"rulebase {", "pre-rulebase {", "post-rulebase {"};
    while (n && (*line == ' ' || *line == '\t')) {
        line++;
        n--;
    }
    bool it = false;
    for (size_t i = 0; i < 3 && !it; i++)
        it = (n > 4 && memcmp(line, "set ", 4) == 0 && memmem(line, n, set[i], strlen(set[i]))) ||
             (n >= strlen(block[i]) && memcmp(line, block[i], strlen(block[i])) == 0);
    return it;
}

bool fw_pan_recognise(const char *text, size_t len)
{
    return fw_any_line(text, len, tells);
}
