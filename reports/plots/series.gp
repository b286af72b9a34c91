# SPDX-License-Identifier: GPL-2.0-or-later
# One line a block of `data` (x, y, half-width of the interval; the first row is the block's title); told apart by point,
# dash and shade, so that it reads in black and white. Set by the caller: data, count, title, xlabel, ylabel, xlog, knee
# (x of a vertical line; negative: none), svg, png.
set grid lc rgb '#cccccc'
set key outside right top samplen 3
set border 3
set tics nomirror
set title title noenhanced
set xlabel xlabel noenhanced
set ylabel ylabel noenhanced
set yrange [0:*]
set xrange [*:*] noextend
if (xlog) set logscale x
if (knee >= 0) set arrow from knee, graph 0 to knee, graph 1 nohead dt 2 lw 1.5 lc rgb '#000000'
if (knee >= 0) set label 'knee' at knee, graph 0.97 offset 0.5, 0
array shade[8] = ['#000000', '#0b6e4f', '#c8553d', '#2b59c3', '#8c6bb1', '#7a7a7a', '#b8860b', '#5d4037']
do for [kind in 'svg png'] {
    if (kind eq 'svg') { set terminal svg size 860,420 dynamic font 'sans-serif,13' background '#ffffff'; set output svg }
    else { set terminal pngcairo size 1720,840 font 'sans-serif,24' background '#ffffff'; set output png }
    plot for [i = 0:count - 1] data index i using 1:2:3 with yerrorlines pt i + 4 dt i + 1 lw 2 \
        lc rgb shade[i % 8 + 1] title columnheader(1) noenhanced
    unset output
}
