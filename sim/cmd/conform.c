/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof conform: the requirements of RFC 6062, and of what it stands on, judged from bytes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/judge.h"
#include "conformance/output.h"
#include "conformance/watch_capture.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/cmd/arguments.h"
#include "sim/net.h"
#include "sim/posix/posix.h"

enum { USERS = 2, ADDRESSES = 4, HOST_MAX = 256, PARALLEL_MAX = 256, TIMEOUT_MAX_S = 3600 };

enum {
    OPT_SIM = 256, OPT_CAPTURE, OPT_ENGINE, OPT_SERVER, OPT_USER, OPT_PASSWORD, OPT_TRANSPORT, OPT_CLIENT_ADDRESS,
    OPT_PEER_ADDRESS, OPT_SETUP, OPT_ONLY, OPT_LIST, OPT_STRICT, OPT_FAST, OPT_DRY_RUN, OPT_TIMEOUT, OPT_PARALLEL,
    OPT_SEED, OPT_FORMAT
};

static const struct cmd_option options[] = {
    {"sim", NULL, "judge the simulated relay, and the simulated client", OPT_SIM},
    {"capture", "FILE", "judge what a capture shows (pcap, pcapng; - is standard input)", OPT_CAPTURE},
    {"engine", "ENGINE", "of --sim: memory (the default), native or ns3", OPT_ENGINE},
    {"server", "HOST:PORT", "judge a live server; again for another address family", OPT_SERVER},
    {"user", "NAME:PASSWORD", "of the live server; again for a second user", OPT_USER},
    {"password", "PASSWORD", "of the --user before it, who is then only a name", OPT_PASSWORD},
    {"transport", "PROTO", "what it serves clients over: tcp, udp or both (the default)", OPT_TRANSPORT},
    {"client-address", "ADDR", "of this machine, to speak as a client from; again for a second", OPT_CLIENT_ADDRESS},
    {"peer-address", "ADDR", "of this machine, to be a peer at; again for a second", OPT_PEER_ADDRESS},
    {"server-setup", "NAME", "judge the rows for which it is set up so (plain)", OPT_SETUP},
    {"only", "ID", "only that row, or those whose id begins so; again for each", OPT_ONLY},
    {"list", NULL, "print the rows with their checks, and judge nothing", OPT_LIST},
    {"strict", NULL, "a SHOULD that is not met fails, too", OPT_STRICT},
    {"fast", NULL, "leave out what needs timers to run out in real time", OPT_FAST},
    {"dry-run", NULL, "say which rows would be judged", OPT_DRY_RUN},
    {"timeout", "SECONDS", "how long an answer of a live server may take (2)", OPT_TIMEOUT},
    {"parallel", "N", "rows at a time, of a live server (1)", OPT_PARALLEL},
    {"seed", "N", "what is drawn at random; 1 if not given", OPT_SEED},
    {"format", "FORMAT", "text (the default), tap, junit or json", OPT_FORMAT},
    {.name = NULL},
};

static const struct {
    const char *name;
    conform_writer *write;
} formats[] = {{"text", conform_write_text},
               {"tap", conform_write_tap},
               {"junit", conform_write_junit},
               {"json", conform_write_json}};

struct request {
    struct judge_config judge;
    struct live_server live;
    conform_writer *write;
    const char *only[CMD_REPEATED];
    const char *server; /* as it was first given */
    const char *capture;
    char *user[USERS];
    const char *password[USERS];
    size_t user_count, client_count, peer_count;
    bool simulated, list, strict, tcp, udp;
};

/* ---- values ---- */

static bool take_engine(struct request *q, const char *name)
{
    static const struct {
        const char *name;
        enum bench_kind bench;
    } engines[] = {{"memory", BENCH_MEMORY}, {"native", BENCH_NATIVE}, {"ns3", BENCH_NS3}};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(engines[i].name, name) == 0) {
            q->judge.bench = engines[i].bench;
            return true;
        }
    return false;
}

