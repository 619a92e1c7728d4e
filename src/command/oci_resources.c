/* SPDX-License-Identifier: Apache-2.0 */
/* `linux.resources` of the config.json for a Command. */
#include "command/internal.h"

#include "base/cleanup.h"

/* ---- devices ---- */

static void append_rule(struct document *document, struct json_object *array, bool allow,
			const struct runlxc_command_device *device)
{
	struct json_object *rule = document_append(document, array, json_object_new_object());
	const char type[] = {(char)device->type, '\0'};

	document_put_bool(document, rule, "allow", allow);
	document_put_text(document, rule, "type", type);
	if (device->major >= 0)
		document_put_number(document, rule, "major", device->major);
	if (device->minor >= 0)
		document_put_number(document, rule, "minor", device->minor);
	document_put_text(document, rule, "access",
			  given(device->permissions) ? device->permissions : "rwm");
}

/* Nothing, then what every container may use (any node may be made: using it is another matter),
 * then what the Command allows. */
static void put_rules(struct document *document, struct json_object *resources)
{
	static const struct runlxc_command_device everything = {
	    .type = 'a', .major = -1, .minor = -1};
	static const struct runlxc_command_device usual[] = {
	    {.type = 'c', .major = -1, .minor = -1, .permissions = "m"},
	    {.type = 'b', .major = -1, .minor = -1, .permissions = "m"},
	    {.type = 'c', .major = 1, .minor = 3},    /* null */
	    {.type = 'c', .major = 1, .minor = 5},    /* zero */
	    {.type = 'c', .major = 1, .minor = 7},    /* full */
	    {.type = 'c', .major = 1, .minor = 8},    /* random */
	    {.type = 'c', .major = 1, .minor = 9},    /* urandom */
	    {.type = 'c', .major = 5, .minor = 0},    /* tty */
	    {.type = 'c', .major = 5, .minor = 1},    /* console */
	    {.type = 'c', .major = 5, .minor = 2},    /* ptmx */
	    {.type = 'c', .major = 136, .minor = -1}, /* pts */
	};
	const struct runlxc_command *command = document->command;
	struct json_object *array =
	    document_put(document, resources, "devices", json_object_new_array());

	append_rule(document, array, command->process_config.privileged, &everything);
	if (command->process_config.privileged)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		append_rule(document, array, true, &usual[i]);
	for (size_t i = 0; i < command->allowed_devices_count; i++)
		append_rule(document, array, true, &command->allowed_devices[i]);
	for (size_t i = 0; i < command->autocreated_devices_count; i++)
		append_rule(document, array, true, &command->autocreated_devices[i]);
}

/* ---- limits ---- */

/* Twice the memory, unless that can't be counted or would be more than there is a number for. */
static int64_t swap_limit(const struct document *document)
{
	const struct runlxc_command_resources *resources = &document->command->resources;
	int64_t twice;

	if (resources->memory_swap || !resources->memory)
		return resources->memory_swap;
	if (document->context->no_swap_limit ||
	    __builtin_mul_overflow(resources->memory, 2, &twice))
		return 0;
	return twice;
}

static void put_nonzero(struct document *document, struct json_object *parent, const char *key,
			int64_t number)
{
	if (number)
		document_put_number(document, parent, key, number);
}

static void put_memory(struct document *document, struct json_object *resources)
{
	const struct runlxc_command_resources *asked = &document->command->resources;
	struct json_object *memory =
	    document_put(document, resources, "memory", json_object_new_object());
	int64_t reservation = asked->memory_reservation;

	if (!reservation && document->context->soft_limit)
		reservation = asked->memory;
	put_nonzero(document, memory, "limit", asked->memory);
	put_nonzero(document, memory, "reservation", reservation);
	put_nonzero(document, memory, "swap", swap_limit(document));
	if (asked->memory_swappiness_set)
		document_put_number(document, memory, "swappiness", asked->memory_swappiness);
	if (asked->oom_kill_disable)
		document_put_bool(document, memory, "disableOOMKiller", true);
}

static void put_cpu(struct document *document, struct json_object *resources)
{
	const struct runlxc_command_resources *asked = &document->command->resources;
	struct json_object *cpu =
	    document_put(document, resources, "cpu", json_object_new_object());

	put_nonzero(document, cpu, "shares", asked->cpu_shares);
	put_nonzero(document, cpu, "period", asked->cpu_period);
	put_nonzero(document, cpu, "quota", asked->cpu_quota);
	if (given(asked->cpuset_cpus))
		document_put_text(document, cpu, "cpus", asked->cpuset_cpus);
	if (given(asked->cpuset_mems))
		document_put_text(document, cpu, "mems", asked->cpuset_mems);
}

void command_put_resources(struct document *document, struct json_object *linux_)
{
	struct json_object *resources =
	    document_put(document, linux_, "resources", json_object_new_object());
	int64_t weight = document->command->resources.blkio_weight;

	put_rules(document, resources);
	put_memory(document, resources);
	put_cpu(document, resources);
	if (weight)
		document_put_number(
		    document,
		    document_put(document, resources, "blockIO", json_object_new_object()),
		    "weight", weight);
}
