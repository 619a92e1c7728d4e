/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and checking what to run.
 *
 * Every error is one line that names the file, the field by its path in the document
 * ("mounts[3].options[0]") and the reason. A null is the same as an absent field. Unknown fields
 * are ignored, as the specification's section "Extensibility" demands. A string with a NUL byte in
 * it is an error. Nothing is read from the container's root file system here.
 */
#ifndef RUNLXC_SPEC_READ_H
#define RUNLXC_SPEC_READ_H

#include "base/error.h"
#include "spec/spec.h"

/* The largest document that is read; larger ones are refused before they are parsed. */
#define SPEC_MAX_BYTES ((size_t)16 * 1024 * 1024)

/*
 * Reads an OCI config.json (`name` is what errors call it). Returns a spec for spec_free(), or
 * NULL. Only the document's form is checked: that it is JSON, that every known field has the right
 * type and range. spec_validate() checks what it means.
 */
struct spec *spec_read_oci_file(int dirfd, const char *path, const char *name, struct error *err);
struct spec *spec_read_oci_text(const char *text, size_t length, const char *name,
				struct error *err);

/* Reads an OCI process document (`exec --process FILE`) into a spec of which only .process is set.
 */
struct spec *spec_read_process_file(int dirfd, const char *path, const char *name,
				    struct error *err);

struct spec *spec_read_process_text(const char *text, size_t length, const char *name,
				    struct error *err);

/* Reads an OCI resources document (`update --resources FILE`): only .linux_.resources is set. */
struct spec *spec_read_resources_text(const char *text, size_t length, const char *name,
				      struct error *err);

/*
 * Checks what a spec means, before anything is made: required fields, values that exclude each
 * other, names that must be known, what needs a namespace of its own, and what this version does
 * not apply, which is refused by its field's name and never ignored. Fills rlimits[].resource.
 */
int spec_validate(struct spec *spec, struct error *err);

/* The part of it that also holds for the process of an exec. */
int spec_validate_process(struct spec_process *process, struct error *err);

/* The part of it that also holds for the resources of an update. */
int spec_validate_resources(const struct spec_resources *resources, struct error *err);

/*
 * The text of the default config.json that `runlxc spec` writes, equal in meaning to runc's:
 * `rootless` adds a user namespace that maps `uid` and `gid`. The caller frees it.
 */
char *spec_default_text(bool rootless, uint32_t uid, uint32_t gid, struct error *err);

#endif
