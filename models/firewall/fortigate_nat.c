/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source translation belongs to the policy that a packet meets: a rule for each accepting policy, in order; one that
 * does not translate keeps later ones from it. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/fortigate.h"
#include "models/firewall/rules.h"

struct nat {
    struct fortigate *f;
    struct fw_node *policy;
    struct fw_nat_spec spec;
    struct fw_addrs pool;
    uint64_t in, out; /* 0: any */
};

static int add(struct nat *n)
{
    if (n->f->nats++ == FORTIGATE_NAT_MAX)
        return fw_tree_fail(&n->f->t, n->policy, E_RANGE, "expected at most %d translations", FORTIGATE_NAT_MAX);
    return fw_rules_add_nat(n->f->t.rules, &n->spec);
}

static int by_interfaces(struct nat *n)
{
    int err = 0;
    for (int i = n->in ? 0 : FW_ANY_IFACE; i < (n->in ? FW_IFACE_MAX : 0) && !err; i++)
        for (int k = n->out ? 0 : FW_ANY_IFACE; k < (n->out ? FW_IFACE_MAX : 0) && !err; k++)
            if ((i < 0 || n->in >> i & 1) && (k < 0 || n->out >> k & 1)) {
                n->spec.real_iface = i;
                n->spec.mapped_iface = k;
                err = add(n);
            }
    return err;
}

static int by_services(struct nat *n, const struct fw_kinds *kinds)
{
    if (kinds->any || kinds->vague)
        return by_interfaces(n);
    int err = 0;
    for (size_t i = 0; i < kinds->set.count && !err; i++) {
        n->spec.from = n->spec.to = &kinds->set.v[i];
        err = by_interfaces(n);
    }
    return err;
}

/* ---- pools ---- */

static int doubt(struct nat *n, struct fw_node *at, const char *why)
{
    char text[FW_LEDGER_TEXT];
    fw_tree_unsupported(at, why);
    struct fw_taint_spec t = {.src = n->spec.real, .src_count = n->spec.real_count, .dst = n->spec.dst_from,
                              .dst_count = n->spec.dst_from_count, .in_ifaces = n->in, .out_ifaces = n->out,
                              .why = why, .line = at->line, .text = fw_ledger_text(&n->f->t.ledger, at->line, text)};
    return fw_rules_add_taint(n->f->t.rules, &t);
}

static int pools(struct nat *n)
{
    struct fortigate *f = n->f;
    int err = 0;
    n->spec.pat = true;
    for (struct fw_node *m = fortigate_set(f, n->policy, "poolname"); m && !err; m = m->next) {
        struct fw_node *pool = fortigate_entry(f, "firewall ippool", m->word);
        struct fw_node *lo = fortigate_set(f, pool, "startip"), *hi = fortigate_set(f, pool, "endip");
        struct fw_addr a = {0};
        if (!lo || !hi)
            return doubt(n, m->parent, "a pool that is not in the file");
        if (ip_parse(lo->word, &a.a) || ip_parse(hi->word, &a.b) || ip_compare(&a.a, &a.b) > 0)
            return fw_tree_fail(&f->t, lo, E_MALFORMED, "expected the addresses of a pool in order");
        n->spec.pat = n->spec.pat && !fortigate_is(f, pool, "type", "one-to-one");
        err = fw_addrs_push(&n->pool, &a);
    }
    n->spec.mapped = n->pool.v;
    n->spec.mapped_count = n->pool.count;
    return err;
}

/* A virtual IP of whole addresses also is the source of what its servers send, where the policy translates. */
static int servers(struct nat *n)
{
    struct fortigate *f = n->f;
    struct fw_set src = {f->src.set.v, f->src.set.count, f->src.set.count};
    struct nat s = *n;
    int err = 0;
    s.spec.dynamic = s.spec.interface = s.spec.pat = false;
    s.spec.real_count = s.spec.mapped_count = 1;
    for (size_t i = 0; i < f->vips && !err; i++) {
        const struct fortigate_vip *v = &f->vip[i];
        if (v->vague || v->forward || v->nowhere || !fw_set_has(&src, &v->mapped.v[0].a) ||
            !fw_set_has(&src, &v->mapped.v[0].b) || (v->in && n->out && !(v->in & n->out)))
            continue;
        s.spec.real = v->mapped.v;
        s.spec.mapped = v->ext.v;
        s.out = v->in && n->out ? v->in & n->out : v->in ? v->in : n->out;
        err = by_services(&s, &f->kinds);
    }
    n->f->nats = s.f->nats;
    return err;
}

static bool all_of_a_family(const struct fw_addrs *s)
{
    struct fw_addr four = fw_addr_any(IP_V4), six = fw_addr_any(IP_V6);
    return s->count == 1 && ((ip_equal(&s->v[0].a, &four.a) && ip_equal(&s->v[0].b, &four.b)) ||
                             (ip_equal(&s->v[0].a, &six.a) && ip_equal(&s->v[0].b, &six.b)));
}

int fortigate_source_nat(struct fortigate *f, struct fw_node *policy, const struct fortigate_vip *vip)
{
    const struct fw_addrs *dst = vip ? &vip->mapped : &f->dst.set;
    bool none[2], nat = fortigate_is(f, policy, "nat", "enable");
    if (!f->translates || dst->count == 0 || f->src.set.count == 0)
        return 0;
    char text[FW_LEDGER_TEXT];
    struct nat n = {.f = f, .policy = policy};
    bool six = f->src.set.v[0].a.family == IP_V6;
    n.in = fortigate_ifaces(f, policy, "srcintf", &none[0]);
    n.out = fortigate_ifaces(f, policy, "dstintf", &none[1]);
    n.spec = (struct fw_nat_spec){.section = FW_NAT_AFTER_AUTO, .unidirectional = true, .route_lookup = true,
                                  .dynamic = nat, .interface = nat, .pat = nat, .real = f->src.set.v,
                                  .real_count = f->src.set.count, .has_dst = !all_of_a_family(dst),
                                  .dst_from = dst->v, .dst_from_count = dst->count, .line = policy->line,
                                  .text = fw_ledger_text(&f->t.ledger, policy->line, text)};
    if (!n.spec.has_dst)
        n.spec.dst_from_count = 0;
    if (none[0] || none[1] || (nat && six))
        return 0;
    int err = 0;
    if (nat && fortigate_is(f, policy, "ippool", "enable")) {
        n.spec.interface = false;
        err = pools(&n);
    } else if (nat) {
        err = servers(&n);
    }
    if (!err && (!nat || n.spec.interface || n.pool.count))
        err = by_services(&n, &f->kinds);
    free(n.pool.v);
    return err;
}
