/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics as `runc events --stats` prints them: the names and the order of runc's
 * types/events.go, and its rules for what is left out. "Zero is left out" there is add_nonzero()
 * here.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/stats_internal.h"
#include "state/state.h"

/* json-c tells of each call whether memory ran out; here it is asked once, at the end. */
struct builder {
	bool failed;
};

/* `key` must live as long as the document. */
static void add(struct builder *builder, struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!value || !object ||
	    json_object_object_add_ex(object, key, value,
				      JSON_C_OBJECT_ADD_KEY_IS_NEW |
					  JSON_C_OBJECT_KEY_IS_CONSTANT) < 0) {
		json_object_put(value);
		builder->failed = true;
	}
}

static struct json_object *add_object(struct builder *builder, struct json_object *object,
				      const char *key)
{
	struct json_object *value = json_object_new_object();

	add(builder, object, key, value);
	return builder->failed ? NULL : value;
}

static void add_number(struct builder *builder, struct json_object *object, const char *key,
		       uint64_t number)
{
	add(builder, object, key, json_object_new_uint64(number));
}

static void add_nonzero(struct builder *builder, struct json_object *object, const char *key,
			uint64_t number)
{
	if (number)
		add_number(builder, object, key, number);
}

static void append(struct builder *builder, struct json_object *array, struct json_object *value)
{
	if (!value || !array || json_object_array_add(array, value) < 0) {
		json_object_put(value);
		builder->failed = true;
	}
}

static void add_numbers(struct builder *builder, struct json_object *object, const char *key,
			const struct cgroup_numbers *numbers)
{
	struct json_object *array;

	if (numbers->count == 0)
		return;
	array = json_object_new_array_ext((int)numbers->count);
	for (size_t i = 0; i < numbers->count; i++)
		append(builder, array, json_object_new_uint64(numbers->items[i]));
	add(builder, object, key, array);
}

/* ---- pressure ---- */

/* The kernel tells two digits behind the point. */
static void add_percentage(struct builder *builder, struct json_object *object, const char *key,
			   double percentage)
{
	uint64_t hundredths = (uint64_t)(percentage * 100 + 0.5);
	char text[32];

	/* Whatever the locale's decimal point is. */
	snprintf(text, sizeof(text), "%llu.%02llu", (unsigned long long)hundredths / 100,
		 (unsigned long long)hundredths % 100);
	add(builder, object, key, json_object_new_double_s(percentage, text));
}

static void add_pressure_line(struct builder *builder, struct json_object *object, const char *key,
			      const struct cgroup_pressure_line *line)
{
	struct json_object *value = add_object(builder, object, key);

	add_percentage(builder, value, "avg10", line->avg10);
	add_percentage(builder, value, "avg60", line->avg60);
	add_percentage(builder, value, "avg300", line->avg300);
	add_number(builder, value, "total", line->total);
}

static void add_pressure(struct builder *builder, struct json_object *object,
			 const struct cgroup_pressure *pressure)
{
	struct json_object *value;

	if (!pressure->present)
		return;
	value = add_object(builder, object, "psi");
	add_pressure_line(builder, value, "some", &pressure->some);
	add_pressure_line(builder, value, "full", &pressure->full);
}

/* ---- the controllers ---- */

static void add_cpu(struct builder *builder, struct json_object *data,
		    const struct cgroup_cpu_stats *stats)
{
	struct json_object *cpu = add_object(builder, data, "cpu");
	struct json_object *usage = add_object(builder, cpu, "usage");
	struct json_object *throttling = add_object(builder, cpu, "throttling");

	add_nonzero(builder, usage, "total", stats->total);
	add_numbers(builder, usage, "percpu", &stats->per_cpu);
	add_numbers(builder, usage, "percpu_kernel", &stats->per_cpu_kernel);
	add_numbers(builder, usage, "percpu_user", &stats->per_cpu_user);
	add_number(builder, usage, "kernel", stats->kernel);
	add_number(builder, usage, "user", stats->user);
	add_nonzero(builder, throttling, "periods", stats->periods);
	add_nonzero(builder, throttling, "throttledPeriods", stats->throttled_periods);
	add_nonzero(builder, throttling, "throttledTime", stats->throttled_time);
	add_pressure(builder, cpu, &stats->pressure);
}

