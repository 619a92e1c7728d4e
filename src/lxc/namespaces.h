/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that are joined by their path. */
#ifndef RUNLXC_LXC_NAMESPACES_H
#define RUNLXC_LXC_NAMESPACES_H

#include "base/arena.h"
#include "base/error.h"
#include "spec/spec.h"

/* What LXC calls them. */
extern const char *const namespaces_lxc_names[SPEC_NS_TYPES];

/* Whether the path is a namespace of the type that it is listed for; an error names the field. */
int namespaces_check_path(const struct spec_namespace *ns, enum spec_namespace_type type,
			  struct error *err);

/* The id mappings of the user namespace at `path`, as seen from ours. Lists live in the arena. */
int namespaces_read_mappings(const char *path, struct arena *arena, struct spec_id_mappings *uids,
			     struct spec_id_mappings *gids, struct error *err);

/* The same of the user namespace that we are in: a user's rights over one that is joined are had
 * there (rights.h). */
int namespaces_own_mappings(struct arena *arena, struct spec_id_mappings *uids,
			    struct spec_id_mappings *gids, struct error *err);

#endif
