/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/value.h"
#include "cli/verbs.h"

struct list_flags {
	bool json, quiet;
};

static const struct argp_option options[] = {
    {"format", 'f', "FORMAT", 0, "table (the default) or json", 0},
    {"quiet", 'q', NULL, 0, "Show the ids only", 0},
    FLAG_HELP,
    {0},
};

static int set(int key, char *value, void *data, struct error *err)
{
	struct list_flags *flags = data;

	if (key == 'f')
		return value_format(value, &flags->json, err);
	flags->quiet = true;
	return 0;
}

static const struct syntax syntax = {
    .name = "runlxc list",
    .options = options,
    .summary = "Lists the containers below the state root.",
    .set = set,
};

enum {
	COLUMNS = 6,
};

/* How many characters a cell takes: bytes that only continue a UTF-8 sequence take none. */
static size_t cell_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* The rows, aligned as runc's are: columns at least 12 wide, 3 blanks apart, none behind the last.
 */
static void print_rows(const char *const (*rows)[COLUMNS], size_t count)
{
	size_t widths[COLUMNS];

	for (size_t column = 0; column < COLUMNS; column++) {
		widths[column] = 12;
		for (size_t row = 0; row < count; row++) {
			size_t width = cell_width(rows[row][column]) + 3;

			if (width > widths[column])
				widths[column] = width;
		}
	}
	for (size_t row = 0; row < count; row++) {
		for (size_t column = 0; column + 1 < COLUMNS; column++) {
			const char *text = rows[row][column];

			printf("%s%*s", text, (int)(widths[column] - cell_width(text)), "");
		}
		printf("%s\n", rows[row][COLUMNS - 1]);
	}
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static int print_table(struct driver_container **containers, size_t count, struct error *err)
{
	static const char *const head[COLUMNS] = {"ID",	    "PID",     "STATUS",
						  "BUNDLE", "CREATED", "OWNER"};
	cleanup_free const char *(*rows)[COLUMNS] = calloc(count + 1, sizeof(*rows));
	cleanup_free char(*pids)[16] = calloc(count + 1, sizeof(*pids));

	if (!rows || !pids)
		return error_set(err, "out of memory");
	memcpy(rows[0], head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		const char **row = rows[i + 1];

		snprintf(pids[i], sizeof(pids[i]), "%d", containers[i]->pid);
		row[0] = containers[i]->id;
		row[1] = pids[i];
		row[2] = driver_status_name(containers[i]->status);
		row[3] = text_or_empty(containers[i]->bundle);
		row[4] = text_or_empty(containers[i]->created);
		row[5] = text_or_empty(containers[i]->owner);
	}
	print_rows((const char *const(*)[COLUMNS])rows, count + 1);
	return 0;
}

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

/* runc encodes a list without elements as null. */
static int print_json(struct driver_container **containers, size_t count, struct error *err)
{
	cleanup_with(cleanup_json) struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *text = driver_state_json(containers[i], err);
		struct json_object *state = text ? json_tokener_parse(text) : NULL;

		if (!text)
			return -1;
		if (!state || !array || json_object_array_add(array, state) < 0) {
			json_object_put(state);
			return error_set(err, "out of memory");
		}
	}
	if (count == 0)
		puts("null");
	else
		puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

int verb_list(const struct driver *driver, int argc, char **argv, struct error *err)
{
	cleanup_flags_line struct flags_line line = FLAGS_LINE_INIT;
	struct list_flags flags = {false, false};
	enum parse_result parsed = parse_line(&syntax, argc, argv, &flags, &line, err);
	struct driver_container **containers = NULL;
	size_t count = 0;
	int result = 0;

	if (parsed != PARSE_OK)
		return parse_exit(parsed);
	if (driver_list(driver, &containers, &count, err) < 0)
		return -1;
	if (flags.quiet) {
		for (size_t i = 0; i < count; i++)
			puts(containers[i]->id);
	} else if (flags.json) {
		result = print_json(containers, count, err);
	} else {
		result = print_table(containers, count, err);
	}
	driver_list_free(containers, count);
	return result;
}
