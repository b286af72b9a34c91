/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches of iptables rules (iptables(8), iptables-extensions(8)): a row a match, a row an option. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/iptables.h"

static const char per_packet[] = "depends on the packets that came before";
static const char contents[] = "looks into headers or data that are not modelled";
static const char elsewhere[] = "depends on what is not in the file";

/* ---- addresses, interfaces, protocol ---- */

/* "10.0.0.0/8", "10.0.0.0/255.0.255.0", "::1/128"; false: none of these. */
static bool address(const char *word, struct fw_addr *out)
{
    char ip[ADDR_TEXT];
    const char *slash = strchr(word, '/');
    struct ip_addr mask;
    if (!slash || ip_parse(slash + 1, &mask))
        return !fw_addr_parse(word, out) && !strchr(word, '-');
    size_t n = (size_t)(slash - word);
    if (n >= sizeof ip)
        return false;
    memcpy(ip, word, n);
    ip[n] = '\0';
    struct ip_prefix p = {0};
    if (ip_parse(ip, &p.ip) || p.ip.family != mask.family)
        return false;
    unsigned bits = 0;
    while (bits < 8 * ip_size(&mask) && mask.b[bits / 8] >> (7 - bits % 8) & 1)
        bits++;
    p.len = (uint8_t)bits;
    struct fw_addr range = fw_addr_prefix(&p);
    bool holes = false;
    for (size_t i = 0; i < ip_size(&mask); i++) {
        holes = holes || mask.b[i] != (uint8_t)~(range.a.b[i] ^ range.b.b[i]);
        p.ip.b[i] &= mask.b[i];
    }
    *out = holes ? (struct fw_addr){p.ip, mask, true} : range;
    return true;
}

int ipt_addresses(struct ipt *t, const char *word, const struct nf_addrs **out)
{
    struct fw_addr v[64];
    size_t n = 0;
    char one[128];
    for (const char *p = word; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t len = strcspn(p, ",");
        if (n == 64 || len >= sizeof one)
            return ipt_fail(t, t->at - 1, E_RANGE, "expected at most 64 addresses");
        memcpy(one, p, len);
        one[len] = '\0';
        if (!address(one, &v[n]))
            return ipt_expected(t, "an address or network");
        if (v[n++].a.family != t->rule.family)
            return ipt_expected(t, "an address of the table's family");
    }
    *out = nf_addrs_of(&t->nf.scratch, v, n);
    return 0;
}

static int source(struct ipt *t, bool negated)
{
    const struct nf_addrs *set;
    int err = ipt_addresses(t, t->arg[0], &set);
    if (!err)
        nf_and_src(&t->rule, set, negated);
    return err;
}

static int destination(struct ipt *t, bool negated)
{
    const struct nf_addrs *set;
    int err = ipt_addresses(t, t->arg[0], &set);
    if (!err)
        nf_and_dst(&t->rule, set, negated);
    return err;
}

/* "eth0", "eth+". */
static uint64_t interfaces(struct ipt *t)
{
    char *name = t->word[t->at - 1].text;
    size_t n = strlen(name);
    bool wild = n && name[n - 1] == '+';
    if (wild)
        name[n - 1] = '\0';
    uint64_t set = nf_interfaces(&t->nf, name, wild);
    if (wild)
        name[n - 1] = '+';
    return set;
}

static int in_interface(struct ipt *t, bool negated)
{
    if (strcmp(t->arg[0], "+") != 0 || negated)
        nf_and_in(&t->rule, interfaces(t), negated);
    return 0;
}

static int out_interface(struct ipt *t, bool negated)
{
    if (strcmp(t->arg[0], "+") != 0 || negated)
        nf_and_out(&t->rule, interfaces(t), negated);
    return 0;
}

