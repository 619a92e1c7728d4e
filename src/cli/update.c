/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of update become the resources document that --resources brings whole. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

#include "base/path.h"
#include "cli/parse.h"
#include "cli/value.h"
#include "cli/verbs.h"

#define RESOURCES_MAX_BYTES ((size_t)16 * 1024 * 1024)

enum {
	FLAG_FIRST = FLAG_KEY_FIRST,
	FLAG_KERNEL_MEMORY,
	FLAG_KERNEL_MEMORY_TCP,
	FLAG_L3_CACHE_SCHEMA,
	FLAG_MEM_BW_SCHEMA,
	FLAG_FIELD, /* from here on by their place in fields[] */
};

struct update_flags {
	const struct driver *driver;
	struct json_object *resources;
	const char *file, *any_field; /* any_field: a flag that the document would be made of */
	struct driver_update_options update;
};

enum kind {
	MEMORY,
	SIGNED,
	UNSIGNED,
	WEIGHT,
	TEXT,
};

static const struct field {
	const char *flag, *section, *name;
	enum kind kind;
} fields[] = {
    {"--blkio-weight", "blockIO", "weight", WEIGHT},
    {"--cpu-burst", "cpu", "burst", UNSIGNED},
    {"--cpu-idle", "cpu", "idle", SIGNED},
    {"--cpu-period", "cpu", "period", UNSIGNED},
    {"--cpu-quota", "cpu", "quota", SIGNED},
    {"--cpu-rt-period", "cpu", "realtimePeriod", UNSIGNED},
    {"--cpu-rt-runtime", "cpu", "realtimeRuntime", SIGNED},
    {"--cpu-share", "cpu", "shares", UNSIGNED},
    {"--cpuset-cpus", "cpu", "cpus", TEXT},
    {"--cpuset-mems", "cpu", "mems", TEXT},
    {"--memory", "memory", "limit", MEMORY},
    {"--memory-reservation", "memory", "reservation", MEMORY},
    {"--memory-swap", "memory", "swap", MEMORY},
    {"--pids-limit", "pids", "limit", SIGNED},
};

static const struct argp_option options[] = {
    {"resources", 'r', "FILE", 0,
     "An OCI resources document, or - for standard input; other limits are then ignored", 0},
    {"blkio-weight", FLAG_FIELD + 0, "WEIGHT", 0, "Weight of block I/O, from 10 to 1000", 0},
    {"cpu-burst", FLAG_FIELD + 1, "US", 0, "CPU time that may be saved up beyond the quota", 0},
    {"cpu-idle", FLAG_FIELD + 2, "0|1", 0, "1: only CPU time that nobody else wants", 0},
    {"cpu-period", FLAG_FIELD + 3, "US", 0, "The period that the quota is for", 0},
    {"cpu-quota", FLAG_FIELD + 4, "US", 0, "CPU time in a period; -1: no limit", 0},
    {"cpu-rt-period", FLAG_FIELD + 5, "US", 0, "The period of real-time scheduling", 0},
    {"cpu-rt-runtime", FLAG_FIELD + 6, "US", 0, "Real-time CPU time in such a period", 0},
    {"cpu-share", FLAG_FIELD + 7, "SHARES", 0, "CPU shares, from 2 to 262144", 0},
    {"cpuset-cpus", FLAG_FIELD + 8, "LIST", 0, "CPUs to run on: 0-2,7", 0},
    {"cpuset-mems", FLAG_FIELD + 9, "LIST", 0, "Memory nodes to use", 0},
    {"memory", FLAG_FIELD + 10, "BYTES", 0, "Memory limit, such as 64m; -1: none", 0},
    {"memory-reservation", FLAG_FIELD + 11, "BYTES", 0, "Soft limit of memory", 0},
    {"memory-swap", FLAG_FIELD + 12, "BYTES", 0, "Limit of memory and swap together; -1: none", 0},
    {"pids-limit", FLAG_FIELD + 13, "N", 0, "Most processes and threads; -1: no limit", 0},
    {"kernel-memory", FLAG_KERNEL_MEMORY, "BYTES", OPTION_HIDDEN, NULL, 0},
    {"kernel-memory-tcp", FLAG_KERNEL_MEMORY_TCP, "BYTES", OPTION_HIDDEN, NULL, 0},
    {"l3-cache-schema", FLAG_L3_CACHE_SCHEMA, "SCHEMA", 0, "Intel RDT's L3 cache schema", 0},
    {"mem-bw-schema", FLAG_MEM_BW_SCHEMA, "SCHEMA", 0, "Intel RDT's memory bandwidth schema", 0},
    FLAG_HELP,
    {0},
};

