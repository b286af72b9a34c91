/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The errors of the whole program. A function that can fail returns 0 or one of these, all negative. */
#ifndef TP_BASE_ERR_H
#define TP_BASE_ERR_H

enum err {
    E_OK = 0,
    E_NOMEM = -1,      /* a limit or the machine's memory is used up */
    E_TRUNCATED = -2,  /* the input ends before the value does */
    E_MALFORMED = -3,  /* the input breaks its grammar */
    E_RANGE = -4,      /* well-formed, but outside what is allowed */
    E_INTEGRITY = -5,  /* a checksum, CRC or MAC does not match */
    E_NOT_FOUND = -6,
    E_EXISTS = -7,     /* already there, or the address is in use */
    E_UNSUPPORTED = -8,
    E_SPACE = -9,      /* the caller's buffer is too small */
    E_REFUSED = -10,   /* connection refused: RST, or ICMP port unreachable */
    E_UNREACHABLE = -11,
    E_TIMED_OUT = -12,
    E_RESET = -13,
    E_IO = -14,        /* the operating system said no; errno tells */
};

/* A short name for people and traces ("timed out"); never NULL. */
const char *err_text(int err);

#endif