static int protocol(struct ipt *t, bool negated)
{
    uint8_t proto;
    if (strcmp(t->arg[0], "all") == 0 || strcmp(t->arg[0], "0") == 0)
        return 0;
    if (!nf_protocol(t->arg[0], &proto))
        return ipt_expected(t, "a protocol");
    if (!negated)
        t->proto = proto;
    nf_and_proto(&t->rule, proto, proto, negated);
    const struct ipt_module *m = negated ? NULL : ipt_module(t->arg[0]);
    if (m && m->option && t->modules < IPT_MODULES_MAX) /* -p tcp brings the options of -m tcp */
        t->module[t->modules++] = m;
    return 0;
}

static int fragment(struct ipt *t, bool negated)
{
    for (size_t i = 0; i < t->rule.box.count && !negated; i++)
        t->rule.box.v[i].when.fragment = true;
    return 0; /* negated: defragmentation comes first, so there are none */
}

const struct ipt_option ipt_basic[] = {
    {"-s", 1, source, NULL},
    {"--source", 1, source, NULL},
    {"--src", 1, source, NULL},
    {"-d", 1, destination, NULL},
    {"--destination", 1, destination, NULL},
    {"--dst", 1, destination, NULL},
    {"-i", 1, in_interface, NULL},
    {"--in-interface", 1, in_interface, NULL},
    {"-o", 1, out_interface, NULL},
    {"--out-interface", 1, out_interface, NULL},
    {"-p", 1, protocol, NULL},
    {"--protocol", 1, protocol, NULL},
    {"--proto", 1, protocol, NULL},
    {"-f", 0, fragment, NULL},
    {"--fragment", 0, fragment, NULL},
    {0},
};

/* ---- ports ---- */

enum side { SOURCE, DESTINATION, EITHER };

/* "80", "1:5", ":5", "5:", a list of these. The number of spans, sorted; 0: malformed. */
static size_t spans(const char *word, struct nf_span *v, size_t cap)
{
    size_t n = 0;
    char one[64];
    for (const char *p = word; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t len = strcspn(p, ",");
        if (n == cap || len >= sizeof one || !len)
            return 0;
        memcpy(one, p, len);
        one[len] = '\0';
        char *colon = strchr(one, ':');
        v[n] = (struct nf_span){0, 65535};
        if (colon)
            *colon = '\0';
        if ((*one && !nf_service_port(one, &v[n].lo)) || (!*one && !colon))
            return 0;
        if (!colon)
            v[n].hi = v[n].lo;
        else if (colon[1] && !nf_service_port(colon + 1, &v[n].hi))
            return 0;
        if (v[n].lo > v[n].hi)
            return 0;
        n++;
    }
    return nf_spans_sort(v, n);
}

static void push_service(struct fw_service *v, size_t *n, uint8_t proto, const struct nf_span *s,
                         const struct nf_span *d)
{
    v[(*n)++] = (struct fw_service){proto, proto, s->lo, s->hi, d->lo, d->hi};
}

static int and_ports(struct ipt *t, enum side side, bool negated)
{
    enum { MAX = 64 };
    struct nf_span v[MAX + 1], w[MAX + 1];
    static const struct nf_span all = {0, 65535};
    size_t n = spans(t->arg[0], v, MAX);
    if (!n)
        return ipt_expected(t, "ports");
    if (t->proto != PROTO_TCP && t->proto != PROTO_UDP) {
        nf_and_unknown(&t->rule, "ports of a protocol other than tcp and udp");
        return 0;
    }
    if (negated) {
        n = nf_spans_not(v, n, w);
        memcpy(v, w, sizeof w);
    }
    struct fw_service *s = arena_alloc(&t->nf.scratch, (n * n + 2 * n + 1) * sizeof *s);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (side == SOURCE || (side == EITHER && !negated))
            push_service(s, &count, t->proto, &v[i], &all);
        if (side == DESTINATION || (side == EITHER && !negated))
            push_service(s, &count, t->proto, &all, &v[i]);
        for (size_t k = 0; k < n && side == EITHER && negated; k++)
            push_service(s, &count, t->proto, &v[i], &v[k]);
    }
    nf_and_services(&t->rule, s, count);
    return 0;
}

