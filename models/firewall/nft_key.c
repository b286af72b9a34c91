/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The left side of what nftables rules ask: which field, and what it implies. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/nft.h"

static const char contents[] = "looks into headers or data that are not modelled";
static const char elsewhere[] = "depends on what is not in the file";

/* Fields of headers; a field that is not here is not modelled, but its protocol is implied all the same. */
static const struct payload {
    const char *protocol, *field;
    enum nft_field is;
    uint8_t family, proto;
} payloads[] = {
    {"ip", "saddr", NFT_SRC, IP_V4, 0},
    {"ip", "daddr", NFT_DST, IP_V4, 0},
    {"ip", "protocol", NFT_PROTO, IP_V4, 0},
    {"ip", "version", NFT_VERSION, IP_V4, 0},
    {"ip6", "saddr", NFT_SRC, IP_V6, 0},
    {"ip6", "daddr", NFT_DST, IP_V6, 0},
    {"ip6", "nexthdr", NFT_PROTO, IP_V6, 0},
    {"ip6", "version", NFT_VERSION, IP_V6, 0},
    {"tcp", "sport", NFT_SPORT, 0, PROTO_TCP},
    {"tcp", "dport", NFT_DPORT, 0, PROTO_TCP},
    {"tcp", "flags", NFT_TCP_FLAGS, 0, PROTO_TCP},
    {"udp", "sport", NFT_SPORT, 0, PROTO_UDP},
    {"udp", "dport", NFT_DPORT, 0, PROTO_UDP},
    {"th", "sport", NFT_SPORT, 0, 0},
    {"th", "dport", NFT_DPORT, 0, 0},
    {"icmp", "type", NFT_ICMP_TYPE, IP_V4, PROTO_ICMP},
    {"icmp", "code", NFT_ICMP_CODE, IP_V4, PROTO_ICMP},
    {"icmpv6", "type", NFT_ICMP_TYPE, IP_V6, PROTO_ICMP6},
    {"icmpv6", "code", NFT_ICMP_CODE, IP_V6, PROTO_ICMP6},
    {"ether", "type", NFT_FAMILY, 0, 0},
    {"ip", NULL, NFT_OTHER, IP_V4, 0},
    {"ip6", NULL, NFT_OTHER, IP_V6, 0},
    {"tcp", NULL, NFT_OTHER, 0, PROTO_TCP},
    {"udp", NULL, NFT_OTHER, 0, PROTO_UDP},
    {"icmp", NULL, NFT_OTHER, IP_V4, PROTO_ICMP},
    {"icmpv6", NULL, NFT_OTHER, IP_V6, PROTO_ICMP6},
    {"igmp", NULL, NFT_OTHER, IP_V4, 2},
    {"esp", NULL, NFT_OTHER, 0, 50},
    {"ah", NULL, NFT_OTHER, 0, 51},
    {"comp", NULL, NFT_OTHER, 0, 108},
    {"sctp", NULL, NFT_OTHER, 0, 132},
    {"dccp", NULL, NFT_OTHER, 0, 33},
    {"udplite", NULL, NFT_OTHER, 0, 136},
};

/* The same by their place, in tables of one family (RFC 791, RFC 8200). */
static const struct raw {
    enum nft_family family;
    unsigned offset, len;
    enum nft_field is;
} raws[] = {
    {NFT_IP, 72, 8, NFT_PROTO},  {NFT_IP, 96, 32, NFT_SRC},   {NFT_IP, 128, 32, NFT_DST},
    {NFT_IP6, 48, 8, NFT_PROTO},
};

static const struct other {
    const char *kind, *key;
    enum nft_field is;
    const char *why;
} others[] = {
    {"meta", "l4proto", NFT_PROTO, NULL},
    {"meta", "nfproto", NFT_FAMILY, NULL},
    {"meta", "protocol", NFT_FAMILY, NULL},
    {"meta", "iif", NFT_IN, NULL},
    {"meta", "iifname", NFT_IN, NULL},
    {"meta", "oif", NFT_OUT, NULL},
    {"meta", "oifname", NFT_OUT, NULL},
    {"meta", "mark", NFT_MARK, NULL},
    {"meta", "pkttype", NFT_FRAME, NULL},
    {"meta", "hour", NFT_OTHER, "depends on the clock"},
    {"meta", "day", NFT_OTHER, "depends on the clock"},
    {"meta", "time", NFT_OTHER, "depends on the clock"},
    {"meta", "length", NFT_OTHER, contents},
    {"meta", "skuid", NFT_OTHER, "the process that sends"},
    {"meta", "skgid", NFT_OTHER, "the process that sends"},
    {"meta", "random", NFT_OTHER, "chance"},
    {"ct", "state", NFT_STATE, NULL},
    {"ct", "status", NFT_STATUS, NULL},
    {"ct", "direction", NFT_DIRECTION, NULL},
    {"ct", "mark", NFT_MARK, NULL},
    {"ct", "protocol", NFT_OTHER, "the connection's protocol"},
    {"meta", NULL, NFT_OTHER, elsewhere},
    {"ct", NULL, NFT_OTHER, "of the connection, and not modelled"},
    {"rt", NULL, NFT_OTHER, "the route"},
    {"socket", NULL, NFT_OTHER, "sockets of the firewall"},
    {"osf", NULL, NFT_OTHER, "a guess at the sender's system"},
    {"numgen", NULL, NFT_OTHER, "chance"},
    {"exthdr", NULL, NFT_OTHER, contents},
    {"tcp option", NULL, NFT_OTHER, contents},
    {"ip option", NULL, NFT_OTHER, contents},
    {"sctp chunk", NULL, NFT_OTHER, contents},
};

