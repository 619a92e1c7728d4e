/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container of what `checkpoint` wrote. LXC starts it once as if it were new, so that its
 * cgroups, limits, device rules and mount targets are there and what can't be is told by its
 * field's name; then init goes, and CRIU, in these cgroups, makes the processes and all else that
 * is theirs.
 */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "console/console.h"
#include "hooks/hooks.h"

#define LOG_FILE "restore.log"

#define STREAMS 3

struct restore {
	struct creation *creation;
	const struct driver_restore_options *options;
	struct criu_directories directories;
	struct image image;
	char *yard;
	int namespaces[2]; /* those that CRIU gets by descriptor; -1 */
	int streams[STREAMS];
};

/* ---- what CRIU is told ---- */

static int add_by_descriptor(const struct spec_namespace *ns, enum spec_namespace_type type,
			     int *fd, struct criu_options *criu, struct error *err)
{
	cleanup_close int opened = open(ns->path, O_RDONLY | O_CLOEXEC);

	if (opened < 0)
		return error_errno(err, errno, "linux.namespaces[%zu].path: \"%s\"", ns->index,
				   ns->path);
	*fd = fd_duplicate(opened, 10);
	if (*fd < 0)
		return error_errno(err, errno, "Failed to duplicate a descriptor");
	criu_add_text_number(criu, CRIU_INHERIT_FD, criu_namespace_key(type), *fd);
	return 0;
}

