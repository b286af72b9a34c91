/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call of the lab, all five systems over the pipe, and each way in which it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/expressway.h"
#include "models/actors/meeting_server.h"
#include "models/actors/skype_client.h"
#include "models/actors/skype_edge.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define CLIENT_IP "203.0.113.50"
#define EDGE_IP "192.168.1.252"
#define E_IP "10.48.54.229"
#define C_IP "10.48.54.228"
#define CMS_IP "10.48.54.230"

enum { CLIENT, EDGE, EXP_E, EXP_C, CMS, SYSTEMS };

struct lab {
    struct pipe *p;
    struct skype_client_config client;
    struct skype_edge_config edge;
    struct expressway_e_config e;
    struct expressway_c_config c;
    struct meeting_server_config cms;
    struct turn_user turn_user;
    struct core core[SYSTEMS];
};

/* As in topologies/lab.json: the values that the reference capture shows. */
static void lab_init(struct lab *w)
{
    static const struct screen_config screen = {.rate = 125000, .burst = 40000, .duration_ns = 8 * NS_S};
    *w = (struct lab){.p = pipe_new(5 * NS_MS), .turn_user = {"turn", "turnpw"}};
    w->client = (struct skype_client_config){.address = kit_ip(CLIENT_IP),
                                             .uri = "sip:alice@example.com",
                                             .conference = "sip:meet@example.com",
                                             .edge_sip = kit_endpoint(EDGE_IP ":5061"),
                                             .edge_turn = kit_endpoint(EDGE_IP ":443"),
                                             .turn_user = "alice",
                                             .turn_password = "mras",
                                             .media_port = 50040,
                                             .call_at_ns = 5 * NS_S,
                                             .share_at_ns = 20 * NS_S,
                                             .allocate_timeout_ns = 15 * NS_S,
                                             .answer_timeout_ns = 32 * NS_S,
                                             .ice_timeout_ns = 30 * NS_S,
                                             .stall_timeout_ns = 25 * NS_S,
                                             .screen = screen};
    w->edge = (struct skype_edge_config){.address = kit_ip(EDGE_IP),
                                         .sip = kit_endpoint(EDGE_IP ":5061"),
                                         .federation = kit_endpoint(E_IP ":5061"),
                                         .turn = kit_endpoint(EDGE_IP ":443"),
                                         .realm = "rtcmedia",
                                         .turn_user = "alice",
                                         .turn_password = "mras",
                                         .first_port = 53577,
                                         .last_port = 59999,
                                         .connect_out = true};
    w->e.sip = kit_endpoint(E_IP ":5061");
    w->e.traversal = kit_endpoint(E_IP ":7001");
    static struct endpoint listen;
    listen = kit_endpoint(E_IP ":3478");
    w->e.turn = (struct turn_config){.profile = &turn_expressway,
                                     .realm = "TANDBERG",
                                     .users = &w->turn_user,
                                     .user_count = 1,
                                     .listen = &listen,
                                     .listen_count = 1,
                                     .relay_ip4 = kit_ip(E_IP),
                                     .first_port = 24000,
                                     .last_port = 29999,
                                     .limits = turn_limits_default};
    w->c.traversal = w->e.traversal;
    w->c.meeting_server = kit_endpoint(CMS_IP ":5061");
    w->cms = (struct meeting_server_config){.address = kit_ip(CMS_IP),
                                            .sip = kit_endpoint(CMS_IP ":5061"),
                                            .uri = "sip:meet@example.com",
                                            .turn_profile = &turn_client_meeting_server,
                                            .turn = listen,
                                            .turn_user = "turn",
                                            .turn_password = "turnpw",
                                            .allocate_timeout_ns = 20 * NS_S,
                                            .connect_timeout_ns = 20 * NS_S,
                                            .bind_timeout_ns = 20 * NS_S,
                                            .ice_timeout_ns = 30 * NS_S,
                                            .reinvite_timeout_ns = 32 * NS_S,
                                            .stall_timeout_ns = 25 * NS_S,
                                            .screen = screen};
}

static void lab_start(struct lab *w)
{
    static const char *const names[] = {"skype-client", "skype-edge", "expressway-e", "expressway-c", "cms"};
    static const char *const ips[] = {CLIENT_IP, EDGE_IP, E_IP, C_IP, CMS_IP};
    struct io *io[SYSTEMS];
    for (int i = 0; i < SYSTEMS; i++)
        io[i] = io_new(names[i], 1);
    assert_int_equal(skype_client_make(io[CLIENT], &w->client, &w->core[CLIENT]), 0);
    assert_int_equal(skype_edge_make(io[EDGE], &w->edge, &w->core[EDGE]), 0);
    assert_int_equal(expressway_e_make(io[EXP_E], &w->e, &w->core[EXP_E]), 0);
    assert_int_equal(expressway_c_make(io[EXP_C], &w->c, &w->core[EXP_C]), 0);
    assert_int_equal(meeting_server_make(io[CMS], &w->cms, &w->core[CMS]), 0);
    for (int i = 0; i < SYSTEMS; i++)
        pipe_host(w->p, &w->core[i], ips[i]);
    pipe_first_port(w->p, &w->core[CMS], 44341);
}

static void lab_end(struct lab *w)
{
    for (int i = 0; i < SYSTEMS; i++) {
        w->core[i].ops->free(w->core[i].self);
        io_free(w->core[i].io);
    }
    pipe_free(w->p);
}

/* The texts of the notes of that kind and host (NULL: all), in lines. */
static char *notes(const struct lab *w, enum io_note kind, const char *host)
{
    static char buf[16384];
    size_t n, used = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    buf[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == kind && (!host || strcmp(log[i].host, host) == 0))
            used += (size_t)snprintf(buf + used, sizeof buf - used, "%s\n", log[i].text);
    return buf;
}

static void dump(const struct lab *w)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; getenv("LAB_DUMP") && i < n; i++)
        fprintf(stderr, "%9.3f %-12s %s %s\n", (double)log[i].t_ns / 1e9, log[i].host,
                log[i].is_note ? (const char *[]){"state", "PHASE", "FAIL", "result"}[log[i].note] : "->",
                log[i].text);
}

static void the_call(void **state)
{
    (void)state;
    struct lab w;
    lab_init(&w);
    lab_start(&w);
    pipe_run_until(w.p, 60 * NS_S);
    dump(&w);
    assert_string_equal(notes(&w, NOTE_FAIL, NULL), "");
    assert_string_equal(notes(&w, NOTE_PHASE, NULL),
                        "invite\nallocate\nanswer\nconnect\nbind\nchecks\nreinvite\nshare\n\n");
    lab_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
