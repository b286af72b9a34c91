/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FortiGate configuration backup: which tables matter, and what the others do. */
#include "models/firewall/fortigate.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/rules.h"

/* Tables by the path behind `config`; a * at the end: those that begin so. The first that fits. */
enum effect { READ, QUIET, DOUBT, DOUBT_V6 };

static const struct known {
    const char *path;
    enum effect effect;
    const char *why;
} known[] = {
    {"vdom", READ, NULL},
    {"global", READ, NULL},
    {"system interface", READ, NULL},
    {"system zone", READ, NULL},
    {"system sdwan", READ, NULL},
    {"system virtual-wan-link", READ, NULL},
    {"system settings", READ, NULL},
    {"system global", QUIET, NULL},     /* its timers are marked by themselves */
    {"system session-ttl", QUIET, NULL},
    {"system session-helper", QUIET, NULL},
    {"router static", READ, NULL},
    {"router static6", READ, NULL},
    {"router policy*", DOUBT, "policy routes are not followed"},
    {"firewall policy", READ, NULL},
    {"firewall address", READ, NULL},
    {"firewall address6", READ, NULL},
    {"firewall addrgrp", READ, NULL},
    {"firewall addrgrp6", READ, NULL},
    {"firewall service custom", READ, NULL},
    {"firewall service group", READ, NULL},
    {"firewall service category", QUIET, NULL},
    {"firewall vip", READ, NULL},
    {"firewall vipgrp", READ, NULL},
    {"firewall ippool", READ, NULL},
    {"firewall ippool6", QUIET, NULL},
    {"firewall schedule*", QUIET, NULL}, /* policies with one are UNKNOWN */
    {"firewall policy6", DOUBT_V6, "policies for IPv6 in a table of their own (policy6) are not supported"},
    {"firewall vip6", DOUBT_V6, "virtual IPs of IPv6 are not supported"},
    {"firewall vipgrp6", DOUBT_V6, "virtual IPs of IPv6 are not supported"},
    {"firewall policy46", DOUBT, "translation between families is not supported"},
    {"firewall policy64", DOUBT_V6, "translation between families is not supported"},
    {"firewall central-snat-map", DOUBT, "central NAT is not supported"},
    {"firewall security-policy", DOUBT, "policy-based mode (NGFW) is not supported"},
    {"firewall consolidated policy", DOUBT, "consolidated policies are not supported"},
    {"firewall acl*", DOUBT, "access lists ahead of policies are not supported"},
    {"firewall ip-translation", DOUBT, "ip-translation is not supported"},
    {"firewall ttl-policy", DOUBT, "ttl policies are not supported"},
    {"firewall DoS-policy*", QUIET, NULL},
    {"firewall interface-policy*", QUIET, NULL},
    {"firewall local-in-policy*", QUIET, NULL}, /* to the device itself */
    {"firewall multicast-*", QUIET, NULL},
    {"firewall proxy-*", QUIET, NULL}, /* explicit proxy: to the device itself */
    {"firewall sniffer", QUIET, NULL},
    {"firewall shap*", QUIET, NULL},
    {"firewall wildcard-fqdn*", QUIET, NULL},
    {"firewall internet-service*", QUIET, NULL},
    {"firewall network-service-dynamic", QUIET, NULL},
    {"firewall profile-*", QUIET, NULL},
    {"firewall ssl-ssh-profile", QUIET, NULL},
    {"firewall ssl*", QUIET, NULL},
    {"firewall ssh*", QUIET, NULL},
    {"firewall auth-portal", QUIET, NULL},
    {"firewall identity-based-route", QUIET, NULL},
    {"firewall address6-template", QUIET, NULL},
    {"firewall ldb-monitor", QUIET, NULL},
    {"firewall ipmacbinding*", DOUBT, "address bindings to MACs are not supported"},
    {"firewall dnstranslation", QUIET, NULL},
    {"firewall global", QUIET, NULL},
    {"firewall iprope*", QUIET, NULL},
    {"firewall traffic-class", QUIET, NULL},
    {"firewall decrypted-traffic-mirror", QUIET, NULL},
    {"firewall access-proxy*", QUIET, NULL},
    {"firewall region", QUIET, NULL},
    {"firewall city", QUIET, NULL},
    {"firewall country", QUIET, NULL},
    {"firewall vendor-mac*", QUIET, NULL},
    {"system *", QUIET, NULL},
    {"router *", QUIET, NULL}, /* dynamic routing is not run */
    {"log *", QUIET, NULL},
    {"user *", QUIET, NULL},
    {"vpn *", QUIET, NULL},
    {"webfilter *", QUIET, NULL},
    {"antivirus *", QUIET, NULL},
    {"ips *", QUIET, NULL},
    {"application *", QUIET, NULL},
    {"dlp *", QUIET, NULL},
    {"emailfilter *", QUIET, NULL},
    {"spamfilter *", QUIET, NULL},
    {"dnsfilter *", QUIET, NULL},
    {"file-filter *", QUIET, NULL},
    {"videofilter *", QUIET, NULL},
    {"ssh-filter *", QUIET, NULL},
    {"sctp-filter *", QUIET, NULL},
    {"cifs *", QUIET, NULL},
    {"icap *", QUIET, NULL},
    {"voip *", QUIET, NULL},
    {"waf *", QUIET, NULL},
    {"wanopt *", QUIET, NULL},
    {"web-proxy *", QUIET, NULL},
    {"ftp-proxy *", QUIET, NULL},
    {"endpoint-control *", QUIET, NULL},
    {"switch-controller *", QUIET, NULL},
    {"wireless-controller *", QUIET, NULL},
    {"extender-controller *", QUIET, NULL},
    {"extension-controller *", QUIET, NULL},
    {"report *", QUIET, NULL},
    {"certificate *", QUIET, NULL},
    {"alertemail *", QUIET, NULL},
    {"authentication *", QUIET, NULL},
    {"automation *", QUIET, NULL},
    {"monitoring *", QUIET, NULL},
    {"credential-store *", QUIET, NULL},
    {"virtual-patch *", QUIET, NULL},
    {"casb *", QUIET, NULL},
    {"ztna *", QUIET, NULL},
    {"nsxt *", QUIET, NULL},
    {"gtp *", QUIET, NULL},
    {"pfcp *", QUIET, NULL},
};

