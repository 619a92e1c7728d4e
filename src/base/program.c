/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

int program_open(const char *name, const char *start, const char *end, struct error *err)
{
	cleanup_close int fd =
	    kernel_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = kernel_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || path_write_all(fd, start, (size_t)(end - start)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return error_errno(err, errno, "Failed to put %s into a memfd", name);
	return fd_take(&fd);
}
