/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/criu_options.h"

int criu_flags_set(int key, char *value, struct criu_flags *flags, struct error *err)
{
	struct driver_criu_options *options = flags->options;

	switch (key) {
	case FLAG_IMAGE_PATH:
		options->image_path = value;
		return 0;
	case FLAG_WORK_PATH:
		options->work_path = value;
		return 0;
	case FLAG_TCP_ESTABLISHED:
		options->tcp_established = true;
		return 0;
	case FLAG_EXT_UNIX_SK:
		options->ext_unix_sk = true;
		return 0;
	case FLAG_SHELL_JOB:
		options->shell_job = true;
		return 0;
	case FLAG_FILE_LOCKS:
		options->file_locks = true;
		return 0;
	case FLAG_MANAGE_CGROUPS_MODE:
		options->manage_cgroups_mode = value;
		return 0;
	case FLAG_EMPTY_NS:
		if (value_list_add(&flags->empty_ns, value, err) < 0)
			return -1;
		options->empty_ns = flags->empty_ns.items;
		options->empty_ns_count = flags->empty_ns.count;
		return 0;
	case FLAG_AUTO_DEDUP:
		options->auto_dedup = true;
		return 0;
	case FLAG_LAZY_PAGES:
		options->lazy_pages = true;
		return 0;
	default:
		return 1;
	}
}
