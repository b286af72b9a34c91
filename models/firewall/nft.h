/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the importer of nftables' JSON (nft -j list ruleset; libnftables-json(5)). Rules are gone through
 * twice by the same code: first for names (interfaces, jumps, marks, sets that rules change), then into the model. */
#ifndef TP_FIREWALL_NFT_H
#define TP_FIREWALL_NFT_H

#include "models/base/json.h"
#include "models/firewall/netfilter.h"
#include "models/firewall/parts.h"

enum { NFT_BYTES_MAX = 64 * 1024 * 1024 };

enum nft_family { NFT_IP, NFT_IP6, NFT_INET, NFT_BRIDGE, NFT_ARP, NFT_NETDEV };

/* A set or map of a table. */
struct nft_set {
    const char *key; /* "inet filter blocked" */
    const cJSON *elem; /* NULL: empty */
    const char *unknown; /* why its content does not tell what is in it; NULL: it does */
    struct nft_set *next;
};

struct nft_helper { /* "ct helper" */
    const char *key, *type;
    struct nft_helper *next;
};

struct nft_base {
    struct nf_chain *chain;
    size_t number; /* in the order of the file */
    enum fw_hook hook;
    int64_t priority;
    bool nat, drop;
    uint8_t family;
    unsigned line;
};

struct nft {
    struct nf nf;
    struct json *json;
    struct fw_ledger ledger;
    bool naming; /* the first time */
    struct nft_set *set[256];
    struct nft_helper *helpers;
    struct nft_base *base;
    size_t bases, base_cap;
    /* the object at hand, and the rule */
    const cJSON *object;
    const char *table;  /* "inet filter" */
    enum nft_family family;
    struct nf_rule rule;
    unsigned line, last_line;
    char text[560];
    bool modelled;    /* it came into the model */
    bool no_way_back; /* it asks for sources without a way back, and nothing else yet */
};

/* Fills in diag at the value (NULL: at the object at hand); returns err. */
int nft_fail(struct nft *n, const cJSON *item, int err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int nft_expected(struct nft *n, const cJSON *item, const char *what); /* E_MALFORMED */

const cJSON *nft_get(const cJSON *object, const char *key); /* NULL: none */
const char *nft_text(const cJSON *object, const char *key); /* NULL: no string */
/* The only member of an object with one, as most expressions are; NULL: it is none. */
const cJSON *nft_only(const cJSON *object);

struct nft_set *nft_set_find(const struct nft *n, const char *name); /* of the table at hand; with or without "@" */
struct nf_chain *nft_chain_find(struct nft *n, const char *name);

/* ---- expressions (nft_key.c, nft_match.c) ---- */

/* What the rule asks about by an expression: the fields, and what they imply (ip saddr: IPv4). */
enum nft_field {
    NFT_SRC, NFT_DST, NFT_SPORT, NFT_DPORT, NFT_ICMP_TYPE, NFT_ICMP_CODE, NFT_TCP_FLAGS, NFT_PROTO, NFT_FAMILY,
    NFT_IN, NFT_OUT, NFT_STATE, NFT_STATUS, NFT_DIRECTION, NFT_ORIGINAL_SRC, NFT_ORIGINAL_DST, NFT_MARK, NFT_FRAME,
    NFT_SRC_TYPE, NFT_DST_TYPE, NFT_WAY_BACK, NFT_VERSION, NFT_OTHER
};

struct nft_key {
    enum nft_field field;
    uint8_t family; /* it implies that one; 0: none */
    uint8_t proto;  /* it implies that one; 0: none */
    bool any_proto; /* th: ports whatever the protocol */
    const cJSON *over; /* an operation on the field (&, |, ^); NULL: the field alone */
    const char *why;   /* OTHER: why it cannot be evaluated */
};
enum { NFT_KEYS_MAX = 8 };
struct nft_keys {
    struct nft_key v[NFT_KEYS_MAX];
    size_t count;
    const char *why; /* not NULL: as a whole it cannot be evaluated */
};

/* E_MALFORMED. */
int nft_keys(struct nft *n, const cJSON *expr, struct nft_keys *out);
/* What the keys imply narrows the rule. */
void nft_imply(struct nft *n, const struct nft_keys *keys);
/* The packets whose keys have that value (an element of a set) are added to the union. */
int nft_element(struct nft *n, const struct nft_keys *keys, const cJSON *value, struct nf_boxes *set);
int nft_match(struct nft *n, const cJSON *match);
/* The list of elements of a set expression or "@name"; *why: it is not known. */
int nft_elements(struct nft *n, const cJSON *set, const cJSON **list, const char **why);
/* An element without its wrapping: {"elem":{"val":..}}. */
const cJSON *nft_plain(const cJSON *element);
bool nft_is_operation(const char *s); /* "&", "|", "^", "<<", ">>" */

/* ---- values (nft_value.c) ---- */

typedef bool nft_namer(const char *word, uint16_t *out);
nft_namer *nft_namer_of(const struct nft_key *k); /* what names of the field mean; NULL: it has none */
nft_namer nft_state_name, nft_status_name, nft_flag_name;
bool nft_is_span(enum nft_field f); /* its values are numbers in an order */
/* "10.0.0.1", {"prefix":..}, {"range":..}; false: none of these. */
bool nft_address(const cJSON *value, struct fw_addr *out);
bool nft_number(const cJSON *value, nft_namer *name, uint16_t *out);
bool nft_span(const cJSON *value, nft_namer *name, struct nf_span *out);
/* A number, a name, a list of names or {"|": [...]}: their bits together. */
bool nft_bits(const cJSON *value, nft_namer *name, uint64_t *out);
/* The number that an operation on a field gives, of x in the field; false: it is none that can be worked out. */
bool nft_operate(const cJSON *expr, uint64_t x, nft_namer *name, uint64_t *out);
/* Does the number stand in that relation to the right side? A set is gone through. false in *known: not told. */
bool nft_relates(const char *op, uint64_t x, const cJSON *right, nft_namer *name, bool *known);

/* ---- statements (nft_stmt.c) ---- */

/* The rule's statements in order: narrow it, add it to the model. */
int nft_rule(struct nft *n, const cJSON *expr);

#endif