static int source_ports(struct ipt *t, bool negated)
{
    return and_ports(t, SOURCE, negated);
}

static int destination_ports(struct ipt *t, bool negated)
{
    return and_ports(t, DESTINATION, negated);
}

static int either_ports(struct ipt *t, bool negated)
{
    return and_ports(t, EITHER, negated);
}

/* "SYN,RST", "ALL", "NONE"; false: another word. */
static bool flags_of(const char *word, uint8_t *out)
{
    *out = 0;
    if (strcmp(word, "NONE") == 0)
        return true;
    if (strcmp(word, "ALL") == 0) {
        *out = 63;
        return true;
    }
    char one[8];
    for (const char *p = word; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t len = strcspn(p, ",");
        if (len >= sizeof one)
            return false;
        memcpy(one, p, len);
        one[len] = '\0';
        unsigned bit = nf_tcp_flag(one);
        if (!bit || bit > 32)
            return false;
        *out |= (uint8_t)bit;
    }
    return true;
}

static void and_flags(struct ipt *t, uint8_t mask, uint8_t value, bool negated)
{
    uint64_t set = fw_flags_set(mask, value);
    set = negated ? ~set : set;
    if (set)
        nf_and_tcp_flags(&t->rule, set);
    else
        nf_and_services(&t->rule, NULL, 0);
}

static int tcp_flags(struct ipt *t, bool negated)
{
    uint8_t mask, value;
    if (!flags_of(t->arg[0], &mask) || !flags_of(t->arg[1], &value))
        return ipt_expected(t, "TCP flags");
    and_flags(t, mask, value, negated);
    return 0;
}

static int syn(struct ipt *t, bool negated)
{
    enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
    and_flags(t, FIN | SYN | RST | ACK, SYN, negated);
    return 0;
}

static const struct ipt_option tcp[] = {
    {"--sport", 1, source_ports, NULL},
    {"--source-port", 1, source_ports, NULL},
    {"--dport", 1, destination_ports, NULL},
    {"--destination-port", 1, destination_ports, NULL},
    {"--tcp-flags", 2, tcp_flags, NULL},
    {"--syn", 0, syn, NULL},
    {"--tcp-option", 1, NULL, contents},
    {0},
};

static const struct ipt_option udp[] = {
    {"--sport", 1, source_ports, NULL},
    {"--source-port", 1, source_ports, NULL},
    {"--dport", 1, destination_ports, NULL},
    {"--destination-port", 1, destination_ports, NULL},
    {0},
};

static const struct ipt_option multiport[] = {
    {"--sports", 1, source_ports, NULL},
    {"--source-ports", 1, source_ports, NULL},
    {"--dports", 1, destination_ports, NULL},
    {"--destination-ports", 1, destination_ports, NULL},
    {"--ports", 1, either_ports, NULL},
    {0},
};

static int icmp_type(struct ipt *t, bool negated)
{
    struct nf_icmp i;
    bool six = t->rule.family == IP_V6;
    uint8_t proto = six ? PROTO_ICMP6 : PROTO_ICMP;
    if (!nf_icmp_type(t->arg[0], six, &i))
        return ipt_expected(t, "an ICMP type");
    struct fw_service yes = {proto, proto, i.type_lo, i.type_hi, i.code_lo, i.code_hi};
    if (!negated) {
        nf_and_services(&t->rule, &yes, 1);
        return 0;
    }
    struct fw_service no[4];
    size_t n = 0;
    if (i.type_lo > 0)
        no[n++] = (struct fw_service){proto, proto, 0, (uint16_t)(i.type_lo - 1), 0, 65535};
    if (i.type_hi < 255)
        no[n++] = (struct fw_service){proto, proto, (uint16_t)(i.type_hi + 1), 65535, 0, 65535};
    if (i.code_lo > 0)
        no[n++] = (struct fw_service){proto, proto, i.type_lo, i.type_hi, 0, (uint16_t)(i.code_lo - 1)};
    if (i.code_hi < 255)
        no[n++] = (struct fw_service){proto, proto, i.type_lo, i.type_hi, (uint16_t)(i.code_hi + 1), 65535};
    nf_and_services(&t->rule, no, n);
    return 0;
}

