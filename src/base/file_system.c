/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_system.h"

#include <stdlib.h>
#include <string.h>

#include "base/kernel.h"

int file_system_configure(int fs, const char *data)
{
	char *copy = strdup(data), *option, *save = NULL;
	int result = copy ? 0 : -1;

	for (option = copy ? strtok_r(copy, ",", &save) : NULL; option && result == 0;
	     option = strtok_r(NULL, ",", &save)) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (kernel_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option,
				    value) < 0)
			result = -1;
	}
	free(copy);
	return result;
}
