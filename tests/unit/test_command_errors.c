/* SPDX-License-Identifier: Apache-2.0 */
/* What is no Command: each error names the field by its path, and the line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "test_command.h"

/* A Command with `members` on the lines from 5 on. */
static char *document(const char *members)
{
	char *text = NULL;

	assert_true(asprintf(&text,
			     "{\n\"rootfs\": \"/r\",\n"
			     "\"process_config\": {\"entrypoint\": \"x\"},\n"
			     "\"network\": {\"host_networking\": true},\n%s\n}",
			     members) > 0);
	return text;
}

static void assert_error(const char *text, const char *expected)
{
	struct error err = ERROR_INIT;
	struct runlxc_command *command = command_read(text, strlen(text), "command.json", &err);

	if (command)
		fail_msg("not refused: %s", expected);
	assert_string_equal(error_text(&err), expected);
	error_clear(&err);
}

static void assert_member_error(const char *members, const char *expected)
{
	char *text = document(members);

	assert_error(text, expected);
	free(text);
}

static void test_unknown_fields_everywhere(void **state)
{
	assert_member_error("\"rootfz\": 1", "command.json:5: rootfz: unknown field");
	assert_member_error("\"pid\": {\n\"host\": true}",
			    "command.json:6: pid.host: unknown field");
	assert_member_error("\"mounts\": [{\"source\": \"/a\",\n\"destination\": \"/b\"},\n"
			    "{\"target\": \"/c\"}]",
			    "command.json:7: mounts[1].target: unknown field");
	assert_member_error("\"resources\": {\"rlimits\": [\n{\"name\": \"nofile\"}]}",
			    "command.json:6: resources.rlimits[0].name: unknown field");
	assert_error("{\"network\": {\"interface\": {\"bridge\": \"br0\",\n\n"
		     "\"ip_adress\": \"10.0.0.2\"}}}",
		     "command.json:3: network.interface.ip_adress: unknown field");
}

static void test_an_unknown_field_with_a_strange_name(void **state)
{
	assert_member_error("\"\\u0078.y\\n\": 1", "command.json:5: [\"x.y\\x0a\"]: unknown field");
}

static void test_wrong_types(void **state)
{
	assert_member_error("\"id\":\n5", "command.json:5: id: want a string, found a number");
	assert_member_error("\"readonly_rootfs\": 1",
			    "command.json:5: readonly_rootfs: want a boolean, found a number");
	assert_member_error("\"mounts\": {}",
			    "command.json:5: mounts: want an array, found an object");
	assert_member_error("\"mounts\": [\nnull]",
			    "command.json:6: mounts[0]: want an object, found null");
	assert_member_error("\"cap_add\": [\"KILL\",\n7]",
			    "command.json:6: cap_add[1]: want a string, found a number");
	assert_member_error("\"resources\": []",
			    "command.json:5: resources: want an object, found an array");
	assert_member_error(
	    "\"resources\": {\"memory\": 1.5}",
	    "command.json:5: resources.memory: want an integer, found a fraction or "
	    "an exponent");
	assert_member_error(
	    "\"container_pid\": 4294967296",
	    "command.json:5: container_pid: 4294967296 is out of range (-2147483648 "
	    "to 2147483647)");
	assert_member_error("\"allowed_devices\": [{\"type\": \"char\"}]",
			    "command.json:5: allowed_devices[0].type: \"char\" is not one letter");
	assert_error("[]", "command.json:1: want an object, found an array");
}

static void test_values_out_of_range(void **state)
{
	assert_member_error("\"resources\": {\n\"cpu_shares\": 1}",
			    "command.json:6: resources.cpu_shares: 1 is not in 2 to 262144");
	assert_member_error("\"resources\": {\"blkio_weight\": 1001}",
			    "command.json:5: resources.blkio_weight: 1001 is not in 10 to 1000");
	assert_member_error("\"resources\": {\"memory_swappiness\": 101}",
			    "command.json:5: resources.memory_swappiness: 101 is not in 0 to 100");
	assert_member_error("\"resources\": {\"memory\": 100,\n\"memory_swap\": 99}",
			    "command.json:6: resources.memory_swap: 99 is less than memory (100)");
	assert_member_error("\"autocreated_devices\": [\n{\"type\": \"c\", \"path\": \"/dev/a\",\n"
			    "\"major\": 4096}]",
			    "command.json:7: autocreated_devices[0].major: 4096 is not in 0 to "
			    "4095");
}

static void test_a_missing_member_is_told_with_its_objects_line(void **state)
{
	assert_member_error("\"mounts\": [\n{\"source\": \"/a\"}]",
			    "command.json:6: mounts[0].destination: is missing");
	assert_error("{\n\"network\": {\"host_networking\": true},\n\"rootfs\": \"/r\"}",
		     "command.json:1: process_config.entrypoint: is missing");
	assert_error("{\"rootfs\": \"/r\",\n\"process_config\": {},\n"
		     "\"network\": {\"host_networking\": true}}",
		     "command.json:2: process_config.entrypoint: is missing");
	assert_error("\n{}", "command.json:2: rootfs: is missing");
}

