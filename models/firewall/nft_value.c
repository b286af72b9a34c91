/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The right side: addresses, numbers and names, ranges, bits, and the relations that a field may stand in to them. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/nft.h"

const cJSON *nft_plain(const cJSON *element)
{
    const cJSON *inner = nft_get(element, "elem");
    return inner ? nft_get(inner, "val") : element;
}

bool nft_address(const cJSON *value, struct fw_addr *out)
{
    const cJSON *prefix = nft_get(value, "prefix"), *range = nft_get(value, "range"), *len = nft_get(prefix, "len");
    if (cJSON_IsString(value))
        return !strpbrk(value->valuestring, "/-") && !fw_addr_parse(value->valuestring, out);
    if (prefix) {
        const char *addr = nft_text(prefix, "addr");
        struct ip_prefix p = {0};
        if (!addr || ip_parse(addr, &p.ip) || !cJSON_IsNumber(len) || len->valuedouble < 0 ||
            len->valuedouble > (double)(8 * ip_size(&p.ip)))
            return false;
        p.len = (uint8_t)len->valuedouble;
        *out = fw_addr_prefix(&p);
        return true;
    }
    if (cJSON_GetArraySize(range) != 2)
        return false;
    const cJSON *a = range->child, *b = a->next;
    *out = (struct fw_addr){0};
    return cJSON_IsString(a) && cJSON_IsString(b) && !ip_parse(a->valuestring, &out->a) &&
           !ip_parse(b->valuestring, &out->b) && out->a.family == out->b.family && ip_compare(&out->a, &out->b) <= 0;
}

bool nft_number(const cJSON *value, nft_namer *name, uint16_t *out)
{
    if (cJSON_IsString(value))
        return name && name(value->valuestring, out);
    if (!cJSON_IsNumber(value) || value->valuedouble < 0 || value->valuedouble > 65535 ||
        value->valuedouble != (double)(uint16_t)value->valuedouble)
        return false;
    *out = (uint16_t)value->valuedouble;
    return true;
}

bool nft_span(const cJSON *value, nft_namer *name, struct nf_span *out)
{
    const cJSON *range = nft_get(value, "range");
    if (!range) {
        bool ok = nft_number(value, name, &out->lo);
        out->hi = out->lo;
        return ok;
    }
    return cJSON_GetArraySize(range) == 2 && nft_number(range->child, name, &out->lo) &&
           nft_number(range->child->next, name, &out->hi) && out->lo <= out->hi;
}

static bool protocol_name(const char *word, uint16_t *out)
{
    uint8_t proto;
    bool ok = nf_protocol(word, &proto);
    *out = proto;
    return ok;
}

static bool icmp_name(const char *word, bool six, uint16_t *out)
{
    struct nf_icmp i;
    bool ok = nf_icmp_type(word, six, &i);
    *out = ok ? i.type_lo : 0;
    return ok;
}

static bool icmp4_type(const char *word, uint16_t *out)
{
    return icmp_name(word, false, out);
}

static bool icmp6_type(const char *word, uint16_t *out)
{
    return icmp_name(word, true, out);
}

static bool icmp4_code(const char *word, uint16_t *out)
{
    uint8_t code;
    bool ok = nf_icmp_code(word, false, &code);
    *out = code;
    return ok;
}

static bool icmp6_code(const char *word, uint16_t *out)
{
    uint8_t code;
    bool ok = nf_icmp_code(word, true, &code);
    *out = code;
    return ok;
}

/* meta nfproto and meta protocol: 1 for IPv4, 2 for IPv6, 0 for what is not routed. */
static bool family_name(const char *word, uint16_t *out)
{
    static const struct {
        const char *word;
        uint16_t family;
    } names[] = {{"ipv4", 1}, {"ip", 1}, {"ipv6", 2}, {"ip6", 2}, {"arp", 0}, {"vlan", 0}, {"8021q", 0}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].word, word) == 0) {
            *out = names[i].family;
            return true;
        }
    return false;
}

