/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells in words. */
#include "models/base/bytes.h"
#include "models/firewall/cells.h"

enum { MEMBERS_MAX = 4 };

static void add_number(struct text *t, unsigned lo, unsigned hi)
{
    if (lo == hi)
        text_add(t, "%u", lo);
    else
        text_add(t, "%u-%u", lo, hi);
}

static void add_proto(struct text *t, unsigned lo, unsigned hi)
{
    static const struct {
        uint8_t proto;
        const char *name;
    } known[] = {{PROTO_ICMP, "icmp"}, {PROTO_TCP, "tcp"}, {PROTO_UDP, "udp"}, {PROTO_ICMP6, "icmp6"}};
    for (size_t i = 0; lo == hi && i < sizeof known / sizeof *known; i++)
        if (known[i].proto == lo) {
            text_add(t, "%s", known[i].name);
            return;
        }
    text_add(t, "protocol ");
    add_number(t, lo, hi);
}

/* A prefix where the range is one. */
static void add_range(struct text *t, uint8_t family, const struct fw_span *a)
{
    char lo[ADDR_TEXT], hi[ADDR_TEXT];
    struct ip_addr from = fw_wide_ip(family, a->lo), to = fw_wide_ip(family, a->hi);
    fw_wide host = a->lo ^ a->hi;
    ip_text(&from, lo);
    if (a->lo == a->hi) {
        text_add(t, "%s", lo);
    } else if ((host & (host + 1)) == 0 && (a->lo & host) == 0) {
        unsigned len = family == IP_V4 ? 32 : 128;
        for (; host; host >>= 1)
            len--;
        text_add(t, "%s/%u", lo, len);
    } else {
        text_add(t, "%s-%s", lo, ip_text(&to, hi));
    }
}

static void add_set(struct text *t, const struct fw_cell *c, enum fw_dim d)
{
    struct fw_spans set = c->dim[d];
    for (size_t i = 0; i < set.count && i < MEMBERS_MAX; i++) {
        const struct fw_span *a = &set.span[i];
        text_add(t, i ? "," : "");
        if (d == FW_DIM_SRC || d == FW_DIM_DST)
            add_range(t, c->family, a);
        else if (d == FW_DIM_PROTO)
            add_proto(t, (unsigned)a->lo, (unsigned)a->hi);
        else
            add_number(t, (unsigned)a->lo, (unsigned)a->hi);
    }
    if (set.count > MEMBERS_MAX)
        text_add(t, " and %zu more", set.count - MEMBERS_MAX);
}

static bool is_any(const struct fw_cell *c, enum fw_dim d)
{
    return fw_spans_equal(c->dim[d], (c->family == IP_V4 ? &fw_cell_any_v4 : &fw_cell_any_v6)->dim[d]);
}

static void add_side(struct text *t, const struct fw_cell *c, enum fw_dim address, enum fw_dim port)
{
    if (is_any(c, address))
        text_add(t, c->family == IP_V4 ? "any" : "any IPv6");
    else
        add_set(t, c, address);
    if (is_any(c, port))
        return;
    text_add(t, fw_spans_count(c->dim[port]) == 1 ? " port " : " ports ");
    add_set(t, c, port);
}

void fw_cell_text(const struct fw_cell *c, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    if (is_any(c, FW_DIM_PROTO))
        text_add(&t, "any protocol");
    else
        add_set(&t, c, FW_DIM_PROTO);
    text_add(&t, " ");
    add_side(&t, c, FW_DIM_SRC, FW_DIM_SPORT);
    text_add(&t, " > ");
    add_side(&t, c, FW_DIM_DST, FW_DIM_DPORT);
}
