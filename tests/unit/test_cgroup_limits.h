/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of limits share: hosts of any kind, whose hierarchies are directories of our own
 * with the files that a kernel has there.
 */
#ifndef RUNLXC_TEST_CGROUP_LIMITS_H
#define RUNLXC_TEST_CGROUP_LIMITS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cgroup/cgroup.h"

/* ---- a host ---- */

#define HIERARCHIES_MAX 8

struct host {
	char base[64];
	struct cgroup_layout layout;
	struct cgroup_hierarchy hierarchies[HIERARCHIES_MAX];
	char *controllers[HIERARCHIES_MAX][8];
};

/* The kernel's files in v1's root cgroups (of this machine, but without BFQ), and in v2's cgroups.
 */
static const char cpu_files[] = "cpu.shares cpu.cfs_period_us cpu.cfs_quota_us cpu.cfs_burst_us "
				"cpu.rt_period_us cpu.rt_runtime_us cpu.idle";
static const char memory_files[] = "memory.limit_in_bytes memory.memsw.limit_in_bytes "
				   "memory.soft_limit_in_bytes memory.kmem.tcp.limit_in_bytes "
				   "memory.swappiness memory.oom_control";
static const char blkio_files[] = "blkio.throttle.read_bps_device blkio.weight blkio.leaf_weight "
				  "blkio.weight_device blkio.leaf_weight_device";
static const char unified_files[] = "cpu.max cpu.weight cpu.max.burst cpu.idle memory.max "
				    "memory.swap.max memory.low io.max io.weight pids.max";

static inline void add_files(const struct host *host, const char *dir, const char *files)
{
	cleanup_free char *list = strdup(files);
	char path[256], *save = NULL;
	struct error err = ERROR_INIT;

	snprintf(path, sizeof(path), "%s/%s", host->base, dir);
	assert_int_equal(path_make_directories(path, 0755, &err), 0);
	for (char *file = strtok_r(list, " ", &save); file; file = strtok_r(NULL, " ", &save)) {
		snprintf(path, sizeof(path), "%s/%s/%s", host->base, dir, file);
		assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
	}
}

static inline void drop_file(const struct host *host, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", host->base, file);
	assert_int_equal(unlink(path), 0);
}

/* Mounts a hierarchy: its directory is its first controller's name. */
static inline void add_hierarchy(struct host *host, bool unified, const char *controllers,
				 const char *files)
{
	size_t index = host->layout.count++, count = 0;
	struct cgroup_hierarchy *hierarchy = &host->hierarchies[index];
	char *list = strdup(controllers), *save = NULL;
	const char *dir = unified ? "unified" : list;

	for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save))
		host->controllers[index][count++] = strdup(name);
	add_files(host, dir, unified ? "" : files);
	if (unified)
		add_files(host, "unified/system.slice", files);
	*hierarchy = (struct cgroup_hierarchy){
	    .unified = unified,
	    .own = (char *)"/",
	    .label = (char *)"",
	    .controllers = host->controllers[index],
	};
	assert_true(asprintf(&hierarchy->mount, "%s/%s", host->base, dir) > 0);
	free(list);
}

static inline int host_make(void **state)
{
	struct host *host = calloc(1, sizeof(*host));

	strcpy(host->base, "/tmp/runlxc-test-limits-XXXXXX");
	assert_non_null(mkdtemp(host->base));
	host->layout.hierarchies = host->hierarchies;
	*state = host;
	return 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline void drop_hierarchies(struct host *host)
{
	for (size_t i = 0; i < host->layout.count; i++) {
		free(host->hierarchies[i].mount);
		for (size_t k = 0; host->controllers[i][k]; k++) {
			free(host->controllers[i][k]);
			host->controllers[i][k] = NULL;
		}
	}
	host->layout.count = 0;
}

static inline int host_remove(void **state)
{
	struct host *host = *state;

	nftw(host->base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	drop_hierarchies(host);
	free(host);
	return 0;
}

static inline struct host *v1(void **state)
{
	struct host *host = *state;

	host->layout.mode = CGROUP_LEGACY;
	add_hierarchy(host, false, "cpu,cpuacct", cpu_files);
	add_hierarchy(host, false, "cpuset", "cpuset.cpus cpuset.mems");
	add_hierarchy(host, false, "memory", memory_files);
	add_hierarchy(host, false, "devices", "devices.allow devices.deny");
	add_hierarchy(host, false, "blkio", blkio_files);
	add_hierarchy(host, false, "pids", "");
	add_hierarchy(host, false, "hugetlb", "");
	return host;
}

static inline struct host *v2(void **state)
{
	struct host *host = *state;

	host->layout.mode = CGROUP_UNIFIED;
	add_hierarchy(host, true, "cpuset,cpu,io,memory,hugetlb,pids", unified_files);
	return host;
}

/* ---- asserting ---- */

/* One line for each setting: FILE VALUE, "v2" in front where it is the unified tree's. */
static inline void assert_settings(const struct host *host, const struct spec_resources *resources,
				   const char *expected)
{
	struct error err = ERROR_INIT;
	struct cgroup_settings settings;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *stream;

	if (cgroup_settings_from_resources(&host->layout, resources, &settings, &err))
		fail_msg("%s", error_text(&err));
	stream = open_memstream(&text, &size);
	for (size_t i = 0; i < settings.count; i++) {
		const struct cgroup_setting *item = &settings.items[i];
		const struct cgroup_hierarchy *hierarchy =
		    cgroup_find(&host->layout, item->controller);

		assert_non_null(hierarchy);
		assert_int_equal(hierarchy->unified, item->unified);
		fprintf(stream, "%s%s %s\n", item->unified ? "v2 " : "", item->file, item->value);
	}
	fclose(stream);
	assert_string_equal(text, expected);
	cgroup_settings_free(&settings);
}

static inline void assert_refused(const struct host *host, const struct spec_resources *resources,
				  const char *message)
{
	struct error err = ERROR_INIT;
	struct cgroup_settings settings;

	assert_int_equal(cgroup_settings_from_resources(&host->layout, resources, &settings, &err),
			 -1);
	assert_string_equal(err.message, message);
	assert_int_equal(settings.count, 0);
	error_clear(&err);
}

#define I64(n)                                                                                     \
	{                                                                                          \
		true, n                                                                            \
	}
#define U64(n)                                                                                     \
	{                                                                                          \
		true, n                                                                            \
	}
#define MB(n) ((n)*1024LL * 1024)

#define test(name) cmocka_unit_test_setup_teardown(name, host_make, host_remove)

#endif
