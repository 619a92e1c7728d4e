/* SPDX-License-Identifier: Apache-2.0 */
/* `network` of a Command, and the lines of `lxc_config`. */
#include "command/internal.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "state/state.h"

/* What the kernel takes for a veth (ETH_MIN_MTU, ETH_MAX_MTU). */
#define MTU_MIN 68
#define MTU_MAX 65535

/* ---- interface ---- */

static struct command_fault *at(struct command_fault *fault, const char *field)
{
	return fault_at(fault, "network.interface.%s", field);
}

/* The kernel's rule for a network device's name (dev_valid_name). */
static bool is_device_name(const char *name)
{
	return strlen(name) < IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..") &&
	       !name[strcspn(name, "/: \t\n\v\f\r")] && !command_has_control(name);
}

static int check_address(struct command_fault *fault, const char *field, int family,
			 const char *text, struct in6_addr *address)
{
	if (!given(text) || inet_pton(family, text, address) == 1)
		return 0;
	return fault_set(at(fault, field), "%s is not an %s address", quoted(text),
			 family == AF_INET ? "IPv4" : "IPv6");
}

static int check_prefix(struct command_fault *fault, const char *address_field, const char *address,
			const char *field, int length, int max)
{
	if (given(address) ? length < 1 || length > max : length < 0 || length > max)
		return fault_set(at(fault, field), "%d is not in %d to %d", length, given(address),
				 max);
	if (!given(address) && length)
		return fault_set(at(fault, address_field), "is missing beside %s", field);
	return 0;
}

static int check_mac(struct command_fault *fault, const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool valid = !given(text) || strlen(text) == strlen("00:00:00:00:00:00"), any = false;

	if (!given(text))
		return 0;
	for (size_t i = 0; valid && text[i]; i++) {
		valid = i % 3 == 2 ? text[i] == ':' : strchr(digits, text[i]) != NULL;
		any = any || (text[i] != '0' && text[i] != ':');
	}
	if (!valid)
		return fault_set(at(fault, "mac"),
				 "%s is not a hardware address (02:42:ac:11:00:02)", quoted(text));
	/* The lowest bit of the first byte, which the second digit has. */
	if (!any || strchr("13579bdfBDF", text[1]))
		return fault_set(at(fault, "mac"), "%s is not the address of one device",
				 quoted(text));
	return 0;
}

static int check_interface(const struct runlxc_command_interface *interface,
			   struct command_fault *fault)
{
	struct in6_addr address, link_local = IN6ADDR_ANY_INIT;

	if (!given(interface->bridge))
		return fault_set(at(fault, "bridge"), "is missing");
	if (!is_device_name(interface->bridge))
		return fault_set(at(fault, "bridge"), "%s is not the name of a network device",
				 quoted(interface->bridge));
	if (check_address(fault, "ip", AF_INET, interface->ip, &address) ||
	    check_prefix(fault, "ip", interface->ip, "ip_prefix_len", interface->ip_prefix_len,
			 32) ||
	    check_address(fault, "gateway", AF_INET, interface->gateway, &address) ||
	    check_mac(fault, interface->mac) ||
	    check_address(fault, "global_ipv6", AF_INET6, interface->global_ipv6, &address) ||
	    check_prefix(fault, "global_ipv6", interface->global_ipv6, "global_ipv6_prefix_len",
			 interface->global_ipv6_prefix_len, 128) ||
	    check_address(fault, "link_local_ipv6", AF_INET6, interface->link_local_ipv6,
			  &link_local) ||
	    check_address(fault, "ipv6_gateway", AF_INET6, interface->ipv6_gateway, &address))
		return -1;
	if (given(interface->link_local_ipv6) && !IN6_IS_ADDR_LINKLOCAL(&link_local))
		return fault_set(at(fault, "link_local_ipv6"), "%s is not in fe80::/10",
				 quoted(interface->link_local_ipv6));
	if (given(interface->gateway) && !given(interface->ip))
		return fault_set(at(fault, "ip"), "is missing beside gateway");
	return 0;
}

/* ---- network ---- */

int command_check_network(const struct runlxc_command_network *network, struct command_fault *fault)
{
	const struct {
		bool asked;
		const char *name;
	} ways[] = {
	    {network->interface, "interface"},
	    {given(network->container_id), "container_id"},
	    {given(network->namespace_path), "namespace_path"},
	    {network->host_networking, "host_networking"},
	};
	const char *chosen = NULL;

	fault_at(fault, "network");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (ways[i].asked && chosen)
			return fault_set(fault, "%s and %s exclude each other", chosen,
					 ways[i].name);
		if (ways[i].asked)
			chosen = ways[i].name;
	}
	/* The old driver's words, for who looks for them. */
	if (!chosen)
		return error_set(fault->err,
				 "empty network namespace path for non-container network: network: "
				 "one of interface, container_id, namespace_path and "
				 "host_networking is needed");
	if (network->mtu && (network->mtu < MTU_MIN || network->mtu > MTU_MAX))
		return fault_set(fault_at(fault, "network.mtu"), "%d is not in %d to %d",
				 network->mtu, MTU_MIN, MTU_MAX);
	if (network->interface)
		return check_interface(network->interface, fault);
	if (given(network->container_id) && state_id_check(network->container_id, fault->err) < 0)
		return error_prefix(fault->err, "%s",
				    fault_at(fault, "network.container_id")->path);
	if (given(network->namespace_path)) {
		const char *reason = command_path_fault(network->namespace_path);

		fault_at(fault, "network.namespace_path");
		/* It becomes an item of LXC's configuration, whose values end with their line. */
		if (!reason && strchr(network->namespace_path, '\n'))
			reason = "has a newline in it";
		if (reason)
			return fault_set(fault, "%s %s", quoted(network->namespace_path), reason);
	}
	return 0;
}

/* ---- lxc_config ---- */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static size_t trimmed_length(const char *text, size_t length)
{
	while (length && strchr(" \t", text[length - 1]))
		length--;
	return length;
}

int lxc_line_parse(const char *text, struct lxc_line *line)
{
	const char *key = skip_blanks(text), *equals = strchr(key, '=');
	size_t length = equals ? trimmed_length(key, (size_t)(equals - key)) : 0;

	if (strpbrk(text, "\r\n"))
		return -1;
	/* Whatever else is in a key, LXC decides. But '#' is ours: it counts repeated ones. */
	if (length <= 4 || strncmp(key, "lxc.", 4) || strcspn(key, " \t#") < length)
		return -1;
	line->key = key + 4;
	line->key_length = length - 4;
	line->value = skip_blanks(equals + 1);
	line->value_length = trimmed_length(line->value, strlen(line->value));
	return 0;
}

int command_check_lxc(const char *const *lines, struct command_fault *fault)
{
	struct lxc_line line;

	for (size_t i = 0; lines && lines[i]; i++) {
		if (lxc_line_parse(lines[i], &line) < 0)
			return fault_set(fault_at(fault, "lxc_config[%zu]", i),
					 "%s is not one line of \"lxc.KEY = VALUE\"",
					 quoted(lines[i]));
	}
	return 0;
}