static int add_namespaces(struct restore *restore, struct criu_options *criu, struct error *err)
{
	const struct spec_namespace *list = restore->creation->spec->linux_.namespaces;
	static const struct {
		enum spec_namespace_type type;
		const char *name;
	} joined[] = {{SPEC_NS_IPC, "ipc"}, {SPEC_NS_UTS, "uts"}, {SPEC_NS_USER, "user"}};

	if (list[SPEC_NS_NETWORK].path && add_by_descriptor(&list[SPEC_NS_NETWORK], SPEC_NS_NETWORK,
							    &restore->namespaces[0], criu, err) < 0)
		return -1;
	if (list[SPEC_NS_PID].path && add_by_descriptor(&list[SPEC_NS_PID], SPEC_NS_PID,
							&restore->namespaces[1], criu, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(joined); i++)
		if (list[joined[i].type].path)
			criu_add_pair(criu, CRIU_JOIN_NS, joined[i].name,
				      list[joined[i].type].path);
	return 0;
}

/* The cgroups of the image are the old container's: here they are called so. */
static void add_cgroups(const struct restore *restore, struct criu_options *criu)
{
	const struct cgroup_layout *layout = restore->creation->layout;
	const char *path = restore->creation->container.state->cgroup_path;

	for (size_t i = 0; i < layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &layout->hierarchies[i];

		if (hierarchy->unified)
			criu_add_pair(criu, CRIU_CG_ROOT, "", path);
		for (char **name = hierarchy->unified ? NULL : hierarchy->controllers;
		     name && *name; name++)
			criu_add_pair(criu, CRIU_CG_ROOT, *name, path);
	}
}

static int fill(struct restore *restore, struct criu_options *criu, struct error *err)
{
	const struct driver_criu_options *options = &restore->options->criu;
	const struct creation *creation = restore->creation;

	criu_add_common(criu, options, &restore->directories, creation->spec, LOG_FILE);
	criu_add_text(criu, CRIU_ROOT, creation->rootfs);
	criu_add_number(criu, CRIU_RST_SIBLING, true);
	criu_add_number(criu, CRIU_EVASIVE_DEVICES, true);
	if (options->lsm_profile)
		criu_add_text(criu, CRIU_LSM_PROFILE, options->lsm_profile);
	if (options->lsm_mount_context)
		criu_add_text(criu, CRIU_LSM_MOUNT_CONTEXT, options->lsm_mount_context);
	add_cgroups(restore, criu);
	if (criu_place_add(criu, creation->driver, creation->id, creation->layout, &restore->yard,
			   err) < 0)
		return -1;
	/* Under other numbers: with --shell-job CRIU takes 0 for itself. */
	for (int i = 0; i < STREAMS; i++)
		restore->streams[i] = fd_duplicate(i, CRIU_LOWEST_FD);
	image_add_streams(&restore->image, restore->streams, criu);
	if (add_namespaces(restore, criu, err) < 0)
		return -1;
	return image_add_mounts(&restore->image, creation, criu, err);
}

/* ---- in the child that becomes CRIU ---- */

/*
 * What CRIU makes is made in the container's cgroups, so that no process of it is ever outside. The
 * root has to be a mount point for CRIU: it is made one where nobody sees it.
 */
static int prepare(void *data, struct error *err)
{
	const struct restore *restore = data;
	const struct creation *creation = restore->creation;
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	if (cgroup_join(creation->layout, creation->container.state->cgroup_path, 0, err) < 0 ||
	    creation_join_resctrl(creation, 0, err) < 0)
		return -1;
	if (criu_place_enter(&restore->directories, restore->yard, creation->layout, err) < 0)
		return -1;
	if (kernel_mount(creation->rootfs, creation->rootfs, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_errno(err, errno, "Failed to prepare the root for CRIU");
	/* Not every CRIU restores this of the root. */
	if (creation->spec->root.readonly &&
	    kernel_mount_setattr(AT_FDCWD, creation->rootfs, 0, &read_only) < 0)
		return error_errno(err, errno, "root.readonly");
	return 0;
}

/* ---- what CRIU says ---- */

/* The container has its namespaces, and nothing in them runs yet: config.md, "POSIX-platform
 * Hooks". */
static int run_hooks(const struct restore *restore, pid_t pid, struct error *err)
{
	const struct creation *creation = restore->creation;
	struct state state = *creation->container.state;
	cleanup_free char *json = NULL;

	if (!creation->spec->hooks[SPEC_HOOK_PRESTART].count &&
	    !creation->spec->hooks[SPEC_HOOK_CREATE_RUNTIME].count)
		return 0;
	state.pid = pid;
	json = container_state_json(&state, DRIVER_CREATING, false, err);
	if (!json ||
	    hooks_run(creation->spec, SPEC_HOOK_PRESTART, json, creation->bundle, NULL, err) < 0)
		return -1;
	return hooks_run(creation->spec, SPEC_HOOK_CREATE_RUNTIME, json, creation->bundle, NULL,
			 err);
}

static int take_terminal(const struct restore *restore, int master, struct error *err)
{
	struct creation *creation = restore->creation;
	const struct driver_create_options *create = &restore->options->create;
	cleanup_close int fd = master;

	if (create->console_socket)
		return console_socket_send(create->console_socket, fd, "/dev/ptmx", err) < 0
			   ? error_prefix(err, "--console-socket")
			   : 0;
	if (restore->options->detach)
		return 0; /* it was nobody's before */
	if (!create->embedded)
		console_copy_size(0, fd);
	fd_close(creation->terminal);
	creation->terminal = fd_take(&fd);
	return 0;
}

/* Everything is restored, and waits for us: from here on it is a container like any other. */
static int settle(const struct restore *restore, pid_t pid, struct error *err)
{
	struct creation *creation = restore->creation;
	const struct driver_create_options *create = &restore->options->create;
	const struct spec_namespace *network = &creation->spec->linux_.namespaces[SPEC_NS_NETWORK];
	struct state *state = creation->container.state;

	creation->pidfd = kernel_pidfd_open(pid);
	if (creation->pidfd < 0)
		return error_errno(err, errno, "The restored process is gone");
	creation_note_process(creation, pid);
	state->created_only = false;
	/* It is as empty as a new one. */
	if (network->listed && !network->path && lxc_loopback_up(pid, err) < 0)
		return -1;
	if (state_write(&creation->container.dir, state, err) < 0)
		return -1;
	if (create->pid_file && pid_file_write(create->pid_file, pid, err) < 0)
		return -1;
	return 0;
}

static int notify(void *data, const char *event, pid_t pid, int fd, struct error *err)
{
	const struct restore *restore = data;

	if (strcmp(event, "orphan-pts-master") == 0 && fd >= 0)
		return take_terminal(restore, fd, err);
	fd_close(fd);
	if (strcmp(event, "setup-namespaces") == 0)
		return run_hooks(restore, pid, err);
	if (strcmp(event, "post-restore") == 0)
		return settle(restore, pid, err);
	return 0;
}

/* ---- the verb ---- */

static int thaw(struct restore *restore, struct error *err)
{
	cleanup_criu_options struct criu_options criu = {0};
	int pass[2 + ARRAY_SIZE(restore->namespaces) + STREAMS], root, result;
	struct criu_call call = {
	    .program = restore->creation->driver->criu,
	    .type = CRIU_RESTORE,
	    .options = &criu,
	    .keep_streams = true,
	    .pass = pass,
	    .pass_count = ARRAY_SIZE(pass),
	    .prepare = prepare,
	    .notify = notify,
	    .data = restore,
	    .log_directory = restore->directories.work,
	    .log_file = LOG_FILE,
	    .log_path = restore->directories.work_path,
	};
	struct criu_answer answer;
	bool made_tmp;

	if (fill(restore, &criu, err) < 0)
		return -1;
	pass[0] = restore->directories.images;
	pass[1] = restore->directories.work;
	memcpy(pass + 2, restore->namespaces, sizeof(restore->namespaces));
	memcpy(pass + 2 + ARRAY_SIZE(restore->namespaces), restore->streams,
	       sizeof(restore->streams));
	root = restore->creation->rootfs_fd;
	/* CRIU changes the root by way of a directory "tmp"; where that is missing it makes one,
	 * which can't be done in a root that is read-only by then. */
	made_tmp = mkdirat(root, "tmp", 0700) == 0;
	result = criu_call(&call, &answer, err);
	creation_release_scope(restore->creation);
	for (size_t i = 0; i < STREAMS; i++)
		fd_close(fd_take(&restore->streams[i]));
	if (made_tmp)
		unlinkat(root, "tmp", AT_REMOVEDIR);
	/* It is our child, and CRIU may have left it to us half-made. */
	if (result < 0 && restore->creation->container.state->pid > 0)
		kernel_pidfd_send_signal(restore->creation->pidfd, SIGKILL);
	return result;
}

static int bring_back(struct restore *restore, const struct driver *driver, const char *id,
		      struct error *err)
{
	const struct driver_restore_options *options = restore->options;
	struct creation *creation = restore->creation;

	if (creation_scaffold(creation, driver, id, &options->create, options->detach, err) < 0)
		return -1;
	if (thaw(restore, err) < 0) {
		creation_undo(creation);
		return -1;
	}
	return 0;
}

static int stay(const struct restore *restore, int *exit_status, struct error *err)
{
	struct creation *creation = restore->creation;
	const struct console_session session = {
	    .pid = creation->container.state->pid,
	    .pidfd = creation->pidfd,
	    .terminal = creation->terminal,
	    .input = creation->terminal >= 0 ? 0 : -1,
	    .output = 1,
	    .forward_signals = true,
	};
	int status = 0, result;

	state_dir_unlock(&creation->container.dir);
	result = console_session_run(&session, &status, err);
	*exit_status = driver_exit_status(status);
	return creation_end(creation, result, restore->options->keep, *exit_status, err);
}

static int restore_container(struct restore *restore, const struct driver *driver, const char *id,
			     int *exit_status, struct error *err)
{
	const struct driver_restore_options *options = restore->options;
	struct console_signals *signals = NULL;
	int result;

	/* As `run` does: no signal is lost, and what init leaves is ours to reap. */
	if (!options->detach) {
		signals = console_signals_block(err);
		if (!signals)
			return -1;
	}
	subreaper_enter();
	result = bring_back(restore, driver, id, err);
	if (result == 0 && !options->detach)
		result = stay(restore, exit_status, err);
	subreaper_leave();
	if (signals)
		console_signals_restore(signals);
	return result;
}

int driver_restore(const struct driver *driver, const char *id,
		   const struct driver_restore_options *options, int *exit_status,
		   struct error *err)
{
	cleanup_creation struct creation creation = CREATION_INIT;
	struct restore restore = {.creation = &creation,
				  .options = options,
				  .directories = CRIU_DIRECTORIES_INIT,
				  .namespaces = {-1, -1},
				  .streams = {-1, -1, -1}};
	int result = -1;

	*exit_status = 0;
	if (criu_check_options(&options->criu, err) == 0 &&
	    criu_check_program(driver->criu, &options->criu, err) == 0 &&
	    criu_directories_open(&options->criu, false, &restore.directories, err) == 0 &&
	    image_read(restore.directories.images, &restore.image, err) == 0)
		result = restore_container(&restore, driver, id, exit_status, err);
	image_free(&restore.image);
	free(restore.yard);
	criu_directories_close(&restore.directories);
	fd_close(restore.namespaces[0]);
	fd_close(restore.namespaces[1]);
	return result;
}
