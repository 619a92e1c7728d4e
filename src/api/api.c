/* SPDX-License-Identifier: Apache-2.0 */
/* The state root, and the OCI verbs. */
#include "api/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/internal.h"

PUBLIC void runlxc_error_clear(struct runlxc_error *err)
{
	error_clear((struct error *)err);
}

static void pass_on(void *data, enum log_level level, const char *message)
{
	const struct runlxc *driver = data;

	/* The levels are the same, in the same order. */
	driver->write(driver->data, (enum runlxc_log_level)level, message);
}

PUBLIC struct runlxc *runlxc_open(const char *root, struct runlxc_error *err)
{
	struct runlxc *driver = calloc(1, sizeof(*driver));
	int fd;

	if (driver)
		driver->root = strdup(root ? root : "/run/runlxc");
	if (!driver || !driver->root) {
		runlxc_close(driver);
		(void)CALL(error_errno(e, ENOMEM, "Failed to open a driver"));
		return NULL;
	}
	driver->driver.root = driver->root;
	driver->driver.log = &driver->log;
	fd = CALL(state_root_open(driver->root, true, e));
	if (fd < 0 || CALL(lxc_library_check(e)) < 0) {
		fd_close(fd);
		runlxc_close(driver);
		return NULL;
	}
	fd_close(fd);
	snprintf(driver->name, sizeof(driver->name), "lxc-%s", driver_lxc_version());
	return driver;
}

PUBLIC void runlxc_close(struct runlxc *driver)
{
	if (!driver)
		return;
	free(driver->root);
	free(driver);
}

PUBLIC void runlxc_set_log(struct runlxc *driver, enum runlxc_log_level level,
			   void (*write)(void *data, enum runlxc_log_level level,
					 const char *message),
			   void *data)
{
	driver->write = write;
	driver->data = data;
	driver->log.level = (enum log_level)level;
	driver->log.data = driver;
	driver->log.write = write ? pass_on : NULL;
	driver->driver.debug = write && level >= RUNLXC_LOG_DEBUG;
}

PUBLIC const char *runlxc_name(const struct runlxc *driver)
{
	return driver->name;
}

struct driver_create_options api_create_options(const struct runlxc_create_options *options)
{
	static const struct runlxc_create_options none;

	if (!options)
		options = &none;
	return (struct driver_create_options){
	    .bundle = options->bundle,
	    .config_text = options->config,
	    .console_socket = options->console_socket,
	    .pid_file = options->pid_file,
	    .pidfd_socket = options->pidfd_socket,
	    .preserve_fds = options->preserve_fds,
	    .no_new_keyring = options->no_new_keyring != 0,
	    .lxc_monitor = options->lxc_monitor != 0,
	};
}

PUBLIC int runlxc_create(struct runlxc *driver, const char *id,
			 const struct runlxc_create_options *options, struct runlxc_error *err)
{
	const struct driver_create_options create = api_create_options(options);

	return CALL(driver_create(&driver->driver, id, &create, e));
}

PUBLIC int runlxc_start(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_start(&driver->driver, id, e));
}

PUBLIC int runlxc_kill(struct runlxc *driver, const char *id, int sig, int all,
		       struct runlxc_error *err)
{
	return CALL(driver_kill(&driver->driver, id, sig, all != 0, e));
}

PUBLIC int runlxc_delete(struct runlxc *driver, const char *id, int force, struct runlxc_error *err)
{
	return CALL(driver_delete(&driver->driver, id, force != 0, e));
}

PUBLIC int runlxc_pause(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_pause(&driver->driver, id, e));
}

PUBLIC int runlxc_unpause(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return runlxc_resume(driver, id, err);
}

PUBLIC int runlxc_terminate(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_kill(&driver->driver, id, SIGKILL, true, e));
}

PUBLIC int runlxc_clean(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_clean(&driver->driver, id, e));
}

PUBLIC int runlxc_info(struct runlxc *driver, const char *id, struct runlxc_info *info,
		       struct runlxc_error *err)
{
	struct driver_info found;

	*info = (struct runlxc_info){0};
	if (CALL(driver_info(&driver->driver, id, &found, e)) < 0)
		return -1;
	info->running = found.status == DRIVER_RUNNING || found.status == DRIVER_PAUSED;
	info->paused = found.status == DRIVER_PAUSED;
	info->pid = found.pid;
	info->oom_kills = found.oom_kills;
	return 0;
}

PUBLIC int runlxc_resume(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_resume(&driver->driver, id, e));
}

PUBLIC int runlxc_update(struct runlxc *driver, const char *id, const char *resources,
			 struct runlxc_error *err)
{
	const struct driver_update_options options = {.resources = resources};

	return CALL(driver_update(&driver->driver, id, &options, e));
}

PUBLIC char *runlxc_state(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	struct driver_container *container = CALL(driver_state(&driver->driver, id, e));
	char *text = container ? CALL(driver_state_json(container, e)) : NULL;

	driver_container_free(container);
	return text;
}

PUBLIC char **runlxc_list(struct runlxc *driver, struct runlxc_error *err)
{
	struct driver_container **containers = NULL;
	size_t count = 0, bytes, i;
	char **list, *text;

	if (CALL(driver_list(&driver->driver, &containers, &count, e)) < 0)
		return NULL;
	bytes = (count + 1) * sizeof(*list);
	for (i = 0; i < count; i++)
		bytes += strlen(containers[i]->id) + 1;
	list = malloc(bytes);
	if (list) {
		text = (char *)(list + count + 1);
		for (i = 0; i < count; i++) {
			list[i] = text;
			text = stpcpy(text, containers[i]->id) + 1;
		}
		list[count] = NULL;
	} else {
		(void)CALL(error_errno(e, ENOMEM, "Failed to list the containers"));
	}
	driver_list_free(containers, count);
	return list;
}

PUBLIC int runlxc_pids(struct runlxc *driver, const char *id, pid_t **pids, size_t *count,
		       struct runlxc_error *err)
{
	return CALL(driver_pids(&driver->driver, id, pids, count, e));
}

PUBLIC int runlxc_wait(struct runlxc *driver, const char *id, struct runlxc_exit *how,
		       struct runlxc_error *err)
{
	struct driver_exit ended;

	if (CALL(driver_wait(&driver->driver, id, &ended, e)) < 0)
		return -1;
	*how = (struct runlxc_exit){ended.status, ended.signal, ended.oom_killed};
	return 0;
}

PUBLIC char *runlxc_config(struct runlxc *driver, const char *id, struct runlxc_error *err)
{
	return CALL(driver_config(&driver->driver, id, e));
}

PUBLIC char *runlxc_features(struct runlxc_error *err)
{
	return CALL(driver_features(e));
}
