/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freezing a running container into files, through CRIU. LXC isn't involved: its monitor is gone,
 * and what it made (mounts, namespaces, cgroups) CRIU sees like any other.
 */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel_check.h"
#include "hooks/hooks.h"

#define LOG_FILE "dump.log"

static void cleanup_layout_(struct cgroup_layout **layout)
{
	cgroup_layout_free(*layout);
}
#define cleanup_layout __attribute__((cleanup(cleanup_layout_)))

struct checkpoint {
	const struct driver *driver;
	const struct driver_criu_options *options;
	struct container container;
	struct spec *spec;
	struct cgroup_layout *layout;
	struct criu_directories directories;
	char *yard;
};

/* "net[4026532000]:extRootNetNS": it is there at the restore, too. */
static int add_namespace(const struct checkpoint *checkpoint, enum spec_namespace_type type,
			 const char *kind, struct criu_options *criu, struct error *err)
{
	const struct spec_namespace *ns = &checkpoint->spec->linux_.namespaces[type];
	char path[64], text[96];
	struct stat st;

	if (!ns->path)
		return 0;
	/* The process's own: whatever was bound at the path may be gone. */
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)checkpoint->container.state->pid, kind);
	if (stat(path, &st) < 0)
		return error_errno(err, errno, "Failed to look at the container's %s namespace",
				   spec_namespace_name(type));
	snprintf(text, sizeof(text), "%s[%lu]:%s", kind, (unsigned long)st.st_ino,
		 criu_namespace_key(type));
	criu_add_text(criu, CRIU_EXTERNAL, text);
	return 0;
}

/* While CRIU looks at it, nothing of the container runs, processes that it hasn't seen yet
 * included. */
static void add_freezer(const struct checkpoint *checkpoint, struct criu_options *criu)
{
	const struct cgroup_layout *layout = checkpoint->layout;
	const struct cgroup_hierarchy *hierarchy =
	    cgroup_find(layout, layout->mode == CGROUP_UNIFIED ? "" : "freezer");
	char path[PATH_MAX];

	if (!hierarchy || !hierarchy->mount ||
	    snprintf(path, sizeof(path), "%s%s", hierarchy->mount,
		     checkpoint->container.state->cgroup_path) >= (int)sizeof(path))
		return;
	criu_add_text(criu, CRIU_FREEZE_CGROUP, path);
}

/* HOST:PORT, where a `criu page-server` listens. */
static int add_page_server(const char *text, struct criu_options *criu, struct error *err)
{
	const char *colon = strrchr(text, ':');
	cleanup_free char *address = NULL;
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;

	if (!colon || colon == text || end == colon + 1 || *end || port < 1 || port > 65535)
		return error_set(err, "--page-server \"%s\": must be ADDRESS:PORT", text);
	/* [::1]:1234 */
	if (text[0] == '[' && colon[-1] == ']')
		address = strndup(text + 1, (size_t)(colon - text) - 2);
	else
		address = strndup(text, (size_t)(colon - text));
	if (!address)
		return error_errno(err, ENOMEM, "--page-server");
	criu_add_text_number(criu, CRIU_PAGE_SERVER, address, port);
	return 0;
}

static void add_mounts(const struct image *image, struct criu_options *criu)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->mounts[i].external)
			criu_add_pair(criu, CRIU_EXT_MNT, image->mounts[i].destination,
				      image->mounts[i].destination);
}

static void add_streams(const struct image *image, struct criu_options *criu)
{
	for (size_t i = 0; i < ARRAY_SIZE(image->streams); i++)
		if (image->streams[i] && strncmp(image->streams[i], "file[", 5) == 0)
			criu_add_text(criu, CRIU_EXTERNAL, image->streams[i]);
}