/* The value as it stands in a document; NULL and an error. */
static struct json_object *read_value(const struct field *field, const char *value,
				      struct error *err)
{
	int64_t number = 0;
	int result = 0;

	switch (field->kind) {
	case TEXT:
		return json_object_new_string(value);
	case MEMORY:
		result = value_memory(field->flag, value, &number, err);
		break;
	case SIGNED:
		result = value_integer(field->flag, value, INT64_MIN, INT64_MAX, &number, err);
		break;
	case UNSIGNED:
		result = value_integer(field->flag, value, 0, INT64_MAX, &number, err);
		break;
	case WEIGHT:
		result = value_integer(field->flag, value, 0, UINT16_MAX, &number, err);
		break;
	}
	return result < 0 ? NULL : json_object_new_int64(number);
}

static int set_field(struct update_flags *flags, const struct field *field, const char *value,
		     struct error *err)
{
	struct json_object *section = NULL, *object;

	/* As runc: no value is no flag. */
	if (!*value)
		return 0;
	object = read_value(field, value, err);
	if (!object)
		return err->message ? -1 : error_set(err, "out of memory");
	if (!json_object_object_get_ex(flags->resources, field->section, &section)) {
		section = json_object_new_object();
		json_object_object_add(flags->resources, field->section, section);
	}
	json_object_object_add(section, field->name, object);
	flags->any_field = field->flag;
	return 0;
}

static int set(int key, char *value, void *data, struct error *err)
{
	struct update_flags *flags = data;

	switch (key) {
	case 'r':
		flags->file = value;
		return 0;
	case FLAG_KERNEL_MEMORY:
	case FLAG_KERNEL_MEMORY_TCP:
		/* runc's words. */
		log_warning(flags->driver->log, "Setting --%s is ignored and will be removed",
			    key == FLAG_KERNEL_MEMORY ? "kernel-memory" : "kernel-memory-tcp");
		return 0;
	case FLAG_L3_CACHE_SCHEMA:
		flags->update.l3_cache_schema = value;
		return 0;
	case FLAG_MEM_BW_SCHEMA:
		flags->update.mem_bw_schema = value;
		return 0;
	default:
		return set_field(flags, &fields[key - FLAG_FIELD], value, err);
	}
}

static const struct syntax syntax = {
    .name = "runlxc update",
    .options = options,
    .words = "ID",
    .summary = "Changes the limits of a container. What isn't given, or 0, stays as it is.",
    .min_words = 1,
    .max_words = 1,
    .set = set,
};

static void cleanup_flags(struct update_flags *flags)
{
	json_object_put(flags->resources);
}

int verb_update(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	cleanup_with(cleanup_flags) struct update_flags flags = {
	    .driver = driver, .resources = json_object_new_object(), .update.name = "update"};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	cleanup_free char *text = NULL;
	size_t length = 0;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	flags.update.resources = json_object_to_json_string(flags.resources);
	if (flags.file && *flags.file) {
		bool input = strcmp(flags.file, "-") == 0;

		flags.update.name = input ? "standard input" : flags.file;
		text = path_read_file(AT_FDCWD, input ? "/dev/stdin" : flags.file,
				      RESOURCES_MAX_BYTES, &length, flags.update.name, err);
		if (!text)
			return -1;
		if (strlen(text) != length)
			return error_set(err, "%s: has a NUL byte in it", flags.update.name);
		flags.update.resources = text;
		if (flags.any_field)
			log_warning(driver->log, "%s is ignored, since --resources is given",
				    flags.any_field);
	}
	return driver_update(driver, line.words[0], &flags.update, err);
}
