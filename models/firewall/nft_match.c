/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables rules ask: a field beside a value, a range or a set. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/nft.h"

static void imply(struct nf_rule *r, struct nf_box *b, const struct nft_key *k)
{
    struct arena *a = &r->nf->scratch;
    if (k->family)
        b->dst = nf_addrs_and(a, b->dst, nf_addrs_any(a, k->family));
    if (k->proto) {
        struct nf_services *s = arena_alloc(a, sizeof *s);
        *s = (struct nf_services){arena_alloc(a, sizeof *s->v), 1};
        s->v[0] = FW_SERVICE_ANY;
        s->v[0].proto_lo = s->v[0].proto_hi = k->proto;
        b->service = nf_services_and(a, b->service, s);
    }
}

void nft_imply(struct nft *n, const struct nft_keys *keys)
{
    struct nf_boxes set = {0};
    struct nf_box *b = nf_box_add(&n->rule, &set);
    for (size_t i = 0; i < keys->count; i++)
        if (!n->rule.family || keys->v[i].family != n->rule.family || keys->v[i].proto)
            imply(&n->rule, b, &keys->v[i]);
    if (b->src || b->dst || b->service)
        nf_and_boxes(&n->rule, &set, false);
}

/* Services of numbers in a field. */
static void span_services(struct nf_rule *r, const struct nft_key *k, const struct nf_span *v, size_t count,
                          struct nf_boxes *set)
{
    static const uint8_t with_ports[] = {PROTO_TCP, PROTO_UDP};
    struct nf_services *s = arena_alloc(&r->nf->scratch, sizeof *s);
    size_t protos = k->any_proto ? 2 : 1;
    s->v = arena_alloc(&r->nf->scratch, (protos * count + 1) * sizeof *s->v);
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < protos; p++) {
            struct fw_service *x = &s->v[s->count++];
            *x = FW_SERVICE_ANY;
            if (k->proto || k->any_proto)
                x->proto_lo = x->proto_hi = k->any_proto ? with_ports[p] : k->proto;
            bool first = k->field == NFT_SPORT || k->field == NFT_ICMP_TYPE;
            if (k->field == NFT_PROTO) {
                x->proto_lo = (uint8_t)v[i].lo;
                x->proto_hi = (uint8_t)(v[i].hi > 255 ? 255 : v[i].hi);
                s->count -= v[i].lo > 255;
            } else {
                *(first ? &x->sport_lo : &x->dport_lo) = v[i].lo;
                *(first ? &x->sport_hi : &x->dport_hi) = v[i].hi;
            }
        }
    nf_box_add(r, set)->service = s;
    if (!k->any_proto)
        return;
    /* Bytes at the place of ports in other protocols are not modelled. */
    static const struct fw_service rest[] = {{0, 5, 0, 65535, 0, 65535}, {7, 16, 0, 65535, 0, 65535},
                                             {18, 255, 0, 65535, 0, 65535}};
    struct nf_services *t = arena_alloc(&r->nf->scratch, sizeof *t);
    *t = (struct nf_services){(struct fw_service *)rest, 3};
    struct nf_box *b = nf_box_add(r, set);
    b->service = t;
    b->when.unknown = "th: bytes of a protocol other than tcp and udp";
}

/* "eth0", "eth*". */
static uint64_t interface(struct nft *n, const char *name)
{
    char plain[64];
    size_t len = strlen(name);
    bool wild = len && name[len - 1] == '*';
    if (len >= sizeof plain)
        return 0;
    memcpy(plain, name, len + 1);
    if (wild)
        plain[len - 1] = '\0';
    else if (n->naming)
        nf_name_interface(&n->nf, name);
    return nf_interfaces(&n->nf, plain, wild);
}

/* ---- one value of one field, as a box ---- */

static int flags_box(struct nft *n, const cJSON *value, struct nf_boxes *set)
{
    uint64_t bits;
    if (!nft_bits(value, nft_flag_name, &bits))
        return nft_expected(n, value, "TCP flags");
    struct nf_box *b = nf_box_add(&n->rule, set);
    b->when.tcp_flags = bits < 64 ? UINT64_C(1) << bits : 0;
    b->when.no_in = bits >= 64; /* ECE, CWR: not in the model's packets */
    return 0;
}

