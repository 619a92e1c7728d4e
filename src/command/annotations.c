/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OCI has no field for, as annotations that stand for LXC's own keys: the interface of
 * network.interface, then the lines of lxc_config, which so have the last word. Whoever reads the
 * document applies them in its order. A name can be there once only; where a key comes again, "#2",
 * "#3" … is at the end of its annotation's name.
 */
#include "command/internal.h"

#include <string.h>

#include "base/cleanup.h"

#define LXC_PREFIX "org.linuxcontainers.lxc."

static void put_annotation(struct document *document, struct json_object *annotations,
			   const char *key, size_t key_length, struct json_object *value)
{
	cleanup_free char *name = NULL;
	bool again = true;

	for (int number = 1; again; number++) {
		char suffix[16] = "";

		if (number > 1)
			snprintf(suffix, sizeof(suffix), "#%d", number);
		free(name);
		if (asprintf(&name, LXC_PREFIX "%.*s%s", (int)key_length, key, suffix) < 0) {
			name = NULL;
			document->failed = true;
			json_object_put(value);
			return;
		}
		again = json_object_object_get_ex(annotations, name, NULL);
	}
	document_put(document, annotations, name, value);
}

static void put_item(struct document *document, struct json_object *annotations, const char *key,
		     const char *value)
{
	if (given(value))
		put_annotation(document, annotations, key, strlen(key),
			       json_object_new_string(value));
}

static void put_address(struct document *document, struct json_object *annotations, const char *key,
			const char *address, int prefix)
{
	char text[64];

	if (!given(address))
		return;
	snprintf(text, sizeof(text), "%s/%d", address, prefix);
	put_item(document, annotations, key, text);
}

static void put_interface(struct document *document, struct json_object *annotations,
			  const struct runlxc_command_interface *interface, int mtu)
{
	char number[16];

	put_item(document, annotations, "net.0.type", "veth");
	put_item(document, annotations, "net.0.link", interface->bridge);
	put_item(document, annotations, "net.0.flags", "up");
	put_item(document, annotations, "net.0.name", "eth0");
	snprintf(number, sizeof(number), "%d", mtu);
	put_item(document, annotations, "net.0.mtu", mtu ? number : NULL);
	put_item(document, annotations, "net.0.hwaddr", interface->mac);
	put_address(document, annotations, "net.0.ipv4.address", interface->ip,
		    interface->ip_prefix_len);
	put_item(document, annotations, "net.0.ipv4.gateway", interface->gateway);
	put_address(document, annotations, "net.0.ipv6.address", interface->global_ipv6,
		    interface->global_ipv6_prefix_len);
	put_address(document, annotations, "net.0.ipv6.address", interface->link_local_ipv6, 64);
	put_item(document, annotations, "net.0.ipv6.gateway", interface->ipv6_gateway);
	/* LXC has no key for it. */
	if (interface->hairpin_mode)
		document_put_text(document, annotations, "org.runlxc.net.0.hairpin", "1");
}

void command_put_annotations(struct document *document, struct json_object *config)
{
	const struct runlxc_command *command = document->command;
	const char *const *lines = command->lxc_config;
	struct json_object *annotations;

	if (!command->network.interface && !(lines && *lines))
		return;
	annotations = document_put(document, config, "annotations", json_object_new_object());
	if (!annotations)
		return;
	if (command->network.interface)
		put_interface(document, annotations, command->network.interface,
			      command->network.mtu);
	for (; lines && *lines; lines++) {
		struct lxc_line line;

		if (lxc_line_parse(*lines, &line) == 0)
			put_annotation(
			    document, annotations, line.key, line.key_length,
			    json_object_new_string_len(line.value, (int)line.value_length));
	}
}
