/* SPDX-License-Identifier: Apache-2.0 */
/* What cgroupsPath and annotations mean to systemd. */
#include "test_spec.h"

#include "systemd/systemd.h"

/* ---- names ---- */

static void is_placed(const char *path, bool user, const char *slice, const char *scope,
		      const char *cgroup)
{
	cleanup_place struct systemd_place place;
	struct error err = ERROR_INIT;

	if (systemd_place_from(path, "box", user, &place, &err) < 0)
		fail_msg("%s: %s", path ? path : "(none)", error_text(&err));
	assert_string_equal(place.slice, slice);
	assert_string_equal(place.scope, scope);
	assert_string_equal(place.path, cgroup);
}

static void is_refused(const char *path, const char *message)
{
	cleanup_place struct systemd_place place;
	struct error err = ERROR_INIT;

	if (systemd_place_from(path, "box", false, &place, &err) == 0)
		fail_msg("%s is taken", path);
	assert_string_equal(error_text(&err), message);
	error_clear(&err);
}

static void what_is_not_said_is_a_default(void **state)
{
	(void)state;
	is_placed(NULL, false, "system.slice", "runlxc-box.scope",
		  "/system.slice/runlxc-box.scope");
	is_placed("", true, "user.slice", "runlxc-box.scope", "/user.slice/runlxc-box.scope");
	is_placed(":docker:1234", false, "system.slice", "docker-1234.scope",
		  "/system.slice/docker-1234.scope");
	is_placed(":libpod:1234", true, "user.slice", "libpod-1234.scope",
		  "/user.slice/libpod-1234.scope");
	/* As runc: an empty prefix is one. */
	is_placed("machine.slice::1234", false, "machine.slice", "-1234.scope",
		  "/machine.slice/-1234.scope");
}

static void each_dash_of_a_slice_is_a_step_down(void **state)
{
	(void)state;
	is_placed("a-bc-d.slice:p:n", false, "a-bc-d.slice", "p-n.scope",
		  "/a.slice/a-bc.slice/a-bc-d.slice/p-n.scope");
	is_placed("-.slice:p:n", false, "-.slice", "p-n.scope", "/p-n.scope");
	is_placed("kubepods-besteffort-pod1_2.slice:cri-containerd:n", false,
		  "kubepods-besteffort-pod1_2.slice", "cri-containerd-n.scope",
		  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/"
		  "cri-containerd-n.scope");
}

#define FIELD "linux.cgroupsPath: "
#define FORMAT                                                                                     \
	FIELD "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, "   \
	      "got \""

static void what_is_not_in_three_parts(void **state)
{
	(void)state;
	is_refused("/docker/box", FORMAT "/docker/box\" instead");
	is_refused("system.slice:box", FORMAT "system.slice:box\" instead");
	is_refused("a:b:c:d", FORMAT "a:b:c:d\" instead");
	is_refused("system.slice:docker:", FIELD "\"system.slice:docker:\": the name is empty");
}

static void what_is_no_slice(void **state)
{
	(void)state;
	is_refused("system:p:n", FIELD "invalid slice name: \"system\"");
	is_refused(".slice:p:n", FIELD "invalid slice name: \".slice\"");
	is_refused("-a.slice:p:n", FIELD "invalid slice name: \"-a.slice\"");
	is_refused("a-.slice:p:n", FIELD "invalid slice name: \"a-.slice\"");
	is_refused("a--b.slice:p:n", FIELD "invalid slice name: \"a--b.slice\"");
	is_refused("../a.slice:p:n", FIELD "invalid slice name: \"../a.slice\"");
	is_refused("a.slice/b.slice:p:n", FIELD "invalid slice name: \"a.slice/b.slice\"");
	is_refused("a.slice:p:b.slice",
		   FIELD "\"b.slice\" is a slice, which can't have processes of a container");
}

static void what_is_no_name_of_a_unit(void **state)
{
	char path[400], message[500];

	(void)state;
	is_refused("a.slice:p:../n",
		   FIELD "\"p-../n.scope\" can't be the name of a unit of systemd's");
	is_refused("a.slice:p:n m",
		   FIELD "\"p-n m.scope\" can't be the name of a unit of systemd's");
	is_refused("a.slice:p@:n", FIELD "\"p@-n.scope\" can't be the name of a unit of systemd's");
	snprintf(path, sizeof(path), "a.slice:p:%0250d", 0);
	snprintf(message, sizeof(message),
		 FIELD "\"p-%0250d.scope\" can't be the name of a unit of systemd's", 0);
	is_refused(path, message);
}

