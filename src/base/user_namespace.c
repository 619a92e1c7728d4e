/* SPDX-License-Identifier: Apache-2.0 */
#include "base/user_namespace.h"

#include <fcntl.h>
#include <stdint.h>

#include "base/cleanup.h"

bool user_namespace_is_ours(void)
{
	cleanup_close int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned int inside, outside, size;
	char text[64];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	/* The host's has every id as it is. */
	return sscanf(text, "%u %u %u", &inside, &outside, &size) == 3 &&
	       (inside != 0 || outside != 0 || size != UINT32_MAX);
}
