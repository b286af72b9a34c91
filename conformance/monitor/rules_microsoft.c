/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MS-ICE2's connectivity checks, as a trace shows them. Only agents that show Microsoft's attributes are held to it. */
#include "conformance/monitor/rules.h"

static bool of_microsoft(const struct sight *s)
{
    return sight_has(s, ATTR_MS_CANDIDATE_IDENTIFIER) || sight_has(s, ATTR_MS_IMPLEMENTATION_VERSION);
}

static bool asks(const struct sight *s)
{
    return s->m->cls == STUN_REQUEST;
}

static void is_binding(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (of_microsoft(s))
        rule_judge(w, s->m->method == STUN_BINDING, "a check of type 0x%04x", s->m->type);
}

static void is_framed(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (of_microsoft(s) && s->said->seen->proto == PROTO_TCP)
        rule_judge(w, s->said->kind == SAID_FRAME, "a check over TCP without its length before it");
}

static void identifier_in_requests(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct stun_attr a;
    if (stun_find(s->m, ATTR_MS_CANDIDATE_IDENTIFIER, &a))
        rule_judge(w, asks(s) && a.len % 4 == 0, "CANDIDATE-IDENTIFIER of %u bytes in type 0x%04x", a.len, s->m->type);
}

static void version_is_shown(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct stun_attr a;
    if (of_microsoft(s))
        rule_judge(w, stun_find(s->m, ATTR_MS_IMPLEMENTATION_VERSION, &a) && a.len == 4,
                   "type 0x%04x without an IMPLEMENTATION-VERSION of 4 bytes", s->m->type);
}

static void has_priority_and_role(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (asks(s) && of_microsoft(s))
        rule_judge(w, sight_has(s, ATTR_PRIORITY) &&
                          sight_has(s, ATTR_ICE_CONTROLLED) != sight_has(s, ATTR_ICE_CONTROLLING),
                   "a check without PRIORITY, or without one role");
}

static void mapped_is_the_standard_s(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->m->cls == STUN_SUCCESS && of_microsoft(s))
        rule_judge(w, sight_has(s, ATTR_XOR_MAPPED_ADDRESS) && !sight_has(s, ATTR_MS_XOR_MAPPED_ADDRESS),
                   "a Binding response without XOR-MAPPED-ADDRESS 0020");
}

static void fingerprint_is_of_either_table(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct stun_msg m;
    if (of_microsoft(s) && s->m->fingerprint_at && stun_parse(&stun_ms_ice2, s->m->bytes, s->m->len, &m) == 0)
        rule_judge(w, stun_check_fingerprint(&m) == 0, "FINGERPRINT is of neither CRC table");
}

static void user_counts_padding(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct stun_attr a;
    if (asks(s) && of_microsoft(s) && stun_find(s->m, ATTR_USERNAME, &a))
        rule_judge(w, !a.len || a.value[a.len - 1], "USERNAME is padded with NULs, which its length counts");
}

static void controlled_nominates(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (asks(s) && of_microsoft(s) && sight_has(s, ATTR_USE_CANDIDATE))
        rule_judge(w, sight_has(s, ATTR_ICE_CONTROLLING), "USE-CANDIDATE comes from an agent that is controlled");
}

static const struct rule rules[] = {
    {"MSI-1", ON_CHECK, 0, is_binding, 0},
    {"MSI-2", ON_CHECK, 0, is_framed, 0},
    {"MSI-3", ON_CHECK, 0, identifier_in_requests, 0},
    {"MSI-4", ON_CHECK, 0, version_is_shown, 0},
    {"MSI-5", ON_CHECK, 0, has_priority_and_role, 0},
    {"MSI-6", ON_CHECK, 0, mapped_is_the_standard_s, 0},
    {"MSI-7", ON_CHECK, 0, fingerprint_is_of_either_table, 0},
    {"MSI-10", ON_CHECK, 0, user_counts_padding, 0},
    {"MSI-11", ON_CHECK, 0, controlled_nominates, 0},
};

const struct rules rules_microsoft = {rules, sizeof rules / sizeof *rules};