static int address_box(struct nft *n, const struct nft_key *k, const cJSON *value, struct nf_boxes *set)
{
    struct fw_addr a;
    uint8_t family = k->family ? k->family : n->rule.family;
    if (cJSON_IsNumber(value) && family == IP_V4 && value->valuedouble >= 0 && value->valuedouble <= UINT32_MAX)
        a = (struct fw_addr){ip_v4((uint32_t)value->valuedouble), ip_v4((uint32_t)value->valuedouble), false};
    else if (!nft_address(value, &a) || a.a.family != family)
        return nft_expected(n, value, "an address of the field's family");
    struct nf_box *b = nf_box_add(&n->rule, set);
    *(k->field == NFT_SRC ? &b->src : &b->dst) = nf_addrs_of(&n->nf.scratch, &a, 1);
    return 0;
}

static int family_box(struct nft *n, const cJSON *value, struct nf_boxes *set)
{
    uint16_t family;
    if (!nft_number(value, nft_namer_of(&(struct nft_key){.field = NFT_FAMILY}), &family))
        return nft_expected(n, value, "a family");
    if (cJSON_IsNumber(value)) /* NFPROTO_IPV4, ETH_P_IP; NFPROTO_IPV6, ETH_P_IPV6 */
        family = family == 2 || family == 0x800 ? IP_V4 : family == 10 || family == 0x86dd ? IP_V6 : 0;
    if (family)
        nf_box_add(&n->rule, set)->dst = nf_addrs_any(&n->nf.scratch, (uint8_t)family);
    return 0;
}

static int iface_box(struct nft *n, const struct nft_key *k, const cJSON *value, struct nf_boxes *set)
{
    struct nf_box *b = nf_box_add(&n->rule, set);
    if (!cJSON_IsString(value)) {
        b->when.unknown = "an interface by its number";
        return 0;
    }
    uint64_t ifaces = interface(n, value->valuestring);
    *(k->field == NFT_IN ? &b->when.in_ifaces : &b->when.out_ifaces) = ifaces;
    *(k->field == NFT_IN ? &b->when.no_in : &b->when.no_out) = !ifaces;
    return 0;
}

/* local, broadcast, multicast, unicast: what is known of them. */
static int type_box(struct nft *n, const struct nft_key *k, const cJSON *value, struct nf_boxes *set)
{
    struct nf_rule *r = &n->rule;
    struct arena *a = &n->nf.scratch;
    const char *word = cJSON_IsString(value) ? value->valuestring : "";
    const struct nf_addrs *yes = NULL, *many = nf_multicast(r, 0);
    const struct nf_addrs *maybe = n->nf.known_addresses ? nf_addrs_of(a, NULL, 0) : nf_addrs_not(a, many, 0);
    struct fw_addr link = {0};
    fw_addr_parse("fe80::/10", &link);
    if (n->nf.known_addresses && r->family != IP_V4)
        maybe = nf_addrs_of(a, &link, 1);
    if (strcmp(word, "local") == 0)
        yes = nf_local(r, r->family);
    else if (strcmp(word, "broadcast") == 0)
        yes = nf_broadcast(r, r->family);
    else if (strcmp(word, "multicast") == 0)
        yes = nf_multicast(r, r->family);
    else
        maybe = nf_addrs_any(a, r->family);
    if (strcmp(word, "multicast") == 0 || (strcmp(word, "broadcast") == 0 && n->nf.known_addresses))
        maybe = NULL;
    for (int i = 0; i < 2; i++) {
        const struct nf_addrs *part = i ? maybe : yes;
        if (!part || !part->count)
            continue;
        struct nf_box *b = nf_box_add(r, set);
        *(k->field == NFT_SRC_TYPE ? &b->src : &b->dst) = part;
        b->when.unknown = i ? "fib: the addresses and routes of the firewall are not all known" : NULL;
    }
    return 0;
}

static int state_box(struct nft *n, const cJSON *value, bool status, struct nf_boxes *set)
{
    uint64_t bits;
    if (!nft_bits(value, status ? nft_status_name : nft_state_name, &bits) || !bits || bits > 127) {
        nf_box_add(&n->rule, set)->when.unknown = "ct: a status that is not modelled";
        return 0;
    }
    nf_box_add(&n->rule, set)->when.states = (uint8_t)bits;
    return 0;
}