static int fill(struct checkpoint *checkpoint, struct criu_options *criu, struct error *err)
{
	const struct driver_criu_options *options = checkpoint->options;
	const struct state *state = checkpoint->container.state;
	cleanup_image struct image image = {0};

	criu_add_common(criu, options, &checkpoint->directories, checkpoint->spec, LOG_FILE);
	criu_add_number(criu, CRIU_PID, state->pid);
	criu_add_text(criu, CRIU_ROOT, state->rootfs);
	criu_add_number(criu, CRIU_LEAVE_RUNNING, options->leave_running);
	criu_add_number(criu, CRIU_LINK_REMAP, options->link_remap);
	criu_add_number(criu, CRIU_TCP_SKIP_IN_FLIGHT, options->tcp_skip_in_flight);
	if (options->parent_path)
		criu_add_text(criu, CRIU_PARENT_IMG, options->parent_path);
	if (options->parent_path || options->pre_dump)
		criu_add_number(criu, CRIU_TRACK_MEM, true);
	if (options->page_server && add_page_server(options->page_server, criu, err) < 0)
		return -1;
	add_freezer(checkpoint, criu);
	if (criu_place_add(criu, checkpoint->driver, state->id, checkpoint->layout,
			   &checkpoint->yard, err) < 0)
		return -1;
	if (add_namespace(checkpoint, SPEC_NS_NETWORK, "net", criu, err) < 0 ||
	    add_namespace(checkpoint, SPEC_NS_PID, "pid", criu, err) < 0 ||
	    image_collect(&checkpoint->container, checkpoint->spec, checkpoint->layout, &image,
			  err) < 0)
		return -1;
	add_mounts(&image, criu);
	add_streams(&image, criu);
	/* A pre-dump is nothing to be restored from. */
	return options->pre_dump ? 0 : image_write(&image, checkpoint->directories.images, err);
}

/* In a user namespace CRIU reads the images first as root, then as the container's root, which must
 * be able to come by. */
static int let_container_in(const struct checkpoint *checkpoint, struct error *err)
{
	const struct spec_id_mappings *mappings = &checkpoint->spec->linux_.gid_mappings;
	int images = checkpoint->directories.images;

	if (!checkpoint->directories.made)
		return 0;
	for (size_t i = 0; i < mappings->count; i++)
		if (mappings->items[i].container_id == 0 &&
		    (fchown(images, (uid_t)-1, mappings->items[i].host_id) < 0 ||
		     fchmod(images, 0710) < 0))
			return error_errno(err, errno,
					   "--image-path: Failed to let the container's root in");
	return 0;
}

static int prepare(void *data, struct error *err)
{
	const struct checkpoint *checkpoint = data;

	return criu_place_enter(&checkpoint->directories, checkpoint->yard, checkpoint->layout,
				err);
}

/* --status-fd: memory can be fetched now, so a `criu lazy-pages` may come for it. */
static int notify(void *data, const char *event, pid_t pid, int fd, struct error *err)
{
	const struct checkpoint *checkpoint = data;
	const struct driver_criu_options *options = checkpoint->options;
	sighandler_t before;

	(void)pid;
	(void)err;
	fd_close(fd);
	if (strcmp(event, "status-ready") != 0 || !options->lazy_pages || options->status_fd < 0)
		return 0;
	/* Whoever asked may be gone, as may be: the memory is there all the same. */
	before = signal(SIGPIPE, SIG_IGN);
	if (write(options->status_fd, "", 1) != 1)
		log_warning(checkpoint->driver->log, "--status-fd %d: Failed to write: %s",
			    options->status_fd, strerror(errno));
	signal(SIGPIPE, before);
	/* Its reader waits for the end of it. */
	close(options->status_fd);
	return 0;
}

