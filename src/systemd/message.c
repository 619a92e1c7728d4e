/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "systemd/internal.h"

int systemd_message(const struct systemd *systemd, const char *method, sd_bus_message **message)
{
	return systemd->library->sd_bus_message_new_method_call(
	    systemd->bus, message, SYSTEMD_DESTINATION, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

/* sd-bus takes each type from a variable of its own. */
static int append_basic(const struct systemd *systemd, sd_bus_message *message,
			const struct variant *value)
{
	const struct systemd_library *library = systemd->library;
	uint8_t byte = (uint8_t)value->number;
	uint16_t word = (uint16_t)value->number;
	uint32_t number = (uint32_t)value->number;
	int flag = value->number != 0;
	const void *at = NULL;

	switch (value->type) {
	case 'y':
		at = &byte;
		break;
	case 'n':
	case 'q':
		at = &word;
		break;
	case 'i':
	case 'u':
		at = &number;
		break;
	case 'b':
		at = &flag;
		break;
	case 'x':
	case 't':
		at = &value->number;
		break;
	case 'd':
		at = &value->real;
		break;
	default:
		at = value->text;
	}
	return library->sd_bus_message_append_basic(message, value->type, at);
}

/* An array opens with what an element is, a struct with what it holds: its signature without the
 * parentheses. */
static int open_container(const struct systemd *systemd, sd_bus_message *message,
			  const struct variant *value)
{
	const struct systemd_library *library = systemd->library;
	struct arena arena = ARENA_INIT;
	const char *signature;
	int result;

	if (value->type == 'a')
		return library->sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY,
							      value->element);
	signature = variant_signature(value, &arena);
	if (signature)
		signature = arena_printf(&arena, "%.*s", (int)strlen(signature) - 2, signature + 1);
	result = signature ? library->sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT,
								    signature)
			   : -ENOMEM;
	arena_free(&arena);
	return result;
}

static int append(const struct systemd *systemd, sd_bus_message *message,
		  const struct variant *value)
{
	int result;

	if (value->type != 'a' && value->type != '(')
		return append_basic(systemd, message, value);
	result = open_container(systemd, message, value);
	for (size_t i = 0; i < value->count && result >= 0; i++)
		result = append(systemd, message, &value->items[i]);
	return result < 0 ? result : systemd->library->sd_bus_message_close_container(message);
}

static int append_property(const struct systemd *systemd, sd_bus_message *message,
			   const struct property *property)
{
	const struct systemd_library *library = systemd->library;
	const struct variant *value = &property->value;
	struct arena arena = ARENA_INIT;
	const char *signature = variant_signature(value, &arena);
	int result = signature ? 0 : -ENOMEM;

	if (result == 0)
		result = library->sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, "sv");
	if (result >= 0)
		result = library->sd_bus_message_append_basic(message, 's', property->name);
	if (result >= 0)
		result =
		    library->sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, signature);
	if (result >= 0)
		result = append(systemd, message, value);
	if (result >= 0)
		result = library->sd_bus_message_close_container(message);
	if (result >= 0)
		result = library->sd_bus_message_close_container(message);
	arena_free(&arena);
	return result;
}

int systemd_append_properties(const struct systemd *systemd, sd_bus_message *message,
			      const struct properties *properties)
{
	const struct systemd_library *library = systemd->library;
	int result = library->sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "(sv)");

	for (size_t i = 0; i < properties->count && result >= 0; i++)
		result = append_property(systemd, message, &properties->items[i]);
	return result < 0 ? result : library->sd_bus_message_close_container(message);
}
