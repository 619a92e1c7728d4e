/* SPDX-License-Identifier: Apache-2.0 */
#include "base/user_namespace.h"

#include <stdint.h>

#include "base/cleanup.h"

bool user_namespace_is_ours(void)
{
	cleanup_fclose FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned int inside, outside, size;

	/* The host's has every id as it is. */
	return map && fscanf(map, "%u %u %u", &inside, &outside, &size) == 3 &&
	       (inside != 0 || outside != 0 || size != UINT32_MAX);
}
