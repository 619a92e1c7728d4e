/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU's options as checkpoint and restore have them, after runc's. */
#include "driver/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"

/* crun and runc have files of that kind, too; an engine names its own by an annotation. */
#define CONFIG_FILE "/etc/criu/runlxc.conf"
#define CONFIG_ANNOTATION "org.criu.config"

/* runc's word for none. */
#define DEFAULT_IMAGES "checkpoint"

void criu_directories_close(struct criu_directories *directories)
{
	if (directories->work != directories->images)
		fd_close(directories->work);
	fd_close(directories->images);
	free(directories->images_path);
	free(directories->work_path);
	*directories = (struct criu_directories)CRIU_DIRECTORIES_INIT;
}

static int open_directory(const char *flag, const char *path, bool make, char **name,
			  struct error *err)
{
	int fd;

	*name = strdup(path);
	if (!*name)
		return error_errno(err, ENOMEM, "%s", flag);
	/* What is in memory may be anybody's secret. */
	if (make && path_make_directories(path, 0700, err) < 0)
		return error_prefix(err, "%s", flag);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s: Failed to open \"%s\"", flag, path);
	return fd;
}

/* runc's rule: it is meant from the image's directory, where CRIU puts a link to it. */
static int check_parent(const char *parent, int images, struct error *err)
{
	struct stat st;

	if (parent[0] == '/')
		return error_set(err, "--parent-path must be relative");
	if (fstatat(images, parent, &st, 0) < 0)
		return error_errno(err, errno, "invalid --parent-path \"%s\"", parent);
	if (!S_ISDIR(st.st_mode))
		return error_errno(err, ENOTDIR, "invalid --parent-path \"%s\"", parent);
	return 0;
}

/* Numbered so that CRIU can have them under the same numbers. */
static int raise_fd(int *fd, struct error *err)
{
	int raised = fd_duplicate(*fd, 10);

	fd_close(*fd);
	*fd = raised;
	return raised < 0 ? error_errno(err, errno, "Failed to duplicate a descriptor") : 0;
}

int criu_directories_open(const struct driver_criu_options *options, bool make,
			  struct criu_directories *directories, struct error *err)
{
	const char *images = options->image_path ? options->image_path : DEFAULT_IMAGES;

	*directories = (struct criu_directories)CRIU_DIRECTORIES_INIT;
	directories->made = make && access(images, F_OK) < 0;
	directories->images =
	    open_directory("--image-path", images, make, &directories->images_path, err);
	if (directories->images < 0 || raise_fd(&directories->images, err) < 0)
		return -1;
	if (options->parent_path &&
	    check_parent(options->parent_path, directories->images, err) < 0)
		return -1;
	if (!options->work_path) {
		directories->work = directories->images;
		directories->work_path = strdup(images);
		return directories->work_path ? 0 : error_errno(err, ENOMEM, "--work-path");
	}
	directories->work =
	    open_directory("--work-path", options->work_path, true, &directories->work_path, err);
	return directories->work < 0 ? -1 : raise_fd(&directories->work, err);
}

static const struct {
	const char *name;
	enum criu_cgroups mode;
} cgroup_modes[] = {{"soft", CRIU_CGROUPS_SOFT},
		    {"full", CRIU_CGROUPS_FULL},
		    {"strict", CRIU_CGROUPS_STRICT},
		    {"ignore", CRIU_CGROUPS_IGNORE}};

static bool find_cgroup_mode(const char *name, enum criu_cgroups *mode)
{
	*mode = CRIU_CGROUPS_DEFAULT;
	for (size_t i = 0; name && i < ARRAY_SIZE(cgroup_modes); i++)
		if (strcmp(name, cgroup_modes[i].name) == 0) {
			*mode = cgroup_modes[i].mode;
			return true;
		}
	return !name;
}

int criu_check_options(const struct driver_criu_options *options, struct error *err)
{
	enum criu_cgroups mode;
	size_t i;

	if (!find_cgroup_mode(options->manage_cgroups_mode, &mode))
		return error_set(
		    err, "--manage-cgroups-mode \"%s\": must be soft, full, strict or ignore",
		    options->manage_cgroups_mode);
	for (i = 0; i < options->empty_ns_count; i++)
		if (strcmp(options->empty_ns[i], "network") != 0)
			return error_set(err, "--empty-ns: namespace \"%s\" is not supported",
					 options->empty_ns[i]);
	return 0;
}

