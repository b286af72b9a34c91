/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule sets of a topology's firewalls: a file in a dialect known by its content or named, or JSON in place. */
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/scenario/files.h"
#include "sim/scenario/topology_parts.h"

static int parse_asa(struct topology *t, struct topo_node *n, const char *file, const char *text, size_t len,
                     struct diag *d)
{
    struct fw_diag fd = {0};
    (void)t;
    int err = fw_asa_parse(text, len, file, &n->rules, &fd);
    if (err)
        snprintf(d->text, sizeof d->text, "%s:%u:%u: %s", file, fd.line ? fd.line : 1, fd.column ? fd.column : 1,
                 fd.text[0] ? fd.text : err_text(err));
    return err;
}

static int parse_json(struct topology *t, struct topo_node *n, const char *file, const char *text, size_t len,
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

typedef int rules_parser(struct topology *t, struct topo_node *n, const char *file, const char *text, size_t len,
                         struct diag *d);

static const struct rules_format {
    const char *name;
    const char *first; /* characters that a file in the format begins with; NULL: any */
    rules_parser *parse;
} formats[] = {
    {"json", "{", parse_json},
    {"asa", NULL, parse_asa},
};

/* FORMAT:FILE, or FILE, whose format its first character tells. */
static int read_file_rules(struct topology *t, struct topo_node *n, const char *file, struct diag *d)
{
    const struct rules_format *format = NULL;
    size_t count = sizeof formats / sizeof *formats;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(formats[i].name);
        if (strncmp(file, formats[i].name, len) == 0 && file[len] == ':') {
            format = &formats[i];
            file += len + 1;
            break;
        }
    }
    char *text;
    size_t len;
    int err = file_read(&t->arena, file, &text, &len, d);
    if (err)
        return err;
    char first = text[strspn(text, " \t\r\n")];
    for (size_t i = 0; !format; i++)
        if (!formats[i].first || (first && strchr(formats[i].first, first)))
            format = &formats[i];
    n->rules_file = file;
    return format->parse(t, n, file, text, len, d);
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
