/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/words_kit.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what stands in a rule ---- */

static int iface_index(struct words *w, const char *name, size_t len)
{
    char s[16];
    if (len == 0 || len >= sizeof s || (len == 2 && memcmp(name, "lo", 2) == 0))
        return -1;
    memcpy(s, name, len);
    s[len] = '\0';
    if (s[len - 1] == '+' || s[len - 1] == '*')
        s[len - 1] = '7'; /* one of those that a wildcard stands for */
    for (size_t i = 0; i < w->iface_count; i++)
        if (strcmp(w->iface[i], s) == 0)
            return (int)i;
    if (w->iface_count == WORDS_IFACES)
        return -1;
    memcpy(w->iface[w->iface_count], s, sizeof s);
    return (int)w->iface_count++;
}

static size_t name_length(const char *s, const char *end)
{
    size_t n = 0;
    while (s + n < end && (isalnum((unsigned char)s[n]) || strchr("._+*-", s[n])))
        n++;
    return n;
}

/* The names in a segment: behind -i or -o, or quoted behind "iifname" and its like, up to the end of the match. */
static size_t find_ifaces(struct words *w, const char *s, const char *end, int found[WORDS_HOMES])
{
    size_t count = 0;
    for (const char *p = s; p + 4 < end; p++) {
        bool option = p[0] == '-' && (p[1] == 'i' || p[1] == 'o') && p[2] == ' ';
        bool key = p[0] == '"' && (p[1] == 'i' || p[1] == 'o') && p[2] == 'i' && p[3] == 'f';
        const char *stop = key ? strstr(p, "}}") : NULL;
        stop = stop ? strpbrk(stop + 2, "}") : NULL; /* the end of a value, or of the first element of a map */
        for (const char *q = option ? p + 3 : p + 1; option || (key && stop && q < stop); q++) {
            bool name = option || (q[-1] == '"' && *q != ':' && *q != ',');
            size_t n = name ? name_length(q, end) : 0;
            bool word = n && (option || (q[n] == '"' && q[n + 1] != ':' && !(q[0] == 'i' && q[1] == 'i') &&
                                         !(q[0] == 'o' && q[1] == 'i')));
            int at = word ? iface_index(w, q, n) : -1;
            if (at >= 0 && count < WORDS_HOMES)
                found[count++] = at;
            if (option)
                break;
            q += n;
        }
    }
    return count;
}

static void add_port(struct words *w, unsigned long v)
{
    if (v == 0 || v > 65535)
        return;
    for (size_t i = 0; i < w->port_count; i++)
        if (w->port[i] == v)
            return;
    if (w->port_count < WORDS_PORTS)
        w->port[w->port_count++] = (uint16_t)v;
}

static void add_addr(struct words *w, const struct ip_prefix *p, const int *home, size_t homes)
{
    size_t i = 0;
    while (i < w->addr_count && (!ip_equal(&w->addr[i].ip, &p->ip) || w->addr[i].len != p->len))
        i++;
    if (i == WORDS_ADDRS)
        return;
    if (i == w->addr_count) {
        w->addr[w->addr_count++] = *p;
        for (int k = 0; k < WORDS_HOMES; k++)
            w->home[i][k] = -1;
    }
    for (size_t k = 0; k < homes; k++)
        w->home[i][k] = home[k];
}

/* A number, an address, a prefix (also with a mask for its length), address:port, number:number. */
static void add_token(struct words *w, const char *s, size_t n, const int *home, size_t homes)
{
    char t[64];
    struct ip_prefix p;
    if (n == 0 || n >= sizeof t)
        return;
    memcpy(t, s, n);
    t[n] = '\0';
    if (prefix_parse(t, &p) == 0) {
        add_addr(w, &p, home, homes);
        return;
    }
    char *cut = strpbrk(t, "/:");
    if (cut && strchr(t, '.')) {
        *cut = '\0';
        if (prefix_parse(t, &p) == 0)
            add_addr(w, &p, home, homes);
        add_token(w, cut + 1, strlen(cut + 1), home, homes);
        return;
    }
    for (char *save = NULL, *q = strtok_r(t, ":", &save); q; q = strtok_r(NULL, ":", &save))
        if (q[strspn(q, "0123456789")] == '\0')
            add_port(w, strtoul(q, NULL, 10));
}

static bool is_count(const char *s, const char *at)
{
    static const char *const key[] = {"\"handle\": ", "\"packets\": ", "\"bytes\": ", "\"prio\": "};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if ((size_t)(at - s) >= strlen(key[i]) && memcmp(at - strlen(key[i]), key[i], strlen(key[i])) == 0)
            return true;
    return false;
}