static int element_part(struct nft *n, const struct nft_key *k, const cJSON *value, struct nf_boxes *set)
{
    struct nf_span span;
    if (nft_is_span(k->field)) {
        if (!nft_span(value, nft_namer_of(k), &span))
            return nft_expected(n, value, "a number or name of the field");
        span_services(&n->rule, k, &span, 1, set);
        return 0;
    }
    switch (k->field) {
    case NFT_SRC:
    case NFT_DST:
        return address_box(n, k, value, set);
    case NFT_TCP_FLAGS:
        return flags_box(n, value, set);
    case NFT_FAMILY:
        return family_box(n, value, set);
    case NFT_IN:
    case NFT_OUT:
        return iface_box(n, k, value, set);
    case NFT_STATE:
    case NFT_STATUS:
        return state_box(n, value, k->field == NFT_STATUS, set);
    case NFT_SRC_TYPE:
    case NFT_DST_TYPE:
        return type_box(n, k, value, set);
    default:
        nf_box_add(&n->rule, set)->when.unknown = k->why ? k->why : "a set of values of this field";
        return 0;
    }
}

int nft_element(struct nft *n, const struct nft_keys *keys, const cJSON *value, struct nf_boxes *set)
{
    const cJSON *concat = nft_get(value, "concat"), *part = concat ? concat->child : value;
    struct nf_rule *r = &n->rule, tmp = *r;
    tmp.box = (struct nf_boxes){0};
    tmp.not = (struct nf_boxes){0};
    nf_box_add(&tmp, &tmp.box);
    for (size_t i = 0; i < keys->count; i++) {
        struct nf_boxes one = {0};
        if (!part)
            return nft_expected(n, value, "as many parts as the key has");
        int err = cJSON_IsString(part) && strcmp(part->valuestring, "*") == 0 && keys->count > 1
                      ? (nf_box_add(r, &one), 0)
                      : element_part(n, &keys->v[i], nft_plain(part), &one);
        if (err)
            return err;
        for (size_t k = 0; k < one.count; k++)
            imply(r, &one.v[k], &keys->v[i]);
        nf_and_boxes(&tmp, &one, false);
        part = concat ? part->next : NULL;
    }
    r->err = r->err ? r->err : tmp.err;
    for (size_t i = 0; i < tmp.box.count && !r->err; i++)
        *nf_box_add(r, set) = tmp.box.v[i];
    return 0;
}

int nft_elements(struct nft *n, const cJSON *set, const cJSON **list, const char **why)
{
    *why = NULL;
    *list = nft_get(set, "set");
    if (*list)
        return 0;
    const char *name = cJSON_IsString(set) && set->valuestring[0] == '@' ? set->valuestring : NULL;
    const struct nft_set *s = name ? nft_set_find(n, name) : NULL;
    if (name && !s)
        return nft_expected(n, set, "the name of a set of this table");
    if (!s)
        return nft_expected(n, set, "a set");
    *list = s->elem;
    *why = s->unknown ? arena_format(&n->nf.scratch, "the set %.40s: %s", name + 1, s->unknown) : NULL;
    return 0;
}

/* ---- matches ---- */

/* All elements of a set of one field are one box where they can be: addresses, numbers. */
static int whole_set(struct nft *n, const struct nft_key *k, const cJSON *list, size_t count, struct nf_boxes *set,
                     bool negated)
{
    const cJSON *e;
    struct arena *a = &n->nf.scratch;
    if (nft_is_span(k->field)) {
        struct nf_span *v = arena_alloc(a, (count + 1) * sizeof *v), *w = arena_alloc(a, (count + 2) * sizeof *w);
        size_t m = 0;
        cJSON_ArrayForEach(e, list)
            if (!nft_span(nft_plain(e), nft_namer_of(k), &v[m++]))
                return nft_expected(n, e, "a number or name of the field");
        m = nf_spans_sort(v, m);
        size_t left = negated ? nf_spans_not(v, m, w) : m;
        span_services(&n->rule, k, negated ? w : v, left, set);
        return 0;
    }
    struct fw_addr *v = arena_alloc(a, (count + 1) * sizeof *v);
    size_t m = 0;
    cJSON_ArrayForEach(e, list) {
        if (!nft_address(nft_plain(e), &v[m]) || v[m].a.family != (k->family ? k->family : n->rule.family))
            return nft_expected(n, e, "an address of the field's family");
        m++;
    }
    const struct nf_addrs *all = nf_addrs_of(a, v, m);
    all = negated ? nf_addrs_not(a, all, all->count ? all->v[0].a.family : 0) : all;
    if (!all)
        return nft_fail(n, list, E_RANGE, "this set is too large");
    struct nf_box *b = nf_box_add(&n->rule, set);
    *(k->field == NFT_SRC ? &b->src : &b->dst) = all;
    return 0;
}