static const struct ipt_option icmp[] = {{"--icmp-type", 1, icmp_type, NULL}, {0}};
static const struct ipt_option icmp6[] = {{"--icmpv6-type", 1, icmp_type, NULL}, {0}};

/* ---- connections ---- */

static int states(struct ipt *t, bool negated)
{
    unsigned set = 0;
    char one[16];
    for (const char *p = t->arg[0]; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t len = strcspn(p, ",");
        if (len >= sizeof one)
            return ipt_expected(t, "connection states");
        memcpy(one, p, len);
        one[len] = '\0';
        unsigned bit = nf_state(one);
        if (!bit)
            return ipt_expected(t, "connection states");
        set |= bit;
    }
    nf_and_states(&t->rule, set, negated);
    return 0;
}

static int original_address(struct ipt *t, bool negated, bool src)
{
    const struct nf_addrs *set;
    int err = ipt_addresses(t, t->arg[0], &set);
    if (err)
        return err;
    if (negated)
        set = nf_addrs_not(&t->nf.scratch, set, t->rule.family);
    struct nf_box same = {0};
    *(src ? &same.src : &same.dst) = set;
    nf_and_original(&t->rule, &same);
    return set ? 0 : ipt_fail(t, t->at - 1, E_RANGE, "this set of addresses is too large");
}

static int original_source(struct ipt *t, bool negated)
{
    return original_address(t, negated, true);
}

static int original_destination(struct ipt *t, bool negated)
{
    return original_address(t, negated, false);
}

static int original_port(struct ipt *t, bool negated, bool src)
{
    struct nf_span v[2], w[2];
    size_t n = spans(t->arg[0], v, 1);
    if (!n)
        return ipt_expected(t, "a port");
    if (negated) {
        n = nf_spans_not(v, n, w);
        memcpy(v, w, sizeof v);
    }
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP};
    struct fw_service *s = arena_alloc(&t->nf.scratch, 4 * sizeof *s);
    struct nf_services *set = arena_alloc(&t->nf.scratch, sizeof *set);
    set->v = s;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++, set->count++, s++) {
            *s = FW_SERVICE_ANY;
            s->proto_lo = s->proto_hi = proto[k];
            *(src ? &s->sport_lo : &s->dport_lo) = v[i].lo;
            *(src ? &s->sport_hi : &s->dport_hi) = v[i].hi;
        }
    struct nf_box same = {.service = set};
    nf_and_original(&t->rule, &same);
    return 0;
}

static int original_source_port(struct ipt *t, bool negated)
{
    return original_port(t, negated, true);
}

static int original_destination_port(struct ipt *t, bool negated)
{
    return original_port(t, negated, false);
}

static int connection_protocol(struct ipt *t, bool negated)
{
    uint8_t proto;
    if (!nf_protocol(t->arg[0], &proto))
        return ipt_expected(t, "a protocol");
    nf_and_proto(&t->rule, proto, proto, negated);
    nf_and_states(&t->rule, FW_STATE_INVALID | FW_STATE_UNTRACKED, true);
    return 0;
}

static int direction(struct ipt *t, bool negated)
{
    bool forth = strcmp(t->arg[0], "ORIGINAL") == 0;
    if (!forth && strcmp(t->arg[0], "REPLY") != 0)
        return ipt_expected(t, "ORIGINAL or REPLY");
    nf_and_direction(&t->rule, forth != negated);
    return 0;
}

