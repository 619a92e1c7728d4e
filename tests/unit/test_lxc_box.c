/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of lxc_compile() share, included by them and no test of its own: a container that
 * is compiled for a root of its own in a temporary directory, and what came of it. Documents are
 * written with ' for ".
 */
#include "test_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/path.h"
#include "lxc/lxc.h"
#include "test_place.h"

#define LOWEST 100

/* A host with v1 hierarchies and a v2 tree that nobody manages. */
static struct cgroup_hierarchy hybrid[] = {
    {.mount = (char *)"/sys/fs/cgroup/cpu,cpuacct",
     .own = (char *)"/",
     .label = (char *)"cpu,cpuacct",
     .controllers = (char **)(const char *[]){"cpu", "cpuacct", NULL}},
    {.mount = (char *)"/sys/fs/cgroup/devices",
     .own = (char *)"/",
     .label = (char *)"devices",
     .controllers = (char **)(const char *[]){"devices", NULL}},
    {.mount = (char *)"/sys/fs/cgroup/systemd",
     .own = (char *)"/",
     .label = (char *)"name=systemd",
     .controllers = (char **)(const char *[]){"name=systemd", NULL}},
    {.unified = true,
     .mount = (char *)"/sys/fs/cgroup/unified",
     .own = (char *)"/",
     .label = (char *)"",
     .controllers = (char **)(const char *[]){NULL}},
};
static const struct cgroup_layout hybrid_layout = {CGROUP_HYBRID, 4, hybrid};

struct box {
	char base[64]; /* holds rootfs/, and host/ for the sources of bind mounts */
	char rootfs[80], host[80];
	int root;
	const struct cgroup_layout *layout;
	bool no_new_keyring, lxc_annotations;

	struct spec *spec;
	struct lxc_recipe recipe;
	struct plan_buffer plan;
	struct error err;
};

static int box_make(void **state)
{
	struct box *box = calloc(1, sizeof(*box));

	strcpy(box->base, "/tmp/runlxc-test-lxc-XXXXXX");
	assert_non_null(mkdtemp(box->base));
	snprintf(box->rootfs, sizeof(box->rootfs), "%s/rootfs", box->base);
	snprintf(box->host, sizeof(box->host), "%s/host", box->base);
	assert_int_equal(mkdir(box->rootfs, 0755), 0);
	assert_int_equal(mkdir(box->host, 0755), 0);
	box->root = open(box->rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(box->root >= 0);
	assert_int_equal(mkdirat(box->root, "proc", 0755), 0);
	box->layout = &hybrid_layout;
	*state = box;
	return 0;
}

static void box_forget(struct box *box)
{
	spec_free(box->spec);
	lxc_recipe_free(&box->recipe);
	plan_buffer_free(&box->plan);
	error_clear(&box->err);
	box->spec = NULL;
	memset(&box->recipe, 0, sizeof(box->recipe));
}

static int box_remove(void **state)
{
	struct box *box = *state;

	box_forget(box);
	close(box->root);
	remove_tree(box->base);
	free(box);
	return 0;
}

/* ---- compiling ---- */

static int try_config(struct box *box, const char *config)
{
	struct lxc_request request = {.rootfs = box->rootfs,
				      .rootfs_fd = box->root,
				      .bundle = box->base,
				      .layout = box->layout,
				      .cgroup_path = "/docker/box",
				      .monitor_cgroup = "/lxc.monitor.box",
				      .no_new_keyring = box->no_new_keyring,
				      .lxc_annotations = box->lxc_annotations,
				      .network_prefix = "rl0123456789",
				      .lowest_fd = LOWEST};

	box_forget(box);
	box->spec = read_config(config, &box->err);
	if (!box->spec)
		fail_msg("%s\n%s", error_text(&box->err), config);
	request.spec = box->spec;
	plan_buffer_init(&box->plan);
	return lxc_compile(&request, &box->recipe, &box->plan, &box->err);
}

/* A config.json of which the rest is small: `members` is what else the document has. */
static inline int try_members(struct box *box, const char *members)
{
	cleanup_free char *config = NULL;

	assert_true(asprintf(&config,
			     "{'ociVersion': '1.3.0', 'root': {'path': 'rootfs'},"
			     " 'process': {'args': ['sh'], 'cwd': '/'}, %s}",
			     members) > 0);
	return try_config(box, config);
}

static inline void compile(struct box *box, const char *members)
{
	if (try_members(box, members) < 0)
		fail_msg("%s\n%s", error_text(&box->err), members);
}

static inline void assert_refused(struct box *box, const char *members, const char *expected)
{
	if (try_members(box, members) == 0)
		fail_msg("accepted: %s", members);
	assert_string_equal(error_text(&box->err), expected);
}

#define NEW_PID "'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount'}]}"

/* Compiles mounts[] of a container with a pid namespace; `format` is what is in the brackets, and
 * {host} in it the directory for sources. */
static inline int try_mounts(struct box *box, const char *mounts)
{
	cleanup_free char *members = malloc(strlen(mounts) * 20 + 200);
	char *end = members + sprintf(members, NEW_PID ", 'mounts': [");

	for (const char *c = mounts; *c; c++) {
		if (strncmp(c, "{host}", 6) == 0) {
			end += sprintf(end, "%s", box->host);
			c += 5;
		} else {
			*end++ = *c;
		}
	}
	strcpy(end, "]");
	return try_members(box, members);
}

static inline void compile_mounts(struct box *box, const char *mounts)
{
	if (try_mounts(box, mounts) < 0)
		fail_msg("%s\n%s", error_text(&box->err), mounts);
}

static inline void assert_mounts_refused(struct box *box, const char *mounts, const char *expected)
{
	if (try_mounts(box, mounts) == 0)
		fail_msg("accepted: %s", mounts);
	assert_string_equal(error_text(&box->err), expected);
}

/* ---- what came of it ---- */

/* The value of the index'th item of that key, or NULL. */
static inline const char *item(const struct box *box, const char *key, size_t index)
{
	for (size_t i = 0; i < box->recipe.count; i++) {
		if (strcmp(box->recipe.items[i].key, key) == 0 && index-- == 0)
			return box->recipe.items[i].value;
	}
	return NULL;
}

static inline void assert_item(const struct box *box, const char *key, const char *expected)
{
	const char *value = item(box, key, 0);

	if (!value)
		fail_msg("no %s", key);
	assert_string_equal(value, expected);
	if (item(box, key, 1))
		fail_msg("a second %s: %s", key, item(box, key, 1));
}

/* All lxc.mount.entry items, one a line, {host} for the directory of sources. */
static inline char *entries(const struct box *box)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	const char *value;

	for (size_t i = 0; (value = item(box, "lxc.mount.entry", i)); i++) {
		const char *host = strstr(value, box->host);

		if (host)
			fprintf(out, "%.*s{host}%s\n", (int)(host - value), value,
				host + strlen(box->host));
		else
			fprintf(out, "%s\n", value);
	}
	fclose(out);
	return text;
}

