/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access-lists of IOS: numbered and named, standard and extended, and those of IPv6. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/ios.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 }; /* RFC 9293 3.1 */

/* ---- addresses ---- */

static int push_any(struct asa *a, struct asa_addrs *out)
{
    struct fw_addr all = fw_addr_any(a->ace.six ? IP_V6 : IP_V4);
    return asa_push_addr(a, out, &all);
}

static int host(struct asa *a, struct asa_addrs *out)
{
    struct ip_addr ip;
    int err = asa_ip(a, &ip);
    return err ? err : asa_push_addr(a, out, &(struct fw_addr){.a = ip, .b = ip});
}

/* `A WILDCARD`: the bits set in the wildcard may be anything, in a row or not. */
static int wildcard(struct asa *a, struct asa_addrs *out, bool standard)
{
    struct ip_addr ip, wild;
    int err = asa_ip(a, &ip);
    if (err)
        return err;
    if (standard && (ip_parse(asa_peek(a), &wild) != 0 || wild.family != IP_V4))
        return asa_push_addr(a, out, &(struct fw_addr){.a = ip, .b = ip});
    if (ip.family != IP_V4 || ip_parse(asa_peek(a), &wild) != 0 || wild.family != IP_V4)
        return asa_expected(a, "a wildcard mask");
    a->at++;
    uint32_t w = ip_v4_value(&wild), base = ip_v4_value(&ip) & ~w;
    struct fw_addr r = {.a = ip_v4(base), .b = ip_v4(base | w)};
    if (w & (w + 1))
        r = (struct fw_addr){.a = ip_v4(base), .b = ip_v4(~w), .masked = true};
    return asa_push_addr(a, out, &r);
}

static int address(struct asa *a, struct asa_addrs *out, bool standard)
{
    struct ip_prefix p;
    out->count = 0;
    out->unknown = 0;
    out->why = NULL;
    if (asa_take(a, "any"))
        return push_any(a, out);
    if (asa_take(a, "host"))
        return host(a, out);
    if (asa_take(a, "object-group")) {
        int err = asa_more(a) ? asa_expand_addrs(a, asa_peek(a), out) : asa_expected(a, "the name of a group");
        a->at += !err;
        if (!err && !out->count && !out->unknown) {
            out->unknown = ASA_FAMILIES;
            out->why = "the group is empty";
        }
        return err;
    }
    if (a->ace.six && prefix_parse(asa_peek(a), &p) == 0 && p.ip.family == IP_V6) {
        struct fw_addr all = fw_addr_prefix(&p);
        a->at++;
        return asa_push_addr(a, out, &all);
    }
    return a->ace.six ? asa_expected(a, "an IPv6 prefix") : wildcard(a, out, standard);
}

/* ---- protocols and ports ---- */

static int protocol(struct asa *a)
{
    uint8_t proto;
    bool any;
    a->base.count = 0;
    a->base.why = NULL;
    if (asa_take(a, "object-group")) {
        struct asa_symbol *s = asa_find(a, false, asa_peek(a));
        if (!s || s->kind != ASA_SERVICE_GROUP)
            return asa_expected(a, "a service group that is defined");
        a->at++;
        return asa_expand_services(a, s, &a->base);
    }
    if (!ios_protocol(asa_peek(a), a->ace.six, &proto, &any))
        return asa_expected(a, "a protocol");
    a->at++;
    return asa_push_service(a, &a->base, &(struct fw_service){proto, any ? 255 : proto, 0, 65535, 0, 65535});
}

