/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/conformance.h"

#include <string.h>

static const struct document *const documents[] = {&rfc6062, &rfc8656, &rfc8489, &microsoft, &nat};
enum { DOCUMENTS = sizeof documents / sizeof *documents };

const struct requirement *catalogue_row(size_t i)
{
    for (size_t d = 0; d < DOCUMENTS; d++)
        for (size_t s = 0; s < documents[d]->count; s++) {
            const struct section *section = documents[d]->section[s];
            if (i < section->count)
                return &section->row[i];
            i -= section->count;
        }
    return NULL;
}

size_t catalogue_count(void)
{
    size_t n = 0;
    for (size_t d = 0; d < DOCUMENTS; d++)
        for (size_t s = 0; s < documents[d]->count; s++)
            n += documents[d]->section[s]->count;
    return n;
}

const struct requirement *catalogue_find(const char *id)
{
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++)
        if (strcmp(r->id, id) == 0)
            return r;
    return NULL;
}

const struct document *catalogue_document(const struct requirement *row)
{
    for (size_t d = 0; d < DOCUMENTS; d++)
        for (size_t s = 0; s < documents[d]->count; s++) {
            const struct section *section = documents[d]->section[s];
            for (size_t i = 0; i < section->count; i++)
                if (row == &section->row[i])
                    return documents[d];
        }
    return NULL;
}

const char *level_name(enum level level)
{
    static const char *const name[] = {
        [LEVEL_MUST] = "MUST",       [LEVEL_MUST_NOT] = "MUST NOT", [LEVEL_STATED] = "stated",
        [LEVEL_DERIVED] = "derived", [LEVEL_SHOULD] = "SHOULD",     [LEVEL_SHOULD_NOT] = "SHOULD NOT",
        [LEVEL_MAY] = "MAY",         [LEVEL_OPEN] = "open",
    };
    return name[level];
}

bool level_decides(enum level level, bool strict)
{
    switch (level) {
    case LEVEL_MUST:
    case LEVEL_MUST_NOT:
    case LEVEL_STATED:
    case LEVEL_DERIVED:
        return true;
    case LEVEL_SHOULD:
    case LEVEL_SHOULD_NOT:
        return strict;
    case LEVEL_MAY:
    case LEVEL_OPEN:
        break;
    }
    return false;
}

const char *setup_name(enum setup setup)
{
    static const char *const name[SETUPS] = {
        [SETUP_PLAIN] = "plain",       [SETUP_TCP_ONLY] = "tcp-only",   [SETUP_UDP_ONLY] = "udp-only",
        [SETUP_QUOTA] = "quota",       [SETUP_REDIRECT] = "redirect",   [SETUP_IP4_ONLY] = "ip4-only",
        [SETUP_IP6_ONLY] = "ip6-only", [SETUP_FEW_PORTS] = "few-ports", [SETUP_DENY] = "deny",
        [SETUP_RFC5766] = "rfc5766",   [SETUP_MSTURN] = "ms-turn",
        [SETUP_NAT] = "nat",
        [SETUP_ICE] = "ice",
    };
    return name[setup];
}
