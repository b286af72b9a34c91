/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a port table, and what must hold beyond them. */
#include "sim/check/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

/* ---- keys ---- */

/* An end is its actor and which of its addresses, in one number; 0: none. */
#define END(actor, address) (((int)(actor) + 1) * 4 + (int)(address))

static const struct field_name ends[] = {
    {"guest-pc", END(ACTOR_GUEST_PC, ADDRESS_SEEN)},
    {"webrtc-app", END(ACTOR_WEBRTC_APP, ADDRESS_SEEN)},
    {"admin-pc", END(ACTOR_ADMIN_PC, ADDRESS_SEEN)},
    {"any", END(ACTOR_ANY, ADDRESS_SEEN)},
    {"sip-endpoint", END(ACTOR_SIP_ENDPOINT, ADDRESS_SEEN)},
    {"microsoft-client", END(ACTOR_MICROSOFT_CLIENT, ADDRESS_SEEN)},
    {"expressway-e", END(ACTOR_EXPRESSWAY_E, ADDRESS_SEEN)},
    {"expressway-e.public", END(ACTOR_EXPRESSWAY_E, ADDRESS_PUBLIC)},
    {"expressway-e.private", END(ACTOR_EXPRESSWAY_E, ADDRESS_PRIVATE)},
    {"expressway-c", END(ACTOR_EXPRESSWAY_C, ADDRESS_SEEN)},
    {"meeting-server", END(ACTOR_MEETING_SERVER, ADDRESS_SEEN)},
    {"unified-cm", END(ACTOR_UNIFIED_CM, ADDRESS_SEEN)},
    {"skype-edge", END(ACTOR_SKYPE_EDGE, ADDRESS_SEEN)},
    {"skype-edge.public", END(ACTOR_SKYPE_EDGE, ADDRESS_PUBLIC)},
    {NULL, 0},
};

static struct port_end end_of(int number)
{
    return (struct port_end){(enum port_actor)(number / 4 - 1), (enum port_address)(number % 4)};
}

static const struct field_name needs[] = {
    {"must", NEED_MUST}, {"optional", NEED_OPTIONAL}, {"never", NEED_NEVER}, {NULL, 0}};
static const struct field_name protocols[] = {
    {"udp", PORT_UDP}, {"tcp", PORT_TCP}, {"tls", PORT_TLS}, {"https", PORT_HTTPS}, {NULL, 0}};
static const struct field_name settings[] = {{"administration-port", SETTING_ADMINISTRATION_PORT},
                                             {"turn-port", SETTING_TURN_PORT},
                                             {"tcp-override-port", SETTING_TCP_OVERRIDE_PORT},
                                             {"traversal-zones", SETTING_TRAVERSAL_ZONES},
                                             {NULL, 0}};
static const struct field_name switches[] = {{"turn-tcp-443", SWITCH_TURN_TCP_443},
                                             {"mra", SWITCH_MRA},
                                             {"cluster", SWITCH_CLUSTER},
                                             {NULL, 0}};
static const struct field_name sizes[] = {
    {"small-medium", PORT_SIZE_SMALL_MEDIUM}, {"large", PORT_SIZE_LARGE}, {NULL, 0}};
static const struct field_name parities[] = {{"even", PARITY_EVEN}, {"odd", PARITY_ODD}, {NULL, 0}};

#define PORTS(key, of_struct, member) {FIELD(key, LIST, of_struct, member), .of = FIELD_STRING, .min = 1, .max = 64}
#define STRINGS(key, of_struct, member) {FIELD(key, LIST, of_struct, member), .of = FIELD_STRING, .max = 64}
#define RELEASES(of_struct) \
    {FIELD("since", STRING, of_struct, releases.since_text)}, {FIELD("before", STRING, of_struct, releases.before_text)}

static const struct field alternative_fields[] = {
    {FIELD("(alternative)", SELF, struct port_alternative, at)},
    {FIELD("size", ENUM, struct port_alternative, size), .names = sizes, .required = true},
    {FIELD("to_ports", LIST, struct port_alternative, ports_text), .of = FIELD_STRING, .min = 1, .max = 64,
     .required = true},
    {FIELD("any_of_ports", BOOL, struct port_alternative, any_of_ports)},
    {FIELD("parity", ENUM, struct port_alternative, parity), .names = parities},
    {.key = NULL},
};

