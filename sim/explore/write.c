/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/explore/scenario.h"

static void put_number(cJSON *object, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, v);
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddRawToObject(object, key, text); /* all 64 bits */
}

/* The member of that name, made when it is not there. */
static cJSON *object_in(cJSON *object, const char *key)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return item ? item : cJSON_AddObjectToObject(object, key);
}

/* ---- links ---- */

static void put_loss(cJSON *dir, const struct net_loss *loss)
{
    cJSON_DeleteItemFromObjectCaseSensitive(dir, "loss");
    cJSON *out = cJSON_AddObjectToObject(dir, "loss");
    if (loss->kind != LOSS_GILBERT_ELLIOTT) {
        put_number(out, "bernoulli_ppm", loss->loss_ppm);
        return;
    }
    cJSON *bursts = cJSON_AddObjectToObject(out, "gilbert_elliott");
    put_number(bursts, "good_loss_ppm", loss->loss_ppm);
    put_number(bursts, "bad_loss_ppm", loss->bad_loss_ppm);
    put_number(bursts, "to_bad_ppm", loss->to_bad_ppm);
    put_number(bursts, "to_good_ppm", loss->to_good_ppm);
}

static void put_dir(cJSON *link, const char *key, const struct topo_dir *was, const struct topo_dir *is)
{
    const struct {
        const char *key;
        uint64_t was, is;
    } rows[] = {
        {"delay_us", was->delay_ns / NS_US, is->delay_ns / NS_US},
        {"jitter_us", was->jitter_ns / NS_US, is->jitter_ns / NS_US},
        {"duplicate_ppm", was->duplicate_ppm, is->duplicate_ppm},
        {"reorder_ppm", was->reorder_ppm, is->reorder_ppm},
        {"reorder_us", was->reorder_ns / NS_US, is->reorder_ns / NS_US},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].was != rows[i].is)
            put_number(object_in(link, key), rows[i].key, rows[i].is);
    if (was->loss.kind != is->loss.kind || was->loss.loss_ppm != is->loss.loss_ppm ||
        was->loss.to_bad_ppm != is->loss.to_bad_ppm)
        put_loss(object_in(link, key), &is->loss);
}

static void put_links(const struct topology *t, const struct scenario *s, cJSON *root)
{
    cJSON *link = cJSON_GetObjectItemCaseSensitive(root, "links")->child;
    for (size_t i = 0; i < t->links.count; i++, link = link->next) {
        put_dir(link, "ab", &t->links.items[i].dir[0], &s->dir[i][0]);
        put_dir(link, "ba", &t->links.items[i].dir[1], &s->dir[i][1]);
    }
}

/* ---- faults ---- */

static void put_faults(const struct scenario *s, cJSON *root)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "faults");
    if (!list && s->fault_count)
        list = cJSON_AddArrayToObject(root, "faults");
    for (size_t i = 0; i < s->fault_count; i++) {
        const struct topo_fault *f = &s->fault[i];
        cJSON *out = cJSON_CreateObject();
        cJSON_AddItemToArray(list, out);
        put_number(out, "at_ms", f->at_ns / NS_MS);
        cJSON_AddStringToObject(out, "kind", fault_kinds[f->kind].name);
        cJSON_AddStringToObject(out, f->link_name ? "link" : "node", f->link_name ? f->link_name : f->node_name);
        if (fault_lasts((enum fault_kind)f->kind))
            put_number(out, "for_ms", f->for_ns / NS_MS);
        if (f->kind == FAULT_CLOCK)
            put_number(out, "ahead_ms", f->ahead_ns / NS_MS);
    }
}

/* ---- nodes ---- */

static cJSON *node_at(cJSON *root, unsigned index)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "nodes"), (int)index);
}

static void put_load(const struct topology *t, const struct scenario *s, cJSON *root)
{
    for (size_t i = 0; i < s->load_count; i++) {
        const struct scenario_load *l = &s->load[i];
        struct scenario_load was;
        if (!load_of(t, l->node, &was) || (was.bytes_per_s == l->bytes_per_s && was.burst_bytes == l->burst_bytes &&
                                           was.duration_ns == l->duration_ns))
            continue;
        cJSON *screen = object_in(object_in(node_at(root, l->node), "settings"), "screen");
        put_number(screen, "bytes_per_s", l->bytes_per_s);
        put_number(screen, "burst_bytes", l->burst_bytes);
        put_number(screen, "duration_s", l->duration_ns / NS_S);
    }
}

static void put_buffers(const struct topology *t, const struct scenario *s, cJSON *root)
{
    for (unsigned i = 0; s->buffer_kb && i < t->nodes.count; i++) {
        if (t->nodes.items[i].kind != TOPO_HOST)
            continue;
        cJSON *tcp = object_in(node_at(root, i), "tcp");
        put_number(tcp, "send_buffer_kb", s->buffer_kb);
        put_number(tcp, "receive_buffer_kb", s->buffer_kb);
    }
}

/* A file as seen from a directory. */
static void relative(const char *directory, const char *file, char out[PATH_MAX])
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(out, PATH_MAX, "%s", file);
    if (!realpath(directory, from) || !realpath(file, to))
        return;
    size_t same = 0, n = 0;
    for (size_t i = 0; from[i] == to[i] && to[i]; i++)
        if (to[i] == '/')
            same = i + 1;
    size_t whole = strlen(from);
    if (strncmp(from, to, whole) == 0 && to[whole] == '/')
        same = whole + 1;
    for (const char *p = from + (same < whole ? same : whole); *p; p = strchr(p, '/') ? strchr(p, '/') + 1 : "")
        if (n + 4 < PATH_MAX)
            n += (size_t)snprintf(out + n, PATH_MAX - n, "../");
    snprintf(out + n, PATH_MAX - n, "%s", to + same);
}

static void put_rules(const struct topology *t, const char *directory, cJSON *root)
{
    for (unsigned i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        if (!n->rules_file)
            continue;
        char path[PATH_MAX], text[PATH_MAX + 256];
        relative(directory, n->rules_file, path);
        snprintf(text, sizeof text, "%s%s%s", path, n->rules_section ? "#" : "",
                 n->rules_section ? n->rules_section : "");
        cJSON_ReplaceItemInObjectCaseSensitive(node_at(root, i), "rules", cJSON_CreateString(text));
    }
}

char *scenario_json(const struct topology *t, const struct scenario *s, const char *directory)
{
    cJSON *root = cJSON_Duplicate(json_root(t->json), true);
    if (!root)
        return NULL;
    put_number(root, "seed", s->seed);
    put_links(t, s, root);
    put_faults(s, root);
    put_load(t, s, root);
    put_buffers(t, s, root);
    put_rules(t, directory, root);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}
