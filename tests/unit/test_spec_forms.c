/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as absent, what is tolerated, and the documents besides config.json. */
#include "test_spec.h"
#include "test_spec_everything.h"

#include <fcntl.h>
#include <unistd.h>

static void set_null(struct json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		json_object_object_add(object, key, NULL);
	}
}

static void null_is_the_same_as_absent(void **state)
{
	/* Every member of every object on the way to them is null once. */
	static const char *const parents[] = {
	    "",
	    "/root",
	    "/process",
	    "/process/consoleSize",
	    "/process/user",
	    "/process/scheduler",
	    "/process/capabilities",
	    "/process/execCPUAffinity",
	    "/mounts/1",
	    "/hooks",
	    "/hooks/prestart/0",
	    "/linux",
	    "/linux/timeOffsets",
	    "/linux/intelRdt",
	    "/linux/memoryPolicy",
	    "/linux/netDevices",
	    "/linux/resources",
	    "/linux/resources/devices/1",
	    "/linux/resources/memory",
	    "/linux/resources/cpu",
	    "/linux/resources/pids",
	    "/linux/resources/blockIO",
	    "/linux/resources/network",
	    "/linux/resources/rdma",
	    "/linux/resources/unified",
	    "/linux/seccomp",
	    "/annotations",
	    "/linux/sysctl",
	};

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		struct json_object *document = json_tokener_parse(everything), *parent = NULL;
		struct spec *spec;

		assert_int_equal(json_pointer_get(document, parents[i], &parent), 0);
		set_null(parent);
		if (!i)
			json_object_object_add(document, "ociVersion",
					       json_object_new_string("1.0.2"));
		spec = read_good(json_object_to_json_string(document));
		if (!i) {
			assert_false(spec->process.set);
			assert_null(spec->root.path);
			assert_int_equal(spec->mounts_count, 0);
			assert_false(spec->linux_.namespaces[SPEC_NS_PID].listed);
			assert_false(spec->linux_.seccomp.set);
			assert_null(spec->hooks[SPEC_HOOK_PRESTART].items);
		}
		assert_true(strcmp(parents[i], "/process/capabilities") ||
			    !spec->process.capabilities.sets[SPEC_CAP_BOUNDING].count);
		assert_true(strcmp(parents[i], "/linux/resources/pids") ||
			    !spec->linux_.resources.pids_limit.set);
		assert_true(strcmp(parents[i], "/annotations") || !spec->annotations.count);
		spec_free(spec);
		json_object_put(document);
	}
}

/* ---- every field, of another type ---- */

static void expect_named(struct json_object *document, const char *path)
{
	const char *text = json_object_to_json_string(document);
	struct error err = ERROR_INIT;
	cleanup_free char *start = NULL;

	assert_true(asprintf(&start, "config.json: %s: want ", path) > 0);
	if (spec_read_oci_text(text, strlen(text), "config.json", &err))
		fail_msg("%s was not looked at", path);
	if (strncmp(error_text(&err), start, strlen(start)))
		fail_msg("%s was called: %s", path, error_text(&err));
	error_clear(&err);
}

static struct json_object *other_type(struct json_object *value)
{
	if (json_object_is_type(value, json_type_int) ||
	    json_object_is_type(value, json_type_boolean))
		return json_object_new_string("x");
	return json_object_new_int(7);
}

/* Puts a value of another type in the place of each value below `parent`, one at a time. */
static void spoil(struct json_object *document, struct json_object *parent, const char *path)
{
	static const char *const foreign[] = {"windows",
					      "solaris",
					      "vm",
					      "zos",
					      "freebsd",
					      "org.example.unknown",
					      "process.user.username"};

	if (json_object_is_type(parent, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(parent); i++) {
			struct json_object *value =
			    json_object_get(json_object_array_get_idx(parent, i));
			cleanup_free char *name = NULL;

			assert_true(asprintf(&name, "%s[%zu]", path, i) > 0);
			spoil(document, value, name);
			json_object_array_put_idx(parent, i, other_type(value));
			expect_named(document, name);
			json_object_array_put_idx(parent, i, value);
		}
	} else if (json_object_is_type(parent, json_type_object)) {
		json_object_object_foreach(parent, key, member)
		{
			struct json_object *value = json_object_get(member);
			bool quoted = strchr(key, '.');
			cleanup_free char *name = NULL;
			bool known = true;

			assert_true(asprintf(&name,
					     quoted  ? "%s[\"%s\"]"
					     : *path ? "%s.%s"
						     : "%s%s",
					     path, key) > 0);
			for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
				known = known && strcmp(*path ? name : key, foreign[i]);
			if (known) {
				spoil(document, value, name);
				json_object_object_add(parent, key, other_type(value));
				expect_named(document, name);
			}
			json_object_object_add(parent, key, value);
		}
	}
}

static void every_field_is_looked_at_and_called_by_its_name(void **state)
{
	struct json_object *document = json_tokener_parse(everything);

	spoil(document, document, "");
	json_object_put(document);
}

static void an_empty_string_is_the_same_as_absent(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = read_config(
	    "{'ociVersion': '1.0.2', 'hostname': '', 'process': {'apparmorProfile': '', 'args':"
	    " ['']}, 'linux': {'cgroupsPath': '', 'namespaces': [{'type': 'pid', 'path': ''}]}}",
	    &err);

	assert_non_null(spec);
	assert_null(spec->hostname);
	assert_null(spec->process.apparmor_profile);
	assert_null(spec->linux_.cgroups_path);
	assert_true(spec->linux_.namespaces[SPEC_NS_PID].listed);
	assert_null(spec->linux_.namespaces[SPEC_NS_PID].path);
	assert_strings(&spec->process.args, "", NULL);
}

