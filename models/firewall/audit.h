/* SPDX-License-Identifier: GPL-2.0-or-later */
/* About the rule set itself, whatever is asked of it: rules that no packet reaches, rules that let pass more than is
 * needed, rules written on addresses that they never see. Exact, and near linear in the number of rules. */
#ifndef TP_FIREWALL_AUDIT_H
#define TP_FIREWALL_AUDIT_H

#include "models/firewall/exact.h"

/* A line all of whose packets earlier lines of its list decide. */
struct fw_unreached {
    const char *list;
    const struct fw_rule_ref *rule;
    const struct fw_rule_ref *const *by; /* those lines, in their order: each takes packets that no earlier one has */
    size_t by_count;
    bool contrary; /* one of them decides otherwise than the line would */
};

/* Of all lists that packets are shown to, in the order of the lists and their rules. A line that is there for
 * conditions (interfaces, states) which the earlier ones do not have counts as reached. 0; see fw_space_error. */
int fw_audit_unreached(const struct fw_prepared *p, struct fw_space *s, struct fw_unreached **out, size_t *count);

/* A permitting line and what it lets pass beyond the packets that were needed. */
struct fw_overwide {
    const char *list;
    const struct fw_rule_ref *rule;
    struct fw_region excess; /* headers as the list sees them; compact */
    fw_wide exposure;        /* their number, cut at the greatest */
    bool needed;             /* something of it was */
};

/* needed: parts that are to pass; what of each line they met is its need. The widest line first, then by line. Lists of
 * the way in and global ones, or chains. 0; see fw_space_error. */
int fw_audit_overwide(const struct fw_prepared *p, const struct fw_part *const *needed, size_t needed_count,
                      struct fw_space *s, struct fw_overwide **out, size_t *count);

/* A line of a list of the way in whose destinations are translated before the list sees them (an ASA's lists see real
 * addresses since 8.3): it matches nothing that can arrive. */
struct fw_mapped_rule {
    const char *list;
    int iface;                     /* that the list is bound to */
    const struct fw_rule_ref *rule;
    const struct fw_rule_ref *nat; /* the first line that translates one of them */
};
int fw_audit_mapped(const struct fw_machine *m, struct fw_space *s, struct fw_mapped_rule **out, size_t *count);

#endif