static int match_set(struct nft *n, const struct nft_keys *keys, const cJSON *list, bool negated)
{
    struct nf_boxes set = {0};
    const struct nft_key *k = &keys->v[0];
    size_t count = (size_t)cJSON_GetArraySize(list);
    const cJSON *e;
    int err = 0;
    nft_imply(n, keys);
    if (count > NF_ITEMS_MAX)
        return nft_fail(n, list, E_RANGE, "expected at most %d elements", NF_ITEMS_MAX);
    if (keys->count == 1 && (nft_is_span(k->field) || k->field == NFT_SRC || k->field == NFT_DST)) {
        err = whole_set(n, k, list, count, &set, negated);
        negated = false;
    } else {
        cJSON_ArrayForEach(e, list)
            if (!err && !n->rule.err)
                err = nft_element(n, keys, nft_plain(e), &set);
    }
    if (!err)
        nf_and_boxes(&n->rule, &set, negated);
    return err;
}

/* Numbers lo..hi of a domain that stand in the relation; false: more pieces than make sense. */
static bool domain_spans(const struct nft_key *k, const char *op, const cJSON *right, struct nf_span *v, size_t cap,
                         size_t *count, bool *known)
{
    unsigned top = k->field == NFT_SPORT || k->field == NFT_DPORT ? 65535 : 255;
    *count = 0;
    for (unsigned x = 0; x <= top; x++) {
        uint64_t y = x;
        if ((k->over && !nft_operate(k->over, x, nft_namer_of(k), &y)) ||
            !nft_relates(op, y, right, nft_namer_of(k), known))
            continue;
        if (*count && v[*count - 1].hi + 1u == x)
            v[*count - 1].hi = (uint16_t)x;
        else if (*count == cap)
            return false;
        else
            v[(*count)++] = (struct nf_span){(uint16_t)x, (uint16_t)x};
    }
    return true;
}

/* A plain field beside a number or a range. */
static bool plain_spans(const struct nft_key *k, const char *op, const cJSON *right, struct nf_span *v, size_t *count)
{
    struct nf_span s, w[2];
    if (k->over || !nft_span(right, nft_namer_of(k), &s))
        return false;
    bool range = nft_get(right, "range") != NULL, not = strcmp(op, "!=") == 0;
    *count = 1;
    if (strcmp(op, "==") == 0) {
        v[0] = s;
    } else if (not) {
        *count = nf_spans_not(&s, 1, w);
        memcpy(v, w, sizeof w);
    } else if (range || (op[0] != '<' && op[0] != '>')) {
        return false;
    } else {
        bool less = op[0] == '<', equal = op[1] == '=';
        *count = equal || (less ? s.lo > 0 : s.lo < 65535);
        v[0].lo = less ? 0 : (uint16_t)(s.lo + !equal);
        v[0].hi = less ? (uint16_t)(s.lo - !equal) : 65535;
    }
    return true;
}

static int match_number(struct nft *n, const struct nft_keys *keys, const char *op, const cJSON *right)
{
    enum { MAX = 256 };
    const struct nft_key *k = &keys->v[0];
    struct nf_span v[MAX];
    size_t count;
    bool known = true;
    nft_imply(n, keys);
    if (!plain_spans(k, op, right, v, &count) &&
        (!domain_spans(k, op, right, v, MAX, &count, &known) || !known)) {
        nf_and_unknown(&n->rule, "an operation on numbers that is not modelled");
        return 0;
    }
    struct nf_boxes set = {0};
    span_services(&n->rule, k, v, count, &set);
    nf_and_boxes(&n->rule, &set, false);
    return 0;
}

static int match_flags(struct nft *n, const struct nft_key *k, const char *op, const cJSON *right)
{
    uint64_t set = 0;
    bool known = true;
    for (uint64_t f = 0; f < 64; f++) {
        uint64_t y = f;
        if (k->over && !nft_operate(k->over, f, nft_flag_name, &y))
            known = false;
        set |= nft_relates(op, y, right, nft_flag_name, &known) ? UINT64_C(1) << f : 0;
    }
    nf_and_proto(&n->rule, PROTO_TCP, PROTO_TCP, false);
    if (!known)
        nf_and_unknown(&n->rule, "an operation on TCP flags that is not modelled");
    else if (set)
        nf_and_tcp_flags(&n->rule, set);
    else
        nf_and_services(&n->rule, NULL, 0);
    return 0;
}

