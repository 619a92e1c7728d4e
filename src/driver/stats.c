/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/cleanup.h"
#include "cgroup/stats.h"
#include "driver/internal.h"
#include "driver/stats_internal.h"

struct driver_stats_reader {
	char *id;
	int pidfd;
	int process; /* /proc/PID of the first process; -1 where the network isn't its own */
	struct cgroup_stats_reader *cgroup;
};

static void cleanup_reader(struct driver_stats_reader **reader)
{
	driver_stats_close(*reader);
}

static void cleanup_layout(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}

/* ---- opening ---- */

static bool has_own_network(int process)
{
	char own[64], theirs[64];
	ssize_t own_length = readlink("/proc/self/ns/net", own, sizeof(own));
	ssize_t length = readlinkat(process, "ns/net", theirs, sizeof(theirs));

	return own_length > 0 && length > 0 &&
	       (length != own_length || memcmp(own, theirs, (size_t)length) != 0);
}

static int open_process(struct driver_stats_reader *reader, const struct state *state,
			struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)state->pid);
	reader->process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Checks, after the directory was opened, that the process is the container's. */
	reader->pidfd = container_pidfd(state, err);
	if (reader->pidfd < 0) {
		if (err->errnum == ESRCH) {
			error_set(err, "container with id %s is not running", state->id);
			err->errnum = ESRCH;
		}
		return -1;
	}
	if (reader->process >= 0 && !has_own_network(reader->process)) {
		fd_close(reader->process);
		reader->process = -1;
	}
	return 0;
}

struct driver_stats_reader *driver_stats_open(const struct driver *driver, const char *id,
					      struct error *err)
{
	cleanup_with(cleanup_reader) struct driver_stats_reader *reader = NULL;
	cleanup_with(cleanup_layout) struct cgroup_layout *layout = NULL;
	cleanup_container struct container container = CONTAINER_INIT;

	if (container_open(driver, id, false, &container, err) < 0)
		return NULL;
	reader = calloc(1, sizeof(*reader));
	if (reader) {
		reader->pidfd = reader->process = -1;
		reader->id = strdup(id);
	}
	if (!reader || !reader->id) {
		error_errno(err, ENOMEM, "can't read the statistics of \"%s\"", id);
		return NULL;
	}
	if (open_process(reader, container.state, err) < 0)
		return NULL;
	if (!container_cgroup(&container, err))
		return NULL;
	layout = cgroup_detect(err);
	if (!layout)
		return NULL;
	reader->cgroup = cgroup_stats_open(layout, container.state->cgroup_path, err);
	return reader->cgroup ? PTR_TAKE(reader) : NULL;
}

void driver_stats_close(struct driver_stats_reader *reader)
{
	if (!reader)
		return;
	cgroup_stats_close(reader->cgroup);
	fd_close(reader->process);
	fd_close(reader->pidfd);
	free(reader->id);
	free(reader);
}

int driver_stats_fd(const struct driver_stats_reader *reader)
{
	return reader->pidfd;
}

/* ---- reading ---- */

static uint64_t machine_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static uint64_t memory_limit(const struct cgroup_stats *stats)
{
	uint64_t limit = stats->memory.usage.limit, machine = machine_memory();

	return limit > 0 && limit < machine ? limit : machine;
}

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sum_block_io(const struct cgroup_block_io_table *table, struct driver_stats *numbers)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct cgroup_block_io_entry *entry = &table->entries[i];

		if (strcmp(entry->operation, "Read") == 0)
			numbers->block_read += entry->value;
		else if (strcmp(entry->operation, "Write") == 0)
			numbers->block_written += entry->value;
	}
}

static void summarize(const struct cgroup_stats *stats, const struct stats_network *network,
		      struct driver_stats *numbers)
{
	const struct cgroup_memory_stats *memory = &stats->memory;
	/* Counted apart from usage, so it may be ahead of it for a moment. */
	uint64_t inactive = memory->inactive_file < memory->usage.usage ? memory->inactive_file : 0;

	*numbers = (struct driver_stats){
	    .time = monotonic(),
	    .cpu = stats->cpu.total,
	    .memory = memory->usage.usage - inactive,
	    .memory_limit = memory_limit(stats),
	    .oom_kills = memory->oom_kills,
	    .pids = stats->pids.current,
	    .pids_limit = stats->pids.limit,
	};
	sum_block_io(&stats->block_io.tables[CGROUP_IO_SERVICE_BYTES], numbers);
	for (size_t i = 0; i < network->count; i++) {
		numbers->network_received += network->interfaces[i].received.bytes;
		numbers->network_sent += network->interfaces[i].sent.bytes;
	}
}

static bool has_ended(const struct driver_stats_reader *reader)
{
	struct pollfd ended = {.fd = reader->pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) > 0;
}

static int read_all(struct driver_stats_reader *reader, struct cgroup_stats *stats,
		    struct stats_network *network, struct error *err)
{
	if (cgroup_stats_read(reader->cgroup, stats, err) < 0)
		return -1;
	if (reader->process >= 0 && stats_network_read(reader->process, network, err) < 0)
		return error_prefix(err, "container \"%s\"", reader->id);
	return 0;
}

int driver_stats_read(struct driver_stats_reader *reader, char **json, struct driver_stats *numbers,
		      struct error *err)
{
	cleanup_with(cgroup_stats_free) struct cgroup_stats stats = {.arena = ARENA_INIT};
	struct stats_network network = {NULL, 0};
	int result = -1;

	if (json)
		*json = NULL;
	if (has_ended(reader)) {
		error_set(err, "container with id %s is not running", reader->id);
		err->errnum = ENODEV;
		return -1;
	}
	if (read_all(reader, &stats, &network, err) < 0)
		goto out;
	if (numbers)
		summarize(&stats, &network, numbers);
	if (json) {
		*json = stats_json(reader->id, &stats, &network, memory_limit(&stats), err);
		if (!*json)
			goto out;
	}
	result = 0;
out:
	free(network.interfaces);
	return result;
}

int driver_stats(const struct driver *driver, const char *id, char **json,
		 struct driver_stats *numbers, struct error *err)
{
	cleanup_with(cleanup_reader) struct driver_stats_reader *reader =
	    driver_stats_open(driver, id, err);

	return reader ? driver_stats_read(reader, json, numbers, err) : -1;
}
