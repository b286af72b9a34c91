# SPDX-License-Identifier: GPL-2.0-or-later
# models/ is discovered by the Makefile: every x.c is library, x_test.c a test, x_fuzz.c a fuzz target.
