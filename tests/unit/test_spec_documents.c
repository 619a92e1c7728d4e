/* SPDX-License-Identifier: Apache-2.0 */
/* Whole documents: what the engines write (tests/data/engines), and what `runlxc spec` writes. */
#include "test_spec.h"

#include <dirent.h>
#include <fcntl.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

static int open_engines(void)
{
	const char *data = getenv("TEST_DATA");
	cleanup_free char *path = NULL;
	int fd;

	assert_true(asprintf(&path, "%s/engines", data ? data : TEST_DATA) > 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s is not there: set TEST_DATA", path);
	return fd;
}

/* The namespaces that an engine's config.json joins are gone; any file is as good for validation.
 */
static void forget_joined_namespaces(struct spec *spec)
{
	static char any[] = "/dev/null";

	for (int type = 0; type < SPEC_NS_TYPES; type++) {
		if (spec->linux_.namespaces[type].path)
			spec->linux_.namespaces[type].path = any;
	}
}

static struct spec *read_resources_file(int dir, const char *name, struct error *err)
{
	cleanup_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t length = read(fd, text, sizeof(text));

	assert_true(length > 0 && length < (ssize_t)sizeof(text));
	return spec_read_resources_text(text, (size_t)length, name, err);
}

/* Calls check() for every document whose name has `kind` in it; there must be some. */
static void for_each(const char *kind, int (*check)(int dir, const char *name, struct error *err))
{
	cleanup_close int fd = open_engines();
	cleanup_closedir DIR *dir = fdopendir(dup(fd));
	struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct error err = ERROR_INIT;

		if (!strstr(entry->d_name, kind))
			continue;
		count++;
		if (check(fd, entry->d_name, &err))
			fail_msg("%s", error_text(&err));
	}
	assert_true(count > 1);
}

static int check_config(int dir, const char *name, struct error *err)
{
	cleanup_spec struct spec *spec = spec_read_oci_file(dir, name, name, err);

	if (!spec)
		return -1;
	assert_true(spec->process.args.count > 0);
	assert_true(spec->mounts_count > 0);
	assert_true(spec->linux_.namespaces[SPEC_NS_MOUNT].listed);
	forget_joined_namespaces(spec);
	return spec_validate(spec, err);
}

static int check_process(int dir, const char *name, struct error *err)
{
	cleanup_spec struct spec *spec = spec_read_process_file(dir, name, name, err);

	return spec ? spec_validate_process(&spec->process, err) : -1;
}

static int check_resources(int dir, const char *name, struct error *err)
{
	cleanup_spec struct spec *spec = read_resources_file(dir, name, err);

	return spec ? spec_validate_resources(&spec->linux_.resources, err) : -1;
}

static void every_engines_config_is_read_and_valid(void **state)
{
	for_each("-config-", check_config);
}

static void every_engines_process_is_read_and_valid(void **state)
{
	for_each("-process-", check_process);
}

static void every_engines_resources_are_read_and_valid(void **state)
{
	for_each("-resources-", check_resources);
}

/* A few values, so that "read" means something. */
static void an_update_of_podman_and_cri_is_understood(void **state)
{
	cleanup_close int dir = open_engines();
	struct error err = ERROR_INIT;
	struct spec *spec = read_resources_file(dir, "cri-resources-1.json", &err);

	assert_non_null(spec);
	assert_int_equal(spec->linux_.resources.devices_count, 1);
	assert_true(spec->linux_.resources.cpu.shares.set);
	assert_int_equal(spec->linux_.resources.cpu.shares.value, 512);
	assert_int_equal(spec->linux_.resources.memory.limit.value, 67108864);
	spec_free(spec);

	spec = read_resources_file(dir, "docker-resources-1.json", &err);
	assert_non_null(spec);
	assert_int_equal(spec->linux_.resources.pids_limit.value, 50);
	assert_true(spec->linux_.resources.block_io.weight.set);
	assert_int_equal(spec->linux_.resources.block_io.weight.value, 0);
	spec_free(spec);
}

/* ---- the default ---- */