static bool take_format(struct request *q, const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0) {
            q->write = formats[i].write;
            return true;
        }
    return false;
}

static bool take_number(const char *s, uint64_t lo, uint64_t hi, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return s[0] >= '0' && s[0] <= '9' && !*end && errno == 0 && *out >= lo && *out <= hi;
}

static bool take_setup(struct request *q, const char *name)
{
    for (unsigned i = 0; i < SETUPS; i++)
        if (i != SETUP_NAT && strcmp(setup_name((enum setup)i), name) == 0) {
            q->live.setup = (enum setup)i;
            return true;
        }
    return false;
}

static void set_server(struct request *q, const struct ip_addr *ip, uint16_t port)
{
    struct endpoint e = {*ip, port};
    bool v6 = ip->family == IP_V6;
    *(v6 ? &q->live.tcp6 : &q->live.tcp) = e;
    *(v6 ? &q->live.udp6 : &q->live.udp) = e;
}

/* An address, or a name that stands for one of each family. */
static bool take_server(struct request *q, const char *s)
{
    struct endpoint e;
    struct ip_addr v4, v6;
    char host[HOST_MAX];
    const char *colon = strrchr(s, ':');
    uint64_t port;
    q->server = q->server ? q->server : s;
    if (endpoint_parse(s, &e) == 0 && e.port) {
        set_server(q, &e.ip, e.port);
        return true;
    }
    if (!colon || colon == s || (size_t)(colon - s) >= sizeof host || !take_number(colon + 1, 1, UINT16_MAX, &port))
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(colon - s), s);
    if (posix_resolve(host, &v4, &v6) != 0)
        return false;
    if (v4.family)
        set_server(q, &v4, (uint16_t)port);
    if (v6.family)
        set_server(q, &v6, (uint16_t)port);
    return true;
}

static bool take_user(struct request *q, char *s)
{
    if (q->user_count == USERS || !s[0])
        return false;
    q->user[q->user_count++] = s;
    return true;
}

static bool take_password(struct request *q, const char *s)
{
    if (!q->user_count || q->password[q->user_count - 1])
        return false;
    q->password[q->user_count - 1] = s;
    return true;
}

static bool take_transport(struct request *q, const char *s)
{
    q->tcp = strcmp(s, "udp") != 0;
    q->udp = strcmp(s, "tcp") != 0;
    return (q->tcp && q->udp) ? strcmp(s, "both") == 0 : true;
}

static bool take_address(const char *s, struct ip_addr list[2], size_t *count, struct ip_addr *v6)
{
    struct ip_addr ip;
    if (ip_parse(s, &ip) != 0 || ip_is_any(&ip))
        return false;
    if (ip.family == IP_V6 && v6)
        *v6 = ip;
    else if (ip.family == IP_V4 && *count < 2)
        list[(*count)++] = ip;
    else
        return false;
    return true;
}

/* What was expected instead of optarg; NULL: nothing. */
static const char *take_live(struct request *q, int option)
{
    uint64_t n = 0;
    switch (option) {
    case OPT_SERVER:
        return take_server(q, optarg) ? NULL : "HOST:PORT";
    case OPT_USER:
        return take_user(q, optarg) ? NULL : "one or two users";
    case OPT_PASSWORD:
        return take_password(q, optarg) ? NULL : "a --user before it";
    case OPT_TRANSPORT:
        return take_transport(q, optarg) ? NULL : "tcp, udp or both";
    case OPT_CLIENT_ADDRESS:
        return take_address(optarg, q->live.client, &q->client_count, NULL) ? NULL : "one or two IPv4 addresses";
    case OPT_PEER_ADDRESS:
        return take_address(optarg, q->live.peer, &q->peer_count, &q->live.peer6) ? NULL
                                                                                : "one or two addresses a family";
    case OPT_SETUP:
        return take_setup(q, optarg) ? NULL : "a setup as plain, quota or deny";
    case OPT_TIMEOUT:
        if (!take_number(optarg, 1, TIMEOUT_MAX_S, &n))
            return "seconds";
        q->judge.timeout_ns = n * NS_S;
        return NULL;
    default:
        if (!take_number(optarg, 1, PARALLEL_MAX, &n))
            return "a number from 1 to 256";
        q->judge.parallel = (unsigned)n;
        return NULL;
    }
}

