/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the importers of cloud firewalls (aws.c, azure.c) share: a JSON document, its lines, and the side that is
 * protected.
 *
 * Groups of the clouds name no interfaces: they stand between the instances that they are put on and everything else.
 * In a topology that is a node of two ports. The protected one is the port named inside, internal, private, subnet,
 * vnet, vpc, instance, instances, lan or trust; or, if the other is named outside, external, public, internet, wan or
 * untrust, the one that is not. A node whose ports do not tell is refused. Without a node the sides are interfaces
 * named inside and outside. */
#ifndef TP_FIREWALL_CLOUD_H
#define TP_FIREWALL_CLOUD_H

#include <cjson/cJSON.h>

#include "models/base/json.h"
#include "models/firewall/parts.h"

enum { CLOUD_BYTES_MAX = 8 * 1024 * 1024 }; /* of a file */

struct cloud {
    const struct fw_source *src;
    struct fw_rules *rules;
    struct fw_diag *diag;
    struct json *json;
    struct fw_ledger ledger;
    int inside, outside;
    struct fw_addrs from, to; /* of the rule at hand; empty: any */
    struct fw_services service;
};

/* Reads the document and makes the two interfaces. E_MALFORMED, E_RANGE, E_UNSUPPORTED (diag filled in), E_NOMEM. */
int cloud_open(struct cloud *c, const struct fw_source *src, struct fw_diag *diag);
/* Counts the lines and gives the rules away, or frees them on an error; returns err. */
int cloud_close(struct cloud *c, int err, struct fw_rules **out);

/* Fills in diag at the value. Returns err. */
int cloud_fail(struct cloud *c, const cJSON *item, int err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int cloud_expected(struct cloud *c, const cJSON *item, const char *what); /* E_MALFORMED: "expected WHAT, found ..." */

/* The member; NULL: none. */
const cJSON *cloud_get(const cJSON *object, const char *key);
/* The member's text; NULL: it is no string. */
const char *cloud_text(const cJSON *object, const char *key);

/* The line of the value is modelled, or not understood for that reason (copied). */
void cloud_used(struct cloud *c, const cJSON *item);
int cloud_unsupported(struct cloud *c, const cJSON *item, const char *why);
/* Marks members that are in neither list (NULL ends each) as not understood. *strange: there was one. */
int cloud_known(struct cloud *c, const cJSON *object, const char *const known[], bool *strange);

/* "10.0.0.0/8" of a string value onto the set. E_MALFORMED. */
int cloud_prefix(struct cloud *c, const cJSON *item, struct fw_addrs *set);

/* Appends a rule of c->from, c->to, c->service. unknown NULL: it is certain. */
struct cloud_rule {
    const char *list;
    enum fw_action action;
    const char *unknown;
    bool implied;
    unsigned line;
    const char *text;
};
int cloud_rule(struct cloud *c, const struct cloud_rule *rule);
void cloud_clear(struct cloud *c); /* the sets of the rule at hand */

/* Is the name among those asked for ("a,b")? */
bool cloud_chosen(const struct cloud *c, const char *name);
/* The file has several groups and none was chosen, or none of that name: lists them. */
struct cloud_names {
    char text[120];
    size_t count;
};
void cloud_name(struct cloud_names *n, const char *name);
int cloud_choose(struct cloud *c, const struct cloud_names *n, const char *what);

/* Does the text hold the word? For recognition. */
bool cloud_has(const char *text, size_t len, const char *word);

#endif