static int match_address(struct nft *n, const struct nft_keys *keys, const cJSON *right, bool negated)
{
    const struct nft_key *k = &keys->v[0];
    const cJSON *list = k->over ? nft_get(k->over, "&") : NULL;
    struct nf_boxes set = {0};
    nft_imply(n, keys);
    if (!k->over) {
        int err = address_box(n, k, right, &set);
        if (err)
            return err;
        const struct nf_addrs *a = k->field == NFT_SRC ? set.v[0].src : set.v[0].dst;
        if (k->field == NFT_SRC)
            nf_and_src(&n->rule, a, negated);
        else
            nf_and_dst(&n->rule, a, negated);
        return 0;
    }
    struct fw_addr mask, value;
    if (cJSON_GetArraySize(list) != 2 || !nft_address(list->child->next, &mask) || !nft_address(right, &value) ||
        mask.a.family != value.a.family || ip_compare(&mask.a, &mask.b) || ip_compare(&value.a, &value.b)) {
        nf_and_unknown(&n->rule, "an operation on addresses that is not modelled");
        return 0;
    }
    struct fw_addr masked = {value.a, mask.a, true};
    const struct nf_addrs *a = nf_addrs_of(&n->nf.scratch, &masked, 1);
    for (size_t i = 0; i < ip_size(&mask.a); i++)
        if (value.a.b[i] & ~mask.a.b[i])
            a = nf_addrs_of(&n->nf.scratch, NULL, 0);
    if (k->field == NFT_SRC)
        nf_and_src(&n->rule, a, negated);
    else
        nf_and_dst(&n->rule, a, negated);
    return 0;
}

static int match_mark(struct nft *n, const struct nft_key *k, const char *op, const cJSON *right)
{
    bool known = !n->nf.marks_set;
    uint64_t y = 0;
    if (!known) {
        nf_and_unknown(&n->rule, "mark: other rules of the file set marks");
        return 0;
    }
    known = !k->over || nft_operate(k->over, 0, NULL, &y);
    bool holds = known && nft_relates(op, y, right, NULL, &known);
    if (!known)
        nf_and_unknown(&n->rule, "an operation on marks that is not modelled");
    else if (!holds)
        nf_and_services(&n->rule, NULL, 0);
    return 0;
}

static int match_original(struct nft *n, const struct nft_key *k, const cJSON *right, bool negated)
{
    struct fw_addr a;
    if (!nft_address(right, &a)) {
        nf_and_unknown(&n->rule, "ct original: an address that is not modelled");
        return 0;
    }
    const struct nf_addrs *set = nf_addrs_of(&n->nf.scratch, &a, 1);
    set = negated ? nf_addrs_not(&n->nf.scratch, set, a.a.family) : set;
    struct nf_box same = {0};
    *(k->field == NFT_ORIGINAL_SRC ? &same.src : &same.dst) = set;
    nf_and_original(&n->rule, &same);
    return 0;
}

/* Bits of a state: "in" any, "!" none; a state has one bit, so "==" of one is the same. Of a status, which has many,
 * the bits of translation are known, alone or picked out by "&". */
static int match_state(struct nft *n, const struct nft_key *k, const char *op, const cJSON *right)
{
    bool status = k->field == NFT_STATUS, exact = strcmp(op, "==") == 0 || strcmp(op, "!=") == 0;
    bool none = strcmp(op, "!") == 0 || strcmp(op, "!=") == 0;
    const cJSON *list = k->over ? nft_get(k->over, "&") : NULL;
    uint64_t bits = 0, mask = 0;
    bool ok = nft_bits(right, status ? nft_status_name : nft_state_name, &bits) && bits && bits < 128;
    bool one = (bits & (bits - 1)) == 0;
    if (k->over)
        ok = ok && status && one && exact && list && nft_bits(list->child->next, nft_status_name, &mask) &&
             mask == bits;
    else if (exact)
        ok = ok && one && !status;
    else
        ok = ok && (strcmp(op, "in") == 0 || none);
    if (ok)
        nf_and_states(&n->rule, (unsigned)bits, none);
    else
        nf_and_unknown(&n->rule, status ? "ct status: not all of it is modelled" : "ct state: not modelled");
    return 0;
}