static const struct field row_fields[] = {
    {FIELD("(row)", SELF, struct port_row, at)},
    {FIELD("id", STRING, struct port_row, id), .required = true, .min = 1, .max = 31},
    {FIELD("need", ENUM, struct port_row, need), .names = needs, .dflt = NEED_MUST},
    {FIELD("purpose", STRING, struct port_row, purpose), .required = true, .min = 1, .max = 120},
    {FIELD("from", ENUM, struct port_row, from_end), .names = ends, .required = true},
    {FIELD("from_translated", ENUM, struct port_row, from_end_translated), .names = ends},
    {FIELD("from_ports", LIST, struct port_row, from_ports_text), .of = FIELD_STRING, .min = 1, .max = 64,
     .required = true},
    {FIELD("protocols", LIST, struct port_row, protocols), .of = FIELD_ENUM, .names = protocols, .min = 1, .max = 4,
     .required = true},
    {FIELD("any_of", BOOL, struct port_row, any_of)},
    {FIELD("to", ENUM, struct port_row, to_end), .names = ends, .required = true},
    {FIELD("to_translated", ENUM, struct port_row, to_end_translated), .names = ends},
    PORTS("to_ports", struct port_row, to_ports_text),
    PORTS("never_ports", struct port_row, never_ports_text),
    {FIELD("alternatives", LIST, struct port_row, alternatives), .of = FIELD_OBJECT, .fields = alternative_fields,
     .size = sizeof(struct port_alternative), .min = 1, .max = 8},
    {FIELD("group", STRING, struct port_row, group), .min = 1, .max = 31},
    {FIELD("setting", ENUM, struct port_row, setting), .names = settings},
    {FIELD("only_with", ENUM, struct port_row, only_with), .names = switches},
    RELEASES(struct port_row),
    {FIELD("degrades_to", STRING, struct port_row, degrades_to), .min = 1, .max = 300},
    STRINGS("notes", struct port_row, note_ids),
    {FIELD("also", STRING, struct port_row, also)},
    {.key = NULL},
};

/* The systems that listen are among the ends that rows name without an address. */
static const struct field_name actors[] = {{"expressway-e", ACTOR_EXPRESSWAY_E},
                                           {"expressway-c", ACTOR_EXPRESSWAY_C},
                                           {"meeting-server", ACTOR_MEETING_SERVER},
                                           {"skype-edge", ACTOR_SKYPE_EDGE},
                                           {NULL, 0}};

static const struct field listener_fields[] = {
    {FIELD("(listener)", SELF, struct port_listener, at)},
    {FIELD("service", STRING, struct port_listener, service), .required = true, .min = 1, .max = 31},
    {FIELD("actor", ENUM, struct port_listener, actor), .names = actors, .required = true},
    {FIELD("protocol", ENUM, struct port_listener, protocol), .names = protocols, .required = true},
    {FIELD("ports", LIST, struct port_listener, ports_text), .of = FIELD_STRING, .min = 1, .max = 64,
     .required = true},
    {FIELD("setting", ENUM, struct port_listener, setting), .names = settings},
    {FIELD("only_with", ENUM, struct port_listener, only_with), .names = switches},
    RELEASES(struct port_listener),
    STRINGS("shares_with", struct port_listener, shares_with),
    {FIELD("shares_since", STRING, struct port_listener, shares_since_text)},
    STRINGS("notes", struct port_listener, note_ids),
    {.key = NULL},
};

static const struct field_name conditions[] = {{"cluster-behind-nat", CONDITION_CLUSTER_BEHIND_NAT},
                                               {"dual-nic-without-nat", CONDITION_DUAL_NIC_WITHOUT_NAT},
                                               {"old-meeting-server", CONDITION_OLD_MEETING_SERVER},
                                               {NULL, 0}};

static const struct field advisory_fields[] = {
    {FIELD("(advisory)", SELF, struct port_advisory, at)},
    {FIELD("when", ENUM, struct port_advisory, condition), .names = conditions, .required = true},
    RELEASES(struct port_advisory),
    {FIELD("meeting_server_before", STRING, struct port_advisory, meeting_server_before_text)},
    {FIELD("text", STRING, struct port_advisory, text), .required = true, .min = 1},
    STRINGS("notes", struct port_advisory, note_ids),
    {.key = NULL},
};

static const struct field erratum_fields[] = {
    {FIELD("date", STRING, struct port_erratum, date), .required = true, .min = 4, .max = 10},
    {FIELD("rows", LIST, struct port_erratum, rows), .of = FIELD_STRING, .min = 1, .max = 64, .required = true},
    PORTS("was_ports", struct port_erratum, was_ports_text),
    {FIELD("text", STRING, struct port_erratum, text), .required = true, .min = 1},
    {.key = NULL},
};