/* Ports narrow the one service of a->base. */
static int ports(struct asa *a, bool source)
{
    struct asa_services narrow = {0};
    bool some = false;
    uint8_t proto = a->base.count ? a->base.v[0].proto_lo : 0;
    unsigned protos = proto == PROTO_TCP ? ASA_TCP : proto == PROTO_UDP ? ASA_UDP : 0;
    int err = ios_ports(a, protos, &narrow, &some);
    if (!err && some && !protos && proto != 132)
        err = asa_fail(a, E_MALFORMED, "ports need tcp, udp or sctp");
    a->service.count = 0;
    for (size_t i = 0; i < a->base.count && some; i++)
        for (size_t j = 0; j < narrow.count && !err; j++) {
            struct fw_service s = a->base.v[i];
            *(source ? &s.sport_lo : &s.dport_lo) = narrow.v[j].dport_lo;
            *(source ? &s.sport_hi : &s.dport_hi) = narrow.v[j].dport_hi;
            err = asa_push_service(a, &a->service, &s);
        }
    free(narrow.v);
    if (!err && some) {
        struct asa_services t = a->base;
        a->base = a->service;
        a->service = t;
        a->base.why = NULL;
    }
    return err;
}

/* `echo`, `3 1`, behind the addresses of icmp. false: it is something else. */
static bool icmp(struct asa *a)
{
    struct fw_service *s = a->base.v;
    if (ios_icmp(asa_peek(a), a->ace.six, s)) {
        a->at++;
        return true;
    }
    if (!asa_is_number(asa_peek(a)))
        return false;
    s->sport_lo = s->sport_hi = (uint16_t)(strtol(asa_next(a), NULL, 10) & 0xff);
    if (asa_is_number(asa_peek(a)))
        s->dport_lo = s->dport_hi = (uint16_t)(strtol(asa_next(a), NULL, 10) & 0xff);
    return true;
}

/* ---- what may stand behind ---- */

static const struct flag_name {
    const char *name;
    uint8_t bit;
} flag_names[] = {{"fin", FIN}, {"syn", SYN}, {"rst", RST}, {"psh", PSH}, {"ack", ACK}, {"urg", URG}};

static uint8_t flag_named(const char *word)
{
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
        if (strcmp(flag_names[i].name, word) == 0)
            return flag_names[i].bit;
    return 0;
}

/* `match-all +syn -ack`, `match-any +ack +rst`. */
static int signed_flags(struct asa *a, bool all)
{
    uint64_t set = all ? FW_FLAGS_ANY : 0;
    const char *s = asa_peek(a);
    uint8_t bit;
    if ((*s != '+' && *s != '-') || !flag_named(s + 1))
        return asa_expected(a, "+ or - and a TCP flag");
    for (; (*s == '+' || *s == '-') && (bit = flag_named(s + 1)) != 0; a->at++, s = asa_peek(a)) {
        uint64_t one = fw_flags_set(bit, *s == '+' ? bit : 0);
        set = all ? set & one : set | one;
    }
    a->ace.when.tcp_flags = set;
    if (!set)
        a->ace.inactive = true; /* +syn -syn: no packet is so */
    return 0;
}

