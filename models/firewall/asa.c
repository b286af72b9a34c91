/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco ASA running-config, 8.3 and later: the file, its lines, and which part of the importer each is for. */
#include "models/firewall/asa.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

static int crypto_map(struct asa *a)
{
    for (size_t i = a->at; i + 1 < a->words; i++)
        if (strcmp(a->word[i].text, "match") == 0 && strcmp(a->word[i + 1].text, "address") == 0) {
            a->at = i;
            return asa_fail(a, E_UNSUPPORTED, "site-to-site VPN (crypto map ... match address) is not supported");
        }
    a->quiet = true;
    return 0;
}

static int pre83(struct asa *a)
{
    a->at = 0;
    return asa_fail(a, E_UNSUPPORTED, "\"%.20s\" is the syntax before 8.3, which is not supported", asa_peek(a));
}

static int certificate(struct asa *a)
{
    a->certificate = a->line;
    a->quiet = true;
    return 0;
}

static const struct asa_command in_chain[] = {
    {"certificate", ASA_OBJECTS, certificate, asa_anything},
    {"", ASA_OBJECTS, NULL, NULL},
    {0},
};

static const struct asa_command top[] = {
    {"ASA Version", ASA_OBJECTS, asa_version, NULL},
    {"interface", ASA_OBJECTS, asa_interface, asa_in_interface},
    {"name", ASA_OBJECTS, asa_name, NULL},
    {"time-range", ASA_OBJECTS, asa_time_range, asa_anything},
    {"object network", ASA_OBJECTS, asa_object_network, asa_in_network},
    {"object service", ASA_OBJECTS, asa_object_service, asa_in_service},
    {"object-group network", ASA_OBJECTS, asa_group_network, asa_in_network_group},
    {"object-group service", ASA_OBJECTS, asa_group_service, asa_in_service_group},
    {"object-group protocol", ASA_OBJECTS, asa_group_protocol, asa_in_protocol_group},
    {"object-group icmp-type", ASA_OBJECTS, asa_group_icmp, asa_in_icmp_group},
    {"access-list alert-interval", ASA_OBJECTS, NULL, NULL},
    {"access-list deny-flow-max", ASA_OBJECTS, NULL, NULL},
    {"access-list", ASA_RULES, asa_access_list, NULL},
    {"nat", ASA_RULES, asa_twice_nat, NULL},
    {"route", ASA_RULES, asa_route, NULL},
    {"ipv6 route", ASA_RULES, asa_route6, NULL},
    {"same-security-traffic", ASA_RULES, asa_same_security, NULL},
    {"timeout", ASA_RULES, asa_timeout, NULL},
    {"ip verify reverse-path", ASA_RULES, asa_verify_reverse, NULL},
    {"policy-map type inspect", ASA_OBJECTS, NULL, asa_anything},
    {"policy-map", ASA_RULES, asa_policy_map, asa_in_policy},
    {"access-group", ASA_BINDINGS, asa_access_group, NULL},
    {"service-policy", ASA_BINDINGS, asa_service_policy, NULL},
    {"crypto ca certificate chain", ASA_OBJECTS, NULL, in_chain},
    {"crypto map", ASA_RULES, crypto_map, NULL},
    {"global", ASA_OBJECTS, pre83, NULL},
    {"static", ASA_OBJECTS, pre83, NULL},
    {"no names", ASA_OBJECTS, NULL, NULL},
    {0},
};

/* Blocks are entered in every pass, so that their lines know where they stand. */
static bool opens_block(const struct asa_command *c)
{
    return c->sub && c->run;
}

/* The row whose words the line begins with, behind which reading goes on; the first in order. */
static const struct asa_command *match(struct asa *a, const struct asa_command *table, size_t from)
{
    for (const struct asa_command *c = table; c->words; c++) {
        const char *w = c->words;
        size_t i = from;
        while (*w && i < a->words) {
            size_t n = strcspn(w, " ");
            bool prefix = w[n - 1] == ':'; /* "Cryptochecksum:0123..." */
            if (strncmp(a->word[i].text, w, n) != 0 || (a->word[i].text[n] && !prefix))
                break;
            w += n + (w[n] == ' ');
            i++;
        }
        if (!*w) {
            a->at = i;
            return c;
        }
    }
    return NULL;
}

static const struct asa_command *match_top(struct asa *a)
{
    const struct asa_command *c = match(a, top, 0);
    if (!c)
        c = match(a, asa_quiet, strcmp(a->word[0].text, "no") == 0 && a->words > 1);
    return c;
}

static void count(struct asa *a, bool modelled)
{
    a->rules->lines.modelled += modelled;
    a->rules->lines.no_effect += !modelled;
}

static int run(struct asa *a, const struct asa_command *c)
{
    bool mine = c->run && c->pass == a->pass;
    a->quiet = false;
    int err = mine || (c->run && opens_block(c)) ? c->run(a) : 0;
    if (!err && (mine || (!c->run && a->pass == ASA_OBJECTS)))
        count(a, mine && !a->quiet);
    return err;
}

/* Inside a certificate any line is data, up to the line `quit`. */
static bool in_certificate(struct asa *a)
{
    if (!a->certificate)
        return false;
    if (a->words == 1 && strcmp(a->word[0].text, "quit") == 0)
        a->certificate = 0;
    return true;
}

