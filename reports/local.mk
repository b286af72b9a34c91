# SPDX-License-Identifier: GPL-2.0-or-later
TEST_SH += $(wildcard reports/*_test.sh)