static void of_a_field_that_is_there_twice_the_last_one_holds(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = read_config(
	    "{'ociVersion': '1.0.2', 'hostname': 'a', 'hostname': 'b', 'annotations': {'k': '1',"
	    " 'k': '2'}}",
	    &err);

	assert_non_null(spec);
	assert_string_equal(spec->hostname, "b");
	assert_int_equal(spec->annotations.count, 1);
	assert_string_equal(spec_pairs_get(&spec->annotations, "k"), "2");
}

static void a_seccomp_section_that_asks_for_nothing_is_none(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = read_config(
	    "{'ociVersion': '1.0.2', 'linux': {'seccomp': {'architectures': ['SCMP_ARCH_X86']}}}",
	    &err);

	assert_non_null(spec);
	assert_false(spec->linux_.seccomp.set);
}

/* To the kernel's flags, an empty list is not the same as none. */
static void no_flags_of_seccomp_are_not_an_empty_list(void **state)
{
	static const struct {
		const char *text;
		bool set;
	} cases[] = {
	    {"{'ociVersion': '1.0.2', 'linux': {'seccomp': {'defaultAction': 'a'}}}", false},
	    {"{'ociVersion': '1.0.2', 'linux': {'seccomp': {'defaultAction': 'a', 'flags': null}}}",
	     false},
	    {"{'ociVersion': '1.0.2', 'linux': {'seccomp': {'defaultAction': 'a', 'flags': []}}}",
	     true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		cleanup_spec struct spec *spec = read_config(cases[i].text, &err);

		assert_non_null(spec);
		assert_int_equal(spec->linux_.seccomp.flags_set, cases[i].set);
	}
}

static void strings_are_bytes(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec = read_config(
	    "{'ociVersion': '1.0.2', 'process': {'args': ['\xff\xfe', '\\u00e9\\n\\\\']}}", &err);

	assert_non_null(spec);
	assert_strings(&spec->process.args, "\xff\xfe", "\xc3\xa9\n\\");
}

static void every_1_x_version_is_taken(void **state)
{
	static const char *const good[] = {"1.0.0", "1.0.2-dev", "1.0.0-rc5", "1.2.1+dev",
					   "1.99.0"};
	static const char *const bad[] = {"2.0.0",  "0.9.0", "1.0",    "1",	 "1.0.x",
					  "v1.0.0", "",	     "1.0.0 ", "10.0.0", "1..0"};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool want = i < ARRAY_SIZE(good);
		struct error err = ERROR_INIT;
		struct spec *spec;

		snprintf(text, sizeof(text), "{'ociVersion': '%s'}",
			 want ? good[i] : bad[i - ARRAY_SIZE(good)]);
		spec = read_config(text, &err);
		assert_true(want == (spec != NULL));
		if (!want)
			assert_ptr_equal(strstr(error_text(&err), "config.json: ociVersion: "),
					 error_text(&err));
		error_clear(&err);
		spec_free(spec);
	}
}

/* ---- the other documents, and files ---- */

static void a_process_document_fills_the_process_alone(void **state)
{
	char path[] = "/tmp/runlxc-test-XXXXXX";
	const char text[] = "{\"args\": [\"id\"], \"cwd\": \"tmp\", \"user\": {\"uid\": 3}}";
	struct error err = ERROR_INIT;
	int fd = mkstemp(path);
	struct spec *spec;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	spec = spec_read_process_file(AT_FDCWD, path, "process.json", &err);
	unlink(path);
	assert_non_null(spec);
	assert_true(spec->process.set);
	assert_int_equal(spec->process.user.uid, 3);
	assert_null(spec->root.path);
	/* Its fields are named as this document has them. */
	assert_int_equal(spec_validate_process(&spec->process, &err), -1);
	assert_string_equal(error_text(&err), "process.json: cwd: \"tmp\" is not an absolute path");
	error_clear(&err);
	spec_free(spec);
}

static void a_resources_document_fills_the_resources_alone(void **state)
{
	const char text[] = "{\"pids\": {\"limit\": 7}, \"unknown\": 1}";
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    spec_read_resources_text(text, strlen(text), "update", &err);

	assert_non_null(spec);
	assert_set(spec->linux_.resources.pids_limit, 7);
	assert_false(spec->process.set);
}

static void a_missing_file_is_named(void **state)
{
	struct error err = ERROR_INIT;

	assert_null(spec_read_oci_file(AT_FDCWD, "/no/such/config.json", "config.json", &err));
	assert_non_null(strstr(error_text(&err), "config.json"));
	assert_non_null(strstr(error_text(&err), "no such file or directory"));
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(null_is_the_same_as_absent),
	    cmocka_unit_test(every_field_is_looked_at_and_called_by_its_name),
	    cmocka_unit_test(an_empty_string_is_the_same_as_absent),
	    cmocka_unit_test(of_a_field_that_is_there_twice_the_last_one_holds),
	    cmocka_unit_test(a_seccomp_section_that_asks_for_nothing_is_none),
	    cmocka_unit_test(no_flags_of_seccomp_are_not_an_empty_list),
	    cmocka_unit_test(strings_are_bytes),
	    cmocka_unit_test(every_1_x_version_is_taken),
	    cmocka_unit_test(a_process_document_fills_the_process_alone),
	    cmocka_unit_test(a_resources_document_fills_the_resources_alone),
	    cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