/* {"prefix": {"addr": "10.0.0.0", "len": 8}}: the length of the prefix whose address ends at p; -1: there is none. */
static int json_length(const char *p, const char *end)
{
    static const char key[] = "\", \"len\": ";
    size_t n = sizeof key - 1;
    return (size_t)(end - p) > n && memcmp(p, key, n) == 0 ? atoi(p + n) : -1;
}

static void find_in_segment(struct words *w, const char *s, const char *end)
{
    int home[WORDS_HOMES];
    size_t homes = find_ifaces(w, s, end, home);
    for (const char *p = s; p < end;) {
        size_t n = 0;
        while (p + n < end && (isxdigit((unsigned char)p[n]) || strchr(".:/", p[n])))
            n++;
        bool alone = n && (p == s || (!isalnum((unsigned char)p[-1]) && !strchr("_.", p[-1])));
        int len = alone ? json_length(p + n, end) : -1;
        char t[72];
        if (len >= 0 && n < 60) {
            int m = snprintf(t, sizeof t, "%.*s/%d", (int)n, p, len);
            add_token(w, t, (size_t)m, home, homes);
        } else if (alone && !is_count(s, p)) {
            add_token(w, p, n, home, homes);
        }
        p += n ? n : 1;
    }
}

void words_find(struct words *w, const char *text)
{
    memset(w, 0, sizeof *w);
    bool json = text[strspn(text, " \n")] == '{';
    const char *sep = json ? "{\"rule\"" : "\n";
    for (const char *s = text, *end; *s; s = end) {
        end = strstr(s + 1, sep);
        if (!end)
            end = s + strlen(s);
        bool comment = !json && (s[0] == '#' || s[1] == '#' || s[1] == ':'); /* s may begin with its newline */
        if (!comment)
            find_in_segment(w, s, end);
    }
}

/* ---- a world for it ---- */

/* Addresses that the kernel treats by itself, whatever the rules say. */
static bool is_ordinary(const struct ip_addr *a)
{
    if (ip_is_any(a) || ip_is_loopback(a) || ip_is_multicast(a) || ip_is_link_local(a))
        return false;
    if (a->family == IP_V4)
        return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 240;
    return (a->b[0] & 0xe0) == 0x20 || (a->b[0] & 0xfe) == 0xfc;
}

static struct ip_addr plus(struct ip_addr a, long n)
{
    for (int i = (int)ip_size(&a) - 1; i >= 0 && n != 0; i--) {
        long v = a.b[i] + n;
        a.b[i] = (uint8_t)(v & 255);
        n = (v - a.b[i]) / 256;
    }
    return a;
}

static struct ip_addr with_host_bits(const struct ip_prefix *p, uint8_t ones, struct rng *rng)
{
    struct ip_addr a = p->ip;
    uint8_t random[16];
    rng_fill(rng, random, sizeof random);
    for (size_t bit = p->len; bit < ip_size(&a) * 8; bit++) {
        uint8_t m = (uint8_t)(0x80 >> (bit % 8)), v = ones == 2 ? random[bit / 8] : ones ? 0xff : 0;
        a.b[bit / 8] = (uint8_t)((a.b[bit / 8] & ~m) | (v & m));
    }
    return a;
}

static void add_route(struct netns_world *world, const struct ip_prefix *to, int iface)
{
    assert(world->route_count < NETNS_ROUTES);
    struct ip_prefix p = *to;
    struct rng none = {{1}};
    p.ip = with_host_bits(to, 0, &none);
    for (size_t i = 0; i < world->route_count; i++)
        if (world->route[i].to.len == p.len && ip_equal(&world->route[i].to.ip, &p.ip))
            return;
    world->route[world->route_count++] = (struct netns_route){p, iface};
}

static void add_own(struct netns_world *world)
{
    for (size_t i = 0; i < world->iface_count; i++) {
        struct netns_iface *f = &world->iface[i];
        char v4[ADDR_TEXT], v6[ADDR_TEXT];
        snprintf(v4, sizeof v4, "10.203.%zu.1/24", i);
        snprintf(v6, sizeof v6, "fd00:203:%zu::1/64", i);
        int rc = prefix_parse(v4, &f->v4) | prefix_parse(v6, &f->v6);
        assert(rc == 0);
    }
}

