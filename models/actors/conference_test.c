/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls over SIP into a conference, and those that are forwarded. */
#include "models/actors/meeting_rig_test.h"

static void services_are(struct rig *r, const char *name, const char *want)
{
    assert_string_equal(rig_services(r, name, 0), want);
}

/* Sent and received in so many seconds at these rates, a few packets more or less. */
static void rates_are(const struct session *s, enum call_media medium, uint64_t sent, uint64_t received)
{
    struct media_count c = session_counted(s, medium);
    assert_in_range(c.sent, sent - 2, sent + 2);
    assert_in_range(c.received, received - 2, received + 2);
    assert_int_equal(c.lost, 0);
    assert_int_equal(c.foreign + c.malformed, 0);
}

/* What each side gets is the other's stream at the other's rate: the conference is no mirror. */
static void a_call_comes_and_goes(void **state)
{
    (void)state;
    static const char *const servers[] = {MS_IP ":5061", MS_IP ":5060", "udp " MS_IP ":5060"};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct meeting_server_config cfg = rig_config();
        struct rig *r = rig_new(&cfg);
        struct phone *ph = rig_phone(r, "alice", servers[i]);
        pipe_run_for(r->p, NS_S);
        phone_call(ph, "sip:meeting@acme.example");
        pipe_run_for(r->p, 10 * NS_S);
        assert_true(ph->up);
        services_are(r, "alice/signalling", "wanted; up SIP; ");
        rates_are(ph->session, CALL_AUDIO, 498, 498);
        rates_are(ph->session, CALL_VIDEO, 199, 99);
        sip_ua_hangup(ph->ua, ph->call, "");
        pipe_run_for(r->p, NS_S);
        services_are(r, "alice/signalling", "wanted; up SIP; done hung up; ");
        assert_non_null(strstr(rig_services(r, "alice/audio", 0), "wanted; up "));
        assert_non_null(strstr(rig_services(r, "alice/audio", 0), "done sent 50"));
        assert_non_null(strstr(rig_services(r, "alice/video", 0), "done sent 10"));
        assert_true(ph->ended);
        rig_free(r);
    }
}

/* RFC 3264 8.4: on hold neither side sends; afterwards both do. */
static void hold_and_resume(void **state)
{
    (void)state;
    struct meeting_server_config cfg = rig_config();
    struct rig *r = rig_new(&cfg);
    struct phone *ph = rig_phone(r, "alice", MS_IP ":5060");
    pipe_run_for(r->p, NS_S);
    phone_call(ph, "sip:meeting@acme.example");
    pipe_run_for(r->p, 5 * NS_S);
    session_hold(ph->session, true);
    session_offer(ph->session);
    phone_poll(ph);
    pipe_run_for(r->p, NS_S);
    struct media_count before = session_counted(ph->session, CALL_AUDIO);
    pipe_run_for(r->p, 40 * NS_S); /* longer than silence is borne */
    struct media_count after = session_counted(ph->session, CALL_AUDIO);
    assert_int_equal(before.received, after.received);
    assert_int_equal(before.sent, after.sent);
    session_hold(ph->session, false);
    session_offer(ph->session);
    phone_poll(ph);
    pipe_run_for(r->p, 10 * NS_S);
    assert_in_range(session_counted(ph->session, CALL_AUDIO).received, after.received + 480, after.received + 500);
    assert_int_equal(session_counted(ph->session, CALL_AUDIO).foreign, 0);
    services_are(r, "alice/signalling", "wanted; up SIP; ");
    assert_null(strstr(rig_services(r, "alice/audio", 0), "lost"));
    rig_free(r);
}

/* A telephone that is gone without a word: its media fall silent first, and end the call. On hold nothing flows: there
 * it is OPTIONS that tells. */
static void the_other_end_is_gone(void **state)
{
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct meeting_server_config cfg = rig_config();
        struct rig *r = rig_new(&cfg);
        struct phone *ph = rig_phone(r, "alice", MS_IP ":5060");
        pipe_run_for(r->p, NS_S);
        phone_call(ph, "sip:meeting@acme.example");
        pipe_run_for(r->p, 5 * NS_S);
        session_hold(ph->session, held);
        session_offer(ph->session);
        phone_poll(ph);
        pipe_run_for(r->p, NS_S);
        ph->dead = true;
        pipe_run_for(r->p, 125 * NS_S);
        const char *got = rig_services(r, "alice/signalling", 0);
        if (held)
            assert_string_equal(got, "wanted; up SIP; lost the other end does not answer any more (408); ");
        else
            assert_non_null(strstr(got, "wanted; up SIP; done nothing ")); /* signalling was not to blame */
        rig_free(r);
    }
}

