/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule sets of a topology's firewalls: a file in a dialect known by its content or named, or JSON in place. */
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/import.h"
#include "sim/scenario/files.h"
#include "sim/scenario/topology_parts.h"

/* Rules as a topology writes them, in a file of their own. */
static int parse_own(struct topology *t, struct topo_node *n, const char *file, const char *text, size_t len,
                     struct diag *d)
{
    struct json *j;
    int err = json_parse(file, text, len, &j, d);
    if (err)
        return err;
    err = rules_from_json(j, json_root(j), file, n, &t->arena, &n->rules, d);
    json_free(j);
    return err;
}

int topology_import(struct topology *t, const struct topo_node *n, const char *text, size_t len,
                    struct fw_rules **out, struct diag *d)
{
    struct fw_port *port = arena_alloc(&t->arena, (n->interfaces.count + 1) * sizeof *port);
    for (size_t i = 0; i < n->interfaces.count; i++)
        port[i] = (struct fw_port){n->interfaces.items[i].name, n->interfaces.items[i].addresses.items,
                                   n->interfaces.items[i].addresses.count};
    const struct fw_source src = {.name = n->rules_file, .text = text, .len = len, .section = n->rules_section,
                                  .port = port, .port_count = n->interfaces.count, .clock_s = t->clock_s};
    struct fw_diag fd = {0};
    int err = n->rules_format->parse(&src, out, &fd);
    if (err)
        snprintf(d->text, sizeof d->text, "%s:%u:%u: %s", src.name, fd.line ? fd.line : 1, fd.column ? fd.column : 1,
                 fd.text[0] ? fd.text : err_text(err));
    return err;
}

/* Behind "FORMAT:", which forces a format; the file itself when it begins with none. *format NULL: our own. */
static const char *forced_format(const char *file, const struct fw_format **format, bool *forced)
{
    char name[16];
    size_t n = strcspn(file, ":");
    *forced = false;
    if (!file[n] || n >= sizeof name)
        return file;
    memcpy(name, file, n);
    name[n] = '\0';
    *format = fw_format_named(name);
    *forced = *format || strcmp(name, "json") == 0;
    return *forced ? file + n + 1 : file;
}

static int not_recognised(const char *file, struct diag *d)
{
    struct text t = text_of(d->text, sizeof d->text);
    text_add(&t, "%s:1:1: expected the rules of a firewall in one of these formats, found none of them; "
                 "FORMAT:FILE forces one: json", file);
    for (const struct fw_format *f = fw_formats; f->name; f++)
        text_add(&t, ", %s (%s)", f->name, f->title);
    return E_UNSUPPORTED;
}

/* Cuts "#SECTION" off. */
static const char *without_section(struct topology *t, struct topo_node *n, const char *file)
{
    const char *hash = strrchr(file, '#');
    if (!hash || !hash[1])
        return file;
    n->rules_section = hash + 1;
    return arena_copy(&t->arena, file, (size_t)(hash - file));
}

/* FORMAT:FILE, or FILE, whose content tells its format; #SECTION behind either. */
static int read_file_rules(struct topology *t, struct topo_node *n, const char *file, struct diag *d)
{
    const struct fw_format *format = NULL;
    bool forced;
    n->rules_file = without_section(t, n, forced_format(file, &format, &forced));
    char *text;
    size_t len;
    int err = file_read(&t->arena, n->rules_file, &text, &len, d);
    if (err)
        return err;
    n->rules_text = text;
    n->rules_len = len;
    n->rules_format = forced ? format : fw_format_of(text, len);
    if (!forced && !n->rules_format && text[strspn(text, " \t\r\n")] != '{')
        return not_recognised(n->rules_file, d);
    if (!n->rules_format)
        return parse_own(t, n, n->rules_file, text, len, d);
    return topology_import(t, n, text, len, &n->rules, d);
}

static int read_node_rules(struct topology *t, struct topo_node *n, struct diag *d)
{
    if (!n->rules_file && cJSON_IsString(n->rules_json))
        n->rules_file = file_below(&t->arena, t->directory, n->rules_json->valuestring);
    if (n->rules_file)
        return read_file_rules(t, n, n->rules_file, d);
    return rules_from_json(t->json, n->rules_json, t->file, n, &t->arena, &n->rules, d);
}

int topology_rules(struct topology *t, struct diag *d)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        struct topo_node *n = &t->nodes.items[i];
        int err = n->kind == TOPO_FIREWALL ? read_node_rules(t, n, d) : 0;
        if (err)
            return err;
        for (size_t k = 0; n->kind == TOPO_FIREWALL && k < n->interfaces.count; k++)
            if (fw_rules_find_interface(n->rules, n->interfaces.items[k].name) < 0)
                return json_error(t->json, topology_at(n->interfaces.items[k].at, "name", -1), d,
                                  "expected an interface that the rules know, found \"%s\", which %s does not have",
                                  n->interfaces.items[k].name, n->rules_file ? n->rules_file : t->file);
    }
    return 0;
}