static const struct ipt_option state[] = {{"--state", 1, states, NULL}, {0}};
static const struct ipt_option conntrack[] = {
    {"--ctstate", 1, states, NULL},
    {"--ctproto", 1, connection_protocol, NULL},
    {"--ctorigsrc", 1, original_source, NULL},
    {"--ctorigdst", 1, original_destination, NULL},
    {"--ctorigsrcport", 1, original_source_port, NULL},
    {"--ctorigdstport", 1, original_destination_port, NULL},
    {"--ctdir", 1, direction, NULL},
    {"--ctreplsrc", 1, NULL, "the connection's answers are not known here"},
    {"--ctrepldst", 1, NULL, "the connection's answers are not known here"},
    {"--ctreplsrcport", 1, NULL, "the connection's answers are not known here"},
    {"--ctrepldstport", 1, NULL, "the connection's answers are not known here"},
    {"--ctstatus", 1, NULL, "the status of connections is not modelled"},
    {"--ctexpire", 1, NULL, "the age of connections is not modelled"},
    {0},
};

/* ---- addresses by other words ---- */

static int address_range(struct ipt *t, const struct nf_addrs **out)
{
    struct fw_addr r;
    if (fw_addr_parse(t->arg[0], &r) || strchr(t->arg[0], '/') || r.a.family != t->rule.family)
        return ipt_expected(t, "addresses A-B of the table's family");
    *out = nf_addrs_of(&t->nf.scratch, &r, 1);
    return 0;
}

static int source_range(struct ipt *t, bool negated)
{
    const struct nf_addrs *set;
    int err = address_range(t, &set);
    if (!err)
        nf_and_src(&t->rule, set, negated);
    return err;
}

static int destination_range(struct ipt *t, bool negated)
{
    const struct nf_addrs *set;
    int err = address_range(t, &set);
    if (!err)
        nf_and_dst(&t->rule, set, negated);
    return err;
}

static const struct ipt_option iprange[] = {
    {"--src-range", 1, source_range, NULL}, {"--dst-range", 1, destination_range, NULL}, {0}};

static const struct nf_addrs *type_of(struct ipt *t, const char *word, bool *unknown)
{
    struct nf_rule *r = &t->rule;
    if (strcmp(word, "MULTICAST") == 0)
        return nf_multicast(r, r->family);
    if (r->family == IP_V6 && strcmp(word, "UNICAST") == 0)
        return nf_addrs_not(&t->nf.scratch, nf_multicast(r, r->family), r->family);
    *unknown = !t->nf.known_addresses || r->family == IP_V6;
    if (strcmp(word, "LOCAL") == 0)
        return nf_local(r, r->family);
    if (strcmp(word, "BROADCAST") == 0)
        return nf_broadcast(r, r->family);
    *unknown = *unknown || strcmp(word, "UNICAST") != 0;
    struct arena *a = &t->nf.scratch;
    const struct nf_addrs *one = nf_addrs_not(a, nf_multicast(r, r->family), r->family);
    one = one ? nf_addrs_and(a, one, nf_addrs_not(a, nf_local(r, r->family), r->family)) : NULL;
    return one ? nf_addrs_and(a, one, nf_addrs_not(a, nf_broadcast(r, r->family), r->family)) : NULL;
}

static int address_type(struct ipt *t, bool negated, bool src)
{
    const struct nf_addrs *all = nf_addrs_of(&t->nf.scratch, NULL, 0);
    bool unknown = false;
    char one[16];
    for (const char *p = t->arg[0]; p && all; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t len = strcspn(p, ",");
        bool blank = false;
        if (len >= sizeof one)
            return ipt_expected(t, "a type of address");
        memcpy(one, p, len);
        one[len] = '\0';
        const struct nf_addrs *more = type_of(t, one, &blank);
        unknown = unknown || blank;
        struct fw_addr *v = arena_alloc(&t->nf.scratch, (all->count + (more ? more->count : 0) + 1) * sizeof *v);
        memcpy(v, all->v, all->count * sizeof *v);
        if (more && more->count)
            memcpy(v + all->count, more->v, more->count * sizeof *v);
        all = more ? nf_addrs_of(&t->nf.scratch, v, all->count + more->count) : NULL;
    }
    if (!all || unknown) {
        nf_and_unknown(&t->rule, "addrtype: the addresses and routes of the firewall are not all known");
        return 0;
    }
    if (src)
        nf_and_src(&t->rule, all, negated);
    else
        nf_and_dst(&t->rule, all, negated);
    return 0;
}

