/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share with each other, and with nobody else. */
#ifndef RUNLXC_SPEC_INTERNAL_H
#define RUNLXC_SPEC_INTERNAL_H

#include "base/json.h"
#include "spec/read.h"

/* ---- reading: fields.c ---- */

/* As json.h's, for the model's own types; an empty string counts as absent. */
int spec_get_string(const struct json_value *at, const char *key, char **out);
int spec_get_strings(const struct json_value *at, const char *key, struct spec_strings *out);
int spec_get_pairs(const struct json_value *at, const char *key, struct spec_pairs *out);
int spec_get_bool(const struct json_value *at, const char *key, struct spec_bool *out);
int spec_get_i64(const struct json_value *at, const char *key, struct spec_i64 *out);
int spec_get_u64(const struct json_value *at, const char *key, struct spec_u64 *out);
/* A uint64 whose values end at `max` (the bindings have uint16 and uint32 for some). */
int spec_get_u64_max(const struct json_value *at, const char *key, uint64_t max,
		     struct spec_u64 *out);
int spec_get_mappings(const struct json_value *at, const char *key, struct spec_id_mappings *out);

/* ---- reading: the sections ---- */

int spec_read_process(const struct json_value *at, struct spec_process *process);
int spec_read_linux(const struct json_value *at, struct spec_linux *linux_);
int spec_read_resources(const struct json_value *at, struct spec_resources *resources);
int spec_read_seccomp(const struct json_value *at, struct spec_seccomp *seccomp);

/* ---- validation ---- */

/* "<document>: <field and reason>". Always -1. `format` is a literal. */
#define spec_invalid(spec, err, format, ...)                                                       \
	error_set(err, "%s: " format, (spec)->name ?: "spec", ##__VA_ARGS__)

/* `text` quoted for an error; use it inside one statement only. */
#define quoted(text) json_quote(&(struct json_quote){{0}}, text)

/* What is wrong with a path that must be there, or NULL. */
const char *spec_path_fault(const char *path);
const char *spec_absolute_path_fault(const char *path);

/* Tells if `name` is in a list that ends with NULL. */
bool spec_name_known(const char *const *names, const char *name);

int spec_validate_linux(const struct spec *spec, struct error *err);
int spec_validate_memory_policy(const struct spec *spec, struct error *err);
int spec_validate_sysctl(const struct spec *spec, struct error *err);
int spec_validate_seccomp(const struct spec *spec, struct error *err);

#endif