static const struct field note_fields[] = {
    {FIELD("(note)", SELF, struct port_note, at)},
    {FIELD("id", STRING, struct port_note, id), .required = true, .min = 1, .max = 31},
    {FIELD("text", STRING, struct port_note, text), .required = true, .min = 1},
    {.key = NULL},
};

#define OBJECTS(key_name, member, of_fields, of_struct) \
    FIELD(key_name, LIST, struct port_table, member), .of = FIELD_OBJECT, .fields = (of_fields), \
                                                      .size = sizeof(of_struct), .max = 4096

static const struct field table_fields[] = {
    {FIELD("schema", STRING, struct port_table, schema), .required = true},
    {FIELD("id", STRING, struct port_table, id), .required = true, .min = 1, .max = 31},
    {FIELD("number", U16, struct port_table, number), .required = true, .min = 1},
    {FIELD("title", STRING, struct port_table, title), .required = true, .min = 1},
    {FIELD("source", STRING, struct port_table, source), .text = ""},
    {OBJECTS("rows", rows, row_fields, struct port_row), .required = true, .min = 1},
    {OBJECTS("listeners", listeners, listener_fields, struct port_listener)},
    {OBJECTS("advisories", advisories, advisory_fields, struct port_advisory)},
    {OBJECTS("errata", errata, erratum_fields, struct port_erratum)},
    {OBJECTS("notes", notes, note_fields, struct port_note)},
    {.key = NULL},
};

/* ---- ports and releases, from their texts ---- */

struct reading {
    struct port_table *t;
    struct diag *d;
};

static int expected(const struct reading *r, const cJSON *at, const char *what)
{
    char found[64];
    return json_error(r->t->json, at, r->d, "expected %s, found %s", what, json_found(r->t->json, at, found));
}

static const cJSON *at_key(const cJSON *object, const char *key, int index)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return index >= 0 ? cJSON_GetArrayItem(item, index) : item;
}

/* "PORT" or "FIRST-LAST". */
static bool range_parse(const char *s, struct port_range *out)
{
    char *end;
    if (s[0] < '1' || s[0] > '9')
        return false;
    unsigned long lo = strtoul(s, &end, 10), hi = lo;
    if (*end == '-' && end[1] >= '1' && end[1] <= '9')
        hi = strtoul(end + 1, &end, 10);
    *out = (struct port_range){(uint16_t)lo, (uint16_t)hi};
    return !*end && lo <= hi && hi <= UINT16_MAX;
}

/* LISTs of strings of any struct look the same. */
#define TEXTS(list) ((struct field_list){(list).items, (list).count})

static int read_ranges(const struct reading *r, const cJSON *object, const char *key, struct field_list texts,
                       struct port_ranges *out)
{
    const char *const *text = texts.items;
    *out = (struct port_ranges){arena_alloc(&r->t->arena, (texts.count + 1) * sizeof *out->items), texts.count};
    for (size_t i = 0; i < texts.count; i++) {
        if (!range_parse(text[i], &out->items[i]))
            return expected(r, at_key(object, key, (int)i), "a port or range of ports, as \"3478\" or \"24000-29999\"");
        if (i && out->items[i].lo <= out->items[i - 1].hi)
            return expected(r, at_key(object, key, (int)i), "ranges that ascend and do not overlap");
    }
    return 0;
}

/* Ports that a setting moves have to be those that it has when nobody set it. */
static int check_setting(const struct reading *r, const cJSON *at, enum port_setting setting,
                         const struct port_ranges *ports)
{
    static const struct {
        struct port_range within;
        const char *expected;
    } rows[] = {
        [SETTING_ADMINISTRATION_PORT] = {{8443, 8443}, "port 8443 alone with the setting administration-port"},
        [SETTING_TURN_PORT] = {{3478, 3483}, "one range within 3478-3483 with the setting turn-port"},
        [SETTING_TCP_OVERRIDE_PORT] = {{0, 0}, "no ports with the setting tcp-override-port"},
        [SETTING_TRAVERSAL_ZONES] = {{7001, 7001}, "port 7001 alone with the setting traversal-zones"},
    };
    if (setting == SETTING_NONE || (ports->count == 1 && ports->items[0].lo >= rows[setting].within.lo &&
                                    ports->items[0].hi <= rows[setting].within.hi))
        return 0;
    return json_error(r->t->json, at, r->d, "expected %s", rows[setting].expected);
}

static int read_release(const struct reading *r, const cJSON *object, const char *key, const char *text,
                        struct release *out)
{
    if (!text || release_parse(text, "X", out) == 0)
        return 0;
    return expected(r, at_key(object, key, -1), "a release, as \"X8.9\" or \"X12.5.3\"");
}