static void add_cpuset(struct builder *builder, struct json_object *data,
		       const struct cgroup_cpuset_stats *stats)
{
	struct json_object *cpuset = add_object(builder, data, "cpuset");

	add_numbers(builder, cpuset, "cpus", &stats->cpus);
	add_number(builder, cpuset, "cpu_exclusive", stats->cpu_exclusive);
	add_numbers(builder, cpuset, "mems", &stats->mems);
	add_number(builder, cpuset, "mem_hardwall", stats->mem_hardwall);
	add_number(builder, cpuset, "mem_exclusive", stats->mem_exclusive);
	add_number(builder, cpuset, "memory_migrate", stats->memory_migrate);
	add_number(builder, cpuset, "memory_spread_page", stats->memory_spread_page);
	add_number(builder, cpuset, "memory_spread_slab", stats->memory_spread_slab);
	add_number(builder, cpuset, "memory_pressure", stats->memory_pressure);
	add_number(builder, cpuset, "sched_load_balance", stats->sched_load_balance);
	add(builder, cpuset, "sched_relax_domain_level",
	    json_object_new_int64(stats->sched_relax_domain_level));
}

static void add_memory_counter(struct builder *builder, struct json_object *memory, const char *key,
			       const struct cgroup_memory_counter *counter)
{
	struct json_object *object = add_object(builder, memory, key);

	add_number(builder, object, "limit", counter->limit);
	add_nonzero(builder, object, "usage", counter->usage);
	add_nonzero(builder, object, "max", counter->max_usage);
	add_number(builder, object, "failcnt", counter->failures);
}

static void add_memory(struct builder *builder, struct json_object *data,
		       const struct cgroup_memory_stats *stats)
{
	struct json_object *memory = add_object(builder, data, "memory"), *raw;

	add_nonzero(builder, memory, "cache", stats->cache);
	add_memory_counter(builder, memory, "usage", &stats->usage);
	add_memory_counter(builder, memory, "swap", &stats->swap);
	add_memory_counter(builder, memory, "kernel", &stats->kernel);
	add_memory_counter(builder, memory, "kernelTCP", &stats->kernel_tcp);
	if (stats->raw_count > 0) {
		raw = add_object(builder, memory, "raw");
		for (size_t i = 0; i < stats->raw_count; i++)
			add_number(builder, raw, stats->raw[i].name, stats->raw[i].value);
	}
	add_pressure(builder, memory, &stats->pressure);
}

static void add_pids(struct builder *builder, struct json_object *data,
		     const struct cgroup_pids_stats *stats)
{
	struct json_object *pids = add_object(builder, data, "pids");

	add_nonzero(builder, pids, "current", stats->current);
	add_nonzero(builder, pids, "limit", stats->limit);
}

static void add_block_io_table(struct builder *builder, struct json_object *blkio, const char *key,
			       const struct cgroup_block_io_table *table)
{
	struct json_object *array;

	if (table->count == 0)
		return;
	array = json_object_new_array_ext((int)table->count);
	add(builder, blkio, key, array);
	if (builder->failed)
		return;
	for (size_t i = 0; i < table->count; i++) {
		const struct cgroup_block_io_entry *entry = &table->entries[i];
		struct json_object *object = json_object_new_object();

		append(builder, array, object);
		if (builder->failed)
			return;
		add_nonzero(builder, object, "major", entry->major);
		add_nonzero(builder, object, "minor", entry->minor);
		if (*entry->operation)
			add(builder, object, "op", json_object_new_string(entry->operation));
		add_nonzero(builder, object, "value", entry->value);
	}
}