static void payload_key(struct nft *n, const cJSON *p, struct nft_key *k)
{
    const char *protocol = nft_text(p, "protocol"), *field = nft_text(p, "field"), *base = nft_text(p, "base");
    for (size_t i = 0; protocol && field && i < sizeof payloads / sizeof *payloads; i++) {
        const struct payload *row = &payloads[i];
        if (strcmp(row->protocol, protocol) != 0 || (row->field && strcmp(row->field, field) != 0))
            continue;
        k->field = row->is;
        k->family = row->family;
        k->proto = row->proto;
        k->any_proto = strcmp(protocol, "th") == 0;
        k->why = contents;
        return;
    }
    uint64_t offset = 0, len = 0;
    bool placed = base && strcmp(base, "nh") == 0 && json_u64(n->json, nft_get(p, "offset"), &offset) &&
                  json_u64(n->json, nft_get(p, "len"), &len);
    for (size_t i = 0; placed && i < sizeof raws / sizeof *raws; i++)
        if (raws[i].family == n->family && raws[i].offset == offset && raws[i].len == len)
            k->field = raws[i].is;
    k->why = contents;
}

/* fib saddr . iif oif: the way back. fib daddr type: of an address. */
static void fib_key(const cJSON *fib, struct nft_key *k)
{
    const char *result = nft_text(fib, "result");
    const cJSON *flags = nft_get(fib, "flags"), *f;
    bool src = false, dst = false, in = false, more = false;
    cJSON_ArrayForEach(f, flags) {
        const char *w = cJSON_IsString(f) ? f->valuestring : "";
        src = src || strcmp(w, "saddr") == 0;
        dst = dst || strcmp(w, "daddr") == 0;
        in = in || strcmp(w, "iif") == 0;
        more = more || (strcmp(w, "saddr") != 0 && strcmp(w, "daddr") != 0 && strcmp(w, "iif") != 0);
    }
    k->why = "fib: routes of the firewall";
    if (!result || more)
        return;
    if (strcmp(result, "type") == 0 && !in && src != dst)
        k->field = src ? NFT_SRC_TYPE : NFT_DST_TYPE;
    if (strcmp(result, "oif") == 0 && in && src && !dst)
        k->field = NFT_WAY_BACK;
}

static void other_key(const char *kind, const cJSON *body, struct nft_key *k)
{
    const char *key = nft_text(body, "key"), *dir = nft_text(body, "dir");
    k->why = "an expression that is not modelled";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].kind, kind) == 0 && (!others[i].key || (key && strcmp(others[i].key, key) == 0))) {
            k->field = others[i].is;
            k->why = others[i].why;
            break;
        }
    bool forth = dir && strcmp(dir, "original") == 0 && strcmp(kind, "ct") == 0 && key;
    if (forth && (strcmp(key, "ip saddr") == 0 || strcmp(key, "ip6 saddr") == 0))
        k->field = NFT_ORIGINAL_SRC;
    if (forth && (strcmp(key, "ip daddr") == 0 || strcmp(key, "ip6 daddr") == 0))
        k->field = NFT_ORIGINAL_DST;
    if (k->field == NFT_ORIGINAL_SRC || k->field == NFT_ORIGINAL_DST)
        k->family = key[2] == '6' ? IP_V6 : IP_V4;
}

bool nft_is_operation(const char *s)
{
    return strcmp(s, "&") == 0 || strcmp(s, "|") == 0 || strcmp(s, "^") == 0 || strcmp(s, "<<") == 0 ||
           strcmp(s, ">>") == 0;
}

static int one_key(struct nft *n, const cJSON *expr, struct nft_key *k)
{
    *k = (struct nft_key){.field = NFT_OTHER};
    const cJSON *body = nft_only(expr);
    if (!body)
        return nft_expected(n, expr, "an expression");
    if (nft_is_operation(body->string)) {
        const cJSON *inner = body->child;
        while (nft_only(inner) && nft_is_operation(nft_only(inner)->string))
            inner = nft_only(inner)->child;
        if (!nft_only(inner))
            return nft_expected(n, expr, "an operation on a field");
        int err = one_key(n, inner, k);
        k->over = expr;
        return err;
    }
    if (strcmp(body->string, "payload") == 0)
        payload_key(n, body, k);
    else if (strcmp(body->string, "fib") == 0)
        fib_key(body, k);
    else
        other_key(body->string, body, k);
    return 0;
}

int nft_keys(struct nft *n, const cJSON *expr, struct nft_keys *out)
{
    *out = (struct nft_keys){0};
    const cJSON *concat = nft_get(expr, "concat"), *part;
    int err = 0;
    if (!concat) {
        out->count = 1;
        err = one_key(n, expr, &out->v[0]);
    }
    cJSON_ArrayForEach(part, concat) {
        if (err || out->count == NFT_KEYS_MAX)
            return err ? err : nft_fail(n, concat, E_RANGE, "expected at most %d parts", NFT_KEYS_MAX);
        err = one_key(n, part, &out->v[out->count++]);
    }
    for (size_t i = 0; i < out->count; i++)
        if (out->v[i].field == NFT_OTHER || (out->v[i].over && concat))
            out->why = out->v[i].why ? out->v[i].why : "an operation on a field";
    return err;
}
