/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of a spec that becomes lxc.* items, but for the mounts. */
#include "lxc/lxc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "lxc/compiler.h"
#include "lxc/user_maps.h"
#include "lxc/namespaces.h"
#include "lxc/network.h"

int lxc_recipe_add(struct lxc_recipe *recipe, const char *key, const char *value, struct error *err)
{
	if (!key || !value)
		return error_errno(err, ENOMEM, "Failed to make the LXC configuration");
	/* A value is one value: LXC's own file has no way to write a newline, and nobody needs one.
	 */
	if (strchr(value, '\n') || strchr(key, '\n'))
		return error_set(err, "%s: a newline in its value can't be given to LXC", key);
	if (recipe->count == recipe->capacity) {
		size_t capacity = recipe->capacity ? recipe->capacity * 2 : 64;
		struct lxc_item *items = arena_alloc(&recipe->arena, capacity, sizeof(*items));

		if (!items)
			return error_errno(err, ENOMEM, "Failed to make the LXC configuration");
		if (recipe->count)
			memcpy(items, recipe->items, recipe->count * sizeof(*items));
		recipe->items = items;
		recipe->capacity = capacity;
	}
	recipe->items[recipe->count++] = (struct lxc_item){key, value};
	return 0;
}

int lxc_recipe_keep_fd(struct lxc_recipe *recipe, int fd, int lowest, struct error *err)
{
	int moved;

	if (recipe->fds_count == ARRAY_SIZE(recipe->fds)) {
		fd_close(fd);
		return error_set(err, "mounts: more than %zu that LXC can't make",
				 ARRAY_SIZE(recipe->fds));
	}
	moved = fd_duplicate(fd, lowest);
	fd_close(fd);
	if (moved < 0)
		return error_errno(err, errno, "Failed to duplicate a descriptor");
	recipe->fds[recipe->fds_count++] = moved;
	return moved;
}

void lxc_recipe_free(struct lxc_recipe *recipe)
{
	size_t i;

	for (i = 0; i < recipe->fds_count; i++)
		fd_close(recipe->fds[i]);
	recipe->fds_count = 0;
	arena_free(&recipe->arena);
}

char *lxc_recipe_text(const struct lxc_recipe *recipe, size_t *length, struct error *err)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	size_t i;

	if (!out) {
		error_errno(err, ENOMEM, "Failed to write the LXC configuration");
		return NULL;
	}
	fputs("# Made by runlxc for this container; read, not edited.\n", out);
	for (i = 0; i < recipe->count; i++)
		fprintf(out, "%s = %s\n", recipe->items[i].key, recipe->items[i].value);
	if (fclose(out) != 0) {
		free(text);
		error_errno(err, ENOMEM, "Failed to write the LXC configuration");
		return NULL;
	}
	return text;
}

#define ADD(...)                                                                                   \
	do {                                                                                       \
		if (lxc_recipe_add(recipe, __VA_ARGS__, err) < 0)                                  \
			return -1;                                                                 \
	} while (0)
#define FORMAT(...) arena_printf(&recipe->arena, __VA_ARGS__)

/*
 * A new time namespace is init's to make: LXC can't set an offset of seconds and nanoseconds, and
 * once a process is in it nobody can.
 */
static int add_clocks(const struct lxc_request *request, struct lxc_recipe *recipe,
		      struct plan_buffer *plan, struct error *err)
{
	const struct spec_linux *linux_ = &request->spec->linux_;
	const __typeof__(linux_->time_offset_boottime) *boottime = &linux_->time_offset_boottime,
						       *monotonic = &linux_->time_offset_monotonic;
	int fd = compiler_open_procfs(".");
	plan_string text = 0;

	fd = fd < 0 ? error_errno(err, errno, "linux.namespaces: Failed to open \"/proc\"")
		    : lxc_recipe_keep_fd(recipe, fd, request->lowest_fd, err);
	if (fd < 0)
		return -1;
	if (boottime->set || monotonic->set)
		text = plan_add_string(plan, FORMAT("monotonic %" PRId64 " %" PRIu32
						    "\nboottime %" PRId64 " %" PRIu32 "\n",
						    monotonic->secs, monotonic->nanosecs,
						    boottime->secs, boottime->nanosecs));
	plan_head(plan)->time_offsets = text;
	plan_head(plan)->proc_fd = fd;
	return 0;
}

static int keep_namespace(const struct lxc_request *request, struct lxc_recipe *recipe,
			  const struct spec_namespace *ns, struct error *err)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, "linux.namespaces[%zu].path: \"%s\"", ns->index,
				    ns->path)
		      : lxc_recipe_keep_fd(recipe, fd, request->lowest_fd, err);
}

static int add_namespaces(const struct lxc_request *request, struct lxc_recipe *recipe,
			  struct plan_buffer *plan, struct error *err)
{
	const struct spec *spec = request->spec;
	const char *clone = "";
	int type;