static void twenty_and_no_more(void **state)
{
    (void)state;
    struct meeting_server_config cfg = rig_config();
    cfg.conference.participants_max = 20;
    struct rig *r = rig_new(&cfg);
    char name[16];
    static const char *const servers[] = {MS_IP ":5061", MS_IP ":5060", "udp " MS_IP ":5060"};
    for (int i = 0; i < 21; i++) {
        snprintf(name, sizeof name, "phone-%d", i);
        rig_phone(r, name, servers[i % 3]);
    }
    pipe_run_for(r->p, NS_S);
    for (int i = 0; i < 21; i++)
        phone_call(&r->phone[i], "sip:meeting@acme.example");
    pipe_run_for(r->p, 5 * NS_S);
    unsigned full = 0;
    for (int i = 0; i < 21; i++) {
        full += r->phone[i].code == 486;
        if (r->phone[i].up) {
            rates_are(r->phone[i].session, CALL_AUDIO, 248, 248);
            rates_are(r->phone[i].session, CALL_VIDEO, 99, 49);
        }
    }
    assert_int_equal(full, 1);
    sip_ua_hangup(r->phone[0].ua, r->phone[0].call, ""); /* makes room */
    pipe_run_for(r->p, NS_S);
    struct phone *last = rig_phone(r, "late", MS_IP ":5060");
    pipe_run_for(r->p, NS_S);
    phone_call(last, "sip:meeting@acme.example");
    pipe_run_for(r->p, NS_S);
    assert_true(last->up);
    rig_free(r);
}

/* ---- forwarded calls ---- */

static const struct dial_rule rules[] = {{"7", "ucm.example", "", SESSION_PLAIN},
                                         {"8", "acme.example", "ucm.example", SESSION_PLAIN}};

static struct rig *forwarding(struct phone **a, struct phone **b)
{
    struct meeting_server_config cfg = rig_config();
    cfg.conference.rule = rules;
    cfg.conference.rules = 2;
    struct rig *r = rig_new(&cfg);
    *a = rig_phone(r, "alice", MS_IP ":5061");
    pipe_run_for(r->p, NS_S);
    *b = rig_phone(r, "bob", MS_IP ":5060"); /* whose connection is the newest */
    pipe_run_for(r->p, NS_S);
    return r;
}

static void a_call_is_forwarded(void **state)
{
    (void)state;
    struct phone *a, *b;
    struct rig *r = forwarding(&a, &b);
    phone_call(a, "sip:8001@acme.example");
    pipe_run_for(r->p, 10 * NS_S);
    assert_string_equal(b->called, "sip:8001@ucm.example");
    assert_true(a->up && b->up);
    services_are(r, "alice/signalling", "wanted; up SIP; ");
    services_are(r, "alice/onward/signalling", "wanted; up SIP, forwarded; ");
    rates_are(a->session, CALL_AUDIO, 499, 498);
    rates_are(b->session, CALL_AUDIO, 498, 498);
    sip_ua_hangup(b->ua, b->call, ""); /* either side may */
    pipe_run_for(r->p, NS_S);
    assert_true(a->ended && b->ended);
    services_are(r, "alice/signalling", "wanted; up SIP; done hung up; ");
    services_are(r, "alice/onward/signalling", "wanted; up SIP, forwarded; done hung up; ");
    rig_free(r);
}

static void a_forwarded_call_is_refused(void **state)
{
    (void)state;
    struct phone *a, *b;
    struct rig *r = forwarding(&a, &b);
    b->refuse = 480;
    phone_call(a, "sip:7001@ucm.example");
    pipe_run_for(r->p, 2 * NS_S);
    assert_int_equal(a->code, 480);
    services_are(r, "alice/signalling", "wanted; failed refused: 480 Temporarily Unavailable; ");
    rig_free(r);
}

static void a_forwarded_call_is_cancelled(void **state)
{
    (void)state;
    struct phone *a, *b;
    struct rig *r = forwarding(&a, &b);
    b->wait = true;
    phone_call(a, "sip:7001@ucm.example");
    pipe_run_for(r->p, 2 * NS_S);
    assert_non_null(b->call);
    sip_ua_hangup(a->ua, a->call, "");
    pipe_run_for(r->p, NS_S);
    assert_true(a->ended && b->ended);
    services_are(r, "alice/signalling", "wanted; failed cancelled before it was answered; ");
    services_are(r, "alice/onward/signalling", "wanted; failed cancelled before it was answered; ");
    rig_free(r);
}

/* What Meeting Server itself has sent comes back: it is not sent out again. */
static void no_circles(void **state)
{
    (void)state;
    struct phone *a, *b;
    struct rig *r = forwarding(&a, &b);
    static const char invite[] = "INVITE sip:7001@ucm.example SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\n"
                                 "From: <sip:x@y>;tag=1\r\nTo: <sip:7001@ucm.example>\r\n"
                                 "Call-ID: 77\r\nCSeq: 1 INVITE\r\n"
                                 "User-Agent: Acano CallBridge\r\nContent-Length: %zu\r\n\r\n%s";
    static char m[10000];
    session_offer(a->session);
    phone_poll(a);
    pipe_run_for(r->p, NS_S);
    int n = snprintf(m, sizeof m, invite, strlen(a->described), a->described);
    struct raw *raw = raw_connect(r->p, "10.9.0.1:9", MS_IP ":5060");
    pipe_run_for(r->p, NS_S);
    raw_send(r->p, raw, m, (size_t)n);
    pipe_run_for(r->p, NS_S);
    assert_non_null(memmem(raw->got, raw->got_len, "SIP/2.0 482 ", 12));
    assert_null(b->call);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_comes_and_goes),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(the_other_end_is_gone),
        cmocka_unit_test(twenty_and_no_more),
        cmocka_unit_test(a_call_is_forwarded),
        cmocka_unit_test(a_forwarded_call_is_refused),
        cmocka_unit_test(a_forwarded_call_is_cancelled),
        cmocka_unit_test(no_circles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
