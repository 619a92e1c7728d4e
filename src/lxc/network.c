/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: lxc.net.N.*, as annotations ask for them. LXC makes them, and the kernel takes them
 * away with the container's network namespace. What is done here is what LXC can't: names for the
 * host's ends that tell whose they are, so that none is ever left; hairpin mode; errors before
 * anything is made, which name the annotation.
 */
#include "lxc/network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "lxc/raw.h"

#define PREFIX "lxc.net."
#define HAIRPIN "org.runlxc.net."
/* The number goes into the name of the host's end, which has room for two digits. */
#define NETWORKS 100

/* "lxc.net.3.link" → 3 and "link"; -1: not of that form. */
static int split(const char *key, const char **subkey)
{
	size_t digits;

	if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
		return -1;
	key += strlen(PREFIX);
	digits = strspn(key, "0123456789");
	if (!digits || digits > 2 || key[digits] != '.' || !key[digits + 1])
		return -1;
	*subkey = key + digits + 1;
	return atoi(key);
}

/* ---- checks ---- */

/* Six bytes in hexadecimal; LXC puts a random digit for an "x". */
static bool is_hardware_address(const char *text)
{
	int i;

	for (i = 0; i < 17; i++)
		if (i % 3 == 2
			? text[i] != ':'
			: !isxdigit((unsigned char)text[i]) && text[i] != 'x' && text[i] != 'X')
			return false;
	return !text[17];
}

/* The lowest bit of the first byte; LXC keeps it clear in a random digit. */
static bool is_multicast(const char *text)
{
	return strchr("13579bdfBDF", text[1]) != NULL;
}

static int check_name(const struct raw_item *item, struct error *err)
{
	/* dev_valid_name() of the kernel */
	if (!*item->value || strlen(item->value) >= IFNAMSIZ || strpbrk(item->value, "/: \t") ||
	    strcmp(item->value, ".") == 0 || strcmp(item->value, "..") == 0)
		return raw_fail(item, err, "\"%s\" is not the name of an interface", item->value);
	return 0;
}

int raw_network(struct raw_state *state, const struct raw_item *item, struct error *err)
{
	const struct spec_namespace *own = &state->spec->linux_.namespaces[SPEC_NS_NETWORK];
	const char *subkey;
	unsigned long long mtu;

	if (split(item->key, &subkey) < 0)
		return raw_fail(item, err,
				"%s is not an LXC key; networks are numbered from lxc.net.0 to "
				"lxc.net.%d",
				item->key, NETWORKS - 1);
	if (!own->listed || own->path)
		return raw_fail(item, err,
				"needs a new network namespace in linux.namespaces; this one is %s",
				own->path ? "joined" : "the host's");
	if (strcmp(subkey, "script.down") == 0)
		return raw_fail(item, err,
				"%s can't be set in a container of runlxc; use hooks.poststop",
				item->key);
	if (strcmp(subkey, "type") == 0 && strcmp(item->value, "none") == 0)
		return raw_fail(item, err,
				"for the host's network leave the network namespace out of "
				"linux.namespaces");
	if (strcmp(subkey, "hwaddr") == 0 && !is_hardware_address(item->value))
		return raw_fail(item, err, "\"%s\" is not a hardware address", item->value);
	if (strcmp(subkey, "hwaddr") == 0 && is_multicast(item->value))
		return raw_fail(item, err, "\"%s\" is a multicast address", item->value);
	/* LXC takes any word there, and does nothing. */
	if (strcmp(subkey, "flags") == 0 && *item->value && strcmp(item->value, "up") != 0)
		return raw_fail(item, err, "\"%s\" is not \"up\"", item->value);
	if (strcmp(subkey, "mtu") == 0 && raw_number(item, 65535, &mtu, err) == 0)
		return mtu >= 68 ? 0 : raw_fail(item, err, "%llu is less than 68", mtu);
	if (strcmp(subkey, "mtu") == 0)
		return -1;
	if (strcmp(subkey, "name") == 0 || strcmp(subkey, "veth.pair") == 0)
		return check_name(item, err);
	if (strcmp(subkey, "link") == 0) {
		if (check_name(item, err) < 0)
			return -1;
		if (!if_nametoindex(item->value))
			return raw_fail(item, err, "the host has no interface \"%s\"", item->value);
	}
	return 0;
}

