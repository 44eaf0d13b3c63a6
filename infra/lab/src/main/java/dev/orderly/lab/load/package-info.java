/** Load by HTTP for benchmark and scenarios: open and closed loops, with latencies in HdrHistograms. */
package dev.orderly.lab.load;