static int read_releases(const struct reading *r, const cJSON *object, struct port_releases *releases)
{
    int err = read_release(r, object, "since", releases->since_text, &releases->since);
    if (!err)
        err = read_release(r, object, "before", releases->before_text, &releases->before);
    if (!err && releases->since_text && releases->before_text &&
        release_compare(&releases->since, &releases->before) >= 0)
        err = expected(r, at_key(object, "before", -1), "a release after `since`");
    return err;
}

static int check_notes(const struct reading *r, const cJSON *object, struct field_list ids)
{
    const char *const *id = ids.items;
    for (size_t i = 0; i < ids.count; i++)
        if (!port_note_text(r->t, id[i]))
            return expected(r, at_key(object, "notes", (int)i), "the id of a note of this table");
    return 0;
}

/* ---- rows ---- */

static int check_parity(const struct reading *r, const struct port_alternative *a)
{
    for (size_t i = 0; a->parity != PARITY_ANY && i < a->ports.count; i++) {
        const struct port_range *p = &a->ports.items[i];
        if (p->lo == p->hi && p->lo % 2 != (a->parity == PARITY_ODD))
            return expected(r, at_key(a->at, "to_ports", (int)i), "a range that has a port of the parity");
    }
    return 0;
}

/* Where the ports that packets go to stand: one alternative for every size, several by size, or a setting's alone. */
static int read_destination(const struct reading *r, struct port_row *row)
{
    bool has_ports = row->to_ports_text.count, has_alternatives = row->alternatives.count;
    if (has_ports && has_alternatives)
        return json_error(r->t->json, row->at, r->d, "expected \"to_ports\" or \"alternatives\", found both");
    if (!has_ports && !has_alternatives && row->setting != SETTING_TCP_OVERRIDE_PORT)
        return json_error(r->t->json, row->at, r->d, "expected \"to_ports\" or \"alternatives\", found neither");
    if (has_ports) {
        struct port_alternative *a = arena_alloc(&r->t->arena, sizeof *a);
        *a = (struct port_alternative){.at = row->at, .size = PORT_SIZE_ANY};
        row->alternatives.items = a;
        row->alternatives.count = 1;
        int err = read_ranges(r, row->at, "to_ports", TEXTS(row->to_ports_text), &a->ports);
        return err ? err : check_setting(r, row->at, (enum port_setting)row->setting, &a->ports);
    }
    for (size_t i = 0; i < row->alternatives.count; i++) {
        struct port_alternative *a = &row->alternatives.items[i];
        for (size_t k = 0; k < i; k++)
            if (row->alternatives.items[k].size == a->size)
                return expected(r, at_key(a->at, "size", -1), "each size once");
        int err = read_ranges(r, a->at, "to_ports", TEXTS(a->ports_text), &a->ports);
        if (!err)
            err = check_setting(r, a->at, (enum port_setting)row->setting, &a->ports);
        if (!err)
            err = check_parity(r, a);
        if (err)
            return err;
    }
    return 0;
}

static int read_source(const struct reading *r, struct port_row *row)
{
    row->from_ephemeral = row->from_ports_text.count == 1 && strcmp(row->from_ports_text.items[0], "ephemeral") == 0;
    if (!row->from_ephemeral)
        return read_ranges(r, row->at, "from_ports", TEXTS(row->from_ports_text), &row->from_ports);
    static const struct port_range ephemeral = {1024, UINT16_MAX};
    row->from_ports = (struct port_ranges){arena_alloc(&r->t->arena, sizeof ephemeral), 1};
    row->from_ports.items[0] = ephemeral;
    return 0;
}

static int read_row(const struct reading *r, struct port_row *row)
{
    for (const struct port_row *o = r->t->rows.items; o < row; o++)
        if (strcmp(o->id, row->id) == 0)
            return expected(r, at_key(row->at, "id", -1), "each row once");
    char *end;
    if (strtoul(row->id, &end, 10) != r->t->number || *end != '.')
        return expected(r, at_key(row->at, "id", -1), "an id that begins with the number of the table and a point");
    row->from = end_of(row->from_end);
    row->to = end_of(row->to_end);
    row->translated = row->from_end_translated || row->to_end_translated;
    if (row->translated && !(row->from_end_translated && row->to_end_translated))
        return json_error(r->t->json, row->at, r->d,
                          "expected \"from_translated\" and \"to_translated\" together, found one of them");
    if (row->translated) {
        row->from_translated = end_of(row->from_end_translated);
        row->to_translated = end_of(row->to_end_translated);
    }
    if (row->need == NEED_OPTIONAL && !row->degrades_to)
        return json_error(r->t->json, row->at, r->d, "expected \"degrades_to\" where a row is optional, found none");
    int err = read_source(r, row);
    if (!err)
        err = read_destination(r, row);
    if (!err)
        err = read_ranges(r, row->at, "never_ports", TEXTS(row->never_ports_text), &row->never_ports);
    if (!err)
        err = read_releases(r, row->at, &row->releases);
    return err ? err : check_notes(r, row->at, TEXTS(row->note_ids));
}

