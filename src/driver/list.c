/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every container below the root. Of each five files are asked for, by a dozen system calls, nearly
 * all of it in the kernel: where there are many, a few threads share them.
 */
#include "driver/internal.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/thread.h"

enum {
	THREADS_MAX = 4,
	WORTH_A_THREAD = 64, /* containers; starting one takes as long as a few of them */
};

struct list {
	int root;
	const struct cgroup_layout *layout;
	char **ids;
	size_t count;
	struct driver_container **containers; /* one for each id; NULL: gone in the meantime */
	size_t next;			      /* whose turn it is */
};

struct lister {
	struct list *list;
	pthread_t thread;
	struct error err;
};

/* NULL: an error, or with errnum ENOENT it isn't there any more. */
static struct driver_container *describe(const struct list *list, const char *id, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct driver_container *result;

	container.state = state_peek(list->root, id);
	if (!container.state || !container.state->pid) {
		state_free(PTR_TAKE(container.state));
		return container_read(&container, list->root, id, false, err) < 0
			   ? NULL
			   : container_describe(&container, list->layout, err);
	}
	container.root = list->root;
	result = container_describe(&container, list->layout, err);
	container.root = -1; /* the list's */
	return result;
}

static void *run(void *data)
{
	struct lister *lister = data;
	struct list *list = lister->list;
	size_t number;

	while ((number = __atomic_fetch_add(&list->next, 1, __ATOMIC_RELAXED)) < list->count) {
		list->containers[number] = describe(list, list->ids[number], &lister->err);
		if (list->containers[number])
			continue;
		/* Deleted since its name was read. */
		if (lister->err.errnum == ENOENT)
			error_clear(&lister->err);
		else
			break;
	}
	return NULL;
}

/* How many at a time, this thread included. */
static size_t threads_for(size_t count)
{
	size_t threads = count / WORTH_A_THREAD;
	cpu_set_t cpus;
	size_t usable = 1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		usable = (size_t)CPU_COUNT(&cpus);
	if (threads > usable)
		threads = usable;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	return threads ? threads : 1;
}

static int describe_all(struct list *list, struct error *err)
{
	struct lister listers[THREADS_MAX];
	size_t threads = threads_for(list->count), started = 1, i;
	int result = 0;

	for (i = 0; i < threads; i++)
		listers[i] = (struct lister){.list = list, .err = ERROR_INIT};
	while (started < threads &&
	       thread_create(&listers[started].thread, run, &listers[started]) == 0)
		started++;
	run(&listers[0]);
	for (i = 0; i < started; i++) {
		if (i > 0)
			pthread_join(listers[i].thread, NULL);
		if (listers[i].err.message && result == 0) {
			*err = listers[i].err;
			result = -1;
		} else {
			error_clear(&listers[i].err);
		}
	}
	return result;
}

/* Puts those that are there first, in their order. */
static size_t drop_gone(struct list *list)
{
	size_t kept = 0, i;

	for (i = 0; i < list->count; i++)
		if (list->containers[i])
			list->containers[kept++] = list->containers[i];
	return kept;
}

int driver_list(const struct driver *driver, struct driver_container ***containers, size_t *count,
		struct error *err)
{
	cleanup_close int root = state_root_open(driver->root, false, err);
	struct cgroup_layout *layout = NULL;
	struct list list = {.root = root};
	int result = -1;

	*containers = NULL;
	*count = 0;
	if (root < 0) {
		if (err->errnum != ENOENT)
			return -1;
		error_clear(err);
		return 0;
	}
	layout = cgroup_detect(err);
	if (!layout || state_ids(root, &list.ids, &list.count, err) < 0)
		goto out;
	cgroup_hold_freezer(layout);
	list.layout = layout;
	list.containers = calloc(list.count + 1, sizeof(struct driver_container *));
	if (!list.containers) {
		error_errno(err, ENOMEM, "Failed to list the containers");
		goto out;
	}
	result = describe_all(&list, err);
	*count = drop_gone(&list);
	*containers = list.containers;
	if (result < 0) {
		driver_list_free(*containers, *count);
		*containers = NULL;
		*count = 0;
	}
out:
	state_ids_free(list.ids);
	cgroup_layout_free(layout);
	return result;
}

void driver_list_free(struct driver_container **containers, size_t count)
{
	size_t i;

	for (i = 0; containers && i < count; i++)
		driver_container_free(containers[i]);
	free(containers);
}
