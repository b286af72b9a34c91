/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the audit share. */
#ifndef TP_FIREWALL_AUDIT_PARTS_H
#define TP_FIREWALL_AUDIT_PARTS_H

#include "models/firewall/audit_index.h"

/* Lines that took something, in order. */
struct fw_audit_lines {
    const struct fw_rule_ref **line;
    size_t count, cap;
    bool contrary; /* one of them decides otherwise */
};

/* The packets of a rule's five fields; false: none. */
bool fw_audit_region(struct fw_space *s, const struct fw_ready_rule *r, struct fw_region *out);
/* Takes out of the region, a part of the rule's, what earlier rules of its list decide. by: NULL, or notes them. */
void fw_audit_reached(struct fw_index *x, size_t rule, struct fw_space *s, struct fw_region *region,
                      struct fw_audit_lines *by);
/* Packets are shown to the list: it is bound, a base chain, or jumped to. */
bool fw_audit_is_asked(const struct fw_rules *r, const struct fw_list *l);

#endif