/* The procfs that is stacked for init alone; see test_lxc_proc.c. */
#define PROC_FOR_INIT "proc proc proc nosuid,nodev,noexec 0 0\n"

static inline void assert_entries(const struct box *box, const char *expected)
{
	cleanup_free char *text = entries(box);

	assert_string_equal(text, expected);
}

static inline const struct plan *head(const struct box *box)
{
	return (const void *)box->plan.data;
}

static inline const char *plan_text(const struct box *box, plan_string offset)
{
	return offset ? box->plan.data + offset : NULL;
}

static inline const struct plan_mount *late(const struct box *box, size_t index)
{
	assert_true(index < head(box)->mounts.count);
	return (const struct plan_mount *)(const void *)(box->plan.data +
							 head(box)->mounts.offset) +
	       index;
}

static inline size_t late_count(const struct box *box)
{
	return head(box)->mounts.count;
}

/* ---- the root and the host ---- */

static inline void make_directory(const struct box *box, const char *path)
{
	assert_int_equal(mkdirat(box->root, path, 0755), 0);
}

static inline void make_link(const struct box *box, const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, box->root, path), 0);
}

static inline void make_file(const char *directory, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static inline void make_source(const struct box *box, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", box->host, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/* 'd', 'f' or 'l' in the root, '-' if it is not there, '?' if it is anything else. */
static inline char kind_of(const struct box *box, const char *path)
{
	struct stat st;

	if (fstatat(box->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return '-';
	return S_ISDIR(st.st_mode)   ? 'd'
	       : S_ISREG(st.st_mode) ? 'f'
	       : S_ISLNK(st.st_mode) ? 'l'
				     : '?';
}

/* Detached trees take rights over the mount namespace. */
static inline void needs_rights(void)
{
	cap_t own = cap_get_proc();
	cap_flag_value_t may = CAP_CLEAR;

	cap_get_flag(own, CAP_SYS_ADMIN, CAP_EFFECTIVE, &may);
	cap_free(own);
	if (may != CAP_SET) {
		print_message("skipped: open_tree(2) needs CAP_SYS_ADMIN\n");
		skip();
	}
}

#define IN_BOX(test) cmocka_unit_test_setup_teardown(test, box_make, box_remove)