static int source_type(struct ipt *t, bool negated)
{
    return address_type(t, negated, true);
}

static int destination_type(struct ipt *t, bool negated)
{
    return address_type(t, negated, false);
}

static const struct ipt_option addrtype[] = {
    {"--src-type", 1, source_type, NULL},
    {"--dst-type", 1, destination_type, NULL},
    {"--limit-iface-in", 0, NULL, "the addresses of an interface"},
    {"--limit-iface-out", 0, NULL, "the addresses of an interface"},
    {0},
};

static int match_set(struct ipt *t, bool negated)
{
    return ipset_match(t, t->arg[0], t->arg[1], negated);
}

static const struct ipt_option set[] = {
    {"--match-set", 2, match_set, NULL},
    {"--return-nomatch", 0, NULL, "exceptions of sets"},
    {"--update-counters", 0, NULL, NULL},
    {"--update-subcounters", 0, NULL, NULL},
    {"--packets-eq", 1, NULL, per_packet},
    {"--packets-lt", 1, NULL, per_packet},
    {"--packets-gt", 1, NULL, per_packet},
    {"--bytes-eq", 1, NULL, per_packet},
    {"--bytes-lt", 1, NULL, per_packet},
    {"--bytes-gt", 1, NULL, per_packet},
    {0},
};

static int packet_type(struct ipt *t, bool negated)
{
    bool unicast = strcmp(t->arg[0], "unicast") == 0 || strcmp(t->arg[0], "host") == 0;
    nf_and_frame(&t->rule, unicast != negated);
    return 0;
}

static const struct ipt_option pkttype[] = {{"--pkt-type", 1, packet_type, NULL}, {0}};

/* ---- the rest ---- */

/* No rule of the file sets a mark, so a packet from outside has none. */
static int mark(struct ipt *t, bool negated)
{
    if (t->nf.marks_set) {
        nf_and_unknown(&t->rule, "mark: other rules of the file set marks");
        return 0;
    }
    char value[24];
    size_t n = strcspn(t->arg[0], "/");
    uint64_t v;
    if (n >= sizeof value)
        return ipt_expected(t, "a mark");
    memcpy(value, t->arg[0], n);
    value[n] = '\0';
    if (!nf_number(value, UINT32_MAX, &v))
        return ipt_expected(t, "a mark");
    if ((v == 0) == negated)
        nf_and_services(&t->rule, NULL, 0);
    return 0;
}

static const struct ipt_option marks[] = {{"--mark", 1, mark, NULL}, {0}};
static const struct ipt_option comment[] = {{"--comment", 1, NULL, NULL}, {0}};

static int invert(struct ipt *t, bool negated)
{
    (void)negated;
    t->no_way_back = true;
    return 0;
}

/* The target says what becomes of it. */
static const struct ipt_option rpfilter[] = {
    {"--invert", 0, invert, NULL},
    {"--validmark", 0, NULL, NULL},
    {"--loose", 0, NULL, elsewhere},
    {"--accept-local", 0, NULL, NULL},
    {0},
};

static int never_when_negated(struct ipt *t, bool negated)
{
    if (negated)
        nf_and_services(&t->rule, NULL, 0);
    return 0;
}