static const struct known *effect_of(const char *path)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].path);
        bool open = known[i].path[n - 1] == '*';
        if (open ? strncmp(known[i].path, path, n - 1) == 0 : strcmp(known[i].path, path) == 0)
            return &known[i];
    }
    return NULL;
}

static int taint(struct fortigate *f, struct fw_node *at, const char *why, bool six)
{
    char text[FW_LEDGER_TEXT];
    struct fw_addr all = fw_addr_any(IP_V6);
    struct fw_taint_spec t = {.src = &all, .src_count = six, .why = why, .line = at->line,
                              .text = fw_ledger_text(&f->t.ledger, at->line, text)};
    fw_tree_unsupported(at, why);
    return fw_rules_add_taint(f->t.rules, &t);
}

/* Each table of a part of the file. */
static int mark_tables(struct fortigate *f, struct fw_node *part)
{
    int err = 0;
    for (struct fw_node *n = part ? part->first : NULL; n && !err; n = n->next) {
        const struct known *k = effect_of(n->word);
        if (!k)
            err = taint(f, n, fw_tree_words(&f->t, "\"config %.60s\" is not understood", n->word), false);
        else if (k->effect == QUIET || !n->first)
            fw_tree_quiet(n);
        else if (k->effect != READ)
            err = taint(f, n, k->why, k->effect == DOUBT_V6);
        else if (strcmp(n->word, "vdom") != 0 && strcmp(n->word, "global") != 0)
            fw_tree_used(n);
    }
    return err;
}

/* ---- modes ---- */

/* `config system settings`: what turns the device into another one. */
static int settings(struct fortigate *f)
{
    static const struct {
        const char *key, *value, *why;
    } modes[] = {
        {"central-nat", "enable", "central NAT is not supported"},
        {"ngfw-mode", "policy-based", "policy-based mode (NGFW) is not supported"},
        {"asymroute", "enable", "asymmetric routing switches the inspection of state off"},
    };
    struct fw_node *s = fortigate_table(f, "system settings");
    int err = 0;
    if (s)
        fw_tree_quiet(s);
    for (size_t i = 0; i < sizeof modes / sizeof *modes && !err; i++)
        if (fortigate_is(f, s, modes[i].key, modes[i].value))
            err = taint(f, fw_tree_child(&f->t, s, modes[i].key), modes[i].why, false);
    return err;
}

/* SIP passes through the proxy gateway unless the mode is the kernel's, and then through the helper unless that is
 * gone. */
static int sip(struct fortigate *f)
{
    struct fw_node *s = fortigate_table(f, "system settings"), *helpers = fortigate_table(f, "system session-helper");
    struct fw_node *at = fortigate_set(f, s, "default-voip-alg-mode"), *helper = NULL;
    for (struct fw_node *n = helpers ? helpers->first : NULL; n; n = n->next)
        if (fortigate_is(f, n, "name", "sip"))
            helper = n;
    fw_tree_used(helper);
    if (at)
        fw_tree_used(at->parent);
    bool kernel = at && strcmp(at->word, "kernel-helper-based") == 0;
    bool off = fortigate_is(f, s, "sip-helper", "disable");
    if (kernel && (off || (helpers && !helper)))
        return 0;
    const struct fw_node *line = helper ? helper : at;
    return fw_rules_add_inspection(f->t.rules, "sip", line ? line->line : 0,
                                   kernel ? "the SIP session helper" : "the SIP gateway (default-voip-alg-mode)");
}

