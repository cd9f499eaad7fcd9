/* SPDX-License-Identifier: MIT */
/*
 * trusted.h - what bench/trusted.c measures. Every function answers a negative number if something went wrong.
 */
#ifndef EXO_BENCH_TRUSTED_H
#define EXO_BENCH_TRUSTED_H

#ifdef __cplusplus
extern "C" {
#endif

/* ns for each look-up in a pool of so many regions, by number or by name. The same 1024 regions are asked for in any order, so
 * that it is the pool that is compared and not how far the processor's caches reach. */
double exo_bench_lookup(unsigned regions, int by_name, unsigned looks);

/* The same by number, of all regions; and one load from any of so many lines, which is what the memory takes for it. */
double exo_bench_lookup_anywhere(unsigned regions, unsigned looks);
double exo_bench_lines_anywhere(unsigned lines, unsigned looks);

/* ns to check a capability; to take hold of one and let go. */
double exo_bench_capability(int hold, unsigned count);

/* ns for a count that is raised and lowered again by two compare-and-swaps: the least that holding takes. */
double exo_bench_locked_pair(unsigned count);

/* ns for each of so many derived capabilities that are revoked at once, beside so many that are none of them. */
double exo_bench_revoke(unsigned derived, unsigned unrelated);

/* ns to map and unmap a frame: by exo_map_shared(), or by mmap() of the same kind of file. */
double exo_bench_map(int ours, unsigned long bytes, unsigned times);

/* Bytes of records for each process with a queue; for each region with a name. */
double exo_bench_process_bytes(unsigned count);
double exo_bench_region_bytes(unsigned count);

#ifdef __cplusplus
}
#endif

#endif