/* ---- annotations ---- */

static struct spec *spec_with(const char *annotations)
{
	cleanup_free char *patch = NULL, *text = NULL;
	struct error err = ERROR_INIT;
	struct spec *spec;

	assert_true(asprintf(&patch, "{'annotations': {%s}}", annotations) > 0);
	text = config_with(patch);
	spec = spec_read_oci_text(text, strlen(text), "config.json", &err);
	if (!spec)
		fail_msg("%s", error_text(&err));
	return spec;
}

static void annotations_are_properties(void **state)
{
	cleanup_properties struct properties properties = PROPERTIES_INIT;
	struct error err = ERROR_INIT;
	cleanup_spec struct spec *spec =
	    spec_with("'org.systemd.property.CollectMode': '\\u0027inactive\\u0027',"
		      " 'org.example.other': '1',"
		      " 'org.systemd.property.TimeoutStopUSec': 'uint64 5',"
		      " 'org.systemd.property.After': '[\\u0027a.service\\u0027]'");

	(void)state;
	assert_int_equal(systemd_properties_from_annotations(spec, &properties, &err), 0);
	assert_int_equal(properties.count, 3);
	assert_string_equal(properties.items[0].name, "CollectMode");
	assert_string_equal(properties.items[0].value.text, "inactive");
	assert_string_equal(properties.items[1].name, "TimeoutStopUSec");
	assert_int_equal(properties.items[1].value.type, 't');
	assert_int_equal(properties.items[1].value.number, 5);
	assert_string_equal(properties.items[2].value.element, "s");
}

static void seconds_become_microseconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t expected;
	} cases[] = {{"5", 5000000},	     {"uint64 3", 3000000},
		     {"1.5", 1500000},	     {"byte 7", 7000000},
		     {"int16 2", 2000000},   {"uint32 1", 1000000},
		     {"int64 40", 40000000}, {"0", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_properties struct properties properties = PROPERTIES_INIT;
		struct error err = ERROR_INIT;
		cleanup_free char *annotation = NULL;
		cleanup_spec struct spec *spec = NULL;

		assert_true(asprintf(&annotation, "'org.systemd.property.TimeoutStopSec': '%s'",
				     cases[i].text) > 0);
		spec = spec_with(annotation);
		assert_int_equal(systemd_properties_from_annotations(spec, &properties, &err), 0);
		assert_string_equal(properties.items[0].name, "TimeoutStopUSec");
		assert_int_equal(properties.items[0].value.type, 't');
		assert_int_equal(properties.items[0].value.number, cases[i].expected);
	}
}

static void a_bad_annotation_is_named(void **state)
{
	static const struct {
		const char *annotation, *message;
	} cases[] = {
	    {"'org.systemd.property.Ab': '1'", "annotations[\"org.systemd.property.Ab\"]: \"1\": "
					       "\"Ab\" can't be the name of a property"},
	    {"'org.systemd.property.A_b1': '1'",
	     "annotations[\"org.systemd.property.A_b1\"]: \"1\": \"A_b1\" can't be the name of a "
	     "property"},
	    {"'org.systemd.property.After': 'x.service'",
	     "annotations[\"org.systemd.property.After\"]: \"x.service\": There is no value that "
	     "can be read at \"x.service\""},
	    {"'org.systemd.property.TimeoutStopSec': '-1'",
	     "annotations[\"org.systemd.property.TimeoutStopSec\"]: \"-1\": it is no number of "
	     "seconds"},
	    {"'org.systemd.property.TimeoutStopSec': 'true'",
	     "annotations[\"org.systemd.property.TimeoutStopSec\"]: \"true\": it is no number of "
	     "seconds"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_properties struct properties properties = PROPERTIES_INIT;
		cleanup_spec struct spec *spec = spec_with(cases[i].annotation);
		struct error err = ERROR_INIT;

		assert_int_equal(systemd_properties_from_annotations(spec, &properties, &err), -1);
		assert_string_equal(error_text(&err), cases[i].message);
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_said_is_a_default),
	    cmocka_unit_test(each_dash_of_a_slice_is_a_step_down),
	    cmocka_unit_test(what_is_not_in_three_parts),
	    cmocka_unit_test(what_is_no_slice),
	    cmocka_unit_test(what_is_no_name_of_a_unit),
	    cmocka_unit_test(annotations_are_properties),
	    cmocka_unit_test(seconds_become_microseconds),
	    cmocka_unit_test(a_bad_annotation_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
