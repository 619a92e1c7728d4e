/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_system.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/kernel.h"

/* Those of SELinux, whose labels have commas in them: mount(8), "context=". */
static bool may_be_quoted(const char *option)
{
	static const char *const names[] = {
	    "context=", "fscontext=", "defcontext=", "rootcontext="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(option, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/*
 * One option is cut off at its comma. As mount(2) has it, and fsconfig(2) hasn't: between quotes a
 * comma is a part of a label, and the quotes are not. NULL: there is none.
 */
static char *next_option(char **rest)
{
	char *option = *rest + strspn(*rest, ","), *to = option;
	bool label = may_be_quoted(option), quoted = false;
	const char *from;

	if (!*option)
		return NULL;
	for (from = option; *from && (quoted || *from != ','); from++) {
		if (label && *from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*rest = (char *)from + (*from == ',');
	*to = '\0';
	return option;
}

int file_system_configure(int fs, const char *data)
{
	char *copy = strdup(data), *rest = copy, *option;
	int result = copy ? 0 : -1;

	while (result == 0 && (option = next_option(&rest))) {
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