static const char *take(struct request *q, int option)
{
    switch (option) {
    case OPT_SIM:
        q->simulated = true;
        return NULL;
    case OPT_CAPTURE:
        q->capture = optarg;
        return NULL;
    case OPT_ENGINE:
        return take_engine(q, optarg) ? NULL : "memory, native or ns3";
    case OPT_ONLY:
        return cmd_repeat(q->only, &q->judge.only_count) ? NULL : "fewer of them";
    case OPT_LIST:
        q->list = true;
        return NULL;
    case OPT_STRICT:
        q->strict = true;
        return NULL;
    case OPT_FAST:
        q->judge.fast = true;
        return NULL;
    case OPT_DRY_RUN:
        q->judge.dry_run = true;
        return NULL;
    case OPT_SEED:
        return take_number(optarg, 0, UINT64_MAX, &q->judge.seed) ? NULL : "a whole number";
    case OPT_FORMAT:
        return take_format(q, optarg) ? NULL : "text, tap, junit or json";
    default:
        return take_live(q, option);
    }
}

static const char *option_name(int option)
{
    const struct cmd_option *o = options;
    while (o->value != option)
        o++;
    return o->name;
}

/* ---- the live server ---- */

/* NAME:PASSWORD, or a name whose password stands by itself. False: there is none. */
static bool split_user(struct request *q, size_t i)
{
    char *name = q->user[i];
    const char *password = q->password[i];
    char *colon = strchr(name, ':');
    if (!password) {
        if (!colon || colon == name)
            return false;
        *colon = '\0';
        password = colon + 1;
    }
    q->live.user[i].name = name;
    q->live.user[i].password = password;
    return true;
}

static const char *end_live(struct request *q)
{
    if (!q->user_count)
        return "expected --user NAME:PASSWORD";
    for (size_t i = 0; i < q->user_count; i++)
        if (!split_user(q, i))
            return "--user: expected NAME:PASSWORD, or --password behind it";
    if (!q->tcp)
        q->live.tcp.port = q->live.tcp6.port = 0;
    if (!q->udp)
        q->live.udp.port = q->live.udp6.port = 0;
    q->judge.bench = BENCH_LIVE;
    q->judge.live = &q->live;
    return NULL;
}

/* ---- running ---- */

static void show_progress(void *ctx, size_t done, size_t total, const struct requirement *now)
{
    (void)ctx;
    fprintf(stderr, "\r%zu of %zu  %-20s", done, total, now->id);
}

static int list(const struct request *q)
{
    const struct requirement **row = calloc(catalogue_count() + 1, sizeof(struct requirement *));
    if (!row)
        return EXIT_USAGE;
    size_t count = 0;
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++)
        if (judge_chooses(&q->judge, r))
            row[count++] = r;
    struct sink s;
    cmd_output(&s);
    (q->write == conform_write_json ? conform_write_list_json : conform_write_list)(&s, row, count);
    free(row);
    return cmd_output_end(&s) ? EXIT_HOLDS : EXIT_USAGE;
}

static const char *subject_of(const struct request *q)
{
    switch (q->judge.bench) {
    case BENCH_MEMORY:
        return "the simulated relay in memory";
    case BENCH_NATIVE:
        return "the simulated relay in the native engine";
    case BENCH_NS3:
        return "the simulated relay in ns-3";
    case BENCH_LIVE:
        return q->server;
    }
    return "";
}