int criu_check_program(const char *program, const struct driver_criu_options *options,
		       struct error *err)
{
	if (criu_check_version(program, err) < 0)
		return -1;
	if (options->lazy_pages && criu_check_lazy_pages(program, err) < 0)
		return error_prefix(err, "--lazy-pages");
	return 0;
}

static void add_config_file(struct criu_options *criu, const struct spec *spec)
{
	const char *asked = spec_pairs_get(&spec->annotations, CONFIG_ANNOTATION);

	if (!asked)
		criu_add_text(criu, CRIU_CONFIG_FILE, CONFIG_FILE);
	else if (asked[0])
		criu_add_text(criu, CRIU_CONFIG_FILE, asked);
}

void criu_add_common(struct criu_options *criu, const struct driver_criu_options *options,
		     const struct criu_directories *directories, const struct spec *spec,
		     const char *log_file)
{
	const struct {
		enum criu_option option;
		bool value;
	} flags[] = {{CRIU_TCP_ESTABLISHED, options->tcp_established},
		     {CRIU_EXT_UNIX_SK, options->ext_unix_sk},
		     {CRIU_SHELL_JOB, options->shell_job},
		     {CRIU_FILE_LOCKS, options->file_locks},
		     {CRIU_AUTO_DEDUP, options->auto_dedup},
		     {CRIU_LAZY_PAGES, options->lazy_pages},
		     {CRIU_ORPHAN_PTS_MASTER, true},
		     {CRIU_NOTIFY_SCRIPTS, true}};
	enum criu_cgroups mode;

	find_cgroup_mode(options->manage_cgroups_mode, &mode);
	criu_add_number(criu, CRIU_IMAGES_DIR_FD, directories->images);
	criu_add_number(criu, CRIU_WORK_DIR_FD, directories->work);
	criu_add_number(criu, CRIU_LOG_LEVEL, 4);
	criu_add_text(criu, CRIU_LOG_FILE, log_file);
	criu_add_number(criu, CRIU_MANAGE_CGROUPS_MODE, mode);
	/* Interfaces and addresses are the engine's, which makes them anew, as with runc. */
	criu_add_number(criu, CRIU_EMPTY_NS, CLONE_NEWNET);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		criu_add_number(criu, flags[i].option, flags[i].value);
	add_config_file(criu, spec);
}

static bool is_mapped(const struct spec_mount *mount)
{
	bool asked = mount->uid_mappings.count > 0;

	for (size_t i = 0; i < mount->options.count; i++)
		asked = asked || strcmp(mount->options.items[i], "idmap") == 0 ||
			strcmp(mount->options.items[i], "ridmap") == 0;
	return asked;
}

int criu_check_spec(const struct spec *spec, const char *annotations, struct error *err)
{
	static const enum spec_namespace_type refused[] = {SPEC_NS_MOUNT, SPEC_NS_CGROUP,
							   SPEC_NS_TIME};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct spec_namespace *ns = &spec->linux_.namespaces[refused[i]];

		if (ns->path)
			return error_set(
			    err,
			    "linux.namespaces[%zu].path: CRIU can't restore a container "
			    "into a %s namespace that is there",
			    ns->index, spec_namespace_name(refused[i]));
	}
	/* It would bind them as they are on the host: with other owners, and without a word. */
	for (size_t i = 0; i < spec->mounts_count; i++) {
		if (is_mapped(&spec->mounts[i]))
			return error_set(err, "mounts[%zu]: CRIU doesn't restore mapped ids", i);
	}
	if (spec->linux_.net_devices_count)
		return error_set(err, "linux.netDevices: CRIU doesn't checkpoint interfaces");
	if (spec->linux_.seccomp.listener_path)
		return error_set(err,
				 "linux.seccomp.listenerPath: CRIU doesn't checkpoint a filter "
				 "with an agent");
	if (lxc_network_asked(annotations))
		return error_set(err, "annotations: a container with networks of LXC's can't be "
				      "checkpointed: they end with it");
	return 0;
}

const char *criu_namespace_key(enum spec_namespace_type type)
{
	return type == SPEC_NS_NETWORK ? "extRootNetNS" : "extRootPidNS";
}
