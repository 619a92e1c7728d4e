/* SPDX-License-Identifier: Apache-2.0 */
/* Whose root the root of this process is. */
#ifndef RUNLXC_BASE_USER_NAMESPACE_H
#define RUNLXC_BASE_USER_NAMESPACE_H

#include <stdbool.h>

/* Whether we are in a user namespace that is not the host's: its root has not the host's rights. */
bool user_namespace_is_ours(void);

#endif
