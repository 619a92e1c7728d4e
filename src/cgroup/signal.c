/* SPDX-License-Identifier: Apache-2.0 */
/* A signal to everybody in a container, without hitting anybody else. */
#include "cgroup/cgroup.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* So many processes are looked at together: each holds a descriptor meanwhile. */
#define BATCH 128
/* A process may fork while its siblings are being told; its child then is in the next round. */
#define ROUNDS 64

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static bool has_pid(const pid_t *pids, size_t count, pid_t pid)
{
	return count > 0 && bsearch(&pid, pids, count, sizeof(*pids), compare);
}

/*
 * Signals those of `batch` that are in the cgroup. A pid that was read from a file may belong to
 * another process by now. So: take a handle of whoever has that pid, then read the list again. If
 * the pid is still there, either the handle is that process's, or that of one which is dead
 * already; and a signal to a dead one is lost. 0 or -1 with *err.
 */
static int signal_batch(const struct cgroup_layout *layout, const char *path, int sig,
			const pid_t *batch, size_t count, struct error *err)
{
	cleanup_free pid_t *now = NULL;
	int handles[BATCH], result = 0;
	size_t now_count = 0;

	for (size_t i = 0; i < count; i++) {
		handles[i] = (int)syscall(SYS_pidfd_open, batch[i], 0);
		/* Dead, or now the number of a thread (EINVAL, ENOENT) of somebody else. */
		if (handles[i] < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT)
			result = error_errno(err, errno, "can't signal process %d of cgroup %s",
					     batch[i], path);
	}
	if (result == 0)
		result = cgroup_pids(layout, path, &now, &now_count, err);
	for (size_t i = 0; i < count; i++) {
		if (result == 0 && handles[i] >= 0 && has_pid(now, now_count, batch[i]) &&
		    syscall(SYS_pidfd_send_signal, handles[i], sig, NULL, 0) && errno != ESRCH)
			result = error_errno(err, errno, "can't signal process %d of cgroup %s",
					     batch[i], path);
		fd_close(handles[i]);
	}
	return result;
}

/* Signals everybody once, and again whoever came meanwhile. 1: somebody still came at the end. */
static int signal_rounds(const struct cgroup_layout *layout, const char *path, int sig,
			 struct error *err)
{
	cleanup_free pid_t *told = NULL;
	size_t told_count = 0;

	for (int round = 0; round < ROUNDS; round++) {
		cleanup_free pid_t *pids = NULL;
		pid_t batch[BATCH];
		size_t count, batched = 0;
		bool anybody = false;

		if (cgroup_pids(layout, path, &pids, &count, err))
			return -1;
		for (size_t i = 0; i < count; i++) {
			if (!has_pid(told, told_count, pids[i])) {
				batch[batched++] = pids[i];
				anybody = true;
			}
			if (batched == BATCH || (batched > 0 && i + 1 == count)) {
				if (signal_batch(layout, path, sig, batch, batched, err))
					return -1;
				batched = 0;
			}
		}
		if (!anybody)
			return 0;
		/* All that are listed have got it; whoever is gone from the list needs no place. */
		free(told);
		told = PTR_TAKE(pids);
		told_count = count;
	}
	return 1;
}

/* ---- SIGKILL ---- */

static int visit_thaw(int dir, void *data)
{
	(void)data;
	cgroup_write_file(dir, "freezer.state", "THAWED");
	return 0;
}

/* v1's freezer holds back even SIGKILL, and a container may have frozen cgroups of its own. v2's
 * lets it through. */
static void thaw_all_v1(const struct cgroup_layout *layout, const char *path)
{
	static const struct cgroup_walker walker = {.visit = visit_thaw};
	const struct cgroup_hierarchy *freezer = cgroup_find(layout, "freezer");
	cleanup_close int dir = freezer ? cgroup_open(freezer, path) : -1;

	if (dir >= 0)
		cgroup_walk(dir, &walker);
}

/* Linux 5.14: the kernel itself kills everybody, and whoever is being forked. */
static bool kill_at_once(const struct cgroup_layout *layout, const char *path)
{
	cleanup_close int dir = cgroup_open_unified(layout, path);

	return dir >= 0 && cgroup_write_file(dir, "cgroup.kill", "1") == 0;
}

static int kill_all(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	bool killed = kill_at_once(layout, path);
	int result = 0;

	/* Whoever left the v2 tree of a hybrid host still is in the v1 hierarchies. */
	if (killed)
		result = signal_rounds(layout, path, SIGKILL, err);
	if (!killed || result > 0) {
		struct error ignored = ERROR_INIT;

		/* While nobody can fork, one round is enough. A freeze that fails is no reason not
		 * to try; and what does not freeze is in the kernel, where it does not fork either.
		 */
		if (cgroup_freeze(layout, path, &ignored))
			error_clear(&ignored);
		result = signal_rounds(layout, path, SIGKILL, err);
		if (cgroup_thaw(layout, path, &ignored))
			error_clear(&ignored);
	}
	thaw_all_v1(layout, path);
	return result;
}

int cgroup_signal_all(const struct cgroup_layout *layout, const char *path, int sig,
		      struct error *err)
{
	int result =
	    sig == SIGKILL ? kill_all(layout, path, err) : signal_rounds(layout, path, sig, err);

	if (result > 0)
		return error_set(err, "can't signal all of cgroup %s: new processes keep coming",
				 path);
	return result;
}
