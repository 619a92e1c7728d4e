/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/create_options.h"

#include "cli/value.h"

int create_options_set(int key, char *value, struct driver_create_options *options,
		       struct error *err)
{
	switch (key) {
	case 'b':
		options->bundle = *value ? value : options->bundle;
		return 0;
	case FLAG_CONFIG:
		options->config = value_given(value);
		return 0;
	case FLAG_CONSOLE_SOCKET:
		options->console_socket = value_given(value);
		return 0;
	case FLAG_PID_FILE:
		options->pid_file = value_given(value);
		return 0;
	case FLAG_PIDFD_SOCKET:
		options->pidfd_socket = value_given(value);
		return 0;
	case FLAG_NO_PIVOT:
		return 0;
	case FLAG_NO_NEW_KEYRING:
		options->no_new_keyring = true;
		return 0;
	case FLAG_PRESERVE_FDS:
		return value_count("--preserve-fds", value, &options->preserve_fds, err);
	default:
		return 1;
	}
}