/* ---- the whole ---- */

static int read_listener(const struct reading *r, struct port_listener *l)
{
    int err = read_ranges(r, l->at, "ports", TEXTS(l->ports_text), &l->ports);
    if (!err)
        err = check_setting(r, l->at, (enum port_setting)l->setting, &l->ports);
    if (!err)
        err = read_releases(r, l->at, &l->releases);
    if (!err)
        err = read_release(r, l->at, "shares_since", l->shares_since_text, &l->shares_since);
    return err ? err : check_notes(r, l->at, TEXTS(l->note_ids));
}

static int read_advisory(const struct reading *r, struct port_advisory *a)
{
    const char *text = a->meeting_server_before_text;
    if ((a->condition == CONDITION_OLD_MEETING_SERVER) != (text != NULL))
        return json_error(r->t->json, a->at, r->d, "expected \"meeting_server_before\" where \"when\" is "
                          "\"old-meeting-server\", and only there");
    if (text && release_parse(text, "", &a->meeting_server_before) != 0)
        return expected(r, at_key(a->at, "meeting_server_before", -1), "a release, as \"2.9.2\"");
    int err = read_releases(r, a->at, &a->releases);
    return err ? err : check_notes(r, a->at, TEXTS(a->note_ids));
}

static bool has_row(const struct port_table *t, const char *id)
{
    for (size_t i = 0; i < t->rows.count; i++)
        if (strcmp(t->rows.items[i].id, id) == 0)
            return true;
    return false;
}

static int read_erratum(const struct reading *r, size_t index)
{
    struct port_erratum *e = &r->t->errata.items[index];
    const cJSON *at = cJSON_GetArrayItem(at_key(json_root(r->t->json), "errata", -1), (int)index);
    for (size_t i = 0; i < e->rows.count; i++)
        if (!has_row(r->t, e->rows.items[i]))
            return expected(r, at_key(at, "rows", (int)i), "the id of a row of this table");
    return read_ranges(r, at, "was_ports", TEXTS(e->was_ports_text), &e->was_ports);
}

static int read_table(const struct reading *r)
{
    struct port_table *t = r->t;
    int err = fields_read(t->json, json_root(t->json), table_fields, &t->arena, t, r->d);
    if (!err && strcmp(t->schema, "turnproof/ports/1") != 0)
        err = expected(r, at_key(json_root(t->json), "schema", -1), "\"turnproof/ports/1\"");
    for (size_t i = 0; !err && i < t->rows.count; i++)
        err = read_row(r, &t->rows.items[i]);
    for (size_t i = 0; !err && i < t->listeners.count; i++)
        err = read_listener(r, &t->listeners.items[i]);
    for (size_t i = 0; !err && i < t->advisories.count; i++)
        err = read_advisory(r, &t->advisories.items[i]);
    for (size_t i = 0; !err && i < t->errata.count; i++)
        err = read_erratum(r, i);
    return err;
}

int port_table_parse(const char *name, const char *text, size_t len, struct port_table **out, struct diag *d)
{
    struct port_table *t = calloc(1, sizeof *t);
    if (!t)
        return E_NOMEM;
    t->file = arena_copy(&t->arena, name, strlen(name));
    int err = json_parse(name, text, len, &t->json, d);
    if (!err)
        err = read_table(&(struct reading){t, d});
    if (err)
        port_table_free(t);
    else
        *out = t;
    return err;
}

void port_table_free(struct port_table *t)
{
    if (!t)
        return;
    json_free(t->json);
    arena_free(&t->arena);
    free(t);
}

const char *port_note_text(const struct port_table *t, const char *id)
{
    for (size_t i = 0; i < t->notes.count; i++)
        if (strcmp(t->notes.items[i].id, id) == 0)
            return t->notes.items[i].text;
    return NULL;
}

bool port_releases_have(const struct port_releases *r, const struct release *release)
{
    return (!r->since_text || release_compare(release, &r->since) >= 0) &&
           (!r->before_text || release_compare(release, &r->before) < 0);
}

const char *port_protocol_name(enum port_protocol p)
{
    return protocols[p].name;
}

uint8_t port_protocol_wire(enum port_protocol p)
{
    return p == PORT_UDP ? PROTO_UDP : PROTO_TCP;
}