	for (type = 0; type < SPEC_NS_TYPES; type++) {
		const struct spec_namespace *ns = &spec->linux_.namespaces[type];

		if (!ns->listed)
			continue;
		if (ns->path && namespaces_check_path(ns, (enum spec_namespace_type)type, err) < 0)
			return -1;
		if (ns->path && type == SPEC_NS_CGROUP) {
			/* LXC takes the item and does nothing with it: init joins. */
			int fd = keep_namespace(request, recipe, ns, err);

			if (fd < 0)
				return -1;
			plan_head(plan)->join_cgroup_fd = fd;
		} else if (ns->path && type == SPEC_NS_TIME) {
			recipe->time_fd = keep_namespace(request, recipe, ns, err);
			recipe->join_time = recipe->time_fd >= 0;
			if (!recipe->join_time)
				return -1;
		} else if (ns->path) {
			ADD(FORMAT("lxc.namespace.share.%s", namespaces_lxc_names[type]), ns->path);
		} else if (type == SPEC_NS_TIME) {
			if (add_clocks(request, recipe, plan, err) < 0)
				return -1;
		} else {
			clone =
			    FORMAT("%s%s%s", clone, *clone ? " " : "", namespaces_lxc_names[type]);
		}
		if (!clone)
			return error_errno(err, ENOMEM, "linux.namespaces");
	}
	/* Exactly these: without the key LXC would add those that the file leaves out. */
	ADD("lxc.namespace.clone", clone);
	return 0;
}

static int add_mappings(const struct spec_id_mappings *mappings, char kind,
			struct lxc_recipe *recipe, struct error *err)
{
	size_t i;

	/* Its child, and our init after it, are the container's root. */
	if (mappings->count && !user_maps_have(mappings, 0))
		return error_set(
		    err,
		    "linux.%cidMappings: must map the container's id 0, without which LXC "
		    "sets no container up",
		    kind);
	for (i = 0; i < mappings->count; i++)
		ADD("lxc.idmap", FORMAT("%c %u %u %u", kind, mappings->items[i].container_id,
					mappings->items[i].host_id, mappings->items[i].size));
	return 0;
}

/* As runc has it: what stands beside a path may only say what is so. */
static int check_mappings(const char *field, const struct spec_namespace *user,
			  const struct spec_id_mappings *asked,
			  const struct spec_id_mappings *there, struct error *err)
{
	size_t i;

	if (!asked->count)
		return 0;
	for (i = 0; i < asked->count && asked->count == there->count; i++)
		if (memcmp(&asked->items[i], &there->items[i], sizeof(asked->items[i])) != 0)
			break;
	return i == asked->count
		   ? 0
		   : error_set(err, "linux.%s: is not what the user namespace \"%s\" has", field,
			       user->path);
}

static int read_mappings(const struct lxc_request *request, const char *path, struct arena *arena,
			 struct spec_id_mappings *uids, struct spec_id_mappings *gids,
			 struct error *err)
{
	return request->rootless ? namespaces_own_mappings(arena, uids, gids, err)
				 : namespaces_read_mappings(path, arena, uids, gids, err);
}

static int add_id_mappings(const struct lxc_request *request, struct lxc_recipe *recipe,
			   struct error *err)
{
	const struct spec *spec = request->spec;
	const struct spec_namespace *user = &spec->linux_.namespaces[SPEC_NS_USER];
	struct spec_id_mappings uids = spec->linux_.uid_mappings, gids = spec->linux_.gid_mappings;

	/* One that is joined has its mappings already, and LXC must know them to become its root.
	 */
	if (user->path &&
	    (read_mappings(request, user->path, &recipe->arena, &uids, &gids, err) < 0 ||
	     check_mappings("uidMappings", user, &spec->linux_.uid_mappings, &uids, err) < 0 ||
	     check_mappings("gidMappings", user, &spec->linux_.gid_mappings, &gids, err) < 0))
		return -1;
	return add_mappings(&uids, 'u', recipe, err) < 0 ||
		       add_mappings(&gids, 'g', recipe, err) < 0
		   ? -1
		   : 0;
}

static int add_cgroups(const struct lxc_request *request, struct lxc_recipe *recipe,
		       struct error *err)
{
	const struct spec_resources *resources = &request->spec->linux_.resources;
	struct cgroup_settings settings = {0};
	size_t skipped = 1, i;
	int result = -1;

	if (!request->cgroup_path)
		return 0; /* LXC makes none where the caller may not */
	if (request->cgroup_relative)
		skipped += strlen(request->cgroup_base);
	ADD("lxc.cgroup.dir.container", request->cgroup_path + skipped);
	ADD("lxc.cgroup.dir.monitor", request->monitor_cgroup + skipped);
	ADD("lxc.cgroup.dir.monitor.pivot", FORMAT("%s/pivot", request->monitor_cgroup + skipped));
	if (resources->memory.kernel.set && resources->memory.kernel.value)
		log_warning(request->log,
			    "linux.resources.memory.kernel is ignored: the kernel has "
			    "given it up");
	if ((!request->cgroup_limited &&
	     cgroup_settings_from_resources(request->layout, resources, &settings, err) < 0) ||
	    cgroup_settings_add_devices(request->layout, resources, &settings, err) < 0) {
		cgroup_settings_free(&settings);
		return -1;
	}
	for (i = 0; i < settings.count; i++) {
		const struct cgroup_setting *setting = &settings.items[i];

		if (lxc_recipe_add(
			recipe,
			FORMAT("lxc.%s.%s", setting->unified ? "cgroup2" : "cgroup", setting->file),
			arena_strdup(&recipe->arena, setting->value), err) < 0)
			break;
	}
	if (i == settings.count)
		result = 0;
	cgroup_settings_free(&settings);
	return result;
}