static int check_status_fd(const struct driver_criu_options *options, struct error *err)
{
	int flags;

	if (!options->lazy_pages || options->status_fd < 0)
		return 0;
	flags = fcntl(options->status_fd, F_GETFL);
	if (flags < 0)
		return error_errno(err, errno, "invalid --status-fd argument %d",
				   options->status_fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return error_set(err, "invalid --status-fd argument %d: not writable",
				 options->status_fd);
	return 0;
}

static int dump(struct checkpoint *checkpoint, struct error *err)
{
	const struct driver_criu_options *options = checkpoint->options;
	cleanup_criu_options struct criu_options criu = {0};
	const int pass[] = {checkpoint->directories.images, checkpoint->directories.work};
	const struct criu_call call = {
	    .program = checkpoint->driver->criu,
	    .type = options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
	    .options = &criu,
	    .pass = pass,
	    .pass_count = ARRAY_SIZE(pass),
	    .prepare = prepare,
	    .notify = notify,
	    .data = checkpoint,
	    .log_directory = checkpoint->directories.work,
	    .log_file = LOG_FILE,
	    .log_path = checkpoint->directories.work_path,
	};
	struct criu_answer answer;

	if (options->pre_dump && criu_check_memory_tracking(checkpoint->driver->criu, err) < 0)
		return error_prefix(err, "--pre-dump");
	if (let_container_in(checkpoint, err) < 0 || fill(checkpoint, &criu, err) < 0)
		return -1;
	return criu_call(&call, &answer, err);
}

static void poststop(const struct checkpoint *checkpoint, const char *json, const char *bundle)
{
	struct error err = ERROR_INIT;

	if (json && hooks_run(checkpoint->spec, SPEC_HOOK_POSTSTOP, json, bundle, NULL, &err) < 0)
		log_warning(checkpoint->driver->log, "%s", error_text(&err));
	error_clear(&err);
}

/* Its processes are in files now, and CRIU has killed them: what is left goes, as with runc. */
static int destroy(struct checkpoint *checkpoint, struct error *err)
{
	struct container *container = &checkpoint->container;
	cleanup_free char *json = NULL, *bundle = NULL;

	if (checkpoint->spec->hooks[SPEC_HOOK_POSTSTOP].count) {
		json = container_state_json(container->state, DRIVER_STOPPED, false, err);
		bundle = container->state->bundle ? strdup(container->state->bundle) : NULL;
		if (!json)
			return -1;
	}
	if (container_destroy(checkpoint->driver, container, checkpoint->layout, err) < 0)
		return error_prefix(err, "The checkpoint is complete, but");
	poststop(checkpoint, json, bundle);
	return 0;
}

static int check_status(const struct checkpoint *checkpoint, struct error *err)
{
	enum driver_status status = container_status(&checkpoint->container, checkpoint->layout);

	/* The words are runc's. */
	if (status != DRIVER_RUNNING && status != DRIVER_PAUSED)
		return error_set(err, "Container cannot be checkpointed in %s state",
				 driver_status_name(status));
	return 0;
}

int driver_checkpoint(const struct driver *driver, const char *id,
		      const struct driver_criu_options *options, struct error *err)
{
	cleanup_spec struct spec *spec = NULL;
	cleanup_layout struct cgroup_layout *layout = NULL;
	struct checkpoint checkpoint = {.driver = driver,
					.options = options,
					.container = CONTAINER_INIT,
					.directories = CRIU_DIRECTORIES_INIT};
	int result = -1;

	if (container_open(driver, id, true, &checkpoint.container, err) < 0 ||
	    kernel_check_for_processes(err) < 0)
		goto out;
	layout = checkpoint.layout = cgroup_detect(err);
	if (!layout || check_status(&checkpoint, err) < 0)
		goto out;
	spec = checkpoint.spec = container_document(&checkpoint.container, err);
	if (!spec || criu_check_options(options, err) < 0 || check_status_fd(options, err) < 0 ||
	    criu_check_spec(spec, checkpoint.container.state->annotations, err) < 0 ||
	    criu_check_program(driver->criu, options, err) < 0 ||
	    criu_directories_open(options, true, &checkpoint.directories, err) < 0)
		goto out;
	result = dump(&checkpoint, err);
	if (result == 0 && !options->leave_running && !options->pre_dump)
		result = destroy(&checkpoint, err);
out:
	free(checkpoint.yard);
	criu_directories_close(&checkpoint.directories);
	container_close(&checkpoint.container);
	return result;
}