/* "#config-version=FGT60F-7.2.5-FW-build1517": from 7.2.4 on denying policies meet packets to virtual IPs. */
static int match_vip(const struct fw_source *src)
{
    static const char head[] = "#config-version=";
    const char *p = memmem(src->text, src->len, head, strlen(head)), *end = src->text + src->len;
    for (p = p ? p + strlen(head) : end; p + 5 < end && *p != '\n'; p++) {
        unsigned v[3], n = 0;
        for (const char *d = p + 1; *p == '-' && n < 3 && d < end && *d >= '0' && *d <= '9'; d += *d == '.') {
            for (v[n] = 0; d < end && *d >= '0' && *d <= '9' && v[n] < 100; d++)
                v[n] = v[n] * 10 + (unsigned)(*d - '0');
            n++;
            if (d == end || *d != '.')
                break;
        }
        if (n == 3)
            return v[0] * 10000 + v[1] * 100 + v[2] >= 70204;
    }
    return -1;
}

/* ---- virtual domains ---- */

static int choose(struct fortigate *f)
{
    struct fw_node *vdoms = fw_tree_child(&f->t, &f->t.root, "vdom"), *found = NULL;
    const char *section = f->t.src->section;
    char names[120] = "";
    struct text t = text_of(names, sizeof names);
    size_t count = 0;
    f->vdom = &f->t.root;
    f->global = fw_tree_child(&f->t, &f->t.root, "global");
    for (struct fw_node *n = vdoms ? vdoms->first : NULL; n; n = n->next) {
        text_add(&t, "%s%s", count++ ? ", " : "", n->word);
        if (section ? strcmp(section, n->word) == 0 : true)
            found = n;
        fw_tree_quiet(n);
    }
    if ((section && !found) || (!section && count > 1))
        return fw_tree_fail_at(&f->t, 1, 1, E_UNSUPPORTED, "expected one virtual domain to be chosen; the file has "
                               "%zu: %s", count, names);
    if (found) {
        f->vdom = found;
        found->marked = false;
    }
    return 0;
}

static int read_all(struct fortigate *f)
{
    int err = fortigate_read(f);
    err = err ? err : choose(f);
    if (err)
        return err;
    if (!fortigate_table(f, "firewall policy"))
        return fw_tree_fail_at(&f->t, 1, 1, E_MALFORMED, "expected config firewall policy, found none");
    f->match_vip = match_vip(f->t.src);
    err = mark_tables(f, f->vdom);
    err = err ? err : mark_tables(f, f->global);
    err = err ? err : settings(f);
    err = err ? err : fortigate_network(f);
    err = err ? err : sip(f);
    err = err ? err : fortigate_vips(f);
    err = err ? err : fortigate_policies(f);
    struct fw_policy policy = {.without_list = FW_DEFAULT_DENY, .nat_by_session = true,
                               .view = {FW_VIEW_ARRIVED, FW_VIEW_ARRIVED}};
    fw_rules_set_policy(f->t.rules, &policy);
    struct fw_nat_behaviour b = {.mapping = FW_ADDRESS_AND_PORT_DEPENDENT, .filtering = FW_ADDRESS_AND_PORT_DEPENDENT,
                                 .ports = FW_PORTS_PRESERVE, .pooling = FW_POOL_PAIRED, .refresh = FW_REFRESH_BOTH};
    fw_rules_set_nat_behaviour(f->t.rules, &b);
    if (!err && f->t.rules->iface_count == 0)
        err = fw_tree_fail_at(&f->t, 1, 1, E_MALFORMED, "expected interfaces that policies name, found none");
    return err;
}

int fw_fortigate_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct fortigate *f = calloc(1, sizeof *f);
    if (!f) {
        *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
        return E_NOMEM;
    }
    int err = fw_tree_open(&f->t, src, diag);
    err = err ? err : read_all(f);
    for (size_t i = 0; i < f->vips; i++) {
        free(f->vip[i].ext.v);
        free(f->vip[i].mapped.v);
    }
    free(f->vip);
    free(f->src.set.v);
    free(f->dst.set.v);
    free(f->kinds.set.v);
    free(f->shifted.set.v);
    err = fw_tree_close(&f->t, err, out);
    free(f);
    return err;
}

bool fw_fortigate_recognise(const char *text, size_t len)
{
    static const char *const lines[] = {"config firewall policy", "config system interface", "#config-version="};
    for (size_t at = 0; at < len;) {
        const char *line = text + at, *eol = memchr(line, '\n', len - at);
        size_t n = eol ? (size_t)(eol - line) : len - at;
        at += n + 1;
        while (n && (*line == ' ' || *line == '\t')) {
            line++;
            n--;
        }
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (n >= strlen(lines[i]) && memcmp(line, lines[i], strlen(lines[i])) == 0)
                return true;
    }
    return false;
}