static void test_no_network_is_refused_in_the_old_words(void **state)
{
	static const char words[] = "empty network namespace path for non-container network: "
				    "network: one of interface, container_id, namespace_path and "
				    "host_networking is needed";
	char text[256];

	snprintf(text, sizeof(text), "command.json:1: %s", words);
	assert_error("{\"rootfs\": \"/r\"}", text);
	snprintf(text, sizeof(text), "command.json:2: %s", words);
	assert_error("{\"rootfs\": \"/r\",\n\"network\": {\"mtu\": 1500, \"container_id\": \"\"}}",
		     text);
}

static void test_bad_addresses(void **state)
{
	static const struct {
		const char *member, *error;
	} cases[] = {
	    {"\"ip\": \"10.0.0\"", "ip: \"10.0.0\" is not an IPv4 address"},
	    {"\"ip\": \"10.0.0.1/24\"", "ip: \"10.0.0.1/24\" is not an IPv4 address"},
	    {"\"ip\": \"10.0.0.1\"", "ip_prefix_len: 0 is not in 1 to 32"},
	    {"\"ip\": \"10.0.0.1\", \"ip_prefix_len\": 33", "ip_prefix_len: 33 is not in 1 to 32"},
	    {"\"ip_prefix_len\": 8", "ip: is missing beside ip_prefix_len"},
	    {"\"gateway\": \"fe80::1\"", "gateway: \"fe80::1\" is not an IPv4 address"},
	    {"\"gateway\": \"10.0.0.1\"", "ip: is missing beside gateway"},
	    {"\"mac\": \"02:42:ac:11:00\"", "mac: \"02:42:ac:11:00\" is not a hardware address "
					    "(02:42:ac:11:00:02)"},
	    {"\"mac\": \"01:42:ac:11:00:02\"",
	     "mac: \"01:42:ac:11:00:02\" is not the address of one device"},
	    {"\"global_ipv6\": \"10.0.0.1\"", "global_ipv6: \"10.0.0.1\" is not an IPv6 address"},
	    {"\"global_ipv6\": \"2001:db8::1\", \"global_ipv6_prefix_len\": 129",
	     "global_ipv6_prefix_len: 129 is not in 1 to 128"},
	    {"\"link_local_ipv6\": \"2001:db8::1\"",
	     "link_local_ipv6: \"2001:db8::1\" is not in fe80::/10"},
	    {"\"ipv6_gateway\": \"::x\"", "ipv6_gateway: \"::x\" is not an IPv6 address"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512], expected[256];

		snprintf(text, sizeof(text),
			 "{\"rootfs\": \"/r\", \"network\": {\"interface\": "
			 "{\"bridge\": \"br0\", %s}}}",
			 cases[i].member);
		snprintf(expected, sizeof(expected), "command.json:1: network.interface.%s",
			 cases[i].error);
		assert_error(text, expected);
	}
}

static void test_text_that_is_not_json(void **state)
{
	assert_error("{\n\"id\": }", "command.json: line 2, column 7: unexpected character");
	assert_error("", "command.json: line 1, column 1: truncated: the text ends early");
}

static void test_bytes_that_are_not_utf8(void **state)
{
	assert_member_error("\"id\": \"a\",\n\"cgroup_parent\": \"/\xff\"",
			    "command.json:6: the text is not UTF-8");
	assert_member_error("\"cgroup_parent\": \"\xc0\xaf\"",
			    "command.json:5: the text is not UTF-8");
	assert_member_error("\"cgroup_parent\": \"\xed\xa0\x80\"",
			    "command.json:5: the text is not UTF-8");
	assert_member_error("\"cgroup_parent\": \"a\xf0\x9f\x98\"",
			    "command.json:5: the text is not UTF-8");
}

static void test_half_a_character(void **state)
{
	static const char expected[] =
	    "command.json:5: the text has half of a character in it (a surrogate)";

	assert_member_error("\"cgroup_parent\": \"\\ud83dx\"", expected);
	assert_member_error("\"cgroup_parent\": \"\\uDE00\"", expected);
	assert_member_error("\"cgroup_parent\": \"\\\\\\ud83d\\u0041\"", expected);
}

static void test_a_nul(void **state)
{
	assert_member_error("\"cgroup_parent\": \"a\\u0000b\"",
			    "command.json:5: cgroup_parent: has a NUL character in it");
}

static void test_only_a_missing_id_is_left_to_the_caller(void **state)
{
	assert_member_error("\"id\": \"a/b\"",
			    "command.json:5: id: invalid container id format: byte 0x2f after "
			    "\"a\": only letters, digits and _+.- are allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unknown_fields_everywhere),
	    cmocka_unit_test(test_an_unknown_field_with_a_strange_name),
	    cmocka_unit_test(test_wrong_types),
	    cmocka_unit_test(test_values_out_of_range),
	    cmocka_unit_test(test_a_missing_member_is_told_with_its_objects_line),
	    cmocka_unit_test(test_no_network_is_refused_in_the_old_words),
	    cmocka_unit_test(test_bad_addresses),
	    cmocka_unit_test(test_text_that_is_not_json),
	    cmocka_unit_test(test_bytes_that_are_not_utf8),
	    cmocka_unit_test(test_half_a_character),
	    cmocka_unit_test(test_a_nul),
	    cmocka_unit_test(test_only_a_missing_id_is_left_to_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
