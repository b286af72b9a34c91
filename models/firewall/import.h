/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Importers: one file a format, one row of a table each. A format is recognised from the content of a file.
 *
 * Every line of a file is accounted for, once: modelled, of no effect on packets, or unsupported. An unsupported line
 * makes exactly the packets that it could decide UNKNOWN (a rule with `when.unknown`, or a taint); only what makes the
 * file as a whole unreadable (wrong syntax, cut off, a version that means something else) is an error. */
#ifndef TP_FIREWALL_IMPORT_H
#define TP_FIREWALL_IMPORT_H

#include "models/firewall/firewall.h"

/* A message about a rule file: position, what was expected, what was found. */
struct fw_diag {
    unsigned line, column; /* from 1 */
    char text[200];
};

/* An interface of the firewall in the topology, for formats whose files name interfaces and do not describe them. */
struct fw_port {
    const char *name;
    const struct ip_prefix *address;
    size_t address_count;
};

/* What is read. All is borrowed for the call; text need not end in NUL. */
struct fw_source {
    const char *name; /* of the file, in messages */
    const char *text;
    size_t len;
    const struct fw_port *port; /* count 0: not known */
    size_t port_count;
    /* Which of several in one file: an AWS group or ACL id, an Azure group's name; NULL: the only one. */
    const char *section;
    int64_t clock_s;     /* seconds since 1970 of the moment asked about, for time ranges; FW_NO_CLOCK: not known */
};
#define FW_NO_CLOCK INT64_MIN

typedef int fw_importer(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag);

struct fw_format {
    const char *name;  /* as in --rules NODE=NAME:FILE */
    const char *title; /* "Cisco ASA running-config" */
    bool (*recognise)(const char *text, size_t len); /* from its content; the first row that says yes */
    /* E_MALFORMED, E_UNSUPPORTED, E_TRUNCATED, E_RANGE (diag says where), E_NOMEM. */
    fw_importer *parse;
};

extern const struct fw_format fw_formats[]; /* name NULL ends it */
const struct fw_format *fw_format_named(const char *name);                /* NULL: none */
const struct fw_format *fw_format_of(const char *text, size_t len);       /* NULL: not recognised */

/* One file a format, or a family of files. */
bool fw_asa_recognise(const char *text, size_t len);
bool fw_aws_recognise(const char *text, size_t len);
bool fw_azure_recognise(const char *text, size_t len);
bool fw_fortigate_recognise(const char *text, size_t len);
bool fw_pan_recognise(const char *text, size_t len);
fw_importer fw_asa_parse, fw_aws_parse, fw_azure_parse, fw_pan_parse, fw_fortigate_parse;
/* Linux */
bool fw_iptables_recognise(const char *text, size_t len);
bool fw_nft_recognise(const char *text, size_t len);
fw_importer fw_iptables_parse, fw_nft_parse;
/* Cisco's others */
bool fw_ftd_recognise(const char *text, size_t len);
bool fw_ios_recognise(const char *text, size_t len);
fw_importer fw_ftd_parse, fw_ios_parse;

#endif
