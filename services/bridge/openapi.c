/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI 3.0 description, made from the table of routes and the tables of the messages: what
 * is added to those is described without a line here. Where memory runs out nothing is served:
 * every step accepts NULL.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bridge.h"

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *schema_ref(const char *name)
{
    char ref[96];
    (void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", name);
    return json_pack("{s:s}", "$ref", ref);
}

static json_t *content(json_t *schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static json_t *bytes_content(void)
{
    return json_pack("{s:{s:{s:s, s:s}}}", "application/octet-stream", "schema", "type", "string",
                     "format", "binary");
}

static bool is_in_path(const char *path, const char *name)
{
    char part[40];
    (void)snprintf(part, sizeof(part), "{%s}", name);
    return strstr(path, part) != NULL;
}

static json_t *field_schema(const struct wf_wire_field *field)
{
    static const char *const types[] = {
        [WF_WIRE_STR] = "string",   [WF_WIRE_U64] = "integer", [WF_WIRE_I64] = "integer",
        [WF_WIRE_BOOL] = "boolean", [WF_WIRE_BIN] = "string",  [WF_WIRE_MAP] = "object",
        [WF_WIRE_LIST] = "array",
    };
    json_t *schema = json_pack("{s:s}", "description", field->help);
    if (field->type != WF_WIRE_ANY)
        put(schema, "type", json_string(types[field->type]));
    if (field->type == WF_WIRE_LIST)
        put(schema, "items", json_object());
    if (field->type == WF_WIRE_U64 || field->type == WF_WIRE_I64)
        put(schema, "format", json_string("int64"));
    if (field->type == WF_WIRE_U64)
        put(schema, "minimum", json_integer(0));
    if (field->max > 0)
        put(schema, field->type == WF_WIRE_U64 ? "maximum" : "maxLength",
            json_integer((json_int_t)field->max));
    return schema;
}

/* The body of a message, without the fields that stand in the path. */
static json_t *message_schema(const struct wf_message_info *info, const char *path)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < info->n_fields; i++) {
        const struct wf_wire_field *field = &info->fields[i];
        if (is_in_path(path, field->name))
            continue;
        put(properties, field->name, field_schema(field));
        if (field->required)
            (void)json_array_append_new(required, json_string(field->name));
    }
    json_t *schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
    if (json_array_size(required) > 0)
        (void)json_object_set(schema, "required", required);
    json_decref(required);
    if (info->sender == WF_END_PARTY)
        put(schema, "additionalProperties", json_false());
    return schema;
}

static json_t *parameter(const char *in, const char *name, bool required, json_t *schema)
{
    return json_pack("{s:s, s:s, s:b, s:o}", "in", in, "name", name, "required", (int)required,
                     "schema", schema);
}

static json_t *service_parameter(void)
{
    json_t *words = json_array();
    for (unsigned i = 0; i < WF_SERVICE_COUNT; i++)
        (void)json_array_append_new(words, json_string(wf_service_word((enum wf_service)i)));
    return parameter("query", "service", false,
                     json_pack("{s:s, s:s, s:o}", "type", "string", "description",
                               "worker that is meant; found out where it is left out", "enum",
                               words));
}

static void add_parameters(const struct route *route, const struct wf_message_info *info,
                           json_t *list)
{
    bool is_paper = info->code == WF_MSG_paper_put || info->code == WF_MSG_paper_get;
    bool is_get = strcmp(route->method, "GET") == 0 && !is_paper;
    for (size_t i = 0; i < info->n_fields; i++) {
        const struct wf_wire_field *field = &info->fields[i];
        bool is_path = is_in_path(route->path, field->name);
        if (is_path || is_get)
            (void)json_array_append_new(list,
                                        parameter(is_path ? "path" : "query", field->name,
                                                  is_path || field->required, field_schema(field)));
    }
    if (is_paper)
        (void)json_array_append_new(
            list, parameter("header", info->code == WF_MSG_paper_get ? "Range" : "Content-Range",
                            false, json_pack("{s:s}", "type", "string")));
    if (info->receiver == WF_END_ANY)
        (void)json_array_append_new(list, service_parameter());
    if (route->key != KEY_NONE)
        (void)json_array_append_new(
            list, parameter("header", "Idempotency-Key", route->key == KEY_MUST,
                            json_pack("{s:s, s:i, s:s}", "type", "string", "maxLength", KEY_MAX,
                                      "description",
                                      "new for each request; the same again when no answer came")));
}

/* Takes the schema, which bytes have no use for. */
static json_t *answer_content(const struct route *route, json_t *schema)
{
    if (route->answer != WF_MSG_paper_chunk)
        return content(schema);
    json_decref(schema);
    return bytes_content();
}

static json_t *responses(const struct route *route, json_t *schema)
{
    char status[12];
    json_t *all = json_object();
    (void)snprintf(status, sizeof(status), "%u", route->status);
    put(all, status,
        json_pack("{s:s, s:o}", "description", "done", "content", answer_content(route, schema)));
    if (route->kind == ROUTE_VERB)
        put(all, "default",
            json_pack("{s:s, s:o}", "description", "refused: nothing was done", "content",
                      content(schema_ref("error"))));
    return all;
}

static json_t *verb(const struct route *route)
{
    const struct wf_message_info *info = wf_message_info(route->type);
    const struct wf_message_info *reply = wf_message_info(route->answer);
    if (info == NULL || reply == NULL)
        return NULL;
    json_t *parameters = json_array();
    add_parameters(route, info, parameters);
    json_t *operation =
        json_pack("{s:s, s:s, s:o, s:o}", "operationId", info->name, "summary", info->help,
                  "parameters", parameters, "responses", responses(route, schema_ref(reply->name)));
    if (strcmp(route->method, "PUT") == 0)
        put(operation, "requestBody",
            json_pack("{s:b, s:o}", "required", 0, "content", bytes_content()));
    if (strcmp(route->method, "POST") == 0)
        put(operation, "requestBody",
            json_pack("{s:b, s:o}", "required", 1, "content",
                      content(message_schema(info, route->path))));
    return operation;
}

static json_t *own(const struct route *route)
{
    return json_pack("{s:s, s:o, s:[]}", "summary", route->help, "responses",
                     responses(route, json_pack("{s:s}", "type", "object")), "security");
}

static json_t *paths(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < bridge_n_routes; i++) {
        const struct route *route = &bridge_routes[i];
        char method[8] = "";
        for (size_t c = 0; route->method[c] != '\0' && c + 1 < sizeof(method); c++)
            method[c] = (char)(route->method[c] | 0x20); /* ASCII capitals */
        if (json_object_get(all, route->path) == NULL)
            put(all, route->path, json_object());
        put(json_object_get(all, route->path), method,
            route->kind == ROUTE_VERB ? verb(route) : own(route));
    }
    return all;
}

static json_t *schemas(void)
{
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    json_t *all = json_object();
    for (size_t i = 0; i < n; i++) {
        if (table[i].receiver == WF_END_PARTY)
            put(all, table[i].name, message_schema(&table[i], ""));
    }
    return all;
}

char *openapi_make(void)
{
    json_t *root = json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}], s:o, s:{s:o, s:{s:{s:s, s:s}}}}", "openapi", "3.0.3",
        "info", "title", "Hoso", "version", "1", "description",
        "The verbs of the queue endpoints over HTTP. Times are ms since 1970-01-01T00:00Z.",
        "security", "token", "paths", paths(), "components", "schemas", schemas(),
        "securitySchemes", "token", "type", "http", "scheme", "bearer");
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    return text;
}
