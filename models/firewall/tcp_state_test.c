/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connection tracking takes for part of a TCP connection: conversations and the states behind each segment. The
 * kernel itself is asked in sim/netns/oracle_test.c. */
#include "models/firewall/tcp_state.h"

#include "models/firewall/fwbox.h"
#include "models/testkit/testkit.h"

struct segment {
    unsigned dir;
    uint8_t flags;
    enum tcp_state behind;
};

static enum tcp_state run(const struct segment *s, size_t count)
{
    enum tcp_state state = TCP_NONE;
    for (size_t i = 0; i < count; i++) {
        enum tcp_state next = tcp_state_after(state, s[i].dir, s[i].flags, true);
        assert_int_equal(next, s[i].behind);
        if (next < TCP_STATES)
            state = next;
    }
    return state;
}

#define RUN(...) run((const struct segment[]){__VA_ARGS__}, \
                     sizeof((const struct segment[]){__VA_ARGS__}) / sizeof(struct segment))

static void a_connection_opens_and_closes(void **state)
{
    (void)state;
    assert_int_equal(RUN({0, FW_SYN, TCP_SYN_SENT}, {1, FW_SYN | FW_ACK, TCP_SYN_RECEIVED},
                         {0, FW_ACK, TCP_ESTABLISHED}, {0, FW_SYN, TCP_SAME},
                         {0, FW_FIN | FW_ACK, TCP_FIN_WAIT}, {1, FW_ACK, TCP_CLOSE_WAIT},
                         {1, FW_FIN | FW_ACK, TCP_LAST_ACK}, {0, FW_ACK, TCP_TIME_WAIT}, {0, FW_SYN, TCP_SYN_SENT}),
                     TCP_SYN_SENT);
    assert_int_equal(RUN({0, FW_SYN, TCP_SYN_SENT}, {1, FW_SYN, TCP_SYN_CROSSED},
                         {0, FW_SYN | FW_ACK, TCP_SYN_RECEIVED}), TCP_SYN_RECEIVED);
    assert_int_equal(RUN({0, FW_SYN, TCP_SYN_SENT}, {1, FW_RST | FW_ACK, TCP_CLOSED}), TCP_CLOSED);
}

static void what_cannot_follow_is_invalid(void **state)
{
    (void)state;
    RUN({0, FW_SYN, TCP_SYN_SENT}, {0, FW_ACK, TCP_INVALID}, {0, FW_FIN | FW_ACK, TCP_INVALID});
    RUN({0, FW_SYN | FW_ACK, TCP_INVALID}, {0, FW_RST, TCP_INVALID}, {0, FW_FIN | FW_ACK, TCP_INVALID});
    RUN({0, FW_ACK, TCP_ESTABLISHED}, {0, FW_SYN | FW_ACK, TCP_INVALID});
}

static void the_middle_of_a_connection_begins_one_where_that_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(tcp_state_after(TCP_NONE, 0, FW_ACK, true), TCP_ESTABLISHED);
    assert_int_equal(tcp_state_after(TCP_NONE, 0, FW_ACK, false), TCP_INVALID);
}

static void flags_that_exclude_each_other_are_not_sane(void **state)
{
    (void)state;
    enum { PSH = 8, URG = 32 };
    assert_true(tcp_flags_sane(FW_SYN | PSH) && tcp_flags_sane(FW_ACK | URG | PSH) && tcp_flags_sane(FW_RST));
    assert_false(tcp_flags_sane(0) || tcp_flags_sane(FW_FIN) || tcp_flags_sane(FW_SYN | FW_FIN));
    assert_false(tcp_flags_sane(FW_SYN | FW_RST) || tcp_flags_sane(FW_SYN | FW_ACK | URG));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_opens_and_closes),
        cmocka_unit_test(what_cannot_follow_is_invalid),
        cmocka_unit_test(the_middle_of_a_connection_begins_one_where_that_is_allowed),
        cmocka_unit_test(flags_that_exclude_each_other_are_not_sane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