static int match_iface(struct nft *n, const struct nft_key *k, const cJSON *right, bool negated)
{
    if (!cJSON_IsString(right)) {
        nf_and_unknown(&n->rule, "an interface by its number");
        return 0;
    }
    uint64_t set = interface(n, right->valuestring);
    if (k->field == NFT_IN)
        nf_and_in(&n->rule, set, negated);
    else
        nf_and_out(&n->rule, set, negated);
    return 0;
}

static int match_way_back(struct nft *n, const cJSON *right, bool negated)
{
    bool missing = cJSON_IsFalse(right) || (cJSON_IsString(right) && strcmp(right->valuestring, "0") == 0) ||
                   (cJSON_IsNumber(right) && right->valuedouble == 0);
    n->no_way_back = missing && !negated;
    if (!n->no_way_back)
        nf_and_unknown(&n->rule, "fib: the way back");
    return 0;
}

static int match_other(struct nft *n, const struct nft_keys *keys, const char *op, const cJSON *right)
{
    const struct nft_key *k = &keys->v[0];
    bool not = strcmp(op, "!=") == 0;
    struct nf_boxes set = {0};
    const char *word = cJSON_IsString(right) ? right->valuestring : "";
    int err;
    switch (k->field) {
    case NFT_TCP_FLAGS:
        return match_flags(n, k, op, right);
    case NFT_MARK:
        return match_mark(n, k, op, right);
    case NFT_STATE:
    case NFT_STATUS:
        return match_state(n, k, op, right);
    case NFT_ORIGINAL_SRC:
    case NFT_ORIGINAL_DST:
        return match_original(n, k, right, not);
    case NFT_IN:
    case NFT_OUT:
        return match_iface(n, k, right, not);
    case NFT_WAY_BACK:
        return match_way_back(n, right, not);
    case NFT_DIRECTION:
        nf_and_direction(&n->rule, (strcmp(word, "original") == 0) != not);
        return 0;
    case NFT_FRAME:
        nf_and_frame(&n->rule, (strcmp(word, "unicast") == 0 || strcmp(word, "host") == 0) != not);
        return 0;
    case NFT_VERSION:
        nft_imply(n, keys);
        return 0;
    default:
        nft_imply(n, keys);
        err = element_part(n, k, right, &set);
        if (!err)
            nf_and_boxes(&n->rule, &set, not);
        return err;
    }
}

int nft_match(struct nft *n, const cJSON *match)
{
    const cJSON *left = nft_get(match, "left"), *right = nft_get(match, "right");
    const char *op = nft_text(match, "op");
    struct nft_keys keys;
    if (!left || !right || !op)
        return nft_fail(n, match, E_MALFORMED, "expected a match with op, left and right");
    int err = nft_keys(n, left, &keys);
    if (err)
        return err;
    bool named = cJSON_IsString(right) && right->valuestring[0] == '@';
    const struct nft_key *k = &keys.v[0];
    if (keys.why) {
        nft_imply(n, &keys);
        nf_and_unknown(&n->rule, keys.why);
        return 0;
    }
    if (named || (nft_get(right, "set") && !k->over && k->field != NFT_TCP_FLAGS && k->field != NFT_MARK)) {
        const cJSON *list;
        const char *why;
        err = nft_elements(n, right, &list, &why);
        if (!err && why) {
            nft_imply(n, &keys);
            nf_and_unknown(&n->rule, why);
            return 0;
        }
        return err ? err : match_set(n, &keys, list, strcmp(op, "!=") == 0);
    }
    if (keys.count > 1) {
        struct nf_boxes set = {0};
        nft_imply(n, &keys);
        err = nft_element(n, &keys, right, &set);
        if (!err)
            nf_and_boxes(&n->rule, &set, strcmp(op, "!=") == 0);
        return err;
    }
    if (nft_is_span(k->field))
        return match_number(n, &keys, op, right);
    if (k->field == NFT_SRC || k->field == NFT_DST)
        return strcmp(op, "==") == 0 || strcmp(op, "!=") == 0
                   ? match_address(n, &keys, right, strcmp(op, "!=") == 0)
                   : (nf_and_unknown(&n->rule, "an order of addresses"), 0);
    return match_other(n, &keys, op, right);
}