/* Conditions about fields that no packet here has. */
static bool other_field(struct asa *a)
{
    static const struct {
        const char *word;
        bool operand;
    } row[] = {{"dscp", true},         {"precedence", true},  {"tos", true},      {"option", true},
               {"flow-label", true},   {"dest-option", false}, {"mobility", false}, {"routing", false},
               {"auth", false},        {"hbh", false},        {"undetermined-transport", false}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (asa_take(a, row[i].word)) {
            a->ace.maybe = "a field of the header that is not modelled";
            if (row[i].operand)
                asa_next(a);
            return true;
        }
    if (!asa_take(a, "ttl"))
        return false;
    a->ace.maybe = "the hops left are not modelled";
    bool range = strcmp(asa_next(a), "range") == 0;
    asa_next(a);
    if (range)
        asa_next(a);
    return true;
}

static int option(struct asa *a)
{
    long n;
    uint8_t bit = flag_named(asa_peek(a));
    bool tcp = a->base.count && a->base.v[0].proto_lo == PROTO_TCP;
    if (asa_take(a, "log") || asa_take(a, "log-input")) {
        bool cookie = asa_more(a) && strcmp(asa_peek(a), "time-range") != 0 && strcmp(asa_peek(a), "sequence") != 0;
        a->at += cookie;
    } else if (tcp && asa_take(a, "established")) {
        a->ace.when.tcp_flags = ~fw_flags_set(ACK | RST, 0);
    } else if (tcp && (asa_take(a, "match-all") || asa_take(a, "match-any"))) {
        return signed_flags(a, strcmp(a->word[a->at - 1].text, "match-all") == 0);
    } else if (tcp && bit) {
        a->at++;
        a->ace.when.tcp_flags |= fw_flags_set(bit, bit); /* several: any of them */
    } else if (asa_take(a, "fragments")) {
        a->ace.when.fragment = true;
    } else if (asa_take(a, "time-range")) {
        return asa_rule_time_range(a);
    } else if (asa_take(a, "sequence")) {
        return asa_number(a, 1, 2147483647, "a sequence number", &n);
    } else if (asa_take(a, "reflect")) { /* what it permits, it permits; the answers are for `evaluate` */
        asa_next(a);
        return asa_take(a, "timeout") ? asa_number(a, 1, 2147483, "seconds", &n) : 0;
    } else if (!other_field(a)) {
        return asa_expected(a, "an option of a rule or the end of the line");
    }
    return 0;
}

/* ---- a rule ---- */

static int action(struct asa *a)
{
    a->ace.permit = asa_take(a, "permit");
    if (!a->ace.permit && !asa_take(a, "deny"))
        return asa_expected(a, "permit or deny");
    a->ace.has_action = true;
    return 0;
}

static int extended(struct asa *a)
{
    int err = action(a);
    bool group = strcmp(asa_peek(a), "object-group") == 0;
    err = err ? err : protocol(a);
    err = err ? err : address(a, &a->src, false);
    err = err || group ? err : ports(a, true);
    err = err ? err : address(a, &a->dst, false);
    err = err || group ? err : ports(a, false);
    uint8_t proto = a->base.count ? a->base.v[0].proto_lo : 0;
    if (!err && !group && (proto == PROTO_ICMP || proto == PROTO_ICMP6) && a->base.v[0].proto_hi == proto)
        icmp(a);
    while (!err && asa_more(a))
        err = option(a);
    return err ? err : asa_emit(a);
}

static int standard(struct asa *a)
{
    int err = action(a);
    err = err ? err : address(a, &a->src, true);
    a->dst.count = a->base.count = 0;
    a->dst.unknown = 0;
    a->dst.why = a->base.why = NULL;
    err = err ? err : push_any(a, &a->dst);
    err = err ? err : asa_push_service(a, &a->base, &(struct fw_service){0, 255, 0, 65535, 0, 65535});
    if (!err && asa_take(a, "log"))
        a->at = a->words;
    err = err ? err : asa_end(a);
    return err ? err : asa_emit(a);
}

/* `evaluate R`: answers to what `reflect R` permitted. */
static int evaluate(struct asa *a)
{
    a->ace.maybe = a->unsure = "what connections a reflexive list lets answer is not modelled";
    struct fw_addr all = fw_addr_any(a->ace.six ? IP_V6 : IP_V4);
    return asa_add_rule(a, &(struct fw_rule_spec){.list = a->ace.list, .action = FW_PERMIT, .src = &all,
                                                  .src_count = 1, .dst = &all, .dst_count = 1}, a->unsure);
}

/* ---- the order of a list ---- */

/* The rules that the line gave go before those with a higher sequence number. */
static int place(struct asa *a, size_t before, long sequence)
{
    struct asa_sequences *s = a->sequences;
    while (s && strcmp(s->list, a->ace.list) != 0)
        s = s->next;
    struct fw_list *l = (struct fw_list *)fw_rules_list(a->rules, a->ace.list);
    if (!l)
        return 0;
    if (!s) {
        s = fw_arena(a->rules, sizeof *s);
        if (!s)
            return asa_no_memory(a);
        *s = (struct asa_sequences){.list = l->name, .next = a->sequences};
        a->sequences = s;
    }
    if (l->count > s->cap) {
        size_t cap = 2 * l->count + 16;
        long *v = fw_arena(a->rules, cap * sizeof *v);
        if (!v)
            return asa_no_memory(a);
        if (s->count)
            memcpy(v, s->v, s->count * sizeof *v);
        s->v = v;
        s->cap = cap;
    }
    for (; s->count < before; s->count++) /* lines that could not be read stay where they are */
        s->v[s->count] = s->count ? s->v[s->count - 1] : 0;
    s->count = l->count;
    if (sequence < 0)
        sequence = before ? s->v[before - 1] + 10 : 10;
    for (size_t i = before; i < l->count; i++) {
        struct fw_rule rule = l->rule[i];
        size_t at = i;
        for (; at > 0 && s->v[at - 1] > sequence; at--) {
            l->rule[at] = l->rule[at - 1];
            s->v[at] = s->v[at - 1];
        }
        l->rule[at] = rule;
        s->v[at] = sequence;
    }
    return 0;
}

static int line(struct asa *a, const char *list, bool six, int (*rule)(struct asa *))
{
    long sequence = -1;
    int err = 0;
    const struct fw_list *l = fw_rules_list(a->rules, list);
    size_t before = l ? l->count : 0;
    a->ace = (struct asa_ace){.list = list, .six = six};
    a->doubt = asa_any_rule;
    if (six)
        asa_take(a, "sequence");
    if (asa_is_number(asa_peek(a)))
        err = asa_number(a, 1, 999999999, "a sequence number", &sequence);
    a->quiet = asa_take(a, "remark");
    if (err || a->quiet)
        return err;
    err = asa_take(a, "evaluate") ? evaluate(a) : rule(a);
    return err ? err : place(a, before, sequence);
}

static int block(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "the name of an access-list");
    a->policy = fw_arena_text(a->rules, asa_next(a));
    a->below = asa_any_rule;
    return a->policy ? asa_end(a) : asa_no_memory(a);
}