static struct spec *read_default(bool rootless)
{
	struct error err = ERROR_INIT;
	cleanup_free char *text = spec_default_text(rootless, 1000, 1001, &err);
	struct spec *spec;

	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	spec = spec_read_oci_text(text, strlen(text), "config.json", &err);
	if (!spec || spec_validate(spec, &err))
		fail_msg("%s", error_text(&err));
	return spec;
}

static const struct spec_mount *find_mount(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mounts_count; i++) {
		if (!strcmp(spec->mounts[i].destination, destination))
			return &spec->mounts[i];
	}
	fail_msg("no mount on %s", destination);
	return NULL;
}

static bool has(const struct spec_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++) {
		if (!strcmp(strings->items[i], text))
			return true;
	}
	return false;
}

static void the_default_is_runcs(void **state)
{
	cleanup_spec struct spec *spec = read_default(false);
	const struct spec_process *process = &spec->process;

	assert_string_equal(spec->oci_version, SPEC_OCI_VERSION);
	assert_string_equal(spec->root.path, "rootfs");
	assert_true(spec->root.readonly);
	assert_string_equal(spec->hostname, "runlxc");
	assert_true(process->terminal && process->no_new_privileges);
	assert_int_equal(process->args.count, 1);
	assert_string_equal(process->args.items[0], "sh");
	assert_string_equal(process->cwd, "/");
	assert_int_equal(process->env.count, 2);
	for (int set = 0; set < SPEC_CAP_SETS; set++)
		assert_int_equal(process->capabilities.sets[set].count,
				 set == SPEC_CAP_INHERITABLE ? 0 : 3);
	assert_int_equal(process->rlimits_count, 1);
	assert_int_equal(process->rlimits[0].hard, 1024);
	assert_int_equal(spec->mounts_count, 7);
	assert_true(has(&find_mount(spec, "/dev/pts")->options, "gid=5"));
	assert_string_equal(find_mount(spec, "/sys")->type, "sysfs");
	assert_int_equal(spec->linux_.resources.devices_count, 1);
	assert_false(spec->linux_.resources.devices[0].allow);
	assert_true(spec->linux_.namespaces[SPEC_NS_NETWORK].listed);
	assert_false(spec->linux_.namespaces[SPEC_NS_USER].listed);
	assert_int_equal(spec->linux_.masked_paths.count, 10);
	assert_int_equal(spec->linux_.readonly_paths.count, 5);
}

static void the_rootless_default_maps_its_caller(void **state)
{
	cleanup_spec struct spec *spec = read_default(true);
	const struct spec_mount *sys = find_mount(spec, "/sys");

	assert_true(spec->linux_.namespaces[SPEC_NS_USER].listed);
	assert_false(spec->linux_.namespaces[SPEC_NS_NETWORK].listed);
	assert_int_equal(spec->linux_.uid_mappings.count, 1);
	assert_int_equal(spec->linux_.uid_mappings.items[0].host_id, 1000);
	assert_int_equal(spec->linux_.gid_mappings.items[0].host_id, 1001);
	assert_int_equal(spec->linux_.gid_mappings.items[0].container_id, 0);
	assert_int_equal(spec->linux_.gid_mappings.items[0].size, 1);
	assert_int_equal(spec->mounts_count, 7);
	assert_false(has(&find_mount(spec, "/dev/pts")->options, "gid=5"));
	assert_true(has(&find_mount(spec, "/dev/pts")->options, "mode=0620"));
	assert_string_equal(sys->type, "none");
	assert_string_equal(sys->source, "/sys");
	assert_true(has(&sys->options, "rbind"));
	assert_int_equal(spec->linux_.resources.devices_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_engines_config_is_read_and_valid),
	    cmocka_unit_test(every_engines_process_is_read_and_valid),
	    cmocka_unit_test(every_engines_resources_are_read_and_valid),
	    cmocka_unit_test(an_update_of_podman_and_cri_is_understood),
	    cmocka_unit_test(the_default_is_runcs),
	    cmocka_unit_test(the_rootless_default_maps_its_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