/* LXC 5.0 computes the broadcast address from nothing but the prefix: 0.0.0.255. Where none is
 * given behind the address, we do. */
const char *network_value(struct arena *arena, const char *key, const char *value)
{
	char text[INET_ADDRSTRLEN], broadcast[INET_ADDRSTRLEN];
	struct in_addr address;
	unsigned int prefix;
	const char *subkey;
	int end = 0;

	if (split(key, &subkey) < 0 || strcmp(subkey, "ipv4.address") != 0 ||
	    sscanf(value, "%15[0-9.]/%u%n", text, &prefix, &end) != 2 || value[end] ||
	    prefix > 30 || inet_pton(AF_INET, text, &address) != 1)
		return value;
	address.s_addr |= htonl(UINT32_MAX >> prefix);
	inet_ntop(AF_INET, &address, broadcast, sizeof(broadcast));
	return arena_printf(arena, "%s %s", value, broadcast);
}

/* ---- names for the host's ends ---- */

static uint64_t hash(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *bytes = data;
	size_t i;

	/* FNV-1a: short, and the same whoever asks */
	for (i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void lxc_network_prefix(int root, const char *id, char prefix[LXC_NETWORK_PREFIX])
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	struct stat st;

	/* An id is unique below one state root, which has many paths and one inode. */
	if (fstat(root, &st) == 0) {
		value = hash(value, &st.st_dev, sizeof(st.st_dev));
		value = hash(value, &st.st_ino, sizeof(st.st_ino));
	}
	value = hash(value, id, strlen(id));
	snprintf(prefix, LXC_NETWORK_PREFIX, "rl%010" PRIx64,
		 (value ^ value >> 40) & UINT64_C(0xffffffffff));
}

static const char *find(const struct lxc_recipe *recipe, int network, const char *subkey)
{
	const char *value = NULL, *found;
	size_t i;

	/* The last one counts. */
	for (i = 0; i < recipe->count; i++)
		if (split(recipe->items[i].key, &found) == network && strcmp(found, subkey) == 0)
			value = recipe->items[i].value;
	return value;
}

void lxc_network_forget(int root, const char *id)
{
	struct if_nameindex *all = if_nameindex(), *one;
	char prefix[LXC_NETWORK_PREFIX];

	lxc_network_prefix(root, id, prefix);
	/* The name is of this one container, so nobody else's interface has it. The other end, in
	 * whatever namespace it is, goes along. */
	for (one = all; one && one->if_index; one++)
		if (strncmp(one->if_name, prefix, strlen(prefix)) == 0)
			rtnetlink_delete(one->if_index);
	if (all)
		if_freenameindex(all);
}

bool lxc_network_asked(const char *annotations)
{
	return annotations && strstr(annotations, LXC_RAW_PREFIX "net");
}

/* ---- hairpin mode ---- */

/* "org.runlxc.net.0.hairpin" → 0; -1: another annotation. */
static int hairpin_network(const char *annotation)
{
	char *end;
	long network;

	if (strncmp(annotation, HAIRPIN, strlen(HAIRPIN)) != 0)
		return -1;
	annotation += strlen(HAIRPIN);
	network = strtol(annotation, &end, 10);
	return isdigit((unsigned char)*annotation) && strcmp(end, ".hairpin") == 0 &&
		       network >= 0 && network < NETWORKS
		   ? (int)network
		   : -1;
}

static int check_hairpins(const struct lxc_request *request, const struct lxc_recipe *recipe,
			  struct error *err)
{
	const struct spec_pairs *annotations = &request->spec->annotations;
	size_t i;

	for (i = 0; i < annotations->count; i++) {
		const struct spec_pair *pair = &annotations->items[i];
		int network = hairpin_network(pair->key);
		const char *type, *link;

		if (strncmp(pair->key, HAIRPIN, strlen(HAIRPIN)) != 0)
			continue;
		if (network < 0)
			return error_set(err, "annotations: %s: not known; %s0.hairpin is",
					 pair->key, HAIRPIN);
		if (strcmp(pair->value, "0") != 0 && strcmp(pair->value, "1") != 0)
			return error_set(err, "annotations: %s: \"%s\" is neither 0 nor 1",
					 pair->key, pair->value);
		type = find(recipe, network, "type");
		link = find(recipe, network, "link");
		if (!type || strcmp(type, "veth") != 0 || !link)
			return error_set(err,
					 "annotations: %s: lxc.net.%d is not a veth on a bridge",
					 pair->key, network);
	}
	return 0;
}

/* The name of the host's end, from the configuration as it was given to LXC; the last one counts.
 */
static int host_end(const char *config, int network, char name[IFNAMSIZ])
{
	char key[48];
	const char *at = config, *found = NULL;

	snprintf(key, sizeof(key), "\n" PREFIX "%d.veth.pair = ", network);
	while ((at = strstr(at, key)))
		found = at = at + strlen(key);
	if (!found || strcspn(found, "\n") >= IFNAMSIZ)
		return -1;
	snprintf(name, IFNAMSIZ, "%.*s", (int)strcspn(found, "\n"), found);
	return 0;
}

int lxc_network_after_start(const struct spec *spec, const char *config, struct error *err)
{
	char name[IFNAMSIZ] = "";
	size_t i;

	for (i = 0; i < spec->annotations.count; i++) {
		const struct spec_pair *pair = &spec->annotations.items[i];
		int network = hairpin_network(pair->key);

		if (network < 0 || strcmp(pair->value, "1") != 0)
			continue;
		if (host_end(config, network, name) < 0 ||
		    rtnetlink_set_hairpin(if_nametoindex(name)) < 0)
			return error_errno(err, errno,
					   "annotations: %s: Failed to set it on \"%s\"", pair->key,
					   name);
	}
	return 0;
}

/* ---- as items ---- */

/* One past the highest number that is taken. */
static int count_networks(const struct lxc_recipe *recipe)
{
	const char *subkey;
	int count = 0, network;
	size_t i;

	for (i = 0; i < recipe->count; i++) {
		network = split(recipe->items[i].key, &subkey);
		if (network >= count)
			count = network + 1;
	}
	return count;
}

static bool is_there(const struct lxc_recipe *recipe, int network)
{
	const char *subkey;
	size_t i;

	for (i = 0; i < recipe->count; i++)
		if (split(recipe->items[i].key, &subkey) == network)
			return true;
	return false;
}

int network_compile(const struct lxc_request *request, struct lxc_recipe *recipe, struct error *err)
{
	const struct spec_namespace *own = &request->spec->linux_.namespaces[SPEC_NS_NETWORK];
	int count = count_networks(recipe), network;

	for (network = 0; network < count; network++) {
		const char *type = find(recipe, network, "type");

		if (!type && is_there(recipe, network))
			return error_set(err, "annotations: %snet.%d.type: is missing",
					 LXC_RAW_PREFIX, network);
		if (!type || strcmp(type, "veth") != 0 || find(recipe, network, "veth.pair"))
			continue;
		if (lxc_recipe_add(
			recipe, arena_printf(&recipe->arena, "lxc.net.%d.veth.pair", network),
			arena_printf(&recipe->arena, "%s%d", request->network_prefix, network),
			err) < 0)
			return -1;
	}
	if (check_hairpins(request, recipe, err) < 0)
		return -1;
	if (!own->listed || own->path)
		return 0;
	/* In a user namespace it has to be made by who is in that; and interfaces LXC sets up
	 * before it brings loopback up. */
	recipe->network_follows = count == 0 &&
				  !request->spec->linux_.namespaces[SPEC_NS_USER].listed &&
				  network_may_follow(request);
	/* A network of type "empty" that is up is LXC's way to say: bring loopback up. */
	return lxc_recipe_add(recipe, arena_printf(&recipe->arena, "lxc.net.%d.type", count),
			      "empty", err) < 0 ||
		       lxc_recipe_add(recipe,
				      arena_printf(&recipe->arena, "lxc.net.%d.flags", count), "up",
				      err) < 0
		   ? -1
		   : 0;
}