static void add_block_io(struct builder *builder, struct json_object *data,
			 const struct cgroup_block_io_stats *stats)
{
	static const char *const keys[CGROUP_IO_KINDS] = {
	    [CGROUP_IO_SERVICE_BYTES] = "ioServiceBytesRecursive",
	    [CGROUP_IO_SERVICED] = "ioServicedRecursive",
	    [CGROUP_IO_QUEUED] = "ioQueueRecursive",
	    [CGROUP_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
	    [CGROUP_IO_WAIT_TIME] = "ioWaitTimeRecursive",
	    [CGROUP_IO_MERGED] = "ioMergedRecursive",
	    [CGROUP_IO_TIME] = "ioTimeRecursive",
	    [CGROUP_IO_SECTORS] = "sectorsRecursive",
	};
	struct json_object *blkio = add_object(builder, data, "blkio");

	for (size_t kind = 0; kind < CGROUP_IO_KINDS; kind++)
		add_block_io_table(builder, blkio, keys[kind], &stats->tables[kind]);
	add_pressure(builder, blkio, &stats->pressure);
}

static void add_hugetlb(struct builder *builder, struct json_object *data,
			const struct cgroup_stats *stats)
{
	struct json_object *hugetlb = add_object(builder, data, "hugetlb");

	for (size_t i = 0; i < stats->hugetlb_count; i++) {
		const struct cgroup_hugetlb_stats *entry = &stats->hugetlb[i];
		struct json_object *object = add_object(builder, hugetlb, entry->page_size);

		add_nonzero(builder, object, "usage", entry->usage);
		add_nonzero(builder, object, "max", entry->max_usage);
		add_number(builder, object, "failcnt", entry->failures);
	}
}

/* ---- network ---- */

static void add_interfaces(struct builder *builder, struct json_object *data,
			   const struct stats_network *network)
{
	struct json_object *array;

	/* Go encodes a list without elements as null. */
	if (network->count == 0) {
		if (json_object_object_add(data, "network_interfaces", NULL) < 0)
			builder->failed = true;
		return;
	}
	array = json_object_new_array_ext((int)network->count);
	add(builder, data, "network_interfaces", array);
	if (builder->failed)
		return;
	for (size_t i = 0; i < network->count; i++) {
		const struct stats_interface *interface = &network->interfaces[i];
		struct json_object *object = json_object_new_object();

		append(builder, array, object);
		if (builder->failed)
			return;
		add(builder, object, "Name", json_object_new_string(interface->name));
		add_number(builder, object, "RxBytes", interface->received.bytes);
		add_number(builder, object, "RxPackets", interface->received.packets);
		add_number(builder, object, "RxErrors", interface->received.errors);
		add_number(builder, object, "RxDropped", interface->received.dropped);
		add_number(builder, object, "TxBytes", interface->sent.bytes);
		add_number(builder, object, "TxPackets", interface->sent.packets);
		add_number(builder, object, "TxErrors", interface->sent.errors);
		add_number(builder, object, "TxDropped", interface->sent.dropped);
	}
}

/* ---- the whole ---- */

static void add_data(struct builder *builder, struct json_object *event,
		     const struct cgroup_stats *stats, const struct stats_network *network,
		     uint64_t memory_limit)
{
	struct json_object *data = add_object(builder, event, "data");
	cleanup_free char *now = state_timestamp();

	if (!data || !now) {
		builder->failed = true;
		return;
	}
	add_cpu(builder, data, &stats->cpu);
	add_cpuset(builder, data, &stats->cpuset);
	add_memory(builder, data, &stats->memory);
	add_pids(builder, data, &stats->pids);
	add_block_io(builder, data, &stats->block_io);
	add_hugetlb(builder, data, stats);
	add_object(builder, data, "intel_rdt");
	add_interfaces(builder, data, network);
	/* Ours. */
	add(builder, data, "read", json_object_new_string(now));
	add_number(builder, data, "memory_limit", memory_limit);
}

char *stats_json(const char *id, const struct cgroup_stats *stats,
		 const struct stats_network *network, uint64_t memory_limit, struct error *err)
{
	struct json_object *event = json_object_new_object();
	struct builder builder = {.failed = !event};
	char *text = NULL;

	if (event) {
		add(&builder, event, "type", json_object_new_string("stats"));
		add(&builder, event, "id", json_object_new_string(id));
		add_data(&builder, event, stats, network, memory_limit);
	}
	if (!builder.failed) {
		const char *printed = json_object_to_json_string_ext(
		    event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

		text = printed ? strdup(printed) : NULL;
	}
	json_object_put(event);
	if (!text)
		error_set(err, "out of memory");
	return text;
}
