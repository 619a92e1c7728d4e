/* SPDX-License-Identifier: Apache-2.0 */
/* `process_config` of a Command, its capabilities and its groups. */
#include "command/internal.h"

#include <string.h>
#include <strings.h>

#include "process/process.h"

/* The kernel's __NEW_UTS_LEN. */
#define HOSTNAME_LENGTH_MAX 64

static int check_names(const char *list, const char *const *names, struct command_fault *fault)
{
	for (size_t i = 0; names && names[i]; i++) {
		if (strcasecmp(names[i], "all") && process_capability_from_name(names[i]) < 0)
			return fault_set(fault_at(fault, "%s[%zu]", list, i),
					 "%s is not a capability", quoted(names[i]));
	}
	return 0;
}

/* A variable needs a name; everything else may be in its value. */
static int check_environment(const char *const *env, struct command_fault *fault)
{
	for (size_t i = 0; env && env[i]; i++) {
		if (!*env[i] || *env[i] == '=')
			return fault_set(fault_at(fault, "process_config.env[%zu]", i),
					 "%s has no name", quoted(env[i]));
	}
	return 0;
}

const char *command_hostname(const struct runlxc_command *command)
{
	static const char name[] = "HOSTNAME=";
	const char *const *env = command->process_config.env, *found = NULL;

	for (; env && *env; env++) {
		if (strncmp(*env, name, strlen(name)) == 0)
			found = *env + strlen(name);
	}
	return given(found) ? found : NULL;
}

/* It comes out of an environment that may hold anything, so it is looked at more closely than a
 * hostname would have to be for the kernel. */
static int check_hostname(const struct runlxc_command *command, struct command_fault *fault)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	const char *name = command_hostname(command);

	if (!name || command->uts.host_uts)
		return 0;
	fault_at(fault, "process_config.env");
	if (strlen(name) > HOSTNAME_LENGTH_MAX)
		return fault_set(fault, "HOSTNAME is longer than %d bytes", HOSTNAME_LENGTH_MAX);
	if (name[strspn(name, allowed)] || *name == '-' || *name == '.')
		return fault_set(fault, "HOSTNAME: %s is not a hostname", quoted(name));
	return 0;
}

int command_check_process(const struct runlxc_command *command, struct command_fault *fault)
{
	const char *const *groups = command->group_add;

	if (!given(command->process_config.entrypoint))
		return fault_set(fault_at(fault, "process_config.entrypoint"), "is missing");
	for (size_t i = 0; groups && groups[i]; i++) {
		if (!*groups[i])
			return fault_set(fault_at(fault, "group_add[%zu]", i), "is empty");
	}
	if (check_environment(command->process_config.env, fault) ||
	    check_hostname(command, fault) || check_names("cap_add", command->cap_add, fault) ||
	    check_names("cap_drop", command->cap_drop, fault))
		return -1;
	return 0;
}
