# SPDX-License-Identifier: GPL-2.0-or-later
# Distribution functions: one line a block of `data` (x, share of runs at most x; the first row is the block's title).
# Set by the caller as for series.gp.
set grid lc rgb '#cccccc'
set key outside right top samplen 3
set border 3
set tics nomirror
set title title noenhanced
set xlabel xlabel noenhanced
set ylabel ylabel noenhanced
set yrange [0:1]
if (xlog) set logscale x
array shade[8] = ['#000000', '#0b6e4f', '#c8553d', '#2b59c3', '#8c6bb1', '#7a7a7a', '#b8860b', '#5d4037']
do for [kind in 'svg png'] {
    if (kind eq 'svg') { set terminal svg size 860,420 dynamic font 'sans-serif,13' background '#ffffff'; set output svg }
    else { set terminal pngcairo size 1720,840 font 'sans-serif,24' background '#ffffff'; set output png }
    plot for [i = 0:count - 1] data index i using 1:2 with steps dt i + 1 lw 2 lc rgb shade[i % 8 + 1] \
        title columnheader(1) noenhanced
    unset output
}