void words_world(const struct words *w, struct rng *rng, struct netns_world *world)
{
    static const char *const more[] = {"side0", "side1", "side2"};
    memset(world, 0, sizeof *world);
    for (size_t i = 0; i < w->iface_count; i++)
        memcpy(world->iface[world->iface_count++].name, w->iface[i], sizeof w->iface[i]);
    for (size_t i = 0; i < 3; i++)
        snprintf(world->iface[world->iface_count++].name, 16, "%s", more[i]);
    add_own(world);
    for (size_t i = 0; i < w->addr_count; i++) {
        const struct ip_prefix *p = &w->addr[i];
        size_t homes = 0;
        while (homes < WORDS_HOMES && w->home[i][homes] >= 0)
            homes++;
        bool at_home = rng_chance(rng, 3, 4) && homes;
        int iface = at_home ? w->home[i][rng_below(rng, homes)] : (int)rng_below(rng, world->iface_count);
        bool host = p->len == ip_size(&p->ip) * 8;
        if (!is_ordinary(&p->ip) || p->len == 0)
            continue;
        if (host && rng_chance(rng, 1, 8) && world->local_count < NETNS_LOCALS)
            world->local[world->local_count++] = p->ip;
        else
            add_route(world, p, iface);
    }
    for (int family = IP_V4; family <= IP_V6; family++) {
        struct ip_prefix all = {.ip = {.family = (uint8_t)family}};
        add_route(world, &all, (int)rng_below(rng, world->iface_count));
    }
}

int world_route(const struct netns_world *world, const struct ip_addr *to)
{
    int best = -1, len = -1;
    for (size_t i = 0; i < world->local_count; i++)
        if (ip_equal(&world->local[i], to))
            return WORLD_SELF;
    for (size_t i = 0; i < world->iface_count; i++) {
        const struct ip_prefix *own = to->family == IP_V4 ? &world->iface[i].v4 : &world->iface[i].v6;
        if (ip_equal(&own->ip, to))
            return WORLD_SELF;
        if (ip_in_prefix(to, own) && own->len > len) {
            best = (int)i;
            len = own->len;
        }
    }
    for (size_t i = 0; i < world->route_count; i++)
        if (ip_in_prefix(to, &world->route[i].to) && world->route[i].to.len > len) {
            best = world->route[i].iface;
            len = world->route[i].to.len;
        }
    return best;
}

/* ---- packets ---- */

static struct ip_addr constant(const struct words *w, struct rng *rng, uint8_t family)
{
    const struct ip_prefix *p = &w->addr[rng_below(rng, w->addr_count)];
    if (p->ip.family != family)
        return (struct ip_addr){0};
    switch (rng_below(rng, 6)) {
    case 0:
        return plus(with_host_bits(p, 0, rng), -1);
    case 1:
        return plus(with_host_bits(p, 1, rng), 1);
    case 2:
        return with_host_bits(p, 0, rng);
    case 3:
        return with_host_bits(p, 1, rng);
    default:
        return with_host_bits(p, 2, rng);
    }
}

static struct ip_addr any_address(const struct words *w, const struct netns_world *world, struct rng *rng,
                                  uint8_t family, bool source)
{
    const struct netns_iface *f = &world->iface[rng_below(rng, world->iface_count)];
    const struct ip_prefix *own = family == IP_V4 ? &f->v4 : &f->v6, all = {.ip = {.family = family}};
    uint64_t n = rng_below(rng, 10);
    if (n < 6 && w->addr_count)
        return constant(w, rng, family);
    if (n < 8)
        return plus(own->ip, (long)rng_below(rng, 9) + 1);
    if (n == 8 && !source)
        return world->local_count && rng_chance(rng, 1, 2) ? world->local[rng_below(rng, world->local_count)] : own->ip;
    struct ip_addr a = with_host_bits(&all, 2, rng);
    if (family == IP_V6)
        a.b[0] = 0x20;
    return a;
}

/* The network's own address and its broadcast address belong to the kernel; its own addresses send nothing in. */
static bool may_be(const struct netns_world *world, const struct ip_addr *a, uint8_t family, bool source)
{
    if (a->family != family || !is_ordinary(a) || (source && world_route(world, a) < 0))
        return false;
    for (size_t i = 0; i < world->iface_count && family == IP_V4; i++)
        if (ip_in_prefix(a, &world->iface[i].v4) && (a->b[3] == 0 || a->b[3] == 255))
            return false;
    for (size_t i = 0; i < world->iface_count && family == IP_V6; i++) /* subnet-router anycast */
        if (ip_in_prefix(a, &world->iface[i].v6) && a->b[15] == 0)
            return false;
    for (size_t i = 0; i < world->route_count && family == IP_V6; i++) /* the same: no error is sent to it */
        if (ip_equal(&world->route[i].to.ip, a))
            return false;
    return true;
}

struct ip_addr words_address(const struct words *w, const struct netns_world *world, struct rng *rng, uint8_t family,
                             bool source)
{
    for (;;) {
        struct ip_addr a = any_address(w, world, rng, family, source);
        if (may_be(world, &a, family, source))
            return a;
    }
}

uint16_t words_port(const struct words *w, struct rng *rng)
{
    if (w->port_count && rng_chance(rng, 2, 3))
        return (uint16_t)(w->port[rng_below(rng, w->port_count)] + (int)rng_below(rng, 3) - 1);
    return (uint16_t)rng_u64(rng);
}