/* --set notes the address and matches always. */
static const struct ipt_option recent[] = {
    {"--set", 0, never_when_negated, NULL},
    {"--rcheck", 0, NULL, per_packet},
    {"--update", 0, NULL, per_packet},
    {"--remove", 0, NULL, per_packet},
    {"--seconds", 1, NULL, NULL},
    {"--hitcount", 1, NULL, NULL},
    {"--name", 1, NULL, NULL},
    {"--mask", 1, NULL, NULL},
    {"--rsource", 0, NULL, NULL},
    {"--rdest", 0, NULL, NULL},
    {"--rttl", 0, NULL, NULL},
    {"--reap", 0, NULL, NULL},
    {0},
};

static const struct ipt_option ah[] = {{"--ahspi", 1, NULL, contents}, {"--ahlen", 1, NULL, contents},
                                       {"--ahres", 0, NULL, contents}, {0}};
static const struct ipt_option esp[] = {{"--espspi", 1, NULL, contents}, {0}};
static const struct ipt_option other_ports[] = {
    {"--sport", 1, source_ports, NULL},
    {"--source-port", 1, source_ports, NULL},
    {"--dport", 1, destination_ports, NULL},
    {"--destination-port", 1, destination_ports, NULL},
    {"--chunk-types", 2, NULL, contents},
    {"--dccp-types", 1, NULL, contents},
    {"--dccp-option", 1, NULL, contents},
    {0},
};

static const struct ipt_module modules[] = {
    {"tcp", tcp, NULL},
    {"udp", udp, NULL},
    {"icmp", icmp, NULL},
    {"icmp6", icmp6, NULL},
    {"icmpv6", icmp6, NULL},
    {"ipv6-icmp", icmp6, NULL},
    {"multiport", multiport, NULL},
    {"state", state, NULL},
    {"conntrack", conntrack, NULL},
    {"iprange", iprange, NULL},
    {"addrtype", addrtype, NULL},
    {"set", set, NULL},
    {"pkttype", pkttype, NULL},
    {"mark", marks, NULL},
    {"connmark", marks, NULL},
    {"comment", comment, NULL},
    {"rpfilter", rpfilter, NULL},
    {"ah", ah, NULL},
    {"esp", esp, NULL},
    {"sctp", other_ports, NULL},
    {"dccp", other_ports, NULL},
    {"udplite", other_ports, NULL},
    {"limit", NULL, per_packet},
    {"hashlimit", NULL, per_packet},
    {"recent", recent, NULL},
    {"connlimit", NULL, per_packet},
    {"connbytes", NULL, per_packet},
    {"quota", NULL, per_packet},
    {"statistic", NULL, "chance"},
    {"time", NULL, "depends on the clock"},
    {"string", NULL, contents},
    {"u32", NULL, contents},
    {"bpf", NULL, contents},
    {"length", NULL, contents},
    {"ttl", NULL, contents},
    {"hl", NULL, contents},
    {"tos", NULL, contents},
    {"dscp", NULL, contents},
    {"ecn", NULL, contents},
    {"tcpmss", NULL, contents},
    {"frag", NULL, contents},
    {"rt", NULL, contents},
    {"dst", NULL, contents},
    {"hbh", NULL, contents},
    {"mh", NULL, contents},
    {"ipv6header", NULL, contents},
    {"ipv4options", NULL, contents},
    {"eui64", NULL, contents},
    {"helper", NULL, "depends on what other connections announced"},
    {"mac", NULL, "the sender's MAC address"},
    {"physdev", NULL, "ports of a bridge"},
    {"owner", NULL, "the process that sends"},
    {"socket", NULL, "sockets of the firewall"},
    {"cgroup", NULL, "the process that sends"},
    {"policy", NULL, "IPsec"},
    {"realm", NULL, elsewhere},
    {"devgroup", NULL, elsewhere},
    {"cpu", NULL, elsewhere},
    {"osf", NULL, "a guess at the sender's system"},
    {0},
};

const struct ipt_module *ipt_module(const char *name)
{
    for (const struct ipt_module *m = modules; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const struct ipt_option *ipt_option(const struct ipt_option *table, const char *name)
{
    for (const struct ipt_option *o = table; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}