int ios_extended_block(struct asa *a)
{
    return block(a);
}

int ios_standard_block(struct asa *a)
{
    return block(a);
}

int ios_block6(struct asa *a)
{
    return block(a);
}

static int extended_line(struct asa *a)
{
    a->at = 0;
    return line(a, a->policy, false, extended);
}

static int standard_line(struct asa *a)
{
    a->at = 0;
    return line(a, a->policy, false, standard);
}

static int line6(struct asa *a)
{
    a->at = 0;
    return line(a, a->policy, true, extended);
}

const struct asa_command ios_in_extended[] = {{"", ASA_RULES, extended_line, NULL}, {0}};
const struct asa_command ios_in_standard[] = {{"", ASA_RULES, standard_line, NULL}, {0}};
const struct asa_command ios_in_list6[] = {{"", ASA_RULES, line6, NULL}, {0}};

/* `access-list 101 permit ...`: what the numbers are for ([IOS] access-list numbers). */
int ios_numbered(struct asa *a)
{
    static const struct {
        long lo, hi;
        int (*rule)(struct asa *);
    } kind[] = {{1, 99, standard}, {100, 199, extended}, {1300, 1999, standard}, {2000, 2699, extended}};
    const char *list = asa_peek(a);
    long n = asa_is_number(list) ? strtol(list, NULL, 10) : 0;
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        if (kind[i].lo <= n && n <= kind[i].hi) {
            a->at++;
            return line(a, list, false, kind[i].rule);
        }
    a->quiet = n >= 200 && n <= 1299; /* of other protocols than IP */
    return a->quiet ? 0 : asa_expected(a, "a number of an IP access-list");
}