static int sub_line(struct asa *a)
{
    const struct asa_command *c = a->sub ? match(a, a->sub, 0) : NULL;
    if (!c)
        return asa_fail(a, E_UNSUPPORTED, "\"%.60s\" is not understood here", asa_peek(a));
    return run(a, c);
}

static int top_line(struct asa *a)
{
    int err = asa_interface_end(a);
    if (err)
        return err;
    const struct asa_command *c = match_top(a);
    a->sub = NULL;
    if (!c) {
        a->at = 0;
        return asa_fail(a, E_UNSUPPORTED, "\"%.60s\" is not understood", asa_peek(a));
    }
    a->sub = c->sub;
    return run(a, c);
}

static int line(struct asa *a)
{
    int err = asa_split(a);
    if (err)
        return err;
    bool comment = a->words == 0 || a->word[0].text[0] == '!' || (!a->indented && a->word[0].text[0] == ':');
    if (in_certificate(a) || comment) {
        if (!a->certificate && a->words == 2 && strcmp(a->word[0].text, ":") == 0) {
            a->saved = a->saved || (a->line <= 2 && strcmp(a->word[1].text, "Saved") == 0);
            a->ended = a->ended || strcmp(a->word[1].text, "end") == 0;
        }
        if (a->pass == ASA_OBJECTS)
            count(a, false);
        return 0;
    }
    return a->indented ? sub_line(a) : top_line(a);
}

/* The next line of text into a->raw; its end. */
static int take_line(struct asa *a, const char *text, size_t len, size_t *at)
{
    const char *p = text + *at, *eol = memchr(p, '\n', len - *at);
    size_t n = eol ? (size_t)(eol - p) : len - *at;
    *at += n + (eol != NULL);
    a->line++;
    a->words = a->at = 0;
    a->raw[0] = '\0';
    while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    if (n >= ASA_LINE_MAX)
        return asa_fail(a, E_RANGE, "expected at most %d bytes on a line, found %zu", ASA_LINE_MAX - 1, n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' && p[i] != '\t') {
            int err = asa_fail(a, E_MALFORMED, "expected text, found byte %u", (unsigned)(unsigned char)p[i]);
            a->diag->column = (unsigned)i + 1;
            return err;
        }
    a->indented = n > 0 && (p[0] == ' ' || p[0] == '\t');
    memcpy(a->raw, p, n);
    a->raw[n] = '\0';
    return 0;
}

static int read_pass(struct asa *a, const char *text, size_t len)
{
    a->line = 0;
    a->sub = NULL;
    a->certificate = 0;
    int err = 0;
    for (size_t at = 0; at < len && !err;) {
        err = take_line(a, text, len, &at);
        err = err ? err : line(a);
    }
    if (err)
        return err;
    a->raw[0] = '\0';
    a->words = a->at = 0;
    if (a->certificate) {
        a->line = a->certificate;
        return asa_fail(a, E_TRUNCATED, "this certificate has no end (quit): the file is cut off");
    }
    if (a->saved && !a->ended)
        return asa_fail(a, E_TRUNCATED, "the file begins with \": Saved\" and has no \": end\": it is cut off");
    return asa_interface_end(a);
}

static int read_all(struct asa *a, const char *text, size_t len)
{
    static const unsigned char bom[] = {0xef, 0xbb, 0xbf};
    if (len >= sizeof bom && memcmp(text, bom, sizeof bom) == 0) {
        text += sizeof bom;
        len -= sizeof bom;
    }
    for (int pass = ASA_OBJECTS; pass < ASA_PASSES; pass++) {
        a->pass = (enum asa_pass)pass;
        int err = read_pass(a, text, len);
        err = err || pass != ASA_OBJECTS ? err : asa_check_members(a);
        if (err)
            return err;
    }
    a->rules->lines.total = a->line;
    a->line += a->line == 0; /* of an empty file: where it would begin */
    if (a->rules->iface_count == 0)
        return asa_fail(a, E_MALFORMED, "the file has no interface with a nameif");
    return 0;
}

/* A line that only an ASA writes, at the line's start. */
static bool tells(const char *line, size_t len)
{
    static const char *const said[] = {"ASA Version ", ": Saved", " nameif ", "nameif ", "same-security-traffic ",
                                       "object network ", "access-group "};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (len >= strlen(said[i]) && memcmp(line, said[i], strlen(said[i])) == 0)
            return true;
    return false;
}

bool fw_asa_recognise(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const char *eol = memchr(text + at, '\n', len - at);
        size_t n = eol ? (size_t)(eol - (text + at)) : len - at;
        if (tells(text + at, n))
            return true;
        at += n + 1;
    }
    return false;
}

int fw_asa_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
    struct asa *a = calloc(1, sizeof *a);
    struct fw_rules *r = fw_rules_new(src->name);
    int err = E_NOMEM;
    if (a && r) {
        a->rules = r;
        r->asa = true;
        a->diag = diag;
        err = read_all(a, src->text, src->len);
        free(a->src.v);
        free(a->dst.v);
        free(a->dst_to.v);
        free(a->base.v);
        free(a->service.v);
    }
    free(a);
    if (err) {
        fw_rules_free(r);
        return err;
    }
    *out = r;
    return 0;
}