static uint32_t propagation_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} table[] = {{"shared", MS_SHARED},
		     {"slave", MS_SLAVE},
		     {"private", 0},
		     {"unbindable", MS_UNBINDABLE}};
	bool recursive = name && name[0] == 'r';
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(table); i++)
		if (strcmp(name + recursive, table[i].name) == 0)
			return table[i].flag ? table[i].flag | (recursive ? MS_REC : 0) : 0;
	return 0;
}

/* The rest of the container that LXC has no item for, or none that fits: for init. */
static void add_to_plan(const struct spec *spec, struct plan_buffer *plan)
{
	const struct spec_linux *linux_ = &spec->linux_;
	const struct spec_namespace *uts = &linux_->namespaces[SPEC_NS_UTS];
	struct plan_list list;
	plan_string text;

	list = plan_add_strings(plan, linux_->masked_paths.items, linux_->masked_paths.count);
	plan_head(plan)->masked = list;
	list = plan_add_strings(plan, linux_->readonly_paths.items, linux_->readonly_paths.count);
	plan_head(plan)->readonly = list;
	if (spec->root.readonly)
		plan_head(plan)->flags |= PLAN_READONLY_ROOT;
	plan_head(plan)->root_propagation = propagation_of(linux_->rootfs_propagation);
	/* LXC sets the host name of a namespace that it made; one that is joined gets it, too, as
	 * from runc. */
	if (spec->hostname && uts->path) {
		text = plan_add_string(plan, spec->hostname);
		plan_head(plan)->hostname = text;
	}
	if (spec->domainname) {
		text = plan_add_string(plan, spec->domainname);
		plan_head(plan)->domainname = text;
	}
	process_compile_memory_policy(linux_, plan);
	if (linux_->personality_domain) {
		plan_head(plan)->flags |= PLAN_PERSONALITY;
		/* PER_LINUX32 and PER_LINUX of <linux/personality.h> */
		plan_head(plan)->personality =
		    strcmp(linux_->personality_domain, "LINUX32") == 0 ? 0x0008 : 0;
	}
}

/* LXC's default is one. */
static bool is_keyring_new(const struct lxc_recipe *recipe)
{
	size_t i;

	for (i = recipe->count; i > 0; i--)
		if (strcmp(recipe->items[i - 1].key, "lxc.keyring.session") == 0)
			return strcmp(recipe->items[i - 1].value, "0") != 0;
	return true;
}

int lxc_compile(const struct lxc_request *request, struct lxc_recipe *recipe,
		struct plan_buffer *plan, struct error *err)
{
	const struct spec *spec = request->spec;

	ADD("lxc.rootfs.path", FORMAT("dir:%s", request->rootfs));
	/* A hook that mounts something into the root, by its path on the host and in the
	 * container's mount namespace, finds it there. */
	if (spec->hooks[SPEC_HOOK_PRESTART].count || spec->hooks[SPEC_HOOK_CREATE_RUNTIME].count ||
	    spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count)
		ADD("lxc.rootfs.mount", request->rootfs);
	if (spec->hostname && !spec->linux_.namespaces[SPEC_NS_UTS].path)
		ADD("lxc.uts.name", spec->hostname);
	if (add_namespaces(request, recipe, plan, err) < 0 ||
	    add_id_mappings(request, recipe, err) < 0 || add_cgroups(request, recipe, err) < 0 ||
	    lxc_compile_sysctls(request, recipe, plan, err) < 0 ||
	    lxc_compile_mounts(request, recipe, plan, err) < 0)
		return -1;
	/* The streams are the caller's or init's terminal; no terminal of LXC's own, no /dev of its
	 * own. */
	ADD("lxc.console.path", "none");
	ADD("lxc.autodev", "0");
	ADD("lxc.pty.max", "0");
	ADD("lxc.tty.max", "0");
	/* LXC would put its own default profile on a container that asked for none; init sets the
	 * one that was asked for. */
	ADD("lxc.apparmor.profile", "unconfined");
	ADD("lxc.signal.halt", "SIGTERM");
	if (request->no_new_keyring)
		ADD("lxc.keyring.session", "0");
	/* Theirs come after ours: of what can be there once, the last counts. */
	if (lxc_raw_compile(request, recipe, err) < 0 || network_compile(request, recipe, err) < 0)
		return -1;
	if (is_keyring_new(recipe))
		plan_head(plan)->flags |= PLAN_NEW_KEYRING;
	add_to_plan(spec, plan);
	return 0;
}