/* What a value of a field with a name means as a number. */
nft_namer *nft_namer_of(const struct nft_key *k)
{
    switch (k->field) {
    case NFT_SPORT:
    case NFT_DPORT:
        return nf_service_port;
    case NFT_PROTO:
        return protocol_name;
    case NFT_FAMILY:
        return family_name;
    case NFT_ICMP_TYPE:
        return k->family == IP_V6 ? icmp6_type : icmp4_type;
    case NFT_ICMP_CODE:
        return k->family == IP_V6 ? icmp6_code : icmp4_code;
    default:
        return NULL;
    }
}

bool nft_is_span(enum nft_field f)
{
    return f == NFT_SPORT || f == NFT_DPORT || f == NFT_PROTO || f == NFT_ICMP_TYPE || f == NFT_ICMP_CODE;
}

bool nft_state_name(const char *word, uint16_t *out)
{
    *out = (uint16_t)(nf_state(word) & 31);
    return *out != 0;
}

bool nft_status_name(const char *word, uint16_t *out)
{
    *out = (uint16_t)(nf_state(word) & (FW_STATE_SNAT | FW_STATE_DNAT));
    return *out != 0;
}

bool nft_flag_name(const char *word, uint16_t *out)
{
    *out = (uint16_t)nf_tcp_flag(word);
    return *out != 0;
}

bool nft_bits(const cJSON *value, nft_namer *name, uint64_t *out)
{
    const cJSON *list = cJSON_IsArray(value) ? value : nft_get(value, "|"), *part;
    uint64_t bits = 0;
    uint16_t one;
    if (!list) {
        if (cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= UINT32_MAX) {
            *out = (uint64_t)value->valuedouble;
            return true;
        }
        bool ok = cJSON_IsString(value) && name && name(value->valuestring, &one);
        *out = ok ? one : 0;
        return ok;
    }
    cJSON_ArrayForEach(part, list) {
        uint64_t more;
        if (!nft_bits(part, name, &more))
            return false;
        bits |= more;
    }
    *out = bits;
    return true;
}

bool nft_operate(const cJSON *expr, uint64_t x, nft_namer *name, uint64_t *out)
{
    const cJSON *body = nft_only(expr);
    if (!body || !nft_is_operation(body->string)) {
        *out = x;
        return body != NULL;
    }
    uint64_t a, b;
    if (cJSON_GetArraySize(body) != 2 || !nft_operate(body->child, x, name, &a) ||
        !nft_bits(body->child->next, name, &b))
        return false;
    switch (body->string[0]) {
    case '&':
        *out = a & b;
        return true;
    case '|':
        *out = a | b;
        return true;
    case '^':
        *out = a ^ b;
        return true;
    default:
        return false;
    }
}

bool nft_relates(const char *op, uint64_t x, const cJSON *right, nft_namer *name, bool *known)
{
    const cJSON *set = nft_get(right, "set"), *range = nft_get(right, "range"), *e;
    bool has = false, not = strcmp(op, "!=") == 0;
    uint64_t y, z;
    if (set) {
        cJSON_ArrayForEach(e, set)
            has = has || nft_relates("==", x, nft_plain(e), name, known);
        return has != not;
    }
    if (range) {
        if (!nft_bits(range->child, name, &y) || !nft_bits(range->child ? range->child->next : NULL, name, &z))
            *known = false;
        return *known && (y <= x && x <= z) != not;
    }
    if (!nft_bits(right, name, &y))
        return *known = false;
    static const char *const ops[] = {"==", "!=", "<", ">", "<=", ">=", "in", "!"};
    const bool holds[] = {x == y, x != y, x < y, x > y, x <= y, x >= y, (x & y) != 0, (x & y) == 0};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(op, ops[i]) == 0)
            return holds[i];
    return *known = false;
}