static int say_why(const struct cmd *self, const struct request *q, int err, const char *bad)
{
    const char *why = err_text(err);
    if (err == E_NOT_FOUND)
        return cmd_usage(self, "--only: expected the beginning of a row's id, found \"%s\"", bad);
    if (err == E_UNSUPPORTED)
        net_ns3_load(&why);
    if (err == E_UNREACHABLE)
        fprintf(stderr, "turnproof conform: %s does not answer\n", q->server);
    else
        fprintf(stderr, "turnproof conform: %s\n", why);
    return EXIT_USAGE;
}

/* Writes the verdicts, and frees them. */
static int tell(const struct request *q, const char *subject, struct verdict *verdict, size_t count)
{
    struct conform_report report = {.subject = subject, .verdict = verdict, .count = count, .strict = q->strict,
                                    .dry_run = q->judge.dry_run, .watched = q->capture != NULL};
    struct sink s;
    cmd_output(&s);
    q->write(&s, &report, cmd_in_colour());
    int status = !cmd_output_end(&s) ? EXIT_USAGE : conform_holds(&report) ? EXIT_HOLDS : EXIT_FAILS;
    verdicts_free(verdict, count);
    return status;
}

static int watch_capture(const struct cmd *self, const struct request *q)
{
    struct verdict *verdict;
    size_t count;
    struct diag cut, d;
    const char *bad = judge_fruitless(&q->judge);
    if (bad)
        return say_why(self, q, E_NOT_FOUND, bad);
    if (judge_capture(&q->judge, q->capture, &verdict, &count, &cut, &d) != 0) {
        fprintf(stderr, "turnproof conform: %s\n", d.text);
        return EXIT_USAGE;
    }
    if (cut.text[0])
        fprintf(stderr, "turnproof conform: %s; judged is what comes before\n", cut.text);
    return tell(q, q->capture, verdict, count);
}

static int judge_all(const struct cmd *self, struct request *q)
{
    struct verdict *verdict;
    size_t count;
    const char *bad;
    if (isatty(STDERR_FILENO))
        q->judge.progress = show_progress;
    int err = judge(&q->judge, &verdict, &count, &bad);
    if (q->judge.progress)
        fprintf(stderr, "\r%40s\r", "");
    if (err)
        return say_why(self, q, err, bad);
    return tell(q, subject_of(q), verdict, count);
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {.judge = {.bench = BENCH_MEMORY, .seed = 1}, .write = conform_write_text, .tcp = true,
                        .udp = true};
    q.judge.only = q.only;
    for (int option; (option = cmd_next(self, argc, argv)) != CMD_END;) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        const char *expected = take(&q, option);
        if (expected)
            return cmd_usage(self, "--%s: expected %s, found \"%s\"", option_name(option), expected, optarg);
    }
    if (argc != optind)
        return cmd_usage(self, "expected no argument, found \"%s\"", argv[optind]);
    if (q.list)
        return list(&q);
    if (q.simulated + (q.server != NULL) + (q.capture != NULL) != 1)
        return cmd_usage(self, "expected one of --sim, --server HOST:PORT, --capture FILE and --list");
    if (q.capture)
        return watch_capture(self, &q);
    const char *wrong = q.server ? end_live(&q) : NULL;
    return wrong ? cmd_usage(self, "%s", wrong) : judge_all(self, &q);
}

const struct cmd cmd_conform = {
    .name = "conform",
    .arguments = "--sim | --server HOST:PORT --user NAME:PASSWORD | --capture FILE | --list [OPTION]...",
    .summary = "judge a TURN server, or a capture, by the rows of RFC 6062, 8656 and 8489",
    .details = "Each requirement is a row with an id. A row passes, fails, is implementation-defined (what was\n"
               "seen is told) or is not judged (why is told). A MUST that does not hold is exit status 1.\n"
               "A live server has to allow this machine's addresses as peers.\n",
    .options = options,
    .run = run,
};
