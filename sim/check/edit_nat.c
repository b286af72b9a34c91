/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translations that are missing: the static one of a public address, and the reflection of a host to itself. */
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/edits.h"

static const struct topo_iface *iface_with(const struct topo_node *n, const struct ip_addr *ip)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        for (size_t k = 0; k < n->interfaces.items[i].addresses.count; k++)
            if (ip_equal(&n->interfaces.items[i].addresses.items[k].ip, ip))
                return &n->interfaces.items[i];
    return NULL;
}

/* The firewall's interface beside the host, and the one whose network the public address is of. */
static bool between(const struct topo_node *fw, unsigned segment, const struct ip_addr *public, const char **real,
                    const char **mapped)
{
    *real = *mapped = NULL;
    for (size_t i = 0; i < fw->interfaces.count; i++) {
        const struct topo_iface *f = &fw->interfaces.items[i];
        if (f->segment == segment)
            *real = f->name;
        for (size_t k = 0; k < f->addresses.count && f->segment != segment; k++)
            if (ip_in_prefix(public, &f->addresses.items[k]))
                *mapped = f->name;
    }
    return *real && *mapped;
}

/* The firewall translates to that public address already. */
static bool translates(const struct fw_rules *r, const struct ip_addr *public)
{
    uint64_t index;
    for (size_t i = 0; i < r->nat_count; i++)
        if (!r->nat[i].inactive && r->nat[i].mapped && fw_set_index(r->nat[i].mapped, public, &index) &&
            r->nat[i].section == FW_NAT_OBJECT)
            return true;
    return false;
}

static bool defines(const struct edit_text *text, const char *line)
{
    for (size_t i = 0; i < text->lines.count; i++)
        if (strcmp(text->lines.items[i].text, line) == 0)
            return true;
    return false;
}

static const char *add(struct arena *a, const char *lines, const char *more)
{
    return lines ? arena_format(a, "%s\n%s", lines, more) : more;
}

/* The first line of a translation, which goes before all others; 0: there is none. */
static unsigned first_nat(const struct edit_text *text)
{
    for (unsigned i = 0; i < text->lines.count; i++)
        if (strncmp(text->lines.items[i].text, "nat (", 5) == 0)
            return i + 1;
    return 0;
}

/* Private and public address as objects, if they are not there. */
static const char *object(struct arena *a, const struct edit_text *text, const char *lines, const char *ip)
{
    const char *head = arena_format(a, "object network turnproof-%s", ip);
    return defines(text, head) ? lines : add(a, lines, arena_format(a, "%s\n host %s", head, ip));
}

static bool proposed(const struct edits *out, const char *lines)
{
    for (size_t i = 0; i < out->items.count; i++)
        if (out->items.items[i].text && strcmp(out->items.items[i].text, lines) == 0)
            return true;
    return false;
}

/* When the reflected source is the same host: both addresses are translated, on one interface. */
static void reflection(struct arena *a, const struct edit_text *text, const char *iface, const char *private,
                       const char *public, struct edits *out)
{
    const char *nat = arena_format(a, "nat (%s,%s) source static turnproof-%s turnproof-%s destination static "
                                      "turnproof-%s turnproof-%s", iface, iface, private, public, public, private);
    const char *objects = object(a, text, object(a, text, NULL, private), public);
    if (defines(text, nat))
        return;
    const char *lines = add(a, objects, nat);
    if (!proposed(out, lines))
        *CHECK_ADD(a, &out->items) = (struct edit){.line = first_nat(text), .text = lines};
}

static void static_nat(struct arena *a, const struct edit_text *text, const char *real, const char *mapped,
                       const char *private, const char *public, struct edits *out)
{
    const char *head = arena_format(a, "object network turnproof-%s", private);
    const char *lines = arena_format(a, "%s\n host %s\n nat (%s,%s) static %s", head, private, real, mapped, public);
    if (!proposed(out, lines) && !defines(text, arena_format(a, " nat (%s,%s) static %s", real, mapped, public)))
        *CHECK_ADD(a, &out->items) = (struct edit){.text = lines};
}

bool edit_nat_for(const struct topology *t, const struct bind_question *q, unsigned node, const struct edit_text *text,
                  struct arena *a, struct edits *out)
{
    const struct topo_node *fw = &t->nodes.items[node];
    /* The translated end is the one that receives, or, of packets outwards, the one that sends. */
    bool inwards = q->dst_translated.family != IP_NONE;
    const struct topo_node *host = &t->nodes.items[inwards ? q->to.node : q->from.node];
    struct ip_addr private = inwards ? q->dst_translated : q->src.items[0].a;
    struct ip_addr public = inwards ? q->dst.items[0].a : q->src_translated;
    const struct topo_iface *f = iface_with(host, &private);
    const char *real, *mapped;
    char private_text[ADDR_TEXT], public_text[ADDR_TEXT];
    if (public.family == IP_NONE || !f || !fw->rules_format || strcmp(fw->rules_format->name, "asa") != 0 ||
        !between(fw, f->segment, &public, &real, &mapped))
        return false;
    size_t before = out->items.count;
    ip_text(&private, private_text);
    ip_text(&public, public_text);
    if (inwards && q->src_translated.family != IP_NONE && q->from.node == q->to.node)
        reflection(a, text, real, private_text, public_text, out);
    else if (!translates(fw->rules, &public))
        static_nat(a, text, real, mapped, private_text, public_text, out);
    return out->items.count > before;
}
