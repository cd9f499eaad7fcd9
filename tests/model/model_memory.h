/* SPDX-License-Identifier: MIT */
/*
 * The checker's memory, to those files that work on it: memory.c (stores and views), atomic.c (operations), words.c
 * (plain words, and what a client said of its words).
 */
#ifndef EXO_TESTS_MODEL_MODEL_MEMORY_H
#define EXO_TESTS_MODEL_MODEL_MEMORY_H

#include "model.h"

/* memory.c: the stores of a location are numbered from 0. */
exo_u64 memory_real(const void *p, exo_u32 bytes);
struct location *memory_find(const void *p, exo_u32 bytes);
exo_u32 memory_index(const struct location *location);
struct store *memory_store(const struct location *location, exo_u32 number);
void memory_observe(struct thread *self, const struct location *location, exo_u32 number, exo_bool acquires);
void memory_publish(exo_u32 thread, struct location *location, void *p, exo_u64 value, exo_bool releases,
                    const struct view *carried);
void memory_full_fence(exo_u32 thread);
void view_join(struct view *into, const struct view *from);

/* words.c */
exo_bool words_distrusted(exo_uptr address);
exo_bool words_predicted(exo_uptr address);
void words_check_fresh(exo_uptr address);

#endif
